//! A message as Slack takes it: the payloads of `chat.postMessage`, `chat.update` and incoming webhooks.

use serde_json::Value;
use slack_morphism::prelude::*;

use crate::model::delivery::SlackPlace;
use crate::model::message::{SlackBlock as Block, SlackMessage};

/// The `event_type` of the metadata that every message of a bot carries; its payload is `{"key": …}`.
pub const EVENT_TYPE: &str = "driftledger_message";

/// The request that posts a message. Nothing in it is linked, unfurled or turned into a mention by Slack.
pub fn request(message: &SlackMessage, channel: &str) -> SlackApiChatPostMessageRequest {
    SlackApiChatPostMessageRequest::new(channel.into(), content(message))
        .with_link_names(false)
        .with_parse("none".into())
        .with_unfurl_links(false)
        .with_unfurl_media(false)
}

/// What a bot posts: with the key by which it can be found, in a thread if there is one.
pub(super) fn post(
    message: &SlackMessage,
    channel: &str,
    thread: Option<(&SlackPlace, bool)>,
    key: Option<&str>,
) -> Result<Value, serde_json::Error> {
    let mut request = request(message, channel);
    if let Some((parent, broadcast)) = thread {
        request = request.with_thread_ts(parent.ts.as_str().into()).with_reply_broadcast(broadcast);
    }
    request.content.metadata = key.map(|key| {
        SlackMessageMetadata::new(EVENT_TYPE.into()).with_event_payload([("key".to_owned(), key.to_owned())].into())
    });
    serde_json::to_value(request)
}

/// What takes the place of a message. Without metadata in the request Slack keeps what the message has.
pub(super) fn update(message: &SlackMessage, place: &SlackPlace) -> Result<Value, serde_json::Error> {
    let request =
        SlackApiChatUpdateRequest::new(place.channel.as_str().into(), content(message), place.ts.as_str().into());
    serde_json::to_value(request.with_link_names(false).with_parse("none".into()))
}

/// What an incoming webhook takes: it has its channel, and no threads.
pub(super) fn webhook(message: &SlackMessage) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(request(message, ""))?;
    if let Value::Object(fields) = &mut value {
        fields.remove("channel");
    }
    Ok(value)
}

fn content(message: &SlackMessage) -> SlackMessageContent {
    SlackMessageContent::new().with_text(message.text.clone()).with_blocks(message.blocks.iter().map(block).collect())
}

/// The same as JSON, indented, with a line break at the end: what would be sent.
///
/// # Errors
/// Only if the crate's own types cannot be written.
pub fn payload(message: &SlackMessage, channel: &str) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&request(message, channel)).map(|text| text + "\n")
}

fn block(block: &Block) -> SlackBlock {
    match block {
        Block::Header(text) => {
            SlackHeaderBlock::new(SlackBlockPlainText::new(text.clone()).with_emoji(false).into()).into()
        }
        Block::Section(text) => SlackSectionBlock::new().with_text(SlackBlockText::MarkDown(mrkdwn(text))).into(),
        Block::Context(text) => SlackContextBlock::new(vec![SlackContextBlockElement::MarkDown(mrkdwn(text))]).into(),
        Block::Divider => SlackDividerBlock::new().into(),
        Block::Links(links) => {
            let button = |(n, (label, url)): (usize, &(String, String))| {
                SlackBlockButtonElement::new(SlackBlockPlainText::new(label.clone()).into())
                    .with_action_id(format!("link-{n}").into())
                    .opt_url(url::Url::parse(url).ok())
                    .into()
            };
            SlackActionsBlock::new(links.iter().enumerate().map(button).collect()).into()
        }
    }
}

/// Verbatim: Slack looks for no addresses, channels or people in it.
fn mrkdwn(text: &str) -> SlackBlockMarkDownText {
    SlackBlockMarkDownText::new(text.to_owned()).with_verbatim(true)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn is_what_slack_documents() {
        let message = SlackMessage {
            text: "prod: DRIFTED".into(),
            blocks: vec![
                Block::Header("prod: DRIFTED".into()),
                Block::Section("*one* `&lt;!channel&gt;`".into()),
                Block::Divider,
                Block::Context("seal #1".into()),
            ],
        };
        let text = payload(&message, "C0123456789").expect("JSON");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            value,
            json!({
                "channel": "C0123456789",
                "text": "prod: DRIFTED",
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "prod: DRIFTED", "emoji": false}},
                    {"type": "section", "text": {"type": "mrkdwn", "text": "*one* `&lt;!channel&gt;`", "verbatim": true}},
                    {"type": "divider"},
                    {"type": "context", "elements": [{"type": "mrkdwn", "text": "seal #1", "verbatim": true}]},
                ],
                "link_names": false,
                "parse": "none",
                "unfurl_links": false,
                "unfurl_media": false,
            })
        );
    }
}
