//! Messages of which nobody knows whether they arrived, messages planned late, and rows that no sender of ours would write.

use super::super::delivery::{Kind, follows};
use super::super::text::word;
use super::fixtures::{Home, Scan, at, begin, full_record, oncall, plan};
use super::tamper::tampered;
use crate::adapters::ledger::{Ledger, LedgerError};
use crate::model::delivery::{Attempt, Receipt};
use crate::model::ids::ScanId;
use crate::model::outbox::{MessageCounts, MessageId, MessageState, OutboxMessage};

const ONE: MessageId = MessageId(1);

fn one_message(home: &Home) -> Ledger {
    let mut ledger = home.open();
    let id = begin(&mut ledger, 1);
    let record = full_record(&ledger, id, 1);
    ledger.record(record).unwrap();
    ledger
}

fn first(ledger: &Ledger) -> OutboxMessage {
    ledger.outbox().unwrap().messages.remove(0)
}

#[test]
fn an_attempt_that_was_cut_off_is_seen_and_may_be_repeated() {
    let home = Home::new();
    let mut ledger = one_message(&home);
    ledger.begin_attempt(ONE, at(2)).unwrap();
    drop(ledger);
    let mut ledger = home.open();
    let cut_off = first(&ledger);
    assert_eq!((cut_off.attempts, cut_off.may_have_arrived), (1, true));
    assert_eq!(cut_off.state, MessageState::Begun { at: at(2) });
    ledger.begin_attempt(ONE, at(3)).unwrap();
    ledger.record_attempt(ONE, at(3), &Attempt::Later { why: "503".into(), wait: None }, None).unwrap();
    let again = first(&ledger);
    assert_eq!((again.attempts, again.may_have_arrived), (2, true), "the first one may have arrived still");

    // Where the receiver could be asked, the outcome of the one that was cut off is recorded late.
    let other = Home::new();
    let mut ledger = one_message(&other);
    ledger.begin_attempt(ONE, at(2)).unwrap();
    ledger.record_attempt(ONE, at(9), &Attempt::Later { why: "it has none".into(), wait: None }, None).unwrap();
    assert!(!first(&ledger).may_have_arrived);
    ledger.begin_attempt(ONE, at(10)).unwrap();
    ledger.record_attempt(ONE, at(10), &Attempt::Unanswered { why: "reset".into() }, Some(at(12))).unwrap();
    let unanswered = first(&ledger);
    assert!(unanswered.may_have_arrived);
    assert_eq!(unanswered.state, MessageState::Waiting { not_before: Some(at(12)) });
    ledger.begin_attempt(ONE, at(12)).unwrap();
    ledger.record_attempt(ONE, at(12), &Attempt::Taken(Receipt::default()), None).unwrap();
    assert!(ledger.outbox().unwrap().messages.is_empty());
    assert!(ledger.verify(None).unwrap().ok);
}

#[test]
fn a_message_planned_after_its_scan_is_under_the_next_seal() {
    let home = Home::new();
    let mut ledger = home.open();
    let refused = |done: Result<MessageId, LedgerError>| {
        assert!(matches!(done, Err(LedgerError::Refused { .. })), "{done:?}");
    };
    refused(ledger.plan_message(ScanId(1), &plan("late", 1), &oncall(), at(1)));
    let (scan, seal) = Scan::new(1).run(&mut ledger);
    let running = begin(&mut ledger, 2);
    refused(ledger.plan_message(running, &plan("late", 1), &oncall(), at(2)));
    let late = ledger.plan_message(scan, &plan("late", 1), &oncall(), at(2)).unwrap();
    refused(ledger.plan_message(scan, &plan("late", 1), &oncall(), at(2)));
    refused(ledger.plan_message(scan, &plan("", 1), &oncall(), at(2)));
    let message = first(&ledger);
    assert_eq!((message.id, message.planned_at, message.seal), (late, at(2), Some(seal)));
    let verification = ledger.verify(None).unwrap();
    assert_eq!((verification.problems, verification.unsealed_rows), (Vec::new(), 3), "scan, message, mark");

    // A scan whose message has a key that was used is refused as a whole.
    let mut record = Scan::new(2).record(&ledger, running);
    record.messages = vec![crate::model::record::PlannedMessage { receiver: oncall(), plan: plan("late", 2) }];
    assert!(matches!(ledger.record(record), Err(LedgerError::Refused { .. })));
    let good = Scan::new(2).record(&ledger, running);
    ledger.record(good).unwrap();
    let verification = ledger.verify(None).unwrap();
    assert_eq!((verification.problems, verification.unsealed_rows), (Vec::new(), 0));
}

