//! Change evidence: what the commits say and prove that findings name. Each commit is read once.

use std::collections::BTreeMap;

use super::gather::TargetSource;
use super::wiring;
use crate::adapters::git::{OpenedRepository, Signers, SignersFiles};
use crate::config::{Config, RepositoryConfig};
use crate::model::attribution::DeclaredBy;
use crate::model::change::Change;
use crate::model::finding::Finding;
use crate::model::gap::Gap;
use crate::model::ids::{CommitId, RepositoryName};
use crate::stages::change_policy::{declared_by, enrich};
use crate::stages::forge::Pages;
use crate::stages::pull_request;

/// The commits of a scan's repositories.
#[derive(Default)]
pub struct Changes {
    repositories: BTreeMap<RepositoryName, Known>,
    read: BTreeMap<(RepositoryName, CommitId), Option<Change>>,
    gaps: Vec<Gap>,
}

/// A repository, the keys that may sign in it and its pages.
struct Known {
    repository: OpenedRepository,
    signers: Signers,
    pages: Option<Pages>,
}

impl Changes {
    /// Of the repositories that were opened. Their files of keys are read here.
    pub fn of(sources: &[TargetSource], config: &Config) -> Self {
        let mut changes = Self::default();
        for source in sources {
            let name = &source.config.repository;
            let Some((_, repository, _)) = &source.commit else { continue };
            let written = config.repositories.iter().find(|known| known.name == *name);
            let Some(written) = written.filter(|_| !changes.repositories.contains_key(name)) else { continue };
            let files =
                SignersFiles { allowed_signers: written.allowed_signers.clone(), keyring: written.keyring.clone() };
            let (signers, gaps) = Signers::read(name, &files);
            changes.gaps.extend(gaps);
            let known = Known { repository: repository.clone(), signers, pages: pages(written) };
            changes.repositories.insert(name.clone(), known);
        }
        changes
    }

    /// A commit; `None` where it cannot be read, which is a gap, or where its repository is not open.
    pub fn get(&mut self, repository: &RepositoryName, commit: &CommitId) -> Option<&Change> {
        let known = self.repositories.get(repository)?;
        let gaps = &mut self.gaps;
        let read = self.read.entry((repository.clone(), commit.clone())).or_insert_with(|| {
            let change = known.repository.change(commit, &known.signers);
            change.map_err(|gap| gaps.push(gap)).ok()
        });
        read.as_ref()
    }

    /// Adds request, signature and pages to the commits that findings name. Where a merge brought a commit, the merge's message says by
    /// which request.
    ///
    /// `removed_from` are the repositories of the objects that no target declares now, by their findings' fingerprints.
    pub fn fill(&mut self, found: &mut [Finding], removed_from: &BTreeMap<String, RepositoryName>) {
        for finding in found {
            let origin = finding.origin.as_ref().map(|origin| &origin.repository);
            let Some(repository) = origin.or_else(|| removed_from.get(&finding.fingerprint)) else { continue };
            for by in [&mut finding.declared_by, &mut finding.removed_by].into_iter().flatten() {
                let repository = self.holder(repository, &by.commit);
                self.fill_in(&repository, by);
            }
            if let Some(found) = &mut finding.live_matches {
                let of = self.holder(repository, &found.commit);
                found.matched = self.named(&of, &found.commit, found.reached_by.as_ref());
                let given = found.given_by.as_ref().filter(|given| **given != found.commit);
                found.given = given.and_then(|given| {
                    let of = self.holder(repository, given);
                    self.named(&of, given, found.reached_by.as_ref())
                });
            }
        }
    }

    /// The repository that has a commit: that of the files, or another, where what names their target is in that one.
    fn holder(&self, files: &RepositoryName, commit: &CommitId) -> RepositoryName {
        let has = |name: &RepositoryName| self.repositories.get(name)?.repository.commit(commit).ok();
        let others = || self.repositories.keys().find(|name| *name != files && has(name).is_some());
        let holder = if has(files).is_some() { None } else { others() };
        holder.unwrap_or(files).clone()
    }

    /// All that is known of a commit.
    fn named(
        &mut self,
        repository: &RepositoryName,
        commit: &CommitId,
        reached_by: Option<&CommitId>,
    ) -> Option<Box<DeclaredBy>> {
        let mut by = Box::new(declared_by(self.get(repository, commit)?));
        by.reached_by = reached_by.cloned();
        self.fill_in(repository, &mut by);
        Some(by)
    }

    /// The same for one commit of a repository.
    pub fn fill_in(&mut self, repository: &RepositoryName, by: &mut DeclaredBy) {
        let Some(pages) = self.repositories.get(repository).map(|known| known.pages.clone()) else { return };
        let bringer = by.reached_by.clone().unwrap_or_else(|| by.commit.clone());
        let pages = pages.as_ref();
        let bringer = self.get(repository, &bringer);
        let request = bringer.and_then(|change| pull_request::of(change, pages));
        let forge = bringer.and_then(|change| pull_request::forge(change, pages));
        if let Some(change) = self.get(repository, &by.commit) {
            let page = pages.and_then(|pages| pages.commit(&by.commit, forge));
            enrich(by, change, request.as_ref(), page);
        }
    }

