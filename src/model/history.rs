//! A file's past on a revision, as far as evidence needs it.

use super::ids::{BlobId, CommitId};
use super::time::Timestamp;

/// A commit, as shown to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// Id.
    pub id: CommitId,
    /// Author's name.
    pub author: String,
    /// Author's e-mail address.
    pub email: String,
    /// Author time.
    pub time: Timestamp,
    /// First line of the message.
    pub subject: String,
    /// Number of parents.
    pub parents: usize,
}

/// One version of a file: what a commit on the first-parent line made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// The commit that brought it to the revision.
    pub commit: CommitInfo,
    /// Where that is a merge: the newest commit that it brought and that touched the file; `None` where the merge itself made the
    /// change, or where it was not looked for.
    pub authored: Option<CommitInfo>,
    /// First-parent commits between this one and the tracked commit; 0 for the tracked commit itself.
    pub commits_behind: u64,
    /// The file's blob; `None` where the commit removed it, or it is no regular file.
    pub blob: Option<BlobId>,
}

/// A file's versions, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileHistory {
    /// Newest first.
    pub versions: Vec<FileVersion>,
    /// True if the walk reached the commit that first brought the file; false at a bound or a shallow boundary.
    pub whole: bool,
}
