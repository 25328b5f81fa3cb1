//! A commit's files, read without a checkout.

use std::collections::VecDeque;
use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::objs::tree::EntryKind;

use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::CommitId;
use crate::ports::{SourceFile, SourceTree};

use super::repository::{OpenedRepository, Store};

/// As many as Linux follows before it gives up (path_resolution(7)).
const LINKS: usize = 40;
/// No path that a link could sensibly hold is longer.
const LONGEST_LINK: u64 = 4096;
/// A deeper folder is no manifest's home but an attack on the stack.
pub(super) const DEEPEST_FOLDER: usize = 256;
/// How a Git LFS pointer file begins (its specification, version 1).
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// What is not read from a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeLimits {
    /// A larger file is a gap.
    pub max_file_bytes: u64,
    /// A walk that comes to more files, those seen through links counted each time, ends with a gap.
    pub max_files: usize,
}

impl Default for TreeLimits {
    fn default() -> Self {
        Self { max_file_bytes: 4 * 1024 * 1024, max_files: 500_000 }
    }
}

/// The files of one commit. Symbolic links are followed inside the tree only.
#[derive(Clone, Debug)]
pub struct CommitTree {
    store: Arc<Store>,
    root: ObjectId,
    limits: TreeLimits,
}

impl OpenedRepository {
    /// The files of a commit.
    ///
    /// # Errors
    /// A gap where the commit or its tree cannot be read.
    pub fn tree(&self, commit: &CommitId, limits: TreeLimits) -> Result<CommitTree, Gap> {
        let repository = self.store.local();
        let id = self.known_commit(&repository, commit)?;
        let tree = repository.find_object(id).ok().and_then(|object| object.try_into_commit().ok()?.tree_id().ok());
        let root = tree.ok_or_else(|| self.store.unreadable(&format!("commit {commit}")))?.detach();
        Ok(CommitTree { store: self.store.clone(), root, limits })
    }
}

impl CommitTree {
    /// Where a path really is: the same path with every symbolic link in it followed. `None` where nothing is there. A file's history
    /// is that of its real path.
    pub fn real_path(&self, path: &str) -> Option<String> {
        let found = locate(&self.store.local(), self.root, path.into()).ok()?;
        found.real.to_str().ok().map(str::to_owned)
    }
}

/// What a path leads to.
struct Found {
    id: ObjectId,
    is_folder: bool,
    /// The path with all links followed; empty for the root.
    real: BString,
}

/// Why a path leads nowhere.
#[derive(Debug, PartialEq, Eq)]
enum Lost {
    NotThere,
    Outside,
    Loop,
    Submodule,
    Unreadable,
}

fn locate(repository: &gix::Repository, root: ObjectId, path: &BStr) -> Result<Found, Lost> {
    let mut rest: VecDeque<BString> = components(path).collect();
    let mut folders: Vec<(BString, ObjectId)> = Vec::new();
    let mut links = 0;
    let real = |folders: &[(BString, ObjectId)]| -> BString {
        gix::bstr::join("/", folders.iter().map(|(name, _)| name)).into()
    };
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            folders.pop().ok_or(Lost::Outside)?;
            continue;
        }
        let folder = folders.last().map_or(root, |(_, id)| *id);
        let (kind, id) = entry(repository, folder, name.as_bstr())?.ok_or(Lost::NotThere)?;
        match kind {
            EntryKind::Tree => folders.push((name, id)),
            EntryKind::Blob | EntryKind::BlobExecutable if rest.is_empty() => {
                folders.push((name, id));
                return Ok(Found { id, is_folder: false, real: real(&folders) });
            }
            EntryKind::Blob | EntryKind::BlobExecutable => return Err(Lost::NotThere),
            EntryKind::Commit => return Err(Lost::Submodule),
            EntryKind::Link => {
                links += 1;
                if links > LINKS {
                    return Err(Lost::Loop);
                }
                let target = link_target(repository, id)?;
                if target.first() == Some(&b'/') {
                    return Err(Lost::Outside);
                }
                for part in components(target.as_bstr()).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(part);
                }
                if rest.len() > 10_000 {
                    return Err(Lost::Loop);
                }
            }
        }
    }
    Ok(Found { id: folders.last().map_or(root, |(_, id)| *id), is_folder: true, real: real(&folders) })
}

