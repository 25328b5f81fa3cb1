//! The methods.

use serde_json::{Map, Value, json};

use super::blocks;
use super::http::{Answer, Request};
use super::state::{BOT_ID, BOT_TOKEN, Channel, State, Stored};

/// A word with which Slack refuses.
type Refused = String;

const JSON: &str = "application/json; charset=utf-8";
const POST_FIELDS: &[&str] = &[
    "channel",
    "text",
    "blocks",
    "metadata",
    "link_names",
    "parse",
    "unfurl_links",
    "unfurl_media",
    "thread_ts",
    "reply_broadcast",
];
const UPDATE_FIELDS: &[&str] =
    &["channel", "ts", "text", "blocks", "metadata", "link_names", "parse", "reply_broadcast"];
const WEBHOOK_FIELDS: &[&str] = &["text", "blocks", "link_names", "parse", "unfurl_links", "unfurl_media"];

impl State {
    /// Answers a method of the API as Slack does.
    pub fn api(&mut self, method: &str, request: &Request) -> Answer {
        if let Err(word) = authorised(request) {
            return Answer::error(&word);
        }
        let result = match method {
            "auth.test" => Ok(self.auth_test()),
            "chat.postMessage" => match self.post(request) {
                Ok(Err(seconds)) => return Answer::limited(seconds),
                Ok(Ok(body)) => Ok(body),
                Err(word) => Err(word),
            },
            "chat.update" => self.update(request),
            "conversations.history" => self.history(request, false),
            "conversations.replies" => self.history(request, true),
            "conversations.info" => self.info(request),
            "conversations.list" => self.list(request),
            _ => Err("unknown_method".into()),
        };
        let mut answer = match result {
            Ok(body) => Answer::json(&body),
            Err(word) if word.starts_with("missing_scope ") => {
                let needed = word.trim_start_matches("missing_scope ");
                Answer::json(&json!({
                    "ok": false, "error": "missing_scope", "needed": needed, "provided": self.rules.scopes.join(","),
                }))
            }
            Err(word) => Answer::error(&word),
        };
        answer.headers.push(("X-OAuth-Scopes", self.rules.scopes.join(",")));
        answer
    }

    /// Answers an incoming webhook as Slack does; it posts to the first channel.
    pub fn webhook(&mut self, request: &Request) -> Answer {
        let channel = self.rules.channels[0].clone();
        let fields = match self.fields(request, WEBHOOK_FIELDS) {
            Ok(fields) => fields,
            Err(word) => return Answer::text(400, if word == "invalid_json" { "invalid_payload" } else { &word }),
        };
        if channel.archived {
            return Answer::text(410, "channel_is_archived");
        }
        if let Err(word) = self.content(&fields) {
            return Answer::text(400, &word);
        }
        if let Some(seconds) = self.too_soon(channel.id) {
            return Answer::limited(seconds);
        }
        self.store(channel.id, None, false, &fields, "B0WEBHOOK0");
        Answer::text(200, "ok")
    }

    fn auth_test(&self) -> Value {
        json!({
            "ok": true, "url": "https://fake.slack.test/", "team": "Fake Team", "user": "driftledger",
            "team_id": "T0FAKE0000", "user_id": "U0FAKE0BOT", "bot_id": BOT_ID,
        })
    }

    /// The message that was posted, or the seconds to wait.
    fn post(&mut self, request: &Request) -> Result<Result<Value, u64>, Refused> {
        self.scope("chat:write")?;
        let fields = self.fields(request, POST_FIELDS)?;
        let channel = self.open(&fields, true)?;
        self.content(&fields)?;
        let mut thread = fields.get("thread_ts").map(|ts| ts.as_str().unwrap_or_default().to_owned());
        if let Some(ts) = &thread {
            if !is_ts(ts) {
                return Err(self.complain("invalid_arguments", "thread_ts is no ts"));
            }
            match self.message(channel.id, ts) {
                Some(parent) if parent.thread_ts.as_ref().is_some_and(|t| t != ts) => {
                    return Err(self.complain("cannot_reply_to_message", "the parent is a reply"));
                }
                Some(_) => {}
                None if self.rules.refuse_vanished => return Err("thread_not_found".into()),
                None => thread = None,
            }
        } else if fields.contains_key("reply_broadcast") {
            return Err(self.complain("invalid_arguments", "reply_broadcast without thread_ts"));
        }
        if let Some(seconds) = self.too_soon(channel.id) {
            return Ok(Err(seconds));
        }
        let broadcast = thread.is_some() && fields.get("reply_broadcast") == Some(&json!(true));
        let stored = self.store(channel.id, thread, broadcast, &fields, BOT_ID);
        Ok(Ok(json!({"ok": true, "channel": stored.channel, "ts": stored.ts, "message": stored.shown(true)})))
    }

