//! Summaries: due by the clock, told by the first scan after their time.

use std::collections::BTreeMap;

use serde_json::Value;

use super::notices::{begin_thread, count_by_target, scan_of};
use super::{Planned, Scene};
use crate::config::delivery::SummaryConfig;
use crate::model::finding::Severity;
use crate::model::ids::RouteName;
use crate::model::notice::{ItemKind, MOST_ITEMS, Notice, NoticeItem, NoticeKind, Summary};
use crate::model::outbox::{Mark, PeriodFacts};
use crate::model::time::Timestamp;

/// The subject under which it is kept until when a summary was told.
pub(super) const UNTIL: &str = "summary:until";

/// A summary that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due<'c> {
    /// Which.
    pub config: &'c SummaryConfig,
    /// The period's start.
    pub from: Timestamp,
    /// Its end: when it was due.
    pub to: Timestamp,
}

/// The summaries that are due now. The first period of a summary begins when the ledger first sees it.
pub fn due<'c>(
    summaries: &'c [SummaryConfig],
    told: &BTreeMap<(RouteName, String), Value>,
    now: Timestamp,
) -> Vec<Due<'c>> {
    let of = |config: &'c SummaryConfig| {
        let told = told.get(&(RouteName::new(&config.name), UNTIL.to_owned()));
        let from = told.and_then(Value::as_str).and_then(Timestamp::parse)?;
        let to = config.schedule.last_between(from, now)?;
        Some(Due { config, from, to })
    };
    summaries.iter().filter_map(of).collect()
}

/// The notice of a summary that is due.
pub fn summary(scene: &Scene<'_>, due: &Due<'_>, period: &PeriodFacts) -> Planned {
    let name = RouteName::new(&due.config.name);
    let open = || scene.found.iter().filter(|seen| seen.finding.severity > Severity::Info);
    let mut items: Vec<NoticeItem> = open()
        .map(|seen| NoticeItem {
            kind: ItemKind::Existing,
            finding: seen.finding.clone(),
            how: None,
            since: seen.since,
            severity_before: None,
            times: None,
        })
        .collect();
    items.sort_by_key(|item| (std::cmp::Reverse(item.finding.severity), item.since, item.finding.object()));
    let mut by_severity: BTreeMap<Severity, u64> = BTreeMap::new();
    open().for_each(|seen| *by_severity.entry(seen.finding.severity).or_default() += 1);
    let count = items.len();
    items.truncate(MOST_ITEMS);
    let notice = Notice {
        thread: begin_thread(scene, &name, NoticeKind::Summary, None),
        route: name,
        kind: NoticeKind::Summary,
        group: None,
        scan: scan_of(scene, None),
        more: (count - items.len()) as u64,
        items,
        by_severity,
        by_target: count_by_target(open().map(|seen| seen.finding)),
        gaps: Vec::new(),
        summary: Some(Summary {
            name: due.config.name.clone(),
            from: due.from,
            to: due.to,
            scans: period.scans,
            complete: period.complete,
            opened: period.opened,
            resolved: period.resolved,
            out_of_scope: period.out_of_scope,
            open: count as u64,
            longest_unseen_seconds: period.longest_unseen_seconds,
            coverage: period.coverage.clone(),
        }),
        stands_for: None,
    };
    let marks = vec![Mark { subject: UNTIL.to_owned(), state: Some(Value::String(due.to.to_string())) }];
    Planned { receivers: due.config.receivers.clone(), notice, marks }
}