#[test]
fn one_message_takes_the_place_of_several_or_of_none() {
    let home = Home::new();
    let mut ledger = home.open();
    let (scan, _) = Scan::new(1).run(&mut ledger);
    let ids: Vec<_> =
        ["a", "b", "c"].map(|key| ledger.plan_message(scan, &plan(key, 1), &oncall(), at(1)).unwrap()).into();
    ledger.begin_attempt(ids[2], at(2)).unwrap();
    ledger.record_attempt(ids[2], at(2), &Attempt::Taken(Receipt::default()), None).unwrap();
    let replaced = ledger.replace_messages(&ids, "three days old", scan, &plan("sum", 3), &oncall(), at(3));
    assert!(matches!(replaced, Err(LedgerError::Refused { .. })), "one of them was sent");
    assert_eq!(ledger.message_counts().unwrap(), MessageCounts { waiting: 2, sent: 1, ..MessageCounts::default() });
    let sum = ledger.replace_messages(&ids[..2], "three days old", scan, &plan("sum", 3), &oncall(), at(3)).unwrap();
    assert_eq!(ledger.outbox().unwrap().messages.iter().map(|m| m.id).collect::<Vec<_>>(), [sum]);
    assert_eq!(ledger.message_counts().unwrap(), MessageCounts { waiting: 1, dead: 0, sent: 1, dropped: 2 });
}

#[test]
fn a_broken_message_blocks_no_other() {
    let home = Home::new();
    let mut ledger = home.open();
    for minute in 1..=4 {
        let id = begin(&mut ledger, minute);
        let record = full_record(&ledger, id, minute);
        ledger.record(record).unwrap();
    }
    ledger.begin_attempt(MessageId(3), at(5)).unwrap();
    let later = Attempt::Later { why: "hunter2".into(), wait: None };
    ledger.record_attempt(MessageId(3), at(5), &later, None).unwrap();
    home.raw()
        .execute_batch(
            "DROP TRIGGER message_event_no_update; DROP TRIGGER delivery_event_no_update; \
             UPDATE message_event SET text = replace(text, '\"begins\":true', '\"begins\":\"hunter2\"') WHERE seq = 1; \
             UPDATE message_event SET text = 'hunter2' WHERE seq = 2; \
             UPDATE delivery_event SET detail = '{\"what\":\"hunter2\"}' WHERE kind = 'later'",
        )
        .unwrap();
    let outbox = ledger.outbox().unwrap();
    assert_eq!(outbox.messages.iter().map(|m| m.id.0).collect::<Vec<_>>(), [4]);
    let problems: Vec<_> = outbox.problems.iter().map(|p| (p.id.0, p.what.as_str())).collect();
    let rows = ["the plan of message 1 ", "the plan of message 2 ", "delivery event 2 "];
    for ((n, (id, what)), row) in (1..).zip(problems).zip(rows) {
        assert!(id == n && what.contains(row) && !what.contains("hunter2"), "{id}: {what}");
    }
    assert!(matches!(ledger.message(MessageId(2)), Err(LedgerError::Broken { .. })));
    assert_eq!(ledger.message_counts().unwrap().waiting, 4);
    assert_eq!(ledger.thread_parent(&oncall(), "t-new-4").unwrap().unwrap().id, MessageId(4));
    ledger.drop_message(MessageId(2), at(6), "it cannot be read").unwrap();
    assert_eq!(ledger.outbox().unwrap().problems.len(), 2);
}

#[test]
fn on_a_full_disk_no_attempt_is_half_written() {
    let home = Home::new();
    let mut ledger = one_message(&home);
    let pages: i64 = ledger.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    ledger.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let later = Attempt::Later { why: "busy ".repeat(100), wait: None };
    let mut attempts = 0;
    let error = loop {
        if let Err(error) = ledger.begin_attempt(ONE, at(2)) {
            break error;
        }
        attempts += 1;
        if let Err(error) = ledger.record_attempt(ONE, at(2), &later, None) {
            break error;
        }
    };
    assert!(matches!(error, LedgerError::DiskFull { .. }), "{error}");
    assert_eq!(first(&ledger).attempts, attempts);
    assert!(ledger.verify(None).unwrap().ok);
    ledger.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    ledger.begin_attempt(ONE, at(4)).unwrap();
    ledger.record_attempt(ONE, at(4), &Attempt::Taken(Receipt::default()), None).unwrap();
    assert!(ledger.outbox().unwrap().messages.is_empty());
}