fn components(path: &BStr) -> impl Iterator<Item = BString> {
    path.split_str("/").filter(|part| !part.is_empty() && *part != b".").map(BString::from)
}

fn entry(repository: &gix::Repository, folder: ObjectId, name: &BStr) -> Result<Option<(EntryKind, ObjectId)>, Lost> {
    let tree = repository.find_tree(folder).map_err(|_| Lost::Unreadable)?;
    for entry in tree.iter() {
        let entry = entry.map_err(|_| Lost::Unreadable)?;
        if entry.filename() == name {
            return Ok(Some((entry.kind(), entry.object_id())));
        }
    }
    Ok(None)
}

fn link_target(repository: &gix::Repository, id: ObjectId) -> Result<BString, Lost> {
    let size = repository.find_header(id).map_err(|_| Lost::Unreadable)?.size();
    if size > LONGEST_LINK {
        return Err(Lost::NotThere);
    }
    let mut blob = repository.find_object(id).map_err(|_| Lost::Unreadable)?;
    Ok(BString::from(std::mem::take(&mut blob.data)))
}

impl SourceTree for CommitTree {
    fn walk(&self, root: &str, visit: &mut dyn FnMut(SourceFile)) -> Result<(), Gap> {
        let repository = self.store.local();
        let found = locate(&repository, self.root, root.into()).map_err(|lost| self.root_gap(root, &lost))?;
        let shown = gix::bstr::join("/", components(root.into()));
        let mut walk = Walk { tree: self, repository: &repository, visit, active: Vec::new(), files: 0 };
        if found.is_folder { walk.folder(shown.as_bstr(), &found) } else { walk.file(shown.as_bstr(), Ok(found.id)) }
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let repository = self.store.local();
        let found = locate(&repository, self.root, path.into()).ok().filter(|found| !found.is_folder)?;
        self.content(&repository, path, found.id).ok()
    }
}

impl CommitTree {
    fn root_gap(&self, root: &str, lost: &Lost) -> Gap {
        if *lost == Lost::Unreadable {
            return self.store.unreadable(&format!("the folder {root}"));
        }
        let what = match lost {
            Lost::Outside => "leads out of the repository",
            Lost::Loop => "is a loop of symbolic links",
            Lost::Submodule => "is in a submodule, which is not read",
            Lost::NotThere | Lost::Unreadable => "does not exist at this commit",
        };
        Gap::new(GapKind::Render, format!("path {root} {what}"), Hides::Target)
            .at(self.store.place())
            .hint("Check the target's path and revision.")
    }

    fn content(&self, repository: &gix::Repository, path: &str, id: ObjectId) -> Result<Vec<u8>, Gap> {
        let unreadable = || {
            let mut gap = self.store.unreadable(&format!("file {path}")).at(path);
            gap.hides = Hides::File { file: path.to_owned() };
            gap
        };
        let size = repository.find_header(id).map_err(|_| unreadable())?.size();
        if size > self.limits.max_file_bytes {
            let message = format!("file {path} has {size} bytes, more than {}", self.limits.max_file_bytes);
            return Err(file_gap(GapKind::Limit, path, message, "Split the file, or raise `limits.fileBytes`."));
        }
        let mut blob = repository.find_object(id).map_err(|_| unreadable())?;
        if blob.data.starts_with(LFS) {
            let message = format!("file {path} is kept in Git LFS, which is not read");
            return Err(file_gap(GapKind::Render, path, message, "Keep manifests in Git itself."));
        }
        Ok(std::mem::take(&mut blob.data))
    }
}

fn file_gap(kind: GapKind, path: &str, message: String, hint: &str) -> Gap {
    Gap::new(kind, message, Hides::File { file: path.to_owned() }).at(path).hint(hint)
}

struct Walk<'a> {
    tree: &'a CommitTree,
    repository: &'a gix::Repository,
    visit: &'a mut dyn FnMut(SourceFile),
    /// Real paths of the folders that the walk is in: coming to one of them again is a loop.
    active: Vec<BString>,
    files: usize,
}

