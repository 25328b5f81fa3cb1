//! Objects whose secret values became tokens before they came here: those of a snapshot.
//!
//! Only for a source that says of itself that it is redacted. In a live cluster a value that looks like a token is a value.

use serde_json::{Map, Value};

use super::field_path::Step;
use super::resource::{GroupKind, ObjectId};
use super::secret::{LAST_APPLIED, RedactionKey, RedactionRules, SOPS_TOKEN, redact, token_prefix};

/// As [`redact`], for an object that was redacted before under the key `by`: its tokens stay as they are, and what today's rules
/// name besides becomes a token, too.
pub fn redact_again(value: &mut Value, object: &ObjectId, key: &RedactionKey, rules: &RedactionRules, by: &str) {
    let prefix = token_prefix(by);
    let before = any_text(value, &|text| text.contains(&prefix) || text == SOPS_TOKEN).then(|| value.clone());
    redact(value, object, key, rules);
    if let Some(before) = before {
        restore(&before, value, &prefix);
    }
}

/// Whether a value holds a token of the key `by`, as a whole or in a part of a text.
pub fn holds_token_of(value: &Value, by: &str) -> bool {
    let prefix = token_prefix(by);
    any_text(value, &|text| text.contains(&prefix))
}

fn any_text(value: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, test)),
        Value::Object(map) => map.values().any(|child| any_text(child, test)),
        _ => false,
    }
}

/// Puts back the tokens of an earlier redaction. Redacting an object that was redacted before changes texts only, never its form.
fn restore(before: &Value, after: &mut Value, prefix: &str) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (name, before) in before {
                let Some(after) = after.get_mut(name) else { continue };
                match (before.as_str(), after.as_str()) {
                    (Some(was), Some(is)) if name == LAST_APPLIED && !was.starts_with(prefix) => {
                        *after = Value::String(restored_text(was, is, prefix));
                    }
                    _ => restore(before, after, prefix),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            before.iter().zip(after).for_each(|(before, after)| restore(before, after, prefix));
        }
        (Value::String(was), after) => {
            let token = was.starts_with(prefix) || was == SOPS_TOKEN;
            // A text with a token in a part of it stays, unless a rule now hides the whole of it.
            let still_text = after.as_str().is_none_or(|is| !super::secret::is_token(&Value::from(is)));
            if token || (was.contains(prefix) && still_text) {
                *after = Value::String(was.clone());
            }
        }
        _ => {}
    }
}

/// The same inside the last-applied annotation, which is an object as JSON text.
fn restored_text(was: &str, is: &str, prefix: &str) -> String {
    let (Ok(was), Ok(mut restored)) = (serde_json::from_str::<Value>(was), serde_json::from_str::<Value>(is)) else {
        return is.to_owned();
    };
    restore(&was, &mut restored, prefix);
    restored.to_string()
}

/// Takes the values that managedFields repeats in its paths (the elements of sets, the keys of list elements) out of everything
/// below a field that the rules redact. The paths themselves stay.
pub fn redact_managed_fields(value: &mut Value, kind: &GroupKind, rules: &RedactionRules) {
    let entries = value.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        let Some(fields) = entry.get_mut("fieldsV1").and_then(Value::as_object_mut) else { continue };
        for rule in rules.0.iter().filter(|rule| rule.kind == *kind) {
            redact_fields_v1(fields, rule.path.steps());
        }
    }
}

