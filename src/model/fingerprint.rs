//! Fingerprints: the same drift is the same finding from scan to scan. Both encodings are fixed for ever.

use serde_json::Value;

use super::canonical::{self, Canonical};
use super::field_path::FieldPath;
use super::finding::{Cause, Code};
use super::ids::{ClusterName, CommitId, FindingId, RepositoryName};
use super::resource::ObjectId;
use super::secret::RedactionKey;

/// Of a finding on an object: cluster, identity (without a generated name suffix) and field path; 64 hex digits.
///
/// No class, version, value or time goes in: a field that was absent and is now changed is the same finding.
pub fn of_object(cluster: &ClusterName, object: &ObjectId, path: Option<&FieldPath>) -> String {
    Canonical::new("driftledger/fingerprint/v1")
        .text(cluster.as_str())
        .text(&object.group)
        .text(&object.kind)
        .optional(object.namespace.as_deref())
        .text(stable_name(object))
        .optional(path.map(FieldPath::to_string).as_deref())
        .finish_hex()
}

/// Of a finding on a commit: repository and commit; 64 hex digits.
pub fn of_commit(repository: &RepositoryName, commit: &CommitId) -> String {
    Canonical::new("driftledger/fingerprint-of-commit/v1").text(repository.as_str()).text(commit.as_str()).finish_hex()
}

/// Of a finding's content: when it changes, the finding "changed". Values enter as keyed hashes only.
pub fn of_content(
    fingerprint: &str,
    code: Code,
    cause: Option<Cause>,
    declared: Option<&Value>,
    live: Option<&Value>,
    key: &RedactionKey,
) -> String {
    let keyed = |value: Option<&Value>| value.map(|v| key.hash_of(canonical::json(v).as_bytes()));
    Canonical::new("driftledger/content/v1")
        .text(fingerprint)
        .text(code.class())
        .optional(cause.map(Cause::as_str))
        .optional(keyed(declared).as_deref())
        .optional(keyed(live).as_deref())
        .finish_hex()
}

/// The short id that people type.
pub fn finding_id(fingerprint: &str) -> FindingId {
    FindingId::new(format!("F-{}", fingerprint.get(..8).unwrap_or(fingerprint)))
}

/// The name without the hash that Kustomize's generators append to ConfigMaps and Secrets:
/// ten characters of its alphabet (sigs.k8s.io/kustomize, `api/hasher`, `encode`).
pub fn stable_name(object: &ObjectId) -> &str {
    const ALPHABET: &[u8] = b"bcdfghkmt2456789";
    let generated = object.group.is_empty() && matches!(object.kind.as_str(), "ConfigMap" | "Secret");
    match object.name.rsplit_once('-') {
        Some((base, suffix))
            if generated && !base.is_empty() && suffix.len() == 10 && suffix.bytes().all(|b| ALPHABET.contains(&b)) =>
        {
            base
        }
        _ => &object.name,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(kind: &str, name: &str) -> ObjectId {
        ObjectId { group: String::new(), kind: kind.into(), namespace: Some("shop".into()), name: name.into() }
    }

    #[test]
    fn generated_suffixes_are_taken_off_where_generators_make_them() {
        assert_eq!(stable_name(&object("ConfigMap", "app-config-5fdm9b2hkt")), "app-config");
        assert_eq!(stable_name(&object("Secret", "db-2g2k8t9m6f")), "db");
        for (kind, name) in [
            ("ConfigMap", "app-config"),
            ("ConfigMap", "app-1234567890"),
            ("Service", "app-5fdm9b2hkt"),
            ("ConfigMap", "-5fdm9b2hkt"),
        ] {
            assert_eq!(stable_name(&object(kind, name)), name);
        }
    }

    /// The encodings stand in ledgers: a change here makes every open finding a new one.
    #[test]
    fn fingerprints_are_fixed() {
        let cluster = ClusterName::new("prod");
        let path = FieldPath::of_fields(["spec", "replicas"]);
        let id = object("ConfigMap", "a");
        assert_eq!(
            of_object(&cluster, &id, Some(&path)),
            "4538ffe16a429d6605318bfe40956a6739860a18fe10167c3653f63f81ee5113"
        );
        assert_eq!(of_object(&cluster, &id, None), "ce907659f0d2b9c525d624be5de12024e6e20ea42201863d81ff15cd12fd219b");
        assert_eq!(
            of_commit(&RepositoryName::new("platform"), &CommitId::new("4be07d2")),
            "0c0246df1e15840452d9d250da6bd646e81278646108f53773e687f1da67f852"
        );
        let key = RedactionKey::from_bytes([7; 32]);
        assert_eq!(
            of_content("f", Code::Changed, Some(Cause::Behind), Some(&json!(3)), None, &key),
            "cab2256e6a0a7d276b1a10cf3040356fd96b877b64950a169b197a92f328cb70"
        );
    }

    #[test]
    fn every_part_counts() {
        let cluster = ClusterName::new("prod");
        let base = of_object(&cluster, &object("ConfigMap", "a"), None);
        assert_ne!(base, of_object(&ClusterName::new("dev"), &object("ConfigMap", "a"), None));
        assert_ne!(base, of_object(&cluster, &object("Secret", "a"), None));
        assert_ne!(base, of_object(&cluster, &object("ConfigMap", "b"), None));
        assert_ne!(base, of_object(&cluster, &ObjectId { namespace: None, ..object("ConfigMap", "a") }, None));
        assert_ne!(base, of_object(&cluster, &object("ConfigMap", "a"), Some(&FieldPath::root())));
    }
}
