//! What a period brought, and counts, as labelled facts.

use serde::Serialize;

use crate::model::notice::{Notice, Summary};
use crate::views::clock;
use crate::views::escape::terminal;
use crate::views::value::cut;
use crate::views::words::{counted, number};

use super::finding::MOST_NAME;

const MOST_TARGETS: usize = 10;

/// A fact with its label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) value: String,
}

/// The facts of a summary.
pub(super) fn facts(summary: &Summary) -> Vec<Fact> {
    let fact = |label, value| Fact { label, value };
    let scans = match summary.scans {
        0 => "none: nothing is known of this time".to_owned(),
        all if summary.complete == all => format!("{}, and all saw everything", number(all)),
        all => format!("{}, of which {} saw everything", number(all), number(summary.complete)),
    };
    let mut changes =
        vec![format!("{} opened", number(summary.opened)), format!("{} resolved", number(summary.resolved))];
    if summary.out_of_scope > 0 {
        changes.push(format!("{} out of scope (not resolved: no longer looked at)", number(summary.out_of_scope)));
    }
    changes.push(format!("{} open at the end", number(summary.open)));
    let unseen = i64::try_from(summary.longest_unseen_seconds).unwrap_or(i64::MAX);
    let mut facts = vec![
        fact("Period", format!("{} to {}", clock::minute(summary.from), clock::minute(summary.to))),
        fact("Scans", scans),
        fact("Findings", changes.join(", ")),
        fact("Longest blind time", format!("{} between two scans that saw everything", clock::lasting(unseen))),
    ];
    facts.extend(summary.coverage.as_ref().filter(|coverage| coverage.live > 0).map(|coverage| {
        let percent = coverage.declared.saturating_mul(100) / coverage.live;
        let live = counted(coverage.live, "live object", "live objects");
        let kinds = counted(coverage.kinds.len() as u64, "kind", "kinds");
        fact("Declared in Git", format!("{} of {live} ({percent} %), of {kinds}", number(coverage.declared)))
    }));
    facts
}

/// How many findings there are, by severity and by target.
pub(super) fn counts(notice: &Notice) -> Vec<Fact> {
    let by_severity = notice.by_severity.iter().rev().filter(|(_, count)| **count > 0);
    let severities: Vec<String> =
        by_severity.map(|(severity, count)| format!("{} {severity}", number(*count))).collect();
    let name = |target: &str| cut(&terminal(target), MOST_NAME);
    let mut targets: Vec<String> = notice
        .by_target
        .iter()
        .take(MOST_TARGETS)
        .map(|(target, count)| format!("{} {}", name(target), number(*count)))
        .collect();
    let rest = notice.by_target.len().saturating_sub(MOST_TARGETS);
    targets.extend((rest > 0).then(|| counted(rest as u64, "more target", "more targets")));
    [("By severity", severities), ("By target", targets)]
        .into_iter()
        .filter(|(_, counts)| !counts.is_empty())
        .map(|(label, counts)| Fact { label, value: counts.join(", ") })
        .collect()
}
