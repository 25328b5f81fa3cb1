//! Seals: each hashes the rows written since the one before it and that one's hash, so that no row can be changed, taken out
//! or put in without every later seal being wrong.
//!
//! ```text
//! hash   = SHA-256 (domain, ledger, sequence, previous?, for each event table: name, first, last, count, root; scan, tool version)
//! root   = SHA-256 (domain, table, for each row: its columns as type and bytes, `seq` first)
//! ```
//! All parts are length-prefixed, see [`crate::model::canonical`]. A stretch without rows has `last = first - 1`. A seal covers the tables of
//! the schema that it was made with.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::error::Fault;
use super::schema::{EVENT_TABLES, EventTable};
use super::text::{json, read_json};
use crate::model::canonical::Canonical;
use crate::model::ids::LedgerId;
use crate::model::report::Seal;

const SEAL: &str = "driftledger/seal/v1";
const ROWS: &str = "driftledger/rows/v1";

/// A stretch of one table under a seal; as JSON `["scan", 7, 7, "<root>"]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Range(pub(super) String, pub(super) i64, pub(super) i64, pub(super) Option<String>);

/// A seal as its row has it.
#[derive(Clone, Debug)]
pub(super) struct SealRow {
    pub(super) sequence: i64,
    pub(super) scan: i64,
    pub(super) previous: Option<String>,
    pub(super) tool_version: String,
    pub(super) ranges: String,
    pub(super) hash: String,
}

/// Rows of a table as they are now.
pub(super) struct Stretch {
    pub(super) table: &'static str,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: i64,
    pub(super) root: String,
}

impl Stretch {
    /// Hashes the rows `first..=last`.
    pub(super) fn read(connection: &Connection, table: &EventTable, first: i64, last: i64) -> rusqlite::Result<Self> {
        let mut root = Canonical::new(ROWS).text(table.name);
        let mut count = 0;
        if first <= last {
            let columns = table.columns.join(", ");
            let sql = format!("SELECT seq, {columns} FROM {} WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq", table.name);
            let mut query = connection.prepare_cached(&sql)?;
            let mut rows = query.query([first, last])?;
            while let Some(row) = rows.next()? {
                count += 1;
                for column in 0..=table.columns.len() {
                    root = match row.get_ref(column)? {
                        ValueRef::Null => root.number(0),
                        ValueRef::Integer(number) => root.number(1).number(number),
                        ValueRef::Real(number) => root.number(2).bytes(&number.to_bits().to_be_bytes()),
                        ValueRef::Text(text) => root.number(3).bytes(text),
                        ValueRef::Blob(bytes) => root.number(4).bytes(bytes),
                    };
                }
            }
        }
        Ok(Self { table: table.name, first, last, count, root: root.finish_hex() })
    }

    /// As the seal's row keeps it: a root is kept only where there are rows, so that `verify` can say which table differs.
    pub(super) fn range(&self) -> Range {
        Range(self.table.to_owned(), self.first, self.last, (self.count > 0).then(|| self.root.clone()))
    }
}

/// The seal's hash.
pub(super) fn hash(ledger: &LedgerId, seal: &SealRow, stretches: &[Stretch]) -> String {
    let mut hash = Canonical::new(SEAL).text(ledger.as_str()).number(seal.sequence).optional(seal.previous.as_deref());
    for s in stretches {
        hash = hash.text(s.table).number(s.first).number(s.last).number(s.count).text(&s.root);
    }
    hash.number(seal.scan).text(&seal.tool_version).finish_hex()
}

/// Seals everything since the last seal. Part of the transaction that wrote the scan.
pub(super) fn write(connection: &Connection, ledger: &LedgerId, scan: i64, tool_version: &str) -> Result<Seal, Fault> {
    write_over(EVENT_TABLES, connection, ledger, scan, tool_version)
}

/// The same over these tables alone.
pub(super) fn write_over(
    tables: &[EventTable],
    connection: &Connection,
    ledger: &LedgerId,
    scan: i64,
    tool_version: &str,
) -> Result<Seal, Fault> {
    let before = last(connection)?;
    let sealed = match &before {
        Some(seal) => read_json::<Vec<Range>>(&seal.ranges, "the ranges of seal", seal.sequence)?,
        None => Vec::new(),
    };
    let mut stretches = Vec::with_capacity(tables.len());
    for table in tables {
        let first = sealed.iter().find(|range| range.0 == table.name).map_or(0, |range| range.2).saturating_add(1);
        let last = newest_row(connection, table.name)?;
        stretches.push(Stretch::read(connection, table, first, last)?);
    }
    let ranges = json(&stretches.iter().map(Stretch::range).collect::<Vec<_>>())?;
    let mut seal = SealRow {
        sequence: before.as_ref().map_or(0, |seal| seal.sequence).saturating_add(1),
        scan,
        previous: before.map(|seal| seal.hash),
        tool_version: tool_version.to_owned(),
        ranges,
        hash: String::new(),
    };
    seal.hash = hash(ledger, &seal, &stretches);
    connection
        .prepare_cached(
            "INSERT INTO seal (seq, scan, previous, tool_version, ranges, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![seal.sequence, seal.scan, seal.previous, seal.tool_version, seal.ranges, seal.hash])?;
    Ok(Seal { sequence: seal.sequence, hash: seal.hash })
}

/// The number of a table's newest row; 0 if it is empty.
pub(super) fn newest_row(connection: &Connection, table: &str) -> rusqlite::Result<i64> {
    connection.prepare_cached(&format!("SELECT coalesce(max(seq), 0) FROM {table}"))?.query_row([], |row| row.get(0))
}

/// The newest seal.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<SealRow>> {
    connection.prepare_cached(&format!("{SELECT} ORDER BY seq DESC LIMIT 1"))?.query_row([], read_row).optional()
}

/// The seal that a scan wrote.
pub(super) fn of_scan(connection: &Connection, scan: i64) -> rusqlite::Result<Option<Seal>> {
    let row =
        connection.prepare_cached(&format!("{SELECT} WHERE scan = ?1"))?.query_row([scan], read_row).optional()?;
    Ok(row.map(|row| Seal { sequence: row.sequence, hash: row.hash }))
}

pub(super) const SELECT: &str = "SELECT seq, scan, previous, tool_version, ranges, hash FROM seal";

pub(super) fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<SealRow> {
    Ok(SealRow {
        sequence: row.get(0)?,
        scan: row.get(1)?,
        previous: row.get(2)?,
        tool_version: row.get(3)?,
        ranges: row.get(4)?,
        hash: row.get(5)?,
    })
}
