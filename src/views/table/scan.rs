//! A scan on a terminal.

use crate::model::report::ScanReport;
use crate::views::escape::terminal;
use crate::views::{self, undelivered, verdict, words};

use super::findings::findings;
use super::lines::{Ink, Style, hang, wrap};

/// A scan: the verdict, on what it rests, the findings worst first, then gaps and exclusions.
pub fn scan(report: &ScanReport, style: Style) -> String {
    let verdict = verdict::sentence(report);
    let mut out = String::new();
    for line in wrap(&verdict.sentence, style.columns()) {
        out.push_str(&style.paint(Ink::of_state(verdict.state), &line));
        out.push('\n');
    }
    hang(
        &mut out,
        "",
        &format!("{} · {} · scan {}", words::clusters(report), words::span(report), report.scan.id),
        style,
    );
    hang(&mut out, "", &words::trust_line(report), style);
    hang(&mut out, "", &words::changes(report), style);
    for target in &report.scan.targets {
        for note in words::of_target(target) {
            hang(&mut out, "", &terminal(&format!("{}: {note}", target.name)), style);
        }
    }
    out.push('\n');
    if report.findings.is_empty() {
        let text = match verdict.state {
            verdict::State::InSync => "Nothing differs.",
            _ => "Nothing differs in what could be compared.",
        };
        out.push_str(text);
        out.push('\n');
    } else {
        out.push_str(&findings(&report.findings, Some(report.scan.started_at), style));
        let first = report.findings.first().map(|f| f.id.to_string()).unwrap_or_default();
        out.push('\n');
        hang(&mut out, "", &format!("All evidence on one: driftledger show {}", terminal(&first)), style);
    }
    reverted(&mut out, report, style);
    gaps(&mut out, report, style);
    exclusions(&mut out, report, style);
    ignored(&mut out, report, style);
    not_delivered(&mut out, report, style);
    out
}

fn heading(out: &mut String, style: Style, title: &str, meaning: &str) {
    out.push('\n');
    let text = format!("{title}: {meaning}");
    for (n, line) in wrap(&text, style.columns()).iter().enumerate() {
        let line = if n == 0 { line.replacen(title, &style.paint(Ink::Bold, title), 1) } else { line.clone() };
        out.push_str(&line);
        out.push('\n');
    }
}

fn reverted(out: &mut String, report: &ScanReport, style: Style) {
    let list = &report.scan.reverted;
    if list.is_empty() {
        return;
    }
    let title = words::counted(list.len() as u64, "object written meanwhile", "objects written meanwhile");
    heading(out, style, &title, words::REVERTED);
    for reverted in list {
        hang(out, "  ", &terminal(&words::reverted(reverted)), style);
        for write in &reverted.writes {
            hang(out, "      ", &terminal(&words::written(write)), style);
        }
    }
}

fn not_delivered(out: &mut String, report: &ScanReport, style: Style) {
    let lines = undelivered::lines(report);
    if !lines.is_empty() {
        heading(out, style, "Not delivered", undelivered::MEANS);
        lines.iter().for_each(|line| hang(out, "  ", line, style));
    }
}

fn gaps(out: &mut String, report: &ScanReport, style: Style) {
    if report.gaps.is_empty() {
        return;
    }
    let title = words::counted(report.gaps.len() as u64, "gap", "gaps");
    heading(out, style, &title, "could not be read, so nothing is said about what it hides");
    for gap in &report.gaps {
        let place = terminal(&words::gap_place(gap));
        hang(out, &format!("  {:<12}", gap.kind.as_str()), &place, style);
        hang(out, "              ", &terminal(&gap.message), style);
        hang(out, "              hides ", &terminal(&words::hides(gap)), style);
        if let Some(hint) = &gap.hint {
            hang(out, "              hint: ", &terminal(hint), style);
        }
    }
}

fn exclusions(out: &mut String, report: &ScanReport, style: Style) {
    if report.exclusions.is_empty() {
        return;
    }
    let title = words::counted(report.exclusions.len() as u64, "exclusion", "exclusions");
    heading(out, style, &title, "chosen not to be read");
    for exclusion in &report.exclusions {
        let count = exclusion.count.map(|n| format!(" ×{}", words::number(n))).unwrap_or_default();
        let text = format!("{}: {}{count} ({})", exclusion.scope, exclusion.what, exclusion.reason);
        hang(out, "  ", &terminal(&text), style);
    }
}

fn ignored(out: &mut String, report: &ScanReport, style: Style) {
    let rules = views::ignored::lines(report);
    if rules.is_empty() {
        return;
    }
    let title = words::counted(rules.len() as u64, "ignore rule", "ignore rules");
    heading(out, style, &title, views::ignored::MEANING);
    for rule in rules {
        hang(out, "  ", &format!("{}: {} ({})", rule.name, rule.did, rule.reason), style);
        if let Some(note) = rule.note {
            hang(out, "      ", &note, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    #[test]
    fn is_as_reviewed() {
        let report = sample::drifted();
        for width in [80, 120, 200] {
            sample::golden(&format!("scan-{width}.txt"), &scan(&report, Style { colour: false, width }));
        }
        sample::golden("scan-in-sync.txt", &scan(&sample::in_sync(), Style { colour: false, width: 100 }));
    }

    #[test]
    fn hostile_text_does_nothing() {
        for width in [80, 200] {
            let text = scan(&sample::hostile(), Style { colour: false, width });
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
            assert!(!text.contains(['\u{202e}', '\u{2066}']));
            assert!(text.contains("\\u{1b}[31mred") || width == 80);
        }
    }
}
