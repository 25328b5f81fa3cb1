//! A ledger of the first schema, as the program that knew no other wrote it, in the hands of this one.

use rusqlite::types::Value;
use rusqlite::{Connection, params};

use super::super::schema::{self, EVENT_TABLES, MIGRATIONS, tables_of};
use super::super::seal::{self, write_over};
use super::fixtures::{Home, Scan, at, begin, full_record, plan};
use super::tamper::{FIRST_ROWS, first_seal, tampered};
use crate::adapters::ledger::{Ledger, LedgerError};
use crate::model::delivery::{Attempt, Receipt};
use crate::model::ids::LedgerId;
use crate::model::outbox::{DeliveryEvent, MessageCounts, MessageId, MessageState};
use crate::model::report::Seal;

/// Three scans with a message each, sealed over the eight tables that there were; the first message failed once, and what became of the
/// others is in no seal yet.
fn first_schema() -> (Home, Vec<Seal>) {
    let (home, donor) = (Home::new(), Home::new());
    let mut ledger = donor.open();
    for minute in 1..=3 {
        let id = begin(&mut ledger, minute);
        let record = full_record(&ledger, id, minute);
        ledger.record(record).unwrap();
    }
    let id = ledger.id().clone();
    drop(ledger);
    std::fs::copy(donor.beside(".key"), home.beside(".key")).unwrap();

    let mut raw = home.raw();
    schema::migrate(&mut raw, &MIGRATIONS[..1]).unwrap();
    raw.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(())).unwrap();
    raw.execute("ATTACH ?1 AS donor", [donor.path.to_str().unwrap()]).unwrap();
    raw.execute_batch("INSERT INTO meta SELECT * FROM donor.meta ORDER BY seq").unwrap();
    let message = |seq: i64, of: i64, kind: &str, text: Option<&str>| {
        raw.execute(
            "INSERT INTO message_event VALUES (?1, ?2, ?3, ?4, 'oncall', ?5, ?6)",
            params![seq, if of < 3 { of } else { 3 }, of, kind, at(of).to_string(), text],
        )
        .unwrap();
    };
    let mut seals = Vec::new();
    for scan in 1..=3 {
        raw.execute("INSERT INTO scan SELECT * FROM donor.scan WHERE seq = ?1", [scan]).unwrap();
        for table in ["scan_finished", "object_state", "finding_event", "config_event", "sighting"] {
            let sql = format!("INSERT INTO {table} SELECT * FROM donor.{table} WHERE scan = ?1 ORDER BY seq");
            raw.execute(&sql, [scan]).unwrap();
        }
        match scan {
            1 => {
                let plan = plan("old", 1);
                let text = serde_json::json!({"key": plan.key, "notice": plan.notice}).to_string();
                message(1, 1, "planned", Some(&text));
            }
            2 => {
                message(2, 2, "planned", Some("{\"new\":1}"));
                message(3, 1, "failed", Some("connection refused"));
            }
            _ => message(4, 4, "planned", Some("no JSON")),
        }
        seals.push(write_over(tables_of(1), &raw, &id, scan, "0.1.0-test").unwrap());
    }
    message(5, 2, "sent", Some("250 ok"));
    raw.execute_batch("INSERT INTO finding_state SELECT * FROM donor.finding_state; DETACH donor").unwrap();
    raw.close().unwrap();
    (home, seals)
}

#[test]
fn an_old_ledger_is_whole_before_and_after_its_migration() {
    let (home, seals) = first_schema();
    assert_eq!(first_seal(&home.raw(), &FIRST_ROWS), seals[0].hash, "as the old program sealed it");
    assert!(matches!(
        Ledger::open_read_only(&home.path, None),
        Err(LedgerError::OlderSchema { found: 1, known: 2, .. })
    ));
    let mut ledger = home.open();
    let check = |ledger: &Ledger, sealed: u64, unsealed: u64| {
        for seal in &seals {
            let verification = ledger.verify(Some(&seal.hash)).unwrap();
            assert_eq!(verification.problems, Vec::<String>::new());
            assert_eq!((verification.seals, verification.unsealed_rows), (sealed, unsealed));
        }
    };
    check(&ledger, 3, 1);
    // Sending on before the first seal that covers it.
    ledger.begin_attempt(MessageId(1), at(5)).unwrap();
    check(&ledger, 3, 2);
    ledger.record_attempt(MessageId(1), at(5), &Attempt::Taken(Receipt::default()), None).unwrap();
    let id = begin(&mut ledger, 6);
    let record = full_record(&ledger, id, 6);
    ledger.record(record).unwrap();
    check(&ledger, 4, 0);
    drop(ledger);
    check(&home.open(), 4, 0);
}

