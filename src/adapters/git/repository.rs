//! An opened repository: revisions and commits.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::bstr::ByteSlice;
use gix::{ObjectId, objs};

use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::history::CommitInfo;
use crate::model::ids::{CommitId, RepositoryName, Revision};
use crate::model::time::Timestamp;
use crate::model::version_range::VersionRange;

use super::failure::Failure;
use super::mirror::{Generation, mark_damaged};

/// A repository that can be read, from several threads if need be. A mirror is not removed from the cache as long as this or a tree of it
/// lives.
#[derive(Clone, Debug)]
pub struct OpenedRepository {
    pub(super) store: Arc<Store>,
    /// Set where this is an old mirror, because the repository could not be fetched.
    pub stale: Option<StaleMirror>,
}

/// What a revision names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The commit.
    pub commit: CommitId,
    /// The tag that a range of versions came out as.
    pub tag: Option<String>,
}

/// That a mirror could not be brought up to date and is used all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleMirror {
    /// Seconds since it was last fetched.
    pub age_seconds: u64,
    /// Why it could not be fetched now.
    pub gap: Gap,
}

/// The objects, and what is to be said when they cannot be read.
pub(super) struct Store {
    repository: gix::ThreadSafeRepository,
    name: RepositoryName,
    mirror: Option<Generation>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Opens a repository without a word from the user's or system's configuration or the environment. Its own configuration is treated as
/// a stranger's whoever owns it, nothing is executed, and replacement objects do not stand in for the real ones.
pub(super) fn open_isolated(path: &Path) -> gix::Result<gix::ThreadSafeRepository> {
    gix::open::Options::isolated()
        .with(gix::sec::Trust::Reduced)
        .config_overrides(["core.useReplaceRefs=false", "core.deltaBaseCacheLimit=64m"])
        .open(path)
}

impl Store {
    /// For one thread, with a cache for the objects that are read again and again.
    pub(super) fn local(&self) -> gix::Repository {
        let mut repository = self.repository.to_thread_local();
        repository.object_cache_size_if_unset(16 * 1024 * 1024);
        repository
    }

    /// For one thread that reads objects once each: keeping them whole would only cost copies.
    pub(super) fn without_cache(&self) -> gix::Repository {
        self.repository.to_thread_local()
    }

    /// That an object which must be there cannot be read. A mirror is then made anew by the next run.
    pub(super) fn unreadable(&self, what: &str) -> Gap {
        let hint = match &self.mirror {
            Some(generation) => {
                mark_damaged(&generation.path);
                "The next run fetches this repository anew."
            }
            None => "Run git fsck in the repository.",
        };
        let message = format!("{what} of repository {} cannot be read", self.name);
        Gap::new(GapKind::Fetch, message, Hides::Target).at(self.place()).hint(hint)
    }

    pub(super) fn place(&self) -> String {
        format!("repository {}", self.name)
    }
}

impl OpenedRepository {
    pub(super) fn at_path(name: &RepositoryName, path: &Path) -> Result<Self, Gap> {
        let gap = |why: &str, hint: &str| {
            let message = format!("could not open repository {name} at {}: {why}", path.display());
            Gap::new(GapKind::Fetch, message, Hides::Target).at(format!("repository {name}")).hint(hint)
        };
        if let Err(error) = std::fs::read_dir(path) {
            return Err(gap(&error.kind().to_string(), "Check the path and the right to read it."));
        }
        let repository = open_isolated(path).map_err(|_| {
            gap("it is no Git repository that can be read", "Give the folder that holds .git, or a bare repository.")
        })?;
        if repository.refs.common_dir().unwrap_or(repository.refs.git_dir()).join("reftable").exists() {
            return Err(gap("it stores its references as a reftable", "Clone it with --ref-format=files."));
        }
        Ok(Self { store: Arc::new(Store { repository, name: name.clone(), mirror: None }), stale: None })
    }

    pub(super) fn of_mirror(
        name: &RepositoryName,
        generation: Generation,
        stale: Option<StaleMirror>,
    ) -> Result<Self, Failure> {
        let repository =
            open_isolated(&generation.path).map_err(|_| Failure::Cache("the mirror cannot be opened".into()))?;
        Ok(Self { store: Arc::new(Store { repository, name: name.clone(), mirror: Some(generation) }), stale })
    }

