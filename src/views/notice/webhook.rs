//! A notice as JSON for programs: `driftledger/notice/v1`. Stable: fields are only ever added.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::model::finding::{Finding, Severity};
use crate::model::ids::{ClusterName, RouteName, TargetName};
use crate::model::message::WebhookMessage;
use crate::model::notice::{Dropped, ItemKind, Notice, NoticeGap, NoticeKind, NoticeScan, Summary, Thread};
use crate::model::report::Seal;
use crate::model::time::Timestamp;

use super::{Around, headline, link, withheld};

/// The value of `schema`.
pub const NOTICE_SCHEMA: &str = "driftledger/notice/v1";
/// Bytes of one value's JSON: many programs take no more than a megabyte, and a notice may have fifty findings.
pub const MOST_VALUE: usize = 8_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    schema: &'static str,
    key: &'a str,
    repeat: bool,
    kind: NoticeKind,
    route: &'a RouteName,
    cluster: Option<&'a ClusterName>,
    target: Option<&'a TargetName>,
    /// The worst of what is open.
    severity: Option<Severity>,
    headline: String,
    thread: &'a Thread,
    values_withheld: bool,
    items: Vec<Item<'a>>,
    more: u64,
    by_severity: &'a BTreeMap<Severity, u64>,
    by_target: Vec<Count<'a>>,
    gaps: &'a [NoticeGap],
    summary: Option<&'a Summary>,
    stands_for: Option<&'a Dropped>,
    scan: &'a NoticeScan,
    seal: Option<&'a Seal>,
    report: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    kind: ItemKind,
    since: Timestamp,
    how: Option<&'a str>,
    severity_before: Option<Severity>,
    times: Option<u64>,
    link: Option<String>,
    /// `declared`, `live`: too large to be sent, and null in the finding.
    left_out: Vec<&'static str>,
    finding: Finding,
}

#[derive(Serialize)]
struct Count<'a> {
    name: &'a str,
    findings: u64,
}

/// What a webhook is sent; `key` is the outbox's, the same for each attempt.
pub fn body(notice: &Notice, around: &Around<'_>, key: &str) -> WebhookMessage {
    let withheld;
    let notice = if around.withholds() {
        withheld = withheld::without_values(notice);
        &withheld
    } else {
        notice
    };
    let items = notice.items.iter().map(|item| {
        let mut finding = item.finding.clone();
        let mut left_out = Vec::new();
        for (name, side) in [("declared", &mut finding.declared), ("live", &mut finding.live)] {
            if side.as_ref().is_some_and(is_large) {
                *side = None;
                left_out.push(name);
            }
        }
        Item {
            kind: item.kind,
            since: item.since,
            how: item.how.as_deref(),
            severity_before: item.severity_before,
            times: item.times,
            link: link::object(&finding, notice, around),
            left_out,
            finding,
        }
    });
    let group = notice.group.as_ref();
    let body = Body {
        schema: NOTICE_SCHEMA,
        key,
        repeat: around.repeat,
        kind: notice.kind,
        route: &notice.route,
        cluster: group.map(|group| &group.cluster),
        target: group.and_then(|group| group.target.as_ref()),
        severity: headline::worst(notice),
        headline: headline::of(notice).text,
        thread: &notice.thread,
        values_withheld: around.withholds(),
        items: items.collect(),
        more: notice.more,
        by_severity: &notice.by_severity,
        by_target: notice.by_target.iter().map(|(name, findings)| Count { name, findings: *findings }).collect(),
        gaps: &notice.gaps,
        summary: notice.summary.as_ref(),
        stands_for: notice.stands_for.as_ref(),
        scan: &notice.scan,
        seal: around.seal,
        report: link::report(notice, around),
    };
    WebhookMessage { key: key.to_owned(), body: crate::views::json::pretty(&body) }
}

fn is_large(value: &Value) -> bool {
    value.to_string().len() > MOST_VALUE
}
