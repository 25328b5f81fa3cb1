//! Which commit is behind the declared value, whether the live value ever stood in Git, and so the cause.
//!
//! By field: its values are compared from version to version of the object, as parsed values, so that re-indenting, reordering, comments
//! and moves from file to file change nothing.

use serde_json::{Map, Value};

use super::compare::{self, Difference};
use super::inside::Inside;
use super::judge::Judgement;
use crate::model::attribution::{ActorKind, DeclaredBy, LiveMatch};
use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::Cause;
use crate::model::history::CommitInfo;
use crate::model::ids::{CommitId, Revision};
use crate::model::schema::SchemaRef;
use crate::model::time::Timestamp;

/// From one commit on until the next version: what a revision declares of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectVersion {
    /// The commit that brought it to the revision; of one that began before the history at hand, the last commit before that.
    pub commit: CommitInfo,
    /// First-parent commits between it and the tracked commit.
    pub commits_behind: u64,
    /// The newest commit that still declares it so, and how far that is behind.
    pub last: (CommitId, u64),
    /// Normalised and redacted; `None` where nothing declares the object.
    pub value: Option<Value>,
    /// False where a content cannot be read that may declare it.
    pub readable: bool,
}

/// An object's versions, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectHistory {
    /// Newest first; the first is the present one.
    pub versions: Vec<ObjectVersion>,
    /// True if it reaches back to where the object, or the revision, began.
    pub whole: bool,
    /// The version that gave the object as a whole its present content, or took it away; see [`Self::settle`].
    pub object_since: Option<usize>,
    /// Of an object that is declared no more: the version that gave it its last content. `None` where that was before the history at hand.
    pub object_last: Option<usize>,
    /// Where merges brought versions: who changed a field (`None`: the object) in what they merged.
    pub authors: Vec<(usize, Option<FieldPath>, CommitInfo)>,
    /// What stood only inside of what merges brought, where that was asked for.
    pub inside: Inside,
}

/// What a version has at a place.
#[derive(Clone, Copy)]
enum State<'a> {
    NoObject,
    Absent,
    Value(&'a Value),
    Unknown,
}

impl ObjectVersion {
    /// A field, or for `None` the object itself.
    fn state(&self, path: Option<&FieldPath>) -> State<'_> {
        match (&self.value, path) {
            _ if !self.readable => State::Unknown,
            (None, _) => State::NoObject,
            (Some(value), None) => State::Value(value),
            (Some(value), Some(path)) => match lookup(value, path) {
                None | Some(Value::Null) => State::Absent,
                Some(value) => State::Value(value),
            },
        }
    }

    /// Whether both declare a field (for `None`: the object) alike.
    pub fn is_like(&self, other: &Self, path: Option<&FieldPath>, schema: Option<SchemaRef<'_>>) -> bool {
        match (self.state(path), other.state(path)) {
            (State::NoObject, State::NoObject) | (State::Absent, State::Absent) => true,
            (State::Value(one), State::Value(other)) => {
                one == other || {
                    let schema = path.map_or(schema, |path| compare::schema_at(schema, path));
                    compare::same(one, other, schema)
                }
            }
            _ => false,
        }
    }
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

impl ObjectHistory {
    /// The version that gave a field (for `None`: the object) its present state: the oldest of the newest that declare it alike. For a
    /// field that is not declared: the one that gave it up. `None` where it always was so, or began before the history at hand.
    pub fn introduced(&self, path: Option<&FieldPath>, schema: Option<SchemaRef<'_>>) -> Option<usize> {
        let present = self.versions.first()?;
        let alike = self.versions.iter().take_while(|version| version.is_like(present, path, schema)).count();
        let before = self.versions.get(alike).map(|version| version.state(path));
        let known = match (present.state(path), before) {
            (State::Unknown, _) | (_, Some(State::Unknown)) => false,
            // All that is at hand is alike: an older version may be where it began.
            (State::Value(_), None) => self.whole,
            (State::Value(_), Some(_)) => true,
            (State::Absent | State::NoObject, before) => matches!(before, Some(State::Value(_))),
        };
        alike.checked_sub(1).filter(|_| known)
    }

    /// The commit behind a field's (for `None`: the object's) present state. See [`Self::introduced`].
    pub fn declared_by(&self, path: Option<&FieldPath>, schema: Option<SchemaRef<'_>>) -> Option<DeclaredBy> {
        self.by(self.introduced(path, schema)?, path)
    }

