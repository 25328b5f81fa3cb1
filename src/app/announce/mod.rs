//! Telling people: messages are planned with the scan and written with it, and sent after it.
//!
//! ```text
//!  record ──► plan ──► ledger (one transaction, one seal) ──► deliver: outbox ──► render ──► senders
//!            what is due                                       attempts and what came of them ──► ledger
//! ```

mod deliver;
mod heartbeat;
mod owners;
mod plan;
mod render;
mod senders;
mod test;

pub use deliver::{Delivered, Undelivered, deliver, lines};
pub use heartbeat::beat;
pub use owners::{DeclaredFacts, declared_facts};
pub use plan::plan;
pub use senders::{Sender, Unready};
pub use test::{Tested, test};