#[test]
fn messages_of_an_old_ledger_are_where_they_were() {
    let (home, seals) = first_schema();
    let mut ledger = home.open();
    assert_eq!(ledger.message_counts().unwrap(), MessageCounts { waiting: 2, sent: 1, ..MessageCounts::default() });
    let outbox = ledger.outbox().unwrap();
    let [waiting] = outbox.messages.as_slice() else { panic!("{} messages", outbox.messages.len()) };
    assert_eq!((waiting.id, waiting.attempts, waiting.seal.as_ref()), (MessageId(1), 1, seals.first()));
    assert_eq!(waiting.state, MessageState::Waiting { not_before: None });
    assert_eq!(waiting.last_error.as_deref(), Some("connection refused"));
    let [problem] = outbox.problems.as_slice() else { panic!("{:?}", outbox.problems) };
    assert_eq!((problem.id, problem.receiver.as_str()), (MessageId(4), "oncall"));
    assert!(problem.what.contains("the plan of message 4"), "{}", problem.what);

    let story = ledger.message(MessageId(1)).unwrap().unwrap();
    assert_eq!((story.steps.len(), &story.steps[0].event), (2, &DeliveryEvent::Begun));
    for done in [2, 3].map(MessageId) {
        assert!(matches!(ledger.begin_attempt(done, at(5)), Err(LedgerError::Refused { .. })), "{done}");
    }
    ledger.drop_message(MessageId(4), at(5), "nobody can read it").unwrap();
    assert!(ledger.outbox().unwrap().problems.is_empty());
    assert!(ledger.told().unwrap().is_empty());
    assert!(ledger.verify(None).unwrap().ok);
}

#[test]
fn a_change_of_any_old_row_is_found_after_the_migration() {
    let (home, _) = first_schema();
    drop(home.open());
    let mut cases = 0;
    for table in tables_of(1) {
        for column in [&["seq"], table.columns].concat() {
            for end in ["min", "max"] {
                let sealed = if table.name == "message_event" { "WHERE seq < 5" } else { "" };
                let problems = tampered(&home, |raw| {
                    let place = format!("seq = (SELECT {end}(seq) FROM {} {sealed})", table.name);
                    let sql = format!("SELECT {column} FROM {} WHERE {place}", table.name);
                    let now = match raw.query_row(&sql, [], |row| row.get(0)).unwrap() {
                        Value::Integer(number) => Value::Integer(number + 1000),
                        Value::Text(text) => Value::Text(format!("{text} ")),
                        _ => Value::Text("1".into()),
                    };
                    raw.execute(&format!("UPDATE {} SET {column} = ?1 WHERE {place}", table.name), [now]).unwrap();
                });
                assert!(problems.is_some(), "{}.{column} of the {end} row", table.name);
                cases += 1;
            }
        }
    }
    assert!(cases > 80);
}

/// The newest seal, made anew over the old tables alone by somebody who knows the encoding.
fn sealed_anew_over_fewer(home: &Home) -> Option<Vec<String>> {
    tampered(home, |raw| {
        let ledger: String =
            raw.query_row("SELECT value FROM meta WHERE name = 'ledger'", [], |row| row.get(0)).unwrap();
        let newest = seal::last(raw).unwrap().unwrap();
        raw.execute("DELETE FROM seal WHERE seq = ?1", [newest.sequence]).unwrap();
        write_over(tables_of(1), raw, &LedgerId::new(ledger), newest.scan, &newest.tool_version).unwrap();
    })
}

#[test]
fn no_seal_covers_less_than_the_one_before() {
    let (home, _) = first_schema();
    let mut ledger = home.open();
    Scan::new(5).run(&mut ledger);
    Scan::new(6).run(&mut ledger);
    drop(ledger);
    let problems = sealed_anew_over_fewer(&home).expect("found");
    assert!(problems.iter().any(|p| p == "seal 5 does not cover delivery_event"), "{problems:?}");
    let widths = |raw: &Connection| -> Vec<i64> {
        let mut query = raw.prepare("SELECT json_array_length(ranges) FROM seal ORDER BY seq").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(widths(&home.raw()), [8, 8, 8, 10, 10]);
    assert_eq!(EVENT_TABLES.len(), 10);
}