    /// The commit behind a version: of a field that a merge brought, who changed it in what was merged.
    pub fn by(&self, version: usize, path: Option<&FieldPath>) -> Option<DeclaredBy> {
        let reached = &self.versions.get(version)?.commit;
        let inside = self.authors.iter().find(|(n, of, _)| *n == version && of.as_ref() == path).map(|(_, _, by)| by);
        Some(DeclaredBy::of(inside.unwrap_or(reached), inside.map(|_| reached)))
    }

    /// Finds out about the object as a whole, once all versions that are needed are there.
    pub fn settle(&mut self, schema: Option<SchemaRef<'_>>) {
        self.object_since = self.introduced(None, schema);
        self.object_last = self.last_declared(schema);
    }

    /// The commit behind the object's present content.
    pub fn object_by(&self) -> Option<DeclaredBy> {
        self.by(self.object_since?, None)
    }

    fn last_declared(&self, schema: Option<SchemaRef<'_>>) -> Option<usize> {
        let gone = self.versions.iter().take_while(|version| version.value.is_none()).count();
        let last = self.versions.get(gone)?;
        let alike = self.versions.iter().skip(gone).take_while(|version| version.is_like(last, None, schema)).count();
        let began = self.whole || self.versions.get(gone + alike).is_some_and(|before| before.readable);
        (gone + alike).checked_sub(1).filter(|_| began)
    }

    /// Whether a version before the present one has the live value of a difference.
    pub fn ever_had(&self, judgement: &Judgement, live: &Value, schema: Option<SchemaRef<'_>>) -> bool {
        self.newest(|version| matches(judgement, version.value.as_ref(), live, schema)).is_some()
    }

    /// Whether operators say that they last applied a commit that declares a field as a version does. The present version is no evidence:
    /// live has something else.
    fn was_applied(
        &self,
        version: &ObjectVersion,
        path: &FieldPath,
        schema: Option<SchemaRef<'_>>,
        around: &Circumstances<'_>,
    ) -> bool {
        let alike = |other: &&ObjectVersion| other.is_like(version, Some(path), schema);
        let mut earlier = self.versions.iter().skip(1).filter(alike);
        earlier.any(|of| around.applied.iter().any(|behind| (of.last.1..=of.commits_behind).contains(behind)))
    }

    /// The newest version before the present one for which `matches` holds, with its position.
    fn newest(&self, matches: impl Fn(&ObjectVersion) -> bool) -> Option<(usize, &ObjectVersion)> {
        self.versions.iter().enumerate().skip(1).find(|(_, version)| version.readable && matches(version))
    }
}

/// What another tracked revision of the repository declares of an object now.
#[derive(Clone, Debug, PartialEq)]
pub struct Elsewhere {
    /// The revision.
    pub revision: Revision,
    /// What it resolved to.
    pub commit: CommitId,
    /// Normalised and redacted.
    pub value: Value,
}

