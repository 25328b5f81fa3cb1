//! Writes to one Deployment, with and without content, against a field of it.

use serde_json::{Value, json};

use super::log::MOST_LISTED;
use super::*;
use crate::config::actors::ActorTable;
use crate::model::attribution::{Actor, ActorKind};
use crate::model::audit_event::{Body, ManagerHint, Request, Verb, Write};
use crate::model::audited::AuditedWrite;
use crate::model::field_path::FieldPath;
use crate::model::finding::{Code, Finding};
use crate::model::resource::ObjectId;
use crate::model::time::Timestamp;

const T: i64 = 1_772_460_000;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix(T + minute * 60)
}

/// A write without content.
fn write(minute: i64, verb: Verb, user: &str, manager: &str) -> Write {
    let object = ObjectId {
        group: "apps".into(),
        kind: "Deployment".into(),
        namespace: Some("shop".into()),
        name: "api".into(),
    };
    Write {
        time: at(minute),
        verb,
        user: user.into(),
        impersonated: None,
        groups: vec![],
        user_agent: None,
        source_ips: vec![],
        code: 200,
        object,
        subresource: None,
        manager: ManagerHint::Is(manager.into()),
        body: None,
    }
}

/// A patch of the replicas, and the replicas after it.
fn patch(minute: i64, user: &str, manager: &str, replicas: i64, after: Option<i64>) -> Write {
    let tree = |replicas: i64| json!({"spec": {"replicas": replicas}});
    let body = Body { request: Some(Request::Part(tree(replicas))), response: after.map(tree) };
    Write { body: Some(body), ..write(minute, Verb::Patch, user, manager) }
}

fn with_body(write: Write, request: Option<Request>, response: Option<Value>) -> Write {
    Write { body: Some(Body { request, response }), ..write }
}

fn actor(manager: &str, minute: i64, kind: ActorKind) -> Actor {
    let time = Some(at(minute));
    Actor { manager: manager.into(), operation: "Update".into(), subresource: None, time, kind, user: None }
}

fn evidence(writes: &[Write], live: Option<&Value>, actors: &[Actor], earlier: Option<&Finding>) -> FieldEvidence {
    let log = ObjectLog { writes, in_sync: Some(at(0)), read_from: None, span: Some((at(-60), at(60))) };
    let path = FieldPath::of_fields(["spec", "replicas"]);
    let sought = Sought { path: &path, live, schema: None, builtin: true, actors, last_writer: None };
    of_field(&log, &sought, &ActorTable::default(), earlier)
}

/// `user matched` of each write.
fn told(evidence: &FieldEvidence) -> Vec<String> {
    let word = |write: &AuditedWrite| format!("{} {:?}", write.user, write.matched).to_lowercase();
    evidence.writes.iter().map(word).collect()
}

