use std::time::Duration;

use super::fixtures::{Home, Scan, at, begin, finding};
use crate::adapters::ledger::Ledger;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::{ClusterName, TargetName};
use crate::model::outbox::Standing;
use crate::model::record::FindingEventKind::{Changed, Opened, OutOfScope, Reopened, Resolved};
use crate::model::report::Coverage;

#[test]
fn what_came_and_went_lately() {
    let home = Home::new();
    let mut ledger = home.open();
    let api = finding("api", 1).fingerprint;
    Scan::new(1).with(Opened, finding("api", 1)).run(&mut ledger);
    Scan::new(2).with(Changed, finding("api", 2)).run(&mut ledger);
    Scan::new(3).with(Resolved, finding("api", 2)).run(&mut ledger);
    Scan::new(4).with(Reopened, finding("api", 2)).run(&mut ledger);
    Scan::new(5).with(OutOfScope, finding("api", 2)).run(&mut ledger);
    let events = |since| ledger.recent_events(at(since)).unwrap();
    let all = [(Opened, 1), (Resolved, 3), (Reopened, 4)].map(|(kind, minute)| (api.clone(), kind, at(minute)));
    assert_eq!(events(0), all);
    assert_eq!(events(3), all[1..]);
    assert_eq!(events(5), []);
}

fn gap(place: &str) -> Gap {
    Gap::new(GapKind::Forbidden, format!("since {place}"), Hides::Cluster).at(place)
}

/// A finished scan with these gaps.
fn scan(ledger: &mut Ledger, minute: i64, targets: &[(&'static str, &'static str)], gaps: Vec<Gap>) {
    let id = begin(ledger, minute);
    let mut record = Scan::new(minute).targets(targets).record(ledger, id);
    record.report.gaps = gaps;
    ledger.record(record).unwrap();
}

#[test]
fn a_gap_stands_since_the_first_scan_in_a_row_that_had_it() {
    let home = Home::new();
    let mut ledger = home.open();
    let web = |place: &str| gap(place).of_target(&TargetName::new("web"));
    let both: &[(&str, &str)] = &[("web", "aaaa"), ("db", "bbbb")];
    let other_words = |mut gap: Gap| {
        gap.message = "another message".into();
        gap
    };
    scan(&mut ledger, 0, both, vec![web("a"), web("b"), gap("f")]);
    scan(&mut ledger, 1, both, vec![web("a"), web("c"), gap("f")]);
    scan(&mut ledger, 2, both, vec![other_words(web("a")), web("b"), web("c"), gap("f")]);
    // Narrowed to another target: it tells nothing of `web`.
    scan(&mut ledger, 3, &[("db", "bbbb")], vec![gap("f")]);
    // One that failed, and one that never ended.
    let failed = begin(&mut ledger, 4);
    ledger.fail_scan(failed, at(4), "no").unwrap();
    begin(&mut ledger, 4);
    scan(&mut ledger, 5, both, vec![web("a"), web("b"), web("c"), web("e"), gap("f")]);
    let of_cluster = |gap: Gap, name: &str| gap.of_cluster(&ClusterName::new(name));
    let asked = [
        web("a"),
        web("b"),
        web("c"),
        web("new"),
        of_cluster(web("a"), "prod"),
        Gap { hides: Hides::Target, ..web("a") },
        Gap { kind: GapKind::Limit, ..web("a") },
        gap("f"),
    ];
    let standing = |enough| {
        let standing = ledger.standing_gaps(&asked, Duration::from_secs(enough), at(6)).unwrap();
        standing
            .into_iter()
            .map(|Standing { since, at_least }| ((since.unix() - at(0).unix()) / 60, at_least))
            .collect::<Vec<_>>()
    };
    let new = (6, false);
    assert_eq!(standing(3600), [(0, false), (2, false), (1, false), new, new, new, new, (0, false)]);
    // No further back than the first scan that is three minutes old; a narrowed one at the end does not hide what stood before.
    assert_eq!(standing(180), [(5, true), (5, true), (5, true), new, new, new, new, (3, true)]);
    assert_eq!(standing(240), [(2, true), (2, true), (2, true), new, new, new, new, (2, true)]);
    assert_eq!(standing(0)[0], (5, true));
    assert!(ledger.standing_gaps(&[], Duration::ZERO, at(6)).unwrap().is_empty());
    let age = Standing { since: at(2), at_least: true };
    assert_eq!((age.age(at(6)).as_secs(), age.age(at(1)).as_secs()), (240, 0));
}

