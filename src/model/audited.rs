//! What an audit log says of a finding, and of objects that were written and are in sync: the JSON that outputs show.

use serde::{Deserialize, Serialize};

use super::audit_event::Verb;
use super::ids::{ClusterName, TargetName};
use super::resource::ObjectId;
use super::time::Timestamp;

/// How a write belongs to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Matched {
    /// Its logged content is about the finding's field.
    Field,
    /// It made or deleted the object that is the finding.
    Object,
    /// It is a write to the object, and whether to this field the log does not tell.
    Candidate,
}

/// A write from an audit log, as evidence on a finding. Its content is never kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditedWrite {
    /// When the request came in, by the API server's clock.
    pub time: Timestamp,
    /// The request's verb.
    pub verb: Verb,
    /// `scale`…
    pub subresource: Option<String>,
    /// The authenticated user.
    pub user: String,
    /// As whom that user acted.
    pub impersonated: Option<String>,
    /// The user's groups, at most [`MOST_GROUPS`].
    pub groups: Vec<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// Where it came from; `None` unless `sourceIPs: true` is configured.
    #[serde(rename = "sourceIPs")]
    pub source_ips: Option<Vec<String>>,
    /// HTTP status.
    pub code: u16,
    /// The field manager, as far as the log tells.
    pub manager: Option<String>,
    /// How it belongs to the finding.
    pub matched: Matched,
    /// Why it is listed, for people.
    pub why: String,
    /// Whether its user is none who writes under the name of the manager that managedFields gives.
    pub contradicts: bool,
}

/// Groups that are kept of a user.
pub const MOST_GROUPS: usize = 50;

/// A declared object that is in sync and was written by somebody since the last scan looked at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reverted {
    /// Where it is.
    pub cluster: ClusterName,
    /// Which it is.
    #[serde(flatten)]
    pub object: ObjectId,
    /// The target that declares it.
    pub target: TargetName,
    /// The writes, newest first.
    pub writes: Vec<AuditedWrite>,
}
