//! From a scan's record to the messages about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::owners::{DeclaredFacts, Facts};
use crate::adapters::ledger::{LedgerError, LedgerReader};
use crate::config::Config;
use crate::model::canonical::Canonical;
use crate::model::finding::Finding;
use crate::model::ids::{ReceiverName, RouteName};
use crate::model::outbox::{MessageState, Plan};
use crate::model::record::{FindingEvent, FindingEventKind, PlannedMessage, PriorState, ScanRecord};
use crate::model::report::UndeliveredMessage;
use crate::model::time::Timestamp;
use crate::stages::announce::{self, Ended, FLAPPING_SECONDS, Planned, Scene, Seen};

/// Adds to a record what is to be told of it.
///
/// # Errors
/// The ledger cannot be read.
pub fn plan(
    record: &mut ScanRecord,
    prior: &PriorState,
    ledger: &LedgerReader,
    facts: &DeclaredFacts,
    config: &Config,
) -> Result<(), LedgerError> {
    record.report.scan.undelivered = undelivered(ledger)?;
    let delivery = &config.delivery;
    if delivery.routes.is_empty() && delivery.summaries.is_empty() {
        return Ok(());
    }
    let now = record.report.scan.started_at;
    let told = ledger.told()?;
    let events: BTreeMap<&str, &FindingEvent> =
        record.events.iter().map(|event| (event.finding.fingerprint.as_str(), event)).collect();
    let none = Facts::default();
    let (found, unknown): (Vec<&Finding>, Vec<&Finding>) =
        record.report.findings.iter().partition(|finding| is_found(finding, &events, prior));
    let unknown: BTreeSet<&str> = unknown.into_iter().map(|finding| finding.fingerprint.as_str()).collect();
    let found: Vec<Seen<'_>> = found
        .into_iter()
        .filter_map(|finding| {
            let here = facts.get(&(finding.cluster.clone(), finding.object())).unwrap_or(&none);
            seen(finding, events.get(finding.fingerprint.as_str()).copied(), prior, here, now)
        })
        .collect();
    let open: BTreeSet<&str> = found.iter().map(|seen| seen.finding.fingerprint.as_str()).collect();
    let over: BTreeSet<&str> = told
        .keys()
        .map(|(_, subject)| subject.as_str())
        .filter(|subject| !subject.contains(':') && !open.contains(subject) && !unknown.contains(subject))
        .collect();
    let mut flaps: BTreeMap<String, u64> = BTreeMap::new();
    let opening = |kind| matches!(kind, FindingEventKind::Opened | FindingEventKind::Reopened);
    let recent = ledger.recent_events(Timestamp::from_unix(now.unix() - FLAPPING_SECONDS))?;
    let recent = recent.into_iter().filter(|(_, kind, _)| opening(*kind)).map(|(print, _, _)| print);
    let in_this = events.iter().filter(|(_, event)| opening(event.kind)).map(|(print, _)| (*print).to_owned());
    for print in recent.chain(in_this) {
        *flaps.entry(print).or_default() += 1;
    }
    let longest_wait = delivery.routes.iter().filter_map(|route| route.notify.gaps).max().unwrap_or(Duration::ZERO);
    let gaps = &record.report.gaps;
    let standing = ledger.standing_gaps(gaps, longest_wait, now)?;
    let scene = Scene {
        ledger: &prior.ledger,
        scan: record.report.scan.id,
        now,
        previous: ledger.previous_scan()?,
        routes: &delivery.routes,
        found,
        unknown,
        ended: ended(&over, &events, ledger)?,
        targets: &record.report.scan.targets,
        clusters: record.report.scan.clusters.iter().map(|cluster| &cluster.name).collect(),
        gaps: gaps.iter().zip(standing).map(|(gap, standing)| (gap, standing.since)).collect(),
        flaps,
        told: &told,
    };
    let mut planned = announce::plan(&scene);
    for due in announce::due(&delivery.summaries, &told, now) {
        let period = ledger.period(due.from, due.to)?;
        planned.push(announce::summary(&scene, &due, &period));
    }
    let messages = planned.into_iter().flat_map(|planned| messages(&scene, planned)).collect();
    let marks = announce::first_seen(&delivery.routes, &delivery.summaries, &told, now);
    (record.messages, record.marks) = (messages, marks);
    Ok(())
}

