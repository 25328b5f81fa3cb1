//! Whether Slack has a message: the question after a crash between sending and recording, and after an answer that leaves it open.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::payload::EVENT_TYPE;
use super::sender::{Call, SlackSender, Way};
use super::verdict::Verdict;
use crate::model::delivery::SlackPlace;
use crate::model::time::Timestamp;

/// Messages of one page.
const PAGE: u32 = 200;
/// Pages that are read at most.
const PAGES: usize = 25;
/// Slack's clock and this machine's may differ; a key is in one message only, so looking further back does no harm.
const MARGIN_SECONDS: i64 = 600;

/// Whether a message with a key was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It was.
    Posted {
        /// Where it is.
        place: SlackPlace,
        /// Whether it stands in a thread, as a reply.
        threaded: bool,
    },
    /// It was not.
    Nowhere,
    /// Slack is out of reach or busy: to be asked again later, and not to be sent before.
    NotNow {
        /// Why, for people; no secrets.
        why: String,
    },
    /// It will not be known: a webhook, a scope that the token lacks, a channel that is not to be seen.
    CannotBeAsked {
        /// Why, for people; no secrets.
        why: String,
        /// What to do so that it can be asked next time.
        hint: Option<String>,
    },
}

pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

impl SlackSender {
    /// Asks whether a message with this key was posted since a time, a little before it included: in the thread if there is one, and in the
    /// channel, where a reply to a vanished parent stands. Needs `channels:history` (`groups:history` for a private channel).
    pub async fn find(&self, thread: Option<&SlackPlace>, key: &str, since: Timestamp) -> Found {
        let channel = match self.channel_id(thread).await {
            Ok(channel) => channel,
            Err(verdict) => return unknown(verdict),
        };
        if let Some(parent) = thread {
            match self.search("conversations.replies", &channel, Some(&parent.ts), key, since).await {
                Found::Nowhere => {}
                found => return found,
            }
        }
        self.search("conversations.history", &channel, None, key, since).await
    }

    async fn search(&self, method: &str, channel: &str, ts: Option<&str>, key: &str, since: Timestamp) -> Found {
        let mut patience = self.limits.patience;
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let mut query = vec![
                ("channel", channel.to_owned()),
                ("oldest", format!("{}.000000", since.unix().saturating_sub(MARGIN_SECONDS).max(0))),
                ("limit", PAGE.to_string()),
                ("include_all_metadata", "true".to_owned()),
            ];
            query.extend(ts.map(|ts| ("ts", ts.to_owned())));
            if !cursor.is_empty() {
                query.push(("cursor", cursor));
            }
            let call = Call { method, query, body: None, channel: None };
            let body = match self.steadily(&call, &mut patience).await {
                Verdict::Done { body, .. } => body,
                // No thread, so no replies.
                Verdict::Gone { .. } => return Found::Nowhere,
                verdict => return unknown(verdict),
            };
            let Some(messages) = body["messages"].as_array() else {
                return Found::NotNow { why: format!("{method}: an answer without messages") };
            };
            if let Some((ts, threaded)) = messages.iter().find_map(|message| of_key(message, key)) {
                return Found::Posted { place: SlackPlace { channel: channel.to_owned(), ts }, threaded };
            }
            cursor = next_cursor(&body);
            if cursor.is_empty() {
                return Found::Nowhere;
            }
        }
        Found::CannotBeAsked { why: format!("{method}: too many messages since to look through"), hint: None }
    }

    /// The channel's id: the methods that read take no names.
    pub(super) async fn channel_id(&self, thread: Option<&SlackPlace>) -> Result<String, Verdict> {
        let Way::Bot { channel, .. } = &self.way else {
            let why = "an incoming webhook answers no questions".to_owned();
            return Err(Verdict::Refused { word: String::new(), why, hint: None });
        };
        if let Some(parent) = thread {
            return Ok(parent.channel.clone());
        }
        let looks_like_an_id = channel.starts_with(['C', 'G', 'D'])
            && channel.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if looks_like_an_id {
            return Ok(channel.clone());
        }
        self.id.get_or_try_init(|| self.id_of(channel.trim_start_matches('#'))).await.cloned()
    }

    async fn id_of(&self, name: &str) -> Result<String, Verdict> {
        let mut patience = self.limits.patience;
        let mut last = None;
        // The first needs `groups:read` besides `channels:read`.
        for types in ["public_channel,private_channel", "public_channel"] {
            match self.listed(name, types, &mut patience).await {
                Err(verdict @ Verdict::Refused { .. }) => last = Some(verdict),
                other => return other,
            }
        }
        Err(match last {
            Some(Verdict::Refused { word, why, .. }) => {
                let hint = Some("write the channel's id instead of its name into `channel`".to_owned());
                Verdict::Refused { word, why, hint }
            }
            other => other.unwrap_or(Verdict::Gone { why: "no channel".into() }),
        })
    }

    async fn listed(&self, name: &str, types: &str, patience: &mut std::time::Duration) -> Result<String, Verdict> {
        let method = "conversations.list";
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let mut query = vec![
                ("types", types.to_owned()),
                ("exclude_archived", "true".to_owned()),
                ("limit", "1000".to_owned()),
            ];
            if !cursor.is_empty() {
                query.push(("cursor", cursor));
            }
            let body = match self.steadily(&Call { method, query, body: None, channel: None }, patience).await {
                Verdict::Done { body, .. } => body,
                verdict => return Err(verdict),
            };
            let named = |channel: &&Value| channel["name"] == name;
            let id = body["channels"].as_array().and_then(|all| all.iter().find(named)).and_then(|c| c["id"].as_str());
            if let Some(id) = id {
                return Ok(id.to_owned());
            }
            cursor = next_cursor(&body);
            if cursor.is_empty() {
                break;
            }
        }
        let why = format!("{method}: no channel of the configured name is to be seen");
        Err(Verdict::Refused { word: "channel_not_found".into(), why, hint: None })
    }
}

/// The `ts` of a message if it has the key, and whether it is a reply.
fn of_key(message: &Value, key: &str) -> Option<(String, bool)> {
    let metadata = &message["metadata"];
    if metadata["event_type"] != EVENT_TYPE || metadata["event_payload"]["key"] != key {
        return None;
    }
    let ts = message["ts"].as_str()?;
    // A parent names itself as its thread.
    let threaded = message["thread_ts"].as_str().is_some_and(|parent| parent != ts);
    Some((ts.to_owned(), threaded))
}

fn next_cursor(body: &Value) -> String {
    body["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned()
}

fn unknown(verdict: Verdict) -> Found {
    match verdict {
        Verdict::Refused { why, hint, .. } => Found::CannotBeAsked { why, hint },
        Verdict::Wait { why, .. } | Verdict::Broken { why, .. } | Verdict::Silent { why } => Found::NotNow { why },
        Verdict::Gone { why } => Found::CannotBeAsked { why, hint: None },
        Verdict::Done { .. } => Found::NotNow { why: "an answer that makes no sense".into() },
    }
}
