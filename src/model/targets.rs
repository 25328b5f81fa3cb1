//! The targets of a configuration, written and discovered.

use serde::Serialize;

use super::gap::Gap;
use super::ids::{ClusterName, CommitId, RepositoryName, Revision, TargetName};

/// The schema of what `targets` says as JSON.
pub const TARGETS_SCHEMA: &str = "driftledger/targets/v1";

/// All of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetList {
    /// [`TARGETS_SCHEMA`].
    pub schema: &'static str,
    /// Written ones first, in order; then discovered ones.
    pub targets: Vec<ListedTarget>,
    /// What of them could not be read or understood.
    pub gaps: Vec<Gap>,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedTarget {
    /// Its name.
    pub name: TargetName,
    /// Whether a declared object names it; else it is written in the configuration.
    pub discovered: bool,
    /// Its cluster.
    pub cluster: ClusterName,
    /// For objects that name none.
    pub namespace: String,
    /// Its repository.
    pub repository: RepositoryName,
    /// The tracked revision.
    pub revision: Revision,
    /// What that resolved to; `None` where it did not.
    pub commit: Option<CommitId>,
    /// From the repository's root; empty: the root.
    pub path: String,
    /// What renders it, with its version; `None`: its files are the objects, or it could not be rendered.
    pub renderer: Option<String>,
    /// How many objects it declares.
    pub objects: u64,
}
