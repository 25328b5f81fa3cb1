//! The tables and their migrations.
//!
//! A table's columns enter the seals, so a migration never adds a column to an event table: it adds a table.

use rusqlite::{Connection, TransactionBehavior};

use super::error::Fault;

/// Tells a ledger from every other SQLite database: `DrLg`.
pub(super) const APPLICATION_ID: i32 = 0x4472_4C67;

/// Each step brings the schema from its index to its index plus one.
pub(super) const MIGRATIONS: &[&str] = &[V1, V2];

/// An append-only table: its rows are sealed in the order of `seq`, which has no holes.
pub(super) struct EventTable {
    pub(super) name: &'static str,
    /// All columns after `seq`, in the order in which a seal reads them.
    pub(super) columns: &'static [&'static str],
    /// The version of the schema that brought it: seals of older ledgers do not cover it.
    pub(super) since: i64,
}

/// What a seal covers, in the seal's order. Tables are only ever added, at the end.
pub(super) const EVENT_TABLES: &[EventTable] = &[
    event_table("meta", 1, &["name", "value"]),
    event_table("scan", 1, &["started_at", "tool_version", "scope"]),
    event_table("scan_finished", 1, &["scan", "outcome", "finished_at", "why", "summary", "gaps", "exclusions"]),
    event_table("object_state", 1, &["scan", "cluster", "api_group", "kind", "namespace", "name", "state", "target"]),
    event_table("finding_event", 1, &["scan", "fingerprint", "kind", "content", "cluster", "target", "how", "finding"]),
    event_table("message_event", 1, &["scan", "message", "kind", "receiver", "at", "text"]),
    event_table("config_event", 1, &["scan", "subject", "state"]),
    event_table("sighting", 1, &["scan", "repository", "revision", "git_commit"]),
    event_table("delivery_event", 2, &["message", "kind", "at", "detail"]),
    event_table("mark_event", 2, &["scan", "message", "route", "subject", "state"]),
];

const fn event_table(name: &'static str, since: i64, columns: &'static [&'static str]) -> EventTable {
    EventTable { name, columns, since }
}

/// The triggers that every append-only table has. In a BEFORE INSERT trigger `NEW.seq` is the given value, or undefined where none is
/// given: rows are inserted with an explicit `seq`.
macro_rules! append_only {
    ($($table:literal),+) => {
        concat!($(
            "CREATE TRIGGER ", $table, "_no_update BEFORE UPDATE ON ", $table,
            "\nBEGIN SELECT RAISE(ABORT, 'the ledger is append-only: ", $table, "'); END;\n",
            "CREATE TRIGGER ", $table, "_no_delete BEFORE DELETE ON ", $table,
            "\nBEGIN SELECT RAISE(ABORT, 'the ledger is append-only: ", $table, "'); END;\n",
            "CREATE TRIGGER ", $table, "_in_order BEFORE INSERT ON ", $table,
            "\nWHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM ", $table, ")",
            "\nBEGIN SELECT RAISE(ABORT, 'the ledger is append-only: ", $table, "'); END;\n",
        )+)
    };
}

/// Times are RFC 3339 in UTC. There is no UNIQUE beside the keys: REPLACE deletes through one without firing a trigger where
/// `recursive_triggers` is off. Triggers refuse duplicates instead, on whatever connection.
const V1: &str = concat!(
    "
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
",
    append_only!(
        "meta",
        "scan",
        "scan_finished",
        "object_state",
        "finding_event",
        "message_event",
        "config_event",
        "sighting",
        "seal"
    )
);

/// The outbox. `message_event` keeps what is planned; what happens to it is a `delivery_event`. A plan's texts are found through indexes
/// that a damaged row does not break.
const V2: &str = concat!(
    "
CREATE TABLE delivery_event (
  seq INTEGER PRIMARY KEY,
  message INTEGER NOT NULL REFERENCES message_event(seq),
  kind TEXT NOT NULL CHECK (kind IN ('begun', 'sent', 'later', 'dead', 'dropped', 'retried')),
  at TEXT NOT NULL,
  detail TEXT,
  CHECK ((kind IN ('begun', 'retried')) = (detail IS NULL))
) STRICT;
CREATE INDEX delivery_event_by_message ON delivery_event(message, seq, kind);

CREATE TABLE mark_event (
  seq INTEGER PRIMARY KEY,
  scan INTEGER NOT NULL REFERENCES scan(seq),
  message INTEGER REFERENCES message_event(seq),
  route TEXT NOT NULL,
  subject TEXT NOT NULL,
  state TEXT
) STRICT;
CREATE INDEX mark_event_by_message ON mark_event(message, seq);

CREATE TABLE told_state (
  route TEXT NOT NULL,
  subject TEXT NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (route, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX scan_by_start ON scan(started_at);
CREATE INDEX message_event_by_key ON message_event(CASE WHEN json_valid(text) THEN text ->> '$.key' END)
WHERE kind = 'planned';
CREATE INDEX message_event_by_thread
ON message_event(receiver, CASE WHEN json_valid(text) THEN text ->> '$.notice.thread.key' END) WHERE kind = 'planned';

CREATE TRIGGER message_event_planned BEFORE INSERT ON message_event WHEN NEW.kind <> 'planned'
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: message_event'); END;
CREATE TRIGGER message_event_key_once BEFORE INSERT ON message_event
WHEN EXISTS (SELECT 1 FROM message_event WHERE kind = 'planned'
  AND CASE WHEN json_valid(text) THEN text ->> '$.key' END
    = CASE WHEN json_valid(NEW.text) THEN NEW.text ->> '$.key' END)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: message_event'); END;
CREATE TRIGGER delivery_event_follows BEFORE INSERT ON delivery_event
WHEN NOT EXISTS (SELECT 1 FROM message_event WHERE seq = NEW.message AND kind = 'planned')
  OR EXISTS (SELECT 1 FROM message_event WHERE message = NEW.message AND kind IN ('sent', 'dropped'))
  OR CASE (SELECT kind FROM delivery_event WHERE message = NEW.message ORDER BY seq DESC LIMIT 1)
    WHEN 'sent' THEN 1
    WHEN 'dropped' THEN 1
    WHEN 'dead' THEN NEW.kind NOT IN ('retried', 'dropped')
    WHEN 'begun' THEN NEW.kind = 'retried'
    ELSE NEW.kind NOT IN ('begun', 'dropped')
  END
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: delivery_event'); END;
",
    append_only!("delivery_event", "mark_event")
);

/// The schema's version as the file has it.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The event tables of a version of the schema.
pub(super) fn tables_of(version: i64) -> &'static [EventTable] {
    let count = EVENT_TABLES.iter().take_while(|table| table.since <= version).count();
    &EVENT_TABLES[..count]
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
