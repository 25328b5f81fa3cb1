//! The table `finding_state`: what is open now, kept so that nobody has to replay the whole ledger to know it.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Deserialize;

use super::error::{Fault, LedgerError};
use super::open::Ledger;
use super::replay::{EventFacts, FindingState, ScanScope, States, apply};
use super::text::{read_json, read_word};
use super::told;
use crate::model::ids::{ClusterName, CommitId, TargetName};

/// The parts of a stored summary that a replay needs.
#[derive(Deserialize)]
struct StoredSummary {
    targets: Vec<StoredTarget>,
    clusters: Vec<StoredCluster>,
}

#[derive(Deserialize)]
struct StoredTarget {
    name: TargetName,
    commit: Option<CommitId>,
}

#[derive(Deserialize)]
struct StoredCluster {
    name: ClusterName,
}

impl StoredSummary {
    fn into_scope(self, scan: i64) -> ScanScope {
        ScanScope {
            scan,
            targets: self.targets.into_iter().map(|t| (t.name, t.commit)).collect(),
            clusters: self.clusters.into_iter().map(|c| c.name).collect(),
        }
    }
}

/// What a finished scan looked at; `None` if there is no such scan.
pub(super) fn scope(connection: &Connection, scan: i64) -> Result<Option<ScanScope>, Fault> {
    let summary: Option<String> = connection
        .prepare_cached("SELECT summary FROM scan_finished WHERE scan = ?1 AND outcome = 'finished'")?
        .query_row([scan], |row| row.get(0))
        .optional()?;
    let read = |text: String| read_json::<StoredSummary>(&text, "the summary of scan", scan);
    Ok(summary.map(read).transpose()?.map(|summary| summary.into_scope(scan)))
}

/// The number of the newest finished scan.
pub(super) fn newest_finished(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT scan FROM scan_finished WHERE outcome = 'finished' ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()
}

/// The states after a scan: the table where it is the newest, else a replay.
pub(super) fn states_after(connection: &Connection, scan: i64) -> Result<States, Fault> {
    if newest_finished(connection)? == Some(scan) { load(connection) } else { replay(connection, scan) }
}

/// The table.
pub(super) fn load(connection: &Connection) -> Result<States, Fault> {
    let mut query = connection.prepare_cached(
        "SELECT s.fingerprint, s.event, e.scan, s.open, s.known, s.first_scan, s.last_scan, s.scans, e.cluster, e.target \
         FROM finding_state s JOIN finding_event e ON e.seq = s.event",
    )?;
    let rows = query.query_map([], |row| {
        let state = FindingState {
            event: row.get(1)?,
            event_scan: row.get(2)?,
            open: flag(row, 3)?,
            known: flag(row, 4)?,
            first_scan: row.get(5)?,
            last_scan: row.get(6)?,
            scans: row.get(7)?,
            cluster: ClusterName::new(row.get::<_, String>(8)?),
            target: row.get::<_, Option<String>>(9)?.map(TargetName::new),
        };
        Ok((row.get::<_, String>(0)?, state))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A column that is 0 or 1 and nothing else: `bool` would take any number for true.
fn flag(row: &Row<'_>, column: usize) -> rusqlite::Result<bool> {
    match row.get(column)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(rusqlite::Error::IntegralValueOutOfRange(column, other)),
    }
}

/// The events' states after a scan, from the first event on.
pub(super) fn replay(connection: &Connection, through: i64) -> Result<States, Fault> {
    let mut events: BTreeMap<i64, Vec<EventFacts>> = BTreeMap::new();
    let mut query = connection.prepare_cached(
        "SELECT seq, scan, fingerprint, kind, cluster, target FROM finding_event WHERE scan <= ?1 ORDER BY seq",
    )?;
    let mut rows = query.query([through])?;
    while let Some(row) = rows.next()? {
        let seq = row.get(0)?;
        let event = EventFacts {
            seq,
            fingerprint: row.get(2)?,
            kind: read_word(row.get(3)?, "finding event", seq)?,
            cluster: ClusterName::new(row.get::<_, String>(4)?),
            target: row.get::<_, Option<String>>(5)?.map(TargetName::new),
        };
        events.entry(row.get(1)?).or_default().push(event);
    }
    let mut states = States::new();
    let mut query = connection.prepare_cached(
        "SELECT scan, summary FROM scan_finished WHERE outcome = 'finished' AND scan <= ?1 ORDER BY seq",
    )?;
    let mut rows = query.query([through])?;
    while let Some(row) = rows.next()? {
        let scan = row.get(0)?;
        let summary: String = row.get(1)?;
        let scope = read_json::<StoredSummary>(&summary, "the summary of scan", scan)?.into_scope(scan);
        apply(&mut states, &scope, &events.remove(&scan).unwrap_or_default())?;
    }
    match events.keys().next() {
        Some(scan) => Err(Fault::Broken(format!("there are finding events of scan {scan}, which did not finish"))),
        None => Ok(states),
    }
}

/// Writes what differs between two sets of states.
pub(super) fn save(connection: &Connection, before: &States, after: &States) -> Result<(), Fault> {
    let mut put = connection.prepare_cached(
        "INSERT INTO finding_state (fingerprint, event, open, known, first_scan, last_scan, scans) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (fingerprint) DO UPDATE SET event = excluded.event, \
         open = excluded.open, known = excluded.known, first_scan = excluded.first_scan, \
         last_scan = excluded.last_scan, scans = excluded.scans",
    )?;
    for (fingerprint, s) in after.iter().filter(|(fingerprint, state)| before.get(*fingerprint) != Some(*state)) {
        put.execute(params![fingerprint, s.event, s.open, s.known, s.first_scan, s.last_scan, s.scans])?;
    }
    Ok(())
}

impl Ledger {
    /// Makes the tables of what is open and of what was told anew from the events. `verify` says when that is needed.
    ///
    /// # Errors
    /// `Broken` if the events contradict one another; then the tables stay as they are.
    pub fn rebuild_projection(&mut self) -> Result<(), LedgerError> {
        self.write(|transaction| {
            let states = replay(transaction, i64::MAX)?;
            transaction.execute("DELETE FROM finding_state", [])?;
            save(transaction, &States::new(), &states)?;
            told::rebuild(transaction)
        })
    }
}
