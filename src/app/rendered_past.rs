//! The past of objects that are made out of files: what was rendered at the commits that touched the files that went in.
//!
//! From the tracked commit backwards: the newest commit that changed an input brought what is rendered now; what its parent renders is the
//! version before, which may have other inputs; and so on, as long as something is open.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::declarations::{Declarations, LinePlace};
use super::evidence::{Question, Search};
use super::files::Files;
use super::followed::Followed;
use super::gather::{self, TargetSource};
use super::named_then::{self, Then};
use super::rendering::{RenderedAt, Rendering};
use crate::adapters::git::{CommitTree, OpenedRepository};
use crate::adapters::render::Toolbox;
use crate::config::NamedBy;
use crate::config::render::Beside;
use crate::model::declared::RenderedObject;
use crate::model::fingerprint::stable_name;
use crate::model::history::CommitInfo;
use crate::model::moves;
use crate::model::resource::ObjectId;
use crate::model::versions::VersionIndex;
use crate::stages::findings::Evidence;
use crate::stages::normalise::{Applied, Side, normalise};
use crate::stages::object_history::ObjectVersion;
use crate::stages::timeline::{At, Folder, Stretch};

/// Versions of a target that are rendered for evidence; what is older is not at hand.
const MOST_VERSIONS: usize = 100;

/// A target after some of the commits.
struct State {
    /// What it follows from on each of the lines, links followed.
    inputs: Vec<Vec<Folder>>,
    /// What is rendered; `None` where that failed.
    objects: Option<Vec<RenderedObject>>,
}

/// Of what a line has the commits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The target's files.
    Files,
    /// The object that names it, where that is elsewhere.
    Naming,
    /// Files of values of the other repository at this position.
    Beside(usize),
}

/// One revision's commits, walked backwards.
struct Line<'a> {
    of: Of,
    repository: &'a OpenedRepository,
    index: &'a VersionIndex,
    declarations: Declarations<'a>,
    /// So many of the commits are in.
    after: usize,
}

/// A target from one commit on until the next that changed something that went in.
pub struct Version {
    /// Where it stands on its line.
    pub place: LinePlace,
    /// The commit that it begins with.
    pub commit: Arc<CommitInfo>,
    /// What is rendered; `None` where that failed.
    pub objects: Option<Vec<RenderedObject>>,
}

/// The next older version.
pub enum Walked {
    /// It.
    Version(Version),
    /// A commit cannot be read.
    Unreadable,
    /// There is none: it began.
    Begun,
}

/// A target's versions, the newest first.
pub struct Walk<'a> {
    past: TargetPast<'a>,
    lines: Vec<Line<'a>>,
    /// Whether they reach back to where the target began, and all that it follows from is in Git.
    pub whole: bool,
}

impl<'a> Walk<'a> {
    /// From the tracked commit on.
    pub fn new(search: &'a Search<'a>, toolbox: &'a Toolbox) -> Self {
        let &Search { source, sources, config, key, .. } = search;
        let past =
            TargetPast { search, rendering: Rendering { config, key, toolbox }, naming: naming(source, sources) };
        let reading = gather::reading(config, &source.config, key);
        let apart = past.naming.filter(|naming| !is_beside(source, naming));
        let line = |of, at: Option<(&'a OpenedRepository, &'a VersionIndex)>| {
            let (repository, index) = at?;
            let declarations = Declarations::new(repository, reading, config.limits.file_bytes);
            Some(Line { of, repository, index, declarations, after: index.commits.len() })
        };
        let at = |source: &'a TargetSource| Some((&source.commit.as_ref()?.1, source.versions.as_deref()?));
        let own = std::iter::once((Of::Files, at(source)));
        let naming = apart.map(|naming| (Of::Naming, at(naming)));
        let beside = source
            .beside
            .iter()
            .enumerate()
            .map(|(n, beside)| (Of::Beside(n), beside.versions.as_deref().map(|index| (&beside.commit.1, index))));
        let wanted: Vec<_> = own.chain(naming).chain(beside).collect();
        let count = wanted.len();
        let lines: Vec<Line<'_>> = wanted.into_iter().filter_map(|(of, at)| line(of, at)).collect();
        let whole = lines.len() == count && lines.iter().all(|line| line.index.ended.is_none()) && past.stands_in_git();
        Self { past, lines, whole }
    }

    /// The next older version. Blocks.
    pub fn step_back(&mut self) -> Walked {
        if self.lines.is_empty() || self.lines.iter().any(|line| line.after == 0) {
            return Walked::Begun;
        }
        // What the target was at any commit, the object that names it says, and that is not at hand.
        if self.past.naming.is_none() && matches!(self.past.search.source.config.named_by, NamedBy::Declared(_)) {
            return Walked::Unreadable;
        }
        let Some(State { inputs, objects }) = self.past.state(&self.lines) else { return Walked::Unreadable };
        let steps = self.lines.iter_mut().zip(&inputs).enumerate().filter_map(|(n, (line, inputs))| {
            let (from, place, commit) = line.step(inputs)?;
            Some(((n, from), place, commit))
        });
        // Of several lines the latest.
        let Some(((line, from), place, commit)) = steps.min_by_key(|(_, _, commit)| Reverse(commit.time)) else {
            return Walked::Begun;
        };
        self.lines[line].after = from;
        Walked::Version(Version { place, commit, objects })
    }
}

