//! The ledger: an append-only, sealed SQLite file that keeps what every scan saw.
//!
//! ```text
//! open ──► Ledger ──► begin_scan ──► record | fail_scan      one scan at a time, under a lock
//!             ├─ begin_attempt ──► record_attempt             a message, after its scan
//!             └─derefs to─ LedgerReader ──► prior, report, story, open findings, outbox, told, verify, info, backup
//!
//! scan, scan_finished, object_state, finding_event,      append-only: triggers refuse UPDATE, DELETE, REPLACE
//! message_event, delivery_event, mark_event,
//! config_event, sighting, meta, seal
//! finding_state, told_state                              projections: `replay` of the events gives them again
//! ```
//!
//! Everything here blocks; callers in async code use a blocking thread. `rusqlite` appears nowhere else.

mod backup;
mod closings;
mod delivery;
mod error;
mod files;
mod in_sync;
mod info;
mod key;
mod open;
mod outbox;
mod projection;
mod read;
mod recent;
mod replay;
mod schema;
mod seal;
mod story;
mod text;
mod told;
mod verify;
mod write;

#[cfg(test)]
mod tests;

pub use closings::Closing;
pub use error::LedgerError;
pub use in_sync::Look;
pub use info::LedgerInfo;
pub use open::{Journal, Ledger, LedgerReader, OpenOptions};
pub use read::{ScanEntry, ScanOutcome};
pub use story::{FindingStory, ObjectEvent, StoryEvent};
pub use verify::Verification;
