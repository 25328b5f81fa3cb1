//! Bounds that a slow machine in a debug build keeps; they catch what grows with the ledger.

use std::time::{Duration, Instant};

use super::fixtures::{Home, Scan, at, begin, finding, oncall};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::outbox::{MessageCounts, MessageId};
use crate::model::record::FindingEventKind::{Changed, Opened};

#[test]
fn a_thousand_findings_are_recorded_and_reported_at_once() {
    let home = Home::new();
    let mut ledger = home.open();
    let id = begin(&mut ledger, 1);
    let mut scan = Scan::new(1);
    for n in 0..1000 {
        scan = scan.with(Opened, finding(&format!("app-{n}"), 5));
    }
    let record = scan.record(&ledger, id);
    let start = Instant::now();
    ledger.record(record).unwrap();
    let recorded = start.elapsed();
    let report = ledger.report(None).unwrap().unwrap();
    let reported = start.elapsed() - recorded;
    assert_eq!(report.findings.len(), 1000);
    assert!(recorded < Duration::from_secs(3) && reported < Duration::from_secs(3), "{recorded:?}, {reported:?}");
}

#[test]
fn a_thousand_scans_are_verified_and_an_old_one_reported() {
    let home = Home::new();
    let mut ledger = home.open();
    // What is measured is reading; a thousand syncs to the disk would only wait.
    ledger.connection.pragma_update(None, "synchronous", "OFF").unwrap();
    let mut first = Scan::new(1);
    for n in 0..100 {
        first = first.with(Opened, finding(&format!("app-{n}"), 5));
    }
    first.run(&mut ledger);
    for minute in 2..=1000 {
        Scan::new(minute).with(Changed, finding("app-7", minute)).run(&mut ledger);
    }
    let start = Instant::now();
    let verification = ledger.verify(None).unwrap();
    let verified = start.elapsed();
    assert_eq!((verification.problems, verification.seals), (Vec::new(), 1000));
    let report = ledger.report(Some(crate::model::ids::ScanId(500))).unwrap().unwrap();
    let reported = start.elapsed() - verified;
    let changed = report.findings.iter().find(|f| f.name == "app-7").unwrap();
    assert_eq!((changed.live.clone(), changed.scans), (Some(500.into()), Some(500)));
    assert!(verified < Duration::from_secs(10) && reported < Duration::from_secs(10), "{verified:?}, {reported:?}");
}

/// Scans five minutes apart, each with a message that was sent and a finding that came back.
#[test]
fn what_planning_asks_does_not_grow_with_the_ledger() {
    const SCANS: i64 = 20_000;
    let home = Home::new();
    let mut ledger = home.open();
    ledger.connection.pragma_update(None, "synchronous", "OFF").unwrap();
    let id = begin(&mut ledger, 0);
    let mut record = Scan::new(0).with(Opened, finding("api", 5)).record(&ledger, id);
    let gap = Gap::new(GapKind::Forbidden, "no", Hides::Evidence);
    record.report.gaps = vec![gap.clone()];
    record.messages =
        vec![crate::model::record::PlannedMessage { receiver: oncall(), plan: super::fixtures::plan("0", 0) }];
    ledger.record(record).unwrap();
    // As scans would write them, in one statement a table.
    let of = |table: &str, columns: &str, values: &str| {
        let sql = format!(
            "INSERT INTO {table} (seq, {columns}) WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {SCANS}) \
             SELECT i, {values} FROM n, {table} t WHERE t.seq = 1 ORDER BY i"
        );
        ledger.connection.execute(&sql, []).unwrap();
    };
    let start = at(0).unix();
    let time = format!("strftime('%Y-%m-%dT%H:%M:%SZ', {start} + i * 300, 'unixepoch')");
    of("scan", "started_at, tool_version, scope", &format!("{time}, t.tool_version, t.scope"));
    of(
        "scan_finished",
        "scan, outcome, finished_at, summary, gaps, exclusions",
        &format!("i, t.outcome, {time}, t.summary, t.gaps, t.exclusions"),
    );
    of(
        "finding_event",
        "scan, fingerprint, kind, content, cluster, target, finding",
        "i, t.fingerprint, 'reopened', t.content, t.cluster, t.target, t.finding",
    );
    of(
        "message_event",
        "scan, message, kind, receiver, at, text",
        "i, i, 'planned', t.receiver, t.at, \
         json_set(t.text, '$.key', 'k-' || i, '$.notice.thread.key', 't-' || i, '$.padding', hex(zeroblob(2000)))",
    );
    let delivery = |kind: &str, first: i64, detail: &str| {
        let sql = format!(
            "INSERT INTO delivery_event SELECT {first} + seq, seq, '{kind}', at, {detail} FROM message_event \
             WHERE seq < {SCANS} ORDER BY seq"
        );
        ledger.connection.execute(&sql, []).unwrap();
    };
    delivery("begun", 0, "NULL");
    delivery("sent", SCANS - 1, "'{}'");

    let now = at(SCANS * 5);
    let day = crate::model::time::Timestamp::from_unix(now.unix() - 86_400);
    let start = Instant::now();
    let mut times = Vec::new();
    assert_eq!(ledger.outbox().unwrap().messages.len() + ledger.outbox().unwrap().problems.len(), 1);
    times.push(("outbox twice", start.elapsed()));
    let sent = MessageCounts { waiting: 1, sent: SCANS.unsigned_abs() - 1, ..MessageCounts::default() };
    assert_eq!(ledger.message_counts().unwrap(), sent);
    times.push(("counts", start.elapsed()));
    assert_eq!(ledger.recent_events(day).unwrap().len(), 289);
    times.push(("recent events", start.elapsed()));
    let standing = ledger.standing_gaps(&[gap], Duration::from_secs(1800), now).unwrap();
    assert_eq!((standing[0].age(now).as_secs(), standing[0].at_least), (1800, true));
    times.push(("gaps", start.elapsed()));
    assert_eq!(ledger.period(day, now).unwrap().scans, 288);
    times.push(("period", start.elapsed()));
    let parent = ledger.thread_parent(&oncall(), "t-5000").unwrap().unwrap();
    assert_eq!(parent.id, MessageId(5000));
    assert!(ledger.previous_scan().unwrap() == Some(now) && ledger.told().unwrap().len() == 1);
    times.push(("the rest", start.elapsed()));
    assert!(start.elapsed() < Duration::from_secs(2), "{times:?}");
}
