//! Verifying: everything is computed anew from the rows and compared with what the ledger says of itself.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::error::{Fault, LedgerError};
use super::open::LedgerReader;
use super::replay::States;
use super::schema::{self, EVENT_TABLES, MIGRATIONS};
use super::seal::{self, Range, SealRow, Stretch};
use super::text::read_word;
use super::{delivery, outbox, projection, told};
use crate::model::ids::LedgerId;
use crate::model::report::Seal;

/// What verifying found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// True if there is no problem, and the anchor, if one was given, is in the chain.
    pub ok: bool,
    /// Scans that were begun.
    pub scans: u64,
    /// Seals in the chain.
    pub seals: u64,
    /// What is wrong, for people; holds no content of rows.
    pub problems: Vec<String>,
    /// The newest seal.
    pub last_seal: Option<Seal>,
    /// Whether the given anchor is the hash of a seal whose stretch is as it was sealed; `None` without an anchor.
    pub anchor_found: Option<bool>,
    /// Rows that the next seal will cover: a running or interrupted scan's, messages planned after a scan, and what happened to
    /// messages.
    pub unsealed_rows: u64,
}

impl LedgerReader {
    /// Checks the file, the schema, the chain of seals, every sealed row, what may stand after the last seal, what happened to messages,
    /// and the tables of what is open and of what was told. `anchor` is a seal's hash from outside, 64 hex digits: a report or message that somebody kept.
    ///
    /// A chain that is whole proves nothing against someone who wrote the whole file anew, or who cut off its newest scans: an
    /// anchor does.
    ///
    /// # Errors
    /// Only what keeps it from looking; what it finds are problems.
    pub fn verify(&self, anchor: Option<&str>) -> Result<Verification, LedgerError> {
        let mut check = Check::default();
        let looked = self.consistent(|connection| check.everything(connection, self.id()));
        match looked {
            Ok(()) => {}
            Err(LedgerError::Broken { what, .. }) => check.problems.push(what),
            Err(other) => return Err(other),
        }
        let anchor_found = anchor.map(|anchor| {
            let wanted = anchor.trim().to_ascii_lowercase();
            check.hashes.contains(&wanted)
        });
        if anchor_found == Some(false) {
            check
                .problems
                .push("the anchor is not in the chain: it is another ledger's, or this ledger was changed".into());
        }
        Ok(Verification {
            ok: check.problems.is_empty(),
            scans: check.scans.unsigned_abs(),
            seals: check.seals,
            problems: check.problems,
            last_seal: check.last_seal,
            anchor_found,
            unsealed_rows: check.unsealed.unsigned_abs(),
        })
    }
}

#[derive(Default)]
struct Check {
    problems: Vec<String>,
    scans: i64,
    seals: u64,
    /// Hashes as computed from the rows where they are those of the seals.
    hashes: Vec<String>,
    last_seal: Option<Seal>,
    unsealed: i64,
    /// Tables that the newest seal covers.
    covered: usize,
}

impl Check {
    fn everything(&mut self, connection: &Connection, ledger: &LedgerId) -> Result<(), Fault> {
        self.file(connection)?;
        self.schema(connection)?;
        self.scans = connection.query_row("SELECT count(*) FROM scan", [], |row| row.get(0))?;
        let sealed = self.chain(connection, ledger)?;
        self.after_the_last_seal(connection, &sealed)?;
        self.scans_end_in_seals(connection)?;
        self.messages(connection)?;
        self.projection(connection)
    }

