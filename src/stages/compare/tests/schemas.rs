//! What a schema says and leaves open: custom resources, unknown fields, no schema at all.

use super::*;

const WIDGETS: &str = r#"{"spec": {"group": "example.com", "names": {"kind": "Widget"}, "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {
    "type": "object", "properties": {"spec": {"type": "object", "properties": {
        "cpu": {"x-kubernetes-int-or-string": true, "pattern": "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$"},
        "enabled": {"type": "boolean"},
        "off": {"type": "boolean", "default": false},
        "descriptors": {"type": "array", "items": {"type": "string"}},
        "servers": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": {"type": "object",
            "properties": {"name": {"type": "string"}, "weight": {"type": "integer", "default": 1}}}},
        "backends": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "kind": {"type": "string", "default": "Service"}}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}
    }}}}}}]}}"#;

#[test]
fn custom_resources() {
    let definition: Value = serde_json::from_str(WIDGETS).unwrap();
    let schemas = Schemas::of_definition(&definition);
    let gvk = Gvk::new("example.com/v1", "Widget");
    for (case, declared, live, expected) in [
        ("20 a quantity by its pattern", json!({"cpu": "2000m"}), json!({"cpu": "2"}), &[][..]),
        ("20 another one (guard)", json!({"cpu": "2000m"}), json!({"cpu": "3"}), &["DL001 .spec.cpu"]),
        ("24 false is literal (guard)", json!({"enabled": false}), json!({}), &["DL002 .spec.enabled"]),
        ("a declared default", json!({"off": false}), json!({}), &[]),
        (
            "35 below preserve-unknown",
            json!({"free": {"a": "b"}}),
            json!({"free": {"a": "c"}}),
            &["DL001 .spec.free.a"],
        ),
        (
            "47 a default in an atomic list",
            json!({"backends": [{"name": "a"}]}),
            json!({"backends": [{"name": "a", "kind": "Service"}]}),
            &[],
        ),
        (
            "53 keys of the definition",
            json!({"servers": [{"name": "a"}, {"name": "b"}]}),
            json!({"servers": [{"name": "b", "weight": 1}, {"name": "a", "weight": 1}]}),
            &[],
        ),
        (
            "54 an atomic list",
            json!({"descriptors": ["a", "b"]}),
            json!({"descriptors": ["a"]}),
            &["DL001 .spec.descriptors"],
        ),
        ("34 a field that the definition does not know", json!({"enabeld": true}), json!({}), &["DL007 .spec.enabeld"]),
        ("an undeclared field", json!({}), json!({"enabled": true, "off": false}), &["+ .spec.enabled"]),
    ] {
        let found = of(&gvk, &schemas, &json!({"spec": declared}), &json!({"spec": live}));
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn an_unknown_field_names_the_nearest_known_one() {
    let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
    let compared = compare(&json!({"spec": {"replica": 2}}), &json!({"spec": {}}), schema, &mut Applied::new());
    let note = compared.differences[0].note.as_deref().unwrap_or_default();
    assert!(note.contains("`replicas`"), "{note}");
}

#[test]
fn without_a_schema_values_are_literal_and_metadata_is_known() {
    let schemas = Schemas::default();
    let gvk = Gvk::new("example.com/v1", "Gadget");
    let declared = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"cpu": "1000m", "list": ["a"]}});
    let live = json!({"metadata": {"labels": {"a": "b", "c": "d"}}, "spec": {"cpu": "1", "list": ["a"], "more": 1}});
    assert_eq!(of(&gvk, &schemas, &declared, &live), ["DL001 .spec.cpu", "+ .metadata.labels.c", "+ .spec.more"]);
}
