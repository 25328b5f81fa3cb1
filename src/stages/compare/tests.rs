//! The normalisation checklist as tables: what differs in bytes and not in meaning, and the guards that a real difference stays one.

use serde_json::{Value, json};

use super::*;
use crate::model::resource::Gvk;
use crate::model::schema::{Schemas, builtin_schemas};
use crate::stages::normalise::{Applied, Side, normalise};

mod defaults;
mod lists;
mod representation;
mod schemas;

/// Differences as `code path`, extras as `+ path`.
fn of(gvk: &Gvk, schemas: &Schemas, declared: &Value, live: &Value) -> Vec<String> {
    let (mut declared, mut live) = (declared.clone(), live.clone());
    let mut applied = Applied::new();
    normalise(&mut declared, &gvk.group_kind(), Side::Declared, &mut applied);
    normalise(&mut live, &gvk.group_kind(), Side::Live, &mut applied);
    let compared = compare(&declared, &live, schemas.kind(gvk), &mut applied);
    let differences = compared.differences.iter().map(|d| format!("{} {}", d.code, d.path));
    differences.chain(compared.extras.iter().map(|extra| format!("+ {}", extra.path))).collect()
}

fn builtin(api_version: &str, kind: &str, declared: Value, live: Value) -> Vec<String> {
    of(&Gvk::new(api_version, kind), builtin_schemas(), &declared, &live)
}

type Case = (&'static str, &'static str, &'static str, Value, Value, &'static [&'static str]);

fn hold(cases: Vec<Case>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(case, api_version, kind, declared, live, expected)| {
            let found = builtin(api_version, kind, declared, live);
            (found != expected).then(|| format!("{case}: {found:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn deployment(spec: Value) -> Value {
    json!({"metadata": {"labels": {"a": "b"}}, "spec": spec})
}

fn pod(pod: Value) -> Value {
    deployment(json!({"template": {"spec": pod}}))
}

fn container(container: Value) -> Value {
    let mut container = container;
    container["name"] = json!("api");
    pod(json!({"containers": [container]}))
}

#[test]
fn every_field_is_explained() {
    let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
    let declared = deployment(json!({"replicas": 3, "paused": false}));
    let live = deployment(json!({"replicas": 5, "revisionHistoryLimit": 10, "minReadySeconds": 4}));
    let (_, decisions) = explain(&declared, &live, schema);
    let told: Vec<String> = decisions.iter().map(|d| format!("{} {:?}", d.path, d.outcome)).collect();
    assert_eq!(
        told,
        [
            ".metadata.labels.a Same",
            r#".spec.paused Normalised("zero-equals-absent")"#,
            ".spec.replicas Differs(Changed)",
            ".spec.minReadySeconds Undeclared",
            r#".spec.revisionHistoryLimit Server("default")"#,
        ]
    );
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z0-9]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            let names = prop_oneof![
                Just("spec"),
                Just("metadata"),
                Just("template"),
                Just("containers"),
                Just("name"),
                Just("env"),
                Just("value"),
                Just("ports"),
                Just("containerPort"),
                Just("labels"),
                Just("tolerations"),
                Just("strategy"),
                Just("x")
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map(names.prop_map(str::to_owned), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Key-matched lists and maps in another order; ordered lists stay.
    fn shuffled(value: &Value, keyed: bool) -> Value {
        match value {
            Value::Object(map) => {
                Value::Object(map.iter().rev().map(|(k, v)| (k.clone(), shuffled(v, k == "volumes"))).collect())
            }
            Value::Array(items) if keyed => Value::Array(items.iter().rev().map(|v| shuffled(v, false)).collect()),
            Value::Array(items) => Value::Array(items.iter().map(|v| shuffled(v, false)).collect()),
            scalar => scalar.clone(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn anything_compared_with_itself_is_empty(object in value()) {
            for schema in [builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment")), None] {
                let compared = compare(&object, &object, schema, &mut Applied::new());
                prop_assert_eq!(compared, Compared::default());
            }
        }

        #[test]
        fn normalising_is_idempotent(mut object in value()) {
            let kind = Gvk::new("apps/v1", "Deployment").group_kind();
            normalise(&mut object, &kind, Side::Declared, &mut Applied::new());
            let once = object.clone();
            normalise(&mut object, &kind, Side::Declared, &mut Applied::new());
            prop_assert_eq!(once, object);
        }

        #[test]
        fn the_order_of_keys_and_of_key_matched_lists_never_matters(
            names in proptest::collection::btree_set("[a-z]{1,5}", 1..6),
            object in value(),
        ) {
            let volumes: Vec<Value> = names.iter().map(|name| json!({"name": name, "emptyDir": {"medium": name}})).collect();
            let mut object = object;
            if !object.is_object() {
                object = json!({});
            }
            object["spec"] = json!({"template": {"spec": {"volumes": volumes}}});
            let other = shuffled(&object, false);
            let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
            prop_assert_eq!(compare(&object, &other, schema, &mut Applied::new()), Compared::default());
        }

        #[test]
        fn never_panics(one in value(), other in value()) {
            let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
            let _ = compare(&one, &other, schema, &mut Applied::new());
        }
    }
}
