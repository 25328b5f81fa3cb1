//! Objects whose secret values became tokens before they came here, those of a snapshot; and the values that managedFields repeats.

use serde_json::{Map, Value};

use super::field_path::{FieldPath, Step};
pub use super::secret::redact_again;
use super::secret::{NO_KEY, digits_of, inside_of, token_prefix};

/// Whether a value holds a token of the key `by`, as a whole or in a part of a text.
pub fn holds_token_of(value: &Value, by: &str) -> bool {
    let prefix = token_prefix(by);
    any_text(value, &|text| text.contains(&prefix))
}

/// Whether a path names an element by a token of the key `by`.
pub fn path_holds_token_of(path: &FieldPath, by: &str) -> bool {
    let prefix = token_prefix(by);
    any_text_in(path, &|text| text.contains(&prefix))
}

/// Whether a path names an element by a token.
pub fn path_holds_token(path: &FieldPath) -> bool {
    any_text_in(path, &|text| digits_of(text).is_some() || inside_of(text).next().is_some())
}

fn any_text_in(path: &FieldPath, test: &dyn Fn(&str) -> bool) -> bool {
    path.steps().iter().any(|step| match step {
        Step::Key(keys) => keys.iter().any(|(_, value)| any_text(value, test)),
        Step::Item(value) => any_text(value, test),
        Step::Field(_) | Step::Index(_) => false,
    })
}

fn any_text(value: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, test)),
        Value::Object(map) => map.values().any(|child| any_text(child, test)),
        _ => false,
    }
}

/// Whether the tokens in a redacted value are the reason why it is not known to equal the other: the rules of another day hid what
/// stands in the other in clear, or hid more or less of it. All that both show is equal.
pub fn hidden_otherwise(redacted: &Value, by: &str, other: &Value) -> bool {
    if holds_token_of(redacted, NO_KEY) {
        return true;
    }
    let (Value::String(redacted), Value::String(other)) = (redacted, other) else {
        return holds_token_of(redacted, by) && !holds_token_of(other, by);
    };
    if digits_of(redacted).is_some() {
        return redacted.starts_with(&token_prefix(by)) && digits_of(other).is_none();
    }
    let mut rest = other.as_str();
    let (mut at, mut open, mut otherwise) = (0, false, false);
    for token in inside_of(redacted) {
        let shown = &redacted[at..token.start];
        match after(rest, shown, open) {
            Some((hidden, found)) => {
                otherwise |= open && !is_one_token(hidden);
                rest = found;
            }
            None => return false,
        }
        (at, open) = (token.end, true);
        // The same token on both sides hides the same.
        let same = &redacted[token.start..token.end];
        if let Some(found) = rest.strip_prefix(same) {
            (rest, open) = (found, false);
        }
    }
    let shown = &redacted[at..];
    match (open, rest.strip_suffix(shown)) {
        (true, Some(hidden)) => otherwise || !is_one_token(hidden),
        (false, Some("")) => otherwise,
        _ => false,
    }
}

/// What stands before `shown` and behind it; where nothing hidden is open, it has to come at once.
fn after<'a>(text: &'a str, shown: &str, open: bool) -> Option<(&'a str, &'a str)> {
    let at = if open { text.find(shown)? } else { text.starts_with(shown).then_some(0)? };
    Some((&text[..at], &text[at + shown.len()..]))
}

fn is_one_token(text: &str) -> bool {
    inside_of(text).next().is_some_and(|token| token.start == 0 && token.end == text.len())
}

/// Redacts the values that managedFields repeats in its paths: the elements of sets, the keys of list elements. They become the same
/// tokens as in the object itself. Returns whether any did.
///
/// `redact` redacts an object of this kind and name, and says whether it did.
pub fn redact_managed_fields(entries: &mut Value, redact: &dyn Fn(&mut Value) -> bool) -> bool {
    let mut any = false;
    for entry in entries.as_array_mut().into_iter().flatten() {
        let Some(fields) = entry.get_mut("fieldsV1").and_then(Value::as_object_mut) else { continue };
        if !names_values(fields) {
            continue;
        }
        let mut object = object_of(fields);
        any |= redact(&mut object) && rename(fields, &object);
    }
    any
}

fn names_values(fields: &Map<String, Value>) -> bool {
    let below = |child: &Value| child.as_object().is_some_and(names_values);
    fields.iter().any(|(name, child)| name.starts_with("v:") || name.starts_with("k:") || below(child))
}

fn is_element(name: &str) -> bool {
    name.starts_with("v:") || name.starts_with("k:") || name.starts_with("i:")
}

/// An object of which only what the paths say is known: names, and the values that elements go by.
fn object_of(fields: &Map<String, Value>) -> Value {
    let below = |child: &Value| child.as_object().map_or(Value::Null, object_of);
    if fields.keys().any(|name| is_element(name)) {
        let elements = fields.iter().filter(|(name, _)| is_element(name));
        return elements
            .map(|(name, child)| match (read(name), below(child)) {
                (Some(Value::Object(mut keys)), Value::Object(below)) => {
                    for (name, value) in below {
                        keys.entry(name).or_insert(value);
                    }
                    Value::Object(keys)
                }
                (Some(value), _) => value,
                (None, below) => below,
            })
            .collect();
    }
    let named = fields.iter().filter_map(|(name, child)| Some((name.strip_prefix("f:")?.to_owned(), below(child))));
    let object: Map<String, Value> = named.collect();
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}

/// The value in `v:…` or `k:…`.
fn read(name: &str) -> Option<Value> {
    let text = name.strip_prefix("v:").or_else(|| name.strip_prefix("k:"))?;
    serde_json::from_str(text).ok()
}

