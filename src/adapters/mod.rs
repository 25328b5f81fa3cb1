//! The edges: Git, clusters, the ledger, receivers.

pub mod ledger;
