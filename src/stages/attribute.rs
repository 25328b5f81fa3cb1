//! Which commit is behind the declared value, whether the live value ever stood in Git, and so the cause.
//!
//! By field: its values are compared from version to version of the object, as parsed values, so that re-indenting, reordering, comments
//! and moves from file to file change nothing.

use serde_json::Value;

use super::beside::{Beside, Past};
use super::compare;
use super::judge::Judgement;
use super::object_history::{ObjectHistory, ObjectVersion};
use crate::model::attribution::{ActorKind, DeclaredBy, LiveMatch};
use crate::model::finding::Cause;
use crate::model::ids::{CommitId, Revision, TargetName};
use crate::model::time::Timestamp;

/// What else decides about a cause.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The tracked revision.
    pub revision: &'a Revision,
    /// The tips of the revision in this ledger's earlier scans: how many commits behind the tracked one, and when first seen.
    pub sightings: &'a [(u64, Timestamp)],
    /// The scan's start.
    pub now: Timestamp,
    /// Seconds for which an unapplied commit is only pending.
    pub grace_seconds: i64,
    /// Whether an earlier scan of this ledger saw the object live.
    pub seen_live: bool,
    /// The commits that operators say they applied last: how many first-parent commits each is behind the tracked one.
    pub applied: &'a [u64],
}

/// The declared and the live side of one difference, attributed.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributed {
    /// See [`DeclaredBy`].
    pub declared_by: Option<DeclaredBy>,
    /// See [`LiveMatch`].
    pub live_matches: Option<LiveMatch>,
    /// Only for codes that have one.
    pub cause: Option<Cause>,
    /// Why, where the cause alone does not say.
    pub note: Option<String>,
}

/// What another tracked revision of the repository, or another environment on the same one, declares of an object now.
#[derive(Clone, Debug, PartialEq)]
pub struct Elsewhere {
    /// The target that declares it, where it is on the same revision.
    pub environment: Option<TargetName>,
    /// The revision.
    pub revision: Revision,
    /// What it resolved to.
    pub commit: CommitId,
    /// Normalised and redacted.
    pub value: Value,
}

