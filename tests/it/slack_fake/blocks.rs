//! Block kit's shapes and limits, from <https://docs.slack.dev/reference/block-kit/blocks>. Lengths in UTF-16 units.

use serde_json::{Map, Value};

/// Slack refuses somewhere above 13,000 characters in all.
const ALL: usize = 13_200;

type Checked<T> = Result<T, String>;

/// The word with which Slack refuses blocks, and why.
pub fn refused(blocks: &Value) -> Option<(&'static str, String)> {
    let Some(blocks) = blocks.as_array() else { return Some(("invalid_blocks_format", "no list".into())) };
    if blocks.len() > 50 {
        return Some(("invalid_blocks", format!("{} blocks", blocks.len())));
    }
    let mut all = 0;
    for block in blocks {
        match of_block(block) {
            Ok(length) => all += length,
            Err(why) => return Some(("invalid_blocks", format!("{why}: {block}"))),
        }
    }
    (all > ALL).then(|| ("msg_blocks_too_long", format!("{all} characters")))
}

fn of_block(block: &Value) -> Checked<usize> {
    let fields = block.as_object().ok_or("no object")?;
    let items = |key: &str, most: usize| {
        let items = fields.get(key).and_then(Value::as_array).ok_or_else(|| format!("no {key}"))?;
        if items.is_empty() || items.len() > most {
            return Err(format!("{} of {key}", items.len()));
        }
        Ok::<_, String>(items)
    };
    match string(fields, "type")? {
        "header" => {
            only(fields, &["type", "block_id", "text"])?;
            text(&fields["text"], &["plain_text"], 150)
        }
        "section" => {
            only(fields, &["type", "block_id", "text"])?;
            text(&fields["text"], &["plain_text", "mrkdwn"], 3_000)
        }
        "context" => {
            only(fields, &["type", "block_id", "elements"])?;
            items("elements", 10)?.iter().try_fold(0, |all, e| Ok(all + text(e, &["plain_text", "mrkdwn"], 3_000)?))
        }
        "divider" => only(fields, &["type", "block_id"]).map(|()| 0),
        "actions" => {
            only(fields, &["type", "block_id", "elements"])?;
            let buttons = items("elements", 25)?;
            let mut ids: Vec<&Value> = buttons.iter().map(|button| &button["action_id"]).collect();
            ids.sort_by_key(|id| id.to_string());
            if ids.windows(2).any(|two| two[0] == two[1]) {
                return Err("an action_id twice".into());
            }
            buttons.iter().try_fold(0, |all, button| Ok(all + of_button(button)?))
        }
        other => Err(format!("unknown type {other}")),
    }
}

fn of_button(button: &Value) -> Checked<usize> {
    let fields = button.as_object().ok_or("no object")?;
    only(fields, &["type", "text", "action_id", "url", "value", "style"])?;
    if string(fields, "type")? != "button" {
        return Err("no button".into());
    }
    let url = string(fields, "url")?;
    if length(url) > 3_000 || !(url.starts_with("https://") || url.starts_with("http://")) {
        return Err("a url that is none, or too long".into());
    }
    if length(string(fields, "action_id")?) > 255 {
        return Err("a long action_id".into());
    }
    text(&fields["text"], &["plain_text"], 75)
}

fn text(value: &Value, types: &[&str], most: usize) -> Checked<usize> {
    let fields = value.as_object().ok_or("no text object")?;
    let kind = string(fields, "type")?;
    if !types.contains(&kind) {
        return Err(format!("a text of type {kind}"));
    }
    let flag = if kind == "mrkdwn" { "verbatim" } else { "emoji" };
    only(fields, &["type", "text", flag])?;
    if fields.get(flag).is_some_and(|flag| !flag.is_boolean()) {
        return Err(format!("a {flag} that is no boolean"));
    }
    match length(string(fields, "text")?) {
        0 => Err("an empty text".into()),
        long if long > most => Err(format!("a text of {long} characters")),
        long => Ok(long),
    }
}

fn string<'a>(fields: &'a Map<String, Value>, key: &str) -> Checked<&'a str> {
    fields.get(key).and_then(Value::as_str).ok_or_else(|| format!("no {key}"))
}

fn only(fields: &Map<String, Value>, known: &[&str]) -> Checked<()> {
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown field {key}")),
        None if known.contains(&"text") && !fields.contains_key("text") => Err("no text".into()),
        None => Ok(()),
    }
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
