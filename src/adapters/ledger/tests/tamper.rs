use std::fs;

use rusqlite::Connection;
use rusqlite::types::Value;
use sha2::{Digest as _, Sha256};

use super::super::open::Ledger;
use super::super::schema::EVENT_TABLES;
use super::fixtures::{Home, Scan, at, begin, event, finding, full_record};
use crate::adapters::ledger::LedgerError;
use crate::model::canonical::hex;
use crate::model::delivery::{Attempt, Receipt};
use crate::model::record::FindingEventKind::{Resolved, Unknown};
use crate::model::report::Seal;

fn attempts() -> [Attempt; 3] {
    [
        Attempt::Taken(Receipt { says: Some("250 ok".into()), ..Receipt::default() }),
        Attempt::Unanswered { why: "no answer to DATA".into() },
        Attempt::Refused { why: "550 no such user".into(), hint: None },
    ]
}

/// A ledger with something in every table, all of it sealed.
fn sealed() -> (Home, Vec<Seal>) {
    let home = Home::new();
    let mut ledger = home.open();
    let mut seals = Vec::new();
    for minute in 1..=3 {
        let id = begin(&mut ledger, minute);
        let record = full_record(&ledger, id, minute);
        seals.push(ledger.record(record).unwrap());
    }
    for (message, attempt) in ledger.outbox().unwrap().messages.iter().zip(attempts()) {
        ledger.begin_attempt(message.id, at(4)).unwrap();
        ledger.record_attempt(message.id, at(4), &attempt, Some(at(5))).unwrap();
    }
    begin(&mut ledger, 4);
    let failed = begin(&mut ledger, 5);
    seals.push(ledger.fail_scan(failed, at(5), "nothing could be read").unwrap());
    let mut last = Scan::new(6);
    last.events.push(event(Resolved, finding("api-1", 5)));
    last.events.push(event(Unknown, finding("api-2", 5)));
    seals.push(last.run(&mut ledger).1);
    assert_eq!(ledger.verify(None).unwrap().unsealed_rows, 0);
    (home, seals)
}

/// Changes a copy of the ledger behind its back, triggers put aside and put back, and gives what verifying says: `None` if it
/// finds nothing wrong.
pub(super) fn tampered(home: &Home, change: impl FnOnce(&Connection)) -> Option<Vec<String>> {
    let copy = Home::new();
    fs::copy(&home.path, &copy.path).unwrap();
    let raw = copy.raw();
    raw.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        .unwrap();
    let mut query = raw.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid").unwrap();
    let triggers: Vec<(String, String)> =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    drop(query);
    for (name, _) in &triggers {
        raw.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    change(&raw);
    for (_, sql) in &triggers {
        raw.execute_batch(sql).unwrap();
    }
    raw.close().unwrap();
    let reader = match Ledger::open_read_only(&copy.path, None) {
        Ok(reader) => reader,
        Err(LedgerError::Broken { what, .. }) => return Some(vec![what]),
        Err(other) => panic!("{other:?}"),
    };
    let verification = reader.verify(None).unwrap();
    assert_eq!(verification.ok, verification.problems.is_empty());
    assert!(!verification.problems.iter().any(|problem| problem.contains("schema")), "{:?}", verification.problems);
    (!verification.ok).then_some(verification.problems)
}

fn tables() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut tables: Vec<_> =
        EVENT_TABLES.iter().map(|table| (table.name, [&["seq"], table.columns].concat())).collect();
    tables.push(("seal", vec!["seq", "scan", "previous", "tool_version", "ranges", "hash"]));
    tables
}

#[test]
fn a_ledger_that_nobody_touched_verifies() {
    let (home, _) = sealed();
    assert_eq!(tampered(&home, |_| {}), None);
}

#[test]
fn a_change_of_any_column_is_found() {
    let (home, _) = sealed();
    let mut tables = tables();
    tables.push(("finding_state", vec!["fingerprint", "event", "open", "known", "first_scan", "last_scan", "scans"]));
    tables.push(("told_state", vec!["subject", "route", "state"]));
    let mut cases = 0;
    for (table, columns) in tables {
        let key = columns[0];
        for column in columns {
            for end in ["min", "max"] {
                let mut was = Value::Null;
                let problems = tampered(&home, |raw| {
                    let place = format!("{key} = (SELECT {end}({key}) FROM {table})");
                    was = raw
                        .query_row(&format!("SELECT {column} FROM {table} WHERE {place}"), [], |row| row.get(0))
                        .unwrap();
                    let now = match &was {
                        Value::Integer(number) => Value::Integer(number + 1000),
                        Value::Text(text) => Value::Text(format!("{text} ")),
                        Value::Null => Value::Text("1".into()),
                        other => panic!("{table}.{column} holds {other:?}"),
                    };
                    let changed =
                        raw.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {place}"), [now]).unwrap();
                    assert_eq!(changed, 1);
                });
                assert!(problems.is_some(), "{table}.{column} of the {end} row, which was {was:?}");
                cases += 1;
            }
        }
    }
    assert!(cases > 100);
}

