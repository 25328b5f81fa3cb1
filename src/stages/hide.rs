//! Redaction of what a cluster says, as it is read: objects before they are compared, and texts before they are shown.

use serde_json::{Value, json};

use crate::model::redacted::redact_again;
use crate::model::resource::ObjectId;
use crate::model::secret::{RedactionKey, RedactionRules, redact};

/// How it is hidden.
#[derive(Clone, Copy)]
pub struct Hide<'a> {
    /// The ledger's key.
    pub key: &'a RedactionKey,
    /// What is secret besides Secrets.
    pub rules: &'a RedactionRules,
    /// The id of the key under which it was redacted before it came here, as that of a snapshot.
    pub before: Option<&'a str>,
}

impl Hide<'_> {
    /// An object, or part of one, in place.
    pub fn object(&self, tree: &mut Value, id: &ObjectId) {
        match self.before {
            Some(by) => redact_again(tree, id, self.key, self.rules, by),
            None => redact(tree, id, self.key, self.rules),
        };
    }

    /// A text in which something is said about an object: whole, since of what is cut off in the middle nobody can tell what it was.
    pub fn text(&self, text: &str, about: &ObjectId) -> String {
        let mut tree = json!({"status": {"message": text}});
        self.object(&mut tree, about);
        tree.pointer("/status/message").and_then(Value::as_str).unwrap_or("(redacted)").to_owned()
    }
}
