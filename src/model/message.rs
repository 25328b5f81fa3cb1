//! Messages as plain data: views write them, adapters turn them into what a mail server or Slack takes.

use super::time::Timestamp;

/// A mail without its sender and receivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailContent {
    /// One line, without control characters.
    pub subject: String,
    /// The text twin.
    pub text: String,
    /// The HTML twin: says the same.
    pub html: String,
    /// `<…@…>`; the same scan of the same ledger gives the same, so that a mail sent twice can be told.
    pub message_id: String,
    /// The `Date` header: the report's time, not the sender's clock.
    pub date: Timestamp,
    /// Further headers, name and value, ASCII.
    pub headers: Vec<(&'static str, String)>,
    /// Message-IDs of the conversation that it belongs to, the oldest first; empty where it begins one.
    pub references: Vec<String>,
    /// Files that go with it.
    pub attachments: Vec<Attachment>,
}

/// A file that goes with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name: ASCII, no path.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What a webhook is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookMessage {
    /// The same for each attempt at the same message, so that a receiver can tell one that comes twice.
    pub key: String,
    /// JSON.
    pub body: String,
}

/// A Slack message without its channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackMessage {
    /// For notifications and clients that show no blocks; mrkdwn, escaped.
    pub text: String,
    /// What is shown, from top to bottom.
    pub blocks: Vec<SlackBlock>,
}

/// One block of a Slack message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlackBlock {
    /// Plain text of at most 150 characters.
    Header(String),
    /// mrkdwn of at most 3,000 characters.
    Section(String),
    /// mrkdwn in small print, at most 3,000 characters.
    Context(String),
    /// A line.
    Divider,
    /// Buttons that open a page: what stands on them, at most 75 characters, and the https or http address, at most 3,000.
    Links(Vec<(String, String)>),
}
