//! A Secret's own content: `data` and `stringData`.

use base64::Engine as _;
use serde_json::{Map, Value};

use super::key::RedactionKey;
use super::token::SOPS_TOKEN;
use crate::model::resource::ObjectId;

/// Replaces every value of a Secret. `stringData` is folded into `data`, as the server does, because afterwards text and base64 can no
/// longer be told apart.
pub(super) fn redact_secret(secret: &mut Value, object: &ObjectId, key: &RedactionKey) -> bool {
    let Some(root) = secret.as_object_mut() else {
        return false;
    };
    let path = super::redact::data_path();
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
                let place = path.field(name.as_str()).to_string();
                let token = match &value {
                    Value::Null => key.token(object, &place, "bytes", b""),
                    Value::String(text) => encrypted(text).unwrap_or_else(|| match decode(text) {
                        Some(bytes) => key.token(object, &place, "bytes", &bytes),
                        None => key.token(object, &place, "not-base64", text.as_bytes()),
                    }),
                    other => key.token(object, &place, "not-text", other.to_string().as_bytes()),
                };
                folded.insert(name, token);
            }
        }
        None | Some(Value::Null) => {}
        Some(other) => {
            malformed = Some(key.token(object, &path.to_string(), "not-a-map", other.to_string().as_bytes()));
        }
    }
    match text {
        Some(Value::Object(text)) => {
            for (name, value) in text {
                let place = path.field(name.as_str()).to_string();
                let token = match &value {
                    Value::String(text) => {
                        encrypted(text).unwrap_or_else(|| key.token(object, &place, "bytes", text.as_bytes()))
                    }
                    Value::Null => key.token(object, &place, "bytes", b""),
                    other => key.token(object, &place, "not-text", other.to_string().as_bytes()),
                };
                folded.insert(name, token);
            }
        }
        None | Some(Value::Null) => {}
        Some(other) => {
            malformed = Some(key.token(object, &path.to_string(), "not-a-map", other.to_string().as_bytes()));
        }
    }
    root.insert("data".into(), malformed.unwrap_or(Value::Object(folded)));
    true
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
