//! The HTML report: one self-contained file without scripts, pictures, fonts or anything remote.
//!
//! Its policy (`Content-Security-Policy` in a meta element) allows nothing but the one style sheet, by its hash: even if a
//! text from outside came through unescaped, it could neither run nor load nor restyle.

mod finding;
#[cfg(test)]
mod in_chromium;
mod page;

pub use page::{MOST_FINDINGS, scan};
