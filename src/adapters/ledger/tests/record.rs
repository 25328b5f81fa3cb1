use super::fixtures::{Home, Scan, at, begin, finding, full_record, object};
use crate::adapters::ledger::LedgerError;
use crate::model::ids::{ClusterName, CommitId, LedgerId, RepositoryName, Revision};
use crate::model::record::FindingEventKind::{Changed, Known, Opened, Reopened, Resolved};
use crate::model::record::{ObjectState, ScanRecord, Sighting};
use crate::model::report::ScanReport;

#[test]
fn what_was_recorded_is_the_next_scans_prior_state() {
    let home = Home::new();
    let mut ledger = home.open();
    let empty = ledger.prior().unwrap();
    assert_eq!((empty.last_scan, empty.last_complete, empty.open.len()), (None, None, 0));
    for minute in 1..=2 {
        let id = begin(&mut ledger, minute);
        let record = full_record(&ledger, id, minute);
        ledger.record(record).unwrap();
    }
    let mut repeated = Scan::new(3);
    repeated.complete = false;
    let id = begin(&mut ledger, 3);
    let mut repeated = repeated.record(&ledger, id);
    let sighting = |commit: &str| Sighting {
        repository: RepositoryName::new("platform"),
        revision: Revision::new("main"),
        commit: CommitId::new(commit),
    };
    repeated.sightings = vec![sighting("0001")];
    ledger.record(repeated).unwrap();
    drop(ledger);

    let prior = home.open().prior().unwrap();
    assert_eq!(prior.last_scan, Some(id));
    assert_eq!(prior.last_complete, Some(at(2)));
    assert_eq!(prior.open.len(), 4);
    assert!(prior.open.iter().all(|(fingerprint, open)| *fingerprint == open.finding.fingerprint));
    assert_eq!(prior.objects.len(), 2);
    assert_eq!(prior.objects[&(ClusterName::new("prod"), object("api"))], ObjectState::Drifted);
    assert_eq!(prior.config.into_iter().collect::<Vec<_>>(), [("configuration".into(), "state 2".into())]);
    let sightings: Vec<_> = prior.sightings.into_iter().collect();
    assert_eq!(sightings, [(sighting("0001"), at(1)), (sighting("0002"), at(2))]);
}

#[test]
fn a_report_comes_back_as_it_was() {
    let home = Home::new();
    let mut ledger = home.open();
    assert_eq!(ledger.report(None).unwrap(), None);
    let id = begin(&mut ledger, 1);
    let record = full_record(&ledger, id, 1);
    let ScanRecord { report: written, .. } = record.clone();
    let seal = ledger.record(record).unwrap();
    let read = home.reader().report(None).unwrap().unwrap();
    assert_eq!(read.findings.len(), 2);
    let mut wanted = ScanReport { findings: read.findings.clone(), ..written };
    wanted.scan.seal = Some(seal);
    assert_eq!(read, wanted);
}

#[test]
fn a_record_that_does_not_follow_is_refused_and_leaves_nothing() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(1).with(Opened, finding("open", 1)).with(Opened, finding("closed", 1)).run(&mut ledger);
    Scan::new(2).with(Resolved, finding("closed", 1)).run(&mut ledger);
    let id = begin(&mut ledger, 3);
    let cases = [
        (Opened, "open"),
        (Reopened, "open"),
        (Opened, "closed"),
        (Changed, "closed"),
        (Resolved, "closed"),
        (Known, "new"),
        (Reopened, "new"),
    ];
    for (kind, name) in cases {
        let record = Scan::new(3).with(kind, finding(name, 1)).record(&ledger, id);
        let error = ledger.record(record).unwrap_err();
        assert!(matches!(error, LedgerError::Refused { .. }), "{kind:?} {name}: {error}");
    }
    let twice = Scan::new(3).with(Opened, finding("new", 1)).with(Opened, finding("new", 1)).record(&ledger, id);
    assert!(matches!(ledger.record(twice), Err(LedgerError::Refused { .. })));
    let mut foreign = Scan::new(3).record(&ledger, id);
    foreign.report.scan.ledger = LedgerId::new("another");
    assert!(matches!(ledger.record(foreign), Err(LedgerError::Refused { .. })));

    let good = Scan::new(3).record(&ledger, id);
    ledger.record(good.clone()).unwrap();
    assert!(matches!(ledger.record(good), Err(LedgerError::Refused { .. })));
    assert!(matches!(ledger.fail_scan(id, at(3), "late"), Err(LedgerError::Refused { .. })));
    let verification = ledger.verify(None).unwrap();
    assert_eq!((verification.problems, verification.seals), (Vec::new(), 3));
}

#[test]
fn on_a_full_disk_nothing_is_half_written() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(1).with(Opened, finding("old", 1)).run(&mut ledger);
    let id = begin(&mut ledger, 2);
    let mut large = Scan::new(2);
    for n in 0..1000 {
        large = large.with(Opened, finding(&format!("app-{n}"), 1));
    }
    let large = large.record(&ledger, id);
    let pages: i64 = ledger.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    ledger.connection.pragma_update(None, "max_page_count", pages + 20).unwrap();
    let error = ledger.record(large.clone()).unwrap_err();
    assert!(matches!(error, LedgerError::DiskFull { .. }), "{error}");
    assert!(error.hint().is_some());
    let verification = ledger.verify(None).unwrap();
    assert_eq!((verification.problems, verification.seals, verification.unsealed_rows), (Vec::new(), 1, 1));
    assert_eq!(ledger.open_findings().unwrap().len(), 1);
    // A line about the failure still fits, and with space the next scan goes on.
    ledger.fail_scan(id, at(2), "no space").unwrap();
    ledger.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    let id = begin(&mut ledger, 3);
    let mut again = large;
    again.report.scan.id = id;
    ledger.record(again).unwrap();
    assert_eq!(ledger.open_findings().unwrap().len(), 1001);
    assert!(ledger.verify(None).unwrap().ok);
}

#[test]
fn the_projection_can_be_rebuilt() {
    let home = Home::new();
    let mut ledger = home.open();
    for minute in 1..=3 {
        let id = begin(&mut ledger, minute);
        let record = full_record(&ledger, id, minute);
        ledger.record(record).unwrap();
    }
    let before = ledger.open_findings().unwrap();
    home.raw().execute_batch("UPDATE finding_state SET scans = 40; DELETE FROM finding_state WHERE scans = 40 AND open").unwrap();
    let problems = ledger.verify(None).unwrap().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("finding_state"));
    ledger.rebuild_projection().unwrap();
    assert_eq!(ledger.verify(None).unwrap().problems, Vec::<String>::new());
    assert_eq!(ledger.open_findings().unwrap(), before);
}
