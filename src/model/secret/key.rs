//! The key under which secret values are hashed.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::token;
use crate::model::canonical::{Canonical, hex};
use crate::model::resource::ObjectId;

/// The key under which secret values are hashed. It is made with the ledger and kept in a file of its own.
#[derive(Clone)]
pub struct RedactionKey {
    bytes: [u8; 32],
    id: String,
    namespaces: bool,
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
        Self { bytes, id, namespaces: true }
    }

    /// The same key, under which a Secret's value has the same hash in every namespace. For two files: what is declared often names no
    /// namespace, and what is live always does.
    #[must_use]
    pub fn across_namespaces(self) -> Self {
        Self { namespaces: false, ..self }
    }

    /// Whether [`Self::across_namespaces`] was asked for: then hashes are others, though the key's id is the same.
    pub fn is_across_namespaces(&self) -> bool {
        !self.namespaces
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

    /// The 32 hex digits for a value in its place: HMAC over identity, path, form and bytes.
    fn digits(&self, object: &ObjectId, path: &str, form: &str, bytes: &[u8]) -> String {
        // Only for Secrets is the scope certain before discovery, so only there the namespace goes in.
        let namespace = object.namespace.as_deref().filter(|_| self.namespaces && object.group_kind().is_secret());
        let message = Canonical::new("driftledger/redact/v1")
            .text(&object.group)
            .text(&object.kind)
            .optional(namespace)
            .text(&object.name)
            .text(path)
            .text(form)
            .bytes(bytes)
            .finish();
        hex(&self.mac(&message)[..16])
    }
}

/// Makes the tokens of one object.
pub(super) struct Tokens<'a> {
    key: &'a RedactionKey,
    object: &'a ObjectId,
    /// How the tokens of an earlier redaction begin; they stay.
    kept: Option<String>,
}

impl<'a> Tokens<'a> {
    /// For an object that holds no tokens yet: what looks like one is a value.
    pub(super) fn new(key: &'a RedactionKey, object: &'a ObjectId) -> Self {
        Self { key, object, kept: None }
    }

    /// For an object that was redacted before, under the key with this id.
    pub(super) fn again(key: &'a RedactionKey, object: &'a ObjectId, by: &str) -> Self {
        Self { key, object, kept: Some(token::prefix(by)) }
    }

    /// How the tokens that this makes begin.
    pub(super) fn prefix(&self) -> String {
        token::prefix(&self.key.id)
    }

    /// How tokens that stay begin.
    pub(super) fn kept(&self) -> Option<&str> {
        self.kept.as_deref()
    }

    /// What stands in place of a whole value.
    pub(super) fn whole(&self, path: &str, form: &str, bytes: &[u8]) -> Value {
        if let Some((kept, text)) = self.kept().zip(std::str::from_utf8(bytes).ok()) {
            let stays = text.starts_with(kept) || text.starts_with(token::NO_KEY_PREFIX);
            let token = stays && token::digits_of(text).is_some();
            if token || text == token::SOPS_TOKEN {
                return Value::from(text);
            }
        }
        Value::String(token::whole(self.key_id(bytes), &self.key.digits(self.object, path, form, bytes)))
    }

    /// What stands in place of a part of a text, which the text calls `name`.
    pub(super) fn inside(&self, path: &str, name: &str, bytes: &[u8]) -> String {
        let digits = self.key.digits(self.object, path, &format!("text:{name}"), bytes);
        token::inside(self.key_id(bytes), &digits, name)
    }

    /// What holds a token already is no longer what it was: its hash is nobody's.
    fn key_id(&self, bytes: &[u8]) -> &str {
        match self.kept() {
            Some(kept) if memchr::memmem::find(bytes, kept.as_bytes()).is_some() => token::NO_KEY,
            _ => &self.key.id,
        }
    }
}
