//! Evidence on the declared side: what Git's history says of the objects that something is to be said about.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::gather::{self, TargetSource};
use crate::adapters::git::HistoryBounds;
use crate::adapters::render::manifest;
use crate::config::Config;
use crate::model::declared::{DeclaredObject, RenderedObject};
use crate::model::field_path::FieldPath;
use crate::model::gap::{Gap, Hides};
use crate::model::history::FileHistory;
use crate::model::ids::TargetName;
use crate::model::resource::ObjectId;
use crate::model::secret::RedactionKey;
use crate::ports::SourceTree as _;
use crate::stages::attribute::{ObjectHistory, ObjectVersion};
use crate::stages::findings::Evidence;
use crate::stages::normalise::{Applied, Side, normalise};

/// Versions of one file that are parsed; a file with more is not followed to its beginning.
const MOST_VERSIONS: usize = 300;

/// The evidence for objects of one target, from one walk over its history. Blocks.
pub fn of_target(
    source: &TargetSource,
    objects: &[&DeclaredObject],
    config: &Config,
    key: &RedactionKey,
) -> (BTreeMap<ObjectId, Evidence>, Vec<Gap>) {
    let Some((commit, repository, tree)) = &source.commit else { return Default::default() };
    let files: BTreeSet<String> = objects.iter().map(|object| real_path(tree, &object.origin.file)).collect();
    let bounds = HistoryBounds {
        max_commits: config.limits.history_commits,
        max_versions: MOST_VERSIONS,
        max_file_bytes: config.limits.file_bytes,
        deadline: Instant::now().checked_add(config.limits.history_time),
        ..HistoryBounds::default()
    };
    let histories = match repository.file_histories(commit, &files.into_iter().collect::<Vec<_>>(), bounds) {
        Ok(histories) => histories,
        Err(mut gap) => {
            gap.hides = Hides::Evidence;
            return (BTreeMap::new(), vec![gap.of_target(&source.config.name)]);
        }
    };
    let mut by_file: BTreeMap<String, Vec<&DeclaredObject>> = BTreeMap::new();
    for object in objects {
        by_file.entry(real_path(tree, &object.origin.file)).or_default().push(object);
    }
    let mut evidence = BTreeMap::new();
    for (file, objects) in by_file {
        let Some(history) = histories.get(&file) else { continue };
        for (id, history) in of_file(history, &file, &objects, source, config, key) {
            evidence.insert(id, Evidence { history });
        }
    }
    (evidence, Vec::new())
}

fn real_path(tree: &crate::adapters::git::CommitTree, file: &str) -> String {
    tree.real_path(file).unwrap_or_else(|| file.to_owned())
}

/// Each version of a file is parsed once for all its objects.
fn of_file(
    history: &FileHistory,
    file: &str,
    objects: &[&DeclaredObject],
    source: &TargetSource,
    config: &Config,
    key: &RedactionKey,
) -> BTreeMap<ObjectId, ObjectHistory> {
    let reading = gather::reading(config, &source.config, key);
    let mut histories: BTreeMap<ObjectId, ObjectHistory> = objects
        .iter()
        .map(|object| (object.id.clone(), ObjectHistory { versions: Vec::new(), whole: history.whole }))
        .collect();
    for version in &history.versions {
        let manifests = version.content.as_deref().map(|content| manifest::read(file, content, &reading));
        let unreadable = manifests.as_ref().is_some_and(|m| !m.gaps.is_empty());
        let rendered = manifests.map(|m| m.objects).unwrap_or_default();
        for (id, history) in &mut histories {
            let value = rendered.iter().rev().find(|object| is(object, id, &source.config.namespace)).map(|object| {
                let mut value = object.value.clone();
                normalise(&mut value, &id.group_kind(), Side::Declared, &mut Applied::new());
                value
            });
            // A version that cannot be read may have declared anything.
            history.whole &= !(unreadable && value.is_none());
            history.versions.push(ObjectVersion {
                commit: version.commit.clone(),
                authored: version.authored.clone(),
                commits_behind: version.commits_behind,
                value,
            });
        }
    }
    histories
}

fn is(object: &RenderedObject, id: &ObjectId, namespace: &str) -> bool {
    let same_namespace =
        id.namespace.as_deref().is_none_or(|wanted| object.namespace.as_deref().unwrap_or(namespace) == wanted);
    object.name == id.name && object.gvk.kind == id.kind && object.gvk.gv.group == id.group && same_namespace
}

/// Finds the lines of fields in the files they are declared in; a file is read once however many fields are asked for.
#[derive(Default)]
pub struct Lines {
    files: BTreeMap<(TargetName, String), Option<Vec<u8>>>,
}

impl Lines {
    /// The line of a field of an object, else of the nearest ancestor that is written.
    pub fn of(
        &mut self,
        source: &TargetSource,
        object: &DeclaredObject,
        path: &FieldPath,
        config: &Config,
    ) -> Option<u32> {
        let (_, _, tree) = source.commit.as_ref()?;
        let key = (source.config.name.clone(), object.origin.file.clone());
        let content = self.files.entry(key).or_insert_with(|| tree.read(&object.origin.file));
        manifest::line_of(content.as_deref()?, object.index, path, &gather::yaml_limits(config))
    }
}