fn redact_fields_v1(fields: &mut Map<String, Value>, steps: &[Step]) {
    let children = |fields: &mut Map<String, Value>, steps: &[Step], hit: &dyn Fn(&str) -> bool| {
        for (name, child) in fields.iter_mut().filter(|(name, _)| hit(name)) {
            debug_assert!(!name.is_empty());
            if let Some(child) = child.as_object_mut() {
                redact_fields_v1(child, steps);
            }
        }
    };
    match steps.split_first() {
        None => {
            fields.retain(|name, _| !name.starts_with("v:") && !name.starts_with("k:"));
            children(fields, &[], &|_| true);
        }
        // The element's keys may be the very values that the rule hides; nothing of them is told.
        Some((Step::Field(name), rest)) if name == "*" => {
            fields.retain(|name, _| !name.starts_with("v:"));
            children(fields, rest, &|_| true);
        }
        Some((Step::Field(name), rest)) => {
            let wanted = format!("f:{name}");
            children(fields, rest, &|name| name == wanted);
        }
        Some((_, rest)) => {
            fields.retain(|name, _| !name.starts_with("v:"));
            children(fields, rest, &|name| name.starts_with("k:"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::field_path::FieldPath;
    use crate::model::secret::RedactionRule;

    fn id(kind: &str) -> ObjectId {
        ObjectId { group: String::new(), kind: kind.into(), namespace: Some("shop".into()), name: "db".into() }
    }

    fn rules(kind: &str, path: FieldPath) -> RedactionRules {
        RedactionRules(vec![RedactionRule { kind: GroupKind::new("", kind), path }])
    }

    #[test]
    fn a_secret_is_the_same_redacted_once_or_twice() {
        let key = RedactionKey::from_bytes([1; 32]);
        let applied = json!({"kind": "Secret", "stringData": {"p": "hunter2", "e": "ENC[AES256_GCM,x]"}}).to_string();
        for value in [
            json!({"kind": "Secret", "data": {"p": "aHVudGVyMg==", "empty": "", "bad": "%"}}),
            json!({"kind": "Secret", "data": {"e": "ENC[AES256_GCM,x]"}}),
            json!({"kind": "Secret", "data": "nonsense"}),
            json!({"metadata": {"annotations": {LAST_APPLIED: applied, "other": "x"}}, "data": {"p": "aHVudGVyMg=="}}),
            json!({"metadata": {"annotations": {LAST_APPLIED: "broken hunter2"}}}),
        ] {
            let mut once = value;
            redact(&mut once, &id("Secret"), &key, &RedactionRules::default());
            let mut twice = once.clone();
            redact_again(&mut twice, &id("Secret"), &key, &RedactionRules::default(), key.id());
            assert_eq!(twice, once);
        }
    }

    #[test]
    fn what_a_new_rule_names_is_redacted_though_the_source_was_not() {
        let key = RedactionKey::from_bytes([1; 32]);
        let old = rules("ConfigMap", FieldPath::of_fields(["data"]).field("a"));
        let new = rules("ConfigMap", FieldPath::of_fields(["data"]));
        let clear = json!({"data": {"a": "CANARY-a", "b": "CANARY-b"}});
        let (mut snapshot, mut live) = (clear.clone(), clear);
        redact(&mut snapshot, &id("ConfigMap"), &key, &old);
        redact_again(&mut snapshot, &id("ConfigMap"), &key, &new, key.id());
        redact(&mut live, &id("ConfigMap"), &key, &new);
        assert_eq!(snapshot, live);
        assert!(!snapshot.to_string().contains("CANARY"));
    }

    #[test]
    fn a_token_of_another_key_is_no_token_of_this_one() {
        let (key, other) = (RedactionKey::from_bytes([1; 32]), RedactionKey::from_bytes([2; 32]));
        let mut secret = json!({"data": {"p": "aHVudGVyMg=="}});
        redact(&mut secret, &id("Secret"), &other, &RedactionRules::default());
        assert!(holds_token_of(&secret, other.id()) && !holds_token_of(&secret, key.id()));
        let before = secret.clone();
        redact_again(&mut secret, &id("Secret"), &key, &RedactionRules::default(), other.id());
        assert_eq!(secret, before);
    }

    #[test]
    fn values_in_managed_fields_go_with_the_field() {
        let mut value = json!({"metadata": {"managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {
            "f:hosts": {"v:\"CANARY\"": {}, "k:{\"name\":\"CANARY\"}": {".": {}, "f:x": {}}},
            "f:users": {"k:{\"name\":\"admin\"}": {"f:tokens": {"v:\"CANARY\"": {}}}},
            "f:open": {"v:\"kept\"": {}}
        }}}]}});
        let mut rules = rules("Thing", FieldPath::of_fields(["spec", "hosts"]));
        rules.0.push(RedactionRule {
            kind: GroupKind::new("", "Thing"),
            path: FieldPath::of_fields(["spec", "users"]).field("*").field("tokens"),
        });
        redact_managed_fields(&mut value, &GroupKind::new("", "Thing"), &rules);
        let text = value.to_string();
        assert!(!text.contains("CANARY") && text.contains("kept") && text.contains("admin"), "{text}");
    }
}
