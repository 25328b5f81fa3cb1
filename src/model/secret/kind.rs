//! A Secret's own content: `data` and `stringData`.

use base64::Engine as _;
use serde_json::{Map, Value};

use super::key::Tokens;
use super::token::SOPS_TOKEN;
use crate::model::field_path::FieldPath;

/// Replaces every value of a Secret. `stringData` is folded into `data`, as the server does, because afterwards text and base64 can no
/// longer be told apart. A null says nothing of a value and stays: to `kubectl apply` it leaves the field to the server.
pub(super) fn redact_secret(secret: &mut Value, tokens: &Tokens<'_>) -> bool {
    let Some(root) = secret.as_object_mut() else {
        return false;
    };
    let data = root.remove("data");
    let text = root.remove("stringData");
    if data.is_none() && text.is_none() {
        return false;
    }
    let mut folded = Map::new();
    let mut malformed = None;
    for (given, coded) in [(data, true), (text, false)] {
        match given {
            Some(Value::Object(given)) => fold(given, coded, &mut folded, tokens),
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => malformed = Some(tokens.whole(".data", "not-a-map", text.as_bytes())),
            Some(other) => malformed = Some(tokens.whole(".data", "not-text", other.to_string().as_bytes())),
        }
    }
    root.insert("data".into(), malformed.unwrap_or(Value::Object(folded)));
    true
}

fn fold(given: Map<String, Value>, coded: bool, folded: &mut Map<String, Value>, tokens: &Tokens<'_>) {
    for (name, value) in given {
        let place = FieldPath::of_fields(["data"]).field(name.as_str()).to_string();
        let token = match &value {
            // Nothing is said of what `data` has.
            Value::Null if folded.contains_key(&name) => continue,
            Value::Null => Value::Null,
            Value::String(text) => encrypted(text).unwrap_or_else(|| match decode(text).filter(|_| coded) {
                // A generator took it from an encrypted file.
                Some(bytes) if is_encrypted(&bytes) => Value::from(SOPS_TOKEN),
                Some(bytes) => tokens.whole(&place, "bytes", &bytes),
                None if coded => tokens.whole(&place, "not-base64", text.as_bytes()),
                None => tokens.whole(&place, "bytes", text.as_bytes()),
            }),
            other => tokens.whole(&place, "not-text", other.to_string().as_bytes()),
        };
        folded.insert(name, token);
    }
    // What SOPS says of itself in an encrypted file of variables is gone once that is decrypted.
    if coded && folded.values().any(|value| value == SOPS_TOKEN) {
        folded.retain(|name, _| !name.starts_with("sops_"));
    }
}

/// Whether a text, or a file in one of SOPS's formats, is encrypted.
fn is_encrypted(bytes: &[u8]) -> bool {
    const MARK: &[u8] = b"ENC[AES256_GCM,";
    let holds = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
    bytes.starts_with(MARK) || (holds(MARK) && holds(b"sops"))
}

/// SOPS leaves the keys in clear and writes each value as `ENC[AES256_GCM,…]`.
pub(super) fn encrypted(text: &str) -> Option<Value> {
    text.starts_with("ENC[AES256_GCM,").then(|| Value::from(SOPS_TOKEN))
}

/// The bytes of a base64 text, which may be wrapped.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let tight: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(tight).ok()
}

pub(super) fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
