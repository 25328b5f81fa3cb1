//! The tables and their migrations.
//!
//! A table's columns enter the seals, so a migration never adds a column to an event table: it adds a table.

use rusqlite::{Connection, TransactionBehavior};

use super::error::Fault;

/// Tells a ledger from every other SQLite database: `DrLg`.
pub(super) const APPLICATION_ID: i32 = 0x4472_4C67;

/// Each step brings the schema from its index to its index plus one.
pub(super) const MIGRATIONS: &[&str] = &[V1];

/// An append-only table: its rows are sealed in the order of `seq`, which has no holes.
pub(super) struct EventTable {
    pub(super) name: &'static str,
    /// All columns after `seq`, in the order in which a seal reads them.
    pub(super) columns: &'static [&'static str],
}

/// What a seal covers, in the seal's order. Fixed for the seal's version.
pub(super) const EVENT_TABLES: &[EventTable] = &[
    EventTable { name: "meta", columns: &["name", "value"] },
    EventTable { name: "scan", columns: &["started_at", "tool_version", "scope"] },
    EventTable {
        name: "scan_finished",
        columns: &["scan", "outcome", "finished_at", "why", "summary", "gaps", "exclusions"],
    },
    EventTable {
        name: "object_state",
        columns: &["scan", "cluster", "api_group", "kind", "namespace", "name", "state", "target"],
    },
    EventTable {
        name: "finding_event",
        columns: &["scan", "fingerprint", "kind", "content", "cluster", "target", "how", "finding"],
    },
    EventTable { name: "message_event", columns: &["scan", "message", "kind", "receiver", "at", "text"] },
    EventTable { name: "config_event", columns: &["scan", "subject", "state"] },
    EventTable { name: "sighting", columns: &["scan", "repository", "revision", "git_commit"] },
];

/// Times are RFC 3339 in UTC. There is no UNIQUE beside the keys: REPLACE deletes through one without firing a trigger where
/// `recursive_triggers` is off. Triggers refuse duplicates instead, on whatever connection.
const V1: &str = "
CREATE TABLE meta (
  seq INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE scan (
  seq INTEGER PRIMARY KEY,
  started_at TEXT NOT NULL,
  tool_version TEXT NOT NULL,
  scope TEXT NOT NULL
) STRICT;

CREATE TABLE scan_finished (
  seq INTEGER PRIMARY KEY,
  scan INTEGER NOT NULL REFERENCES scan(seq),
  outcome TEXT NOT NULL CHECK (outcome IN ('finished', 'failed', 'interrupted')),
  finished_at TEXT NOT NULL,
  why TEXT,
  summary TEXT,
  gaps TEXT,
  exclusions TEXT,
  CHECK ((outcome = 'finished') = (summary IS NOT NULL AND gaps IS NOT NULL AND exclusions IS NOT NULL))
) STRICT;
CREATE INDEX scan_finished_by_scan ON scan_finished(scan);

CREATE TABLE object_state (
  seq INTEGER PRIMARY KEY,
  scan INTEGER NOT NULL REFERENCES scan(seq),
  cluster TEXT NOT NULL,
  api_group TEXT NOT NULL,
  kind TEXT NOT NULL,
  namespace TEXT,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  target TEXT
) STRICT;
CREATE INDEX object_state_by_object ON object_state(cluster, api_group, kind, namespace, name, seq);

CREATE TABLE finding_event (
  seq INTEGER PRIMARY KEY,
  scan INTEGER NOT NULL REFERENCES scan(seq),
  fingerprint TEXT NOT NULL,
  kind TEXT NOT NULL,
  content TEXT NOT NULL,
  cluster TEXT NOT NULL,
  target TEXT,
  how TEXT,
  finding TEXT NOT NULL
) STRICT;
CREATE INDEX finding_event_by_fingerprint ON finding_event(fingerprint, seq);
CREATE INDEX finding_event_by_scan ON finding_event(scan, seq);

CREATE TABLE message_event (
  seq INTEGER PRIMARY KEY,
  scan INTEGER NOT NULL REFERENCES scan(seq),
  message INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('planned', 'sent', 'failed', 'dropped')),
  receiver TEXT NOT NULL,
  at TEXT NOT NULL,
  text TEXT,
  CHECK ((kind = 'planned') = (message = seq))
) STRICT;
CREATE INDEX message_event_by_message ON message_event(message, seq);

