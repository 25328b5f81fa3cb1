//! The Slack message on a scan, as plain data.
//!
//! Limits are Slack's: 50 blocks, 3,000 characters a text, and a message of about 13,200 characters in all is refused; this
//! view stays well below. Whole findings are left out from the end, and said to be.

use crate::model::finding::Finding;
use crate::model::message::{SlackBlock, SlackMessage};
use crate::model::report::ScanReport;
use crate::model::time::Timestamp;

use super::escape::{mrkdwn, mrkdwn_code, terminal};
use super::value::{self, cut};
use super::words::{self, counted};
use super::{severity, verdict};

/// Blocks of a message.
pub const MOST_BLOCKS: usize = 45;
/// Characters (UTF-16 units, the larger count) of one text.
pub const MOST_SECTION: usize = 3_000;
/// Characters of all texts of a message.
pub const MOST_CHARS: usize = 12_000;
/// Characters of a header.
pub const MOST_HEADER: usize = 150;
/// Blocks and characters kept back for what stands below the findings.
const TAIL_BLOCKS: usize = 4;
const TAIL_CHARS: usize = 2_500;
const MOST_GAPS: usize = 5;

/// The message on a scan.
pub fn scan(report: &ScanReport) -> SlackMessage {
    let verdict = verdict::sentence(report);
    let title = format!("{}: {}", words::clusters(report), verdict.state.as_str());
    let mut blocks = vec![
        SlackBlock::Header(cut(&title, MOST_HEADER)),
        SlackBlock::Section(format!(
            "*{}*\n{}, {}\n{}",
            mrkdwn(&verdict.parts.join("; ")),
            mrkdwn(&words::clusters(report)),
            words::span(report),
            mrkdwn(&words::changes(report)),
        )),
    ];
    let mut chars: usize = blocks.iter().map(length).sum();
    let mut shown = 0;
    for finding in &report.findings {
        let block = SlackBlock::Section(section(finding, report.scan.started_at));
        let long = length(&block);
        if blocks.len() + 1 + TAIL_BLOCKS > MOST_BLOCKS || chars + long + TAIL_CHARS > MOST_CHARS || long > MOST_SECTION
        {
            break;
        }
        chars += long;
        blocks.push(block);
        shown += 1;
    }
    let left = (report.findings.len() - shown) as u64;
    if left > 0 {
        blocks.push(SlackBlock::Section(format!(
            "*and {}*: see the report",
            counted(left, "more finding", "more findings")
        )));
    }
    if !report.gaps.is_empty() {
        blocks.push(SlackBlock::Section(gaps(report)));
    }
    blocks.push(SlackBlock::Divider);
    blocks.push(SlackBlock::Context(proof(report)));
    SlackMessage { text: mrkdwn(&format!("{}: {}", words::clusters(report), verdict.sentence)), blocks }
}

/// The length of a block's text as Slack may count it.
pub(super) fn length(block: &SlackBlock) -> usize {
    match block {
        SlackBlock::Header(text) | SlackBlock::Section(text) | SlackBlock::Context(text) => text.encode_utf16().count(),
        SlackBlock::Links(links) => links.iter().map(|(label, _)| label.encode_utf16().count()).sum(),
        SlackBlock::Divider => 0,
    }
}

/// Severity, where and what; both values; commit and writer; since when.
fn section(finding: &Finding, started: Timestamp) -> String {
    let code = |text: &str, most| mrkdwn_code(&cut(&terminal(text), most));
    let cause = finding.cause.map(|cause| format!(", {cause}")).unwrap_or_default();
    let mut lines = vec![format!(
        "{} *{}* {}{cause}: {}",
        severity::mark(finding.severity),
        finding.severity,
        mrkdwn(&finding.class),
        code(&words::object(finding), 140),
    )];
    lines.extend(finding.path.as_ref().map(|path| code(&path.to_string(), 200)));
    let (git, live) = value::brief(finding, 120);
    lines.push(format!("Git {} → live {}", mrkdwn_code(&git), mrkdwn_code(&live)));
    if let Some(by) = &finding.declared_by {
        lines.push(format!(
            "Commit {} {} by {}, {}{}",
            code(by.commit.short(), 12),
            code(&by.subject, 100),
            code(&by.author, 60),
            by.time.date(),
            mrkdwn(&cut(&terminal(&words::change(by)), 120)),
        ));
    }
    lines.extend(writer(finding, code));
    let remark = words::not_looked_at(finding, started).map(|remark| format!(" ({remark})")).unwrap_or_default();
    let seen = words::seen(finding).map(|seen| format!("{seen}, ")).unwrap_or_default();
    lines.push(format!("_{seen}{}_{remark}", mrkdwn(finding.id.as_str())));
    lines.join("\n")
}

