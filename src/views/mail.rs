//! The mail on a scan: text and HTML that say the same.

use serde::Serialize;

use crate::model::finding::{Code, Finding};
use crate::model::gap::Gap;
use crate::model::message::MailContent;
use crate::model::report::ScanReport;

use super::diff::{self, Difference, Line, Tag};
use super::escape::terminal as t;
use super::ignored::RuleLine;
use super::value::{self, cut};
use super::verdict::{self, State};
use super::words::{self, Fact, counted};
use super::{ViewError, severity, templates};

/// The domain of Message-ID and List-Id where none is configured; `.invalid` is never anybody's (RFC 2606).
pub const DEFAULT_DOMAIN: &str = "driftledger.invalid";
/// Findings in a mail.
pub const MOST_ROWS: usize = 50;
/// Bytes of the HTML: some readers cut what is longer than about 100 KB.
pub const MOST_BYTES: usize = 80_000;
const MOST_GAPS: usize = 10;
const MOST_RESOLVED: usize = 10;
const MOST_RULES: usize = 10;
/// Characters of a text that somebody else chose.
const MOST_CHARS: usize = 160;
/// Lines of a difference.
const MOST_LINES: usize = 16;
/// Said beside the seal.
pub const ANCHOR_NOTE: &str = "Keep this message: its seal, given to driftledger verify --anchor, proves later that nothing in the \
                               ledger before it was rewritten.";

#[derive(Serialize)]
struct Letter {
    subject: String,
    state: &'static str,
    ink: &'static str,
    parts: Vec<String>,
    clusters: String,
    span: String,
    scan: i64,
    trust: Vec<Fact>,
    changes: String,
    resolved: Vec<String>,
    rows: Vec<Row>,
    nothing: &'static str,
    more: Option<String>,
    gaps: Vec<GapRow>,
    more_gaps: Option<String>,
    ignored: Vec<String>,
    undelivered: Vec<String>,
    seal: String,
    ledger: String,
    anchor_note: &'static str,
    actor_note: Option<&'static str>,
    secret_note: Option<&'static str>,
}

#[derive(Serialize)]
struct Row {
    severity: &'static str,
    ink: &'static str,
    ground: &'static str,
    kind: String,
    name: String,
    class: String,
    remark: Option<String>,
    path: Option<String>,
    git: String,
    live: String,
    /// The difference by line, where both sides have lines; it stands in place of `git` and `live`.
    lines: Vec<MailLine>,
    more: Option<String>,
    evidence: Vec<String>,
}

#[derive(Serialize)]
struct MailLine {
    sign: &'static str,
    text: String,
    ink: &'static str,
    ground: &'static str,
}

#[derive(Serialize)]
struct GapRow {
    kind: &'static str,
    place: String,
    message: String,
    hides: String,
    hint: Option<String>,
}

/// The mail on a scan. `domain` stands in Message-ID and List-Id; [`DEFAULT_DOMAIN`] where none is configured.
///
/// The HTML stays under [`MOST_BYTES`] and [`MOST_ROWS`]: whole findings are left out from the end, and said to be.
///
/// # Errors
/// Only if an embedded template is broken.
pub fn scan(report: &ScanReport, domain: &str) -> Result<MailContent, ViewError> {
    let mut rows = report.findings.len().min(MOST_ROWS);
    loop {
        let letter = letter(report, rows);
        let html = templates::render("mail/scan.html", &letter)?;
        if html.len() > MOST_BYTES && rows > 0 {
            rows = rows * 4 / 5;
            continue;
        }
        let text = templates::render("mail/scan.txt", &letter)?;
        return Ok(MailContent {
            subject: letter.subject,
            text,
            html,
            message_id: format!("<scan-{}.{}@{domain}>", report.scan.id, id_part(report.scan.ledger.as_str())),
            date: report.scan.finished_at,
            headers: vec![
                // RFC 3834: no machine should answer this.
                ("Auto-Submitted", "auto-generated".to_owned()),
                // RFC 2919: what people filter on.
                ("List-Id", format!("Driftledger scans <scans.{domain}>")),
            ],
            references: Vec::new(),
            attachments: Vec::new(),
        });
    }
}

/// `[Driftledger] prod: DRIFTED, 2 changes not from Git, 1 object missing`.
pub fn subject(report: &ScanReport) -> String {
    cut(&format!("[Driftledger] {}: {}", words::clusters(report), verdict::sentence(report).with_commas()), 200)
}

/// A Message-ID's left side takes only some characters.
pub(super) fn id_part(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(64).collect()
}

