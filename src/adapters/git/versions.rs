//! Builds and extends a [`VersionIndex`]: one walk along the first parents, and what each commit on it changed.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};

use crate::model::gap::{Gap, Hides};
use crate::model::ids::{BlobId, CommitId};
use crate::model::versions::{BlobNumber, Ended, FileChange, Numbering, PathNumber, VersionIndex};
use crate::processors;

use super::history::{HistoryBounds, Node};
use super::repository::{OpenedRepository, Store, commit_id};
use super::tree_changes::{Change, Read, Step, Trees};

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
        let walk =
            Walk { repository: &repository, store: &self.store, line, bounds, is_shallow: &is_shallow, with_base };
        walk.bring_up(tip, known).map_err(|id| {
            let mut gap = self.store.unreadable(&format!("the history at commit {id}"));
            gap.hides = Hides::Evidence;
            gap
        })
    }
}

/// Commits of which one processor compares the trees, at least.
const LEAST_SHARE: usize = 256;

struct Walk<'a> {
    repository: &'a gix::Repository,
    store: &'a Store,
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

    /// First the line itself, which one commit after another leads to; then, on all processors, what its commits changed.
    fn newer(&self, tip: ObjectId, index: &VersionIndex) -> Read<Newer> {
        let known: HashMap<&CommitId, usize> = (1..).zip(&index.commits).map(|(n, commit)| (commit, n)).collect();
        let mut steps: Vec<Step> = Vec::new();
        let mut id = tip;
        let mut node = Node::read(self.repository, id).ok_or(id)?;
        let end = loop {
            let name = commit_id(id);
            if let Some(joined) = known.get(&name) {
                break End::Joins(*joined);
            }
            if self.line.until.is_some_and(|is_end| is_end(&name)) {
                break End::Before(id, None);
            }
            if steps.len() as u64 >= self.bounds.max_commits {
                break End::Before(id, Some(Ended::Commits));
            }
            if self.bounds.is_late() {
                break End::Before(id, Some(Ended::Time));
            }
            if (self.is_shallow)(&id) {
                // What it changed is not known: all its files were there before, for all that can be told.
                steps.push(Step { name, id, tree: node.tree, before: Some((id, node.tree)) });
                break End::Before(id, Some(Ended::Shallow));
            }
            let Some(parent) = node.parents.first().copied() else {
                steps.push(Step { name, id, tree: node.tree, before: None });
                break End::Start;
            };
            let before = Node::read(self.repository, parent).ok_or(parent)?;
            steps.push(Step { name, id, tree: node.tree, before: Some((parent, before.tree)) });
            (id, node) = (parent, before);
        };
        let share = steps.len().div_ceil(processors::count()).max(LEAST_SHARE);
        let (store, bounds, VersionLine { roots, wanted, .. }) = (self.store, self.bounds, self.line);
        let changed = processors::on_each(steps.chunks(share), |steps| {
            Trees { repository: &store.local(), roots, wanted }.changed_by(steps, bounds)
        });
        let mut commits = Vec::with_capacity(steps.len());
        for (changed, share) in changed.into_iter().zip(steps.chunks(share)) {
            let changed = changed?;
            let is_whole = changed.len() == share.len();
            commits.extend(changed);
            if !is_whole {
                break;
            }
        }
        // What there was no time for, and all that is older, is not on the line.
        let missing = steps.get(commits.len()).map(|step| End::Before(step.id, Some(Ended::Time)));
        Ok(Newer { commits, end: missing.unwrap_or(end) })
    }

    /// All files of a commit.
    fn files(&self, commit: ObjectId) -> Read<Vec<Change>> {
        let tree = Node::read(self.repository, commit).ok_or(commit)?.tree;
        let VersionLine { roots, wanted, .. } = self.line;
        Trees { repository: self.repository, roots, wanted }.files(tree).ok_or(commit)
    }
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
