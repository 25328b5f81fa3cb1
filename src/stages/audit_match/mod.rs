//! Which writes of an audit log are behind a finding.
//!
//! ```text
//! field (a difference: by content, else by manager and time) ─► touch (what a content does to a field)
//! object (what is missing, left over or unmanaged)
//! reverted (what is in sync and was written all the same)
//! ```
//!
//! A write is *matched* only where its logged content, or its being a creation or deletion, says so; every other one is a candidate, with
//! the reason why it is listed.

mod field;
mod log;
mod object;
mod reverted;
mod touch;

#[cfg(test)]
mod tests;

pub use field::{FieldEvidence, Sought, of_field};
pub use log::ObjectLog;
pub use object::of_object;
pub use reverted::of_synced;
