//! Reads a cluster's audit log: the writes to the objects that somebody asks about.
//!
//! ```text
//! files (newest first) ─► read (gunzip, bounds) ─► pieces (lines, or elements of a document)
//!                             ─► recognise ─► policy, eks, gke, aks ─► event ─► kept (redacted, newest of each object)
//! ```
//!
//! Nothing is held but the writes that are asked for; formats are told apart by content, piece by piece, so that one folder may hold
//! several. What cannot be read is counted and told as a gap that hides evidence; the rest goes on.

mod aks;
mod body;
mod eks;
mod event;
mod files;
mod gke;
mod kept;
mod pieces;
mod policy;
mod read;
mod recognise;

#[cfg(test)]
mod tests;

pub use read::{LogOutcome, LogRequest, Want, read};
