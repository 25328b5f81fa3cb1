use super::fixtures::{Home, Scan, at, begin, event, finding};
use crate::adapters::ledger::{Ledger, ScanOutcome};
use crate::model::finding::{Finding, Severity};
use crate::model::ids::ScanId;
use crate::model::record::FindingEventKind::{
    Changed, Known, Opened, OutOfScope, Reopened, Resolved, Unknown, Updated,
};
use crate::model::time::Timestamp;

/// (name, live, first seen, last seen, scans), as the report of a scan has it.
type Line = (String, i64, Timestamp, Timestamp, u64);

fn line(finding: &Finding) -> Line {
    let live = finding.live.as_ref().and_then(serde_json::Value::as_i64).unwrap();
    (finding.name.clone(), live, finding.first_seen.unwrap(), finding.last_seen.unwrap(), finding.scans.unwrap())
}

fn lines(ledger: &Ledger, scan: ScanId) -> Vec<Line> {
    ledger.report(Some(scan)).unwrap().unwrap().findings.iter().map(line).collect()
}

fn expect(name: &str, live: i64, first: i64, last: i64, scans: u64) -> Line {
    (name.into(), live, at(first), at(last), scans)
}

#[test]
fn a_finding_is_counted_through_its_whole_life() {
    let home = Home::new();
    let mut ledger = home.open();
    let steps = [
        (Scan::new(1).with(Opened, finding("api", 5)), Some(expect("api", 5, 1, 1, 1))),
        (Scan::new(2), Some(expect("api", 5, 1, 2, 2))),
        (Scan::new(3).with(Changed, finding("api", 6)), Some(expect("api", 6, 1, 3, 3))),
        (Scan::new(4).with(Updated, finding("api", 6)), Some(expect("api", 6, 1, 4, 4))),
        (Scan::new(5).with(Unknown, finding("api", 6)), Some(expect("api", 6, 1, 4, 4))),
        (Scan::new(6), Some(expect("api", 6, 1, 4, 4))),
        (Scan::new(7).with(Known, finding("api", 6)), Some(expect("api", 6, 1, 7, 5))),
        (Scan::new(8), Some(expect("api", 6, 1, 8, 6))),
        // Narrowed to another target: neither seen nor unknown.
        (Scan::new(9).targets(&[("db", "bbbb")]), Some(expect("api", 6, 1, 8, 6))),
        (Scan::new(10), Some(expect("api", 6, 1, 10, 7))),
        (Scan::new(11).with(Resolved, finding("api", 6)), None),
        (Scan::new(12), None),
        (Scan::new(13).with(Reopened, finding("api", 7)), Some(expect("api", 7, 1, 13, 1))),
        (Scan::new(14), Some(expect("api", 7, 1, 14, 2))),
        (Scan::new(15).with(OutOfScope, finding("api", 7)), None),
        (Scan::new(16).with(Reopened, finding("api", 7)), Some(expect("api", 7, 1, 16, 1))),
        (Scan::new(17).with(Unknown, finding("api", 7)), Some(expect("api", 7, 1, 16, 1))),
        (Scan::new(18).with(Changed, finding("api", 8)), Some(expect("api", 8, 1, 18, 2))),
        (Scan::new(19), Some(expect("api", 8, 1, 19, 3))),
    ];
    let mut reports = Vec::new();
    for (scan, wanted) in steps {
        let minute = scan.minute;
        let (id, _) = scan.run(&mut ledger);
        let wanted: Vec<Line> = wanted.into_iter().collect();
        assert_eq!(lines(&ledger, id), wanted, "after minute {minute}");
        let open: Vec<Line> = ledger.open_findings().unwrap().iter().map(|open| line(&open.finding)).collect();
        assert_eq!(open, wanted, "open after minute {minute}");
        reports.push((id, wanted));
    }
    // The same answers from the events alone, once later scans have been written.
    for (id, wanted) in reports {
        assert_eq!(lines(&ledger, id), wanted, "report of scan {id} read later");
    }
    assert_eq!(ledger.verify(None).unwrap().problems, Vec::<String>::new());
}

