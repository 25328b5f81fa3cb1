//! Ignore rules: differences that are known and accepted, each for a reason.
//!
//! A rule selects objects and names what it ignores inside them; [`crate::stages::ignore`] applies it.

mod allowed;
pub mod jq;
pub mod labels;
pub mod place;
mod raw;
mod rule;

pub use labels::LabelSelector;
pub use raw::{RawArgoCd, RawIgnoreRule, RawWriter, RawWriterFull};
pub use rule::{Expiry, IgnoreRule, Inside, Selection, SourceFolder, WriterPattern};
pub(super) use rule::{Names, read};
