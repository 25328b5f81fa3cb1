//! What renderers have in common: from a commit's files to declared objects.

use serde::{Deserialize, Serialize};

use super::checkout::Checkout;
use super::manifest::Reading;
use crate::model::declared::{RenderedObject, UnstablePlace};
use crate::model::gap::{Exclusion, Gap};
use crate::model::ids::TargetName;
use crate::ports::SourceTree;

/// One way from files to objects. Which one it was, nothing else knows.
pub trait Renderer {
    /// Whether an object is written in a file as it is: then the file's history is the object's.
    fn takes_files_as_they_are(&self) -> bool {
        false
    }

    /// What makes the objects, with its version, as `helm v3.19.0`.
    ///
    /// # Errors
    /// A gap where it is not there.
    fn name(&self, _tree: &dyn SourceTree, _path: &str) -> Result<String, Gap> {
        Ok(String::new())
    }

    /// The folders and files that what is rendered of a path follows from, by their paths in the tree.
    fn inputs(&self, _tree: &dyn SourceTree, path: &str) -> Vec<String> {
        vec![path.to_owned()]
    }

    /// The objects of a target.
    ///
    /// # Errors
    /// A gap that hides the target where nothing of it can be said.
    fn render(&self, job: &Job<'_>) -> Result<Rendered, Gap>;
}

/// What is to be rendered.
pub struct Job<'a> {
    /// The target.
    pub target: &'a TargetName,
    /// The commit's files.
    pub tree: &'a dyn SourceTree,
    /// The target's path in them; empty: the root.
    pub path: &'a str,
    /// How manifests are read; its namespace is the target's.
    pub reading: Reading<'a>,
    /// Whether it is known already which places are another each time.
    pub once: bool,
    /// The inputs in a folder, for programs.
    pub checkout: &'a dyn Fn() -> Result<Checkout, Gap>,
}

/// What a target's commit renders.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Rendered {
    /// Objects in the order of the files, or of the output.
    pub objects: Vec<RenderedObject>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Files that hold no manifests.
    pub passed_over: u64,
    /// Keys that stand twice in one mapping.
    pub duplicate_keys: u64,
    /// What made the objects, with its version, as `helm v3.19.0`; `None`: the files are the objects.
    pub by: Option<String>,
    /// What was chosen not to be taken for the target's.
    pub left_out: Vec<Exclusion>,
    /// Places that are another each time they are rendered.
    pub unstable: Vec<UnstablePlace>,
}

impl Rendered {
    /// Takes over what else was rendered.
    pub fn append(&mut self, more: Self) {
        self.objects.extend(more.objects);
        self.gaps.extend(more.gaps);
        self.passed_over += more.passed_over;
        self.duplicate_keys += more.duplicate_keys;
        self.by = more.by.or(self.by.take());
        self.left_out.extend(more.left_out);
        self.unstable.extend(more.unstable);
    }
}
