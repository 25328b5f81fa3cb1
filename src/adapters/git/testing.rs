//! What this room's tests share.

use std::path::Path;

use crate::model::ids::{CommitId, RepositoryName};
use crate::model::time::Timestamp;

use super::build::Written;
use super::repository::OpenedRepository;

/// A point in time.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

/// A commit's author and message, different for each `n`.
pub(super) fn written(n: i64) -> Written<'static> {
    Written { author: "Ann", email: "ann@example.com", time: at(n), message: "Change" }
}

/// A commit id that is nobody's.
pub(super) fn id(n: u64) -> CommitId {
    CommitId::new(format!("{n:040x}"))
}

/// Opens a local repository.
pub(super) fn opened(path: &Path) -> OpenedRepository {
    OpenedRepository::at_path(&RepositoryName::new("platform"), path).unwrap()
}
