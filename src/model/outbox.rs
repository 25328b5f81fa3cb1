//! The outbox: what is to be sent to whom, what came of it, and what has been told so far.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::delivery::Receipt;
use super::ids::{ReceiverName, ScanId};
use super::notice::Notice;
use super::report::{Coverage, Seal};
use super::time::Timestamp;

/// The number of a message in its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub i64);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a message says, and what counts as told with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The same for every attempt at the message and unique in the ledger: a mail's Message-ID and a webhook's key come of it.
    pub key: String,
    /// What it says; rendered after the seal, so that it can carry it.
    pub notice: Notice,
    /// What counts as told from the moment the message is planned.
    pub marks: Vec<Mark>,
}

/// What a route knows of a subject: what was told of it, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// A finding's fingerprint, or with a prefix what else there is: `gap:…`, `summary:weekly`, `thread:…`.
    pub subject: String,
    /// What is known from now on; `None`: nothing any more.
    pub state: Option<Value>,
}

/// The messages that were neither sent nor dropped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outbox {
    /// Oldest first.
    pub messages: Vec<OutboxMessage>,
    /// Those that cannot be read back: they keep no other from being sent, and may be dropped.
    pub problems: Vec<OutboxProblem>,
}

/// A message of the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxMessage {
    /// Its number.
    pub id: MessageId,
    /// The scan that planned it, or after which it was planned.
    pub scan: ScanId,
    /// To whom.
    pub receiver: ReceiverName,
    /// What it says.
    pub plan: Plan,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// Attempts that were begun since it was planned, or since it was put back.
    pub attempts: u64,
    /// Where it stands.
    pub state: MessageState,
    /// What came of an attempt is not known: the receiver may have it already.
    pub may_have_arrived: bool,
    /// The seal of its scan.
    pub seal: Option<Seal>,
    /// What the newest attempt that failed came to.
    pub last_error: Option<String>,
}

/// Where a message stands that was neither sent nor dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// It is to be sent.
    Waiting {
        /// Not before this time; `None`: at once.
        not_before: Option<Timestamp>,
    },
    /// An attempt began, and what came of it is not recorded: it is going on, or its process was killed.
    Begun {
        /// When it began.
        at: Timestamp,
    },
    /// It will not be accepted as it is, and is not tried again unless a person puts it back.
    Dead {
        /// Why, for people.
        why: String,
        /// What to do about it.
        hint: Option<String>,
        /// Since when.
        at: Timestamp,
    },
}

/// A message that cannot be read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxProblem {
    /// Its number.
    pub id: MessageId,
    /// To whom.
    pub receiver: ReceiverName,
    /// Which row and what is wrong with it; nothing of its content.
    pub what: String,
}

/// A message with everything that ever happened to it.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageStory {
    /// Its number.
    pub id: MessageId,
    /// The scan that planned it, or after which it was planned.
    pub scan: ScanId,
    /// To whom.
    pub receiver: ReceiverName,
    /// What it says.
    pub plan: Plan,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// The seal of its scan.
    pub seal: Option<Seal>,
    /// What happened to it, oldest first.
    pub steps: Vec<DeliveryStep>,
}

/// One event of a message's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryStep {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: DeliveryEvent,
}

/// What happened to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryEvent {
    /// An attempt began: written down before the receiver is spoken to.
    Begun,
    /// The receiver took it. Nothing follows.
    Sent(Receipt),
    /// The attempt failed; it may be tried again.
    Later {
        /// Why, for people.
        why: String,
        /// Not before this time; `None`: at once.
        not_before: Option<Timestamp>,
        /// True if no answer came to what was given whole.
        may_have_arrived: bool,
    },
    /// It will not be accepted as it is.
    Dead {
        /// Why, for people.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Given up by a person, or replaced by another message. Nothing follows.
    Dropped {
        /// Why, for people.
        why: String,
    },
    /// A person put it back.
    Retried,
}

/// The message that began a conversation with a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadParent {
    /// Its number.
    pub id: MessageId,
    /// Its plan's key.
    pub key: String,
    /// What the receiver said of it; `None` unless it was sent.
    pub receipt: Option<Receipt>,
}

/// How many messages there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageCounts {
    /// To be sent, those with an attempt under way included.
    pub waiting: u64,
    /// Not accepted.
    pub dead: u64,
    /// Taken by their receivers.
    pub sent: u64,
    /// Given up or replaced.
    pub dropped: u64,
}

/// Since when a gap stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The start of the earliest scan in a row that is known to have it.
    pub since: Timestamp,
    /// True if earlier scans may have it, too: they were not asked.
    pub at_least: bool,
}

impl Standing {
    /// For how long, seen from `now`.
    pub fn age(self, now: Timestamp) -> Duration {
        Duration::from_secs(u64::try_from(now.unix().saturating_sub(self.since.unix())).unwrap_or(0))
    }
}

/// What the finished scans of a period brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeriodFacts {
    /// Scans that started in it and finished.
    pub scans: u64,
    /// Of these, those that saw everything.
    pub complete: u64,
    /// Scans that started in it and failed or were interrupted.
    pub failed: u64,
    /// Findings opened or reopened, each time counted.
    pub opened: u64,
    /// Findings resolved.
    pub resolved: u64,
    /// Findings that left the scope.
    pub out_of_scope: u64,
    /// The longest time in it, from the ledger's first scan on, in which no complete scan started, in seconds.
    pub longest_unseen_seconds: u64,
    /// As its newest finished scan counted it.
    pub coverage: Option<Coverage>,
}
