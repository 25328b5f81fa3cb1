//! `history: full`: what merges brought to a revision, line by line. A line of commits is walked as the revision itself is, once, down to
//! where it left the revision or another line; newest merges first, within the same limits.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use super::versions::{Names, Tracked};
use crate::adapters::git::{HistoryBounds, OpenedRepository, VersionLine};
use crate::adapters::render::is_manifest_name;
use crate::config::Config;
use crate::model::ids::{BlobId, CommitId};
use crate::model::versions::{BlobNumber, Ended, PathNumber, VersionIndex};

/// The lines that merges brought to a revision and that declare what the revision's own line never did.
#[derive(Clone, Debug, Default)]
pub struct MergedLines {
    /// The newest merges' first.
    pub lines: Vec<MergedLine>,
    /// Why not all are here; `None`: all of them are.
    pub ended: Option<&'static str>,
}

/// Commits that were never the revision itself.
#[derive(Clone, Debug)]
pub struct MergedLine {
    /// What they changed. Only what they changed stands in its base.
    pub index: VersionIndex,
    /// For each commit: the merge that brought it, by its number on the revision's line. Of several, the oldest.
    pub brought: Vec<usize>,
    /// Contents of paths that the revision's own line never had.
    pub own: HashSet<(PathNumber, BlobNumber)>,
}

/// Why lines are left out whose beginning is not known to be the revision's.
const NOT_MET: &str = "the history at hand ends before they left it";

/// The lines that merges brought to the line of an index. Blocks.
pub fn of_revision(tracked: &Tracked<'_>, main: &VersionIndex, config: &Config) -> MergedLines {
    let deadline = Instant::now().checked_add(config.limits.history_time);
    let mut roots = tracked.roots.clone();
    roots.sort();
    roots.dedup();
    let mut walk = Walk {
        repository: tracked.repository,
        roots,
        deadline,
        main,
        on_main: main.commits.iter().collect(),
        left: config.limits.history_commits,
        parents: HashMap::new(),
        left_out: HashSet::new(),
        found: Vec::new(),
        ended: None,
    };
    let merges = walk.all();
    let Walk { parents, found, ended, .. } = walk;
    let brought = brought(&merges, &parents);
    let contents: HashMap<&BlobId, BlobNumber> = main.blobs.iter().zip(0..).collect();
    let on_main = standing(main);
    let names = Names { repository: tracked.repository, config, deadline };
    let mut lines = Vec::new();
    for mut index in found {
        let own: HashSet<(PathNumber, BlobNumber)> = index
            .changes
            .iter()
            .flatten()
            .filter_map(|change| Some((change.path, change.now?)))
            .filter(|(path, blob)| {
                !index.blob(*blob).is_some_and(|blob| on_main.contains(&(index.path(*path), blob.as_str())))
            })
            .collect();
        if own.is_empty() {
            continue;
        }
        index.learn_names(main, &contents);
        names.fill(&mut index);
        let of_line = index.commits.iter().map(|commit| brought.get(commit).copied().unwrap_or_default()).collect();
        lines.push(MergedLine { index, brought: of_line, own });
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.brought.last().copied()));
    tracing::debug!(repository = %tracked.name, revision = %tracked.revision, lines = lines.len(), "merged lines walked");
    MergedLines { lines, ended }
}

/// Every content that a path ever had on a line.
fn standing(index: &VersionIndex) -> HashSet<(&str, &str)> {
    let changed = index.changes.iter().flatten();
    let contents = changed.flat_map(|change| [change.before, change.now].map(|blob| (change.path, blob)));
    let base = index.base.iter().map(|(path, blob)| (*path, Some(*blob)));
    contents.chain(base).filter_map(|(path, blob)| Some((index.path(path), index.blob(blob?)?.as_str()))).collect()
}

/// For each commit, the oldest merge that brought it.
fn brought(merges: &[(usize, Vec<CommitId>)], parents: &HashMap<CommitId, Vec<CommitId>>) -> HashMap<CommitId, usize> {
    let mut brought = HashMap::new();
    for (merge, tips) in merges.iter().rev() {
        let mut next = tips.clone();
        while let Some(commit) = next.pop() {
            let Some(parents) = parents.get(&commit).filter(|_| !brought.contains_key(&commit)) else { continue };
            next.extend(parents.iter().cloned());
            brought.insert(commit, *merge);
        }
    }
    brought
}

struct Walk<'a> {
    repository: &'a OpenedRepository,
    roots: Vec<String>,
    deadline: Option<Instant>,
    main: &'a VersionIndex,
    on_main: HashSet<&'a CommitId>,
    /// Commits that may still be looked at.
    left: u64,
    /// Of all commits that were walked.
    parents: HashMap<CommitId, Vec<CommitId>>,
    /// Commits of lines that perhaps are the revision's own, further back than it is at hand.
    left_out: HashSet<CommitId>,
    found: Vec<VersionIndex>,
    ended: Option<&'static str>,
}

impl Walk<'_> {
    /// Walks everything; returns the merges of the revision's line with what they merged, newest first.
    fn all(&mut self) -> Vec<(usize, Vec<CommitId>)> {
        let mut merges = Vec::new();
        for (n, commit) in self.main.commits.iter().enumerate().rev() {
            if self.is_late() {
                self.ended = Some(Ended::Time.why());
                break;
            }
            let merged: Vec<CommitId> = self.repository.parents(commit).into_iter().skip(1).collect();
            let mut next = merged.clone();
            while let Some(tip) = next.pop() {
                if self.is_known(&tip) {
                    continue;
                }
                if self.left == 0 {
                    self.ended = Some(Ended::Commits.why());
                    break;
                }
                next.extend(self.line(&tip));
            }
            if !merged.is_empty() {
                merges.push((n, merged));
            }
            if self.left == 0 && self.ended.is_some() {
                break;
            }
        }
        merges
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() > deadline)
    }

    fn is_known(&self, commit: &CommitId) -> bool {
        self.on_main.contains(commit) || self.parents.contains_key(commit) || self.left_out.contains(commit)
    }

    /// Walks one line; returns what was merged into it.
    fn line(&mut self, tip: &CommitId) -> Vec<CommitId> {
        let until = |commit: &CommitId| self.is_known(commit);
        let line = VersionLine { tip, roots: &self.roots, wanted: is_manifest_name, until: Some(&until) };
        let bounds = HistoryBounds { max_commits: self.left, deadline: self.deadline };
        let Ok(index) = self.repository.changes_index(line, bounds) else {
            self.ended = Some("commits cannot be read");
            self.left_out.insert(tip.clone());
            return Vec::new();
        };
        self.left = self.left.saturating_sub(index.commits.len() as u64);
        if let Some(ended) = index.ended {
            self.ended = Some(ended.why());
        }
        let mut parents: Vec<Vec<CommitId>> =
            index.commits.iter().map(|commit| self.repository.parents(commit)).collect();
        let before = parents.first().and_then(|parents| parents.first());
        let met = before.is_some_and(|before| self.on_main.contains(before) || self.parents.contains_key(before));
        if self.main.ended.is_some() && !met {
            self.ended = self.ended.or(Some(NOT_MET));
            self.left_out.extend(index.commits);
            return Vec::new();
        }
        let merged = parents.iter().flat_map(|parents| parents.iter().skip(1).cloned()).collect();
        self.parents.extend(index.commits.iter().cloned().zip(parents.drain(..)));
        if index.changes.iter().any(|changes| !changes.is_empty()) {
            self.found.push(index);
        }
        merged
    }
}