/// Attributes a difference inside an object that is live; `at` is its position among those that the history was asked about.
pub fn difference(
    judgement: &Judgement,
    at: usize,
    past: &Past<'_>,
    elsewhere: &[Elsewhere],
    around: &Circumstances<'_>,
) -> Attributed {
    let Judgement { difference, actors, last_writer, undetermined } = judgement;
    let &Past { history, live, schema, .. } = past;
    let declared_by = history.declared_by(Some(&difference.path), schema);
    if !difference.code.has_cause() {
        return Attributed { declared_by, live_matches: None, cause: None, note: None };
    }
    if *undetermined {
        return Attributed { declared_by, live_matches: None, cause: Some(Cause::Undetermined), note: None };
    }
    let matched = past.matched(at);
    let unapplied = matched.and_then(|(n, _)| history.versions.get(n.checked_sub(1)?));
    let inside = if matched.is_none() { past.newest_inside(judgement) } else { None };
    let earlier = matched.map(|(_, version)| version).or(inside.map(|inside| &inside.version));
    let is_there = |there: &&Elsewhere| {
        // That an environment lacks something, too, says nothing.
        (there.environment.is_none() || difference.live.is_some())
            && Beside::new(Some(&there.value), live, schema).has(judgement)
    };
    let ahead = if earlier.is_none() { elsewhere.iter().find(is_there) } else { None };
    let environment = ahead.and_then(|there| there.environment.as_ref());
    let live_matches = match matched {
        Some((n, version)) => Some(past.live_match(n, version, judgement, around.revision)),
        None if inside.is_some() => {
            inside.map(|it| history.inside.live_match(it, &difference.path, schema, around.revision))
        }
        None => ahead.map(|there| LiveMatch::of(there.commit.clone(), &there.revision)),
    };
    let by_gitops = match actors.first().map(|a| a.kind) {
        Some(ActorKind::Gitops) => Some(true),
        Some(ActorKind::Interactive | ActorKind::Controller) => Some(false),
        // The path's own writer says nothing: the object as a whole may equal that commit, or the operator names one that has the value.
        Some(ActorKind::Unknown) | None => match earlier.and_then(|version| version.value.as_deref()) {
            Some(version) if compare::equal(version, live, schema) => Some(true),
            Some(_) if matched.is_some_and(|(_, of)| past.was_applied(of, &difference.path, around)) => Some(true),
            // It is no commit's object, and a person wrote it last.
            _ => last_writer.as_ref().filter(|a| a.kind == ActorKind::Interactive).map(|_| false),
        },
    };
    let by_person = actors.first().or(last_writer.as_ref()).is_some_and(|a| a.kind == ActorKind::Interactive);
    // What stood only inside a merge is superseded by that merge.
    let since = inside.map_or_else(|| since(unapplied), |inside| inside.version.commits_behind);
    let (cause, note) = match (&earlier, by_gitops) {
        // A person who sets what another environment has brings nothing forward.
        (None, Some(false)) if environment.is_some() && by_person => (Cause::OutOfBand, None),
        (None, _) if live_matches.is_some() => (Cause::Ahead, None),
        (Some(_), Some(true)) => (pending_or_behind(since, around), None),
        (Some(_), Some(false)) => (Cause::HandRollback, None),
        (Some(_), None) => {
            (Cause::Undetermined, Some("an earlier commit has the live value, but nothing shows who wrote it"))
        }
        (None, _) if history.whole && !history.inside.unread => (Cause::OutOfBand, None),
        // A person's tool wrote it: whatever the part of the history that is not at hand says, Git's side did not.
        (None, Some(false)) if by_person => {
            (Cause::OutOfBand, Some("the history at hand is not whole; the writer decides"))
        }
        (None, _) => (Cause::Undetermined, Some("the object's history at hand is not whole")),
    };
    let words = match (inside, environment) {
        (Some(inside), _) => Some(format!("the live value stood {}", inside.words())),
        (None, environment) => environment.map(|target| format!("the live value is what target {target} declares")),
    };
    let note = [words, note.map(str::to_owned)].into_iter().flatten().collect::<Vec<_>>().join("; ");
    Attributed { declared_by, live_matches, cause: Some(cause), note: Some(note).filter(|note| !note.is_empty()) }
}

/// Attributes a declared object that is not live.
pub fn missing(history: &ObjectHistory, around: &Circumstances<'_>) -> Attributed {
    let declared_by = history.object_by();
    let (cause, note) = if around.seen_live {
        (Cause::OutOfBand, "an earlier scan saw it live: it was deleted")
    } else if history.versions.is_empty() {
        (Cause::Undetermined, "no history at hand, and this ledger never saw it live")
    } else {
        (
            pending_or_behind(since(history.versions.iter().take_while(|v| v.value.is_some()).last()), around),
            "this ledger never saw it live: it was not applied yet, or deleted before the first scan",
        )
    };
    Attributed { declared_by, live_matches: None, cause: Some(cause), note: Some(note.to_owned()) }
}

/// By when this ledger first saw the oldest commit that is not applied, `since` commits behind the tracked one. A scan sees only the tip, so a commit was there when it or
/// one after it was the tip.
pub(super) fn pending_or_behind(since: u64, around: &Circumstances<'_>) -> Cause {
    let seen = around.sightings.iter().filter(|(behind, _)| *behind <= since).map(|(_, time)| *time).min();
    let seen = seen.unwrap_or(around.now);
    if around.now.unix() - seen.unix() < around.grace_seconds { Cause::Pending } else { Cause::Behind }
}

fn since(unapplied: Option<&ObjectVersion>) -> u64 {
    unapplied.map_or(0, |version| version.commits_behind)
}

#[cfg(test)]
#[path = "attribute_tests.rs"]
mod tests;