#[test]
fn a_small_change_of_a_state_is_found() {
    let (home, _) = sealed();
    for column in ["scans", "open", "known"] {
        let problems = tampered(&home, |raw| {
            let flipped = if column == "scans" { "scans + 1".into() } else { format!("1 - {column}") };
            let first = "fingerprint = (SELECT min(fingerprint) FROM finding_state)";
            raw.execute(&format!("UPDATE finding_state SET {column} = {flipped} WHERE {first}"), []).unwrap();
        });
        assert_eq!(problems.map(|p| p.len()), Some(1), "{column}");
    }
}

#[test]
fn a_row_taken_out_is_found_wherever_it_stood() {
    let (home, _) = sealed();
    for (table, _) in tables() {
        let rows: i64 = home.raw().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        for seq in 1..=rows {
            let problems = tampered(&home, |raw| {
                assert_eq!(raw.execute(&format!("DELETE FROM {table} WHERE seq = ?1"), [seq]).unwrap(), 1);
            });
            assert!(problems.is_some(), "{table} row {seq}");
        }
    }
}

#[test]
fn a_row_put_in_is_found() {
    let (home, _) = sealed();
    for (table, columns) in tables() {
        let rest = columns[1..].join(", ");
        for place in ["max(seq) + 1", "max(seq) + 5", "0", "-3"] {
            let problems = tampered(&home, |raw| {
                let copy = format!("SELECT {rest} FROM {table} WHERE seq = 1");
                let sql =
                    format!("INSERT INTO {table} (seq, {rest}) SELECT (SELECT {place} FROM {table}), * FROM ({copy})");
                assert_eq!(raw.execute(&sql, []).unwrap(), 1);
            });
            // A scan that began and never ended is what a kill leaves behind: nothing can tell the two apart.
            let like_a_kill = table == "scan" && place == "max(seq) + 1";
            assert_eq!(problems.is_some(), !like_a_kill, "{table} at {place}");
        }
    }
}

/// The encoding of the first scan's seal, written out a second time: it stands in ledgers and may never change. `rows`: the last row of
/// each table under the seal.
pub(super) fn first_seal(raw: &Connection, rows: &[(&str, i64)]) -> String {
    let part = |out: &mut Vec<u8>, bytes: &[u8]| {
        out.extend((bytes.len() as u64).to_be_bytes());
        out.extend(bytes);
    };
    let number = |out: &mut Vec<u8>, n: i64| part(out, &n.to_be_bytes());
    let sha = |bytes: &[u8]| hex(&Sha256::digest(bytes));
    let ledger: String = raw.query_row("SELECT value FROM meta WHERE name = 'ledger'", [], |row| row.get(0)).unwrap();
    let mut input = Vec::new();
    part(&mut input, b"driftledger/seal/v1");
    part(&mut input, ledger.as_bytes());
    number(&mut input, 1);
    number(&mut input, 0);
    for &(table, last) in rows {
        let mut root = Vec::new();
        part(&mut root, b"driftledger/rows/v1");
        part(&mut root, table.as_bytes());
        let mut query = raw.prepare(&format!("SELECT * FROM {table} WHERE seq <= {last} ORDER BY seq")).unwrap();
        let columns = query.column_count();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get::<_, Value>(column).unwrap() {
                    Value::Null => number(&mut root, 0),
                    Value::Integer(n) => {
                        number(&mut root, 1);
                        number(&mut root, n);
                    }
                    Value::Text(text) => {
                        number(&mut root, 3);
                        part(&mut root, text.as_bytes());
                    }
                    other => panic!("{table} holds {other:?}"),
                }
            }
        }
        part(&mut input, table.as_bytes());
        for n in [1, last, last] {
            number(&mut input, n);
        }
        part(&mut input, sha(&root).as_bytes());
    }
    number(&mut input, 1);
    part(&mut input, b"0.1.0-test");
    sha(&input)
}

/// What a first scan of [`full_record`] writes in the tables of the first schema.
pub(super) const FIRST_ROWS: [(&str, i64); 8] = [
    ("meta", 4),
    ("scan", 1),
    ("scan_finished", 1),
    ("object_state", 2),
    ("finding_event", 2),
    ("message_event", 1),
    ("config_event", 1),
    ("sighting", 1),
];

#[test]
fn seals_are_what_the_documentation_says() {
    let (home, seals) = sealed();
    let rows = [&FIRST_ROWS[..], &[("delivery_event", 0), ("mark_event", 2)]].concat();
    assert_eq!(first_seal(&home.raw(), &rows), seals[0].hash);
}

