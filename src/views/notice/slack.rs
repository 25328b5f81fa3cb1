//! A notice for Slack.
//!
//! The limits are those of [`crate::views::slack`]: whole findings are left out from the end, and said to be.

use crate::model::message::{SlackBlock, SlackMessage};
use crate::model::notice::Notice;
use crate::views::escape::{mrkdwn, mrkdwn_code, slack_plain};
use crate::views::slack::{MOST_BLOCKS, MOST_CHARS, MOST_HEADER, MOST_SECTION, length};
use crate::views::value::cut;
use crate::views::words::counted;

use super::gap::ToldGap;
use super::headline::{self, Headline};
use super::letter::{self, Letter, ToldItem};
use super::line::Line;
use super::{Around, proof, withheld};

/// Findings of a notice that tells many in short.
const MOST_ROWS: usize = 10;
/// Blocks and characters kept back for what stands below the findings.
const TAIL_BLOCKS: usize = 5;
const TAIL_CHARS: usize = 2_500;
const MOST_TEXT: usize = 600;

/// The message that begins a conversation, or an answer in it.
pub fn message(notice: &Notice, around: &Around<'_>) -> SlackMessage {
    let notice = &prepared(notice, around);
    let letter = letter::of(notice, around);
    let mut page = Page::under(&letter.headline);
    page.section(letter.lead.iter().map(Line::mrkdwn).collect());
    page.section(letter.facts.iter().map(|fact| format!("*{}*: {}", fact.label, mrkdwn(&fact.value))).collect());
    let many = letter.items.len() > 1 || !letter.in_full;
    let most = if letter.in_full { letter.items.len() } else { MOST_ROWS };
    let shown = page.fill(letter.items.iter().take(most).map(|item| section(item, many)));
    let left = (letter.items.len() - shown) as u64 + letter.more;
    let shown = page.fill(letter.gaps.iter().map(of_gap));
    let left_gaps = (letter.gaps.len() - shown) as u64 + letter.more_gaps;
    page.section([more(left, "finding", &letter), more(left_gaps, "gap", &letter)].into_iter().flatten().collect());
    page.section(letter.next.iter().map(|next| format!("*{}:* {}", mrkdwn(&next.label), next.line.mrkdwn())).collect());
    page.end(&letter, around);
    SlackMessage { text: gist(&letter), blocks: page.blocks }
}

/// What the message that began a conversation becomes with the notice that ends it.
pub fn closed(notice: &Notice, around: &Around<'_>) -> SlackMessage {
    let notice = &prepared(notice, around);
    let headline = headline::closed(notice);
    let letter = Letter { headline, ..letter::of(notice, around) };
    let mut page = Page::under(&letter.headline);
    let shown = page.fill(letter.items.iter().take(MOST_ROWS).map(|item| section(item, true)));
    let left = (letter.items.len() - shown) as u64 + letter.more;
    page.fill(letter.gaps.iter().take(MOST_ROWS).map(of_gap));
    page.section(more(left, "finding", &letter).into_iter().collect());
    page.end(&letter, around);
    SlackMessage { text: gist(&letter), blocks: page.blocks }
}

fn prepared(notice: &Notice, around: &Around<'_>) -> Notice {
    if around.withholds() { withheld::without_values(notice) } else { notice.clone() }
}

/// A message as it grows.
struct Page {
    blocks: Vec<SlackBlock>,
}

impl Page {
    fn under(headline: &Headline) -> Self {
        let glue = if headline.mark.is_empty() { "" } else { " " };
        let text = slack_plain(&format!("{}{glue}{}", headline.mark, headline.text));
        Self { blocks: vec![SlackBlock::Header(fit(&text, MOST_HEADER))] }
    }

    /// Lines as one section, where there are any. Whole lines are left out from the end of one that is too long.
    fn section(&mut self, lines: Vec<String>) {
        let mut text = String::new();
        for line in lines {
            if units(&text) + 1 + units(&line) > MOST_SECTION {
                break;
            }
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
        }
        if !text.is_empty() {
            self.blocks.push(SlackBlock::Section(text));
        }
    }