    /// The default branch's name, as the server or the folder's `HEAD` says it; `None` where that is no branch.
    pub fn default_branch(&self) -> Option<String> {
        let head = self.store.local().head_name().ok()??;
        Some(head.as_bstr().strip_prefix(b"refs/heads/")?.to_str().ok()?.to_owned())
    }

    /// The commit that a revision names: `HEAD` (the default branch), a branch, a tag (followed to its commit), a full reference name, a
    /// full or short commit id, or a range of versions. A branch or tag wins over a short commit id, as in Git.
    ///
    /// # Errors
    /// A `revision` gap where nothing or more than one commit is meant, or where it is no commit.
    pub fn resolve(&self, revision: &Revision) -> Result<Resolved, Gap> {
        let text = revision.as_str();
        match VersionRange::of(revision) {
            Some(Ok(range)) => self.highest_in(text, &range),
            Some(Err(error)) => Err(self.no_commit(text, &format!("cannot be read: {error}"))),
            None => self.commit_of(text).map(|commit| Resolved { commit, tag: None }),
        }
    }

    fn commit_of(&self, text: &str) -> Result<CommitId, Gap> {
        let repository = self.store.local();
        let named = self.references_named(&repository, text)?;
        let mut ids: Vec<ObjectId> = named.iter().map(|(_, id)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        match (ids.as_slice(), named.as_slice()) {
            ([id], _) => return Ok(commit_id(*id)),
            ([_, _, ..], [(one, _), (other, _)]) => {
                return Err(self
                    .no_commit(text, &format!("is ambiguous: {one} and {other} differ"))
                    .hint(format!("Write {one} or {other}.")));
            }
            _ => {}
        }
        if (4..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return self.commit_named(&repository, text);
        }
        Err(self.unknown(&repository, text))
    }

    /// The references that `text` may mean, with their commits.
    fn references_named(&self, repository: &gix::Repository, text: &str) -> Result<Vec<(String, ObjectId)>, Gap> {
        let full_names = if text == "HEAD" || text.starts_with("refs/") {
            vec![text.to_owned()]
        } else {
            ["heads", "tags", "remotes"].map(|kind| format!("refs/{kind}/{text}")).to_vec()
        };
        let mut named = Vec::new();
        for name in full_names {
            let reference = match repository.try_find_reference(name.as_str()) {
                // A shorter name may have been completed to another one than was asked for.
                Ok(Some(reference)) if reference.name().as_bstr() == name.as_bytes().as_bstr() => reference,
                _ => continue,
            };
            let Ok(id) = reference.into_fully_peeled_id() else {
                if name == "HEAD" {
                    return Err(self
                        .no_commit(text, "has no commit: the default branch does not exist")
                        .hint("Write the name of a branch."));
                }
                return Err(self.store.unreadable(&format!("what {name} names")));
            };
            // A remote-tracking branch of a local clone is meant only where there is nothing nearer.
            if name.starts_with("refs/remotes/") && !named.is_empty() {
                continue;
            }
            match id.header().map(|header| header.kind()) {
                Ok(objs::Kind::Commit) => named.push((name, id.detach())),
                Ok(kind) => return Err(self.no_commit(text, &format!("is no commit but a {kind}"))),
                Err(_) => return Err(self.store.unreadable(&format!("the commit of {name}"))),
            }
        }
        Ok(named)
    }

    fn commit_named(&self, repository: &gix::Repository, hex: &str) -> Result<CommitId, Gap> {
        let unknown = || self.unknown(repository, hex);
        let prefix = gix::hash::Prefix::from_hex(hex).map_err(|_| unknown())?;
        let mut objects = HashSet::new();
        repository
            .objects
            .lookup_prefix(prefix, Some(&mut objects))
            .map_err(|_| self.store.unreadable("the index of objects"))?;
        // A short id is asked for as a commit's, so trees and blobs that begin alike do not make it ambiguous.
        let commits: BTreeSet<ObjectId> = objects
            .iter()
            .filter_map(|id| {
                let object = repository.find_object(*id).ok()?.peel_tags_to_end().ok()?;
                (object.kind == objs::Kind::Commit).then_some(object.id)
            })
            .collect();
        let mut commits = commits.into_iter();
        match (commits.next(), commits.next()) {
            (Some(id), None) => Ok(commit_id(id)),
            (Some(one), Some(other)) => Err(self
                .no_commit(hex, &format!("is ambiguous: commits {one} and {other} begin so"))
                .hint("Write more digits.")),
            (None, _) => Err(unknown()),
        }
    }

    pub(super) fn no_commit(&self, revision: &str, what: &str) -> Gap {
        let message = format!("revision {revision} of repository {} {what}", self.store.name);
        Gap::new(GapKind::Revision, message, Hides::Target).at(self.store.place())
    }

    fn unknown(&self, repository: &gix::Repository, text: &str) -> Gap {
        let names = short_names(repository);
        let mut near: Vec<(f64, &String)> = names
            .iter()
            .map(|name| {
                let last = name.rsplit('/').next().unwrap_or(name);
                (strsim::jaro_winkler(text, name).max(strsim::jaro_winkler(text, last)), name)
            })
            .filter(|(score, _)| *score > 0.75)
            .collect();
        near.sort_by(|(one, a), (other, b)| other.total_cmp(one).then_with(|| a.cmp(b)));
        let near: Vec<&str> = near.iter().take(3).map(|(_, name)| name.as_str()).collect();
        let gap = self.no_commit(text, "is not known");
        if near.is_empty() {
            gap.hint("Check the name; a commit is known only if a branch or tag leads to it.")
        } else {
            gap.hint(format!("Did you mean {}?", near.join(", ")))
        }
    }

    /// What is shown of a commit.
    ///
    /// # Errors
    /// A gap where it is not there or is malformed.
    pub fn commit(&self, id: &CommitId) -> Result<CommitInfo, Gap> {
        let repository = self.store.local();
        let id = self.known_commit(&repository, id)?;
        commit_info(&repository, id).ok_or_else(|| self.store.unreadable(&format!("commit {id}")))
    }

    /// A commit that is there. One that is not, such as one that a ledger remembers and a forced push took away, is no damage.
    pub(super) fn known_commit(&self, repository: &gix::Repository, id: &CommitId) -> Result<ObjectId, Gap> {
        let known = ObjectId::from_hex(id.as_str().as_bytes()).ok().filter(|id| repository.has_object(id));
        known.ok_or_else(|| {
            self.no_commit(id.as_str(), "is not in the repository")
                .hint("A forced push may have taken it away; a commit stays known while a branch or tag leads to it.")
        })
    }

    /// Where the objects are; a hint for people, and for tests.
    pub fn path(&self) -> PathBuf {
        self.store.repository.refs.git_dir().to_owned()
    }
}

pub(super) fn commit_id(id: ObjectId) -> CommitId {
    CommitId::new(id.to_hex().to_string())
}

/// `None` where the object is no commit or is malformed.
pub(super) fn commit_info(repository: &gix::Repository, id: ObjectId) -> Option<CommitInfo> {
    let commit = repository.find_object(id).ok()?.try_into_commit().ok()?;
    let decoded = commit.decode().ok()?;
    let author = decoded.author().ok()?;
    let subject = decoded.message.lines().map(|line| line.trim()).find(|line| !line.is_empty());
    Some(CommitInfo {
        id: commit_id(id),
        author: author.name.to_str_lossy().into_owned(),
        email: author.email.to_str_lossy().into_owned(),
        time: Timestamp::from_unix(author.time().ok()?.seconds),
        subject: subject.unwrap_or_default().to_str_lossy().into_owned(),
        parents: decoded.parents().count(),
    })
}

fn short_names(repository: &gix::Repository) -> Vec<String> {
    let Ok(platform) = repository.references() else { return Vec::new() };
    let Ok(all) = platform.all() else { return Vec::new() };
    all.flatten()
        .filter_map(|reference| {
            let name = reference.name().as_bstr().to_str().ok()?.to_owned();
            ["refs/heads/", "refs/tags/", "refs/remotes/"]
                .iter()
                .find_map(|kind| name.strip_prefix(kind))
                .map(str::to_owned)
        })
        .collect()
}

#[cfg(test)]
#[path = "repository_tests.rs"]
mod tests;