/// The messages of earlier scans that did not reach their receivers; those that nobody tried to send yet are none.
fn undelivered(ledger: &LedgerReader) -> Result<Vec<UndeliveredMessage>, LedgerError> {
    let outbox = ledger.outbox()?;
    let undelivered = outbox.messages.into_iter().filter_map(|message| {
        let (why, hint, dead) = match message.state {
            MessageState::Dead { why, hint, .. } => (why, hint, true),
            MessageState::Begun { .. } => ("it was being sent when the program ended".to_owned(), None, false),
            MessageState::Waiting { .. } => (message.last_error?, None, false),
        };
        Some(UndeliveredMessage {
            message: message.id,
            receiver: message.receiver,
            route: message.plan.notice.route,
            planned_at: message.planned_at,
            why,
            hint,
            dead,
        })
    });
    Ok(undelivered.collect())
}

/// Whether the scan saw it: what is open from before and was not looked at stands in the report as well.
fn is_found(finding: &Finding, events: &BTreeMap<&str, &FindingEvent>, prior: &PriorState) -> bool {
    match events.get(finding.fingerprint.as_str()) {
        Some(event) => event.kind.leaves_open() && event.kind != FindingEventKind::Unknown,
        // Without an event it was seen unchanged, or is unknown as before, and then stands there as the scan before left it.
        None => finding.last_seen.is_none() && prior.open.get(&finding.fingerprint).is_some_and(|open| open.known),
    }
}

fn seen<'a>(
    finding: &'a Finding,
    event: Option<&'a FindingEvent>,
    prior: &'a PriorState,
    facts: &'a Facts,
    now: Timestamp,
) -> Option<Seen<'a>> {
    use FindingEventKind::{Changed, Opened, Reopened};
    let before = prior.open.get(&finding.fingerprint);
    let kind = event.map(|event| event.kind);
    let begins = matches!(kind, Some(Opened | Reopened));
    Some(Seen {
        finding,
        content: event.map(|event| event.content.as_str()).or(before.map(|open| open.content.as_str()))?,
        since: if begins { now } else { before?.opened_at },
        was_open_before: kind == Some(Reopened)
            || before.is_some_and(|open| open.finding.first_seen.is_some_and(|first| first < open.opened_at)),
        scans: if begins { 1 } else { before?.finding.scans.unwrap_or(0) + 1 },
        is_steady: !begins && kind != Some(Changed),
        labels: Some(&facts.labels),
        owners: &facts.owners,
    })
}

/// How those ended that a route was told of and that are open no more: in this scan, or in an earlier one that told nobody.
fn ended(
    over: &BTreeSet<&str>,
    events: &BTreeMap<&str, &FindingEvent>,
    ledger: &LedgerReader,
) -> Result<BTreeMap<String, Ended>, LedgerError> {
    let (now, before): (Vec<&str>, Vec<&str>) = over.iter().partition(|print| events.contains_key(*print));
    let ended = |finding: &Finding, kind, how: &str| Ended {
        finding: finding.clone(),
        how: how.to_owned(),
        resolved: kind == FindingEventKind::Resolved,
    };
    let now = now.into_iter().map(|print| {
        let event = events[print];
        (print.to_owned(), ended(&event.finding, event.kind, event.how.as_deref().unwrap_or_default()))
    });
    let mut all: BTreeMap<String, Ended> = now.collect();
    for (print, closing) in ledger.closings(before)? {
        all.insert(print, ended(&closing.finding, closing.kind, &closing.how));
    }
    Ok(all)
}

/// One message for each receiver. What the route knows comes with the first of them.
fn messages(scene: &Scene<'_>, planned: Planned) -> Vec<PlannedMessage> {
    let Planned { receivers, notice, mut marks } = planned;
    let message = |receiver: ReceiverName| {
        let key = key_of(scene, &notice.route, &receiver, &notice.thread.key, notice.kind);
        let plan = Plan { key, notice: notice.clone(), marks: std::mem::take(&mut marks) };
        PlannedMessage { receiver, plan }
    };
    receivers.into_iter().map(message).collect()
}

/// Unique: a scan tells a receiver of a conversation once.
fn key_of(
    scene: &Scene<'_>,
    route: &RouteName,
    receiver: &ReceiverName,
    thread: &str,
    kind: crate::model::notice::NoticeKind,
) -> String {
    let key = Canonical::new("driftledger/message/v1")
        .text(scene.ledger.as_str())
        .number(scene.scan.0)
        .text(route.as_str())
        .text(receiver.as_str())
        .text(thread)
        .text(&format!("{kind:?}"))
        .finish_hex();
    key[..32].to_owned()
}
