//! Slack: a message as the payload of `chat.postMessage`.

use slack_morphism::prelude::*;

use crate::model::message::{SlackBlock as Block, SlackMessage};

/// The request that posts a message. Nothing in it is linked, unfurled or turned into a mention by Slack.
pub fn request(message: &SlackMessage, channel: &str) -> SlackApiChatPostMessageRequest {
    let content = SlackMessageContent::new()
        .with_text(message.text.clone())
        .with_blocks(message.blocks.iter().map(block).collect());
    SlackApiChatPostMessageRequest::new(channel.into(), content)
        .with_link_names(false)
        .with_parse("none".into())
        .with_unfurl_links(false)
        .with_unfurl_media(false)
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
