//! Redaction on entry: secret values become keyed hashes before anything else sees them.
//!
//! What is redacted: `data` and `stringData` of every Secret, the fields that the redaction rules name, and values whose name looks
//! like a credential's, wherever they stand: environment variables, keys of ConfigMaps and of the texts in them, flags, URLs,
//! annotations, fields of custom resources. All of it again inside the `last-applied-configuration` annotation. In a text only the
//! secret itself is replaced, so that the rest is compared and shown as text.
//!
//! A redacted value can be compared (equal bytes in the same place of the same object give the same token) and never turned back.
//! Redaction looks at one side alone: what it does to a text depends on nothing but that text and its place.

mod key;
mod kind;
mod looks;
mod name;
mod note;
mod redact;
mod rules;
mod text;
mod token;
mod value;

#[cfg(test)]
mod tests;

pub use key::RedactionKey;
pub use note::redaction_note;
pub use redact::{LAST_APPLIED, redact, redact_again};
pub use rules::{BadPattern, CredentialNames, NameLists, RedactionRule, RedactionRules, ShownField};
pub use token::{Inside, NO_KEY, SOPS_TOKEN, digits_of, inside_of, is_hidden, is_token, prefix as token_prefix};
