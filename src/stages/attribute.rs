//! Which commit is behind the declared value, whether the live value ever stood in Git, and so the cause.
//!
//! Here by object: the commit that last changed the object's declaration in its file. Versions are compared as parsed values, so
//! that re-indenting, reordering and comments change nothing.

use serde_json::Value;

use super::compare;
use super::judge::Judgement;
use crate::model::attribution::{ActorKind, DeclaredBy, LiveMatch};
use crate::model::canonical;
use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::Cause;
use crate::model::history::CommitInfo;
use crate::model::ids::Revision;
use crate::model::schema::SchemaRef;
use crate::model::time::Timestamp;

/// One version of an object on its revision.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectVersion {
    /// The commit that brought it to the revision.
    pub commit: CommitInfo,
    /// The commit inside a merge that made it, where the merge is not it.
    pub authored: Option<CommitInfo>,
    /// First-parent commits between it and the tracked commit.
    pub commits_behind: u64,
    /// Normalised and redacted; `None` where the file did not declare the object (or could not be read then).
    pub value: Option<Value>,
}

/// An object's versions, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectHistory {
    /// Newest first; the first is the present one.
    pub versions: Vec<ObjectVersion>,
    /// True if it reaches back to where the file began.
    pub whole: bool,
}

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

impl ObjectHistory {
    /// The commit that gave the object its present content: the oldest of the newest versions that are equal.
    pub fn declared_by(&self) -> Option<DeclaredBy> {
        let content = |version: &ObjectVersion| version.value.as_ref().map(canonical::json);
        let present = content(self.versions.first()?)?;
        let unchanged = self.versions.iter().take_while(|v| content(v).as_ref() == Some(&present)).count();
        // All that is at hand is the same: an older version may be where it began.
        if unchanged == self.versions.len() && !self.whole {
            return None;
        }
        let version = self.versions.get(unchanged.checked_sub(1)?)?;
        let commit = version.authored.as_ref().unwrap_or(&version.commit);
        Some(DeclaredBy::of(commit, version.authored.as_ref().map(|_| &version.commit)))
    }

    /// The newest version before the present one for which `matches` holds, with its position.
    fn newest(&self, matches: impl Fn(Option<&Value>) -> bool) -> Option<(usize, &ObjectVersion)> {
        self.versions.iter().enumerate().skip(1).find(|(_, version)| matches(version.value.as_ref()))
    }
}

/// Attributes a difference inside an object that is live.
pub fn difference(
    judgement: &Judgement,
    live: &Value,
    schema: Option<SchemaRef<'_>>,
    history: &ObjectHistory,
    around: &Circumstances<'_>,
) -> Attributed {
    let Judgement { difference, actors, last_writer, undetermined } = judgement;
    let declared_by = history.declared_by();
    if !difference.code.has_cause() {
        return Attributed { declared_by, live_matches: None, cause: None, note: None };
    }
    if *undetermined {
        return Attributed { declared_by, live_matches: None, cause: Some(Cause::Undetermined), note: None };
    }
    let matched = history.newest(|version| matches(judgement, version, schema));
    let unapplied = matched.and_then(|(n, _)| history.versions.get(n.checked_sub(1)?));
    let live_matches = matched.map(|(n, version)| live_match(history, n, version, around.revision));
    let by_gitops = match actors.first().map(|a| a.kind) {
        Some(ActorKind::Gitops) => Some(true),
        Some(ActorKind::Interactive | ActorKind::Controller) => Some(false),
        // The path's own writer says nothing: the object as a whole may equal that commit.
        Some(ActorKind::Unknown) | None => match matched.and_then(|(_, version)| version.value.as_ref()) {
            Some(version) if compare::equal(version, live, schema) => Some(true),
            // It is no commit's object, and a person wrote it last.
            _ => last_writer.as_ref().filter(|a| a.kind == ActorKind::Interactive).map(|_| false),
        },
    };
    let by_person = actors.first().or(last_writer.as_ref()).is_some_and(|a| a.kind == ActorKind::Interactive);
    let (cause, note) = match (&live_matches, by_gitops) {
        (Some(_), Some(true)) => (pending_or_behind(since(unapplied), around), None),
        (Some(_), Some(false)) => (Cause::HandRollback, None),
        (Some(_), None) => {
            (Cause::Undetermined, Some("an earlier commit has the live value, but nothing shows who wrote it"))
        }
        (None, _) if history.whole => (Cause::OutOfBand, None),
        // A person's tool wrote it: whatever the part of the history that is not at hand says, Git's side did not.
        (None, Some(false)) if by_person => {
            (Cause::OutOfBand, Some("the history at hand is not whole; the writer decides"))
        }
        (None, _) => (Cause::Undetermined, Some("the object's history at hand is not whole")),
    };
    Attributed { declared_by, live_matches, cause: Some(cause), note: note.map(str::to_owned) }
}

