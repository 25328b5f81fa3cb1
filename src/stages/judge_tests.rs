//! What a snapshot's hashes can and cannot tell.

use serde_json::json;

use super::*;
use crate::model::attribution::Origin;
use crate::model::ids::{CommitId, RepositoryName, Revision, TargetName};
use crate::model::resource::ObjectId;
use crate::model::secret::RedactionRule;

/// What differs and what cannot be compared, of an object that was redacted under the key of byte 2 and is compared under another.
fn judged(kind: &str, declared: Value, live: Value, key: u8) -> (Vec<String>, Vec<String>) {
    let id = ObjectId { group: String::new(), kind: kind.into(), namespace: Some("shop".into()), name: "a".into() };
    let rule = FieldPath::of_fields(["items"]).field("*").field("token");
    let rules = RedactionRules { fields: vec![RedactionRule { kind: id.group_kind(), path: rule }], names: None };
    let (ours, theirs) = (RedactionKey::from_bytes([key; 32]), RedactionKey::from_bytes([2; 32]));
    let (mut declared, mut live, no_rules) = (declared, live, RedactionRules::default());
    // Today's rules name nothing of the kind called Bare.
    if kind != "Bare" {
        redact(&mut declared, &id, &ours, &rules);
    }
    redact(&mut live, &id, &theirs, &rules);
    live["metadata"] = json!({"name": "a", "namespace": "shop"});
    let object = DeclaredObject {
        gvk: Gvk::new("v1", kind),
        id,
        origin: Origin {
            target: TargetName::new("t"),
            repository: RepositoryName::new("r"),
            revision: Revision::new("main"),
            commit: CommitId::new("0"),
            file: "a.yaml".into(),
            line: None,
            renderer: None,
        },
        written: None,
        json: declared.to_string().into_boxed_str(),
    };
    let judge = Judge {
        schemas: &Schemas::default(),
        schema_source: "none",
        actors: &ActorTable::default(),
        trust: &TrustTable::default(),
        entries_count: true,
        autoscalers: &Autoscalers::default(),
        key: &ours,
        redaction: if kind == "Bare" { &no_rules } else { &rules },
        live_key: Some(theirs.id()),
        ignores: &Ignores::none(),
    };
    let verdict = judge.judge(&object, &live.to_string()).unwrap();
    let differences = verdict.judgements.iter().map(|j| format!("{:?} {}", j.difference.code, j.difference.path));
    (differences.collect(), verdict.foreign.iter().map(ToString::to_string).collect())
}

#[test]
fn only_what_is_hashed_with_another_key_cannot_be_compared() {
    let secret = |a: &str| json!({"type": "Opaque", "data": {"a": a}});
    let list = |name: &str| json!({"items": [{"name": name, "token": "t"}], "other": name});
    let none = || Vec::<String>::new();
    let text = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    for (case, kind, declared, live, key, differ, foreign) in [
        ("the same key, equal", "Secret", secret("QQ=="), secret("QQ=="), 2, none(), none()),
        ("the same key, changed", "Secret", secret("QQ=="), secret("Qg=="), 2, text(&["Changed .data.a"]), none()),
        ("another key", "Secret", secret("QQ=="), secret("QQ=="), 3, none(), text(&[".data.a"])),
        (
            "a declared key that is gone",
            "Secret",
            secret("QQ=="),
            json!({"data": {}, "type": "Opaque"}),
            3,
            text(&["Absent .data.a"]),
            none(),
        ),
        (
            "a field in clear",
            "Secret",
            json!({"type": "Other", "data": {"a": "QQ=="}}),
            secret("QQ=="),
            3,
            text(&["Changed .type"]),
            text(&[".data.a"]),
        ),
        ("a list with a hash in it", "Thing", list("x"), list("y"), 3, text(&["Changed .other"]), text(&[".items"])),
        ("a list that was redacted by a rule of then", "Bare", list("x"), list("x"), 2, none(), text(&[".items"])),
        ("that list under the same key", "Thing", list("x"), list("x"), 2, none(), none()),
    ] {
        assert_eq!(judged(kind, declared, live, key), (differ, foreign), "{case}");
    }
}

/// DL003 of a set whose elements a rule hides: neither path nor value shows one, and its writer is still known.
#[test]
fn a_hidden_element_of_a_set_is_found_and_not_shown() {
    let id = ObjectId { group: String::new(), kind: "Node".into(), namespace: None, name: "a".into() };
    let key = RedactionKey::from_bytes([1; 32]);
    let rule = RedactionRule { kind: id.group_kind(), path: FieldPath::of_fields(["spec", "podCIDRs"]) };
    let rules = RedactionRules { fields: vec![rule], names: None };
    let mut declared = json!({"metadata": {"name": "a"}, "spec": {"podCIDRs": ["known"]}});
    redact(&mut declared, &id, &key, &rules);
    let live = json!({"metadata": {"name": "a", "managedFields": [
        {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1",
            "fieldsV1": {"f:spec": {"f:podCIDRs": {"v:\"CANARY\"": {}}}}}]},
        "spec": {"podCIDRs": ["CANARY", "known"]}});
    let object = DeclaredObject {
        gvk: Gvk::new("v1", "Node"),
        id,
        origin: Origin {
            target: TargetName::new("t"),
            repository: RepositoryName::new("r"),
            revision: Revision::new("main"),
            commit: CommitId::new("0"),
            file: "a.yaml".into(),
            line: None,
            renderer: None,
        },
        written: None,
        json: declared.to_string().into_boxed_str(),
    };
    let judge = Judge {
        schemas: builtin_schemas(),
        schema_source: "none",
        actors: &ActorTable::default(),
        trust: &TrustTable::default(),
        entries_count: false,
        autoscalers: &Autoscalers::default(),
        key: &key,
        redaction: &rules,
        live_key: None,
        ignores: &Ignores::none(),
    };
    let verdict = judge.judge(&object, &live.to_string()).unwrap();
    let [judgement] = verdict.judgements.as_slice() else { panic!("{:?}", verdict.judgements) };
    assert_eq!(judgement.difference.code, Code::Undeclared);
    assert_eq!(judgement.actors[0].manager, "kubectl-edit");
    assert!(judgement.difference.path.to_string().starts_with(".spec.podCIDRs[=\"redacted:"), "{judgement:?}");
    assert!(!format!("{judgement:?}").contains("CANARY"));
}