#[test]
fn a_write_is_matched_by_its_content_and_is_a_candidate_without() {
    let whole = |minute, user: &str, replicas: i64| {
        let tree = json!({"spec": {"replicas": replicas}});
        with_body(write(minute, Verb::Update, user, "tool"), Some(Request::Whole(tree.clone())), Some(tree))
    };
    let other = |minute, user: &str| {
        let body = json!({"spec": {"paused": true}});
        with_body(write(minute, Verb::Patch, user, "tool"), Some(Request::Part(body)), None)
    };
    for (case, writes, expected) in [
        ("its patch sets the field", vec![patch(1, "alice", "kubectl-edit", 5, None)], vec!["alice field"]),
        ("a patch of another field", vec![other(1, "bob"), patch(2, "alice", "a", 5, None)], vec!["alice field"]),
        ("only another field", vec![other(1, "bob")], vec![]),
        ("no content", vec![write(1, Verb::Patch, "alice", "a")], vec!["alice candidate"]),
        (
            "several without content, newest first",
            vec![write(1, Verb::Patch, "alice", "a"), write(2, Verb::Update, "bob", "b")],
            vec!["bob candidate", "alice candidate"],
        ),
        (
            "set once more to the same: the first one",
            vec![patch(1, "alice", "a", 5, None), patch(2, "bob", "b", 5, None)],
            vec!["alice field"],
        ),
        (
            "set to another value in between: the last one",
            vec![patch(1, "alice", "a", 5, None), patch(2, "carol", "c", 3, None), patch(3, "bob", "b", 5, None)],
            vec!["bob field"],
        ),
        (
            "what the answers tell: a whole object that changed it",
            vec![whole(1, "argo", 3), whole(2, "alice", 5), whole(3, "bob", 5)],
            vec!["alice field"],
        ),
        ("a whole object, with nothing before it", vec![whole(1, "alice", 5)], vec!["alice candidate"]),
        ("a whole object with another value", vec![whole(1, "alice", 4)], vec![]),
        ("it set the field to something else", vec![patch(1, "alice", "a", 7, None)], vec!["alice candidate"]),
        (
            "what was before a write that set it to something else is not behind it",
            vec![
                write(1, Verb::Patch, "bob", "b"),
                patch(2, "alice", "a", 7, None),
                write(3, Verb::Patch, "carol", "c"),
            ],
            vec!["carol candidate"],
        ),
        (
            "made so",
            vec![with_body(
                write(1, Verb::Create, "alice", "a"),
                Some(Request::Whole(json!({"spec": {"replicas": 5}}))),
                None,
            )],
            vec!["alice field"],
        ),
        (
            "changed beside what was sent: by admission, or by a write that the log lacks",
            vec![
                patch(1, "argo", "a", 3, Some(3)),
                with_body(
                    other(2, "bob"),
                    Some(Request::Part(json!({"spec": {"paused": true}}))),
                    Some(json!({"spec": {"replicas": 5}})),
                ),
            ],
            vec!["bob candidate"],
        ),
        ("a deletion sets nothing", vec![write(1, Verb::Delete, "alice", "a")], vec![]),
    ] {
        let found = evidence(&writes, Some(&json!(5)), &[], None);
        assert_eq!(told(&found), expected, "{case}: {:?}", found.writes);
        assert_eq!(found.note.is_some(), expected.is_empty(), "{case}");
    }
}

#[test]
fn a_scaling_is_behind_no_other_field() {
    let scaling = [Write { subresource: Some("scale".into()), ..write(1, Verb::Patch, "alice", "kubectl") }];
    let log = ObjectLog { writes: &scaling, in_sync: Some(at(0)), read_from: None, span: Some((at(-60), at(60))) };
    for (path, expected) in [(".spec.replicas", 1), (".spec.paused", 0)] {
        let path = FieldPath::parse(path).unwrap();
        let sought = Sought { path: &path, live: None, schema: None, builtin: true, actors: &[], last_writer: None };
        assert_eq!(of_field(&log, &sought, &ActorTable::default(), None).writes.len(), expected, "{path}");
    }
}

#[test]
fn reasons_say_what_is_known() {
    let one = evidence(&[write(1, Verb::Patch, "alice", "a")], Some(&json!(5)), &[], None);
    assert_eq!(
        one.writes[0].why,
        "the only write to the object since it was last seen in sync, 2026-03-02 14:00:00 UTC; the log holds no content of it"
    );
    let writer = [actor("a", 1, ActorKind::Unknown)];
    let near = evidence(&[write(1, Verb::Patch, "alice", "a")], Some(&json!(5)), &writer, None);
    assert_eq!(
        near.writes[0].why,
        "its field manager and time are those of the field's writer; the log holds no content of it"
    );
    let many: Vec<Write> = (1..9).map(|minute| write(minute, Verb::Patch, "alice", "a")).collect();
    let many = evidence(&many, Some(&json!(5)), &[], None);
    assert_eq!(many.writes.len(), MOST_LISTED);
    assert!(many.writes[4].why.ends_with("; 3 older ones are like it"), "{}", many.writes[4].why);
    let log = ObjectLog { writes: &[], in_sync: Some(at(0)), read_from: None, span: Some((at(2), at(3))) };
    assert_eq!(ObjectLog { read_from: Some(at(2)), ..log }.since(), "since 2026-03-02 14:02:00 UTC");
    assert!(log.since().contains("where the log at hand begins (the object was last seen in sync before"));
}

