//! On what a notice rests.

use crate::model::notice::{ItemKind, Notice, NoticeItem, NoticeKind};
use crate::views::clock;
use crate::views::escape::terminal;
use crate::views::words::{counted, number, short_hash};

use super::Around;
use super::headline::is_over;

/// `First seen between the 10:45 and 10:50 scans`, `613/613 compared, 0 gaps`, `DL001 F-7f3a0001`.
pub(super) fn parts(notice: &Notice, around: &Around<'_>) -> Vec<String> {
    if notice.kind == NoticeKind::Test {
        return Vec::new();
    }
    let scan = &notice.scan;
    let mut parts = Vec::new();
    let only = match notice.items.as_slice() {
        [only] if notice.more == 0 => Some(only),
        _ => None,
    };
    parts.extend(only.filter(|item| !is_over(item)).map(|item| came(item, notice)));
    parts.push(format!(
        "{}/{} compared, {}",
        number(scan.compared),
        number(scan.declared),
        counted(scan.gaps, "gap", "gaps")
    ));
    parts.extend(only.map(|item| format!("{} {}", item.finding.code, terminal(item.finding.id.as_str()))));
    if let (Some(revision), Some(commit)) = (&scan.revision, &scan.commit) {
        parts.push(format!("{} @ {}", terminal(revision.as_str()), terminal(commit.short())));
    }
    parts.push(format!("scan {}, {}", scan.id, clock::minute(scan.started_at)));
    parts.extend(around.withholds().then(|| "values are withheld from this receiver".to_owned()));
    parts
}

/// `seal #42 c41e7d2c17e5…`
pub(super) fn seal(around: &Around<'_>) -> Option<String> {
    around.seal.map(|seal| format!("seal #{} {}…", seal.sequence, terminal(short_hash(&seal.hash))))
}

/// When a finding came, as closely as scans tell.
pub(super) fn came(item: &NoticeItem, notice: &Notice) -> String {
    let (now, since) = (notice.scan.started_at, item.since);
    let word = word(item.kind);
    match notice.scan.previous_started_at.filter(|_| since == now && item.kind != ItemKind::Existing) {
        Some(previous) if previous.date() == now.date() => {
            format!("{word} between the {} and {} scans", clock::hour(previous), clock::hour(now))
        }
        Some(previous) => {
            format!("{word} between the scans of {} and {}", clock::minute(previous), clock::minute(now))
        }
        None => came_at(item, notice),
    }
}

/// The same in short, for a row among many.
pub(super) fn came_at(item: &NoticeItem, notice: &Notice) -> String {
    format!("{} {}", word(item.kind), clock::at(item.since, notice.scan.started_at))
}

fn word(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Reopened | ItemKind::Flapping => "seen again",
        _ => "first seen",
    }
}
