//! What differs between two declared states.

use serde::Serialize;
use serde_json::Value;

use super::field_path::FieldPath;
use super::gap::Gap;
use super::ids::{CommitId, RepositoryName, Revision, TargetName};

/// The schema of what `compare-revisions` says as JSON.
pub const REVISIONS_SCHEMA: &str = "driftledger/compare-revisions/v1";

/// Two declared states, and what differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionComparison {
    /// [`REVISIONS_SCHEMA`].
    pub schema: &'static str,
    /// The two sides.
    pub sides: [Side; 2],
    /// Fields that differ: container images first, then by object.
    pub fields: Vec<DifferentField>,
    /// Objects that only one side declares: `ConfigMap shop/a`.
    pub only: [Vec<String>; 2],
    /// How many objects both sides declare.
    pub both: u64,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// A target at a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// The target.
    pub target: TargetName,
    /// Its repository.
    pub repository: RepositoryName,
    /// The revision.
    pub revision: Revision,
    /// What that resolved to; `None` where it did not.
    pub commit: Option<CommitId>,
}

/// A field that both sides do not declare alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DifferentField {
    /// The object, as the first side has it: `Deployment shop/api`.
    pub object: String,
    /// The field.
    pub path: FieldPath,
    /// Whether it is a container's image.
    pub is_image: bool,
    /// What each side declares; `None`: nothing. Secrets redacted.
    pub values: [Option<Value>; 2],
}
