//! What left a revision: the versions of files that later commits replaced or removed, out of tree differences along the first
//! parents. Only folders that changed are opened, and no file is read.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::objs::tree::EntryKind;

use crate::model::former::Cut;
use crate::model::gap::{Gap, Hides};
use crate::model::ids::{BlobId, CommitId};

use super::history::{HistoryBounds, Node};
use super::repository::{OpenedRepository, commit_info};

/// A version of a file that a commit replaced or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departed {
    /// Path from the repository's root.
    pub path: String,
    /// The bytes that were there before.
    pub blob: BlobId,
    /// First-parent commits between the commit that changed it and the tracked one.
    pub commits_behind: u64,
}

/// What left one folder (or file) of a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Departures {
    /// Newest first.
    pub files: Vec<Departed>,
    /// Where the walk ended before the first commit of all.
    pub cut: Option<Cut>,
}

/// What stands at a path.
type Entry = (EntryKind, ObjectId);

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

    /// The versions of files below each of `roots` that are not those of the tracked commit, from one walk back along the first
    /// parents. Paths are taken as they are; links are not followed. A root is a folder, a file, or empty for all.
    ///
    /// # Errors
    /// A gap where a commit on the way cannot be read.
    pub fn departures(
        &self,
        commit: &CommitId,
        roots: &[String],
        bounds: HistoryBounds,
    ) -> Result<Vec<Departures>, Gap> {
        let repository = self.store.local();
        let lost = |id: ObjectId| {
            let mut gap = self.store.unreadable(&format!("the history at commit {id}"));
            gap.hides = Hides::Evidence;
            gap
        };
        let shallow = repository.shallow_commits().ok().flatten();
        let mut id = self.known_commit(&repository, commit)?;
        let mut node = Node::read(&repository, id).ok_or_else(|| lost(id))?;
        let mut now = at_roots(&repository, node.tree, roots).ok_or_else(|| lost(id))?;
        let mut found = vec![Departures::default(); roots.len()];
        let mut why = Some("`limits.historyCommits` is reached");
        for commits_behind in 0..bounds.max_commits {
            if bounds.is_late() {
                why = Some("`limits.historyTime` is over");
                break;
            }
            if shallow.as_ref().is_some_and(|all| all.contains(&id)) {
                why = Some("the clone is shallow");
                break;
            }
            let Some(parent) = node.parents.first().copied() else {
                why = None;
                break;
            };
            let before = Node::read(&repository, parent).ok_or_else(|| lost(parent))?;
            let entries = if before.tree == node.tree {
                now.clone()
            } else {
                at_roots(&repository, before.tree, roots).ok_or_else(|| lost(parent))?
            };
            for (((root, now), before), found) in roots.iter().zip(&now).zip(&entries).zip(&mut found) {
                let mut left = |path: &[u8], blob: ObjectId| {
                    // What is no text is no manifest's path.
                    if let Ok(path) = path.to_str() {
                        let blob = BlobId::new(blob.to_string());
                        found.files.push(Departed { path: path.to_owned(), blob, commits_behind });
                    }
                };
                let mut path = BString::from(root.as_str());
                difference(&repository, &mut path, *now, *before, &mut left).ok_or_else(|| lost(id))?;
            }
            (id, node, now) = (parent, before, entries);
        }
        if let Some(why) = why {
            let cut = Cut { back_to: commit_info(&repository, id), why };
            found.iter_mut().for_each(|found| found.cut = Some(cut.clone()));
        }
        Ok(found)
    }
}

/// What stands at each root in a tree.
fn at_roots(repository: &gix::Repository, tree: ObjectId, roots: &[String]) -> Option<Vec<Option<Entry>>> {
    roots
        .iter()
        .map(|root| {
            let mut at = Some((EntryKind::Tree, tree));
            for part in root.split('/').filter(|part| !part.is_empty()) {
                let Some((EntryKind::Tree, folder)) = at else { return Some(None) };
                at = entries(repository, folder)?.remove(part.as_bytes().as_bstr());
            }
            Some(at)
        })
        .collect()
}

fn entries(repository: &gix::Repository, tree: ObjectId) -> Option<BTreeMap<BString, Entry>> {
    let tree = repository.find_tree(tree).ok()?;
    tree.iter()
        .map(|entry| entry.ok().map(|entry| (entry.filename().to_owned(), (entry.kind(), entry.object_id()))))
        .collect()
}

/// Calls `left` for each file of `before` that is not the same in `now`. `None`: a tree cannot be read.
fn difference(
    repository: &gix::Repository,
    path: &mut BString,
    now: Option<Entry>,
    before: Option<Entry>,
    left: &mut dyn FnMut(&[u8], ObjectId),
) -> Option<()> {
    let Some((kind, id)) = before else { return Some(()) };
    if now.is_some_and(|(now_kind, now)| now == id && (now_kind == kind || kind != EntryKind::Tree)) {
        return Some(());
    }
    match kind {
        EntryKind::Blob | EntryKind::BlobExecutable => left(path, id),
        EntryKind::Tree => {
            let before = entries(repository, id)?;
            let now = match now {
                Some((EntryKind::Tree, now)) => entries(repository, now)?,
                _ => BTreeMap::new(),
            };
            for (name, entry) in before {
                let length = path.len();
                if length > 0 {
                    path.push(b'/');
                }
                path.extend_from_slice(&name);
                difference(repository, path, now.get(&name).copied(), Some(entry), left)?;
                path.truncate(length);
            }
        }
        EntryKind::Link | EntryKind::Commit => {}
    }
    Some(())
}

#[cfg(test)]
#[path = "departed_tests.rs"]
mod tests;
