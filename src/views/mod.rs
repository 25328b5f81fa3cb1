//! Views: model → bytes. Pure: the same report gives the same bytes, and nothing here reads a file, a clock or the network.
//!
//! ```text
//!                 verdict   the sentence every view starts with, and the counts behind it
//!                 words     facts in words: trust strip, commits, writers, gaps, changes
//!                 age       how old the live side is
//!                 clock     times and how long something lasts, for people in a hurry
//!                 severity  a severity's word, mark and colours
//!                 shown     what of a value is shown: secrets in words, binary data by size, blanks, cuts
//!                 value     a value on one line or as lines
//!  ScanReport ──► diff      what differs between two values, as lines and marked segments
//!                 escape    text from repositories and clusters, made harmless for where it goes
//!                    │
//!                    ▼
//!  table  json  csv  markdown  html  mail  slack  sarif  junit  metrics
//!
//!  Notice ──► notice: slack, mail, webhook
//! ```
//!
//! Everything that a repository, a cluster or a commit's author could have written goes through [`escape`] on its way out.
//! Templates are embedded and rendered in `templates` only.

pub mod age;
mod clock;
pub mod csv;
pub mod diff;
pub mod error;
pub mod escape;
pub mod first_config;
pub mod html;
pub mod ignored;
pub mod json;
pub mod junit;
pub mod mail;
pub mod markdown;
pub mod metrics;
pub mod notice;
pub mod role;
#[cfg(test)]
mod sample;
pub mod sarif;
mod severity;
pub mod shown;
mod sides;
pub mod slack;
pub mod table;
mod templates;
pub mod undelivered;
pub mod value;
pub mod verdict;
pub mod waiver;
#[cfg(test)]
mod with_validators;
pub mod words;

pub use error::ViewError;
