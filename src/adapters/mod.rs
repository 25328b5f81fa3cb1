//! adapters
pub mod mail;
pub mod slack;