#[test]
fn swapped_rows_are_found() {
    let (home, _) = sealed();
    let problems = tampered(&home, |raw| {
        raw.execute_batch(
            "UPDATE finding_event SET seq = -1 WHERE seq = 1; UPDATE finding_event SET seq = 1 WHERE seq = 2; \
             UPDATE finding_event SET seq = 2 WHERE seq = -1",
        )
        .unwrap();
    });
    assert!(
        problems.is_some_and(|p| p.iter().any(|p| p.contains("finding_event rows 1 to 2 are not as they were sealed")))
    );
}

/// Whoever knows the encoding can seal anew; only a hash from outside shows it.
#[test]
fn the_anchor_tells_a_rewritten_or_shortened_chain() {
    let (home, seals) = sealed();
    let verify = |home: &Home, anchor: &str| home.reader().verify(Some(anchor)).unwrap();
    for seal in &seals {
        assert_eq!(verify(&home, &seal.hash).anchor_found, Some(true));
        assert!(verify(&home, &format!(" {}\n", seal.hash.to_uppercase())).ok);
    }
    for wrong in ["", "abc", &seals[0].hash[..63], &"0".repeat(64)] {
        let verification = verify(&home, wrong);
        assert_eq!((verification.ok, verification.anchor_found), (false, Some(false)), "{wrong}");
    }
    assert_eq!(home.reader().verify(None).unwrap().last_seal.as_ref(), seals.last());

    // The last scan cut off, and the table of states made to fit.
    let last = seals.len();
    let cut = Home::new();
    fs::copy(&home.path, &cut.path).unwrap();
    fs::copy(home.beside(".key"), cut.beside(".key")).unwrap();
    let raw = cut.raw();
    raw.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    let mut triggers: Vec<(String, String)> = Vec::new();
    let mut query = raw.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    for row in query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap() {
        triggers.push(row.unwrap());
    }
    drop(query);
    let scan: i64 = raw.query_row("SELECT scan FROM seal ORDER BY seq DESC LIMIT 1", [], |row| row.get(0)).unwrap();
    for (name, _) in &triggers {
        raw.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    raw.execute_batch(&format!(
        "DELETE FROM seal WHERE scan = {scan}; DELETE FROM finding_event WHERE scan = {scan}; \
         DELETE FROM scan_finished WHERE scan = {scan}; DELETE FROM scan WHERE seq = {scan}; DELETE FROM finding_state"
    ))
    .unwrap();
    for (_, sql) in &triggers {
        raw.execute_batch(sql).unwrap();
    }
    raw.close().unwrap();
    cut.open().rebuild_projection().unwrap();
    assert!(cut.reader().verify(None).unwrap().ok, "the rest of the chain is whole");
    assert!(verify(&cut, &seals[last - 2].hash).ok);
    assert_eq!(verify(&cut, &seals[last - 1].hash).anchor_found, Some(false));
}

#[test]
fn a_change_of_the_schema_is_found() {
    let (home, _) = sealed();
    for change in
        ["DROP TRIGGER scan_no_delete", "DROP INDEX seal_by_scan", "CREATE TABLE more (a)", "CREATE VIEW v AS SELECT 1"]
    {
        let copy = Home::new();
        fs::copy(&home.path, &copy.path).unwrap();
        copy.raw().execute_batch(change).unwrap();
        let verification = copy.reader().verify(None).unwrap();
        assert_eq!(verification.problems.len(), 1, "{change}: {:?}", verification.problems);
    }
}

/// Every row of every table, and the schema.
fn dump(raw: &Connection) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    let names = tables().into_iter().map(|(table, _)| table).chain(["finding_state", "told_state", "sqlite_schema"]);
    for table in names {
        let mut query = raw.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = query.column_count();
        let rows = query.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
        all.extend(rows.map(Result::unwrap));
    }
    all
}

#[test]
fn damage_to_the_file_is_found_unless_it_hit_nothing() {
    let (home, _) = sealed();
    let whole = fs::read(&home.path).unwrap();
    let content = dump(&home.raw());
    let mut found = 0;
    for at in (101..whole.len() - 64).step_by(1499) {
        let copy = Home::new();
        let mut bytes = whole.clone();
        for byte in &mut bytes[at..at + 64] {
            *byte ^= 0x5a;
        }
        fs::write(&copy.path, bytes).unwrap();
        if Ledger::open_read_only(&copy.path, None).is_ok_and(|reader| reader.verify(None).is_ok_and(|v| v.ok)) {
            // Room between cells and leftovers of freed ones hold nothing.
            assert_eq!(dump(&copy.raw()), content, "64 bytes from {at} of {}", whole.len());
        } else {
            found += 1;
        }
    }
    assert!(found >= 15, "{found}");
}
