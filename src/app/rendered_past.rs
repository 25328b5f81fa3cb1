//! The past of objects that are made out of files: what was rendered at the commits that touched the files that went in.
//!
//! From the tracked commit backwards: the newest commit that changed an input brought what is rendered now; what its parent renders is the
//! version before, which may have other inputs; and so on, as long as something is open.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

use super::declarations::Declarations;
use super::evidence::{Question, Search};
use super::followed::Followed;
use super::gather;
use super::rendering::{RenderedAt, Rendering};
use crate::adapters::git::OpenedRepository;
use crate::adapters::render::Toolbox;
use crate::model::declared::RenderedObject;
use crate::model::fingerprint::stable_name;
use crate::model::ids::CommitId;
use crate::model::moves;
use crate::model::resource::ObjectId;
use crate::model::versions::VersionIndex;
use crate::stages::findings::Evidence;
use crate::stages::normalise::{Applied, Side, normalise};
use crate::stages::object_history::ObjectVersion;
use crate::stages::timeline::{At, Folder, Stretch};

/// Versions of a target that are rendered for evidence; what is older is not at hand.
const MOST_VERSIONS: usize = 100;

/// A target as a commit has it.
struct State {
    /// What it follows from, links followed.
    inputs: Vec<Folder>,
    /// What is rendered; `None` where that failed.
    objects: Option<Vec<RenderedObject>>,
}

/// The evidence for objects of a rendered target. Blocks.
pub fn of_target(
    search: &Search<'_>,
    toolbox: &Toolbox,
    repository: &OpenedRepository,
    index: &VersionIndex,
    questions: &[Question<'_>],
    deadline: Option<Instant>,
) -> BTreeMap<ObjectId, Evidence> {
    let &Search { source, config, key, .. } = search;
    let rendering = Rendering { config, key, toolbox };
    let reading = gather::reading(config, &source.config, key);
    let mut declarations = Declarations::new(repository, reading, config.limits.file_bytes);
    let mut followed: Vec<Followed<'_>> =
        questions.iter().map(|question| Followed::new(question, index.ended.is_none())).collect();
    let late = || deadline.is_some_and(|deadline| Instant::now() > deadline);
    // The state is that after so many of the commits.
    let mut after = index.commits.len();
    let mut versions = 0;
    while after > 0 {
        if versions >= MOST_VERSIONS || late() {
            followed.iter_mut().filter(|followed| followed.wants_more()).for_each(|f| f.history.whole = false);
            break;
        }
        let Some(state) = index.commits.get(after - 1).and_then(|commit| state(search, &rendering, repository, commit))
        else {
            followed.iter_mut().for_each(|followed| followed.history.whole = false);
            break;
        };
        let touches = |n: usize| {
            let mut changes = index.changes.get(n).into_iter().flatten();
            changes.any(|change| state.inputs.iter().any(|input| input.holds(index.path(change.path))))
        };
        let from = (0..after).rev().find(|n| touches(*n));
        let newer = Some(after).filter(|after| *after < index.commits.len());
        let place = declarations.place(index, Stretch { from, at: At::Nowhere }, newer);
        let commit = place.as_ref().and_then(|place| declarations.commit(&place.from));
        let (Some(place), Some(commit)) = (place, commit) else { break };
        for (followed, question) in followed.iter_mut().zip(questions).filter(|(followed, _)| followed.wants_more()) {
            let id = &question.object.id;
            let value = state.objects.as_ref().and_then(|objects| value(objects, id, reading.namespace));
            let version = ObjectVersion {
                commit: commit.clone(),
                commits_behind: place.behind,
                last: place.last.clone(),
                value: value.map(Into::into),
                readable: state.objects.is_some(),
            };
            followed.push(version, versions);
        }
        versions += 1;
        let Some(from) = from.filter(|_| followed.iter().any(Followed::wants_more)) else { break };
        after = from;
    }
    let evidence = followed.into_iter().zip(questions).map(|(followed, question)| {
        let mut history = followed.history;
        history.settle(question.schema);
        (question.object.id.clone(), Evidence { history, elsewhere: Vec::new() })
    });
    evidence.collect()
}

/// The target at a commit; `None` where the commit cannot be read.
fn state(
    search: &Search<'_>,
    rendering: &Rendering<'_>,
    repository: &OpenedRepository,
    commit: &CommitId,
) -> Option<State> {
    let target = &search.source.config;
    let tree = rendering.tree(repository, commit).ok()?;
    let input = |path: String| Folder { root: tree.real_path(&path).unwrap_or(path), namespace: String::new() };
    if tree.real_path(&target.path).is_none() {
        // Before its folder was there, the target declared nothing.
        return Some(State { inputs: vec![input(target.path.clone())], objects: Some(Vec::new()) });
    }
    let RenderedAt { inputs, result, .. } = rendering.of(target, &tree);
    let objects = result.ok().filter(|rendered| rendered.gaps.is_empty()).map(|rendered| rendered.objects);
    Some(State { inputs: inputs.into_iter().map(input).collect(), objects })
}

/// What is rendered of an object, normalised. A name with a generator's hash changes with the content: what stands before it counts.
fn value(objects: &[RenderedObject], id: &ObjectId, namespace: &str) -> Option<Value> {
    let found = objects.iter().rev().find(|object| {
        let other = ObjectId {
            group: object.gvk.gv.group.clone(),
            kind: object.gvk.kind.clone(),
            namespace: id.namespace.as_ref().map(|_| object.namespace.as_deref().unwrap_or(namespace).to_owned()),
            name: object.name.clone(),
        };
        let group = |id: &ObjectId| moves::group_now(&id.group, &id.kind).to_owned();
        other.kind == id.kind
            && group(&other) == group(id)
            && other.namespace == id.namespace
            && stable_name(&other) == stable_name(id)
    })?;
    let mut value = found.tree().ok()?;
    normalise(&mut value, &id.group_kind(), Side::Declared, &mut Applied::new());
    Some(value)
}
