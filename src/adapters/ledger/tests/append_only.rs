use rusqlite::Connection;

use super::super::schema::EVENT_TABLES;
use super::fixtures::{Home, begin, full_record};
use crate::model::delivery::{Attempt, Receipt};

fn tables() -> Vec<&'static str> {
    EVENT_TABLES.iter().map(|table| table.name).chain(["seal"]).collect()
}

fn columns(connection: &Connection, table: &str) -> Vec<String> {
    let mut query = connection.prepare(&format!("PRAGMA table_info({table})")).unwrap();
    query.query_map([], |row| row.get(1)).unwrap().map(Result::unwrap).collect()
}

/// Tried on an outside connection, where `recursive_triggers` is off and ours is not in force.
#[test]
fn no_statement_changes_removes_or_replaces_a_row() {
    let home = Home::new();
    let mut ledger = home.open();
    for minute in 1..=2 {
        let id = begin(&mut ledger, minute);
        let record = full_record(&ledger, id, minute);
        ledger.record(record).unwrap();
    }
    let message = ledger.outbox().unwrap().messages[0].id;
    ledger.begin_attempt(message, super::fixtures::at(3)).unwrap();
    ledger.record_attempt(message, super::fixtures::at(3), &Attempt::Taken(Receipt::default()), None).unwrap();
    for recursive in ["OFF", "ON"] {
        let raw = home.raw();
        raw.execute_batch(&format!("PRAGMA recursive_triggers = {recursive}; PRAGMA foreign_keys = OFF")).unwrap();
        for table in tables() {
            let columns = columns(&raw, table);
            let rest = columns[1..].join(", ");
            let count = |raw: &Connection| -> (i64, i64) {
                raw.query_row(&format!("SELECT count(*), max(seq) FROM {table}"), [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .unwrap()
            };
            let before = count(&raw);
            assert!(before.0 >= 1, "{table} is empty");
            let mut attempts = vec![
                format!("UPDATE {table} SET seq = seq"),
                format!("DELETE FROM {table} WHERE seq = 1"),
                format!("DELETE FROM {table}"),
                format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE seq = 1"),
                format!("REPLACE INTO {table} SELECT * FROM {table} WHERE seq = (SELECT max(seq) FROM {table})"),
                format!(
                    "INSERT INTO {table} SELECT * FROM {table} WHERE seq = 1 ON CONFLICT DO UPDATE SET seq = excluded.seq"
                ),
                format!("INSERT INTO {table} (seq, {rest}) SELECT max(seq) + 2, {rest} FROM {table}"),
                format!("INSERT INTO {table} (seq, {rest}) SELECT 0, {rest} FROM {table} WHERE seq = 1"),
                format!("INSERT INTO {table} (seq, {rest}) SELECT -1, {rest} FROM {table} WHERE seq = 1"),
                format!("INSERT INTO {table} ({rest}) SELECT {rest} FROM {table} WHERE seq = 1"),
            ];
            attempts
                .extend(columns.iter().map(|column| format!("UPDATE {table} SET {column} = {column} WHERE seq = 1")));
            // Tables with one row to a name or scan: a row in order is refused too.
            if ["meta", "scan_finished", "seal"].contains(&table) {
                let next = format!("(SELECT max(seq) + 1 FROM {table})");
                attempts.push(format!(
                    "INSERT OR REPLACE INTO {table} (seq, {rest}) SELECT {next}, {rest} FROM {table} WHERE seq = 1"
                ));
            }
            for attempt in attempts {
                let error = raw.execute(&attempt, []).expect_err(&attempt).to_string();
                assert!(error.contains("append-only"), "{attempt}: {error}");
                assert_eq!(count(&raw), before, "{attempt}");
            }
        }
    }
    assert!(ledger.verify(None).unwrap().ok);
}

#[test]
fn every_column_is_sealed() {
    let home = Home::new();
    let ledger = home.open();
    for table in EVENT_TABLES {
        let mut sealed = vec!["seq".to_owned()];
        sealed.extend(table.columns.iter().map(|&column| column.to_owned()));
        assert_eq!(columns(&ledger.connection, table.name), sealed, "{}", table.name);
    }
    let mut query =
        ledger.connection.prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict").unwrap();
    let mut all: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut known: Vec<&str> = tables();
    known.extend(["finding_state", "told_state"]);
    all.sort();
    known.sort_unstable();
    assert_eq!(all, known);
}
