//! Makes repositories with a history: for the bundled sample and for tests.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::bstr::BString;
use gix::objs::tree::{Entry, EntryKind};
use gix::objs::{Commit, Kind, Tag, Tree, Write as _};
use thiserror::Error;

use crate::model::ids::CommitId;
use crate::model::time::Timestamp;

use super::repository::commit_id;

/// A repository could not be made or added to.
#[derive(Debug, Error)]
pub enum BuildError {
    /// What was being done when Git's storage failed.
    #[error("{0}")]
    Store(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// A commit that this builder did not make.
    #[error("commit {0} is not of this builder")]
    Unknown(CommitId),
}

fn store(what: &'static str) -> impl Fn(gix::Error) -> BuildError {
    move |error| BuildError::Store(what, Box::new(error))
}

/// Who commits, when, and the message.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// Author's and committer's name.
    pub author: &'a str,
    /// Their e-mail address.
    pub email: &'a str,
    /// Author and commit time.
    pub time: Timestamp,
    /// Message; its first line is the subject.
    pub message: &'a str,
}

/// What a commit makes of a path.
#[derive(Clone, Debug)]
pub enum Content {
    /// A file.
    File(Vec<u8>),
    /// A symbolic link to this path.
    Link(String),
    /// A submodule at this commit of another repository.
    Submodule(CommitId),
    /// Nothing: the path is removed.
    Removed,
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::File(text.into())
    }
}

/// Kind and object.
type Entered = (EntryKind, ObjectId);

/// The files of a commit, by path.
type Files = BTreeMap<BString, Entered>;

/// Makes a bare repository commit by commit.
pub struct RepositoryBuilder {
    repository: gix::Repository,
    path: PathBuf,
    commits: HashMap<ObjectId, Files>,
}

impl RepositoryBuilder {
    /// An empty bare repository in a new or empty folder, made if need be; its default branch is `main`.
    ///
    /// # Errors
    /// Where the folder cannot be written or is not empty.
    pub fn create(path: &Path) -> Result<Self, BuildError> {
        std::fs::create_dir_all(path)
            .map_err(|error| BuildError::Store("the folder cannot be made", Box::new(error)))?;
        let options = gix::create::Options { destination_must_be_empty: Some(true), ..Default::default() };
        let open = gix::open::Options::isolated().config_overrides(["init.defaultBranch=main"]);
        let repository = gix::ThreadSafeRepository::init_opts(path, gix::create::Kind::Bare, options, open)
            .map_err(store("the repository cannot be made"))?
            .to_thread_local();
        Ok(Self { repository, path: path.to_owned(), commits: HashMap::new() })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Commits changes of files on top of `parents`, which may be none; with more than one it is a merge, and what is not changed is the
    /// first parent's. No branch is moved.
    ///
    /// # Errors
    /// Where a parent is not of this builder or the objects cannot be written.
    pub fn commit<P: Into<BString>>(
        &mut self,
        parents: &[&CommitId],
        written: &Written<'_>,
        changes: impl IntoIterator<Item = (P, Content)>,
    ) -> Result<CommitId, BuildError> {
        let parents = parents.iter().map(|parent| self.known(parent)).collect::<Result<Vec<_>, _>>()?;
        let mut files = parents.first().and_then(|id| self.commits.get(id)).cloned().unwrap_or_default();
        for (path, content) in changes {
            let path = path.into();
            match self.write(content)? {
                Some(entry) => files.insert(path, entry),
                None => files.remove(&path),
            };
        }
        let tree = self.write_tree(files.iter().map(|(path, entry)| (path.as_slice(), *entry)).collect())?;
        let commit = Commit {
            tree,
            parents: parents.into(),
            author: signature(written),
            committer: signature(written),
            encoding: None,
            message: written.message.into(),
            extra_headers: Vec::new(),
        };
        let id = self.repository.write_object(commit).map_err(store("a commit cannot be written"))?.detach();
        self.commits.insert(id, files);
        Ok(commit_id(id))
    }

    /// Commits on top of a branch and moves it; the branch is made if it is new.
    ///
    /// # Errors
    /// As [`commit`](Self::commit), and where the branch points to a commit that is not of this builder.
    pub fn commit_to<P: Into<BString>>(
        &mut self,
        branch: &str,
        written: &Written<'_>,
        changes: impl IntoIterator<Item = (P, Content)>,
    ) -> Result<CommitId, BuildError> {
        let tip = self
            .repository
            .try_find_reference(format!("refs/heads/{branch}").as_str())
            .map_err(store("the branch cannot be read"))?
            .and_then(|reference| reference.try_id().map(|id| commit_id(id.detach())));
        let parents: Vec<&CommitId> = tip.iter().collect();
        let id = self.commit(&parents, written, changes)?;
        self.set_branch(branch, &id)?;
        Ok(id)
    }

    /// Writes a commit object byte by byte, a signed one say, and lets a branch point to it. It is not of this builder: nothing can be
    /// committed on top.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn push_object(&self, branch: &str, commit: &[u8]) -> Result<CommitId, BuildError> {
        let id = self.repository.write_buf(Kind::Commit, commit).map_err(store("a commit cannot be written"))?;
        self.set_reference(&format!("refs/heads/{branch}"), id)?;
        Ok(commit_id(id))
    }

