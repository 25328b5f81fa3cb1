//! What a target runs, held against what is in sync: where a newer commit's change is live, no one commit is what runs.

use std::collections::{BTreeMap, BTreeSet};

use super::declarations::Declarations;
use super::gather::{self, TargetSource};
use super::reading::ClusterReading;
use super::sightings;
use crate::config::Config;
use crate::model::finding::Finding;
use crate::model::report::Runs;
use crate::model::resource::ObjectId;
use crate::model::secret::RedactionKey;
use crate::model::versions::{BlobNumber, Head, PathNumber};
use crate::stages::compare;
use crate::stages::runs::{self, Told};

/// Commits after the one that seems to run that are looked at; farther behind, the findings alone are told.
const MOST_COMMITS: u64 = 500;

/// What a target runs, as far as its findings and its objects in sync show. Blocks.
pub fn of_target(
    source: &TargetSource,
    reading: Option<&ClusterReading>,
    found: &[&Finding],
    told: &[Told],
    config: &Config,
    key: &RedactionKey,
) -> Option<Runs> {
    let index = source.versions.as_ref()?;
    let revision = &source.config.revision;
    let line = if index.ended.is_none() { revision.to_string() } else { format!("the part of {revision} at hand") };
    let runs = runs::of_target(found.iter().copied(), told, |commit| sightings::behind(index, commit), &line)?;
    let (Some(commit), Some(behind), Some(reading)) = (&runs.commit, runs.commits_behind, reading) else {
        return Some(runs);
    };
    let differing: BTreeSet<ObjectId> = found.iter().map(|finding| finding.object()).collect();
    match newer(source, reading, behind, &differing, config, key) {
        None => Some(runs),
        Some(object) => {
            let (values, commit) = (&runs.evidence, commit.short());
            let evidence = format!(
                "mixed: {values}, as at {commit}, {behind} behind; but {object} is in sync and was not so then"
            );
            Some(Runs { commit: None, commits_behind: None, evidence })
        }
    }
}

/// An object that is in sync and that was declared otherwise so many commits ago.
fn newer(
    source: &TargetSource,
    reading: &ClusterReading,
    behind: u64,
    differing: &BTreeSet<ObjectId>,
    config: &Config,
    key: &RedactionKey,
) -> Option<ObjectId> {
    let (_, repository, _) = source.commit.as_ref()?;
    let index = source.versions.as_ref()?;
    let folder = source.folder();
    let since = usize::try_from(behind).ok().filter(|_| behind <= MOST_COMMITS)?;
    // What each file was then, and is now.
    let mut files: BTreeMap<PathNumber, [Option<BlobNumber>; 2]> = BTreeMap::new();
    for change in index.changes.iter().skip(index.changes.len().saturating_sub(since)).flatten() {
        if folder.holds(index.path(change.path)) {
            files.entry(change.path).or_insert([change.before, None])[1] = change.now;
        }
    }
    let mut read =
        Declarations::new(repository, gather::reading(config, &source.config, key), config.limits.file_bytes);
    for [before, now] in files.into_values() {
        // What came from another file, or was not there, is left aside.
        let (Some(before), Some(now)) = (before, now) else { continue };
        for head in index.heads_of(now) {
            let id = declared(reading, head, &folder.namespace);
            let Some(id) = id.filter(|id| !differing.contains(*id)) else { continue };
            let mut value = |blob: BlobNumber| index.blob(blob).and_then(|blob| read.value(blob, id));
            let schema = reading.objects.get(id).and_then(|o| reading.schemas.kind_at_any_version(&o.gvk));
            if let (Some(before), Some(now)) = (value(before), value(now))
                && !compare::same(&before, &now, schema)
            {
                return Some(id.clone());
            }
        }
    }
    None
}

/// The declared and compared object that a head names.
fn declared<'r>(reading: &'r ClusterReading, head: &Head, namespace: &str) -> Option<&'r ObjectId> {
    let group = &head.gvk.gv.group;
    let id = |namespace: Option<String>| ObjectId {
        group: group.clone(),
        kind: head.gvk.kind.clone(),
        namespace,
        name: head.name.clone(),
    };
    let inside = id(Some(head.namespace.clone().unwrap_or_else(|| namespace.to_owned())));
    let found = reading.objects.get_key_value(&inside).or_else(|| reading.objects.get_key_value(&id(None)));
    found.map(|(id, _)| id).filter(|id| !reading.unknown.contains(*id) && !reading.missing.contains(*id))
}
