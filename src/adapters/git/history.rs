//! What commits made of files: one walk along the first parents answers for any number of files.

use std::collections::BTreeMap;
use std::time::Instant;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::EntryKind;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;

use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::history::{CommitInfo, FileHistory, FileVersion};
use crate::model::ids::{BlobId, CommitId};

use super::repository::{OpenedRepository, commit_info};

/// How far a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryBounds {
    /// First-parent commits looked at.
    pub max_commits: u64,
    /// Versions of a file.
    pub max_versions: usize,
    /// When to stop.
    pub deadline: Option<Instant>,
}

impl Default for HistoryBounds {
    fn default() -> Self {
        Self { max_commits: 50_000, max_versions: 500, deadline: None }
    }
}

impl HistoryBounds {
    pub(super) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Commits of a merged branch that are looked at for the one that made a change.
const MERGED_COMMITS: usize = 2_000;

impl OpenedRepository {
    /// The versions of one file, as [`file_histories`](Self::file_histories) gives them.
    ///
    /// # Errors
    /// A gap where a commit on the way cannot be read.
    pub fn file_history(&self, commit: &CommitId, path: &str, bounds: HistoryBounds) -> Result<FileHistory, Gap> {
        let mut all = self.file_histories(commit, &[path.to_owned()], bounds)?;
        Ok(all.remove(path).unwrap_or_default())
    }

    /// The bytes of one version of a file; `None` where they are more than `most`, or cannot be read.
    pub fn blob(&self, id: &BlobId, most: u64) -> Option<Vec<u8>> {
        let repository = self.store.local();
        let id = ObjectId::from_hex(id.as_str().as_bytes()).ok()?;
        if repository.find_header(id).ok()?.size() > most {
            return None;
        }
        let mut blob = repository.find_object(id).ok()?;
        Some(std::mem::take(&mut blob.data))
    }

