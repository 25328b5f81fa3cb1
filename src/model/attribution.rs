//! The evidence on a finding: commits on the declared side, writers on the live side.

use serde::{Deserialize, Serialize};

use super::ids::{CommitId, RepositoryName, Revision, TargetName};
use super::time::Timestamp;

/// Where a declaration stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The target that declares it.
    pub target: TargetName,
    /// Its repository.
    pub repository: RepositoryName,
    /// The tracked revision.
    pub revision: Revision,
    /// What the revision resolved to.
    pub commit: CommitId,
    /// Path from the repository's root.
    pub file: String,
    /// One-based line of the field, else of the object; `None` where it is not known.
    pub line: Option<u32>,
}

/// The commit that gave a declaration its present content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredBy {
    /// Commit id.
    pub commit: CommitId,
    /// Author's name.
    pub author: String,
    /// Author's e-mail address.
    pub email: String,
    /// Author time. Commit dates are the author's word, not proof.
    pub time: Timestamp,
    /// First line of the message.
    pub subject: String,
    /// The merge that brought it to the tracked revision, where that is another commit.
    pub reached_by: Option<CommitId>,
    /// Pull or merge request, where known.
    pub pull_request: Option<String>,
    /// Signature state, where checked.
    pub signature: Option<String>,
}

/// Where in Git the live value is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveMatch {
    /// The newest commit whose value equals the live one.
    pub commit: CommitId,
    /// The revision it is on.
    pub revision: Revision,
    /// First-parent commits from it to the tracked commit.
    pub commits_behind: Option<u64>,
    /// Since when Git declares something else: the time of the commit after it.
    pub since: Option<Timestamp>,
    /// The commit that gave it that value then; `None` where that was before the history at hand.
    #[serde(default)]
    pub given_by: Option<CommitId>,
}

/// What sort of writer a manager's name stands for. The name is chosen by the client: a hint, not proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// Brings Git's content to the cluster.
    Gitops,
    /// A controller of Kubernetes or of an operator.
    Controller,
    /// A person's tool.
    Interactive,
    /// Not in the actor table.
    Unknown,
}

impl ActorKind {
    /// As written in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gitops => "gitops",
            Self::Controller => "controller",
            Self::Interactive => "interactive",
            Self::Unknown => "unknown",
        }
    }
}

/// A writer of a live field, from `managedFields`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The field manager's self-declared name.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// `status`, `scale`…
    pub subresource: Option<String>,
    /// Of the manager's last change to any of its fields.
    pub time: Option<Timestamp>,
    /// By the actor table.
    pub kind: ActorKind,
    /// From an audit log, where one is given.
    pub user: Option<String>,
}
