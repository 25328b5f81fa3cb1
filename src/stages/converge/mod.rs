//! DL011: a live object whose spec may be in sync and that says of itself that it cannot get there.
//!
//! ```text
//! live text ─► object (a few fields, no tree) ─► reading (Current, InProgress, Failed, Terminating, Unknown) ─► deadline ─► finding
//! ```
//!
//! Conditions and generations are read as kstatus reads them (sigs.k8s.io/cli-utils, `pkg/kstatus/status`, at 5895ad6):
//! [`generic`] for what every kind has, one file for each family of kinds with rules of their own. Three things go further, and a
//! finding's `method` says so: a load balancer without an address, an APIService that is not available, and what the objects of
//! Argo CD and Flux say of themselves ([`argo`], [`flux`]).
//!
//! Being on the way is no finding: `Failed` counts at once, `InProgress` and `Terminating` only past a deadline ([`deadline`]).
//! What waits by choice (a paused Deployment, `OnDelete`, a suspended Job) waits for nothing. What cannot be read is `Unknown`,
//! and nothing is claimed about it.

pub mod argo;
pub mod cluster;
pub mod deadline;
pub mod finding;
pub mod flux;
pub mod generic;
pub mod object;
pub mod pods;
pub mod reading;
pub mod workloads;

pub use deadline::{Converge, Unconverged};
pub use pods::PodTroubles;
pub use reading::{Reading, Status};

#[cfg(test)]
mod tests;
