//! Git repositories: mirrors of remote ones, trees at a commit without a checkout, and what commits made of files.
//!
//! Everything here is synchronous and blocks; no `git` program, hook, filter or credential helper is ever run. `ssh` is, for the
//! repositories that are to be reached by it.

mod build;
mod change;
mod code_owners;
mod deadline;
mod failure;
mod fetch;
mod history;
mod http;
mod mirror;
mod mirrors;
mod range;
mod repository;
mod signature;
mod source;
mod ssh;
mod ssh_address;
mod tree;
mod tree_changes;
mod versions;

pub use build::{BuildError, Content, RepositoryBuilder, Written};
pub use change::Line;
pub use code_owners::CodeOwners;
pub use history::{BlobReader, HistoryBounds};
pub use mirrors::Mirrors;
pub use repository::{OpenedRepository, Resolved, StaleMirror};
pub use signature::{Signers, SignersFiles};
pub use source::{CleanUrl, Credentials, Hidden, Location, LocationError, RepositorySource, SshAccess};
pub use tree::{CommitTree, TreeLimits};
pub use versions::{Extended, VersionLine};

#[cfg(test)]
mod test_server;
#[cfg(test)]
mod testing;
