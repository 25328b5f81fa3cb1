//! Telling people: messages are planned with the scan and written with it, and sent after it.
//!
//! ```text
//!  record ──► plan ──► ledger (one transaction, one seal) ──► deliver: outbox ──► render ──► senders
//!            what is due                                       attempts and what came of them ──► ledger
//! ```

mod owners;
mod plan;

pub use owners::{DeclaredFacts, declared_facts};
pub use plan::plan;
