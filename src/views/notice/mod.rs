//! Notices: what receivers are told, for Slack, mail and webhooks.
//!
//! ```text
//!                        withheld     no value leaves for a receiver that gets names only
//!                        headline     severity, where, what; the subject of a conversation
//!                        finding      one finding: what it is, evidence, what to do
//!  Notice, Around ──►    gap          one gap: what cannot be seen, since when, what it hides
//!                        summary      what a period brought
//!                        proof        on what it rests: scan, coverage, seal
//!                        link         where it leads
//!                           │
//!                           ▼
//!                        letter       all of it in order: every receiver is told the same
//!                           │
//!              ┌────────────┼────────────┐
//!            slack        mail        webhook (the data, not the words)
//! ```
//!
//! The order is the same in all: severity, where, what; Git and live; commit and writer; what to do; proof.

mod around;
mod finding;
mod gap;
mod headline;
mod letter;
mod line;
mod link;
pub mod mail;
mod proof;
#[cfg(test)]
mod sample;
pub mod slack;
mod summary;
#[cfg(test)]
mod tests;
pub mod webhook;
mod withheld;

pub use around::Around;
