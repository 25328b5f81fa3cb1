//! A commit's files as a target sees them: with those of other repositories, which its files of values may be in, each in a folder of its
//! own that no commit has.

use crate::adapters::git::CommitTree;
use crate::model::gap::Gap;
use crate::ports::{SourceFile, SourceTree};

/// See the module.
#[derive(Clone, Debug)]
pub struct Files {
    own: CommitTree,
    /// By their folders.
    beside: Vec<(String, CommitTree)>,
}

impl From<CommitTree> for Files {
    fn from(own: CommitTree) -> Self {
        Self { own, beside: Vec::new() }
    }
}

impl Files {
    /// With the files of other repositories in folders.
    pub fn with(own: CommitTree, beside: Vec<(String, CommitTree)>) -> Self {
        Self { own, beside }
    }

    /// A path with links followed; `None` where it leads nowhere. Of another repository's file it is as it is.
    pub fn real_path(&self, path: &str) -> Option<String> {
        match self.beside(path) {
            Some((folder, tree, rest)) => tree.real_path(rest).map(|real| format!("{folder}/{real}")),
            None => self.own.real_path(path),
        }
    }

    fn beside<'a, 'p>(&'a self, path: &'p str) -> Option<(&'a str, &'a CommitTree, &'p str)> {
        self.beside.iter().find_map(|(folder, tree)| {
            let rest = path.strip_prefix(folder.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (folder.as_str(), tree, rest.trim_start_matches('/')))
        })
    }
}

impl SourceTree for Files {
    fn walk(&self, root: &str, visit: &mut dyn FnMut(SourceFile)) -> Result<(), Gap> {
        match self.beside(root) {
            Some((folder, tree, rest)) => tree.walk(rest, &mut |file| {
                visit(SourceFile { path: format!("{folder}/{}", file.path), ..file });
            }),
            None => self.own.walk(root, visit),
        }
    }

    fn read(&self, path: &str) -> Option<Vec<u8>> {
        match self.beside(path) {
            Some((_, tree, rest)) => tree.read(rest),
            None => self.own.read(path),
        }
    }
}
