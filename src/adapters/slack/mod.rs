//! Slack: posting, replying, updating and asking, as a bot or through an incoming webhook.
//!
//! | file | holds |
//! |---|---|
//! | `payload` | a message as Slack takes it |
//! | `limits` | what Slack would refuse, found before it is sent |
//! | `wire` | one HTTP request, and how far it got |
//! | `verdict` | what an answer means |
//! | `hints` | what to do about the words with which Slack refuses |
//! | `pace` | one message a second and channel, in the whole process |
//! | `sender` | [`SlackSender`]: attempts, with their waits and repetitions |
//! | `post` | posting and updating |
//! | `find` | whether Slack has a message: the question after a crash |
//! | `check` | what works and what does not, for `doctor` |
//!
//! slack-morphism has the types of the requests. The requests themselves are made here: its client repeats only after 429, has no time
//! limit, and does not tell a connection that never was from an answer that never came, on which depends whether a message may be sent
//! again.
//!
//! # What is never sent twice
//! An attempt repeats by itself only what Slack surely did not take: no connection, 429, `ratelimited`, 503. After an answer that leaves
//! it open (500, 502, 504, `internal_error`, `fatal_error`: "some aspect of the operation may have succeeded") a bot asks for the
//! message by its key first. An answer that never came is [`Attempt::Unanswered`](crate::model::delivery::Attempt), for the caller to
//! settle with [`SlackSender::find`].
//!
//! The rules are from <https://docs.slack.dev/apis/web-api/rate-limits>, <https://docs.slack.dev/reference/methods/chat.postMessage> and
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

mod check;
mod find;
mod hints;
mod limits;
mod pace;
mod payload;
mod post;
mod sender;
mod verdict;
mod wire;

pub use check::{SlackCheck, SlackProblem};
pub use find::Found;
pub use payload::{EVENT_TYPE, payload, request};
pub use post::Outcome;
pub use sender::{SetupError, SlackLimits, SlackSender};