fn writer(finding: &Finding, code: impl Fn(&str, usize) -> String) -> Option<String> {
    let user = words::by_audit_log(finding).map(|user| code(&user, 120));
    let Some(actor) = finding.actors.first() else { return Some(format!("Written live {}", user?)) };
    let time = actor.time.map(|time| format!(", {}", time.for_people())).unwrap_or_default();
    let user = user.map(|user| format!(", {user}")).unwrap_or_default();
    Some(format!("Written live by {} ({}){time}{user}", code(&actor.manager, 60), actor.kind.as_str()))
}

fn gaps(report: &ScanReport) -> String {
    let count = report.gaps.len();
    let mut lines = vec![format!("*{}*: not known to be in sync", counted(count as u64, "gap", "gaps"))];
    for gap in report.gaps.iter().take(MOST_GAPS) {
        let place = mrkdwn_code(&cut(&terminal(&words::gap_place(gap)), 100));
        lines.push(format!("• {} {place}: {}", gap.kind.as_str(), mrkdwn(&cut(&terminal(&gap.message), 120))));
    }
    if count > MOST_GAPS {
        lines.push(format!("and {} more", count - MOST_GAPS));
    }
    lines.join("\n")
}

fn proof(report: &ScanReport) -> String {
    // The seal stands below in full.
    let line = words::trust_line(report);
    let trust = line.rsplit_once(" · seal").map_or(line.as_str(), |(before, _)| before);
    format!(
        "Scan {} · {}\nseal {}\n{}",
        report.scan.id,
        mrkdwn(trust),
        mrkdwn(&words::seal(report)),
        mrkdwn(words::ACTOR_NOTE)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    fn texts(message: &SlackMessage) -> Vec<&str> {
        let mut texts: Vec<&str> = Vec::new();
        for block in &message.blocks {
            match block {
                SlackBlock::Header(text) | SlackBlock::Section(text) | SlackBlock::Context(text) => texts.push(text),
                SlackBlock::Links(links) => texts.extend(links.iter().map(|(label, _)| label.as_str())),
                SlackBlock::Divider => {}
            }
        }
        texts.push(&message.text);
        texts
    }

    #[test]
    fn is_as_reviewed() {
        for (name, report) in [("slack.txt", sample::drifted()), ("slack-in-sync.txt", sample::in_sync())] {
            sample::golden(name, &(texts(&scan(&report)).join("\n----\n") + "\n"));
        }
    }

    #[test]
    fn stays_inside_the_limits() {
        for report in [sample::drifted(), sample::hostile(), sample::huge(10_000), sample::in_sync()] {
            let message = scan(&report);
            assert!(message.blocks.len() <= MOST_BLOCKS);
            let lengths: Vec<usize> = message.blocks.iter().map(length).collect();
            assert!(lengths.iter().all(|n| *n <= MOST_SECTION), "{lengths:?}");
            assert!(lengths.iter().sum::<usize>() <= MOST_CHARS, "{lengths:?}");
        }
        let message = scan(&sample::huge(10_000));
        assert!(texts(&message).iter().any(|text| text.starts_with("*and 9,9") && text.contains("more findings")));
    }

    #[test]
    fn hostile_text_calls_nobody() {
        let message = scan(&sample::hostile());
        for text in texts(&message).into_iter().skip(1) {
            assert!(!text.contains('<') && !text.contains('>'), "{text}");
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
            assert!(!text.contains(['\u{202e}', '\u{2066}']));
            // Code spans are closed on their line, so nothing from outside is ever formatted.
            assert!(text.lines().all(|line| line.matches('`').count() % 2 == 0), "{text}");
        }
    }
}
