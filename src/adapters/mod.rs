//! adapters
pub mod git;