/// The evidence for objects of a rendered target. Blocks.
///
/// Where the object that names the target, or its files of values, are in another repository or on another revision than its files, all of
/// them have a say: the commits of all are walked, the newest first.
pub fn of_target(
    search: &Search<'_>,
    toolbox: &Toolbox,
    questions: &[Question<'_>],
    deadline: Option<Instant>,
) -> BTreeMap<ObjectId, Evidence> {
    let reading = gather::reading(search.config, &search.source.config, search.key);
    let mut walk = Walk::new(search, toolbox);
    let mut followed: Vec<Followed<'_>> =
        questions.iter().map(|question| Followed::new(question, walk.whole)).collect();
    let cut = |followed: &mut Vec<Followed<'_>>| {
        followed
            .iter_mut()
            .filter(|followed| followed.wants_more())
            .for_each(|followed| followed.history.whole = false);
    };
    for versions in 0.. {
        if versions >= MOST_VERSIONS || deadline.is_some_and(|deadline| Instant::now() > deadline) {
            cut(&mut followed);
            break;
        }
        let version = match walk.step_back() {
            Walked::Version(version) => version,
            Walked::Unreadable => {
                cut(&mut followed);
                break;
            }
            Walked::Begun => break,
        };
        for (followed, question) in followed.iter_mut().zip(questions).filter(|(followed, _)| followed.wants_more()) {
            let id = &question.object.id;
            let value = version.objects.as_ref().and_then(|objects| value(objects, id, reading.namespace));
            let of_object = ObjectVersion {
                commit: version.commit.clone(),
                commits_behind: version.place.behind,
                last: version.place.last.clone(),
                value: value.map(Into::into),
                readable: version.objects.is_some(),
            };
            followed.push(of_object, versions);
        }
        if !followed.iter().any(Followed::wants_more) {
            break;
        }
    }
    let evidence = followed.into_iter().zip(questions).map(|(followed, question)| {
        let mut history = followed.history;
        history.settle(question.schema);
        (question.object.id.clone(), Evidence { history, elsewhere: Vec::new() })
    });
    evidence.collect()
}

/// The versions of one object, the newest first, each with the file that it came from, and whether they reach back to where it began.
pub fn versions_of(
    search: &Search<'_>,
    toolbox: &Toolbox,
    id: &ObjectId,
    deadline: Option<Instant>,
) -> (Vec<(ObjectVersion, Option<String>)>, bool) {
    let namespace = &search.source.config.namespace;
    let mut walk = Walk::new(search, toolbox);
    let mut found = Vec::new();
    while found.len() < MOST_VERSIONS && deadline.is_none_or(|deadline| Instant::now() <= deadline) {
        let version = match walk.step_back() {
            Walked::Version(version) => version,
            Walked::Unreadable => return (found, false),
            Walked::Begun => return (found, walk.whole),
        };
        let objects = version.objects.as_deref();
        let file = objects.and_then(|objects| find(objects, id, namespace)).map(|object| object.file.clone());
        let of_object = ObjectVersion {
            value: objects.and_then(|objects| value(objects, id, namespace)).map(Into::into),
            readable: objects.is_some(),
            commit: version.commit,
            commits_behind: version.place.behind,
            last: version.place.last,
        };
        found.push((of_object, file));
    }
    (found, false)
}

/// The target that declares the object that names a target.
pub fn naming<'a>(source: &TargetSource, sources: &'a [TargetSource]) -> Option<&'a TargetSource> {
    let NamedBy::Declared(by) = &source.config.named_by else { return None };
    sources.iter().find(|other| other.config.name == by.target)
}

/// Whether two targets are read at the same commit.
fn is_beside(one: &TargetSource, other: &TargetSource) -> bool {
    let commit = |source: &TargetSource| source.commit.as_ref().map(|(commit, _, _)| commit.clone());
    one.config.repository == other.config.repository && commit(one) == commit(other)
}

impl<'a> Line<'a> {
    /// The newest of the commits that are in, and the last one that changed an input.
    fn step(&mut self, inputs: &[Folder]) -> Option<(usize, LinePlace, Arc<CommitInfo>)> {
        let index = self.index;
        let touches = |n: &usize| {
            let mut changes = index.changes.get(*n).into_iter().flatten();
            changes.any(|change| inputs.iter().any(|input| input.holds(index.path(change.path))))
        };
        let from = (0..self.after).rev().find(touches)?;
        let newer = Some(self.after).filter(|after| *after < index.commits.len());
        let place = self.declarations.place(index, Stretch { from: Some(from), at: At::Nowhere }, newer)?;
        let commit = self.declarations.commit(&place.from)?;
        Some((from, place, commit))
    }
}