#[test]
fn a_period_is_told_by_its_scans() {
    let home = Home::new();
    let mut ledger = home.open();
    assert_eq!((ledger.first_scan_started().unwrap(), ledger.previous_scan().unwrap()), (None, None));
    let empty = ledger.period(at(0), at(100)).unwrap();
    assert_eq!((empty.scans, empty.longest_unseen_seconds), (0, 0));

    Scan::new(10).with(Opened, finding("a", 1)).run(&mut ledger);
    Scan::new(20).with(Opened, finding("b", 1)).with(Resolved, finding("a", 1)).run(&mut ledger);
    let mut partial = Scan::new(30).with(Reopened, finding("a", 1)).with(OutOfScope, finding("b", 1));
    partial.complete = false;
    let id = begin(&mut ledger, 30);
    let mut record = partial.record(&ledger, id);
    let coverage = Coverage { live: 9, declared: 3, ..Coverage::default() };
    record.report.scan.counts.coverage = Some(coverage.clone());
    ledger.record(record).unwrap();
    let failed = begin(&mut ledger, 35);
    ledger.fail_scan(failed, at(35), "no").unwrap();
    Scan::new(40).run(&mut ledger);
    begin(&mut ledger, 45);
    assert_eq!((ledger.first_scan_started().unwrap(), ledger.previous_scan().unwrap()), (Some(at(10)), Some(at(40))));

    let facts = ledger.period(at(0), at(60)).unwrap();
    assert_eq!((facts.scans, facts.complete, facts.failed), (4, 3, 1));
    assert_eq!((facts.opened, facts.resolved, facts.out_of_scope), (3, 1, 1));
    assert_eq!((facts.longest_unseen_seconds, facts.coverage), (20 * 60, None));
    // Its start is part of it and its end is not.
    let facts = ledger.period(at(20), at(40)).unwrap();
    assert_eq!((facts.scans, facts.complete, facts.failed), (2, 1, 1));
    assert_eq!((facts.opened, facts.resolved, facts.out_of_scope), (2, 1, 1));
    assert_eq!((facts.longest_unseen_seconds, facts.coverage), (20 * 60, Some(coverage)));
    let facts = ledger.period(at(50), at(55)).unwrap();
    assert_eq!((facts.scans, facts.longest_unseen_seconds, facts.coverage), (0, 300, None));
}

/// What is asked in every scan reads no whole table.
#[test]
fn what_planning_asks_is_answered_by_indexes() {
    use super::super::outbox::{KEY, NEWEST, THREAD};
    let home = Home::new();
    let ledger = home.open();
    let plan = |sql: &str| -> String {
        let mut query = ledger.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let parameters = vec!["1"; query.parameter_count()];
        let lines: Vec<String> = query
            .query_map(rusqlite::params_from_iter(parameters), |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        lines.join("\n")
    };
    for (sql, wanted) in [
        (format!("SELECT 1 FROM message_event WHERE kind = 'planned' AND {KEY} = ?1"), "message_event_by_key"),
        (
            format!("SELECT p.seq FROM message_event p WHERE p.kind = 'planned' AND p.receiver = ?1 AND {THREAD} = ?2"),
            "message_event_by_thread",
        ),
        (
            format!("SELECT p.seq FROM message_event p WHERE p.message = p.seq AND {NEWEST} IS NULL"),
            "SCAN p USING COVERING INDEX message_event_by_message",
        ),
        (
            "SELECT e.kind FROM scan s CROSS JOIN finding_event e ON e.scan = s.seq WHERE s.started_at >= ?1".into(),
            "scan_by_start",
        ),
    ] {
        let plan = plan(&sql);
        assert!(plan.contains(wanted) && !plan.contains("SCAN s\n"), "{sql}\n{plan}");
    }
}
