//! Secrets' data and the fields that a configuration names.

use base64::Engine as _;
use serde_json::{Value, json};

use super::*;
use crate::model::field_path::FieldPath;
use crate::model::resource::ObjectId;

fn secret() -> ObjectId {
    ObjectId { group: String::new(), kind: "Secret".into(), namespace: Some("shop".into()), name: "db".into() }
}

fn redacted(mut value: Value) -> Value {
    redact(&mut value, &secret(), &RedactionKey::from_bytes([1; 32]), &RedactionRules::default());
    value
}

#[test]
fn equal_bytes_give_equal_tokens_however_they_are_written() {
    let live = redacted(json!({"kind": "Secret", "data": {"p": "aHVudGVyMg=="}}));
    for declared in [
        json!({"kind": "Secret", "stringData": {"p": "hunter2"}}),
        json!({"kind": "Secret", "data": {"p": "aHVu\n dGVyMg==\n"}}),
        json!({"kind": "Secret", "data": {"p": "b3RoZXI="}, "stringData": {"p": "hunter2"}}),
    ] {
        assert_eq!(redacted(declared), live);
    }
    assert_ne!(redacted(json!({"kind": "Secret", "stringData": {"p": "hunter3"}})), live);
    assert_ne!(redacted(json!({"kind": "Secret", "stringData": {"q": "hunter2"}}))["data"]["q"], live["data"]["p"]);
}

#[test]
fn no_form_of_a_secret_survives() {
    let canary = "CANARY-9d1";
    let coded = base64::engine::general_purpose::STANDARD.encode(canary);
    let applied = json!({"kind": "Secret", "data": {"a": coded}, "stringData": {"b": canary}}).to_string();
    for value in [
        json!({"data": {"a": coded}}),
        json!({"stringData": {"a": canary}}),
        json!({"data": {"a": canary}}),
        json!({"data": canary}),
        json!({"stringData": [canary]}),
        json!({"data": {"a": {"b": canary}}}),
        json!({"metadata": {"annotations": {LAST_APPLIED: applied}}}),
        json!({"metadata": {"annotations": {"kapp.k14s.io/original": applied}}}),
        json!({"metadata": {"annotations": {LAST_APPLIED: format!("broken {canary}")}}}),
        json!({"metadata": {"annotations": {LAST_APPLIED: canary}}}),
        json!({"metadata": {"annotations": {"objectset.rio.cattle.io/applied": coded}}}),
    ] {
        let text = redacted(value).to_string();
        assert!(!text.contains(canary) && !text.contains(&coded), "{text}");
    }
}

#[test]
fn rules_redact_fields_of_other_kinds_and_their_last_applied() {
    let object = ObjectId { kind: "ConfigMap".into(), ..secret() };
    let rules = RedactionRules {
        fields: vec![RedactionRule { kind: object.group_kind(), path: FieldPath::of_fields(["data"]).field("*") }],
        names: None,
    };
    let applied = json!({"data": {"token": "CANARY"}}).to_string();
    let mut value = json!({"data": {"token": "CANARY", "n": 1}, "metadata": {"annotations": {LAST_APPLIED: applied}}});
    assert!(redact(&mut value, &object, &RedactionKey::from_bytes([1; 32]), &rules));
    assert!(!value.to_string().contains("CANARY"));
    assert!(is_token(&value["data"]["n"]));
}

#[test]
fn what_a_generator_took_from_an_encrypted_file_compares_by_presence() {
    // `ENC[AES256_GCM,data:x]`, `{"data": "ENC[AES256_GCM,data:x]", "sops": {}}` and `a: b` in base64.
    let value = redacted(json!({"data": {
        "p": "RU5DW0FFUzI1Nl9HQ00sZGF0YTp4XQ==", "sops_version": "My45",
        "file": "eyJkYXRhIjogIkVOQ1tBRVMyNTZfR0NNLGRhdGE6eF0iLCAic29wcyI6IHt9fQ==", "plain": "YTogYg=="}}));
    assert_eq!((&value["data"]["p"], &value["data"]["file"]), (&json!(SOPS_TOKEN), &json!(SOPS_TOKEN)));
    assert!(value["data"].get("sops_version").is_none() && value["data"]["plain"] != SOPS_TOKEN);
}

#[test]
fn sops_values_compare_by_presence() {
    let value = redacted(json!({"stringData": {"p": "ENC[AES256_GCM,data:x,type:str]"}}));
    assert_eq!(value["data"]["p"], json!(SOPS_TOKEN));
}

#[test]
fn a_null_stays_a_null_and_an_empty_value_a_token() {
    let null = redacted(json!({"data": {"a": null, "b": ""}, "stringData": {"c": null, "d": ""}}));
    assert_eq!((&null["data"]["a"], &null["data"]["c"]), (&Value::Null, &Value::Null));
    assert!(is_token(&null["data"]["b"]) && is_token(&null["data"]["d"]));
    // What `data` has is not taken away.
    assert!(is_token(&redacted(json!({"data": {"a": "eA=="}, "stringData": {"a": null}}))["data"]["a"]));
}

#[test]
fn a_namespace_is_hashed_unless_it_was_left_out() {
    let of = |key: &RedactionKey, namespace: Option<&str>| {
        let object = ObjectId { namespace: namespace.map(str::to_owned), ..secret() };
        let mut value = json!({"data": {"p": "aHVudGVyMg=="}});
        redact(&mut value, &object, key, &RedactionRules::default());
        value
    };
    let key = RedactionKey::from_bytes([1; 32]);
    assert_ne!(of(&key, None), of(&key, Some("shop")));
    let key = key.across_namespaces();
    assert_eq!(of(&key, None), of(&key, Some("shop")));
}
