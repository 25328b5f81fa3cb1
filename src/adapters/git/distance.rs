//! How far behind a commit others are.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::gap::{Gap, Hides};
use crate::model::ids::CommitId;

use super::history::HistoryBounds;
use super::repository::{OpenedRepository, commit_id};

impl OpenedRepository {
    /// For each of `wanted` that is on the line of first parents back from `commit`: how many steps back, 0 for `commit` itself. What is
    /// not there, or beyond the bounds or where a shallow clone ends, is left out.
    ///
    /// # Errors
    /// A gap where a commit on the way cannot be read.
    pub fn commits_behind(
        &self,
        commit: &CommitId,
        wanted: &BTreeSet<CommitId>,
        bounds: HistoryBounds,
    ) -> Result<BTreeMap<CommitId, u64>, Gap> {
        let repository = self.store.local();
        let lost = |commit: &CommitId| {
            let mut gap = self.store.unreadable(&format!("the history at commit {commit}"));
            gap.hides = Hides::Evidence;
            gap
        };
        let shallow = repository.shallow_commits().map_err(|_| lost(commit))?;
        let mut found = BTreeMap::new();
        let mut id = self.known_commit(&repository, commit)?;
        for behind in 0..bounds.max_commits {
            let name = commit_id(id);
            if wanted.contains(&name) {
                found.insert(name, behind);
            }
            if found.len() == wanted.len() || bounds.is_late() || shallow.as_ref().is_some_and(|all| all.contains(&id))
            {
                break;
            }
            let parent = repository
                .find_commit(id)
                .ok()
                .and_then(|commit| commit.decode().ok().map(|decoded| decoded.parents().next()))
                .ok_or_else(|| lost(&commit_id(id)))?;
            match parent {
                Some(parent) => id = parent,
                None => break,
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::{Content, RepositoryBuilder};
    use super::super::testing::{opened, written};
    use super::*;

    #[test]
    fn counts_along_first_parents_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = RepositoryBuilder::create(folder.path()).unwrap();
        let mut commit = |parents: &[&CommitId], n: i64| {
            builder.commit(parents, &written(n), [("a", Content::File(n.to_string().into_bytes()))]).unwrap()
        };
        let first = commit(&[], 1);
        let side = commit(&[&first], 2);
        let second = commit(&[&first], 3);
        let merge = commit(&[&second, &side], 4);
        let repository = opened(folder.path());
        let behind = |wanted: &[&CommitId], bounds: HistoryBounds| -> Vec<(CommitId, u64)> {
            let wanted = wanted.iter().map(|id| (*id).clone()).collect();
            let mut found: Vec<_> = repository.commits_behind(&merge, &wanted, bounds).unwrap().into_iter().collect();
            found.sort_by_key(|(_, behind)| *behind);
            found
        };
        let all = [&first, &side, &second, &merge];
        let expected = [(merge.clone(), 0), (second.clone(), 1), (first.clone(), 2)];
        assert_eq!(behind(&all, HistoryBounds::default()), expected, "the side branch was never the tip");
        assert_eq!(behind(&all, HistoryBounds { max_commits: 2, ..HistoryBounds::default() }), expected[..2]);
        assert_eq!(behind(&[], HistoryBounds::default()), []);
    }
}
