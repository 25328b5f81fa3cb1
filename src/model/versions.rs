//! What a revision's history made of files and objects: an index of versions along its line of first parents.
//!
//! It holds ids and names only. Everything in it follows from the commits, so it may be kept, extended by newer commits, or thrown away.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ids::{BlobId, CommitId};
use super::resource::Gvk;

/// An object by what names it in a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// Version and kind.
    pub gvk: Gvk,
    /// `metadata.namespace`, if one is written.
    pub namespace: Option<String>,
    /// Name; never empty.
    pub name: String,
}

/// Why a line ends before its first commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// So many commits were asked for.
    Commits,
    /// So much time was given.
    Time,
    /// The clone is shallow.
    Shallow,
}

impl Ended {
    /// For people.
    pub fn why(self) -> &'static str {
        match self {
            Self::Commits => "`limits.historyCommits` is reached",
            Self::Time => "`limits.historyTime` is over",
            Self::Shallow => "the clone is shallow",
        }
    }
}

/// A file by its number in [`VersionIndex::paths`].
pub type PathNumber = u32;
/// A content by its number in [`VersionIndex::blobs`].
pub type BlobNumber = u32;

/// What a commit made of one file, against its first parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// The file.
    #[serde(rename = "p")]
    pub path: PathNumber,
    /// Its content before; `None`: it was not there, or no regular file.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub before: Option<BlobNumber>,
    /// Its content now.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub now: Option<BlobNumber>,
}

/// What a content names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Objects, by their numbers in [`VersionIndex::heads`], in order.
    #[serde(rename = "h", default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<u32>,
    /// Whether all of it could be read.
    #[serde(rename = "w")]
    pub whole: bool,
}

/// See the module. Commits are counted from the oldest, which is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionIndex {
    /// Oldest first, each the first parent of the next; the last one is the tip.
    pub commits: Vec<CommitId>,
    /// What each of them changed, in path order.
    pub changes: Vec<Vec<FileChange>>,
    /// The files before the oldest commit; none where it has no parent.
    pub base: Vec<(PathNumber, BlobNumber)>,
    /// Why the line is not longer; `None`: it begins with the first commit of all.
    pub ended: Option<Ended>,
    /// Paths from the repository's root.
    pub paths: Vec<String>,
    /// Contents of regular files.
    pub blobs: Vec<BlobId>,
    /// The objects that contents name.
    pub heads: Vec<Head>,
    /// What each content names; `None` where it was not read yet.
    pub named: Vec<Option<Named>>,
}

impl VersionIndex {
    /// The newest commit.
    pub fn tip(&self) -> Option<&CommitId> {
        self.commits.last()
    }

    /// How many steps behind the tip a commit is.
    pub fn behind(&self, commit: usize) -> u64 {
        self.commits.len().saturating_sub(commit + 1) as u64
    }

    /// A path by number.
    pub fn path(&self, number: PathNumber) -> &str {
        self.paths.get(number as usize).map_or("", String::as_str)
    }

    /// A content by number.
    pub fn blob(&self, number: BlobNumber) -> Option<&BlobId> {
        self.blobs.get(number as usize)
    }

    /// What a content names, if it was read.
    pub fn named(&self, number: BlobNumber) -> Option<&Named> {
        self.named.get(number as usize)?.as_ref()
    }

    /// The objects that a content names.
    pub fn heads_of(&self, number: BlobNumber) -> impl Iterator<Item = &Head> {
        let numbers = self.named(number).map(|named| named.heads.as_slice()).unwrap_or_default();
        numbers.iter().filter_map(|head| self.heads.get(*head as usize))
    }

    /// Whether all numbers in it have something behind them: what was kept in a file may be broken.
    pub fn is_sound(&self) -> bool {
        let path = |number: PathNumber| (number as usize) < self.paths.len();
        let blob = |number: BlobNumber| (number as usize) < self.blobs.len();
        let change =
            |change: &FileChange| path(change.path) && change.before.is_none_or(blob) && change.now.is_none_or(blob);
        self.commits.len() == self.changes.len()
            && self.named.len() == self.blobs.len()
            && self.changes.iter().flatten().all(change)
            && self.base.iter().all(|(number, content)| path(*number) && blob(*content))
            && self
                .named
                .iter()
                .flatten()
                .flat_map(|named| &named.heads)
                .all(|head| (*head as usize) < self.heads.len())
    }

    /// Takes over what another index knows of the names in contents; `contents` are the numbers of that one's.
    pub fn learn_names(&mut self, other: &Self, contents: &HashMap<&BlobId, BlobNumber>) {
        let mut numbers = Numbering::of(&self.heads);
        for (blob, named) in self.blobs.iter().zip(&mut self.named) {
            let Some(known) = contents.get(blob).and_then(|number| other.named(*number)) else { continue };
            let heads = known.heads.iter().filter_map(|head| other.heads.get(*head as usize));
            let heads = heads.map(|head| numbers.number(head, &mut self.heads)).collect();
            *named = Some(Named { heads, whole: known.whole });
        }
    }

    /// Takes all commits away, for a line that does not meet this one. What contents name stays true.
    pub fn begin_anew(&mut self, ended: Option<Ended>) {
        self.cut_after(0);
        self.base.clear();
        self.ended = ended;
    }

    /// Takes away all commits but the oldest so many, for a line that was rewritten from there on.
    pub fn cut_after(&mut self, commits: usize) {
        self.commits.truncate(commits);
        self.changes.truncate(commits);
    }
}

/// Numbers things in the order in which they come.
#[derive(Debug)]
pub struct Numbering<T>(HashMap<T, u32>);

impl<T: Clone + Eq + std::hash::Hash> Numbering<T> {
    /// Goes on after those that have numbers.
    pub fn of(known: &[T]) -> Self {
        Self((0..).zip(known).map(|(number, thing)| (thing.clone(), number)).collect())
    }

    /// The number of a thing, which is added to the list if it is new.
    pub fn number(&mut self, thing: &T, list: &mut Vec<T>) -> u32 {
        if let Some(number) = self.0.get(thing) {
            return *number;
        }
        let number = u32::try_from(list.len()).unwrap_or(u32::MAX);
        list.push(thing.clone());
        self.0.insert(thing.clone(), number);
        number
    }
}
