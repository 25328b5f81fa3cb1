//! The few traits at real remote edges: each has more than one implementation.

use std::future::Future;

use bytes::Bytes;

use crate::model::discovery::{Discovery, ServedKind};
use crate::model::gap::Gap;
use crate::model::resource::{GroupVersion, ObjectId};
use crate::model::schema::Schemas;
use crate::model::time::Timestamp;

/// A commit's files, or a folder's: where declared objects are read from.
pub trait SourceTree {
    /// Calls `visit` for every file below `root` (or for `root` itself if it is a file), in path order.
    ///
    /// # Errors
    /// A gap where `root` does not exist in the tree or the tree cannot be read.
    fn walk(&self, root: &str, visit: &mut dyn FnMut(SourceFile)) -> Result<(), Gap>;

    /// The present bytes of one file; `None` where it is not there or cannot be read.
    fn read(&self, path: &str) -> Option<Vec<u8>>;
}

/// One file of a [`SourceTree`].
pub struct SourceFile {
    /// Path from the tree's root, with `/`.
    pub path: String,
    /// True where it is known to be a regular file; what is none (a submodule, a link that leads nowhere) could hide a whole folder.
    pub is_file: bool,
    /// Its bytes, or why they cannot be had (too large, a submodule, an LFS pointer, a link out of the tree).
    pub content: Result<Vec<u8>, Gap>,
}

/// Which live objects to read.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// The kind at the version to read it in.
    pub kind: ServedKind,
    /// The declared objects of this kind: where a cluster-wide LIST is forbidden their namespaces are listed, and where
    /// that is forbidden too they are read one by one.
    pub wanted: Vec<ObjectId>,
}

/// What a LIST brings, in order.
#[derive(Debug)]
pub enum ListEvent {
    /// A page: a JSON object whose `items` are objects. Items may lack `apiVersion` and `kind`.
    Page(Bytes),
    /// The LIST began anew: everything that came before it in this request is to be forgotten.
    Restart,
}

/// How a LIST ended.
#[derive(Debug, Default)]
pub struct ListOutcome {
    /// What could not be read; empty means that every wanted object that exists was in a page.
    pub gaps: Vec<Gap>,
    /// Whether every object of the kind was in a page, wanted or not. False where only the wanted ones' namespaces or names were read.
    pub everything: bool,
}

/// Where live objects come from: a Kubernetes API server, a snapshot or a dump of one.
pub trait LiveSource: Send + Sync {
    /// For people: `kubernetes API`, `snapshot` or `dump`.
    fn describe(&self) -> &'static str;

    /// Where its schemas are from, for a verdict's `method`: `OpenAPI v3 of the cluster`.
    fn describe_schemas(&self) -> &'static str;

    /// When its objects were read from the cluster, where that was not now.
    fn taken_at(&self) -> Option<Timestamp> {
        None
    }

    /// The id of the key under which secret values were hashed before the objects came here.
    fn redacted_by(&self) -> Option<&str> {
        None
    }

    /// What is served. Broken API groups are noted in the answer and do not fail it.
    fn discover(&self) -> impl Future<Output = Result<(Discovery, Vec<Gap>), Gap>> + Send;

    /// The schemas of these group versions. A schema that cannot be read is a gap; its kinds are compared without one.
    fn schemas(&self, versions: &[GroupVersion]) -> impl Future<Output = (Schemas, Vec<Gap>)> + Send;

    /// Reads the objects of a kind page by page. `each` is called in order and may take its time: the next page is fetched
    /// meanwhile.
    fn list(
        &self,
        request: &ListRequest,
        each: &mut (dyn FnMut(ListEvent) + Send),
    ) -> impl Future<Output = ListOutcome> + Send;

    /// Reads one object anew; `None` if it does not exist.
    fn get(&self, kind: &ServedKind, object: &ObjectId) -> impl Future<Output = Result<Option<Bytes>, Gap>> + Send;
}

/// A live source that a snapshot can be made of.
pub trait SnapshotSource: LiveSource {
    /// Reads the OpenAPI v3 documents of these group versions as they are served, one after the other, in order. A document that
    /// cannot be had is a gap.
    fn documents(
        &self,
        versions: &[GroupVersion],
        each: &mut (dyn FnMut(&GroupVersion, Result<Bytes, Gap>) + Send),
    ) -> impl Future<Output = ()> + Send;

    /// As [`LiveSource::list`], of these namespaces only, each of them whole.
    fn list_in(
        &self,
        kind: &ServedKind,
        namespaces: &[String],
        each: &mut (dyn FnMut(ListEvent) + Send),
    ) -> impl Future<Output = ListOutcome> + Send;
}
