//! What a target asks of the commits that reach its revision: the `changePolicy` section.

use schemars::JsonSchema;
use serde::Deserialize;
use wildmatch::WildMatch;

use crate::model::change::Signature;
use crate::model::time::Timestamp;

/// Digits of an OpenPGP key id; fewer would fit too many keys.
const KEY_ID_DIGITS: usize = 16;

/// What every commit that reaches the revision along its first parents has to fulfil (DL012). A commit is held against it once, in the
/// first scan that sees it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawChangePolicy {
    /// `required`: each commit is signed with a key of the repository's `allowedSigners` or `keyring`.
    pub signatures: Option<RawSignatures>,
    /// Who may sign: e-mail addresses as the files of keys have them (`*` stands for any text), SSH keys as `SHA256:…`, OpenPGP
    /// fingerprints or long key ids. Asks for signatures too.
    #[serde(default)]
    pub signers: Vec<String>,
    /// True: each commit is a merge; nothing is pushed to the revision itself.
    pub merge_only: Option<bool>,
    /// Names of trailers that each commit's message has, as `Reviewed-by`. Anybody can write them.
    #[serde(default)]
    pub trailers: Vec<String>,
    /// The date, as `2026-01-01`, from which on earlier commits are held against the policy too, when it is new or has changed. Default:
    /// only commits that come after this ledger first saw the revision.
    pub since: Option<String>,
}

/// Whether commits have to be signed.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RawSignatures {
    /// Each one.
    Required,
}

/// What a target asks of commits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangePolicy {
    /// Whether a verified signature is asked for.
    pub signed: bool,
    /// By whom; empty: by anybody whose key is trusted.
    pub signers: Vec<String>,
    /// Whether only merges may come.
    pub merge_only: bool,
    /// Trailers that are asked for.
    pub trailers: Vec<String>,
    /// From when on earlier commits count.
    pub since: Option<Timestamp>,
}

impl RawChangePolicy {
    /// The policy, or what is wrong: the key below `changePolicy`, which may be empty, and what to do. `has_keys`: whether the
    /// repository names a file of keys.
    pub(super) fn read(&self, has_keys: bool) -> Result<ChangePolicy, Vec<(String, String)>> {
        let mut problems = Vec::new();
        let mut problem = |key: &str, message: &str| problems.push((key.to_owned(), message.to_owned()));
        let signed = self.signatures.is_some() || !self.signers.is_empty();
        if signed && !has_keys {
            let key = if self.signatures.is_some() { "signatures" } else { "signers" };
            problem(
                key,
                "needs `allowedSigners` or `keyring` at the target's repository: without keys nothing is verified",
            );
        }
        if !signed && self.merge_only != Some(true) && self.trailers.is_empty() {
            problem("", "asks for nothing; name `signatures`, `signers`, `mergeOnly` or `trailers`");
        }
        for (n, signer) in self.signers.iter().enumerate() {
            if signer.trim().is_empty() {
                problem(&format!("signers[{n}]"), "is empty");
            }
        }
        for (n, name) in self.trailers.iter().enumerate() {
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                problem(&format!("trailers[{n}]"), "is no trailer's name; write it as `Reviewed-by`");
            }
        }
        let since = self.since.as_deref().and_then(|text| {
            let date = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == "2026-01-01".len());
            let start = date.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
            if start.is_none() {
                problem("since", "is no date; write it as `2026-01-01`");
            }
            start.map(|start| Timestamp::from_unix(start.timestamp().as_second()))
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(ChangePolicy {
            signed,
            signers: self.signers.iter().map(|signer| signer.trim().to_owned()).collect(),
            merge_only: self.merge_only.unwrap_or(false),
            trailers: self.trailers.clone(),
            since,
        })
    }
}

impl ChangePolicy {
    /// Whether a verified signature is of somebody who may sign.
    pub fn allows(&self, signature: &Signature) -> bool {
        let Signature::Verified { by, key, .. } = signature else { return false };
        self.signers.is_empty() || self.signers.iter().any(|signer| names(signer, by, key))
    }

    /// What a change of it is recognised by.
    pub fn canonical(&self) -> String {
        format!("{self:?}")
    }
}

fn names(signer: &str, by: &str, key: &str) -> bool {
    let tight: String = signer.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = tight.strip_prefix("0x").unwrap_or(&tight).to_ascii_uppercase();
    let is_id = digits.len() >= KEY_ID_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    signer == key || (is_id && key.ends_with(&digits)) || WildMatch::new_case_insensitive(signer).matches(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(by: &str, key: &str) -> Signature {
        Signature::Verified { by: by.into(), key: key.into(), note: None }
    }

    #[test]
    fn signers_are_named_by_address_or_key() {
        let ssh = "SHA256:1vYrfTnnNFjnZ7XA5iBOC9Q0xQ0hSXhpbFzM8mX2mQk";
        let pgp = "603443010B90D0170B600ED0C30230B78948DB00";
        for (signer, by, key, allowed) in [
            ("ann@example.com", "Ann@example.com", ssh, true),
            ("*@example.com", "ann@example.com", ssh, true),
            ("bob@example.com", "ann@example.com", ssh, false),
            (ssh, "ann@example.com", ssh, true),
            ("SHA256:1vYrfTnnNFjn", "ann@example.com", ssh, false),
            ("0xC30230B78948DB00", "ann@example.com", pgp, true),
            ("6034 4301 0b90 d017 0b60 0ed0 c302 30b7 8948 db00", "ann@example.com", pgp, true),
            ("8948DB00", "ann@example.com", pgp, false),
        ] {
            let policy = ChangePolicy { signers: vec![signer.into()], ..ChangePolicy::default() };
            assert_eq!(policy.allows(&verified(by, key)), allowed, "{signer}");
        }
        let anybody = ChangePolicy::default();
        assert!(anybody.allows(&verified("x", ssh)));
        assert!(!anybody.allows(&Signature::unverified("no key")) && !anybody.allows(&Signature::None));
    }
}
