//! What is known of a commit as a change: who made it, how it reached the revision, and whether its signature holds.

use std::fmt;

use super::ids::CommitId;
use super::time::Timestamp;

/// Said wherever a request is named: a number in a message is no review.
pub const APPROVAL_NOTE: &str = "approval not verified";

/// A commit with its evidence. Everything but the signature is the word of whoever wrote the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Id.
    pub commit: CommitId,
    /// Who wrote the change.
    pub author: Person,
    /// Who made the commit.
    pub committer: Person,
    /// First line of the message that is not empty.
    pub subject: String,
    /// What follows the subject, trailers included.
    pub body: String,
    /// `Reviewed-by`, `Signed-off-by` and the like, in order, as `git interpret-trailers --parse` finds them.
    pub trailers: Vec<(String, String)>,
    /// The first is the one that the revision's own line goes on with.
    pub parents: Vec<CommitId>,
    /// Whether it is signed, and by whom.
    pub signature: Signature,
}

impl Change {
    /// Whether it joins lines of history.
    pub fn is_merge(&self) -> bool {
        self.parents.len() > 1
    }
}

/// An author or committer, as the commit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// When, by the clock of whoever wrote it.
    pub time: Timestamp,
}

/// What checking a commit's signature came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// It holds, and its key is one of those that the configuration trusts.
    Verified {
        /// Whose key it is, by the file that has the key.
        by: String,
        /// The key: `SHA256:…` for SSH, the fingerprint in upper-case hex for OpenPGP.
        key: String,
        /// What a reader should know all the same.
        note: Option<String>,
    },
    /// It is signed, and that says nothing: no trusted key, or one that did not count at that time.
    Unverified {
        /// Why.
        why: String,
    },
    /// It is signed, and the signature is not of this commit or cannot be read.
    Bad {
        /// Why.
        why: String,
    },
    /// It is not signed.
    None,
}

impl Signature {
    /// Signed, without a key that counts.
    pub fn unverified(why: impl Into<String>) -> Self {
        Self::Unverified { why: why.into() }
    }

    /// Signed wrongly.
    pub fn bad(why: impl Into<String>) -> Self {
        Self::Bad { why: why.into() }
    }

    /// As written in outputs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Verified { .. } => "verified",
            Self::Unverified { .. } => "unverified",
            Self::Bad { .. } => "bad",
            Self::None => "none",
        }
    }

    /// By whom, or why not; `None` where there is nothing to add.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Verified { by, key, note: Some(note) } => Some(format!("{by}, key {key}; {note}")),
            Self::Verified { by, key, note: None } => Some(format!("{by}, key {key}")),
            Self::Unverified { why } | Self::Bad { why } => Some(why.clone()),
            Self::None => None,
        }
    }
}

/// A pull or merge request that a commit's message names. Nothing here proves that anybody approved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number in the repository.
    pub number: u64,
    /// What the forge calls it.
    pub form: RequestForm,
    /// Its page, where the repository's URL and the form of the message leave no doubt.
    pub url: Option<String>,
}

/// What a forge calls a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestForm {
    /// GitHub, Bitbucket, Gitea, Forgejo, Azure DevOps.
    PullRequest,
    /// GitLab.
    MergeRequest,
}

impl fmt::Display for PullRequest {
    /// `PR #812`, or `MR !12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            RequestForm::PullRequest => write!(f, "PR #{}", self.number),
            RequestForm::MergeRequest => write!(f, "MR !{}", self.number),
        }
    }
}
