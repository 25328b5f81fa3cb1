//! Each selector, each form, and what a rule must never do.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::actors::ActorTable;
use crate::config::trust::TrustTable;
use crate::model::declared::DeclaredObject;
use crate::model::ids::{CommitId, RepositoryName, Revision, TargetName};
use crate::model::resource::Gvk;
use crate::model::schema::builtin_schemas;
use crate::model::secret::{RedactionKey, RedactionRules};
use crate::stages::autoscale::Autoscalers;
use crate::stages::judge::{Judge, Verdict};

/// Rules as a configuration for the cluster `prod` and the targets `shop` and `other` states them.
fn rules(text: &str) -> Vec<IgnoreRule> {
    let text = format!(
        "ledger: l\nclusters: [{{name: prod, dump: d}}, {{name: stage, dump: d}}]\nrepositories: [{{name: r, url: r}}]\n\
         targets: [{{name: shop, repository: r, cluster: prod}}, {{name: other, repository: r, cluster: prod}}]\nignore:\n{text}\n"
    );
    crate::config::read(&text, std::path::Path::new("/")).unwrap_or_else(|e| panic!("{e}")).ignore
}

fn object(api_version: &str, kind: &str, name: &str, value: &Value) -> DeclaredObject {
    let gvk = Gvk::new(api_version, kind);
    DeclaredObject {
        id: ObjectId {
            group: gvk.gv.group.clone(),
            kind: kind.into(),
            namespace: Some("shop".into()),
            name: name.into(),
        },
        gvk,
        origin: Origin {
            target: TargetName::new("shop"),
            repository: RepositoryName::new("r"),
            revision: Revision::new("main"),
            commit: CommitId::new("0".repeat(40)),
            file: "clusters/prod/shop/all.yaml".into(),
            line: Some(1),
            renderer: None,
        },
        written: None,
        json: value.to_string().into_boxed_str(),
    }
}

fn judge(rules: Vec<IgnoreRule>, declared: &DeclaredObject, live: &Value) -> Verdict {
    let ignores = Ignores::new(ClusterName::new("prod"), rules, Timestamp::parse("2026-03-02T12:00:00Z").unwrap());
    let judge = Judge {
        schemas: builtin_schemas(),
        schema_source: "test",
        actors: &ActorTable::default(),
        trust: &TrustTable::default(),
        entries_count: true,
        autoscalers: &Autoscalers::default(),
        live_key: None,
        key: &RedactionKey::from_bytes([7; 32]),
        redaction: &RedactionRules::default(),
        ignores: &ignores,
    };
    judge.judge(declared, &live.to_string()).unwrap()
}

fn paths(verdict: &Verdict) -> Vec<String> {
    verdict.judgements.iter().map(|j| format!("{} {}", j.difference.code, j.difference.path)).collect()
}

fn deployment() -> DeclaredObject {
    object(
        "apps/v1",
        "Deployment",
        "api",
        &json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "labels": {"app": "web", "tier": "front"}},
            "spec": {"replicas": 2, "template": {"spec": {"containers": [
                {"name": "api", "image": "a:1", "args": ["x"], "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}], "ports": [{"containerPort": 80}]},
                {"name": "side", "image": "s:1"}]}}}}),
    )
}

