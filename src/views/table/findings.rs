//! The list of findings.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Row, Table, Width, presets};

use crate::model::finding::Finding;
use crate::model::time::Timestamp;
use crate::views::escape::terminal;
use crate::views::{value, words};

use super::lines::{Style, severity_colour, wrap_path};

/// Columns from which on each fact has a column of its own.
const WIDE: usize = 160;

/// Findings in the given order. `started` is the start of the newest scan, where there is one: what it could not look at is
/// marked. Ends with a line break; empty for no findings.
pub fn findings(findings: &[Finding], started: Option<Timestamp>, style: Style) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    // Purity: never ask which terminal there is.
    table.force_no_tty();
    if style.colour {
        table.enforce_styling();
    }
    let widths = if style.columns() >= WIDE {
        wide(&mut table, findings, started, style)
    } else {
        blocks(&mut table, findings, started, style)
    };
    table.set_width(u16::try_from(style.columns()).unwrap_or(u16::MAX));
    for (column, width) in table.column_iter_mut().zip(widths) {
        // Two spaces between columns, none before the first.
        column.set_padding((0, 2));
        let width = u16::try_from(width + 2).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
    }
    let mut out = table.trim_fmt();
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn bold(style: Style, text: impl ToString) -> Cell {
    let cell = Cell::new(text);
    if style.colour { cell.add_attribute(Attribute::Bold) } else { cell }
}

fn faint(style: Style, text: impl ToString) -> Cell {
    let cell = Cell::new(text);
    if style.colour { cell.add_attribute(Attribute::Dim) } else { cell }
}

fn severity(finding: &Finding, style: Style) -> Cell {
    let cell = bold(style, finding.severity);
    match severity_colour(finding.severity) {
        Some(colour) if style.colour => cell.fg(colour),
        _ => cell,
    }
}

fn header(style: Style, names: &[&str]) -> Row {
    names.iter().map(|name| faint(style, name)).collect::<Vec<_>>().into()
}

fn commit(finding: &Finding) -> String {
    let Some(by) = &finding.declared_by else { return String::new() };
    let request = by.pull_request.as_ref().map(|request| format!(", {request}")).unwrap_or_default();
    terminal(&format!("{}{request}", words::commit_short(by)))
}

/// With what is known of how it came.
fn commit_and_change(finding: &Finding) -> Option<String> {
    let by = finding.declared_by.as_ref()?;
    Some(terminal(&format!("commit {}{}", words::commit_short(by), words::change(by))))
}

fn writer(finding: &Finding, between: &str) -> String {
    let name = finding.actors.first().map(|actor| value::cut(&terminal(&actor.manager), 40));
    let time = finding.actors.first().and_then(|actor| actor.time).map(|time| time.for_people());
    let user = words::by_audit_log(finding).map(|user| value::cut(&terminal(&user), 80));
    [name, time, user].into_iter().flatten().collect::<Vec<_>>().join(between)
}

fn remark(finding: &Finding, started: Option<Timestamp>) -> Option<String> {
    words::not_looked_at(finding, started?)
}

/// One row for each finding.
fn wide(table: &mut Table, findings: &[Finding], started: Option<Timestamp>, style: Style) -> Vec<usize> {
    let fixed = [10, 8, 13, 26, 0, 0, 18, 23];
    let gaps = 2 * (fixed.len() - 1);
    let free = style.columns() - fixed.iter().sum::<usize>() - gaps;
    let (path, values) = (free * 9 / 20, free - free * 9 / 20);
    table.set_header(header(style, &["ID", "SEVERITY", "CODE", "OBJECT", "PATH", "GIT → LIVE", "COMMIT", "WRITER"]));
    for (n, finding) in findings.iter().enumerate() {
        let (git, live) = value::brief(finding, values * 2 - 4);
        let both = if git.chars().count() + live.chars().count() + 3 <= values {
            format!("{git} → {live}")
        } else {
            format!("{git}\n→ {live}")
        };
        let object = terminal(&words::object(finding));
        let cause = finding.cause.map(|cause| format!("\n{cause}")).unwrap_or_default();
        let object = match remark(finding, started) {
            Some(remark) => format!("{object}\n({remark})"),
            None => object,
        };
        if n > 0 {
            table.add_row([""]);
        }
        table.add_row(Row::from(vec![
            Cell::new(&finding.id),
            severity(finding, style),
            Cell::new(format!("{}\n{}{cause}", finding.code, finding.class)),
            bold(style, object),
            Cell::new(wrap_path(&terminal(&path_or_dash(finding)), path)),
            Cell::new(both),
            Cell::new(commit(finding)),
            Cell::new(writer(finding, "\n")),
        ]));
    }
    vec![fixed[0], fixed[1], fixed[2], fixed[3], path, values, fixed[6], fixed[7]]
}

