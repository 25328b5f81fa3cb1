//! What stands for messages that waited too long: one that says where things are now.

use std::collections::BTreeMap;

use super::gaps::subject;
use super::notices::count_by_target;
use crate::model::canonical::Canonical;
use crate::model::finding::Severity;
use crate::model::notice::{Dropped, ItemKind, MOST_ITEMS, Notice, NoticeGap, NoticeItem, NoticeKind, Thread};
use crate::model::outbox::{OutboxMessage, Plan};

/// The message that stands for some that one receiver did not get, the oldest first. Of each finding the last word counts; what is over
/// by that is left out. `None` where there is nothing to stand for.
pub fn caught_up(waited: &[&OutboxMessage]) -> Option<Plan> {
    let (oldest, newest) = (waited.first()?, waited.last()?);
    let mut items: BTreeMap<&str, &NoticeItem> = BTreeMap::new();
    let mut gaps: BTreeMap<String, &NoticeGap> = BTreeMap::new();
    let mut more = 0;
    for notice in waited.iter().map(|message| &message.plan.notice) {
        items.extend(notice.items.iter().map(|item| (item.finding.fingerprint.as_str(), item)));
        gaps.extend(notice.gaps.iter().map(|gap| (subject(&gap.gap), gap)));
        more += notice.more;
    }
    let is_over = |kind: ItemKind| matches!(kind, ItemKind::Resolved | ItemKind::OutOfScope);
    let mut items: Vec<NoticeItem> = items.into_values().filter(|item| !is_over(item.kind)).cloned().collect();
    items.sort_by_key(|item| (std::cmp::Reverse(item.finding.severity), item.since, item.finding.object()));
    let mut by_severity: BTreeMap<Severity, u64> = BTreeMap::new();
    items.iter().for_each(|item| *by_severity.entry(item.finding.severity).or_default() += 1);
    let by_target = count_by_target(items.iter().map(|item| &item.finding));
    more += items.len().saturating_sub(MOST_ITEMS) as u64;
    items.truncate(MOST_ITEMS);
    let keys = waited.iter().fold(Canonical::new("driftledger/caught-up/v1"), |all, one| all.text(&one.plan.key));
    let key = keys.finish_hex();
    let notice = Notice {
        route: newest.plan.notice.route.clone(),
        kind: NoticeKind::CaughtUp,
        group: None,
        thread: Thread { key: key[..24].to_owned(), begins: true, ends: false, since: oldest.planned_at },
        scan: newest.plan.notice.scan.clone(),
        items,
        more,
        by_severity,
        by_target,
        gaps: gaps.into_values().filter(|gap| !gap.over).take(MOST_ITEMS).cloned().collect(),
        summary: None,
        stands_for: Some(Dropped { messages: waited.len() as u64, since: oldest.planned_at }),
    };
    Some(Plan { key: key[..32].to_owned(), notice, marks: Vec::new() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::ids::{ReceiverName, ScanId};
    use crate::model::outbox::{MessageId, MessageState};
    use crate::model::time::Timestamp;

    fn message(n: i64, items: &[(&str, &str, &str)]) -> OutboxMessage {
        let item = |(kind, print, severity): &(&str, &str, &str)| {
            json!({"kind": kind, "how": null, "since": "2026-03-01T00:00:00Z", "finding": {
                "id": format!("F-{print}"), "code": "DL001", "class": "changed", "cause": null, "severity": severity, "fingerprint": print,
                "cluster": "prod", "apiVersion": "v1", "kind": "Service", "namespace": "a", "name": print, "path": null, "declared": null,
                "live": null, "origin": null, "declaredBy": null, "liveMatches": null, "actors": [], "firstSeen": null, "lastSeen": null,
                "scans": null, "waiver": null, "method": "", "note": null
            }})
        };
        let notice = json!({
            "route": "rest", "kind": "drift", "group": null, "more": 0, "bySeverity": {}, "byTarget": [], "gaps": [], "summary": null,
            "standsFor": null, "thread": {"key": "t", "begins": true, "ends": false, "since": "2026-03-01T00:00:00Z"},
            "scan": {"id": n, "ledger": "l", "startedAt": "2026-03-01T00:00:00Z", "previousStartedAt": null, "declared": 1, "compared": 1,
                "gaps": 0, "revision": null, "commit": null, "runs": null},
            "items": items.iter().map(item).collect::<Vec<_>>()
        });
        OutboxMessage {
            id: MessageId(n),
            scan: ScanId(n),
            receiver: ReceiverName::new("chat"),
            plan: Plan {
                key: format!("k{n}"),
                notice: serde_json::from_value(notice).expect("a notice"),
                marks: Vec::new(),
            },
            planned_at: Timestamp::from_unix(n * 60),
            attempts: 3,
            state: MessageState::Waiting { not_before: None },
            may_have_arrived: false,
            seal: None,
            last_error: None,
        }
    }

    #[test]
    fn of_each_finding_the_last_word_counts() {
        let waited = [
            message(1, &[("new", "a", "high"), ("new", "b", "medium")]),
            message(2, &[("raised", "b", "critical"), ("new", "c", "low")]),
            message(3, &[("resolved", "a", "high")]),
        ];
        let plan = caught_up(&waited.iter().collect::<Vec<_>>()).expect("a plan");
        let said: Vec<_> =
            plan.notice.items.iter().map(|item| (item.kind, item.finding.fingerprint.as_str())).collect();
        assert_eq!(said, [(ItemKind::Raised, "b"), (ItemKind::New, "c")]);
        let stands_for = Dropped { messages: 3, since: Timestamp::from_unix(60) };
        assert_eq!(plan.notice.stands_for, Some(stands_for));
        assert_eq!(plan.notice.scan.id, ScanId(3));
        assert_eq!(caught_up(&[]), None);
    }
}
