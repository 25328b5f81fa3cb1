//! Posting and updating.

use serde_json::Value;

use super::find::{self, Found};
use super::limits;
use super::payload;
use super::sender::{Call, SlackSender, TRIES, Way};
use super::verdict::Verdict;
use crate::model::delivery::{Attempt, Receipt, SlackPlace};
use crate::model::message::SlackMessage;

/// Slack's word for a token that may post, but no metadata: the message goes without it, and cannot be asked for.
const NO_METADATA: &str = "metadata_must_be_sent_from_app";

/// What came of posting or updating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What may come of any message.
    Attempt(Attempt),
    /// The message that it replies to or that it updates is no more, or takes no reply or change any more; nothing was posted. It is to be
    /// posted afresh, without a thread.
    Gone {
        /// Why, for people; no secrets.
        why: String,
    },
    /// Slack took the reply, but its parent is no more: it stands in the channel by itself, and may be the parent of what follows.
    Unthreaded(Receipt),
}

impl Outcome {
    /// For whoever posts without a thread.
    pub fn into_attempt(self) -> Attempt {
        match self {
            Self::Attempt(attempt) => attempt,
            Self::Gone { why } => Attempt::Refused { why, hint: None },
            Self::Unthreaded(receipt) => Attempt::Taken(Receipt { begins_thread: true, ..receipt }),
        }
    }
}

impl SlackSender {
    /// Posts a message, as a reply where there is a parent; `broadcast` shows a reply in the channel too. The key is kept in the message's
    /// metadata, invisibly: [`Self::find`] finds it by that. A webhook knows neither threads nor keys, and says nothing of the place.
    pub async fn post(
        &self,
        message: &SlackMessage,
        thread: Option<&SlackPlace>,
        broadcast: bool,
        key: &str,
    ) -> Outcome {
        if let Some(why) = limits::beyond(message) {
            return Outcome::Attempt(defect(&why));
        }
        let begun = find::now();
        let (mut tried, mut patience, mut with_key) = (0, self.limits.patience, true);
        loop {
            let call = match self.call(message, thread.map(|parent| (parent, broadcast)), with_key.then_some(key)) {
                Ok(call) => call,
                Err(error) => return Outcome::Attempt(defect(&error.to_string())),
            };
            match self.once(&call, &mut patience).await {
                Verdict::Broken { why, open } => {
                    if open && self.has_threads() {
                        match self.find(thread, key, begun).await {
                            Found::Posted { place, threaded } => return taken(place, threaded || thread.is_none()),
                            Found::NotNow { .. } => return Outcome::Attempt(Attempt::Unanswered { why }),
                            Found::Nowhere | Found::CannotBeAsked { .. } => {}
                        }
                    }
                    if tried + 1 >= TRIES {
                        return Outcome::Attempt(Attempt::Later { why, wait: None });
                    }
                    self.pause(tried).await;
                    tried += 1;
                }
                Verdict::Refused { word, .. } if word == NO_METADATA && with_key => with_key = false,
                Verdict::Gone { why } if thread.is_some() => return Outcome::Gone { why },
                verdict => return outcome(verdict, thread.is_some()),
            }
        }
    }

    /// Puts a message in the place of one that this bot posted; its metadata stays.
    pub async fn update(&self, place: &SlackPlace, message: &SlackMessage) -> Outcome {
        if let Some(why) = limits::beyond(message) {
            return Outcome::Attempt(defect(&why));
        }
        if !self.has_threads() {
            return Outcome::Gone { why: "an incoming webhook changes no messages".into() };
        }
        let body = match payload::update(message, place) {
            Ok(body) => Some(body),
            Err(error) => return Outcome::Attempt(defect(&error.to_string())),
        };
        let call = Call { method: "chat.update", query: Vec::new(), body, channel: Some(&place.channel) };
        match self.steadily(&call, &mut self.limits.patience.clone()).await {
            Verdict::Gone { why } => Outcome::Gone { why },
            Verdict::Broken { why, .. } => Outcome::Attempt(Attempt::Later { why, wait: None }),
            verdict => outcome(verdict, false),
        }
    }

    fn call<'a>(
        &'a self,
        message: &SlackMessage,
        thread: Option<(&'a SlackPlace, bool)>,
        key: Option<&str>,
    ) -> Result<Call<'a>, serde_json::Error> {
        let (method, channel, body) = match &self.way {
            Way::Bot { channel, .. } => {
                let channel = thread.map_or(channel.as_str(), |(parent, _)| parent.channel.as_str());
                ("chat.postMessage", Some(channel), payload::post(message, channel, thread, key)?)
            }
            Way::Webhook(_) => ("incoming webhook", None, payload::webhook(message)?),
        };
        Ok(Call { method, query: Vec::new(), body: Some(body), channel })
    }
}

/// Of all that is not [`Verdict::Broken`], and not a message that is gone.
fn outcome(verdict: Verdict, threaded: bool) -> Outcome {
    Outcome::Attempt(match verdict {
        Verdict::Done { body, .. } => match place(&body) {
            // Slack posts a reply to a vanished parent all the same, and then its answer names no thread.
            Some(place) => return taken(place, !threaded || body["message"]["thread_ts"].is_string()),
            None => Attempt::Taken(Receipt { says: Some("ok".into()), ..Receipt::default() }),
        },
        Verdict::Wait { why, wait } => Attempt::Later { why, wait },
        Verdict::Broken { why, open: false } => Attempt::Later { why, wait: None },
        Verdict::Broken { why, open: true } | Verdict::Silent { why } => Attempt::Unanswered { why },
        Verdict::Gone { why } => Attempt::Refused { why, hint: None },
        Verdict::Refused { why, hint, .. } => Attempt::Refused { why, hint },
    })
}

fn place(body: &Value) -> Option<SlackPlace> {
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    Some(SlackPlace { channel: text("channel")?, ts: text("ts")? })
}

fn taken(place: SlackPlace, as_asked: bool) -> Outcome {
    let receipt = Receipt { slack: Some(place), ..Receipt::default() };
    if as_asked { Outcome::Attempt(Attempt::Taken(receipt)) } else { Outcome::Unthreaded(receipt) }
}

fn defect(why: &str) -> Attempt {
    Attempt::Refused {
        why: format!("the message was not sent: {why}"),
        hint: Some("this is a defect of Driftledger: report it with this text".into()),
    }
}
