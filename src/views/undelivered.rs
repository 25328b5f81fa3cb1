//! Messages of earlier scans that did not reach their receivers.

use super::escape::terminal;
use crate::model::report::{ScanReport, UndeliveredMessage};

/// Said above the list.
pub const MEANS: &str =
    "messages of earlier scans that did not reach their receivers: `driftledger notify list` says more";

/// A line for each, with no control characters in it.
pub fn lines(report: &ScanReport) -> Vec<String> {
    report.scan.undelivered.iter().map(line).collect()
}

fn line(one: &UndeliveredMessage) -> String {
    let state = if one.dead { "refused for good" } else { "not taken yet" };
    let hint = one.hint.as_ref().map(|hint| format!("; {}", terminal(hint))).unwrap_or_default();
    format!(
        "message {} of {} to {}: {state}: {}{hint}",
        one.message,
        one.planned_at.for_people(),
        terminal(one.receiver.as_str()),
        terminal(&one.why)
    )
}