#[test]
fn what_is_unknown_or_out_of_scope_is_told_apart() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(1).with(Opened, finding("a", 1)).with(Opened, finding("b", 1)).with(Opened, finding("c", 1)).run(&mut ledger);
    let events = Scan::new(2)
        .with(Unknown, finding("a", 1))
        .with(Resolved, finding("b", 1))
        .with(OutOfScope, finding("c", 1));
    events.run(&mut ledger);
    let prior = ledger.prior().unwrap();
    let open: Vec<_> = prior.open.values().map(|open| (open.finding.name.as_str(), open.known)).collect();
    assert_eq!(open, [("a", false)]);
    let mut closed: Vec<_> = [finding("b", 1), finding("c", 1)].map(|f| (f.fingerprint, at(1))).to_vec();
    closed.sort();
    assert_eq!(prior.closed.into_iter().collect::<Vec<_>>(), closed);
}

#[test]
fn without_a_target_the_cluster_decides_whether_it_was_looked_at() {
    let home = Home::new();
    let mut ledger = home.open();
    let mut opened = Scan::new(1);
    let mut stray = event(Opened, finding("stray", 1));
    stray.target = None;
    opened.events.push(stray);
    opened.run(&mut ledger);
    let (seen, _) = Scan::new(2).targets(&[]).run(&mut ledger);
    assert_eq!(lines(&ledger, seen), [expect("stray", 1, 1, 2, 2)]);
    let mut elsewhere = Scan::new(3);
    elsewhere.clusters = vec!["stage"];
    let (unseen, _) = elsewhere.run(&mut ledger);
    assert_eq!(lines(&ledger, unseen), [expect("stray", 1, 1, 2, 2)]);
}

#[test]
fn an_unchanged_finding_shows_the_commit_of_the_scan_that_saw_it() {
    let home = Home::new();
    let mut ledger = home.open();
    let (first, _) = Scan::new(1).with(Opened, finding("api", 5)).run(&mut ledger);
    let (second, _) = Scan::new(2).targets(&[("web", "bbbb")]).run(&mut ledger);
    let (narrowed, _) = Scan::new(3).targets(&[("db", "cccc")]).run(&mut ledger);
    let commit = |ledger: &Ledger, scan| {
        let report = ledger.report(Some(scan)).unwrap().unwrap();
        report.findings[0].origin.as_ref().unwrap().commit.as_str().to_owned()
    };
    assert_eq!(commit(&ledger, first), "aaaa");
    assert_eq!(commit(&ledger, second), "bbbb");
    assert_eq!(commit(&ledger, narrowed), "bbbb");
    let prior = ledger.prior().unwrap();
    let open = prior.open.values().next().unwrap();
    assert_eq!(open.finding.origin.as_ref().unwrap().commit.as_str(), "bbbb");
    Scan::new(4).targets(&[("web", "dddd")]).with(Unknown, open.finding.clone()).run(&mut ledger);
    assert_eq!(ledger.open_findings().unwrap()[0].finding.origin.as_ref().unwrap().commit.as_str(), "bbbb");
}

#[test]
fn findings_come_worst_first_and_then_by_place() {
    let home = Home::new();
    let mut ledger = home.open();
    let mut scan = Scan::new(1);
    for (name, namespace, severity) in [
        ("b", Some("shop"), Severity::Low),
        ("z", Some("shop"), Severity::Critical),
        ("a", Some("shop"), Severity::Low),
        ("c", None, Severity::Low),
        ("d", Some("app"), Severity::Low),
    ] {
        let finding = Finding { severity, namespace: namespace.map(Into::into), ..finding(name, 1) };
        scan.events.push(event(Opened, finding));
    }
    let (id, _) = scan.run(&mut ledger);
    let report = ledger.report(Some(id)).unwrap().unwrap();
    let order: Vec<_> = report.findings.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(order, ["z", "c", "d", "a", "b"]);
}

