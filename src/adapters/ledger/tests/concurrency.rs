use std::time::{Duration, Instant};

use super::fixtures::{Home, Scan, at, begin, finding, oncall, options, plan};
use crate::adapters::ledger::{Ledger, LedgerError, OpenOptions};
use crate::model::delivery::{Attempt, Receipt};
use crate::model::outbox::MessageState;
use crate::model::record::FindingEventKind::{Changed, Opened};

#[test]
fn a_second_scan_waits_and_then_says_who_holds_the_ledger() {
    let home = Home::new();
    let first = home.open();
    let wait = Duration::from_millis(300);
    let start = Instant::now();
    let error = Ledger::open(&home.path, &OpenOptions { wait, ..options() }, at(0)).err().unwrap();
    assert!(start.elapsed() >= wait, "it waited {:?}", start.elapsed());
    let LedgerError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(holder.as_deref(), Some(std::process::id().to_string().as_str()));
    assert!(error.hint().is_some());

    let waiting = std::thread::spawn({
        let path = home.path.clone();
        move || Ledger::open(&path, &OpenOptions { wait: Duration::from_secs(20), ..options() }, at(0)).map(|_| ())
    });
    std::thread::sleep(Duration::from_millis(150));
    assert!(!waiting.is_finished());
    drop(first);
    waiting.join().unwrap().unwrap();
}

#[test]
fn of_many_that_make_the_ledger_one_does() {
    let home = Home::new();
    let openers: Vec<_> = (0..8)
        .map(|_| {
            let path = home.path.clone();
            std::thread::spawn(move || {
                let ledger =
                    Ledger::open(&path, &OpenOptions { wait: Duration::from_secs(30), ..options() }, at(0)).unwrap();
                (ledger.created(), ledger.id().clone())
            })
        })
        .collect();
    let opened: Vec<_> = openers.into_iter().map(|opener| opener.join().unwrap()).collect();
    assert_eq!(opened.iter().filter(|(created, _)| *created).count(), 1);
    assert!(opened.iter().all(|(_, id)| *id == opened[0].1));
}

#[test]
fn a_reader_sees_whole_scans_while_one_runs() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(0).with(Opened, finding("api", 0)).run(&mut ledger);
    let path = home.path.clone();
    let scanning = std::thread::spawn(move || {
        for minute in 1..=40 {
            Scan::new(minute).with(Changed, finding("api", minute)).run(&mut ledger);
        }
        begin(&mut ledger, 41);
        ledger
    });
    let mut reads = 0;
    let mut newest = 0;
    while !scanning.is_finished() || reads < 3 {
        let reader = Ledger::open_read_only(&path, None).unwrap();
        let verification = reader.verify(None).unwrap();
        assert_eq!(verification.problems, Vec::<String>::new());
        let report = reader.report(None).unwrap().unwrap();
        let live = report.findings[0].live.as_ref().unwrap().as_i64().unwrap();
        assert_eq!(live + 1, report.scan.id.0);
        assert!(live >= newest);
        newest = live;
        reads += 1;
    }
    let ledger = scanning.join().unwrap();
    assert_eq!(home.reader().scans().unwrap().len(), 42);
    drop(ledger);
}

#[test]
fn a_reader_sees_each_message_in_one_place_while_they_are_sent() {
    let home = Home::new();
    let mut ledger = home.open();
    let (scan, _) = Scan::new(0).run(&mut ledger);
    let ids: Vec<_> =
        (0..30).map(|n| ledger.plan_message(scan, &plan(&format!("m{n}"), 0), &oncall(), at(0)).unwrap()).collect();
    let path = home.path.clone();
    let sending = std::thread::spawn(move || {
        for id in ids {
            ledger.begin_attempt(id, at(1)).unwrap();
            ledger.record_attempt(id, at(1), &Attempt::Later { why: "busy".into(), wait: None }, None).unwrap();
            ledger.begin_attempt(id, at(2)).unwrap();
            ledger.record_attempt(id, at(2), &Attempt::Taken(Receipt::default()), None).unwrap();
        }
    });
    let mut sent = 0;
    while sent < 30 {
        let done = sending.is_finished();
        let reader = Ledger::open_read_only(&path, None).unwrap();
        let counts = reader.message_counts().unwrap();
        assert!(
            counts.sent >= sent && counts.sent + counts.waiting == 30 && (!done || counts.sent == 30),
            "{counts:?}"
        );
        sent = counts.sent;
        let messages = reader.outbox().unwrap().messages;
        let begun = messages.iter().filter(|m| matches!(m.state, MessageState::Begun { .. })).count();
        let tried = messages.iter().filter(|m| m.attempts > 0).count();
        assert!(begun <= 1 && tried <= 1, "one at a time: {begun}, {tried}");
        assert_eq!(reader.verify(None).unwrap().problems, Vec::<String>::new());
    }
    sending.join().unwrap();
}

#[test]
fn a_reader_cannot_write() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(1).run(&mut ledger);
    let reader = home.reader();
    assert!(reader.connection.execute("DELETE FROM finding_state", []).is_err());
}