CREATE TABLE config_event (
  seq INTEGER PRIMARY KEY,
  scan INTEGER NOT NULL REFERENCES scan(seq),
  subject TEXT NOT NULL,
  state TEXT NOT NULL
) STRICT;

CREATE TABLE sighting (
  seq INTEGER PRIMARY KEY,
  scan INTEGER NOT NULL REFERENCES scan(seq),
  repository TEXT NOT NULL,
  revision TEXT NOT NULL,
  git_commit TEXT NOT NULL
) STRICT;

CREATE TABLE seal (
  seq INTEGER PRIMARY KEY,
  scan INTEGER NOT NULL REFERENCES scan(seq),
  previous TEXT,
  tool_version TEXT NOT NULL,
  ranges TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE INDEX seal_by_scan ON seal(scan);

CREATE TABLE finding_state (
  fingerprint TEXT PRIMARY KEY,
  event INTEGER NOT NULL REFERENCES finding_event(seq),
  open INTEGER NOT NULL CHECK (open IN (0, 1)),
  known INTEGER NOT NULL CHECK (known IN (0, 1)),
  first_scan INTEGER NOT NULL REFERENCES scan(seq),
  last_scan INTEGER NOT NULL REFERENCES scan(seq),
  scans INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER meta_once BEFORE INSERT ON meta WHEN EXISTS (SELECT 1 FROM meta WHERE name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: meta'); END;
CREATE TRIGGER scan_finished_once BEFORE INSERT ON scan_finished
WHEN EXISTS (SELECT 1 FROM scan_finished WHERE scan = NEW.scan)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: scan_finished'); END;
CREATE TRIGGER seal_once BEFORE INSERT ON seal WHEN EXISTS (SELECT 1 FROM seal WHERE scan = NEW.scan)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: seal'); END;
";

/// The triggers that every append-only table of version 1 has. In a BEFORE INSERT trigger `NEW.seq` is the given value, or
/// undefined where none is given: rows are inserted with an explicit `seq`.
fn append_only(table: &str) -> String {
    ["UPDATE", "DELETE"]
        .iter()
        .map(|verb| {
            format!(
                "CREATE TRIGGER {table}_no_{} BEFORE {verb} ON {table}\n\
                 BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table}'); END;\n",
                verb.to_lowercase()
            )
        })
        .chain([format!(
            "CREATE TRIGGER {table}_in_order BEFORE INSERT ON {table}\n\
             WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM {table})\n\
             BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table}'); END;\n"
        )])
        .collect()
}

/// The schema's version as the file has it.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The newest version of `migrations`.
pub(super) fn newest(migrations: &[&str]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}

/// Applies what is missing, all in one transaction. The caller has looked whether the version is one that this program knows.
pub(super) fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), Fault> {
    let found = version(connection)?;
    if found == newest(migrations) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (from, step) in migrations.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
        if from == 0 {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            for table in EVENT_TABLES.iter().map(|table| table.name).chain(["seal"]) {
                transaction.execute_batch(&append_only(table))?;
            }
        }
    }
    transaction.pragma_update(None, "user_version", newest(migrations))?;
    transaction.commit()?;
    Ok(())
}

/// Everything that the schema consists of, for comparison: a dropped trigger shows.
pub(super) fn objects(connection: &Connection) -> rusqlite::Result<Vec<(String, String, Option<String>)>> {
    connection
        .prepare("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}