#[test]
fn a_story_tells_every_event() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(1).with(Opened, finding("api", 5)).with(Opened, finding("db", 1)).run(&mut ledger);
    Scan::new(2).with(Updated, finding("api", 5)).run(&mut ledger);
    Scan::new(3).with(Changed, finding("api", 6)).run(&mut ledger);
    Scan::new(4).with(Resolved, finding("api", 6)).run(&mut ledger);
    let id = finding("api", 5).id.to_string();
    let fingerprint = finding("api", 5).fingerprint;
    for prefix in [id.as_str(), &id.to_lowercase(), &id[..6], &fingerprint, &fingerprint[..10]] {
        let stories = ledger.story(prefix).unwrap();
        let [story] = stories.as_slice() else { panic!("{} stories for {prefix}", stories.len()) };
        assert!(!story.open);
        assert_eq!(line(&story.finding), expect("api", 6, 1, 3, 3));
        let events: Vec<_> = story.events.iter().map(|e| (e.time, e.kind, e.content_changed, e.how.as_deref())).collect();
        assert_eq!(events, [
            (at(1), Opened, false, None),
            (at(2), Updated, false, None),
            (at(3), Changed, true, None),
            (at(4), Resolved, false, Some("now as declared")),
        ]);
    }
    for nothing in ["", "F-", "F-zzzz", "%", "api", &format!("{fingerprint}0")] {
        assert_eq!(ledger.story(nothing).unwrap(), [], "{nothing}");
    }
}

#[test]
fn an_ambiguous_prefix_gives_several_stories() {
    let home = Home::new();
    let mut ledger = home.open();
    let mut scan = Scan::new(1);
    for n in 0..17 {
        scan = scan.with(Opened, finding(&format!("app-{n}"), 1));
    }
    scan.run(&mut ledger);
    // Seventeen fingerprints cannot begin with sixteen different digits.
    let longest = (0..16).map(|digit| ledger.story(&format!("{digit:x}")).unwrap().len()).max().unwrap();
    assert!(longest >= 2);
}

#[test]
fn failed_and_interrupted_scans_change_nothing_that_is_open() {
    let home = Home::new();
    let mut ledger = home.open();
    let (first, _) = Scan::new(1).with(Opened, finding("api", 5)).run(&mut ledger);
    let failed = begin(&mut ledger, 2);
    ledger.fail_scan(failed, at(2), "no target could be read").unwrap();
    let interrupted = begin(&mut ledger, 3);
    assert_eq!(ledger.verify(None).unwrap().unsealed_rows, 1);
    let (last, _) = Scan::new(4).run(&mut ledger);
    assert_eq!(lines(&ledger, last), [expect("api", 5, 1, 4, 2)]);
    assert_eq!(ledger.report(Some(failed)).unwrap(), None);
    assert_eq!(ledger.report(Some(interrupted)).unwrap(), None);
    assert_eq!(ledger.report(Some(ScanId(99))).unwrap(), None);
    assert_eq!(ledger.report(None).unwrap().unwrap().scan.id, last);
    let scans = ledger.scans().unwrap();
    let outcomes: Vec<_> = scans.iter().map(|scan| (scan.id, scan.outcome)).collect();
    assert_eq!(outcomes, [
        (first, Some(ScanOutcome::Finished)),
        (failed, Some(ScanOutcome::Failed)),
        (interrupted, Some(ScanOutcome::Interrupted)),
        (last, Some(ScanOutcome::Finished)),
    ]);
    assert_eq!(scans[1].why.as_deref(), Some("no target could be read"));
    let verification = ledger.verify(None).unwrap();
    assert_eq!((verification.problems.len(), verification.scans, verification.seals, verification.unsealed_rows), (0, 4, 3, 0));
}
