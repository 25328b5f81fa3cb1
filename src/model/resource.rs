//! What an object is: group, version, kind, namespace and name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An API group and version; the core group is the empty string.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupVersion {
    /// `apps`, or empty for the core group.
    pub group: String,
    /// `v1`.
    pub version: String,
}

impl GroupVersion {
    /// Reads an `apiVersion`. More than one slash leaves the rest in the version, which no server serves.
    pub fn parse(api_version: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.to_owned(), version: version.to_owned() }
    }

    /// The `apiVersion` of an object.
    pub fn api_version(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for GroupVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() { f.pad(&self.version) } else { f.pad(&format!("{}/{}", self.group, self.version)) }
    }
}

/// A kind at a version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gvk {
    /// Group and version.
    pub gv: GroupVersion,
    /// `Deployment`.
    pub kind: String,
}

impl Gvk {
    /// From an object's `apiVersion` and `kind`.
    pub fn new(api_version: &str, kind: impl Into<String>) -> Self {
        Self { gv: GroupVersion::parse(api_version), kind: kind.into() }
    }

    /// Without the version: what an identity is made of.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.gv.group.clone(), kind: self.kind.clone() }
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.gv, self.kind)
    }
}

/// A kind without a version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupKind {
    /// API group, empty for the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
}

impl GroupKind {
    /// Both parts given.
    pub fn new(group: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { group: group.into(), kind: kind.into() }
    }

    /// The `Secret` of the core group, whose content never enters the program in clear.
    pub fn is_secret(&self) -> bool {
        self.group.is_empty() && self.kind == "Secret"
    }
}

impl fmt::Display for GroupKind {
    /// `Deployment.apps`, `ConfigMap`: as `kubectl` writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() { f.pad(&self.kind) } else { f.pad(&format!("{}.{}", self.kind, self.group)) }
    }
}

/// An object's identity inside one cluster: what stays the same while files, versions and values change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId {
    /// API group, empty for the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// `None` for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

impl ObjectId {
    /// Its kind.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.group.clone(), kind: self.kind.clone() }
    }

    /// `shop/api`, or the name alone for a cluster-scoped object.
    pub fn qualified_name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl fmt::Display for ObjectId {
    /// `Deployment.apps shop/api`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.group_kind();
        f.pad(&format!("{kind} {}", self.qualified_name()))
    }
}
