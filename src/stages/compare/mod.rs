//! One declared object against one live object, under a schema.
//!
//! ```text
//! walk (fields) ─► lists (elements by key, by value, in order) ─► absence (what a missing field means)
//!   │                                                              defaults (what the server fills in)
//!   └─► differences: what Git declares and the cluster has not       (DL001, DL002, DL007)
//!       extras: what the cluster has, Git does not declare, and neither a default nor the server explains (perhaps DL003)
//! ```
//!
//! Whether an extra is a finding is decided by who wrote it: see [`super::undeclared`].

mod absence;
mod defaults;
mod lists;
mod place;
mod walk;

#[cfg(test)]
mod tests;

pub use lists::element_keys;
pub use walk::{Compared, Decision, Difference, Extra, Outcome, compare, differing, equal, explain, same, schema_at};
