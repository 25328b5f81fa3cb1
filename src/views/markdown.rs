//! Markdown as GitHub and GitLab read it: for pull requests, job summaries and wikis.

use crate::model::finding::Finding;
use crate::model::report::ScanReport;
use crate::model::time::Timestamp;

use super::diff::{self, Difference, Tag};
use super::escape::{longest_run, markdown, markdown_code, terminal};
use super::value::{self, cut};
use super::verdict;
use super::words::{self, counted};

/// Findings in the table.
pub const MOST_ROWS: usize = 300;
/// Findings whose difference by line follows the table.
const MOST_DIFFERENCES: usize = 30;
/// Lines of each.
const MOST_LINES: usize = 60;

/// A scan: the verdict, on what it rests, the findings as a table, differences of several lines, gaps, exclusions, the seal.
pub fn scan(report: &ScanReport) -> String {
    let verdict = verdict::sentence(report);
    let mut out = format!("# {}\n\n", markdown(&verdict.sentence).replace("&#58;", ":"));
    out.push_str(&format!(
        "{}, {}, scan {}\n\n",
        markdown(&words::clusters(report)),
        words::span(report),
        report.scan.id
    ));
    for fact in words::trust(report) {
        let note = fact.note.map(|note| format!(" ({note})")).unwrap_or_default();
        let weak = if fact.weak { " ⚠" } else { "" };
        out.push_str(&format!("- {}: **{}**{note}{weak}\n", fact.label, fact.value));
    }
    out.push_str(&format!("- {}\n\n", words::changes(report)));
    findings(&mut out, report);
    reverted(&mut out, report);
    gaps(&mut out, report);
    exclusions(&mut out, report);
    ignored(&mut out, report);
    undelivered(&mut out, report);
    out.push_str(&format!("## Seal\n\n{}\n", markdown_code(&words::seal(report))));
    out
}

fn code(text: &str, most: usize) -> String {
    markdown_code(&cut(&terminal(text), most))
}

fn findings(out: &mut String, report: &ScanReport) {
    out.push_str("## Findings\n\n");
    if report.findings.is_empty() {
        let text = match verdict::sentence(report).state {
            verdict::State::InSync => "Nothing differs.",
            _ => "Nothing differs in what could be compared.",
        };
        out.push_str(&format!("{text}\n\n"));
        return;
    }
    let shown = &report.findings[..report.findings.len().min(MOST_ROWS)];
    out.push_str(
        "| ID | Severity | What | Object and path | Git → live | Commit | Writer |\n|---|---|---|---|---|---|---|\n",
    );
    for finding in shown {
        out.push_str(&row(finding, report.scan.started_at));
    }
    out.push('\n');
    let left = (report.findings.len() - shown.len()) as u64;
    if left > 0 {
        out.push_str(&format!(
            "And {}: see the JSON or CSV report.\n\n",
            counted(left, "more finding", "more findings")
        ));
    }
    out.push_str(&format!("{}\n\n", words::ACTOR_NOTE));
    let long = shown.iter().filter_map(|finding| match diff::of(finding, MOST_LINES) {
        Difference::Lines(lines) => Some((finding, lines)),
        Difference::OneLine { .. } => None,
    });
    for (finding, lines) in long.take(MOST_DIFFERENCES) {
        difference(out, finding, &lines);
    }
}

fn row(finding: &Finding, started: Timestamp) -> String {
    let cause = finding.cause.map(|cause| format!(", {cause}")).unwrap_or_default();
    let unseen = words::not_looked_at(finding, started).map(|text| format!(", {text}")).unwrap_or_default();
    let path = finding.path.as_ref().map(|path| format!("<br>{}", code(&path.to_string(), 200))).unwrap_or_default();
    let (git, live) = value::brief(finding, 80);
    let commit = finding.declared_by.as_ref().map_or_else(String::new, |by| {
        format!("{}{}", code(&words::commit_short(by), 60), markdown(&cut(&terminal(&words::change(by)), 120)))
    });
    let writer = finding.actors.first().map_or_else(String::new, |actor| {
        let time = actor.time.map(|time| format!("<br>{}", time.for_people())).unwrap_or_default();
        format!("{}{time}", code(&actor.manager, 40))
    });
    format!(
        "| {} | {} | {} {}{cause}{unseen} | {}{path} | {} → {} | {commit} | {writer} |\n",
        code(finding.id.as_str(), 16),
        finding.severity,
        finding.code,
        markdown(&finding.class),
        code(&words::object(finding), 140),
        markdown_code(&git),
        markdown_code(&live),
    )
}

fn difference(out: &mut String, finding: &Finding, lines: &diff::Lines) {
    let path = finding.path.as_ref().map(|path| format!(" {}", code(&path.to_string(), 200))).unwrap_or_default();
    out.push_str(&format!("### {} {}{path}\n\n", markdown(finding.id.as_str()), code(&words::object(finding), 140)));
    let mut body = String::from("--- Git\n+++ live\n");
    for line in &lines.lines {
        let sign = match line.tag {
            Tag::Same => " ",
            Tag::Git => "-",
            Tag::Live => "+",
            Tag::Skip => "@@ @@",
        };
        body.push_str(&format!("{sign}{}\n", line.text()));
        if line.no_newline {
            body.push_str("\\ no line break at the end\n");
        }
    }
    let fence = "`".repeat(longest_run(&body, '`').max(2) + 1);
    out.push_str(&format!("{fence}diff\n{body}{fence}\n\n"));
    if lines.more > 0 {
        out.push_str(&format!("And {}.\n\n", counted(lines.more as u64, "more line", "more lines")));
    }
}

