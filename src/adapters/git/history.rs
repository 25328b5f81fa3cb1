//! What walks along the first parents have in common, and single commits and contents.

use std::time::Instant;

use gix::ObjectId;

use crate::model::ids::{BlobId, CommitId};

use super::repository::{OpenedRepository, commit_id};

/// Commits that are looked at for one that may be among them.
const MOST_ANCESTORS: usize = 100_000;

/// How far a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryBounds {
    /// First-parent commits looked at.
    pub max_commits: u64,
    /// When to stop.
    pub deadline: Option<Instant>,
}

impl Default for HistoryBounds {
    fn default() -> Self {
        Self { max_commits: 50_000, deadline: None }
    }
}

impl HistoryBounds {
    pub(super) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// What of a commit the walk needs.
pub(super) struct Node {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
}

impl Node {
    pub(super) fn read(repository: &gix::Repository, id: ObjectId) -> Option<Self> {
        let commit = repository.find_object(id).ok()?.try_into_commit().ok()?;
        let decoded = commit.decode().ok()?;
        Some(Self { tree: decoded.tree(), parents: decoded.parents().collect() })
    }
}

/// Reads the bytes of many blobs, one after another and on one thread. Versions of a file are kept as differences from each other:
/// what was read last helps to read the next.
pub struct BlobReader {
    repository: gix::Repository,
}

impl BlobReader {
    /// The bytes of a blob; `None` where they are more than `most`, or cannot be read.
    pub fn read(&self, id: &BlobId, most: u64) -> Option<Vec<u8>> {
        let id = ObjectId::from_hex(id.as_str().as_bytes()).ok()?;
        if self.repository.find_header(id).ok()?.size() > most {
            return None;
        }
        let mut blob = self.repository.find_object(id).ok()?;
        Some(std::mem::take(&mut blob.data))
    }
}

impl OpenedRepository {
    /// For reading many blobs.
    pub fn blobs(&self) -> BlobReader {
        BlobReader { repository: self.store.without_cache() }
    }

    /// Whether one commit is part of another's history, along any parents. False where it is not there, or where that cannot be told.
    pub fn is_ancestor(&self, older: &CommitId, newer: &CommitId) -> bool {
        let repository = self.store.local();
        let id = |commit: &CommitId| ObjectId::from_hex(commit.as_str().as_bytes()).ok();
        let (Some(older), Some(newer)) = (id(older), id(newer)) else { return false };
        if !repository.has_object(older) {
            return false;
        }
        let walk = repository.rev_walk([newer]).all();
        walk.is_ok_and(|walk| walk.take(MOST_ANCESTORS).flatten().any(|step| step.id == older))
    }

    /// The parents of a commit, the first one first; none where it cannot be read.
    pub fn parents(&self, id: &CommitId) -> Vec<CommitId> {
        let id = ObjectId::from_hex(id.as_str().as_bytes()).ok();
        let node = id.and_then(|id| Node::read(&self.store.local(), id));
        node.map(|node| node.parents.into_iter().map(commit_id).collect()).unwrap_or_default()
    }
}