    /// One section each, as many as there is room for; returns how many.
    fn fill(&mut self, sections: impl Iterator<Item = Vec<String>>) -> usize {
        let mut shown = 0;
        for lines in sections {
            let before = self.blocks.len();
            self.section(lines);
            let chars: usize = self.blocks.iter().map(length).sum();
            if self.blocks.len() + TAIL_BLOCKS > MOST_BLOCKS || chars + TAIL_CHARS > MOST_CHARS {
                self.blocks.truncate(before);
                break;
            }
            shown += 1;
        }
        shown
    }

    fn end(&mut self, letter: &Letter, around: &Around<'_>) {
        if !letter.proof.is_empty() {
            let proof: Vec<String> = letter.proof.iter().cloned().chain(proof::seal(around)).collect();
            self.blocks.push(SlackBlock::Context(mrkdwn(&cut(&proof.join(" · "), 800))));
        }
        if !letter.buttons.is_empty() {
            self.blocks.push(SlackBlock::Links(letter.buttons.clone()));
        }
    }
}

/// The length of a text as Slack may count it.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// At most `most` units of a text.
fn fit(text: &str, most: usize) -> String {
    let more = units(text).saturating_sub(text.chars().count());
    cut(text, most.saturating_sub(more))
}

/// One line for notifications: the headline, and of one finding both values.
fn gist(letter: &Letter) -> String {
    let mut text = letter.headline.text.clone();
    if let ([item], true) = (letter.items.as_slice(), letter.in_full) {
        match (&item.how, &item.sides) {
            (Some(how), _) => text = format!("{text} · {how}"),
            (None, Some((git, live))) => text = format!("{text} · Git {git}, live {live}"),
            (None, None) => {}
        }
    }
    mrkdwn(&cut(&text, MOST_TEXT))
}

fn more(left: u64, one: &str, letter: &Letter) -> Option<String> {
    let words = counted(left, &format!("more {one}"), &format!("more {one}s"));
    let see = match &letter.report {
        // The address has none of the characters that end a link in mrkdwn.
        Some(url) => format!("<{}|see the report>", url.replace('&', "&amp;")),
        None => format!("see {}", mrkdwn_code("driftledger findings")),
    };
    (left > 0).then(|| format!("*and {words}*: {see}"))
}

/// A finding with its evidence, or among many.
fn section(item: &ToldItem, many: bool) -> Vec<String> {
    let path = item.path.as_ref().map(|path| format!(" {}", mrkdwn_code(path))).unwrap_or_default();
    let named = format!("{}{path}", mrkdwn_code(&item.object));
    let what = mrkdwn(&item.what);
    let mut lines = vec![match (many, item.over) {
        (_, true) => format!("{} {named} {what}", item.mark),
        (true, false) => format!("{} *{}* {named}: {what}", item.mark, item.severity),
        (false, false) => named,
    }];
    let was = if item.over { "It was: " } else { "" };
    lines.push(match &item.sides {
        Some((git, live)) => format!("{was}Git {}, live {}", mrkdwn_code(git), mrkdwn_code(live)),
        None if item.over => String::new(),
        None => "Git and live differ.".to_owned(),
    });
    lines.retain(|line| !line.is_empty());
    lines.extend(item.evidence.iter().map(Line::mrkdwn));
    lines.extend(item.tail.as_ref().map(|tail| {
        let place = item.place.as_ref().map(|place| format!("{place} · ")).unwrap_or_default();
        format!("_{}_", mrkdwn(&format!("{place}{tail}")))
    }));
    lines
}

fn of_gap(gap: &ToldGap) -> Vec<String> {
    let mark = if gap.over { headline::DONE } else { "⚠️" };
    std::iter::once(format!("{mark} {}", gap.what.mrkdwn())).chain(gap.more.iter().map(Line::mrkdwn)).collect()
}