fn undelivered(out: &mut String, report: &ScanReport) {
    let lines = super::undelivered::lines(report);
    if !lines.is_empty() {
        out.push_str("## Not delivered\n\nMessages of earlier scans that did not reach their receivers.\n\n");
        lines.iter().take(MOST_ROWS).for_each(|line| out.push_str(&format!("- {}\n", code(line, 600))));
        out.push('\n');
    }
}

fn reverted(out: &mut String, report: &ScanReport) {
    let list = &report.scan.reverted;
    if list.is_empty() {
        return;
    }
    out.push_str(&format!("## Written meanwhile\n\nObjects that are {}.\n\n", words::REVERTED));
    for reverted in list.iter().take(MOST_ROWS) {
        let writes = reverted.writes.iter().map(|write| code(&words::written(write), 300));
        let writes: Vec<String> = writes.collect();
        out.push_str(&format!("- {}: {}\n", code(&words::reverted(reverted), 200), writes.join(", ")));
    }
    out.push('\n');
    if list.len() > MOST_ROWS {
        out.push_str(&format!("And {} more.\n\n", list.len() - MOST_ROWS));
    }
}

fn gaps(out: &mut String, report: &ScanReport) {
    if report.gaps.is_empty() {
        return;
    }
    out.push_str("## Gaps\n\nWhat could not be read; what a gap hides is not known to be in sync.\n\n");
    out.push_str("| Kind | Where | What happened | Hides |\n|---|---|---|---|\n");
    for gap in report.gaps.iter().take(MOST_ROWS) {
        let hint = gap.hint.as_ref().map(|hint| format!("<br>Hint: {}", markdown(hint))).unwrap_or_default();
        out.push_str(&format!(
            "| {} | {} | {}{hint} | {} |\n",
            gap.kind.as_str(),
            code(&words::gap_place(gap), 200),
            markdown(&gap.message),
            code(&words::hides(gap), 200),
        ));
    }
    out.push('\n');
    if report.gaps.len() > MOST_ROWS {
        out.push_str(&format!("And {} more.\n\n", report.gaps.len() - MOST_ROWS));
    }
}

fn exclusions(out: &mut String, report: &ScanReport) {
    if report.exclusions.is_empty() {
        return;
    }
    out.push_str("## Exclusions\n\nWhat was chosen not to be read.\n\n");
    for exclusion in &report.exclusions {
        let count = exclusion.count.map(|n| format!(" ×{}", words::number(n))).unwrap_or_default();
        out.push_str(&format!(
            "- {}: {}{count} ({})\n",
            code(&exclusion.scope, 80),
            markdown(&exclusion.what),
            markdown(&exclusion.reason)
        ));
    }
    out.push('\n');
}

fn ignored(out: &mut String, report: &ScanReport) {
    if report.scan.ignored.is_empty() {
        return;
    }
    out.push_str(&format!("## Ignore rules\n\nThe {}.\n\n", super::ignored::MEANING));
    for rule in super::ignored::lines(report) {
        let weak = if rule.weak { " ⚠" } else { "" };
        let note = rule.note.map(|note| format!("<br>{}", markdown(&note))).unwrap_or_default();
        let (name, did, reason) = (markdown_code(&rule.name), markdown(&rule.did), markdown(&rule.reason));
        out.push_str(&format!("- {name}: {did}{weak} ({reason}){note}\n"));
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    #[test]
    fn is_as_reviewed() {
        sample::golden("scan.md", &scan(&sample::drifted()));
        sample::golden("scan-in-sync.md", &scan(&sample::in_sync()));
    }

    /// Takes code spans and fenced blocks away, as a reader of Markdown would.
    fn prose(text: &str) -> String {
        let mut out = String::new();
        let mut fence: Option<String> = None;
        for line in text.lines() {
            let ticks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fence {
                Some(open) if ticks == *open && line.len() == ticks.len() => fence = None,
                Some(_) => {}
                None if ticks.len() >= 3 && line.ends_with("diff") => fence = Some(ticks),
                None => {
                    let line = line.replace("\\`", "");
                    let mut rest = line.as_str();
                    while let Some(at) = rest.find('`') {
                        out.push_str(&rest[..at]);
                        let ticks = rest[at..].chars().take_while(|c| *c == '`').count();
                        let mut from = at + ticks;
                        rest = loop {
                            let Some(next) = rest[from..].find('`') else { panic!("an open span in {line}") };
                            let run = rest[from + next..].chars().take_while(|c| *c == '`').count();
                            from += next + run;
                            if run == ticks {
                                break &rest[from..];
                            }
                        };
                    }
                    out.push_str(rest);
                    out.push('\n');
                }
            }
        }
        assert_eq!(fence, None, "an open block");
        out
    }

    #[test]
    fn hostile_text_does_nothing() {
        let text = scan(&sample::hostile());
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        assert!(!text.contains(['\u{202e}', '\u{2066}']));
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
        assert!(rows.iter().all(|row| matches!(columns(row), 8 | 5)));
        let prose = prose(&text);
        for wrong in ["<script", "<img", "<!channel", "](http", "@everyone", "://"] {
            assert!(!prose.contains(wrong), "{wrong}");
        }
        assert!(prose.contains("## Findings") && prose.contains("## Seal"));
    }
}
