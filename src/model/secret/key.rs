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

    /// The 32 hex digits for a value in its place: HMAC over identity, path, form and bytes.
    pub(super) fn digits(&self, object: &ObjectId, path: &str, form: &str, bytes: &[u8]) -> String {
        // Only for Secrets is the scope certain before discovery, so only there the namespace goes in.
        let namespace = object.namespace.as_deref().filter(|_| object.group_kind().is_secret());
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

    /// What stands in place of a whole value.
    pub(super) fn token(&self, object: &ObjectId, path: &str, form: &str, bytes: &[u8]) -> Value {
        Value::String(token::whole(&self.id, &self.digits(object, path, form, bytes)))
    }
}