fn letter(report: &ScanReport, rows: usize) -> Letter {
    let verdict = verdict::sentence(report);
    let shown = &report.findings[..rows];
    let left = report.findings.len() - rows;
    let secret = shown.iter().any(|f| [&f.declared, &f.live].into_iter().flatten().any(value::holds_secret));
    Letter {
        subject: subject(report),
        state: verdict.state.as_str(),
        ink: match verdict.state {
            State::InSync => "#0d6832",
            State::Drifted => "#a4161a",
            State::Unknown => "#7a4b00",
        },
        parts: verdict.parts,
        clusters: words::clusters(report),
        span: words::span(report),
        scan: report.scan.id.0,
        trust: words::trust(report),
        changes: words::changes(report),
        resolved: report
            .scan
            .changes
            .resolved
            .iter()
            .take(MOST_RESOLVED)
            .map(|c| format!("{} ({})", short(&c.title), short(&c.how)))
            .collect(),
        rows: shown.iter().map(|f| row(f, report)).collect(),
        nothing: match verdict.state {
            State::InSync => "Nothing differs.",
            _ => "Nothing differs in what could be compared.",
        },
        more: (left > 0)
            .then(|| format!("And {}: see the report.", counted(left as u64, "more finding", "more findings"))),
        gaps: report.gaps.iter().take(MOST_GAPS).map(gap).collect(),
        more_gaps: (report.gaps.len() > MOST_GAPS)
            .then(|| format!("And {}.", counted((report.gaps.len() - MOST_GAPS) as u64, "more gap", "more gaps"))),
        ignored: ignored(report),
        undelivered: undelivered(report),
        seal: words::seal(report),
        ledger: t(report.scan.ledger.as_str()),
        anchor_note: ANCHOR_NOTE,
        actor_note: shown.iter().any(|f| !f.actors.is_empty()).then_some(words::ACTOR_NOTE),
        secret_note: secret.then_some(value::SECRET_NOTE),
    }
}

fn short(text: &str) -> String {
    cut(&t(text), MOST_CHARS)
}

fn undelivered(report: &ScanReport) -> Vec<String> {
    let mut lines = super::undelivered::lines(report);
    let more = lines.len().saturating_sub(MOST_GAPS) as u64;
    lines.truncate(MOST_GAPS);
    let mut lines: Vec<String> = lines.iter().map(|line| cut(line, MOST_CHARS * 2)).collect();
    lines.extend((more > 0).then(|| format!("And {}.", counted(more, "more message", "more messages"))));
    lines
}

/// The rules that somebody should look at come first.
fn ignored(report: &ScanReport) -> Vec<String> {
    let mut rules = super::ignored::lines(report);
    rules.sort_by_key(|rule| !rule.weak);
    let more = rules.len().saturating_sub(MOST_RULES) as u64;
    rules.truncate(MOST_RULES);
    let line = |rule: &RuleLine| cut(&format!("{}: {} ({})", rule.name, rule.did, rule.reason), MOST_CHARS * 2);
    let mut lines: Vec<String> = rules.iter().map(line).collect();
    lines.extend((more > 0).then(|| format!("And {}.", counted(more, "more rule", "more rules"))));
    lines
}

fn gap(gap: &Gap) -> GapRow {
    GapRow {
        kind: gap.kind.as_str(),
        place: short(&words::gap_place(gap)),
        message: cut(&t(&gap.message), 400),
        hides: short(&words::hides(gap)),
        hint: gap.hint.as_deref().map(short),
    }
}

fn row(finding: &Finding, report: &ScanReport) -> Row {
    let (ink, ground) = severity::colours(finding.severity);
    let (git, live) = value::brief(finding, MOST_CHARS);
    let (lines, more) = lines(finding);
    Row {
        severity: finding.severity.as_str(),
        ink,
        ground,
        kind: short(&finding.kind),
        name: short(&finding.object().qualified_name()),
        class: match finding.cause {
            Some(cause) => format!("{}, {cause}", t(&finding.class)),
            None => t(&finding.class),
        },
        remark: words::not_looked_at(finding, report.scan.started_at),
        path: finding.path.as_ref().map(|path| short(&path.to_string())),
        git,
        live,
        lines,
        more,
        evidence: evidence(finding),
    }
}

/// What differs by line, and what is said of the lines that are left out; empty where one line on each side says it.
fn lines(finding: &Finding) -> (Vec<MailLine>, Option<String>) {
    let both = finding.declared.is_some() && finding.live.is_some();
    let difference = if both { diff::of(finding, MOST_LINES) } else { return (Vec::new(), None) };
    let Difference::Lines(lines) = difference else { return (Vec::new(), None) };
    let line = |line: &Line| {
        let (sign, ink, ground) = match line.tag {
            Tag::Same => (" ", "#535c68", "#ffffff"),
            Tag::Git => ("-", "#0a4a94", "#edf4fd"),
            Tag::Live => ("+", "#8a3d00", "#fff4e8"),
            Tag::Skip => ("@", "#535c68", "#ffffff"),
        };
        let end = if line.no_newline { " (no line break at the end)" } else { "" };
        let text =
            if line.tag == Tag::Skip { "…".to_owned() } else { format!("{}{end}", cut(&line.text(), MOST_CHARS)) };
        MailLine { sign, text, ink, ground }
    };
    let shown = lines.lines.iter().map(line).collect();
    (shown, (lines.more > 0).then(|| format!("and {}", counted(lines.more as u64, "more line", "more lines"))))
}