fn live_deployment() -> Value {
    json!({"metadata": {"name": "api", "namespace": "shop", "labels": {"app": "web", "tier": "front"}, "managedFields": [
        {"manager": "keda-operator", "operation": "Update", "apiVersion": "apps/v1", "subresource": "scale", "time": "2026-03-02T10:00:00Z",
         "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-03-01T10:00:00Z",
         "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {"f:image": {}}}}}}}},
    ]},
    "spec": {"replicas": 5, "template": {"spec": {"containers": [
        {"name": "side", "image": "s:2"},
        {"name": "api", "image": "a:2", "args": ["x"], "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "2"}], "ports": [{"containerPort": 80, "protocol": "TCP"}]},
    ]}}}})
}

const REPLICAS: &str = "DL001 .spec.replicas";
const IMAGE: &str = r#"DL001 .spec.template.spec.containers[name="api"].image"#;
const SIDE: &str = r#"DL001 .spec.template.spec.containers[name="side"].image"#;
const A: &str = r#"DL001 .spec.template.spec.containers[name="api"].env[name="A"].value"#;
const B: &str = r#"DL001 .spec.template.spec.containers[name="api"].env[name="B"].value"#;
const ALL: [&str; 5] = [REPLICAS, A, B, IMAGE, SIDE];

#[test]
fn selectors() {
    for (case, rule, selects) in [
        ("kind", "kinds: [Deployment]", true),
        ("another kind", "kinds: [StatefulSet]", false),
        ("kind and group", "kinds: [Deployment.apps]", true),
        ("kind and another group", "kinds: [Deployment.extensions]", false),
        ("glob of kinds", "kinds: ['*.apps', Pod]", true),
        ("group", "groups: [apps]", true),
        ("core group", "groups: ['']", false),
        ("glob of groups", "groups: ['*']", true),
        ("namespace", "namespaces: [shop]", true),
        ("glob of namespaces", "namespaces: ['sh*']", true),
        ("another namespace", "namespaces: [kube-*]", false),
        ("name", "names: [api]", true),
        ("glob of names", "names: ['a*i']", true),
        ("another name", "names: [ap]", false),
        ("labels", "labels: 'app=web,tier!=cache,tier in (front,back)'", true),
        ("other labels", "labels: 'app=web,tier=cache'", false),
        ("target", "targets: [shop]", true),
        ("another target", "targets: [other]", false),
        ("glob of targets", "targets: ['*o*']", true),
        ("cluster", "clusters: [prod]", true),
        ("another cluster", "clusters: [stage]", false),
        ("code", "codes: [DL001]", true),
        ("another code", "codes: [DL002, DL003]", false),
        ("all of them", "kinds: [Deployment]\n    names: [api]\n    namespaces: [shop]\n    codes: [DL001]", true),
        ("all but one", "kinds: [Deployment]\n    names: [api]\n    namespaces: [shop]\n    codes: [DL002]", false),
    ] {
        let verdict = judge(rules(&format!("  - reason: r\n    {rule}")), &deployment(), &live_deployment());
        let (left, gone) = if selects { (Vec::new(), 5) } else { (ALL.to_vec(), 0) };
        assert_eq!(paths(&verdict), left, "{case}");
        assert_eq!(verdict.ignored.suppressed.len(), gone, "{case}");
    }
}

#[test]
fn labels_are_the_live_ones_where_git_declares_none() {
    let declared = object("v1", "ConfigMap", "a", &json!({"metadata": {"name": "a"}, "data": {"k": "1"}}));
    let live = json!({"metadata": {"name": "a", "labels": {"app": "web"}}, "data": {"k": "2"}});
    let rule = || rules("  - {reason: r, labels: app=web}");
    assert_eq!(paths(&judge(rule(), &declared, &live)), [""; 0]);
    let declared =
        object("v1", "ConfigMap", "a", &json!({"metadata": {"name": "a", "labels": {"app": "x"}}, "data": {"k": "1"}}));
    assert_eq!(paths(&judge(rule(), &declared, &live)).len(), 2, "Git's labels count, not what somebody made of them");
}

#[test]
fn forms() {
    for (case, rule, left) in [
        ("pointer", "jsonPointers: [/spec/replicas]", vec![A, B, IMAGE, SIDE]),
        ("pointer above", "jsonPointers: [/spec/template]", vec![REPLICAS]),
        ("pointer with stars", "jsonPointers: ['/spec/template/spec/containers/*/image']", vec![REPLICAS, A, B]),
        (
            "pointer to a position: on each side its own",
            "jsonPointers: [/spec/template/spec/containers/0/image]",
            ALL.to_vec(),
        ),
        ("pointer beside", "jsonPointers: [/spec/replica]", ALL.to_vec()),
        ("path", "paths: [.spec.replicas]", vec![A, B, IMAGE, SIDE]),
        ("path above", "paths: ['.spec.template.spec.containers[name=\"api\"]']", vec![REPLICAS, SIDE]),
        (
            "path with a key",
            "paths: ['.spec.template.spec.containers[name=\"api\"].env[name=\"B\"]']",
            vec![REPLICAS, A, IMAGE, SIDE],
        ),
        ("path with a star", "paths: ['.spec.template.spec.containers[\"*\"].image']", vec![REPLICAS, A, B]),
        ("path below", "paths: [.spec.replicas.x]", ALL.to_vec()),
        (
            "jq",
            "jq: ['.spec.template.spec.containers[] | select(.name == \"api\").env[] | select(.name == \"A\")']",
            vec![REPLICAS, B, IMAGE, SIDE],
        ),
        (
            "jq that selects on one side only",
            "jq: ['.spec.template.spec.containers[] | select(.image == \"s:2\")']",
            ALL.to_vec(),
        ),
        (
            "jq with the identity",
            "jq: ['select(.kind == \"Deployment\" and .metadata.name == \"api\" and .metadata.namespace == \"shop\") | .spec']",
            vec![],
        ),
        ("jq with an error", "jq: ['.spec.replicas, (.spec.replicas | .[])']", vec![A, B, IMAGE, SIDE]),
        ("writer", "managers: ['keda-*']", vec![A, B, IMAGE, SIDE]),
        ("not the last writer", "managers: [kubectl-edit]", vec![REPLICAS, A, B, SIDE]),
        ("writer with subresource", "managers: [{manager: '*', subresource: scale}]", vec![A, B, IMAGE, SIDE]),
        ("writer with another subresource", "managers: [{manager: '*', subresource: status}]", ALL.to_vec()),
        ("writer with operation", "managers: [{manager: '*', operation: Apply}]", ALL.to_vec()),
        ("writer only at a place", "managers: ['*']\n    paths: [.spec.replicas]", vec![A, B, IMAGE, SIDE]),
        ("another writer at a place", "managers: [kubectl-edit]\n    paths: [.spec.replicas]", ALL.to_vec()),
        (
            "several forms",
            "jsonPointers: [/spec/replicas]\n    paths: ['.spec.template.spec.containers[\"*\"].env']\n    jq: ['.spec.template.spec.containers[].image']",
            vec![],
        ),
        ("codes with a place", "codes: [DL003]\n    paths: [.spec]", ALL.to_vec()),
    ] {
        let verdict = judge(rules(&format!("  - reason: r\n    {rule}")), &deployment(), &live_deployment());
        assert_eq!(paths(&verdict), left, "{case}");
        assert_eq!(verdict.ignored.suppressed.len(), ALL.len() - left.len(), "{case}");
    }
}

#[test]
fn pointer_escapes_and_keys_with_points() {
    let declared = object(
        "v1",
        "ConfigMap",
        "a",
        &json!({"metadata": {"name": "a"}, "data": {"a/b": "1", "c~d": "1", "e.f": "1", "": "1"}}),
    );
    let live = json!({"metadata": {"name": "a"}, "data": {"a/b": "2", "c~d": "2", "e.f": "2", "": "2"}});
    let rule = "  - {reason: r, jsonPointers: [/data/a~1b, /data/c~0d, /data/e.f]}";
    assert_eq!(paths(&judge(rules(rule), &declared, &live)), ["DL001 .data[\"\"]"]);
    assert_eq!(paths(&judge(rules("  - {reason: r, jsonPointers: [/data/]}"), &declared, &live)).len(), 3);
}

fn ingress(host: &str, path: &str, more: Value) -> Value {
    let mut rules = vec![
        json!({"host": host, "http": {"paths": [{"path": path, "pathType": "Prefix", "backend": {"resource": {"kind": "X", "name": "y"}}}]}}),
    ];
    rules.extend(more.as_array().cloned().unwrap_or_default());
    json!({"metadata": {"name": "web"}, "spec": {"rules": rules}})
}

#[test]
fn places_inside_an_atomic_list_are_taken_out_of_both_sides_before_they_are_compared() {
    let declared = object("networking.k8s.io/v1", "Ingress", "web", &ingress("a", "/", json!([])));
    let whole = "DL001 .spec.rules";
    for (case, live, rule, left, gone, narrowed) in [
        ("the only difference", ingress("b", "/", json!([])), "jsonPointers: [/spec/rules/0/host]", vec![], 1, 0),
        ("by path", ingress("b", "/", json!([])), "paths: ['.spec.rules[0].host']", vec![], 1, 0),
        ("by jq", ingress("b", "/", json!([])), "jq: ['.spec.rules[].host']", vec![], 1, 0),
        (
            "one of two differences",
            ingress("b", "/x", json!([])),
            "jsonPointers: [/spec/rules/0/host]",
            vec![whole],
            0,
            1,
        ),
        (
            "both by one rule",
            ingress("b", "/x", json!([])),
            "jsonPointers: [/spec/rules/0/host, /spec/rules/0/http/paths/0/path]",
            vec![],
            1,
            0,
        ),
        (
            "an element more",
            ingress("a", "/", json!([{"host": "more"}])),
            "jq: ['.spec.rules[] | select(.host == \"more\")']",
            vec![],
            1,
            0,
        ),
        (
            "another element more",
            ingress("a", "/", json!([{"host": "x"}])),
            "jq: ['.spec.rules[] | select(.host == \"more\")']",
            vec![whole],
            0,
            0,
        ),
        (
            "places that do not differ",
            ingress("b", "/", json!([])),
            "jsonPointers: [/spec/rules/0/http]",
            vec![whole],
            0,
            0,
        ),
    ] {
        let verdict = judge(rules(&format!("  - {{reason: r, {rule}}}")), &declared, &live);
        assert_eq!(paths(&verdict), left, "{case}");
        assert_eq!((verdict.ignored.suppressed.len(), verdict.ignored.narrowed.len()), (gone, narrowed), "{case}");
    }
    let live = ingress("b", "/x", json!([]));
    let two =
        "  - {id: hosts, reason: r, jsonPointers: [/spec/rules/0/host]}\n  - {reason: r, jq: ['.spec.rules[].http']}";
    let verdict = judge(rules(two), &declared, &live);
    assert_eq!(paths(&verdict), [""; 0]);
    assert_eq!((verdict.ignored.suppressed[0].rule, verdict.ignored.narrowed), (1, vec![0]), "both were needed");
    let verdict = judge(rules("  - {id: hosts, reason: r, jsonPointers: [/spec/rules/0/host]}"), &declared, &live);
    let left = &verdict.judgements[0].difference;
    assert!(left.note.as_ref().unwrap().contains("an ignore rule covers them (hosts)"), "{:?}", left.note);
    assert!(left.live.as_ref().unwrap().pointer("/0/host").is_none(), "{:?}", left.live);
}

#[test]
fn an_absent_or_undeclared_value_is_gone_when_nothing_of_it_is_left() {
    let declared =
        object("v1", "ConfigMap", "a", &json!({"metadata": {"name": "a", "annotations": {"x": "1", "y": "1"}}}));
    let live = json!({"metadata": {"name": "a"}});
    let one = judge(rules("  - {reason: r, jsonPointers: [/metadata/annotations/x]}"), &declared, &live);
    assert_eq!(paths(&one), ["DL002 .metadata.annotations"]);
    assert_eq!(one.judgements[0].difference.declared, Some(json!({"y": "1"})));
    let both = judge(rules("  - {reason: r, jsonPointers: ['/metadata/annotations/*']}"), &declared, &live);
    assert_eq!(paths(&both), [""; 0]);
}

#[test]
fn undeclared_entries_and_elements_of_sets_are_found_on_the_side_that_has_them() {
    let declared = object("v1", "ConfigMap", "a", &json!({"metadata": {"name": "a", "finalizers": ["x/y"]}}));
    let live = json!({"metadata": {"name": "a", "finalizers": [], "labels": {"by-hand": "1", "b": "2"}, "managedFields": [
        {"manager": "kubectl-label", "operation": "Update", "apiVersion": "v1", "time": "2026-03-02T10:00:00Z",
         "fieldsV1": {"f:metadata": {"f:labels": {"f:by-hand": {}, "f:b": {}}}}},
    ]}});
    let all =
        ["DL002 .metadata.finalizers[=\"x/y\"]", "DL003 .metadata.labels.b", "DL003 .metadata.labels[\"by-hand\"]"];
    for (rule, left) in [
        ("names: [other]", vec![all[0], all[1], all[2]]),
        ("jsonPointers: [/metadata/labels/by-hand]", vec![all[0], all[1]]),
        ("paths: ['.metadata.labels[\"by-hand\"]']", vec![all[0], all[1]]),
        ("paths: ['.metadata.finalizers[=\"x/y\"]']", vec![all[1], all[2]]),
        ("jsonPointers: [/metadata/finalizers/0]", vec![all[1], all[2]]),
        ("managers: [kubectl-label]", vec![all[0]]),
        ("managers: [{manager: kubectl-label, operation: Update}]\n    codes: [DL002]", vec![all[0], all[1], all[2]]),
        ("codes: [DL003]", vec![all[0]]),
        ("jq: ['.metadata.labels | .[keys[] | select(startswith(\"by-\"))]']", vec![all[0], all[1]]),
    ] {
        let verdict = judge(rules(&format!("  - reason: r\n    {rule}")), &declared, &live);
        let mut found = paths(&verdict);
        found.sort();
        assert_eq!(found, left, "{rule}");
    }
}

#[test]
fn an_expired_rule_ignores_nothing_from_the_day_after_its_last() {
    for (expires, left) in [("2026-03-01", 5), ("2026-03-02", 0), ("2026-03-03", 0)] {
        let verdict = judge(
            rules(&format!("  - {{reason: r, names: [api], expires: '{expires}'}}")),
            &deployment(),
            &live_deployment(),
        );
        assert_eq!(verdict.judgements.len(), left, "{expires}");
    }
}

#[test]
fn the_first_rule_that_covers_a_difference_is_the_one_that_counts_it() {
    let text =
        "  - {reason: r, paths: [.spec.replicas]}\n  - {reason: r, names: [api]}\n  - {reason: r, paths: [.spec]}";
    let verdict = judge(rules(text), &deployment(), &live_deployment());
    let by: Vec<usize> = verdict.ignored.suppressed.iter().map(|gone| gone.rule).collect();
    assert_eq!(by, [0, 1, 1, 1, 1]);
}

fn any_rule() -> impl Strategy<Value = String> {
    let select = prop_oneof![
        Just("kinds: [StatefulSet]"),
        Just("names: [other]"),
        Just("namespaces: ['kube-*']"),
        Just("labels: app=other"),
        Just("targets: [other]"),
        Just("clusters: [stage]"),
        Just("groups: ['']"),
    ];
    let inside = prop_oneof![
        Just(""),
        Just(", jsonPointers: ['/spec/*']"),
        Just(", paths: [.spec]"),
        Just(", jq: ['..']"),
        Just(", managers: ['*']"),
    ];
    (select, inside).prop_map(|(select, inside)| format!("  - {{reason: r, {select}{inside}}}"))
}

proptest! {
    #[test]
    fn a_rule_changes_nothing_on_objects_that_it_does_not_select(texts in proptest::collection::vec(any_rule(), 1..5)) {
        let verdict = judge(rules(&texts.join("\n")), &deployment(), &live_deployment());
        prop_assert_eq!(verdict, judge(Vec::new(), &deployment(), &live_deployment()));
    }

    #[test]
    fn rules_only_ever_take_away(steps in proptest::collection::vec("[a-z0-9*]{0,3}", 1..4), replicas in 0i64..4) {
        let text = format!("  - {{reason: r, jsonPointers: ['/{}', '/spec/{}']}}", steps.join("/"), steps.join("/"));
        let mut live = live_deployment();
        live["spec"]["replicas"] = Value::from(replicas);
        let with = paths(&judge(rules(&text), &deployment(), &live));
        let without = paths(&judge(Vec::new(), &deployment(), &live));
        prop_assert!(with.iter().all(|path| without.contains(path)), "{:?} {:?}", with, without);
    }
}