/// What a target was, commit by commit.
struct TargetPast<'a> {
    search: &'a Search<'a>,
    rendering: Rendering<'a>,
    /// The target that declares the object that names this one.
    naming: Option<&'a TargetSource>,
}

impl TargetPast<'_> {
    /// Whether all that the target follows from is in Git. What an object that is only live says is known as it is now.
    fn stands_in_git(&self) -> bool {
        let render = &self.search.source.config.render;
        let is_plain = render.helm.values.is_empty()
            && render.helm.parameters.is_empty()
            && render.overlay.keys().all(|key| key == "namespace");
        match self.search.source.config.named_by {
            NamedBy::Configuration => true,
            NamedBy::Live => is_plain,
            NamedBy::Declared(_) => self.naming.is_some(),
        }
    }

    /// The target after the commits that are in; `None` where one of them cannot be read.
    fn state(&self, lines: &[Line<'_>]) -> Option<State> {
        let source = self.search.source;
        let tree = |of: Of| -> Option<CommitTree> {
            let line = lines.iter().find(|line| line.of == of)?;
            let tip = line.index.commits.get(line.after.checked_sub(1)?)?;
            self.rendering.tree(line.repository, tip).ok()
        };
        let own = tree(Of::Files)?;
        let mut beside = Vec::new();
        for (n, other) in source.beside.iter().enumerate() {
            beside.push((other.of.folder(), tree(Of::Beside(n))?));
        }
        let files = Files::with(own.clone(), beside);
        let real = |files: &Files, path: String| files.real_path(&path).unwrap_or(path);
        let is_apart = lines.iter().any(|line| line.of == Of::Naming);
        let (target, named_in) = match (self.naming, &source.config.named_by) {
            (Some(naming), NamedBy::Declared(by)) => {
                let naming_files = Files::from(if is_apart { tree(Of::Naming)? } else { own });
                let Then { target, inputs } =
                    named_then::then(&self.rendering, &source.config, (&naming.config, by), &naming_files);
                (target, inputs.into_iter().map(|path| real(&naming_files, path)).collect())
            }
            _ => (Ok(Some(source.config.clone())), Vec::new()),
        };
        let is_at_hand = |of: &Beside| source.beside.iter().any(|beside| beside.of == *of);
        let (paths, objects) = match target {
            // Of a repository that it took values from only then, nothing is at hand.
            Ok(Some(target)) if !target.render.helm.beside.iter().all(is_at_hand) => (vec![target.path], None),
            Ok(Some(target)) if files.real_path(&target.path).is_some() => {
                let RenderedAt { inputs, result, .. } = self.rendering.of(&target, &files);
                let objects = result.ok().filter(|rendered| rendered.gaps.is_empty()).map(|rendered| rendered.objects);
                (inputs, objects)
            }
            // Before its folder was there, the target declared nothing.
            Ok(Some(target)) => (vec![target.path], Some(Vec::new())),
            // Nor did it before something named it.
            Ok(None) => (Vec::new(), Some(Vec::new())),
            Err(()) => (vec![source.config.path.clone()], None),
        };
        let paths: Vec<String> = paths.into_iter().map(|path| real(&files, path)).collect();
        let below = |of: &Beside, path: &String| -> Option<String> {
            Some(path.strip_prefix(&of.folder())?.trim_start_matches('/').to_owned())
        };
        let inputs_of = |line: &Line<'_>| -> Vec<String> {
            match line.of {
                Of::Naming => named_in.clone(),
                Of::Beside(n) => paths.iter().filter_map(|path| below(&source.beside.get(n)?.of, path)).collect(),
                Of::Files => {
                    let is_own = |path: &&String| !source.beside.iter().any(|beside| below(&beside.of, path).is_some());
                    let named: &[String] = if is_apart { &[] } else { &named_in };
                    paths.iter().filter(is_own).chain(named).cloned().collect()
                }
            }
        };
        let folder = |root: String| Folder { root, namespace: String::new() };
        let inputs = lines.iter().map(|line| inputs_of(line).into_iter().map(folder).collect()).collect();
        Some(State { inputs, objects })
    }
}

/// What is rendered of an object, normalised.
fn value(objects: &[RenderedObject], id: &ObjectId, namespace: &str) -> Option<Value> {
    let mut value = find(objects, id, namespace)?.tree().ok()?;
    normalise(&mut value, &id.group_kind(), Side::Declared, &mut Applied::new());
    Some(value)
}

/// An object among those that are rendered. A name with a generator's hash changes with the content: what stands before it counts.
pub fn find<'o>(objects: &'o [RenderedObject], id: &ObjectId, namespace: &str) -> Option<&'o RenderedObject> {
    objects.iter().rev().find(|object| {
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
    })
}