fn evidence(finding: &Finding) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(by) = &finding.declared_by {
        let file = finding.origin.as_ref().map(|o| format!(", {}", words::file(o))).unwrap_or_default();
        let did = match finding.code {
            Code::Undeclared | Code::RemovedButLive => format!("{} ", words::commit_did(finding)),
            _ => String::new(),
        };
        let (commit, date, came) = (by.commit.short(), by.time.date(), words::change(by));
        lines.push(format!("{did}commit {commit} {} by {}, {date}{came}{file}", by.subject, by.author));
    } else if let Some(origin) = &finding.origin {
        lines.push(format!("declared in {}", words::file(origin)));
    }
    lines.extend(finding.live_matches.as_ref().map(|found| {
        let by = found.by().map(|by| format!(": {} by {}{}", by.subject, by.author, words::change(by)));
        format!("live {}{}", words::live_match(found), by.unwrap_or_default())
    }));
    let user = words::by_audit_log(finding);
    if let Some(actor) = finding.actors.first() {
        let time = actor.time.map(|time| format!(", {}", time.for_people())).unwrap_or_default();
        let user = user.map(|user| format!(", {user}")).unwrap_or_default();
        lines.push(format!("written live by {} ({}){time}{user}", actor.manager, actor.kind.as_str()));
    } else {
        lines.extend(user.map(|user| format!("written live {user}")));
    }
    // It stands in the place of the values.
    lines.extend(finding.note.clone().filter(|_| finding.code != Code::ChangeControl));
    let seen = words::seen(finding).map(|seen| format!("{seen}, ")).unwrap_or_default();
    lines.push(format!("{seen}{} {}", finding.code, finding.id));
    lines.iter().map(|line| cut(&t(line), MOST_CHARS * 2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    fn mail(report: &ScanReport) -> MailContent {
        scan(report, DEFAULT_DOMAIN).expect("the templates render")
    }

    #[test]
    fn the_text_is_as_reviewed() {
        sample::golden("mail.txt", &mail(&sample::drifted()).text);
        sample::golden("mail-in-sync.txt", &mail(&sample::in_sync()).text);
    }

    #[test]
    fn what_did_not_reach_its_receiver_is_told() {
        let mut report = sample::drifted();
        let message = crate::model::report::UndeliveredMessage {
            message: crate::model::outbox::MessageId(7),
            receiver: crate::model::ids::ReceiverName::new("chat"),
            route: crate::model::ids::RouteName::new("all"),
            planned_at: report.scan.started_at,
            why: "channel_not_found <b>".into(),
            hint: None,
            dead: true,
        };
        report.scan.undelivered = vec![message; MOST_GAPS + 2];
        let content = mail(&report);
        assert!(
            content.text.contains("NOT DELIVERED\n\nmessage 7 of ") && content.text.contains("And 2 more messages.")
        );
        assert!(content.html.contains("refused for good: channel_not_found &lt;b&gt;"), "{}", content.html);
    }

    #[test]
    fn subject_and_headers_are_stable() {
        let content = mail(&sample::drifted());
        assert_eq!(
            content.subject,
            "[Driftledger] prod: DRIFTED, 8 changes not from Git, 1 object missing, 1 field behind Git, 3 other differences, \
             1 change on its way from Git, 1 earlier finding not looked at, 2 gaps"
        );
        assert_eq!(content.message_id, "<scan-1204.5f0c2a9e7d3b41868a1be2c4d7f09361@driftledger.invalid>");
        assert_eq!(content.date.for_people(), "2026-03-02 14:03:41 UTC");
        assert_eq!(content, mail(&sample::drifted()));
    }

    #[test]
    fn the_twins_say_the_same() {
        let report = sample::drifted();
        let content = mail(&report);
        let html =
            content.html.replace("&#x27;", "'").replace("&#39;", "'").replace("&quot;", "\"").replace("&#x2F;", "/");
        for finding in &report.findings {
            for text in [finding.id.as_str(), &finding.name, finding.severity.as_str()] {
                assert!(content.text.contains(text) && html.contains(text), "{text}");
            }
            if let Some(path) = &finding.path {
                assert!(content.text.contains(&path.to_string()) && html.contains(&path.to_string()), "{path}");
            }
        }
        for gap in &report.gaps {
            assert!(content.text.contains(&gap.message) && html.contains(&gap.message));
        }
        let seal = &report.scan.seal.as_ref().expect("a seal").hash;
        assert!(content.text.contains(seal) && html.contains(seal));
    }

    #[test]
    fn stays_small() {
        for report in [sample::huge(10_000), sample::hostile()] {
            let content = mail(&report);
            assert!(content.html.len() <= MOST_BYTES, "{}", content.html.len());
            assert!(content.text.len() <= MOST_BYTES);
        }
        let content = mail(&sample::huge(10_000));
        assert!(content.text.contains("more findings: see the report."));
        assert!(content.text.matches("\n[").count() >= 30);
    }

    #[test]
    fn hostile_text_does_nothing() {
        let content = mail(&sample::hostile());
        assert!(content.subject.chars().all(|c| !c.is_control()));
        for text in [&content.text, &content.html] {
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
            assert!(!text.contains(['\u{202e}', '\u{2066}']));
        }
        for tag in ["<script", "<img", "<a ", "http-equiv", "src=\""] {
            assert!(!content.html.contains(tag), "{tag}");
        }
    }
}
