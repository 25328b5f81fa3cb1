use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::model::attribution::Actor;
use crate::model::field_path::FieldPath;
use crate::model::finding::Code;
use crate::model::history::CommitInfo;
use crate::model::ids::CommitId;
use crate::model::resource::Gvk;
use crate::model::schema::{SchemaRef, builtin_schemas};
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
    let last = n.saturating_sub(1);
    let last = (CommitId::new(format!("{last:040}")), last);
    ObjectVersion { commit: Arc::new(commit), commits_behind: n, last, value: value.map(Arc::new), readable: true }
}

fn attributed(
    judgement: &Judgement,
    live: &Value,
    schema: Option<SchemaRef<'_>>,
    history: &ObjectHistory,
    elsewhere: &[Elsewhere],
    around: &Circumstances<'_>,
) -> Attributed {
    let has_it = |version: &ObjectVersion| matches(judgement, version.value.as_deref(), live, schema);
    let matched = history.versions.iter().skip(1).position(has_it).map(|n| n + 1);
    let history = ObjectHistory { matched: vec![matched], ..history.clone() };
    difference(judgement, 0, &Past::new(&history, live, schema), elsewhere, around)
}

fn matches(judgement: &Judgement, version: Option<&Value>, live: &Value, schema: Option<SchemaRef<'_>>) -> bool {
    Beside::new(version, live, schema).has(judgement)
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

fn around(revision: &Revision) -> Circumstances<'_> {
    let now = Timestamp::from_unix(0);
    Circumstances { revision, sightings: &[], now, grace_seconds: 0, seen_live: true, applied: &[] }
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
    attributed(&changed(live, actors), live_object, None, &history(whole), &[], &around).cause
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
        attributed(&changed(5, actors), &mixed, None, &history(true), &[], &around).cause
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
    let around = around(&revision);
    let cause = |history: &ObjectHistory| attributed(&absent, &json!({"x": 1}), None, history, &[], &around).cause;
    assert_eq!(cause(&history(true)), Some(Cause::OutOfBand));
    let mut older = history(true);
    older.versions[2].value = Some(Arc::new(json!({"spec": {}})));
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
    let who = CommitInfo { subject: "inside".into(), ..CommitInfo::clone(&history.versions[2].commit) };
    history.authors.push((2, Some(path(".spec.replicas")), Arc::new(who)));
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
fn what_another_environment_has_is_ahead_unless_a_person_set_it() {
    let revision = Revision::new("main");
    let around = around(&revision);
    let there = |value: Value| Elsewhere {
        environment: Some(TargetName::new("stage")),
        revision: revision.clone(),
        commit: CommitId::new("c"),
        value,
    };
    let of = |kind: ActorKind, there: &Elsewhere| {
        let live = json!({"spec": {"replicas": 8}});
        attributed(&changed(8, &actor(kind)), &live, None, &history(true), std::slice::from_ref(there), &around)
    };
    let eight = there(json!({"spec": {"replicas": 8}}));
    let told = of(ActorKind::Gitops, &eight);
    let note = "the live value is what target stage declares";
    assert_eq!((told.cause, told.note.as_deref()), (Some(Cause::Ahead), Some(note)));
    assert_eq!(told.live_matches.unwrap().commit, eight.commit);
    let told = of(ActorKind::Interactive, &eight);
    assert_eq!((told.cause, told.note.as_deref()), (Some(Cause::OutOfBand), Some(note)));
    assert!(told.live_matches.is_some());
    assert_eq!(of(ActorKind::Gitops, &there(json!({"spec": {"replicas": 9}}))).cause, Some(Cause::OutOfBand));
    // That it is not there either says nothing.
    let mut gone = changed(8, &actor(ActorKind::Gitops));
    gone.difference.live = None;
    let told = attributed(&gone, &json!({"spec": {}}), None, &history(true), &[there(json!({"spec": {}}))], &around);
    assert_eq!(told.cause, Some(Cause::OutOfBand));
}

#[test]
fn what_only_another_revision_has_is_ahead() {
    let revision = Revision::new("main");
    let around = around(&revision);
    let next = Elsewhere {
        environment: None,
        revision: Revision::new("next"),
        commit: CommitId::new("n"),
        value: json!({"spec": {"replicas": 8}}),
    };
    let of = |live: i64| {
        let judgement = changed(live, &actor(ActorKind::Gitops));
        attributed(&judgement, &json!({}), None, &history(true), std::slice::from_ref(&next), &around)
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
    let around = around(&revision);
    let found = attributed(&changed(5, &actor(ActorKind::Gitops)), &json!({}), None, &history(true), &[], &around)
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
