//! The canonical, length-prefixed encoding under every hash this program keeps: fingerprints, seals, keyed hashes.
//!
//! Every part is its length as eight big-endian bytes and then its bytes, so that no two lists of parts encode alike.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Collects parts and gives their SHA-256.
#[derive(Clone)]
pub struct Canonical(Sha256);

impl Canonical {
    /// Starts with the name of what is hashed and the version of its encoding, as in `driftledger/fingerprint/v1`.
    pub fn new(domain: &str) -> Self {
        Self(Sha256::new()).text(domain)
    }

    /// One part of bytes.
    #[must_use]
    pub fn bytes(mut self, part: &[u8]) -> Self {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
        self
    }

    /// One part of text, as UTF-8.
    #[must_use]
    pub fn text(self, part: &str) -> Self {
        self.bytes(part.as_bytes())
    }

    /// A number, as eight big-endian bytes.
    #[must_use]
    pub fn number(self, part: i64) -> Self {
        self.bytes(&part.to_be_bytes())
    }

    /// A text that may be absent; absent differs from empty.
    #[must_use]
    pub fn optional(self, part: Option<&str>) -> Self {
        match part {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    /// The SHA-256.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// The SHA-256 in lower-case hex.
    pub fn finish_hex(self) -> String {
        hex(&self.finish())
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// JSON with keys in byte order and no white space: equal values give equal text, whatever order they were read in.
pub fn json(value: &Value) -> String {
    let mut text = String::new();
    write_json(value, &mut text);
    text
}

fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (n, (key, value)) in entries.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_json(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        let ab_c = Canonical::new("d").text("ab").text("c").finish();
        let a_bc = Canonical::new("d").text("a").text("bc").finish();
        assert_ne!(ab_c, a_bc);
        assert_ne!(Canonical::new("d").optional(None).finish(), Canonical::new("d").optional(Some("")).finish());
    }

    #[test]
    fn json_is_sorted_and_tight() {
        assert_eq!(
            json(&json!({"b": [1, {"d": null, "c": "x\"y"}], "a": 1.5})),
            r#"{"a":1.5,"b":[1,{"c":"x\"y","d":null}]}"#
        );
    }
}
