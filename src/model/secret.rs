//! Redaction on entry: secret values become keyed hashes before anything else sees them.
//!
//! What is redacted: `data` and `stringData` of every Secret, the fields that the redaction rules name, and both again inside
//! the `last-applied-configuration` annotation. A redacted value can be compared (equal bytes in the same place of the same
//! object give the same token) and never turned back.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::canonical::{Canonical, hex};
use super::field_path::{FieldPath, Step};
use super::resource::{GroupKind, ObjectId};

/// The annotation in which `kubectl apply` keeps the whole declared object, Secrets' data included.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Stands for a value that SOPS encrypted: only its presence can be compared.
pub const SOPS_TOKEN: &str = "encrypted:sops";

const TOKEN_PREFIX: &str = "redacted:";

/// The key under which secret values are hashed. It is made with the ledger and kept in a file of its own.
#[derive(Clone)]
pub struct RedactionKey {
    bytes: [u8; 32],
    id: String,
}

impl std::fmt::Debug for RedactionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedactionKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl RedactionKey {
    /// From 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let id = Canonical::new("driftledger/key-id/v1").bytes(&bytes).finish_hex()[..8].to_owned();
        Self { bytes, id }
    }

    /// Eight hex digits that name the key without giving it away.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key itself, for whoever writes its file.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// HMAC-SHA256 in 64 hex digits.
    pub fn hash_of(&self, bytes: &[u8]) -> String {
        hex(&self.mac(bytes))
    }

    fn mac(&self, bytes: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.bytes).expect("HMAC takes keys of any length");
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    /// The token for a value in its place: HMAC over identity, path and bytes.
    fn token(&self, object: &ObjectId, path: &FieldPath, form: &str, bytes: &[u8]) -> Value {
        // Only for Secrets is the scope certain before discovery, so only there the namespace goes in.
        let namespace = object.namespace.as_deref().filter(|_| object.group_kind().is_secret());
        let message = Canonical::new("driftledger/redact/v1")
            .text(&object.group)
            .text(&object.kind)
            .optional(namespace)
            .text(&object.name)
            .text(&path.to_string())
            .text(form)
            .bytes(bytes)
            .finish();
        Value::String(format!("{}{}", token_prefix(&self.id), hex(&self.mac(&message)[..16])))
    }
}

/// How every token of the key with this id begins.
pub fn token_prefix(key_id: &str) -> String {
    format!("{TOKEN_PREFIX}{key_id}:")
}

/// True for what stands in place of a secret value.
pub fn is_token(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with(TOKEN_PREFIX) || text == SOPS_TOKEN)
}

/// Fields of other kinds that are as secret as a Secret's data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedactionRules(pub Vec<RedactionRule>);

/// One such field: it and everything below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedactionRule {
    /// The kind it applies to.
    pub kind: GroupKind,
    /// The field; a step `["*"]` stands for any field, key or element.
    pub path: FieldPath,
}

/// Replaces what is secret in an object by tokens, in place. Returns whether anything was.
///
/// `object` names it with its namespace already defaulted. In a Secret, `stringData` is folded into `data`, as the server
/// does, because afterwards text and base64 can no longer be told apart. A kind or field of the wrong type is redacted whole.
pub fn redact(value: &mut Value, object: &ObjectId, key: &RedactionKey, rules: &RedactionRules) -> bool {
    let mut any = redact_fields(value, object, key, rules);
    let annotation = value.pointer_mut("/metadata/annotations").and_then(|a| a.get_mut(LAST_APPLIED));
    if let Some(annotation) = annotation {
        let applied = annotation.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let ruled = object.group_kind().is_secret() || rules.0.iter().any(|r| r.kind == object.group_kind());
        if let Some(mut applied) = applied {
            let redacted = redact_fields(&mut applied, object, key, rules);
            if redacted {
                *annotation = Value::String(applied.to_string());
            }
            any |= redacted;
        } else if ruled {
            // What cannot be read cannot be redacted in part.
            *annotation = key.token(object, &FieldPath::root(), "annotation", annotation.to_string().as_bytes());
            any = true;
        }
    }
    any
}

fn redact_fields(value: &mut Value, object: &ObjectId, key: &RedactionKey, rules: &RedactionRules) -> bool {
    let kind = object.group_kind();
    let mut any = false;
    if kind.is_secret() {
        any |= redact_secret(value, object, key);
    }
    for rule in rules.0.iter().filter(|rule| rule.kind == kind) {
        any |= redact_path(value, rule.path.steps(), &mut FieldPath::root(), object, key);
    }
    any
}

