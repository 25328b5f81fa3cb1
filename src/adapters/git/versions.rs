//! Builds and extends a [`VersionIndex`]: one walk along the first parents, out of tree differences. Only folders that changed are opened,
//! and no file is read.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::objs::tree::{EntryKind, EntryRef};

use crate::model::gap::{Gap, Hides};
use crate::model::ids::{BlobId, CommitId};
use crate::model::versions::{BlobNumber, Ended, FileChange, Numbering, PathNumber, VersionIndex};

use super::history::{HistoryBounds, Node};
use super::repository::{OpenedRepository, commit_id};
use super::tree::DEEPEST_FOLDER;

/// Which line of first parents is walked, and what is looked at on it.
#[derive(Clone, Copy)]
pub struct VersionLine<'a> {
    /// Its newest commit.
    pub tip: &'a CommitId,
    /// Folders or files; the empty one is all. Paths are taken as they are: links are not followed.
    pub roots: &'a [String],
    /// Which files below them.
    pub wanted: fn(&str) -> bool,
    /// Commits that end the line and do not belong to it, as those of another line do.
    pub until: Option<&'a dyn Fn(&CommitId) -> bool>,
}

/// How an index came to be what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extended {
    /// By so many newer commits, perhaps none.
    By(usize),
    /// Nothing was known.
    Anew,
    /// The tip that was known is no longer on the line: the history was rewritten.
    Rewritten {
        /// The tip that was known.
        from: CommitId,
    },
}

impl OpenedRepository {
    /// Brings an index up to the tip of a line. `known` is an index of the same roots and files, or an empty one.
    ///
    /// # Errors
    /// A gap where a commit on the way cannot be read.
    pub fn version_index(
        &self,
        line: VersionLine<'_>,
        known: VersionIndex,
        bounds: HistoryBounds,
    ) -> Result<(VersionIndex, Extended), Gap> {
        self.walk(line, known, bounds, true)
    }

    /// An index of what a line changed, without the other files that stood before it: of those it changed, the contents before are its
    /// base.
    ///
    /// # Errors
    /// A gap where a commit on the way cannot be read.
    pub fn changes_index(&self, line: VersionLine<'_>, bounds: HistoryBounds) -> Result<VersionIndex, Gap> {
        let (mut index, _) = self.walk(line, VersionIndex::default(), bounds, false)?;
        let mut touched = HashSet::new();
        let changes = index.changes.iter().flatten().filter(|change| touched.insert(change.path));
        index.base = changes.filter_map(|change| Some((change.path, change.before?))).collect();
        Ok(index)
    }

    fn walk(
        &self,
        line: VersionLine<'_>,
        known: VersionIndex,
        bounds: HistoryBounds,
        with_base: bool,
    ) -> Result<(VersionIndex, Extended), Gap> {
        let repository = self.store.local();
        let tip = self.known_commit(&repository, line.tip)?;
        let shallow = repository.shallow_commits().ok().flatten();
        let is_shallow = |id: &ObjectId| shallow.as_ref().is_some_and(|all| all.contains(id));
        let walk = Walk { repository: &repository, line, bounds, is_shallow: &is_shallow, with_base };
        walk.bring_up(tip, known).map_err(|id| {
            let mut gap = self.store.unreadable(&format!("the history at commit {id}"));
            gap.hides = Hides::Evidence;
            gap
        })
    }
}

/// What stands at a path.
type Entry = (EntryKind, ObjectId);

/// A file that differs: its content before and now.
type Change = (BString, Option<ObjectId>, Option<ObjectId>);

struct Walk<'a> {
    repository: &'a gix::Repository,
    line: VersionLine<'a>,
    bounds: HistoryBounds,
    is_shallow: &'a dyn Fn(&ObjectId) -> bool,
    /// Whether the files before the line belong to the index.
    with_base: bool,
}

/// The part of a line that an index does not have.
struct Newer {
    /// Newest first.
    commits: Vec<(CommitId, Vec<Change>)>,
    end: End,
}

enum End {
    /// After so many commits of the index.
    Joins(usize),
    /// With the first commit of all.
    Start,
    /// After this commit's tree, for that reason; `None` where another line begins there.
    Before(ObjectId, Option<Ended>),
}

/// An object that cannot be read is the error: the commit it belongs to.
type Read<T> = Result<T, ObjectId>;

