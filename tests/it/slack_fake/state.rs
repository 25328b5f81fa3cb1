//! What the fake holds.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::http::Request;
use super::server::Next;
use super::trap::Trap;

/// The token that is valid.
pub const BOT_TOKEN: &str = "xoxb-000000000000-FakeFakeFakeFakeFakeFake";
/// The bot of that token.
pub const BOT_ID: &str = "B0FAKE0BOT";

/// A channel.
#[derive(Clone, Debug)]
pub struct Channel {
    pub id: &'static str,
    pub name: &'static str,
    pub private: bool,
    pub member: bool,
    pub archived: bool,
}

/// What the fake enforces.
#[derive(Clone, Debug)]
pub struct Rules {
    pub channels: Vec<Channel>,
    pub scopes: Vec<&'static str>,
    /// Between two messages to one channel.
    pub apart: Duration,
    /// A reply to a message that is no more is refused with `thread_not_found`; else it is posted outside of any thread.
    pub refuse_vanished: bool,
    /// Metadata is refused, as for tokens that are no app's.
    pub refuse_metadata: bool,
    /// Messages of one page, whatever is asked for.
    pub page: usize,
    /// How far its clock is ahead of this machine's.
    pub ahead: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        let channel = |id, name| Channel { id, name, private: false, member: true, archived: false };
        Self {
            channels: vec![channel("C0ALERTS00", "alerts"), channel("C0OTHER000", "other")],
            scopes: vec!["chat:write", "channels:history", "channels:read", "groups:read", "groups:history"],
            apart: Duration::ZERO,
            refuse_vanished: false,
            refuse_metadata: false,
            page: 100,
            ahead: Duration::ZERO,
        }
    }
}

/// A message.
#[derive(Clone, Debug)]
pub struct Stored {
    pub channel: String,
    pub ts: String,
    pub thread_ts: Option<String>,
    pub broadcast: bool,
    /// Of its metadata; `None` for a webhook's.
    pub key: Option<String>,
    pub metadata: Option<Value>,
    pub text: String,
    pub blocks: Value,
    pub bot: String,
    pub edits: usize,
}

impl Stored {
    /// As the API shows it.
    pub fn shown(&self, with_metadata: bool) -> Value {
        let mut value = json!({
            "type": "message", "bot_id": self.bot, "ts": self.ts, "text": self.text, "blocks": self.blocks,
        });
        if let Some(thread) = &self.thread_ts {
            value["thread_ts"] = json!(thread);
        }
        if let Some(metadata) = self.metadata.as_ref().filter(|_| with_metadata) {
            value["metadata"] = metadata.clone();
        }
        value
    }
}

/// All of it.
pub struct State {
    pub rules: Rules,
    pub messages: Vec<Stored>,
    pub next: HashMap<String, VecDeque<Next>>,
    /// Methods in the order in which they were asked, those that were refused included.
    pub asked: Vec<String>,
    /// What was not as Slack documents it, for a test to show when it fails.
    pub complaints: Vec<String>,
    /// What came to the addresses that are not Slack's, whole.
    pub received: Vec<Request>,
    pub trap: Option<Trap>,
    last: HashMap<String, Instant>,
    ts: BTreeSet<(u64, u32)>,
}

impl State {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            messages: Vec::new(),
            next: HashMap::new(),
            asked: Vec::new(),
            complaints: Vec::new(),
            received: Vec::new(),
            trap: None,
            last: HashMap::new(),
            ts: BTreeSet::new(),
        }
    }

    /// A `ts` that no message has: seconds, and six digits that make it unique.
    pub fn new_ts(&mut self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let seconds = (now + self.rules.ahead).as_secs();
        let number = self.ts.last().filter(|(last, _)| *last >= seconds).map_or(100, |(_, number)| number + 100);
        let seconds = self.ts.last().map_or(seconds, |(last, _)| seconds.max(*last));
        self.ts.insert((seconds, number));
        format!("{seconds}.{number:06}")
    }

    /// By its id, or by `#name` where a name will do.
    pub fn channel(&self, text: &str, by_name: bool) -> Option<Channel> {
        let named = |c: &&Channel| c.id == text || by_name && text.trim_start_matches('#') == c.name;
        self.rules.channels.iter().find(named).cloned()
    }

    /// Seconds to wait before the next message to a channel; a message that may go counts.
    pub fn too_soon(&mut self, channel: &str) -> Option<u64> {
        let apart = self.rules.apart;
        let now = Instant::now();
        // A little grace, for the way of the request.
        let grace = apart / 20;
        if let Some(last) = self.last.get(channel)
            && now.duration_since(*last) + grace < apart
        {
            return Some((apart - now.duration_since(*last)).as_secs() + 1);
        }
        self.last.insert(channel.to_owned(), now);
        None
    }

    pub fn message(&self, channel: &str, ts: &str) -> Option<&Stored> {
        self.messages.iter().find(|message| message.channel == channel && message.ts == ts)
    }
}
