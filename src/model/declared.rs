//! Declared objects on their way from a renderer to the comparison.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attribution::Origin;
use super::resource::{Gvk, ObjectId};

/// An object as a renderer gives it: parsed, redacted, not yet placed in a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenderedObject {
    /// Declared version and kind.
    pub gvk: Gvk,
    /// `metadata.namespace`, if one is written.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
    /// Compact JSON, secrets redacted: thousands are held through a scan, and a tree takes several times the memory.
    pub json: Box<str>,
    /// Path of its file from the repository's root; of an object that was made out of several, the one that says most.
    pub file: String,
    /// Where in the file it is written as it is; `None`: it was made out of that file.
    pub written: Option<WrittenAt>,
}

/// Where in its file an object is written as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenAt {
    /// One-based line of its first field.
    pub line: u32,
    /// Position among the objects of its file, from 0: how its fields' lines are found again.
    pub index: usize,
}

/// A place of a rendered object at which it is not known what should stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnstablePlace {
    /// The object's API group.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The place, as a JSON pointer.
    pub pointer: String,
    /// For people.
    pub why: String,
    /// Whether nothing may stand there, too.
    pub may_be_absent: bool,
}

/// An object that a target declares, with its place in the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredObject {
    /// Identity, the namespace defaulted.
    pub id: ObjectId,
    /// Declared version and kind.
    pub gvk: Gvk,
    /// Where it stands; `line` is the object's first.
    pub origin: Origin,
    /// Where in its file it is written as it is; `None`: it was made out of that file.
    pub written: Option<WrittenAt>,
    /// Compact JSON, secrets redacted.
    pub json: Box<str>,
}

impl RenderedObject {
    /// The content as a tree.
    ///
    /// # Errors
    /// Only if the text was not written by this program.
    pub fn tree(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&self.json)
    }
}

impl DeclaredObject {
    /// The content as a tree.
    ///
    /// # Errors
    /// Only if the text was not written by this program.
    pub fn tree(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&self.json)
    }
}