impl Walk<'_> {
    fn bring_up(&self, tip: ObjectId, mut index: VersionIndex) -> Read<(VersionIndex, Extended)> {
        let Newer { commits, end } = self.newer(tip, &index)?;
        let extended = match (index.tip(), &end) {
            (None, _) => Extended::Anew,
            (Some(_), End::Joins(joined)) if *joined == index.commits.len() => Extended::By(commits.len()),
            (Some(known), _) => Extended::Rewritten { from: known.clone() },
        };
        let mut numbers = Numbers::of(&index);
        match end {
            End::Joins(joined) => index.cut_after(joined),
            End::Start => index.begin_anew(None),
            End::Before(commit, ended) => {
                index.begin_anew(ended);
                for (path, _, content) in if self.with_base { self.files(commit)? } else { Vec::new() } {
                    let path = numbers.path(&path, &mut index);
                    let content = content.map(|content| numbers.blob(content, &mut index));
                    index.base.extend(path.zip(content));
                }
            }
        }
        for (commit, changes) in commits.into_iter().rev() {
            let mut numbered = Vec::with_capacity(changes.len());
            for (path, before, now) in changes {
                let Some(path) = numbers.path(&path, &mut index) else { continue };
                let before = before.map(|before| numbers.blob(before, &mut index));
                let now = now.map(|now| numbers.blob(now, &mut index));
                numbered.push(FileChange { path, before, now });
            }
            index.commits.push(commit);
            index.changes.push(numbered);
        }
        index.named.resize(index.blobs.len(), None);
        Ok((index, extended))
    }

    fn newer(&self, tip: ObjectId, index: &VersionIndex) -> Read<Newer> {
        let known: HashMap<&CommitId, usize> = (1..).zip(&index.commits).map(|(n, commit)| (commit, n)).collect();
        let mut commits = Vec::new();
        let mut id = tip;
        let mut node = Node::read(self.repository, id).ok_or(id)?;
        let mut now = self.at_roots(node.tree).ok_or(id)?;
        let end = loop {
            let name = commit_id(id);
            if let Some(joined) = known.get(&name) {
                break End::Joins(*joined);
            }
            if self.line.until.is_some_and(|is_end| is_end(&name)) {
                break End::Before(id, None);
            }
            if commits.len() as u64 >= self.bounds.max_commits {
                break End::Before(id, Some(Ended::Commits));
            }
            if self.bounds.is_late() {
                break End::Before(id, Some(Ended::Time));
            }
            if (self.is_shallow)(&id) {
                // What it changed is not known: all its files were there before, for all that can be told.
                commits.push((name, Vec::new()));
                break End::Before(id, Some(Ended::Shallow));
            }
            let Some(parent) = node.parents.first().copied() else {
                commits.push((name, self.changes(&now, &vec![None; now.len()]).ok_or(id)?));
                break End::Start;
            };
            let before = Node::read(self.repository, parent).ok_or(parent)?;
            if before.tree == node.tree {
                commits.push((name, Vec::new()));
            } else {
                let entries = self.at_roots(before.tree).ok_or(parent)?;
                commits.push((name, self.changes(&now, &entries).ok_or(id)?));
                now = entries;
            }
            (id, node) = (parent, before);
        };
        Ok(Newer { commits, end })
    }

    /// All files of a commit.
    fn files(&self, commit: ObjectId) -> Read<Vec<Change>> {
        let tree = Node::read(self.repository, commit).ok_or(commit)?.tree;
        let now = self.at_roots(tree).ok_or(commit)?;
        self.changes(&now, &vec![None; now.len()]).ok_or(commit)
    }

    /// What stands at each root in a tree.
    fn at_roots(&self, tree: ObjectId) -> Option<Vec<Option<Entry>>> {
        let at_root = |root: &String| {
            let mut at = Some((EntryKind::Tree, tree));
            for part in root.split('/').filter(|part| !part.is_empty()) {
                let Some((EntryKind::Tree, folder)) = at else { return Some(None) };
                let folder = self.repository.find_tree(folder).ok()?;
                let found = folder.iter().flatten().find(|entry| entry.filename() == part.as_bytes());
                at = found.map(|entry| (entry.kind(), entry.object_id()));
            }
            Some(at)
        };
        self.line.roots.iter().map(at_root).collect()
    }

    /// Each file that is not the same on both sides, in path order and once, however many roots it is below. `None`: a tree cannot be read.
    fn changes(&self, now: &[Option<Entry>], before: &[Option<Entry>]) -> Option<Vec<Change>> {
        let mut found = Vec::new();
        for ((root, now), before) in self.line.roots.iter().zip(now).zip(before) {
            self.differences(&mut BString::from(root.as_str()), *now, *before, DEEPEST_FOLDER, &mut found)?;
        }
        if self.line.roots.len() > 1 {
            found.sort();
            found.dedup();
        }
        Some(found)
    }

    fn differences(
        &self,
        path: &mut BString,
        now: Option<Entry>,
        before: Option<Entry>,
        depth: usize,
        found: &mut Vec<Change>,
    ) -> Option<()> {
        if file(now) != file(before) && path.to_str().is_ok_and(self.line.wanted) {
            found.push((path.clone(), file(before), file(now)));
        }
        let (now, before) = (folder(now), folder(before));
        let Some(depth) = depth.checked_sub(1).filter(|_| now != before) else { return Some(()) };
        let read = |id: Option<ObjectId>| id.map(|id| self.repository.find_tree(id)).transpose().ok();
        let (now, before) = (read(now)?, read(before)?);
        let (now, before) = (entries(now.as_ref())?, entries(before.as_ref())?);
        let (mut now, mut before) = (now.iter().peekable(), before.iter().peekable());
        loop {
            let order = match (now.peek(), before.peek()) {
                (None, None) => return Some(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(now), Some(before)) => in_order(now, before),
            };
            let here = now.next_if(|_| order.is_le());
            let there = before.next_if(|_| order.is_ge());
            if here.map(entry) != there.map(entry) {
                let length = path.len();
                if length > 0 {
                    path.push(b'/');
                }
                path.extend_from_slice(here.or(there)?.filename);
                self.differences(path, here.map(entry), there.map(entry), depth, found)?;
                path.truncate(length);
            }
        }
    }
}

