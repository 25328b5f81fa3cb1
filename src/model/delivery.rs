//! What comes of handing a message to a receiver.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver took it.
    Taken(Receipt),
    /// Not now: the receiver is busy, out of reach or broken. It may be tried again.
    Later {
        /// Why, for people; no secrets.
        why: String,
        /// What the receiver asked to wait at least.
        wait: Option<Duration>,
    },
    /// Not ever, as it is: a wrong address, a wrong password, a message that is not accepted.
    Refused {
        /// Why, for people; no secrets.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// It was given whole, and no answer came: the receiver may have taken it.
    Unanswered {
        /// What happened, for people; no secrets.
        why: String,
    },
}

/// What a receiver says of a message that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// Where Slack put it: what a reply or an update of it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<SlackPlace>,
    /// Whether it is a reply that stands by itself, as what it replies to is no more: what follows replies to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begins_thread: bool,
    /// Addresses that a mail server refused while it took the mail for others, with what it said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<(String, String)>,
    /// The receiver's own words or number for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// A message in Slack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlackPlace {
    /// The channel's id.
    pub channel: String,
    /// The message's `ts`, which is its id in the channel.
    pub ts: String,
}
