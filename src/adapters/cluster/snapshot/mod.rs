//! A snapshot: what was read of a cluster, in one file, serving as the cluster with everything the comparison needs.
//!
//! # The file
//!
//! JSON, one value a line, compressed with zstd; `zstdcat prod.snapshot.json.zst | jq` shows it. Every part that can be read by
//! itself is a zstd frame of its own (frames in a row are one stream to every zstd tool), so that a kind is found without reading
//! the others. Each line is an object with one key:
//!
//! | frame | lines |
//! |---|---|
//! | 1 | `header`: the schema `driftledger/snapshot/v1`, the program's version, time, cluster, server version, UID of kube-system, clock skew, id of the redaction key, scope |
//! | 2 | `discovery`: kinds served, API groups that did not answer, gaps, and the kinds that were left out with the reason |
//! | one for each group version | `schema`: its OpenAPI v3 document, or the gap it leaves |
//! | one for each kind and version | `kind`; then `object` for each object, without kind and apiVersion; `restart` where all before it in this frame is void because the LIST began anew; `kindEnd`: number of objects, what was asked for, gaps |
//! | last | `end`: number of lines and objects before it, and SHA-256 of those lines with their line ends |
//!
//! Fields may be added; a line of another name, or one that means something else than before, makes another schema.
//!
//! # What it holds
//!
//! Objects as the server sent them, status and managedFields included, after redaction: secret values are keyed hashes before
//! anything is written, also to the unfinished file. The file is written beside its place and put there when it is whole, for its
//! owner alone.

mod error;
mod format;
mod frames;
mod identity;
mod index;
mod source;
mod write;

#[cfg(test)]
mod tests;

pub use error::SnapshotError;
pub use format::{Covers, Header, LeftOut, Scope};
pub use source::SnapshotCluster;
pub use write::{SnapshotWriter, Written};
