//! Mail: a message from its content, and that message as an `.eml` file.

mod eml;
mod message;

pub use eml::write_eml;
pub use message::{MailError, Parties, message};