/// Writes the values of a redacted object into the names again.
fn rename(fields: &mut Map<String, Value>, redacted: &Value) -> bool {
    let mut any = false;
    let mut elements = 0;
    let before = std::mem::take(fields);
    for (name, mut child) in before {
        let place = if is_element(&name) {
            elements += 1;
            redacted.get(elements - 1)
        } else {
            name.strip_prefix("f:").and_then(|name| redacted.get(name))
        };
        if let (Some(child), Some(place)) = (child.as_object_mut(), place) {
            any |= rename(child, place);
        }
        let new = renamed(&name, place);
        any |= new.as_deref() != Some(name.as_str());
        // What cannot be read cannot be shown.
        if let Some(new) = new {
            fields.insert(new, child);
        }
    }
    any
}

fn renamed(name: &str, redacted: Option<&Value>) -> Option<String> {
    if name.starts_with("v:") {
        read(name)?;
        return Some(format!("v:{}", redacted?));
    }
    if name.starts_with("k:") {
        let Value::Object(mut keys) = read(name)? else { return None };
        let redacted = redacted?;
        for (key, value) in &mut keys {
            *value = redacted.get(key)?.clone();
        }
        return Some(format!("k:{}", Value::Object(keys)));
    }
    Some(name.to_owned())
}

/// [`redact_managed_fields`] of a whole object.
pub fn redact_managed_fields_of(object: &mut Value, redact: &dyn Fn(&mut Value) -> bool) -> bool {
    let entries = object.pointer_mut("/metadata/managedFields");
    entries.is_some_and(|entries| redact_managed_fields(entries, redact))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::resource::{GroupKind, ObjectId};
    use crate::model::secret::{LAST_APPLIED, RedactionKey, RedactionRule, RedactionRules, redact};

    fn id(kind: &str) -> ObjectId {
        ObjectId { group: String::new(), kind: kind.into(), namespace: Some("shop".into()), name: "db".into() }
    }

    fn rules(kind: &str, path: FieldPath) -> RedactionRules {
        RedactionRules { fields: vec![RedactionRule { kind: GroupKind::new("", kind), path }], names: None }
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
        rules.fields.push(RedactionRule {
            kind: GroupKind::new("", "Thing"),
            path: FieldPath::of_fields(["spec", "users"]).field("*").field("tokens"),
        });
        let key = RedactionKey::from_bytes([1; 32]);
        assert!(redact_managed_fields_of(&mut value, &|object| redact(object, &id("Thing"), &key, &rules)));
        let text = value.to_string();
        assert!(!text.contains("CANARY") && text.contains("kept") && text.contains("admin"), "{text}");
    }

    #[test]
    fn what_rules_of_another_day_hid_is_told_from_what_differs() {
        let t = |digits: &str| format!("redacted:0badcafe:{digits}(password)");
        let (a, b) = (t("aaaaaa"), t("bbbbbb"));
        for (case, live, declared, otherwise) in [
            ("equal", format!("x={a}\n"), format!("x={a}\n"), false),
            ("another value", format!("x={a}\n"), format!("x={b}\n"), false),
            ("in clear", format!("x={a}\ny\n"), "x=hunter2\ny\n".to_owned(), true),
            ("one in clear", format!("x={a}\ny={a}\n"), format!("x={a}\ny=hunter2\n"), true),
            ("in clear, the rest differs", format!("x={a}\ny\n"), "x=hunter2\nz\n".to_owned(), false),
            ("at the end", format!("x={a}"), "x=hunter2".to_owned(), true),
            ("nothing hidden", "x=1".to_owned(), "x=2".to_owned(), false),
            ("the whole", "redacted:0badcafe:aaaaaa".to_owned(), "hunter2".to_owned(), true),
            ("two wholes", "redacted:0badcafe:aaaaaa".to_owned(), "redacted:0badcafe:bbbbbb".to_owned(), false),
            ("hidden in turn", "redacted:00000000:aaaaaa".to_owned(), "redacted:0badcafe:bbbbbb".to_owned(), true),
        ] {
            assert_eq!(hidden_otherwise(&json!(live), "0badcafe", &json!(declared)), otherwise, "{case}");
        }
    }

    #[test]
    fn a_text_that_was_redacted_in_part_is_redacted_further_and_then_nobodys() {
        let key = RedactionKey::from_bytes([1; 32]);
        let names = Some(crate::config::redaction::shipped_names());
        let old = RedactionRules { fields: vec![], names };
        let field = RedactionRule { kind: GroupKind::new("", "ConfigMap"), path: FieldPath::of_fields(["data", "b"]) };
        let new = RedactionRules { fields: vec![field], names: old.names.clone() };
        let clear = json!({"data": {"a": "x\npassword=CANARY\n", "b": "password=CANARY\nopen\n", "c": "open"}});
        let mut once = clear.clone();
        redact(&mut once, &id("ConfigMap"), &key, &old);
        let mut again = once.clone();
        redact_again(&mut again, &id("ConfigMap"), &key, &old, key.id());
        assert_eq!(again, once);
        redact_again(&mut again, &id("ConfigMap"), &key, &new, key.id());
        assert_eq!((&again["data"]["a"], &again["data"]["c"]), (&once["data"]["a"], &once["data"]["c"]));
        assert!(holds_token_of(&again["data"]["b"], NO_KEY) && !again.to_string().contains("CANARY"));
        let mut declared = clear;
        redact(&mut declared, &id("ConfigMap"), &key, &new);
        assert!(hidden_otherwise(&again["data"]["b"], key.id(), &declared["data"]["b"]));
    }
}
