//! Commits, as evidence names them.

use serde::{Deserialize, Serialize};

use super::ids::CommitId;
use super::time::Timestamp;

/// A commit, as shown to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