/// The table's trigger, on any connection, and this program say the same of every two events.
#[test]
fn events_that_cannot_follow_are_refused_by_the_file_itself() {
    let kinds = [Kind::Begun, Kind::Sent, Kind::Later, Kind::Dead, Kind::Dropped, Kind::Retried];
    // The shortest ways to each state.
    let ways: [(Option<Kind>, &[Kind]); 7] = [
        (None, &[]),
        (Some(Kind::Begun), &[Kind::Begun]),
        (Some(Kind::Sent), &[Kind::Begun, Kind::Sent]),
        (Some(Kind::Later), &[Kind::Begun, Kind::Later]),
        (Some(Kind::Dead), &[Kind::Begun, Kind::Dead]),
        (Some(Kind::Dropped), &[Kind::Dropped]),
        (Some(Kind::Retried), &[Kind::Begun, Kind::Dead, Kind::Retried]),
    ];
    let home = Home::new();
    drop(one_message(&home));
    let mut raw = home.raw();
    let mut refused = 0;
    for (before, way) in ways {
        for next in kinds {
            let transaction = raw.transaction().unwrap();
            let insert = |kind: Kind| {
                let detail = (!matches!(kind, Kind::Begun | Kind::Retried)).then_some("{}");
                transaction.execute(
                    "INSERT INTO delivery_event SELECT coalesce(max(seq), 0) + 1, 1, ?1, 'now', ?2 FROM delivery_event",
                    rusqlite::params![word(kind).unwrap(), detail],
                )
            };
            for kind in way {
                insert(*kind).unwrap();
            }
            let done = insert(next);
            assert_eq!(done.is_ok(), follows(before, next), "{next:?} after {before:?}: {done:?}");
            refused += usize::from(done.is_err());
        }
    }
    assert_eq!(refused, 29);
    for strange in [
        "INSERT INTO delivery_event VALUES (1, 99, 'begun', 'now', NULL)",
        "INSERT INTO message_event SELECT 2, scan, 1, 'sent', receiver, at, text FROM message_event",
        "INSERT INTO message_event SELECT 2, scan, 2, 'planned', receiver, at, text FROM message_event",
    ] {
        let error = raw.execute(strange, []).expect_err(strange).to_string();
        assert!(error.contains("append-only"), "{strange}: {error}");
    }
}

/// After the last seal only what a sender writes may stand.
#[test]
fn rows_after_the_last_seal_must_be_a_senders() {
    let home = Home::new();
    let mut ledger = one_message(&home);
    begin(&mut ledger, 2);
    drop(ledger);
    let next = |table: &str, values: &str| format!("INSERT INTO {table} SELECT max(seq) + 1, {values} FROM {table}");
    let planned =
        |scan: i64| next("message_event", &format!("{scan}, 2, 'planned', 'mail', 'now', '{{\"key\":\"x\"}}'"));
    let told = "INSERT INTO told_state VALUES ('all', 'x', '1')";
    for (what, sql, found) in [
        ("a message after its scan", planned(1), None),
        ("a message of a scan without a seal", planned(2), Some("message_event: 1 rows are in no seal")),
        (
            "a mark of that message",
            format!("{}; {}; {told}", planned(1), next("mark_event", "1, 2, 'all', 'x', '1'")),
            None,
        ),
        (
            "a mark of an older message",
            format!("{}; {told}", next("mark_event", "1, 1, 'all', 'x', '1'")),
            Some("mark_event: 1 rows are in no seal"),
        ),
        (
            "a mark of no message",
            format!("{}; {told}", next("mark_event", "1, NULL, 'all', 'x', '1'")),
            Some("mark_event: 1 rows are in no seal"),
        ),
        ("an attempt", next("delivery_event", "1, 'begun', 'now', NULL"), None),
        (
            "an outcome of no attempt",
            next("delivery_event", "1, 'sent', 'now', '{}'"),
            Some("delivery_event: 1 rows cannot follow what happened to their messages before"),
        ),
        (
            "two messages of one key",
            format!("{}; {}", planned(1), planned(1).replace(", 2, ", ", 3, ")),
            Some("message_event: 1 keys are those of several messages"),
        ),
    ] {
        let problems = tampered(&home, |raw| raw.execute_batch(&sql).unwrap());
        assert_eq!(problems.unwrap_or_default(), found.into_iter().collect::<Vec<_>>(), "{what}");
    }
}