    /// The versions of files back from `commit` along the first parents, newest first: one for each commit that changed the bytes at the
    /// path, made it another sort of entry, or removed it. Paths are taken as they are, from the repository's root; links are not followed.
    ///
    /// A history is `whole` only if the walk came to the first commit of all: a file may have been removed and added again.
    ///
    /// # Errors
    /// A gap where a commit on the way cannot be read.
    pub fn file_histories(
        &self,
        commit: &CommitId,
        paths: &[String],
        bounds: HistoryBounds,
    ) -> Result<BTreeMap<String, FileHistory>, Gap> {
        let repository = self.store.local();
        let wanted = Wanted::new(paths);
        let mut histories = vec![FileHistory::default(); paths.len()];
        let mut full = vec![false; paths.len()];
        let lost = |id: ObjectId| {
            let mut gap = self.store.unreadable(&format!("the history at commit {id}"));
            gap.hides = Hides::Evidence;
            gap
        };
        let shallow = repository.shallow_commits().map_err(|_| {
            Gap::new(GapKind::Fetch, "the list of shallow commits cannot be read", Hides::Evidence)
                .at(self.store.place())
        })?;
        let mut id = self.known_commit(&repository, commit)?;
        let mut node = Node::read(&repository, id).ok_or_else(|| lost(id))?;
        let mut reached_start = false;
        for behind in 0..bounds.max_commits {
            if bounds.is_late()
                || full.iter().all(|full| *full)
                || shallow.as_ref().is_some_and(|all| all.contains(&id))
            {
                break;
            }
            let parent = node.parents.first().copied();
            let before = match parent {
                Some(parent) => Some(Node::read(&repository, parent).ok_or_else(|| lost(parent))?),
                None => None,
            };
            let mut changed = Vec::new();
            wanted
                .differences(&repository, Some(node.tree), before.as_ref().map(|before| before.tree), &mut changed)
                .ok_or_else(|| lost(id))?;
            changed.retain(|(file, _)| !full[*file]);
            if !changed.is_empty() {
                let info = commit_info(&repository, id).ok_or_else(|| lost(id))?;
                let authors = authors(&repository, &node, paths, &changed, &bounds);
                for ((file, now), authored) in changed.into_iter().zip(authors) {
                    let blob = blob_of(now);
                    let versions = &mut histories[file].versions;
                    versions.push(FileVersion { commit: info.clone(), authored, commits_behind: behind, blob });
                    full[file] = versions.len() >= bounds.max_versions;
                }
            }
            match (parent, before) {
                (Some(parent), Some(before)) => (id, node) = (parent, before),
                _ => {
                    reached_start = true;
                    break;
                }
            }
        }
        for (history, full) in histories.iter_mut().zip(full) {
            history.whole = reached_start && !full;
        }
        Ok(paths.iter().cloned().zip(histories).collect())
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

/// What stands at a path: the kind and the object.
type Entry = (EntryKind, ObjectId);

/// The paths that are asked about, as a tree.
#[derive(Default)]
struct Wanted {
    below: BTreeMap<BString, Wanted>,
    file: Option<usize>,
}

impl Wanted {
    fn new(paths: &[String]) -> Self {
        let mut all = Self::default();
        for (index, path) in paths.iter().enumerate() {
            let mut at = &mut all;
            for part in path.split('/') {
                at = at.below.entry(part.into()).or_default();
            }
            at.file = Some(index);
        }
        all
    }

    /// Adds each file that differs between two root trees, with what it is in the first. `None`: a tree cannot be read.
    fn differences(
        &self,
        repository: &gix::Repository,
        now: Option<ObjectId>,
        before: Option<ObjectId>,
        changed: &mut Vec<(usize, Option<Entry>)>,
    ) -> Option<()> {
        if now == before || self.below.is_empty() {
            return Some(());
        }
        let now = self.entries(repository, now)?;
        let before = self.entries(repository, before)?;
        for (name, wanted) in &self.below {
            let now = now.get(name.as_bstr()).copied();
            let before = before.get(name.as_bstr()).copied();
            if let Some(file) = wanted.file
                && value(now) != value(before)
            {
                changed.push((file, now.filter(|(kind, _)| *kind != EntryKind::Tree)));
            }
            wanted.differences(repository, folder(now), folder(before), changed)?;
        }
        Some(())
    }

    /// The wanted entries of a folder.
    fn entries(&self, repository: &gix::Repository, tree: Option<ObjectId>) -> Option<BTreeMap<&BStr, Entry>> {
        let mut entries = BTreeMap::new();
        let Some(tree) = tree else { return Some(entries) };
        let tree = repository.find_tree(tree).ok()?;
        for entry in tree.iter() {
            let entry = entry.ok()?;
            if let Some((name, _)) = self.below.get_key_value(entry.filename()) {
                entries.insert(name.as_bstr(), (entry.kind(), entry.object_id()));
            }
        }
        Some(entries)
    }
}

/// What makes a version: the executable bit does not, and a folder is no file.
fn value(entry: Option<Entry>) -> Option<Entry> {
    entry.and_then(|(kind, id)| match kind {
        EntryKind::Tree => None,
        EntryKind::BlobExecutable => Some((EntryKind::Blob, id)),
        other => Some((other, id)),
    })
}

fn folder(entry: Option<Entry>) -> Option<ObjectId> {
    entry.and_then(|(kind, id)| (kind == EntryKind::Tree).then_some(id))
}

/// The content of a regular file.
fn blob_of(entry: Option<Entry>) -> Option<BlobId> {
    match entry {
        Some((EntryKind::Blob | EntryKind::BlobExecutable, id)) => Some(BlobId::new(id.to_string())),
        _ => None,
    }
}

/// For each file that a merge changed against its first parent, the newest commit of what it merged that touched the file.
fn authors(
    repository: &gix::Repository,
    merge: &Node,
    paths: &[String],
    changed: &[(usize, Option<Entry>)],
    bounds: &HistoryBounds,
) -> Vec<Option<CommitInfo>> {
    let mut found: Vec<Option<CommitInfo>> = vec![None; changed.len()];
    let Some((first, merged)) = merge.parents.split_first().filter(|(_, merged)| !merged.is_empty()) else {
        return found;
    };
    let paths: Vec<String> = changed.iter().map(|(file, _)| paths[*file].clone()).collect();
    let wanted = Wanted::new(&paths);
    let walk = repository
        .rev_walk(merged.iter().copied())
        .with_hidden([*first])
        .sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst))
        .all();
    let Ok(walk) = walk else { return found };
    for step in walk.take(MERGED_COMMITS) {
        if bounds.is_late() || found.iter().all(Option::is_some) {
            break;
        }
        let Ok(step) = step else { break };
        for file in touched(repository, step.id, &wanted).unwrap_or_default() {
            if found[file].is_none() {
                found[file] = commit_info(repository, step.id);
            }
        }
    }
    found
}

/// The files in which a commit differs from each of its parents: a merge that only takes a side over touches nothing.
fn touched(repository: &gix::Repository, id: ObjectId, wanted: &Wanted) -> Option<Vec<usize>> {
    let node = Node::read(repository, id)?;
    let against = |parent: Option<ObjectId>| {
        let before = match parent {
            Some(parent) => Some(Node::read(repository, parent)?.tree),
            None => None,
        };
        let mut changed = Vec::new();
        wanted.differences(repository, Some(node.tree), before, &mut changed)?;
        Some(changed.into_iter().map(|(file, _)| file).collect::<Vec<usize>>())
    };
    let mut files = against(node.parents.first().copied())?;
    for parent in node.parents.iter().skip(1) {
        if files.is_empty() {
            break;
        }
        let others = against(Some(*parent))?;
        files.retain(|file| others.contains(file));
    }
    Some(files)
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