    /// Lets a branch point to a commit, wherever it pointed before.
    ///
    /// # Errors
    /// Where the commit is not of this builder or the branch cannot be written.
    pub fn set_branch(&self, branch: &str, commit: &CommitId) -> Result<(), BuildError> {
        self.set_reference(&format!("refs/heads/{branch}"), self.known(commit)?)
    }

    /// Makes a tag: annotated with a message and who wrote it, or without one a lightweight tag.
    ///
    /// # Errors
    /// Where the commit is not of this builder or the tag cannot be written.
    pub fn tag(&self, name: &str, commit: &CommitId, annotation: Option<&Written<'_>>) -> Result<(), BuildError> {
        let mut target = self.known(commit)?;
        if let Some(written) = annotation {
            let tag = Tag {
                target,
                target_kind: Kind::Commit,
                name: name.into(),
                tagger: Some(signature(written)),
                message: written.message.into(),
                signature: None,
            };
            target = self.repository.write_object(tag).map_err(store("a tag cannot be written"))?.detach();
        }
        self.set_reference(&format!("refs/tags/{name}"), target)
    }

    /// Removes a branch (`refs/heads/…`) or tag (`refs/tags/…`).
    ///
    /// # Errors
    /// Where it is not there or cannot be removed.
    pub fn remove_reference(&self, full_name: &str) -> Result<(), BuildError> {
        let reference = self.repository.find_reference(full_name).map_err(store("a reference is not there"))?;
        reference.delete().map_err(store("a reference cannot be removed"))
    }

    fn set_reference(&self, name: &str, target: ObjectId) -> Result<(), BuildError> {
        use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit};
        let name = gix::refs::FullName::try_from(name)
            .map_err(|error| BuildError::Store("a reference's name is not valid", Box::new(error)))?;
        let change = Change::Update {
            log: LogChange::default(),
            expected: PreviousValue::Any,
            new: gix::refs::Target::Object(target),
        };
        let edit = RefEdit { change, name, deref: false };
        self.repository.edit_references_as([edit], None).map_err(store("a reference cannot be written"))?;
        Ok(())
    }

    fn known(&self, commit: &CommitId) -> Result<ObjectId, BuildError> {
        ObjectId::from_hex(commit.as_str().as_bytes())
            .ok()
            .filter(|id| self.commits.contains_key(id))
            .ok_or_else(|| BuildError::Unknown(commit.clone()))
    }

    fn write(&self, content: Content) -> Result<Option<Entered>, BuildError> {
        let blob = |bytes: &[u8]| {
            self.repository.write_blob(bytes).map(|id| id.detach()).map_err(store("a file cannot be written"))
        };
        Ok(match content {
            Content::File(bytes) => Some((EntryKind::Blob, blob(&bytes)?)),
            Content::Link(target) => Some((EntryKind::Link, blob(target.as_bytes())?)),
            Content::Submodule(commit) => {
                let id = ObjectId::from_hex(commit.as_str().as_bytes()).map_err(|_| BuildError::Unknown(commit))?;
                Some((EntryKind::Commit, id))
            }
            Content::Removed => None,
        })
    }

    /// Writes a folder and the folders in it. `files`: paths below it, in order.
    fn write_tree(&self, files: Vec<(&[u8], Entered)>) -> Result<ObjectId, BuildError> {
        let mut folders: BTreeMap<&[u8], Vec<(&[u8], Entered)>> = BTreeMap::new();
        let mut entries = Vec::new();
        for (path, entry) in files {
            match path.iter().position(|byte| *byte == b'/') {
                Some(slash) => folders.entry(&path[..slash]).or_default().push((&path[slash + 1..], entry)),
                None => entries.push(Entry { mode: entry.0.into(), filename: path.into(), oid: entry.1 }),
            }
        }
        for (name, files) in folders {
            let oid = self.write_tree(files)?;
            entries.push(Entry { mode: EntryKind::Tree.into(), filename: name.into(), oid });
        }
        entries.sort();
        let tree = self.repository.write_object(Tree { entries }).map_err(store("a folder cannot be written"))?;
        Ok(tree.detach())
    }
}

fn signature(written: &Written<'_>) -> gix::actor::Signature {
    gix::actor::Signature {
        name: written.author.into(),
        email: written.email.into(),
        time: gix::date::Time { seconds: written.time.unix(), offset: 0 },
    }
}
