//! What Slack would refuse, found before it is sent. The views stay inside; a message that does not is a defect, and is not sent.

use crate::model::message::{SlackBlock, SlackMessage};

/// Blocks of a message.
const BLOCKS: usize = 50;
/// Characters of a header.
const HEADER: usize = 150;
/// Characters of a section or of a context's element.
const SECTION: usize = 3_000;
/// Characters of all blocks: Slack refuses somewhere above 13,000, not always at the same number.
const ALL: usize = 12_000;
/// Characters of the text for notifications; Slack cuts it there.
const TEXT: usize = 40_000;
/// Buttons of one block.
const BUTTONS: usize = 25;
/// Characters on a button.
const BUTTON: usize = 75;
/// Characters of a button's address.
const URL: usize = 3_000;

/// What is wrong with a message, if anything is.
pub(super) fn beyond(message: &SlackMessage) -> Option<String> {
    if message.text.trim().is_empty() {
        return Some("its text for notifications is empty".into());
    }
    if length(&message.text) > TEXT {
        return Some(format!("its text for notifications is longer than {TEXT} characters"));
    }
    if message.blocks.len() > BLOCKS {
        return Some(format!("it has {} blocks, Slack takes {BLOCKS}", message.blocks.len()));
    }
    let mut all = 0;
    for (n, block) in message.blocks.iter().enumerate() {
        all += match of_block(block) {
            Ok(length) => length,
            Err(why) => return Some(format!("block {}: {why}", n + 1)),
        };
    }
    (all > ALL).then(|| format!("its blocks have {all} characters, Slack takes {ALL} for certain"))
}

/// The characters of a block, or what is wrong with it.
fn of_block(block: &SlackBlock) -> Result<usize, String> {
    let text = |what: &str, text: &str, most: usize| match length(text) {
        _ if text.trim().is_empty() => Err(format!("{what} is empty")),
        long if long > most => Err(format!("{what} has {long} characters, Slack takes {most}")),
        long => Ok(long),
    };
    match block {
        SlackBlock::Header(header) => text("a header", header, HEADER),
        SlackBlock::Section(section) => text("a section", section, SECTION),
        SlackBlock::Context(context) => text("a context", context, SECTION),
        SlackBlock::Divider => Ok(0),
        SlackBlock::Links(links) if links.is_empty() || links.len() > BUTTONS => {
            Err(format!("{} buttons, Slack takes 1 to {BUTTONS}", links.len()))
        }
        SlackBlock::Links(links) => links.iter().try_fold(0, |all, (label, url)| {
            let scheme = url::Url::parse(url).map(|url| url.scheme().to_owned());
            if length(url) > URL || !scheme.is_ok_and(|scheme| scheme == "https" || scheme == "http") {
                return Err("a button's address is none, or too long".to_owned());
            }
            Ok(all + text("a button", label, BUTTON)?)
        }),
    }
}

/// In UTF-16 units: the larger of the counts that Slack might use.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(blocks: Vec<SlackBlock>) -> SlackMessage {
        SlackMessage { text: "prod: DRIFTED".into(), blocks }
    }

    fn link(label: &str, url: &str) -> SlackBlock {
        SlackBlock::Links(vec![(label.into(), url.into())])
    }

    #[test]
    fn what_slack_takes_passes() {
        let blocks = vec![
            SlackBlock::Header("h".repeat(150)),
            SlackBlock::Section("s".repeat(3_000)),
            SlackBlock::Context("c".repeat(3_000)),
            SlackBlock::Divider,
            link(&"b".repeat(75), "https://reports.example.com/1"),
        ];
        assert_eq!(beyond(&with(blocks)), None);
        assert_eq!(beyond(&with(vec![SlackBlock::Section("s".into()); 50])), None);
    }

    #[test]
    fn what_slack_refuses_is_told() {
        let section = |n| SlackBlock::Section("s".repeat(n));
        let table = [
            (SlackMessage { text: " ".into(), blocks: vec![section(1)] }, "its text for notifications is empty"),
            (SlackMessage { text: "t".repeat(40_001), blocks: vec![] }, "its text for notifications is longer"),
            (with(vec![section(1); 51]), "it has 51 blocks"),
            (with(vec![SlackBlock::Divider, SlackBlock::Header("h".repeat(151))]), "block 2: a header has 151"),
            // Outside of the basic plane a character counts twice.
            (with(vec![SlackBlock::Header("🔴".repeat(76))]), "block 1: a header has 152"),
            (with(vec![section(3_001)]), "block 1: a section has 3001"),
            (with(vec![SlackBlock::Context("c".repeat(3_001))]), "block 1: a context has 3001"),
            (with(vec![section(0)]), "block 1: a section is empty"),
            (with(vec![section(2_500); 5]), "its blocks have 12500 characters"),
            (with(vec![SlackBlock::Links(vec![])]), "block 1: 0 buttons"),
            (with(vec![link(&"b".repeat(76), "https://example.com")]), "block 1: a button has 76"),
            (with(vec![link("Report", "javascript:alert(1)")]), "block 1: a button's address"),
            (with(vec![link("Report", "report.html")]), "block 1: a button's address"),
            (with(vec![link("Report", &format!("https://example.com/{}", "x".repeat(3_000)))]), "block 1: a button's"),
        ];
        for (message, start) in table {
            let why = beyond(&message).unwrap_or_default();
            assert!(why.starts_with(start), "{start}: {why}");
        }
    }
}
