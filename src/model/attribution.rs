//! The evidence on a finding: commits on the declared side, writers on the live side.

use serde::{Deserialize, Serialize};

use super::history::CommitInfo;
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
    /// What made the object out of the file, with its version, as `helm v3.19.0`; `None`: it is written there as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renderer: Option<String>,
}

/// Trailers of a commit that are kept.
pub const MOST_TRAILERS: usize = 20;

/// The committer of a commit, by the commit's own word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committer {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Commit time.
    pub time: Timestamp,
}

/// A trailer of a commit's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// `Reviewed-by`
    pub name: String,
    /// What follows the colon, its first thousand characters.
    pub value: String,
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
    /// Who made the commit, where it was looked at; often the author, or a forge's server.
    #[serde(default)]
    pub committer: Option<Committer>,
    /// The message's trailers in order, `Reviewed-by` and the like; at most [`MOST_TRAILERS`]. Anybody can write them.
    #[serde(default)]
    pub trailers: Vec<Trailer>,
    /// The pull or merge request that the message names: `PR #812`, `MR !12`. No proof of an approval.
    pub pull_request: Option<String>,
    /// `verified`, `unverified`, `bad` or `none`; `None` where it was not checked.
    pub signature: Option<String>,
    /// By whom it is signed, or why that does not count.
    #[serde(default)]
    pub signature_detail: Option<String>,
    /// The commit's page, where the repository's URL leaves no doubt.
    #[serde(default)]
    pub commit_url: Option<String>,
    /// The request's page, likewise.
    #[serde(default)]
    pub pull_request_url: Option<String>,
}

impl DeclaredBy {
    /// A commit, before its request and signature are looked at. `reached_by` is the merge that brought it, where that is another one.
    pub fn of(commit: &CommitInfo, reached_by: Option<&CommitInfo>) -> Self {
        Self {
            commit: commit.id.clone(),
            author: commit.author.clone(),
            email: commit.email.clone(),
            time: commit.time,
            subject: commit.subject.clone(),
            reached_by: reached_by.map(|merge| merge.id.clone()),
            committer: None,
            trailers: Vec::new(),
            pull_request: None,
            signature: None,
            signature_detail: None,
            commit_url: None,
            pull_request_url: None,
        }
    }
}

/// Where in Git the live value is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveMatch {
    /// The newest commit whose value equals the live one.
    pub commit: CommitId,
    /// The revision it is on.
    pub revision: Revision,
    /// First-parent commits from it to the tracked commit; where a merge brought it, from that merge.
    pub commits_behind: Option<u64>,
    /// Since when Git declares something else: the time of the commit after it.
    pub since: Option<Timestamp>,
    /// The commit that gave it that value then; `None` where that was before the history at hand.
    #[serde(default)]
    pub given_by: Option<CommitId>,
    /// The merge that brought `commit`, where it stood only inside of what that one merged.
    #[serde(default)]
    pub reached_by: Option<CommitId>,
    /// What is known of `commit`; `None` where it was not looked at.
    #[serde(default)]
    pub matched: Option<Box<DeclaredBy>>,
    /// What is known of `given_by`, where that is another commit.
    #[serde(default)]
    pub given: Option<Box<DeclaredBy>>,
}

impl LiveMatch {
    /// A commit that has the live value, before more is known of it.
    pub fn of(commit: CommitId, revision: &Revision) -> Self {
        Self {
            commit,
            revision: revision.clone(),
            commits_behind: None,
            since: None,
            given_by: None,
            reached_by: None,
            matched: None,
            given: None,
        }
    }

    /// What is known of the commit that gave the live value once, or else of the newest that has it.
    pub fn by(&self) -> Option<&DeclaredBy> {
        self.given.as_deref().or(self.matched.as_deref())
    }
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
