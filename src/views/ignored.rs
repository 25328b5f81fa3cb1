//! Ignore rules in words: what each suppressed, and which are of no use.

use serde::Serialize;

use crate::model::report::{IgnoreState, IgnoreSummary, ScanReport};

use super::escape::terminal;
use super::value::cut;
use super::words::{counted, number};

/// Said above the rules.
pub const MEANING: &str = "differences that rules leave out, counted";
/// Characters of a text that somebody else chose.
const MOST_CHARS: usize = 200;

/// One rule, made harmless for a terminal.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct RuleLine {
    /// The rule; with the object that states it, where the configuration does not.
    pub name: String,
    /// `left out 3 findings`, `unused`, `expired on 2026-01-31`…
    pub did: String,
    /// Why there is such a rule.
    pub reason: String,
    /// What kept it from working as written.
    pub note: Option<String>,
    /// Whether somebody should look at it.
    pub weak: bool,
}

/// A line for each rule, in the order of the rules.
pub fn lines(report: &ScanReport) -> Vec<RuleLine> {
    report.scan.ignored.iter().map(line).collect()
}

/// How many findings all rules together left out.
pub fn suppressed(report: &ScanReport) -> u64 {
    report.scan.ignored.iter().map(|rule| rule.suppressed).sum()
}

fn line(rule: &IgnoreSummary) -> RuleLine {
    let short = |text: &str| cut(&terminal(text), MOST_CHARS);
    RuleLine {
        name: short(&rule.id),
        did: did(rule),
        reason: short(&rule.reason),
        note: rule.note.as_deref().map(short),
        weak: rule.note.is_some() || matches!(rule.state, IgnoreState::Unused | IgnoreState::Expired),
    }
}

fn did(rule: &IgnoreSummary) -> String {
    let until = rule.expires.as_deref().map(terminal).unwrap_or_default();
    let narrowed = || counted(rule.narrowed, "made smaller", "made smaller");
    let did = match rule.state {
        IgnoreState::Expired => return format!("expired after {until}: leaves out nothing"),
        IgnoreState::Unused => "unused: there was nothing to leave out".to_owned(),
        IgnoreState::Undetermined => "left out nothing in this partial scan".to_owned(),
        IgnoreState::Used if rule.suppressed == 0 => narrowed(),
        IgnoreState::Used => {
            let codes: Vec<String> = rule.by_code.iter().map(|(code, n)| format!("{code} ×{}", number(*n))).collect();
            let smaller = if rule.narrowed > 0 { format!(", {}", narrowed()) } else { String::new() };
            format!("left out {} ({}){smaller}", counted(rule.suppressed, "finding", "findings"), codes.join(", "))
        }
    };
    if until.is_empty() { did } else { format!("{did}; until {until}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    #[test]
    fn says_what_each_rule_did() {
        let said: Vec<String> = lines(&sample::drifted())
            .into_iter()
            .map(|l| format!("{}: {}{}", l.name, l.did, if l.weak { " !" } else { "" }))
            .collect();
        assert_eq!(
            said,
            [
                "scaled-by-hpa: left out 3 findings (DL001 ×2, DL003 ×1), 1 made smaller",
                "ignore[1]: left out nothing in this partial scan; until 2026-06-30",
                "ca-bundles: expired after 2026-01-31: leaves out nothing !",
                "Application argocd/shop #1: left out nothing in this partial scan !",
            ]
        );
        assert_eq!(suppressed(&sample::drifted()), 3);
        let mut report = sample::drifted();
        report.scan.ignored[1].state = IgnoreState::Unused;
        (report.scan.ignored[0].suppressed, report.scan.ignored[0].by_code) = (0, [].into());
        assert_eq!(lines(&report)[1].did, "unused: there was nothing to leave out; until 2026-06-30");
        assert_eq!(lines(&report)[0].did, "1 made smaller");
    }
}