    fn update(&mut self, request: &Request) -> Result<Value, Refused> {
        self.scope("chat:write")?;
        let fields = self.fields(request, UPDATE_FIELDS)?;
        // A name will not do here.
        let channel = self.open(&fields, false)?;
        self.content(&fields)?;
        let ts = fields.get("ts").and_then(Value::as_str).unwrap_or_default().to_owned();
        let found = self.messages.iter_mut().find(|m| m.channel == channel.id && m.ts == ts);
        let Some(message) = found else { return Err("message_not_found".into()) };
        if message.bot != BOT_ID {
            return Err("cant_update_message".into());
        }
        message.edits += 1;
        message.text = fields["text"].as_str().unwrap_or_default().to_owned();
        message.blocks = fields.get("blocks").cloned().unwrap_or(Value::Null);
        if let Some(metadata) = fields.get("metadata") {
            message.metadata = Some(metadata.clone());
        }
        Ok(json!({"ok": true, "channel": message.channel, "ts": message.ts, "message": message.shown(true)}))
    }

    fn history(&mut self, request: &Request, replies: bool) -> Result<Value, Refused> {
        let query = |key: &str| request.query.get(key).map(String::as_str).unwrap_or_default();
        let channel = self.channel(query("channel"), false).ok_or("channel_not_found")?;
        self.scope(if channel.private { "groups:history" } else { "channels:history" })?;
        if !channel.member {
            return Err("not_in_channel".into());
        }
        let (oldest, thread) = (query("oldest"), query("ts"));
        if !oldest.is_empty() && !is_ts(oldest) || replies && !is_ts(thread) {
            return Err(self.complain("invalid_arguments", "oldest or ts is no ts"));
        }
        let mut shown: Vec<&Stored> = self.messages.iter().filter(|m| m.channel == channel.id).collect();
        if replies {
            if !shown.iter().any(|m| m.ts == thread) {
                return Err("thread_not_found".into());
            }
            shown.retain(|m| m.ts == thread || m.thread_ts.as_deref() == Some(thread) && m.ts.as_str() > oldest);
        } else {
            shown.retain(|m| (m.thread_ts.is_none() || m.broadcast) && m.ts.as_str() > oldest);
            shown.reverse();
        }
        let start: usize = query("cursor").strip_prefix("page:").and_then(|n| n.parse().ok()).unwrap_or(0);
        let page = query("limit").parse().unwrap_or(100).min(self.rules.page);
        let with_metadata = query("include_all_metadata") == "true";
        let messages: Vec<Value> = shown.iter().skip(start).take(page).map(|m| m.shown(with_metadata)).collect();
        let more = start + page < shown.len();
        let cursor = if more { format!("page:{}", start + page) } else { String::new() };
        Ok(json!({
            "ok": true, "messages": messages, "has_more": more, "response_metadata": {"next_cursor": cursor},
        }))
    }

    fn info(&mut self, request: &Request) -> Result<Value, Refused> {
        let id = request.query.get("channel").map(String::as_str).unwrap_or_default();
        let channel = self.channel(id, false).ok_or("channel_not_found")?;
        self.scope(if channel.private { "groups:read" } else { "channels:read" })?;
        Ok(json!({"ok": true, "channel": shown(&channel)}))
    }

    fn list(&mut self, request: &Request) -> Result<Value, Refused> {
        let types = request.query.get("types").map(String::as_str).unwrap_or("public_channel");
        self.scope("channels:read")?;
        let private = types.contains("private_channel");
        if private {
            self.scope("groups:read")?;
        }
        let seen = |c: &&Channel| !c.archived && (private && c.member || !c.private);
        let channels: Vec<Value> = self.rules.channels.iter().filter(seen).map(shown).collect();
        Ok(json!({"ok": true, "channels": channels, "response_metadata": {"next_cursor": ""}}))
    }

    fn scope(&self, scope: &str) -> Result<(), Refused> {
        if self.rules.scopes.contains(&scope) { Ok(()) } else { Err(format!("missing_scope {scope}")) }
    }

