//! Bounds that a slow machine in a debug build keeps; they catch what grows with the ledger.

use std::time::{Duration, Instant};

use super::fixtures::{Home, Scan, begin, finding};
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