fn path_or_dash(finding: &Finding) -> String {
    finding.path.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// A block of lines for each finding.
fn blocks(table: &mut Table, findings: &[Finding], started: Option<Timestamp>, style: Style) -> Vec<usize> {
    let width = style.columns() - 10 - 8 - 4;
    table.set_header(header(style, &["ID", "SEVERITY", "FINDING"]));
    for (n, finding) in findings.iter().enumerate() {
        if n > 0 {
            table.add_row([""]);
        }
        let cause = finding.cause.map(|cause| format!(", {cause}")).unwrap_or_default();
        table.add_row(Row::from(vec![
            Cell::new(&finding.id),
            severity(finding, style),
            bold(style, format!("{} ({}{cause}) {}", finding.class, finding.code, terminal(&words::object(finding)))),
        ]));
        let mut line = |cell: Cell| {
            table.add_row(Row::from(vec![Cell::new(""), Cell::new(""), cell]));
        };
        if let Some(path) = &finding.path {
            line(Cell::new(wrap_path(&terminal(&path.to_string()), width)));
        }
        let (git, live) = value::brief(finding, width * 2 - 12);
        let ink = |cell: Cell, colour| if style.colour { cell.fg(colour) } else { cell };
        line(ink(Cell::new(format!("Git   {git}")), Color::Cyan));
        line(ink(Cell::new(format!("live  {live}")), Color::Yellow));
        let commit = commit_and_change(finding);
        let writer = Some(writer(finding, ", ")).filter(|w| !w.is_empty()).map(|w| format!("writer {w}"));
        let evidence: Vec<String> = [commit, writer].into_iter().flatten().collect();
        if evidence.iter().map(|e| e.chars().count() + 3).sum::<usize>() <= width + 3 && !evidence.is_empty() {
            line(faint(style, evidence.join(" · ")));
        } else {
            evidence.into_iter().for_each(|text| line(faint(style, text)));
        }
        if let Some(remark) = remark(finding, started) {
            line(Cell::new(remark));
        }
    }
    vec![10, 8, width]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    #[test]
    fn fits_every_width() {
        for width in [20, 80, 100, 120, 159, 160, 200, 10_000] {
            for report in [sample::drifted(), sample::hostile()] {
                let style = Style { colour: false, width };
                let text = findings(&report.findings, Some(report.scan.started_at), style);
                for line in text.lines() {
                    assert!(line.chars().count() <= style.columns(), "{width}: {line}");
                    assert_eq!(line.trim_end(), line);
                }
                assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\r', '\t']));
            }
        }
    }

    #[test]
    fn colour_changes_no_word() {
        let report = sample::drifted();
        for width in [90, 170] {
            let plain = findings(&report.findings, None, Style { colour: false, width });
            let coloured = findings(&report.findings, None, Style { colour: true, width });
            assert!(coloured.contains("\u{1b}["));
            let mut stripped = String::new();
            let mut rest = coloured.as_str();
            while let Some((before, after)) = rest.split_once("\u{1b}[") {
                stripped.push_str(before);
                rest = after.split_once('m').map_or("", |(_, rest)| rest);
            }
            stripped.push_str(rest);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&stripped), words(&plain));
        }
    }
}