    /// The body's fields, none of them unknown.
    fn fields(&mut self, request: &Request, known: &[&str]) -> Result<Map<String, Value>, Refused> {
        if request.method != "POST" {
            return Err(self.complain("invalid_post_type", "no POST"));
        }
        let media_type = request.headers.get("content-type").map(String::as_str).unwrap_or_default();
        if media_type != JSON {
            return Err(self.complain("missing_charset", media_type));
        }
        let Ok(value) = serde_json::from_slice::<Value>(&request.body) else {
            return Err(self.complain("invalid_json", "the body is no JSON"));
        };
        let Value::Object(fields) = value else {
            return Err(self.complain("json_not_object", "the body is no object"));
        };
        if let Some(key) = fields.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(self.complain("invalid_arguments", &format!("unknown argument {key}")));
        }
        Ok(fields)
    }

    /// The channel, if it can be posted to.
    fn open(&self, fields: &Map<String, Value>, by_name: bool) -> Result<Channel, Refused> {
        let name = fields.get("channel").and_then(Value::as_str).unwrap_or_default();
        let channel = self.channel(name, by_name).ok_or("channel_not_found")?;
        match channel {
            // A private channel is not even known to who is not in it.
            Channel { private: true, member: false, .. } => Err("channel_not_found".into()),
            Channel { archived: true, .. } => Err("is_archived".into()),
            Channel { member: false, .. } => Err("not_in_channel".into()),
            channel => Ok(channel),
        }
    }

    fn content(&mut self, fields: &Map<String, Value>) -> Result<(), Refused> {
        let text = fields.get("text").and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() {
            return Err(self.complain("no_text", "no text"));
        }
        if text.encode_utf16().count() > 40_000 {
            return Err(self.complain("msg_too_long", "more than 40,000 characters of text"));
        }
        if let Some((word, why)) = fields.get("blocks").and_then(blocks::refused) {
            return Err(self.complain(word, &why));
        }
        let Some(metadata) = fields.get("metadata") else { return Ok(()) };
        if self.rules.refuse_metadata {
            return Err("metadata_must_be_sent_from_app".into());
        }
        let known = metadata.as_object().is_some_and(|m| m.keys().all(|k| k == "event_type" || k == "event_payload"));
        if !known || !metadata["event_type"].is_string() || !metadata["event_payload"].is_object() {
            return Err(self.complain("invalid_metadata_format", &metadata.to_string()));
        }
        if metadata.to_string().len() > 8_000 {
            return Err(self.complain("metadata_too_large", "more than 8,000 characters of metadata"));
        }
        Ok(())
    }

    /// Notes why something was refused that Slack might let pass, or explains less well.
    fn complain(&mut self, word: &str, why: &str) -> Refused {
        self.complaints.push(format!("{word}: {why}"));
        word.to_owned()
    }

    fn store(
        &mut self,
        channel: &str,
        thread_ts: Option<String>,
        broadcast: bool,
        fields: &Map<String, Value>,
        bot: &str,
    ) -> Stored {
        let metadata = fields.get("metadata").cloned();
        let key = metadata.as_ref().and_then(|m| m["event_payload"]["key"].as_str()).map(str::to_owned);
        let stored = Stored {
            channel: channel.to_owned(),
            ts: self.new_ts(),
            thread_ts,
            broadcast,
            key,
            metadata,
            text: fields["text"].as_str().unwrap_or_default().to_owned(),
            blocks: fields.get("blocks").cloned().unwrap_or(Value::Null),
            bot: bot.to_owned(),
            edits: 0,
        };
        self.messages.push(stored.clone());
        stored
    }
}

fn authorised(request: &Request) -> Result<(), Refused> {
    match request.headers.get("authorization").map(|value| value.strip_prefix("Bearer ")) {
        None => Err("not_authed".into()),
        Some(Some(token)) if token == BOT_TOKEN => Ok(()),
        Some(_) => Err("invalid_auth".into()),
    }
}

/// Seconds, a dot and six digits.
fn is_ts(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.split_once('.').is_some_and(|(seconds, rest)| digits(seconds) && digits(rest) && rest.len() == 6)
}

fn shown(channel: &Channel) -> Value {
    json!({
        "id": channel.id, "name": channel.name, "is_private": channel.private, "is_member": channel.member,
        "is_archived": channel.archived,
    })
}