#[test]
fn users_go_to_the_writer_whose_name_and_time_they_have() {
    let actors = [actor("kubectl-edit", 5, ActorKind::Interactive), actor("tool", 2, ActorKind::Unknown)];
    for (case, writes, expected) in [
        ("by content", vec![patch(5, "alice", "kubectl-edit", 5, None)], [Some("alice"), None]),
        (
            "by name and time",
            vec![write(2, Verb::Patch, "bob", "tool"), write(5, Verb::Patch, "alice", "kubectl-edit")],
            [Some("alice"), Some("bob")],
        ),
        ("the name at another time", vec![write(3, Verb::Patch, "alice", "kubectl-edit")], [None, None]),
        ("another name at the time", vec![write(5, Verb::Patch, "alice", "curl")], [None, None]),
        (
            "two users with name and time",
            vec![write(5, Verb::Patch, "alice", "kubectl-edit"), write(5, Verb::Patch, "bob", "kubectl-edit")],
            [None, None],
        ),
    ] {
        let users = evidence(&writes, Some(&json!(5)), &actors, None).users;
        assert_eq!(users.iter().map(Option::as_deref).collect::<Vec<_>>(), expected, "{case}");
    }
    let timeless = [Actor { time: None, ..actor("kubectl", 0, ActorKind::Interactive) }];
    let users = |users: &[&str]| {
        let writes: Vec<Write> = users.iter().map(|user| write(2, Verb::Patch, user, "kubectl")).collect();
        evidence(&writes, Some(&json!(5)), &timeless, None).users[0].clone()
    };
    assert_eq!(users(&["alice", "alice"]).as_deref(), Some("alice"), "an entry without a time");
    assert_eq!(users(&["alice", "bob"]), None);
    let found = evidence(
        &[write(2, Verb::Patch, "argo", "other"), write(5, Verb::Patch, "alice", "kubectl-edit")],
        Some(&json!(5)),
        &actors,
        None,
    );
    assert_eq!(told(&found), ["alice candidate"], "what fits no writer is not listed beside one that does");
}

#[test]
fn a_name_that_the_user_contradicts_is_said_and_believed_no_more() {
    let mut actors = [actor("argocd-controller", 5, ActorKind::Gitops)];
    for (case, user, write, expected) in [
        ("by content", "alice@example.com", patch(5, "alice@example.com", "argocd-controller", 5, None), true),
        ("by name and time", "alice", write(5, Verb::Patch, "alice", "argocd-controller"), true),
        (
            "the tool itself",
            "system:serviceaccount:argocd:argocd-application-controller",
            patch(5, "system:serviceaccount:argocd:argocd-application-controller", "argocd-controller", 5, None),
            false,
        ),
        ("nobody knows", "-", write(1, Verb::Patch, "alice", "argocd-controller"), false),
    ] {
        let found = evidence(&[write], Some(&json!(5)), &actors, None);
        assert_eq!(found.contradicted(), expected, "{case}");
        assert_eq!(found.note.as_deref().is_some_and(|note| note.contains(user)), expected, "{case}: {:?}", found.note);
        let mut given = actors.clone();
        found.apply(&mut given);
        let kind = if expected { ActorKind::Interactive } else { ActorKind::Gitops };
        assert_eq!(given[0].kind, kind, "{case}");
    }
    let found = evidence(&[patch(5, "alice", "argocd-controller", 5, None)], Some(&json!(5)), &actors, None);
    found.apply(&mut actors);
    assert_eq!(actors[0].user.as_deref(), Some("alice"));
}

#[test]
fn what_an_earlier_scan_knew_stays_when_the_log_was_rotated_away() {
    let live = json!(5);
    let actors = [actor("kubectl-edit", -90, ActorKind::Interactive)];
    let old = evidence(&[patch(-90, "alice", "kubectl-edit", 5, None)], Some(&live), &actors, None);
    let mut earlier: Finding = serde_json::from_value(json!({
        "id": "F-1", "code": "DL001", "class": "changed", "cause": null, "severity": "high", "fingerprint": "", "cluster": "c",
        "apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "api", "path": ".spec.replicas", "declared": 3,
        "live": 5, "origin": null, "declaredBy": null, "liveMatches": null, "actors": [], "firstSeen": null, "lastSeen": null,
        "scans": null, "waiver": null, "method": "", "note": null
    }))
    .unwrap();
    earlier.actors = actors.to_vec();
    old.apply(&mut earlier.actors);
    earlier.writes = Some(old.writes);
    let told_after = |writes: &[Write], live: &Value| {
        let found = evidence(writes, Some(live), &actors, Some(&earlier));
        (told(&found), found.users[0].clone(), found.note.is_some())
    };
    let alice = || Some("alice".to_owned());
    assert_eq!(told_after(&[], &live), (vec!["alice field".to_owned()], alice(), false));
    // Set once more to what it was.
    assert_eq!(told_after(&[patch(1, "bob", "b", 5, None)], &live), (vec!["alice field".to_owned()], alice(), false));
    // Changed away and back.
    let writes = [patch(1, "argo", "a", 3, Some(3)), patch(2, "bob", "b", 5, Some(5))];
    assert_eq!(told_after(&writes, &live), (vec!["bob field".to_owned()], alice(), false));
    assert_eq!(told_after(&[], &json!(6)), (vec![], None, true), "another value is another story");
}

