//! What is to be told to whom: people hear of a drift once, soon, in the channel they read, and hear when it is over.
//!
//! ```text
//!  findings, gaps ──► routing ──► per route: due ──► threads ──► notices, and marks of what was told
//!                    who takes it          new, changed,   one conversation
//!                                          over, repeated  a group
//! ```
//!
//! What a route was told is known from the marks of its earlier notices ([`Told`]), which the ledger keeps: no scan remembers anything
//! by itself. Nothing here reads a clock or sends anything.

mod backoff;
mod caught_up;
mod due;
mod gaps;
mod notices;
mod plan;
mod routing;
mod scene;
mod summaries;
#[cfg(test)]
mod tests;
mod told;

pub use backoff::not_before;
pub use caught_up::caught_up;
pub use due::FLAPPING_SECONDS;
pub use gaps::subject as gap_subject;
pub use plan::{first_seen, plan};
pub use scene::{Ended, Planned, Scene, Seen};
pub use summaries::{Due, due, summary};
pub use told::{Told, TowardsRoute, of_route};