/// The entries of a folder in Git's order and each name once, which a broken or hostile one does not have: there the last one counts.
/// `None`: it cannot be read.
fn entries<'t>(tree: Option<&'t gix::Tree<'_>>) -> Option<Vec<EntryRef<'t>>> {
    let Some(tree) = tree else { return Some(Vec::new()) };
    let mut entries = tree.iter().map(|entry| entry.map(|entry| entry.inner)).collect::<Result<Vec<_>, _>>().ok()?;
    if !entries.is_sorted_by(|left, right| in_order(left, right).is_lt()) {
        entries.reverse();
        entries.sort_by(in_order);
        entries.dedup_by(|later, earlier| in_order(later, earlier).is_eq());
    }
    Some(entries)
}

fn entry(entry: &EntryRef<'_>) -> Entry {
    (entry.mode.kind(), entry.oid.to_owned())
}

/// As Git orders the entries of a folder: one that is a folder itself as if its name ended with a slash.
fn in_order(left: &EntryRef<'_>, right: &EntryRef<'_>) -> Ordering {
    let key = |entry: &EntryRef<'_>| entry.mode.is_tree().then_some(b'/');
    left.filename.iter().copied().chain(key(left)).cmp(right.filename.iter().copied().chain(key(right)))
}

/// The content of a regular file; the executable bit makes no difference.
fn file(entry: Option<Entry>) -> Option<ObjectId> {
    entry.filter(|(kind, _)| matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable)).map(|(_, id)| id)
}

fn folder(entry: Option<Entry>) -> Option<ObjectId> {
    entry.filter(|(kind, _)| *kind == EntryKind::Tree).map(|(_, id)| id)
}

struct Numbers {
    paths: Numbering<String>,
    blobs: Numbering<BlobId>,
}

impl Numbers {
    fn of(index: &VersionIndex) -> Self {
        Self { paths: Numbering::of(&index.paths), blobs: Numbering::of(&index.blobs) }
    }

    fn path(&mut self, path: &BString, index: &mut VersionIndex) -> Option<PathNumber> {
        Some(self.paths.number(&path.to_str().ok()?.to_owned(), &mut index.paths))
    }

    fn blob(&mut self, id: ObjectId, index: &mut VersionIndex) -> BlobNumber {
        self.blobs.number(&BlobId::new(id.to_string()), &mut index.blobs)
    }
}

#[cfg(test)]
#[path = "versions_tests.rs"]
mod tests;