    /// What could not be read.
    pub fn gaps(self) -> Vec<Gap> {
        self.gaps
    }
}

/// The pages of a repository that is fetched from a server.
fn pages(repository: &RepositoryConfig) -> Option<Pages> {
    Pages::of(&wiring::public_url(repository)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::adapters::git::{Content, RepositoryBuilder, Written};
    use crate::app::gather;
    use crate::model::attribution::{DeclaredBy, LiveMatch, Origin};
    use crate::model::finding::Code;
    use crate::model::secret::RedactionKey;
    use crate::model::time::Timestamp;
    use crate::stages::change_policy;

    #[tokio::test]
    async fn the_merge_that_brought_a_commit_says_by_which_request_and_each_commit_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = RepositoryBuilder::create(&folder.path().join("r")).unwrap();
        let mut commit = |parents: &[&CommitId], message: &str| {
            let time = Timestamp::from_unix(1_770_000_000);
            let written = Written { author: "Ada", email: "ada@example.com", time, message };
            builder.commit(parents, &written, [("a.yaml", Content::from(message))]).unwrap()
        };
        let first = commit(&[], "Begin (#1)");
        let side = commit(&[&first], "Raise (#7)");
        let merge = commit(&[&first, &side], "Merge pull request #812 from acme/limits\n\nRaise");
        let plain = commit(&[&merge, &side], "Merge branch 'release'");
        builder.set_branch("main", &plain).unwrap();
        let text = |url: &str| {
            format!(
                "ledger: l\nclusters: [{{name: c, dump: d}}]\nrepositories: [{{name: r, url: '{url}'}}]\n\
                 targets: [{{name: t, repository: r, revision: main, cluster: c}}]\n"
            )
        };
        let config = Arc::new(crate::config::read(&text("r"), folder.path()).unwrap());
        let key = Arc::new(RedactionKey::from_bytes([0; 32]));
        let sources = gather::targets(&config, &config.targets, &key, Timestamp::from_unix(0)).await;
        // The same repository, as if it had been fetched from there.
        let config = crate::config::read(&text("https://user:CANARY@github.com/acme/shop.git"), folder.path()).unwrap();
        let mut changes = Changes::of(&sources, &config);
        let page = |rest: &str| Some(format!("https://github.com/acme/shop/{rest}"));
        for (case, by, reached_by, request, url) in [
            ("a squash", &first, None, Some("PR #1"), page("pull/1")),
            ("brought by a merge", &side, Some(&merge), Some("PR #812"), page("pull/812")),
            ("brought by a merge of no request", &side, Some(&plain), None, None),
        ] {
            let change = changes.get(&config.repositories[0].name, by).unwrap();
            let origin = Origin {
                target: config.targets[0].name.clone(),
                repository: config.repositories[0].name.clone(),
                revision: config.targets[0].revision.clone(),
                commit: plain.clone(),
                file: "a.yaml".into(),
                line: None,
                renderer: None,
            };
            let mut finding = change_policy::finding(&config.clusters[0].name, origin, change, &[]);
            finding.code = Code::Changed;
            let named: &mut DeclaredBy = finding.declared_by.as_mut().unwrap();
            named.reached_by = reached_by.cloned();
            finding.live_matches = Some(LiveMatch {
                given_by: Some(first.clone()),
                reached_by: reached_by.cloned(),
                ..LiveMatch::of(by.clone(), &config.targets[0].revision)
            });
            let mut found = [finding];
            changes.fill(&mut found, &BTreeMap::new());
            // What is known of one commit is known of it wherever it is named.
            let matches = found[0].live_matches.as_ref().unwrap();
            assert_eq!(matches.matched.as_deref(), found[0].declared_by.as_ref(), "{case}");
            let given = matches.given.as_ref().map(|given| given.subject.as_str());
            assert_eq!(given, (*by != first).then_some("Begin (#1)"), "{case}");
            let named = found[0].declared_by.as_ref().unwrap();
            assert_eq!((named.pull_request.as_deref(), &named.pull_request_url), (request, &url), "{case}");
            assert_eq!(named.commit_url, page(&format!("commit/{by}")), "{case}");
            assert_eq!(named.signature.as_deref(), Some("none"), "{case}");
            assert_eq!(named.committer.as_ref().map(|by| by.email.as_str()), Some("ada@example.com"), "{case}");
        }
        // What cannot be read is told once, however often it is asked for.
        let unknown = CommitId::new("1".repeat(40));
        for _ in 0..2 {
            assert_eq!(changes.get(&config.repositories[0].name, &unknown), None);
        }
        let gaps = changes.gaps();
        assert_eq!((gaps.len(), &gaps[0].hides), (1, &crate::model::gap::Hides::Evidence));
    }
}
