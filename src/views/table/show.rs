//! One finding with all its evidence.

use crate::model::attribution::LiveMatch;
use crate::model::finding::Finding;
use crate::model::time::Timestamp;
use crate::views::diff::{self, Difference, OneLine, Tag};
use crate::views::escape::terminal;
use crate::views::{value, words};

use super::lines::{Ink, Style, hang, wrap_path};

/// A finding and its evidence. `started` is the start of the newest scan, where there is one.
pub fn show(finding: &Finding, started: Option<Timestamp>, style: Style) -> String {
    let mut out = String::new();
    let title = format!("{} {}: {} {}", finding.id, finding.severity, finding.class, terminal(&words::object(finding)));
    out.push_str(&style.paint(Ink::Bold, &title));
    out.push('\n');
    if let Some(path) = &finding.path {
        for line in wrap_path(&terminal(&path.to_string()), style.columns() - 2).lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out.push('\n');
    difference(&mut out, finding, style);
    out.push('\n');
    for (label, text) in evidence(finding, started) {
        hang(&mut out, &format!("  {label:<13}"), &terminal(&text), style);
    }
    if !finding.actors.is_empty() {
        out.push('\n');
        hang(&mut out, "  ", words::ACTOR_NOTE, style);
    }
    if [&finding.declared, &finding.live].into_iter().flatten().any(value::holds_secret) {
        out.push('\n');
        hang(&mut out, "  ", value::SECRET_NOTE, style);
    }
    out
}

fn difference(out: &mut String, finding: &Finding, style: Style) {
    match diff::of(finding, diff::MOST_LINES) {
        Difference::OneLine { git, live } => {
            for (label, ink, side) in [("Git ", Ink::Git, git), ("live", Ink::Live, live)] {
                let text = match side {
                    OneLine::Value(segments) => segments.into_iter().map(|s| s.text).collect(),
                    OneLine::Words(words) => words,
                };
                out.push_str(&style.paint(ink, &format!("  {label}  {text}")));
                out.push('\n');
            }
        }
        Difference::Lines(lines) => {
            let stand_in = |side| match side {
                value::Side::Git if finding.declared.is_none() => format!(" ({})", value::stand_in(finding, side)),
                value::Side::Live if finding.live.is_none() => format!(" ({})", value::stand_in(finding, side)),
                _ => String::new(),
            };
            let head = format!("  --- Git{}\n  +++ live{}\n", stand_in(value::Side::Git), stand_in(value::Side::Live));
            out.push_str(&head);
            for line in &lines.lines {
                let (sign, ink) = match line.tag {
                    Tag::Same => (' ', None),
                    Tag::Git => ('-', Some(Ink::Git)),
                    Tag::Live => ('+', Some(Ink::Live)),
                    Tag::Skip => ('@', Some(Ink::Faint)),
                };
                let text = if line.tag == Tag::Skip { "  @@".to_owned() } else { format!("  {sign} {}", line.text()) };
                out.push_str(&ink.map_or_else(|| text.clone(), |ink| style.paint(ink, &text)));
                out.push('\n');
                if line.no_newline {
                    out.push_str("  \\ no line break at the end\n");
                }
            }
            if lines.more > 0 {
                out.push_str(&format!("  … and {}\n", words::counted(lines.more as u64, "more line", "more lines")));
            }
            if lines.bounded {
                out.push_str("  A value is too long to be shown whole; the JSON has it.\n");
            }
        }
    }
}

/// Label and text, in the order in which one asks.
fn evidence(finding: &Finding, started: Option<Timestamp>) -> Vec<(&'static str, String)> {
    let mut rows = vec![("cluster", finding.cluster.to_string())];
    let mut row = |label, text: Option<String>| rows.extend(text.map(|text| (label, text)));
    row("cause", finding.cause.zip(words::cause(finding)).map(|(cause, meaning)| format!("{cause} ({meaning})")));
    row("not seen now", started.and_then(|started| words::not_looked_at(finding, started)));
    row("note", finding.note.clone());
    if let Some(origin) = &finding.origin {
        row("declared in", Some(words::file(origin)));
        row("rendered by", origin.renderer.clone());
        row(
            "target",
            Some(format!("{}, {} {} @ {}", origin.target, origin.repository, origin.revision, origin.commit.short())),
        );
    }
    if let Some(by) = &finding.declared_by {
        row(
            words::commit_did(finding),
            Some(format!("{} {} <{}>, {}", by.commit.short(), by.author, by.email, by.time.for_people())),
        );
        row("", Some(by.subject.clone()));
        row("committer", words::committer(by));
        for (n, trailer) in words::trailers(by).enumerate() {
            row(if n == 0 { "trailers" } else { "" }, Some(trailer));
        }
        row("reached by", by.reached_by.as_ref().map(|commit| commit.short().to_owned()));
        row("commit page", words::link(by.commit_url.as_deref()).map(str::to_owned));
        row("request", words::request(by));
        row("", words::link(by.pull_request_url.as_deref()).map(str::to_owned));
        row("signature", words::signature(by));
    }
    row("removed by", finding.removed_by.as_ref().map(words::commit_line));
    row("live value", finding.live_matches.as_ref().map(words::live_match));
    row("", finding.live_matches.as_ref().and_then(LiveMatch::by).map(words::commit_line));
    for actor in &finding.actors {
        let time = actor.time.map(|time| format!(", {}", time.for_people())).unwrap_or_default();
        let user = actor.user.as_ref().map(|user| format!(", user {user}")).unwrap_or_default();
        row(
            "writer",
            Some(format!("{} ({}, {}){time}{user}", actor.manager, actor.kind.as_str(), words::how_written(actor))),
        );
    }
    for write in finding.writes.iter().flatten() {
        row("audit log", Some(words::write(write)));
    }
    row("seen", words::seen(finding));
    row("waiver", finding.waiver.as_ref().map(value::plain));
    row("method", Some(finding.method.clone()));
    row("code", Some(format!("{} {}", finding.code, finding.class)));
    row("fingerprint", Some(finding.fingerprint.clone()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    #[test]
    fn is_as_reviewed() {
        let report = sample::drifted();
        let style = Style { colour: false, width: 100 };
        let all: Vec<String> =
            report.findings.iter().map(|finding| show(finding, Some(report.scan.started_at), style)).collect();
        sample::golden("show.txt", &all.join("\n----\n\n"));
    }

    #[test]
    fn hostile_text_does_nothing() {
        let report = sample::hostile();
        for finding in &report.findings {
            let text = show(finding, Some(report.scan.started_at), Style { colour: false, width: 80 });
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
            assert!(!text.contains(['\u{202e}', '\u{2066}']));
        }
    }
}
