//! Mail: a message from its content, and its way to a mail server or into a folder.
//!
//! ```text
//!  MailContent + Parties ──► message ──► Mailer ──► smtp: one conversation with a server ──► Attempt
//!                                           └─────► eml: a file in a folder ───────────────► Attempt
//! ```
//!
//! What comes of an attempt depends on how far the conversation came: until the end of the message is sent, everything that fails may be
//! tried again without anybody getting it twice. Lettre's own transport hides that point, so its connection is driven here step by step.

mod eml;
mod failure;
mod mailer;
mod message;
mod smtp;
mod stream;

pub use eml::write_eml;
pub use mailer::{Checkup, Mailer};
pub use message::{MailError, Parties, message};