/// Attributes a difference inside an object that is live.
pub fn difference(
    judgement: &Judgement,
    live: &Value,
    schema: Option<SchemaRef<'_>>,
    history: &ObjectHistory,
    elsewhere: &[Elsewhere],
    around: &Circumstances<'_>,
) -> Attributed {
    let Judgement { difference, actors, last_writer, undetermined } = judgement;
    let declared_by = history.declared_by(Some(&difference.path), schema);
    if !difference.code.has_cause() {
        return Attributed { declared_by, live_matches: None, cause: None, note: None };
    }
    if *undetermined {
        return Attributed { declared_by, live_matches: None, cause: Some(Cause::Undetermined), note: None };
    }
    let matched = history.newest(|version| matches(judgement, version.value.as_ref(), live, schema));
    let unapplied = matched.and_then(|(n, _)| history.versions.get(n.checked_sub(1)?));
    let has_it = |version: &ObjectVersion| matches(judgement, version.value.as_ref(), live, schema);
    let inside = if matched.is_none() { history.inside.newest(has_it) } else { None };
    let earlier = matched.map(|(_, version)| version).or(inside.map(|inside| &inside.version));
    let ahead = || elsewhere.iter().find(|there| matches(judgement, Some(&there.value), live, schema));
    let live_matches = match matched {
        Some((n, version)) => Some(live_match(history, n, version, judgement, schema, around.revision)),
        None if inside.is_some() => {
            inside.map(|it| history.inside.live_match(it, &difference.path, schema, around.revision))
        }
        None => ahead().map(|there| LiveMatch::of(there.commit.clone(), &there.revision)),
    };
    let by_gitops = match actors.first().map(|a| a.kind) {
        Some(ActorKind::Gitops) => Some(true),
        Some(ActorKind::Interactive | ActorKind::Controller) => Some(false),
        // The path's own writer says nothing: the object as a whole may equal that commit, or the operator names one that has the value.
        Some(ActorKind::Unknown) | None => match earlier.and_then(|version| version.value.as_ref()) {
            Some(version) if compare::equal(version, live, schema) => Some(true),
            Some(_) if matched.is_some_and(|(_, of)| history.was_applied(of, &difference.path, schema, around)) => {
                Some(true)
            }
            // It is no commit's object, and a person wrote it last.
            _ => last_writer.as_ref().filter(|a| a.kind == ActorKind::Interactive).map(|_| false),
        },
    };
    let by_person = actors.first().or(last_writer.as_ref()).is_some_and(|a| a.kind == ActorKind::Interactive);
    // What stood only inside a merge is superseded by that merge.
    let since = inside.map_or_else(|| since(unapplied), |inside| inside.version.commits_behind);
    let (cause, note) = match (&earlier, by_gitops) {
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
    let words = inside.map(|inside| format!("the live value stood {}", inside.words()));
    let note = [words, note.map(str::to_owned)].into_iter().flatten().collect::<Vec<_>>().join("; ");
    Attributed { declared_by, live_matches, cause: Some(cause), note: Some(note).filter(|note| !note.is_empty()) }
}

/// Whether a version of the object has the live value of a difference: the same value in the same place, nothing there where nothing is
/// live, or nothing there where the server's default is live.
pub fn matches(judgement: &Judgement, version: Option<&Value>, live: &Value, schema: Option<SchemaRef<'_>>) -> bool {
    let Difference { path, declared: today, live: value, .. } = &judgement.difference;
    let Some(version) = version else { return false };
    match (lookup(version, path), value) {
        (None | Some(Value::Null), None) => true,
        // Left to the server, which may have had anything there.
        (Some(Value::Null), Some(_)) => false,
        (Some(declared), Some(value)) => compare::equal(declared, value, compare::schema_at(schema, path)),
        (Some(_), None) => false,
        // Of a field that is not declared now, absence is the present state and not an earlier one.
        (None, Some(_)) => today.is_some() && compare::explains(version, live, path, schema),
    }
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

fn live_match(
    history: &ObjectHistory,
    n: usize,
    version: &ObjectVersion,
    judgement: &Judgement,
    schema: Option<SchemaRef<'_>>,
    revision: &Revision,
) -> LiveMatch {
    let path = Some(&judgement.difference.path);
    let older = history.versions.get(n..).unwrap_or_default();
    let alike = older.iter().take_while(|older| older.is_like(version, path, schema)).count();
    let began = alike < older.len() || history.whole;
    let given_by = alike.checked_sub(1).filter(|_| began).and_then(|last| older.get(last));
    LiveMatch {
        commits_behind: Some(version.last.1),
        since: n.checked_sub(1).and_then(|after| history.versions.get(after)).map(|after| after.commit.time),
        given_by: given_by.map(|version| version.commit.id.clone()),
        ..LiveMatch::of(version.last.0.clone(), revision)
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

/// An object with nothing in it but what stands at some paths, where [`lookup`] finds it as before.
pub fn only<'p>(object: &Value, paths: impl Iterator<Item = &'p FieldPath>) -> Value {
    let mut kept = Value::Object(Map::new());
    for path in paths {
        keep(&mut kept, object, path.steps());
    }
    kept
}

fn keep(kept: &mut Value, from: &Value, steps: &[Step]) {
    let Some((step, rest)) = steps.split_first() else {
        kept.clone_from(from);
        return;
    };
    match (step, from) {
        (Step::Field(name), Value::Object(from)) => {
            if let (Some(below), Value::Object(kept)) = (from.get(name), &mut *kept) {
                keep(kept.entry(name.clone()).or_insert_with(|| empty_like(below)), below, rest);
            }
        }
        // Elements are found by what is in them, and by where they stand: lists are kept whole.
        _ => kept.clone_from(from),
    }
}

fn empty_like(value: &Value) -> Value {
    if value.is_object() { Value::Object(Map::new()) } else { Value::Null }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::attribution::Actor;
    use crate::model::finding::Code;
    use crate::model::ids::CommitId;
    use crate::model::resource::Gvk;
    use crate::model::schema::builtin_schemas;

    fn version(n: u64, value: Option<Value>) -> ObjectVersion {
        let commit = CommitInfo {
            id: CommitId::new(format!("{n:040}")),
            author: "Ada".into(),
            email: "ada@example.com".into(),
            time: Timestamp::from_unix(1_000_000 - n as i64 * 100),
            subject: format!("commit {n}"),
            parents: 1,
        };
        let last = n.saturating_sub(1);
        let last = (CommitId::new(format!("{last:040}")), last);
        ObjectVersion { commit, commits_behind: n, last, value, readable: true }
    }

    fn history(whole: bool) -> ObjectHistory {
        let of = |replicas: i64| Some(json!({"spec": {"replicas": replicas}}));
        ObjectHistory {
            versions: vec![version(1, of(3)), version(2, of(3)), version(5, of(5)), version(9, None)],
            whole,
            ..ObjectHistory::default()
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
            applied: &[],
        };
        difference(&changed(live, actors), live_object, None, &history(whole), &[], &around).cause
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
    fn the_operator_naming_a_commit_with_the_live_value_is_evidence_where_the_writer_says_nothing() {
        let revision = Revision::new("main");
        let cause = |actors: &[Actor], applied: &[u64], old: bool| {
            let sightings = if old { vec![(2, Timestamp::from_unix(1_000))] } else { Vec::new() };
            let around = Circumstances {
                revision: &revision,
                sightings: &sightings,
                now: Timestamp::from_unix(10_000),
                grace_seconds: 600,
                seen_live: true,
                applied,
            };
            let mixed = json!({"spec": {"replicas": 7}});
            difference(&changed(5, actors), &mixed, None, &history(true), &[], &around).cause
        };
        // The live value stood from five to four commits ago.
        for (case, actors, applied, old, expected) in [
            ("nothing is said", vec![], vec![], true, Cause::Undetermined),
            ("where it was given", vec![], vec![5], true, Cause::Behind),
            ("the last that had it", actor(ActorKind::Unknown), vec![4], true, Cause::Behind),
            ("just pushed", vec![], vec![4], false, Cause::Pending),
            ("a later commit", vec![], vec![2], true, Cause::Undetermined),
            ("the tracked commit", vec![], vec![0], true, Cause::Undetermined),
            ("before the object", vec![], vec![9], true, Cause::Undetermined),
            ("one of two operators", vec![], vec![0, 5], true, Cause::Behind),
            ("a person wrote the field", actor(ActorKind::Interactive), vec![5], true, Cause::HandRollback),
        ] {
            assert_eq!(cause(&actors, &applied, old), Some(expected), "{case}");
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
            applied: &[],
        };
        let cause = |history: &ObjectHistory| difference(&absent, &json!({"x": 1}), None, history, &[], &around).cause;
        assert_eq!(cause(&history(true)), Some(Cause::OutOfBand));
        let mut older = history(true);
        older.versions[2].value = Some(json!({"spec": {}}));
        assert_eq!(cause(&older), Some(Cause::HandRollback));
    }

    #[test]
    fn the_declaring_commit_is_the_one_that_gave_the_field_its_value() {
        let path = |text: &str| FieldPath::parse(text).unwrap();
        let env = |value: &str| json!([{"name": "A", "value": "1"}, {"name": "B", "value": value}]);
        let of = |replicas: i64, cpu: &str, value: &str| {
            let containers = json!([{"name": "api", "env": env(value), "resources": {"limits": {"cpu": cpu}}}]);
            Some(json!({"spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}}))
        };
        let mut history = ObjectHistory {
            versions: vec![
                version(1, of(3, "1000m", "b")),
                version(2, of(3, "1", "b")),
                version(4, of(5, "1", "b")),
                version(6, of(5, "1", "a")),
                version(9, Some(json!({"spec": {"paused": true, "replicas": 5}}))),
            ],
            whole: true,
            ..ObjectHistory::default()
        };
        let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
        let by = |history: &ObjectHistory, text: &str| {
            history.declared_by(Some(&path(text)), schema).map(|by| by.subject).unwrap_or_default()
        };
        let cpu = r#".spec.template.spec.containers[name="api"].resources.limits.cpu"#;
        let b = r#".spec.template.spec.containers[name="api"].env[name="B"].value"#;
        assert_eq!(by(&history, ".spec.replicas"), "commit 2");
        assert_eq!(by(&history, cpu), "commit 6", "another writing is no change");
        assert_eq!(by(&history, b), "commit 4");
        assert_eq!(by(&history, ".spec.paused"), "commit 6", "the commit that gave it up");
        assert_eq!(by(&history, ".spec.minReadySeconds"), "", "never declared");
        assert_eq!(history.declared_by(None, schema).unwrap().subject, "commit 2", "the object as a whole");

        history.versions.insert(0, version(0, of(3, "1", "b")));
        let who = CommitInfo { subject: "inside".into(), ..history.versions[2].commit.clone() };
        history.authors.push((2, Some(path(".spec.replicas")), who));
        let replicas = history.declared_by(Some(&path(".spec.replicas")), schema).unwrap();
        assert_eq!((replicas.subject.as_str(), replicas.reached_by.is_some()), ("inside", true));
        assert_eq!(by(&history, cpu), "commit 6");

        history.versions.truncate(3);
        assert_eq!(by(&history, cpu), "commit 2", "where the revision begins");
        history.whole = false;
        assert_eq!(by(&history, cpu), "", "it may have begun before the history at hand");
        history.versions.push(ObjectVersion { readable: false, value: None, ..version(9, None) });
        assert_eq!(by(&history, cpu), "", "what cannot be read may have had it");
    }

    #[test]
    fn an_older_version_without_the_field_had_the_servers_default() {
        let judgement = changed(1, &actor(ActorKind::Gitops));
        let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
        let selector = json!({"matchLabels": {"a": "b"}});
        let older = json!({"spec": {"selector": selector}});
        let live = |replicas: i64| json!({"spec": {"selector": selector, "replicas": replicas}});
        assert!(matches(&judgement, Some(&older), &live(1), schema));
        assert!(!matches(&changed(2, &[]), Some(&older), &live(2), schema), "no default");
        assert!(!matches(&judgement, None, &live(1), schema), "there was no object");
        let null = json!({"spec": {"selector": selector, "replicas": null}});
        assert!(!matches(&changed(7, &[]), Some(&null), &live(7), schema), "a null says nothing");
    }

    #[test]
    fn what_is_kept_of_an_object_is_found_as_before() {
        let object = json!({
            "data": {"a": "1", "b": "2"},
            "spec": {"replicas": 3, "containers": [{"name": "x", "env": [{"name": "A", "value": "1"}]}, {"name": "y"}]},
        });
        let paths: Vec<FieldPath> =
            [".data.a", ".spec.containers[name=\"x\"].env[name=\"A\"].value", ".spec", ".data.c", ".none.x"]
                .iter()
                .map(|path| FieldPath::parse(path).unwrap())
                .collect();
        let kept = only(&object, paths.iter());
        for path in &paths {
            assert_eq!(lookup(&kept, path), lookup(&object, path), "{path}");
        }
        assert_eq!(kept["data"], json!({"a": "1"}));
        let both = only(&object, paths[..2].iter());
        assert_eq!(both["spec"].get("replicas"), None);
        assert_eq!(lookup(&both, &paths[1]), Some(&json!("1")));
    }

    #[test]
    fn what_only_another_revision_has_is_ahead() {
        let revision = Revision::new("main");
        let around = Circumstances {
            revision: &revision,
            sightings: &[],
            now: Timestamp::from_unix(0),
            grace_seconds: 0,
            seen_live: true,
            applied: &[],
        };
        let next = Elsewhere {
            revision: Revision::new("next"),
            commit: CommitId::new("n"),
            value: json!({"spec": {"replicas": 8}}),
        };
        let of = |live: i64| {
            let judgement = changed(live, &actor(ActorKind::Gitops));
            difference(&judgement, &json!({}), None, &history(true), std::slice::from_ref(&next), &around)
        };
        let ahead = of(8);
        assert_eq!(ahead.cause, Some(Cause::Ahead));
        assert_eq!(ahead.live_matches.unwrap().revision, next.revision);
        assert_eq!(of(9).cause, Some(Cause::OutOfBand));
        assert_eq!(of(5).cause, Some(Cause::Behind), "behind goes before ahead");
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
            applied: &[],
        };
        let found = difference(&changed(5, &actor(ActorKind::Gitops)), &json!({}), None, &history(true), &[], &around)
            .live_matches
            .unwrap();
        assert_eq!((found.commits_behind, found.since), (Some(4), Some(Timestamp::from_unix(1_000_000 - 200))));
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
                applied: &[],
            };
            missing(history, &around).cause
        };
        assert_eq!(cause(&history(true), true, 0), Some(Cause::OutOfBand));
        assert_eq!(cause(&history(true), false, 5), Some(Cause::Behind));
        assert_eq!(cause(&history(true), false, 6), Some(Cause::Pending), "that tip did not declare it yet");
        assert_eq!(cause(&ObjectHistory::default(), false, 0), Some(Cause::Undetermined));
    }
}