    fn file(&mut self, connection: &Connection) -> Result<(), Fault> {
        let mut query = connection.prepare("PRAGMA integrity_check(20)")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let line: String = row.get(0)?;
            if line != "ok" {
                self.problems.push(format!("SQLite: {line}"));
            }
        }
        let mut query =
            connection.prepare("SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1 ORDER BY 1")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let (table, count): (String, i64) = (row.get(0)?, row.get(1)?);
            self.problems.push(format!("{table}: {count} rows refer to rows that do not exist"));
        }
        Ok(())
    }

    /// Compares the schema with one made anew: a dropped trigger shows.
    fn schema(&mut self, connection: &Connection) -> Result<(), Fault> {
        let mut model = Connection::open_in_memory()?;
        schema::migrate(&mut model, MIGRATIONS)?;
        let entry = |(kind, name, sql)| ((kind, name), sql);
        let mut found: BTreeMap<(String, String), Option<String>> =
            schema::objects(connection)?.into_iter().map(entry).collect();
        for (kind, name, sql) in schema::objects(&model)? {
            match found.remove(&(kind.clone(), name.clone())) {
                Some(same) if same == sql => {}
                Some(_) => self.problems.push(format!("the {kind} {name} of the schema was changed")),
                None => self.problems.push(format!("the {kind} {name} of the schema is missing")),
            }
        }
        for (kind, name) in found.keys() {
            self.problems.push(format!("the {kind} {name} does not belong to the schema"));
        }
        Ok(())
    }

    /// Follows the chain; gives the last sealed row of each table.
    fn chain(&mut self, connection: &Connection, ledger: &LedgerId) -> Result<BTreeMap<&'static str, i64>, Fault> {
        let mut sealed: BTreeMap<&'static str, i64> = BTreeMap::new();
        let mut before: Option<SealRow> = None;
        let mut query = connection.prepare(&format!("{} ORDER BY seq", seal::SELECT))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let seal = seal::read_row(row)?;
            let n = seal.sequence;
            if n != before.as_ref().map_or(0, |before| before.sequence).saturating_add(1) {
                self.problems.push(format!("seal {n} does not follow: a seal is missing before it"));
            }
            if seal.previous != before.as_ref().map(|before| before.hash.clone()) {
                self.problems.push(format!("seal {n} does not name the seal before it"));
            }
            self.one_seal(connection, ledger, &seal, &mut sealed)?;
            self.seals += 1;
            self.last_seal = Some(Seal { sequence: n, hash: seal.hash.clone() });
            before = Some(seal);
        }
        Ok(sealed)
    }

    fn one_seal(
        &mut self,
        connection: &Connection,
        ledger: &LedgerId,
        seal: &SealRow,
        sealed: &mut BTreeMap<&'static str, i64>,
    ) -> Result<(), Fault> {
        let n = seal.sequence;
        let problems = self.problems.len();
        let Ok(ranges) = serde_json::from_str::<Vec<Range>>(&seal.ranges) else {
            self.problems.push(format!("seal {n} does not say what it covers"));
            return Ok(());
        };
        // A seal of an older schema covers fewer tables; once one covers more, no later one may cover fewer.
        let tables = (1..=schema::newest(MIGRATIONS))
            .map(schema::tables_of)
            .find(|tables| tables.len() == ranges.len() && tables.len() >= self.covered)
            .unwrap_or(EVENT_TABLES);
        self.covered = tables.len();
        let mut stretches = Vec::with_capacity(tables.len());
        for (position, table) in tables.iter().enumerate() {
            let first = sealed.get(table.name).copied().unwrap_or(0).saturating_add(1);
            let Some(range) = ranges.get(position).filter(|range| range.0 == table.name) else {
                self.problems.push(format!("seal {n} does not cover {}", table.name));
                continue;
            };
            let last = range.2;
            let rows = last.saturating_sub(first).saturating_add(1);
            if range.1 != first || rows < 0 {
                self.problems
                    .push(format!("seal {n}: the rows of {} do not follow those of the seal before", table.name));
            }
            let stretch = Stretch::read(connection, table, first, last)?;
            if stretch.count != rows {
                let missing = rows.saturating_sub(stretch.count);
                self.problems
                    .push(format!("seal {n}: of {} rows {first} to {last}, {missing} are missing", table.name));
            } else if stretch.range() != *range {
                self.problems
                    .push(format!("seal {n}: {} rows {first} to {last} are not as they were sealed", table.name));
            }
            sealed.insert(table.name, last);
            stretches.push(stretch);
        }
        let written = serde_json::to_string(&stretches.iter().map(Stretch::range).collect::<Vec<_>>());
        let same_text = written.is_ok_and(|text| text == seal.ranges);
        if seal::hash(ledger, seal, &stretches) == seal.hash && same_text {
            self.hashes.push(seal.hash.clone());
        } else if self.problems.len() == problems {
            self.problems.push(format!("seal {n} does not have the hash of what it covers"));
        }
        Ok(())
    }

    /// Unsealed rows may only be a running or interrupted scan's, messages planned after a scan, and what happened to messages.
    fn after_the_last_seal(
        &mut self,
        connection: &Connection,
        sealed: &BTreeMap<&'static str, i64>,
    ) -> Result<(), Fault> {
        let planned = sealed.get("message_event").copied().unwrap_or(0);
        let with_a_message = format!("message IN (SELECT seq FROM message_event WHERE seq > {planned})");
        for table in EVENT_TABLES {
            let last = sealed.get(table.name).copied().unwrap_or(0);
            let allowed = match table.name {
                "meta" if self.seals == 0 => "1",
                "scan" => "seq NOT IN (SELECT scan FROM scan_finished WHERE outcome <> 'interrupted')",
                "scan_finished" => "outcome = 'interrupted'",
                "message_event" if self.covered < EVENT_TABLES.len() => {
                    "kind <> 'planned' OR scan IN (SELECT scan FROM seal)"
                }
                "message_event" => "kind = 'planned' AND scan IN (SELECT scan FROM seal)",
                "delivery_event" => "1",
                "mark_event" => &with_a_message,
                _ => "0",
            };
            let (rows, stray, newest): (i64, i64, i64) = connection.query_row(
                &format!(
                    "SELECT count(*), count(*) FILTER (WHERE NOT ({allowed})), coalesce(max(seq), ?1) FROM {} WHERE seq > ?1",
                    table.name
                ),
                [last],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            if stray > 0 {
                self.problems.push(format!("{}: {stray} rows are in no seal", table.name));
            }
            if newest.checked_sub(last) != Some(rows) {
                self.problems.push(format!("{}: rows after {last} are missing", table.name));
            }
            let below: i64 =
                connection
                    .query_row(&format!("SELECT count(*) FROM {} WHERE seq < 1", table.name), [], |row| row.get(0))?;
            if below > 0 {
                self.problems.push(format!("{}: {below} rows have no place in the order", table.name));
            }
            self.unsealed += rows;
        }
        Ok(())
    }

    fn scans_end_in_seals(&mut self, connection: &Connection) -> Result<(), Fault> {
        let unsealed: i64 = connection.query_row(
            "SELECT count(*) FROM scan_finished WHERE outcome <> 'interrupted' AND scan NOT IN (SELECT scan FROM seal)",
            [],
            |row| row.get(0),
        )?;
        if unsealed > 0 {
            self.problems.push(format!("{unsealed} scans ended without a seal"));
        }
        let overtaken: i64 = connection.query_row(
            "SELECT count(*) FROM scan WHERE seq < (SELECT max(seq) FROM scan) AND seq NOT IN (SELECT scan FROM scan_finished)",
            [],
            |row| row.get(0),
        )?;
        if overtaken > 0 {
            self.problems.push(format!("{overtaken} scans never ended, though later ones began"));
        }
        let strange: i64 = connection.query_row(
            "SELECT count(*) FROM seal WHERE scan NOT IN (SELECT scan FROM scan_finished WHERE outcome <> 'interrupted')",
            [],
            |row| row.get(0),
        )?;
        if strange > 0 {
            self.problems.push(format!("{strange} seals belong to no scan that ended"));
        }
        Ok(())
    }

    fn messages(&mut self, connection: &Connection) -> Result<(), Fault> {
        let mut strange = 0;
        let mut before: Option<(i64, delivery::Kind)> = None;
        let mut query =
            connection.prepare("SELECT message, kind, seq FROM delivery_event d ORDER BY message, d.seq")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let message = row.get(0)?;
            let kind = read_word(row.get(1)?, "delivery event", row.get(2)?)?;
            let newest = before.filter(|(of, _)| *of == message).map(|(_, kind)| kind);
            strange += i64::from(!delivery::follows(newest, kind));
            before = Some((message, kind));
        }
        if strange > 0 {
            self.problems
                .push(format!("delivery_event: {strange} rows cannot follow what happened to their messages before"));
        }
        let finished: i64 = connection.query_row(
            "SELECT count(*) FROM message_event o JOIN delivery_event d ON d.message = o.message \
             WHERE o.kind IN ('sent', 'dropped')",
            [],
            |row| row.get(0),
        )?;
        if finished > 0 {
            self.problems.push(format!("delivery_event: {finished} rows are of messages that were done with before"));
        }
        let shared: i64 = connection.query_row(&outbox::shared_keys(), [], |row| row.get(0))?;
        if shared > 0 {
            self.problems.push(format!("message_event: {shared} keys are those of several messages"));
        }
        Ok(())
    }

    fn projection(&mut self, connection: &Connection) -> Result<(), Fault> {
        let from_events: States = projection::replay(connection, i64::MAX)?;
        let table = projection::load(connection)?;
        let rows: i64 = connection.query_row("SELECT count(*) FROM finding_state", [], |row| row.get(0))?;
        if from_events != table || rows != i64::try_from(table.len()).unwrap_or(i64::MAX) {
            self.problems.push("finding_state is not what the events give; it can be rebuilt from them".into());
        }
        if told::replay(connection)? != told::load(connection)? {
            self.problems.push("told_state is not what the marks give; it can be rebuilt from them".into());
        }
        Ok(())
    }
}