fn redact_secret(secret: &mut Value, object: &ObjectId, key: &RedactionKey) -> bool {
    let Some(root) = secret.as_object_mut() else {
        return false;
    };
    let path = FieldPath::of_fields(["data"]);
    let data = root.remove("data");
    let text = root.remove("stringData");
    if data.is_none() && text.is_none() {
        return false;
    }
    let mut folded = Map::new();
    let mut malformed = None;
    match data {
        Some(Value::Object(data)) => {
            for (name, value) in data {
                let place = path.field(name.as_str());
                let token = match &value {
                    Value::Null => key.token(object, &place, "bytes", b""),
                    Value::String(text) => encoded(text).unwrap_or_else(|text| match decode(text) {
                        Some(bytes) => key.token(object, &place, "bytes", &bytes),
                        None => key.token(object, &place, "not-base64", text.as_bytes()),
                    }),
                    other => key.token(object, &place, "not-text", other.to_string().as_bytes()),
                };
                folded.insert(name, token);
            }
        }
        None | Some(Value::Null) => {}
        Some(other) => malformed = Some(key.token(object, &path, "not-a-map", other.to_string().as_bytes())),
    }
    match text {
        Some(Value::Object(text)) => {
            for (name, value) in text {
                let place = path.field(name.as_str());
                let token = match &value {
                    Value::String(text) => {
                        encoded(text).unwrap_or_else(|text| key.token(object, &place, "bytes", text.as_bytes()))
                    }
                    Value::Null => key.token(object, &place, "bytes", b""),
                    other => key.token(object, &place, "not-text", other.to_string().as_bytes()),
                };
                folded.insert(name, token);
            }
        }
        None | Some(Value::Null) => {}
        Some(other) => malformed = Some(key.token(object, &path, "not-a-map", other.to_string().as_bytes())),
    }
    root.insert("data".into(), malformed.unwrap_or(Value::Object(folded)));
    true
}

/// SOPS leaves the keys in clear and writes each value as `ENC[AES256_GCM,…]`.
fn encoded(text: &str) -> Result<Value, &str> {
    if text.starts_with("ENC[AES256_GCM,") { Ok(Value::from(SOPS_TOKEN)) } else { Err(text) }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let tight: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(tight).ok()
}

fn redact_path(value: &mut Value, steps: &[Step], at: &mut FieldPath, object: &ObjectId, key: &RedactionKey) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return redact_below(value, at, object, key);
    };
    let any_name = matches!(step, Step::Field(name) if name == "*");
    let mut any = false;
    match value {
        Value::Object(map) => {
            for (name, child) in map.iter_mut() {
                if any_name || matches!(step, Step::Field(wanted) if wanted == name) {
                    at.push(Step::Field(name.clone()));
                    any |= redact_path(child, rest, at, object, key);
                    at.pop();
                }
            }
        }
        Value::Array(items) => {
            for item in items.iter_mut() {
                let hit = any_name
                    || matches!(step, Step::Key(keys) if keys.iter().all(|(name, wanted)| item.get(name) == Some(wanted)));
                if hit {
                    // Positions are left out of the path: an element keeps its token when the list is reordered.
                    at.push(Step::Field("*".into()));
                    any |= redact_path(item, rest, at, object, key);
                    at.pop();
                }
            }
        }
        _ => {}
    }
    any
}

fn redact_below(value: &mut Value, at: &mut FieldPath, object: &ObjectId, key: &RedactionKey) -> bool {
    match value {
        Value::Object(map) => {
            let mut any = false;
            for (name, child) in map.iter_mut() {
                at.push(Step::Field(name.clone()));
                any |= redact_below(child, at, object, key);
                at.pop();
            }
            any
        }
        Value::Array(items) => {
            let mut any = false;
            for item in items {
                any |= redact_below(item, at, object, key);
            }
            any
        }
        Value::Null => false,
        scalar => {
            let bytes = scalar.as_str().map_or_else(|| scalar.to_string(), str::to_owned);
            *scalar = key.token(object, at, "value", bytes.as_bytes());
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
            json!({"metadata": {"annotations": {LAST_APPLIED: format!("broken {canary}")}}}),
        ] {
            let text = redacted(value).to_string();
            assert!(!text.contains(canary) && !text.contains(&coded), "{text}");
        }
    }

    #[test]
    fn rules_redact_fields_of_other_kinds_and_their_last_applied() {
        let object = ObjectId { kind: "ConfigMap".into(), ..secret() };
        let rules = RedactionRules(vec![RedactionRule {
            kind: object.group_kind(),
            path: FieldPath::of_fields(["data"]).field("*"),
        }]);
        let applied = json!({"data": {"token": "CANARY"}}).to_string();
        let mut value =
            json!({"data": {"token": "CANARY", "n": 1}, "metadata": {"annotations": {LAST_APPLIED: applied}}});
        assert!(redact(&mut value, &object, &RedactionKey::from_bytes([1; 32]), &rules));
        assert!(!value.to_string().contains("CANARY"));
        assert!(is_token(&value["data"]["n"]));
    }

    #[test]
    fn sops_values_compare_by_presence() {
        let value = redacted(json!({"stringData": {"p": "ENC[AES256_GCM,data:x,type:str]"}}));
        assert_eq!(value["data"]["p"], json!(SOPS_TOKEN));
    }
}