#[test]
fn a_whole_object_is_explained_by_its_deletion_or_creation() {
    let log = |writes: &'static [(i64, Verb, &'static str)]| -> Vec<Write> {
        writes.iter().map(|(minute, verb, user)| write(*minute, *verb, user, "kubectl")).collect()
    };
    let collection = [write(4, Verb::DeleteCollection, "carol", "kubectl")];
    for (case, code, writes, collections, expected) in [
        (
            "deleted",
            Code::Missing,
            log(&[(1, Verb::Patch, "bob"), (2, Verb::Delete, "alice")]),
            &collection[..],
            vec!["alice object"],
        ),
        ("perhaps with others", Code::Missing, log(&[]), &collection[..], vec!["carol candidate"]),
        ("never there", Code::Missing, log(&[]), &[][..], vec![]),
        (
            "made",
            Code::Unmanaged,
            log(&[(1, Verb::Create, "alice"), (2, Verb::Patch, "bob")]),
            &[][..],
            vec!["alice object", "bob candidate"],
        ),
        (
            "left over and written",
            Code::RemovedButLive,
            log(&[(2, Verb::Patch, "bob")]),
            &[][..],
            vec!["bob candidate"],
        ),
        ("stuck since", Code::Unconverged, log(&[(2, Verb::Patch, "bob")]), &[][..], vec!["bob candidate"]),
        ("not about writes", Code::UnservedKind, log(&[(2, Verb::Patch, "bob")]), &[][..], vec![]),
    ] {
        let log = ObjectLog { writes: &writes, in_sync: None, read_from: None, span: Some((at(-1), at(9))) };
        let found = FieldEvidence { writes: of_object(code, &log, collections, None), ..FieldEvidence::default() };
        assert_eq!(told(&found), expected, "{case}");
    }
}

#[test]
fn writes_to_what_is_in_sync_are_somebodys_or_they_are_not_listed() {
    let scale = |user: &str| Write { subresource: Some("scale".into()), ..write(1, Verb::Patch, user, "kubectl") };
    for (case, write, expected) in [
        ("a person's tool", write(1, Verb::Patch, "alice", "kubectl-edit"), true),
        ("scaled by hand", scale("kubernetes-admin"), true),
        (
            "a person's tool by a service account",
            write(1, Verb::Patch, "system:serviceaccount:ci:bot", "kubectl-patch"),
            true,
        ),
        (
            "the GitOps side",
            write(1, Verb::Patch, "system:serviceaccount:argocd:argocd-application-controller", "argocd-controller"),
            false,
        ),
        ("under its name", write(1, Verb::Patch, "alice", "argocd-controller"), true),
        ("applied by a pipeline", write(1, Verb::Patch, "ci-deployer", "kubectl-client-side-apply"), false),
        ("applied by a person", write(1, Verb::Patch, "alice@example.com", "kubectl-client-side-apply"), true),
        (
            "a controller",
            write(
                1,
                Verb::Update,
                "system:serviceaccount:kube-system:deployment-controller",
                "kube-controller-manager",
            ),
            false,
        ),
        ("a controller that no table knows", write(1, Verb::Update, "system:serviceaccount:acme:acme", "acme"), false),
        ("a program that no table knows", write(1, Verb::Update, "acme", "acme"), true),
        ("deleted by hand", write(1, Verb::Delete, "alice", "kubectl"), true),
        ("server-side applied by a pipeline", write(1, Verb::Patch, "ci-deployer", "kubectl"), false),
    ] {
        let log = ObjectLog {
            writes: std::slice::from_ref(&write),
            in_sync: Some(at(0)),
            read_from: None,
            span: Some((at(-1), at(9))),
        };
        let found = of_synced(&log, &ActorTable::default());
        assert_eq!(found.len(), usize::from(expected), "{case}");
        assert_eq!(found.iter().any(|write| write.contradicts), case == "under its name", "{case}");
    }
}
