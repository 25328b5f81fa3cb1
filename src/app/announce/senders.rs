//! From a receiver's configuration to what speaks with it. Secrets are read here, for as long as one run lasts.

use super::render::{Body, Rendered};
use crate::adapters::mail::Mailer;
use crate::adapters::slack::{Found, Outcome, SetupError, SlackLimits, SlackSender};
use crate::adapters::webhook::Webhook;
use crate::app::error::chain;
use crate::app::pipeline::now;
use crate::app::wiring;
use crate::config::SecretSource;
use crate::config::delivery::{MailTransport, ReceiverConfig, ReceiverKind, SlackWay};
use crate::model::delivery::{Attempt, Receipt, SlackPlace};
use crate::model::message::SlackMessage;
use crate::model::time::Timestamp;

/// Speaks with one receiver.
pub enum Sender {
    /// With Slack.
    Slack(Box<SlackSender>),
    /// With a mail server, or with a folder.
    Mail(Box<Mailer>),
    /// With a webhook.
    Webhook(Box<Webhook>),
}

/// What keeps a receiver from being spoken to at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unready {
    /// Why, for people; no secrets.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl From<wiring::Unreadable> for Unready {
    fn from(error: wiring::Unreadable) -> Self {
        Self { why: error.message, hint: error.hint.map(str::to_owned) }
    }
}

/// Whether a message of which no outcome is known arrived.
pub enum Arrived {
    /// It did.
    Yes(Receipt),
    /// It did not.
    No,
    /// It is to be asked later, and not to be sent before.
    NotNow(String),
    /// The receiver cannot be asked.
    CannotBeAsked,
}

impl Sender {
    /// The one for a receiver. Blocks: it reads files.
    ///
    /// # Errors
    /// What keeps it from speaking at all: a secret that cannot be read, an address that is none; no secrets in it.
    pub fn of(receiver: &ReceiverConfig) -> Result<Self, Unready> {
        let timeout = receiver.timeout;
        let secret = |place: &SecretSource, what: &str| wiring::secret(place, what).map_err(Unready::from);
        Ok(match &receiver.kind {
            ReceiverKind::Slack(slack) => {
                let secret = match &slack.way {
                    SlackWay::Bot { token, .. } => secret(token, "the bot's token")?,
                    SlackWay::Webhook(address) => secret(address, "the webhook's address")?,
                };
                let sender = SlackSender::new(slack, &secret, SlackLimits::new(timeout));
                let unready = |error: SetupError| Unready { why: error.message, hint: error.hint.map(str::to_owned) };
                Self::Slack(Box::new(sender.map_err(unready)?))
            }
            ReceiverKind::Mail(mail) => {
                let password = match &mail.transport {
                    MailTransport::Smtp { login: Some((_, place)), .. } => Some(secret(place, "the password")?),
                    _ => None,
                };
                let mailer = Mailer::new(mail, password.as_deref(), timeout);
                Self::Mail(Box::new(mailer.map_err(|error| Unready { why: chain(&error), hint: None })?))
            }
            ReceiverKind::Webhook(webhook) => {
                let address = webhook.url_secret.as_ref().map(|place| secret(place, "the address")).transpose()?;
                let key = webhook.secret.as_ref().map(|place| secret(place, "the key")).transpose()?;
                let sender = Webhook::new(webhook, address.as_deref(), key.as_deref(), timeout);
                Self::Webhook(Box::new(sender.map_err(|error| Unready { why: chain(&error), hint: None })?))
            }
        })
    }

    /// Whether files may go with a message.
    pub fn takes_files(&self) -> bool {
        matches!(self, Self::Mail(_))
    }

    /// Whether a message has arrived of which that is not known.
    pub async fn find(&self, thread: Option<&SlackPlace>, key: &str, since: Timestamp) -> Arrived {
        let Self::Slack(slack) = self else { return Arrived::CannotBeAsked };
        match slack.find(thread, key, since).await {
            Found::Posted { place, threaded } => {
                let begins_thread = thread.is_some() && !threaded;
                Arrived::Yes(Receipt { slack: Some(place), begins_thread, ..Receipt::default() })
            }
            Found::Nowhere => Arrived::No,
            Found::NotNow { why } => Arrived::NotNow(why),
            Found::CannotBeAsked { why, .. } => {
                tracing::info!("whether a message arrived cannot be asked: {why}");
                Arrived::CannotBeAsked
            }
        }
    }

    /// Hands a message over: into a thread, if there is one. A thread that is no more is begun afresh.
    pub async fn send(&self, rendered: &Rendered, thread: Option<&SlackPlace>, key: &str) -> Attempt {
        match (self, &rendered.body) {
            (Self::Slack(slack), Body::Slack { message, afresh, broadcast }) => {
                match slack.post(message, thread, thread.is_some() && *broadcast, key).await {
                    Outcome::Gone { .. } => match slack.post(afresh, None, false, key).await.into_attempt() {
                        Attempt::Taken(receipt) => Attempt::Taken(Receipt { begins_thread: true, ..receipt }),
                        other => other,
                    },
                    other => other.into_attempt(),
                }
            }
            (Self::Mail(mailer), Body::Mail(content)) => mailer.send(content, key).await,
            (Self::Webhook(webhook), Body::Webhook(message)) => webhook.send(message, now()).await,
            _ => Attempt::Refused { why: "the receiver takes no such message".into(), hint: None },
        }
    }

    /// Puts another message in the place of one.
    ///
    /// # Errors
    /// Why that did not work.
    pub async fn update(&self, place: &SlackPlace, message: &SlackMessage) -> Result<(), String> {
        let Self::Slack(slack) = self else { return Ok(()) };
        match slack.update(place, message).await {
            Outcome::Attempt(Attempt::Taken(_)) | Outcome::Unthreaded(_) => Ok(()),
            Outcome::Attempt(
                Attempt::Later { why, .. } | Attempt::Refused { why, .. } | Attempt::Unanswered { why },
            )
            | Outcome::Gone { why } => Err(why),
        }
    }
}