/// One entry of a folder, links followed.
struct Step {
    shown: BString,
    leads_to: Result<Found, Lost>,
}

impl Walk<'_> {
    fn folder(&mut self, shown: &BStr, folder: &Found) -> Result<(), Gap> {
        if self.active.contains(&folder.real) {
            return self.file(shown, Err(Lost::Loop));
        }
        if self.active.len() >= DEEPEST_FOLDER {
            let message = format!("folder {shown} is more than {DEEPEST_FOLDER} folders deep");
            return Err(Gap::new(GapKind::Limit, message, Hides::Target).at(self.tree.store.place()));
        }
        let mut steps = self.steps(shown, folder)?;
        // Git orders a folder as if its name ended with a slash; a link to a folder is in the place of the folder.
        steps.sort_by_cached_key(|step| {
            let mut key = step.shown.clone();
            if step.leads_to.as_ref().is_ok_and(|found| found.is_folder) {
                key.push(b'/');
            }
            key
        });
        self.active.push(folder.real.clone());
        for step in steps {
            match step.leads_to {
                Ok(found) if found.is_folder => self.folder(step.shown.as_bstr(), &found)?,
                Ok(found) => self.file(step.shown.as_bstr(), Ok(found.id))?,
                Err(lost) => self.file(step.shown.as_bstr(), Err(lost))?,
            }
        }
        self.active.pop();
        Ok(())
    }

    fn steps(&self, shown: &BStr, folder: &Found) -> Result<Vec<Step>, Gap> {
        let unreadable = || self.tree.store.unreadable(&format!("the folder {shown}"));
        let tree = self.repository.find_tree(folder.id).map_err(|_| unreadable())?;
        let mut steps = Vec::new();
        for entry in tree.iter() {
            let entry = entry.map_err(|_| unreadable())?;
            let real = below(folder.real.as_bstr(), entry.filename());
            let found = |is_folder| Ok(Found { id: entry.object_id(), is_folder, real: real.clone() });
            let leads_to = match entry.kind() {
                EntryKind::Tree => found(true),
                EntryKind::Blob | EntryKind::BlobExecutable => found(false),
                EntryKind::Commit => Err(Lost::Submodule),
                EntryKind::Link => locate(self.repository, self.tree.root, real.as_bstr()),
            };
            steps.push(Step { shown: below(shown, entry.filename()), leads_to });
        }
        Ok(steps)
    }

    fn file(&mut self, shown: &BStr, leads_to: Result<ObjectId, Lost>) -> Result<(), Gap> {
        self.files += 1;
        if self.files > self.tree.limits.max_files {
            let message = format!("there are more than {} files below the path", self.tree.limits.max_files);
            return Err(Gap::new(GapKind::Limit, message, Hides::Target)
                .at(self.tree.store.place())
                .hint("Give the target a narrower path."));
        }
        let path = shown.to_str_lossy().into_owned();
        let is_file = leads_to.is_ok();
        let content = match leads_to {
            _ if shown.to_str().is_err() => Err(render(&path, "has a name that is not UTF-8", "Rename the file.")),
            Ok(id) => self.tree.content(self.repository, &path, id),
            Err(Lost::NotThere) => Err(render(&path, "is a symbolic link to nothing", "Mend or remove the link.")),
            Err(Lost::Outside) => {
                Err(render(&path, "is a symbolic link out of the repository", "Keep the file in the repository."))
            }
            Err(Lost::Loop) => Err(render(&path, "is a loop of symbolic links", "Mend or remove the link.")),
            Err(Lost::Submodule) => Err(render(
                &path,
                "is in a submodule, which is not read",
                "Make the submodule's repository a target of its own.",
            )),
            Err(Lost::Unreadable) => {
                let mut gap = self.tree.store.unreadable(&format!("file {path}")).at(path.clone());
                gap.hides = Hides::File { file: path.clone() };
                Err(gap)
            }
        };
        (self.visit)(SourceFile { path, is_file, content });
        Ok(())
    }
}

fn render(path: &str, what: &str, hint: &str) -> Gap {
    file_gap(GapKind::Render, path, format!("{path} {what}"), hint)
}

fn below(folder: &BStr, name: &BStr) -> BString {
    let mut path = BString::from(folder);
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