/// Whether a version of the object has the live value of a difference: the same value in the same place, or nothing there where
/// nothing is live.
pub fn matches(judgement: &Judgement, version: Option<&Value>, schema: Option<SchemaRef<'_>>) -> bool {
    let difference = &judgement.difference;
    let at = || compare::schema_at(schema, &difference.path);
    match (version.map(|version| lookup(version, &difference.path)), &difference.live) {
        (None, _) => false,
        (Some(declared), Some(live)) => declared.is_some_and(|declared| compare::equal(declared, live, at())),
        (Some(declared), None) => declared.is_none_or(Value::is_null),
    }
}

/// Attributes a declared object that is not live.
pub fn missing(history: &ObjectHistory, around: &Circumstances<'_>) -> Attributed {
    let declared_by = history.declared_by();
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

fn live_match(history: &ObjectHistory, n: usize, version: &ObjectVersion, revision: &Revision) -> LiveMatch {
    LiveMatch {
        commit: version.commit.id.clone(),
        revision: revision.clone(),
        commits_behind: Some(version.commits_behind),
        since: n.checked_sub(1).and_then(|after| history.versions.get(after)).map(|after| after.commit.time),
    }
}

/// The value at a path of a declared object.
pub fn lookup<'a>(object: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.steps().iter().try_fold(object, |at, step| match step {
        Step::Field(name) => at.get(name),
        // A key that the declaration leaves to its default is no reason to miss the element.
        Step::Key(keys) => at.as_array()?.iter().find(|element| {
            keys.iter().any(|(name, value)| element.get(name) == Some(value))
                && keys.iter().all(|(name, value)| element.get(name).is_none_or(|v| v == value))
        }),
        Step::Item(value) => at.as_array()?.iter().find(|element| *element == value),
        Step::Index(index) => at.as_array()?.get(*index),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::attribution::Actor;
    use crate::model::finding::Code;
    use crate::model::ids::CommitId;
    use crate::stages::compare::Difference;

    fn version(n: u64, value: Option<Value>) -> ObjectVersion {
        let commit = CommitInfo {
            id: CommitId::new(format!("{n:040}")),
            author: "Ada".into(),
            email: "ada@example.com".into(),
            time: Timestamp::from_unix(1_000_000 - n as i64 * 100),
            subject: format!("commit {n}"),
            parents: 1,
        };
        ObjectVersion { commit, authored: None, commits_behind: n, value }
    }

    fn history(whole: bool) -> ObjectHistory {
        let of = |replicas: i64| Some(json!({"spec": {"replicas": replicas}}));
        ObjectHistory {
            versions: vec![version(0, of(3)), version(2, of(3)), version(5, of(5)), version(9, None)],
            whole,
        }
    }

    fn changed(live: i64, actors: &[Actor]) -> Judgement {
        let difference = Difference {
            code: Code::Changed,
            path: FieldPath::of_fields(["spec", "replicas"]),
            declared: Some(json!(3)),
            live: Some(json!(live)),
            additions_only: false,
            note: None,
        };
        Judgement { difference, actors: actors.to_vec(), last_writer: None, undetermined: false }
    }

    fn actor(kind: ActorKind) -> Vec<Actor> {
        vec![Actor { manager: "m".into(), operation: "Update".into(), subresource: None, time: None, kind, user: None }]
    }

    fn cause(live: i64, actors: &[Actor], whole: bool, seen: Option<(u64, i64)>, live_object: &Value) -> Option<Cause> {
        let revision = Revision::new("main");
        let sightings: Vec<_> = seen.into_iter().map(|(behind, time)| (behind, Timestamp::from_unix(time))).collect();
        let around = Circumstances {
            revision: &revision,
            sightings: &sightings,
            now: Timestamp::from_unix(10_000),
            grace_seconds: 600,
            seen_live: true,
        };
        difference(&changed(live, actors), live_object, None, &history(whole), &around).cause
    }

    #[test]
    fn the_cause_follows_the_table() {
        let whole_match = json!({"spec": {"replicas": 5}});
        let mixed = json!({"spec": {"replicas": 7}});
        let old = Some((2, 1_000));
        for (case, live, actors, whole, seen, object, expected) in [
            (
                "earlier value, GitOps wrote it, long ago",
                5,
                actor(ActorKind::Gitops),
                true,
                old,
                &whole_match,
                Cause::Behind,
            ),
            (
                "earlier value, GitOps wrote it, just pushed",
                5,
                actor(ActorKind::Gitops),
                true,
                None,
                &whole_match,
                Cause::Pending,
            ),
            (
                "earlier value, GitOps wrote it, only the commit before was seen long ago",
                5,
                actor(ActorKind::Gitops),
                true,
                Some((3, 1_000)),
                &whole_match,
                Cause::Pending,
            ),
            (
                "earlier value, a person wrote it",
                5,
                actor(ActorKind::Interactive),
                true,
                old,
                &whole_match,
                Cause::HandRollback,
            ),
            ("earlier value, no writer, the whole object matches", 5, vec![], true, old, &whole_match, Cause::Behind),
            ("earlier value, no writer, the object does not match", 5, vec![], true, old, &mixed, Cause::Undetermined),
            ("never in Git", 8, actor(ActorKind::Interactive), true, old, &mixed, Cause::OutOfBand),
            (
                "not in the history at hand, a person wrote it",
                8,
                actor(ActorKind::Interactive),
                false,
                old,
                &mixed,
                Cause::OutOfBand,
            ),
            ("not in the history at hand", 8, vec![], false, old, &mixed, Cause::Undetermined),
        ] {
            assert_eq!(cause(live, &actors, whole, seen, object), Some(expected), "{case}");
        }
    }

    #[test]
    fn a_field_that_a_person_took_away_is_out_of_band_or_a_rollback() {
        let absent = Judgement {
            difference: Difference { code: Code::Absent, live: None, ..changed(0, &[]).difference },
            actors: Vec::new(),
            last_writer: actor(ActorKind::Interactive).pop(),
            undetermined: false,
        };
        let revision = Revision::new("main");
        let around = Circumstances {
            revision: &revision,
            sightings: &[],
            now: Timestamp::from_unix(0),
            grace_seconds: 0,
            seen_live: true,
        };
        let cause = |history: &ObjectHistory| difference(&absent, &json!({"x": 1}), None, history, &around).cause;
        assert_eq!(cause(&history(true)), Some(Cause::OutOfBand));
        let mut older = history(true);
        older.versions[2].value = Some(json!({"spec": {}}));
        assert_eq!(cause(&older), Some(Cause::HandRollback));
    }

    #[test]
    fn the_declaring_commit_is_the_one_that_last_changed_the_object() {
        let by = history(true).declared_by().unwrap();
        assert_eq!(by.subject, "commit 2");
        let mut same = history(false);
        same.versions.truncate(2);
        assert_eq!(same.declared_by(), None, "it may have begun before the history at hand");
        same.whole = true;
        assert_eq!(same.declared_by().map(|by| by.subject), Some("commit 2".to_owned()));
    }

    #[test]
    fn a_match_says_how_far_behind_and_since_when() {
        let revision = Revision::new("main");
        let around = Circumstances {
            revision: &revision,
            sightings: &[],
            now: Timestamp::from_unix(0),
            grace_seconds: 0,
            seen_live: true,
        };
        let found = difference(&changed(5, &actor(ActorKind::Gitops)), &json!({}), None, &history(true), &around)
            .live_matches
            .unwrap();
        assert_eq!((found.commits_behind, found.since), (Some(5), Some(Timestamp::from_unix(1_000_000 - 200))));
    }

    #[test]
    fn a_missing_object_was_deleted_only_if_it_was_seen() {
        let revision = Revision::new("main");
        let cause = |history: &ObjectHistory, seen_live, tip_behind| {
            let sightings = [(tip_behind, Timestamp::from_unix(0))];
            let around = Circumstances {
                revision: &revision,
                sightings: &sightings,
                now: Timestamp::from_unix(10_000),
                grace_seconds: 600,
                seen_live,
            };
            missing(history, &around).cause
        };
        assert_eq!(cause(&history(true), true, 0), Some(Cause::OutOfBand));
        assert_eq!(cause(&history(true), false, 5), Some(Cause::Behind));
        assert_eq!(cause(&history(true), false, 6), Some(Cause::Pending), "that tip did not declare it yet");
        assert_eq!(cause(&ObjectHistory::default(), false, 0), Some(Cause::Undetermined));
    }
}
