//! What happened to one object: the commits that changed it, the findings on it, and its live writers, in order.

use std::time::Instant;

use super::declarations::Declarations;
use super::evidence::Search;
use super::gather::{self, TargetSource};
use super::merged::Merges;
use super::rendered_past;
use crate::adapters::ledger::ObjectEvent;
use crate::adapters::render::Toolbox;
use crate::config::Config;
use crate::model::attribution::{Actor, DeclaredBy};
use crate::model::field_path::FieldPath;
use crate::model::object_story::{Did, Entry, Happened};
use crate::model::resource::ObjectId;
use crate::model::schema::SchemaRef;
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::stages::compare;
use crate::stages::normalise::Applied;
use crate::stages::object_history::ObjectVersion;
use crate::stages::timeline::{self, At};

/// The commits that changed an object, oldest first, and whether the first one of all is among those looked at. Blocks.
pub fn commits(
    source: &TargetSource,
    sources: &[TargetSource],
    id: &ObjectId,
    schema: Option<SchemaRef<'_>>,
    config: &Config,
    key: &RedactionKey,
) -> (Vec<Entry>, bool) {
    let (Some((_, repository, _)), Some(index)) = (&source.commit, &source.versions) else {
        return (Vec::new(), false);
    };
    let deadline = Instant::now().checked_add(config.limits.history_time);
    if let Some(toolbox) = &source.toolbox {
        let search = Search { source, sources, folders: &[], config, key };
        return of_rendered(&search, toolbox, id, schema, deadline);
    }
    let folders = source.folders(sources);
    let stretches = timeline::timelines(index, &folders, [id]).remove(id).unwrap_or_default();
    let reading = gather::reading(config, &source.config, key);
    let mut read = Declarations::new(repository, reading, config.limits.file_bytes);
    let mut merges = Merges::new(repository, &folders, index, config, deadline);
    let mut entries = Vec::new();
    let mut before: Option<ObjectVersion> = None;
    let mut in_file = None;
    let mut whole = index.ended.is_none();
    for (n, stretch) in stretches.iter().enumerate().rev() {
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            whole = false;
            break;
        }
        let newer = n.checked_sub(1).and_then(|newer| stretches[newer].from);
        let Some(version) = read.version(index, id, *stretch, newer, None) else { continue };
        if stretch.from.is_some() {
            let author = merges.author_of(&version, id, schema, &mut read);
            let file = match stretch.at {
                At::In { path, .. } => Some(index.path(path).to_owned()),
                At::Nowhere | At::Unknown => None,
            };
            let reached = &version.commit;
            let by =
                Box::new(DeclaredBy::of(author.as_ref().unwrap_or(reached), author.as_ref().map(|_| reached.as_ref())));
            let did = did(before.as_ref(), &version, schema);
            // Another object of the file changed.
            if did == Did::Moved && file == in_file {
                before = Some(version);
                continue;
            }
            in_file.clone_from(&file);
            let (time, commits_behind) = (Some(by.time), version.commits_behind);
            entries.push(Entry { time, happened: Happened::Commit { by, commits_behind, did, file } });
        }
        before = Some(version);
    }
    (entries, whole)
}

/// The same of an object that is rendered.
fn of_rendered(
    search: &Search<'_>,
    toolbox: &Toolbox,
    id: &ObjectId,
    schema: Option<SchemaRef<'_>>,
    deadline: Option<Instant>,
) -> (Vec<Entry>, bool) {
    let (versions, whole) = rendered_past::versions_of(search, toolbox, id, deadline);
    let mut entries = Vec::new();
    let mut before: Option<&ObjectVersion> = None;
    for (version, file) in versions.iter().rev() {
        let did = did(before, version, schema);
        // Before it was declared first, it was not there; and much goes in that changes nothing of it.
        let says_something = did != Did::Moved
            && (before.is_some() || version.value.is_some())
            && !(before.is_some_and(|before| before.value.is_none()) && version.value.is_none());
        if says_something {
            let by = Box::new(DeclaredBy::of(&version.commit, None));
            let (time, commits_behind, file) = (Some(by.time), version.commits_behind, file.clone());
            entries.push(Entry { time, happened: Happened::Commit { by, commits_behind, did, file } });
        }
        before = Some(version);
    }
    (entries, whole)
}

fn did(before: Option<&ObjectVersion>, now: &ObjectVersion, schema: Option<SchemaRef<'_>>) -> Did {
    let old = before.and_then(|before| before.value.as_ref());
    match (old, &now.value) {
        _ if !now.readable => Did::Unreadable,
        (_, None) => Did::Removed,
        (None, Some(_)) => Did::Declared,
        (Some(old), Some(new)) => {
            let differs = |one, other| compare::compare(one, other, schema, &mut Applied::new()).differences;
            let mut paths: Vec<FieldPath> =
                differs(new, old).into_iter().chain(differs(old, new)).map(|difference| difference.path).collect();
            paths.sort_by_cached_key(ToString::to_string);
            paths.dedup();
            if paths.is_empty() { Did::Moved } else { Did::Changed { paths } }
        }
    }
}

/// What scans found, as entries.
pub fn findings(events: Vec<ObjectEvent>) -> Vec<Entry> {
    let entry = |event: ObjectEvent| Entry {
        time: Some(event.time),
        happened: Happened::Finding {
            scan: event.scan,
            id: event.finding.id,
            event: event.kind,
            title: format!("{} {}", event.finding.code, event.finding.class),
            path: event.finding.path,
            how: event.how,
        },
    };
    events.into_iter().map(entry).collect()
}

/// Live writers, as entries.
pub fn writes(actors: Vec<Actor>) -> Vec<Entry> {
    actors.into_iter().map(|actor| Entry { time: actor.time, happened: Happened::Write { actor } }).collect()
}

/// Everything in order: commits stay in that of the revision, and the rest stands between them by its time.
pub fn in_order(commits: Vec<Entry>, mut others: Vec<Entry>) -> Vec<Entry> {
    others.sort_by_key(|entry| entry.time);
    let mut others = others.into_iter().peekable();
    let mut entries = Vec::new();
    let mut latest: Option<Timestamp> = None;
    for commit in commits {
        latest = latest.max(commit.time);
        while let Some(other) = others.next_if(|other| other.time < latest) {
            entries.push(other);
        }
        entries.push(commit);
    }
    entries.extend(others);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::ActorKind;

    fn write(time: Option<i64>) -> Entry {
        let actor = Actor {
            manager: "kubectl-edit".into(),
            operation: "Update".into(),
            subresource: None,
            time: time.map(Timestamp::from_unix),
            kind: ActorKind::Interactive,
            user: None,
        };
        writes(vec![actor]).remove(0)
    }

    #[test]
    fn commits_keep_their_order_whatever_their_clocks_say() {
        let times = |entries: &[Entry]| -> Vec<Option<i64>> {
            entries.iter().map(|entry| entry.time.map(|time| time.unix())).collect()
        };
        let commits = [10, 5, 30].map(|time| write(Some(time))).to_vec();
        let others = [Some(20), None, Some(40), Some(7)].map(write).to_vec();
        let ordered = in_order(commits, others);
        assert_eq!(times(&ordered), [None, Some(7), Some(10), Some(5), Some(20), Some(30), Some(40)]);
    }
}
