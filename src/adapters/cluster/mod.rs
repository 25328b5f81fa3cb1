//! Live objects: from a Kubernetes API server, or from a snapshot or a dump of one. `kube` appears only here.
//!
//! ```text
//! api_server/   connect (kubeconfig -> client) -> guard (innermost: reads only) -> fetch (retries, limits)
//!               -> discovery, schemas, listing -> source (the port)
//! snapshot/     writer (redacts) -> one file -> reader -> source (the port)
//! dump/         files -> documents -> inventory -> source (the port)
//! ```
//!
//! All hand over objects as raw JSON. Redaction happens where they are parsed, so nothing of this room prints a body.

mod api_server;
mod blocking;
mod dump;
mod snapshot;

#[cfg(test)]
mod lint;

pub use api_server::{Access, KubeCluster, KubeContext, KubeSettings, Limits, kube_context};
pub use dump::DumpCluster;
pub use snapshot::{Covers, Header, LeftOut, Scope, SnapshotCluster, SnapshotError, SnapshotWriter, Written};
