//! The sender: attempts, with their waits and repetitions.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::pace;
use super::verdict::{self, Verdict};
use super::wire::Wire;
use crate::config::delivery::{SlackReceiver, SlackWay};

/// How often a request is made at most in one attempt, waits that Slack asks for not counted.
pub(super) const TRIES: u32 = 3;

/// Why there is no sender, and what to do about it. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SetupError {
    /// Why.
    pub message: String,
    /// What to do.
    pub hint: Option<&'static str>,
}

impl SetupError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

/// The times of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlackLimits {
    /// For one request, from the connection to the end of the answer.
    pub request: Duration,
    /// Between two messages to one channel; Slack's rule is a second.
    pub apart: Duration,
    /// For all waits of one attempt together: a longer one is left to a later attempt.
    pub patience: Duration,
    /// Before the first repetition; it doubles with each. Also where Slack asks to wait and does not say how long.
    pub pause: Duration,
}

impl SlackLimits {
    /// Slack's pace, and as much patience as a scan may have, with the receiver's time limit for each request.
    pub fn new(request: Duration) -> Self {
        let second = Duration::from_secs(1);
        Self { request, apart: second, patience: 30 * second, pause: second }
    }
}

/// Hands messages to one receiver.
pub struct SlackSender {
    pub(super) way: Way,
    pub(super) limits: SlackLimits,
    pub(super) id: OnceCell<String>,
    wire: Wire,
    /// The token or the webhook's address: what no text may hold.
    secret: String,
}

/// How it gets there.
pub(super) enum Way {
    Bot { channel: String, api: Url, bearer: HeaderValue },
    Webhook(Url),
}

/// A request.
pub(super) struct Call<'a> {
    /// The method's name.
    pub(super) method: &'a str,
    /// What follows it after a question mark.
    pub(super) query: Vec<(&'a str, String)>,
    /// JSON; without it the method only reads.
    pub(super) body: Option<Value>,
    /// The channel that a message goes to.
    pub(super) channel: Option<&'a str>,
}

impl SlackSender {
    /// A sender with the token or the webhook's address that the receiver's configuration leads to. Blocks: it reads the file of
    /// authorities.
    ///
    /// # Errors
    /// If the secret is none, an address is none or not private, or the authorities cannot be read.
    pub fn new(receiver: &SlackReceiver, secret: &str, limits: SlackLimits) -> Result<Self, SetupError> {
        let secret = secret.trim();
        let way = match &receiver.way {
            SlackWay::Bot { channel, url, .. } => {
                let api = Url::parse(url).ok().filter(is_private);
                let api = api.ok_or_else(|| SetupError::new("the address of Slack's API is no https address"))?;
                let malformed = SetupError::new("the token is none: it is empty or holds more than one word")
                    .hint("put the bot's token (`xoxb-…`), and nothing else, into the file or the variable");
                if secret.is_empty() || !secret.bytes().all(|b| b.is_ascii_graphic()) {
                    return Err(malformed);
                }
                let mut bearer = HeaderValue::try_from(format!("Bearer {secret}")).map_err(|_| malformed)?;
                bearer.set_sensitive(true);
                Way::Bot { channel: channel.clone(), api, bearer }
            }
            SlackWay::Webhook(_) => {
                let address = Url::parse(secret).ok().filter(is_private).ok_or_else(|| {
                    SetupError::new("the webhook's address is no https address")
                        .hint("put the address that Slack shows for the incoming webhook, and nothing else, into the file or the variable")
                })?;
                Way::Webhook(address)
            }
        };
        let to = match &way {
            Way::Bot { api, .. } => api,
            Way::Webhook(address) => address,
        };
        let wire = Wire::new(to, receiver.ca_file.as_deref(), limits.request)?;
        Ok(Self { way, limits, id: OnceCell::new(), wire, secret: secret.to_owned() })
    }

    /// Whether messages can be replied to, updated and asked for: not through a webhook.
    pub fn has_threads(&self) -> bool {
        matches!(self.way, Way::Bot { .. })
    }

    /// One request, with the waits that Slack asks for as long as the patience lasts.
    pub(super) async fn once(&self, call: &Call<'_>, patience: &mut Duration) -> Verdict {
        let mut asked = None;
        loop {
            let (queue, apart) = self.queue(call);
            match pace::take(&queue, apart, *patience) {
                Ok(wait) => {
                    *patience -= wait;
                    tokio::time::sleep(wait).await;
                }
                Err(wait) => {
                    let why = asked.unwrap_or_else(|| format!("{}: others are to be sent before it", call.method));
                    return Verdict::Wait { why, wait: Some(wait) };
                }
            }
            match self.send(call).await {
                Verdict::Wait { why, wait } => {
                    pace::hold(&queue, wait.unwrap_or_default().max(self.limits.pause));
                    asked = Some(why);
                }
                verdict => return verdict,
            }
        }
    }

    /// As [`Self::once`], and again where Slack is out of order: for what only reads, or does no harm if it is done twice.
    pub(super) async fn steadily(&self, call: &Call<'_>, patience: &mut Duration) -> Verdict {
        let mut tried = 0;
        loop {
            match self.once(call, patience).await {
                Verdict::Broken { .. } if tried + 1 < TRIES => self.pause(tried).await,
                verdict => return verdict,
            }
            tried += 1;
        }
    }

    pub(super) async fn pause(&self, tried: u32) {
        tokio::time::sleep(self.limits.pause * 2_u32.pow(tried)).await;
    }

    /// What waits for one another: the messages of a channel, and what only reads by its method.
    fn queue(&self, call: &Call<'_>) -> (String, Duration) {
        match (&self.way, call.channel) {
            (Way::Bot { api, .. }, Some(channel)) => (format!("{api} {channel}"), self.limits.apart),
            (Way::Bot { api, .. }, None) => (format!("{api} {}", call.method), Duration::ZERO),
            (Way::Webhook(address), _) => (address.to_string(), self.limits.apart),
        }
    }

    async fn send(&self, call: &Call<'_>) -> Verdict {
        match &self.way {
            Way::Webhook(address) => {
                verdict::of_webhook(self.wire.send(address, None, call.body.as_ref()).await, &self.secret)
            }
            Way::Bot { api, bearer, .. } => {
                let mut url = api.clone();
                url.set_path(&format!("{}/{}", api.path().trim_end_matches('/'), call.method));
                if !call.query.is_empty() {
                    url.query_pairs_mut().extend_pairs(&call.query);
                }
                let reply = self.wire.send(&url, Some(bearer), call.body.as_ref()).await;
                verdict::of_api(call.method, reply, &self.secret)
            }
        }
    }
}

/// Whether what goes to an address is private on its way: https, or this machine.
fn is_private(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")),
        _ => false,
    }
}

impl fmt::Debug for SlackSender {
    /// Without the token and without a webhook's address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match &self.way {
            Way::Bot { channel, .. } => format!("bot in {channel}"),
            Way::Webhook(_) => "webhook".to_owned(),
        };
        f.debug_struct("SlackSender").field("way", &way).field("limits", &self.limits).finish_non_exhaustive()
    }
}
