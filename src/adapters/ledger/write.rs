//! Writing a scan: its start at once, everything else in one transaction that ends with the seal.

use rusqlite::{Connection, OptionalExtension as _, ToSql, Transaction, TransactionBehavior, params};

use super::error::{Fault, LedgerError};
use super::open::Ledger;
use super::replay::{EventFacts, ScanScope, apply};
use super::text::{json, word};
use super::{outbox, projection, seal, told};
use crate::model::ids::{LedgerId, ScanId};
use crate::model::record::{ConfigEvent, FindingEvent, ObjectChange, PlannedMessage, ScanRecord, Sighting};
use crate::model::report::{ScanReport, ScanSummary, Seal};
use crate::model::time::Timestamp;

impl Ledger {
    /// Notes that a scan has started, and that earlier ones which never ended were interrupted. Committed at once: a scan
    /// that is killed leaves this row.
    ///
    /// # Errors
    /// `DiskFull`, `ReadOnly` and the like; nothing is written then.
    pub fn begin_scan(&mut self, started: Timestamp, scope: &serde_json::Value) -> Result<ScanId, LedgerError> {
        let version = self.tool_version.clone();
        self.write(|transaction| {
            let unfinished: Vec<i64> = transaction
                .prepare_cached("SELECT seq FROM scan WHERE seq NOT IN (SELECT scan FROM scan_finished) ORDER BY seq")?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for scan in unfinished {
                append(
                    transaction,
                    "scan_finished",
                    &["scan", "outcome", "finished_at"],
                    params![scan, "interrupted", started.to_string()],
                )?;
            }
            let values = params![started.to_string(), version, scope.to_string()];
            Ok(ScanId(append(transaction, "scan", &["started_at", "tool_version", "scope"], values)?))
        })
    }

    /// Writes all that a scan found, and seals it. `record.report.findings` is not read: a report's findings are rebuilt from
    /// the events.
    ///
    /// # Errors
    /// `Refused` if the scan was not begun or has ended, or an event cannot follow what its finding went through before.
    /// Whatever the error, nothing is written.
    pub fn record(&mut self, record: ScanRecord) -> Result<Seal, LedgerError> {
        let (ledger, version) = (self.id().clone(), self.tool_version.clone());
        self.write(|transaction| {
            let summary = &record.report.scan;
            let scan = summary.id.0;
            check_running(transaction, summary, &ledger)?;
            write_config(transaction, scan, &record.config)?;
            write_sightings(transaction, scan, &record.sightings)?;
            write_objects(transaction, scan, &record.objects)?;
            let events = write_events(transaction, scan, &record.events)?;
            let before = projection::load(transaction)?;
            let mut after = before.clone();
            apply(&mut after, &ScanScope::of(summary), &events).map_err(|fault| match fault {
                Fault::Broken(what) => Fault::Refused(what),
                other => other,
            })?;
            projection::save(transaction, &before, &after)?;
            write_messages(transaction, summary, &record.messages)?;
            told::mark(transaction, scan, None, record.marks.iter().map(|(route, mark)| (route, mark)))?;
            write_finished(transaction, &record.report)?;
            seal::write(transaction, &ledger, scan, &version)
        })
    }

    /// Notes that a scan failed, and seals that. `why` holds no secrets and no manifest content.
    ///
    /// # Errors
    /// As [`Ledger::record`].
    pub fn fail_scan(&mut self, scan: ScanId, finished: Timestamp, why: &str) -> Result<Seal, LedgerError> {
        let (ledger, version) = (self.id().clone(), self.tool_version.clone());
        self.write(|transaction| {
            check_open(transaction, scan.0)?;
            append(
                transaction,
                "scan_finished",
                &["scan", "outcome", "finished_at", "why"],
                params![scan.0, "failed", finished.to_string(), why],
            )?;
            seal::write(transaction, &ledger, scan.0, &version)
        })
    }

    /// Runs `work` in one transaction: all of it is kept, or nothing.
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let run = |connection: &mut Connection| -> Result<T, Fault> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        run(&mut self.reader.connection).map_err(|fault| fault.writing(&self.reader.path))
    }
}

/// Appends a row and gives its number. The number is given explicitly, as the tables' triggers demand.
pub(super) fn append(
    connection: &Connection,
    table: &str,
    columns: &[&str],
    values: &[&dyn ToSql],
) -> rusqlite::Result<i64> {
    let names = columns.join(", ");
    let marks: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
    let sql = format!(
        "INSERT INTO {table} (seq, {names}) SELECT coalesce(max(seq), 0) + 1, {} FROM {table}",
        marks.join(", ")
    );
    connection.prepare_cached(&sql)?.insert(values)
}

fn check_running(connection: &Connection, summary: &ScanSummary, ledger: &LedgerId) -> Result<(), Fault> {
    if summary.ledger != *ledger {
        return Err(Fault::Refused(format!("it names the ledger {}", summary.ledger)));
    }
    check_open(connection, summary.id.0)
}

fn check_open(connection: &Connection, scan: i64) -> Result<(), Fault> {
    let running: Option<i64> = connection
        .prepare_cached("SELECT seq FROM scan WHERE seq = ?1 AND seq NOT IN (SELECT scan FROM scan_finished)")?
        .query_row([scan], |row| row.get(0))
        .optional()?;
    match running {
        Some(_) => Ok(()),
        None => Err(Fault::Refused(format!("scan {scan} was not begun, or it has ended"))),
    }
}

fn write_config(connection: &Connection, scan: i64, events: &[ConfigEvent]) -> Result<(), Fault> {
    for event in events {
        append(connection, "config_event", &["scan", "subject", "state"], params![scan, event.subject, event.state])?;
    }
    Ok(())
}

fn write_sightings(connection: &Connection, scan: i64, sightings: &[Sighting]) -> Result<(), Fault> {
    let columns = ["scan", "repository", "revision", "git_commit"];
    for s in sightings {
        let values = params![scan, s.repository.as_str(), s.revision.as_str(), s.commit.as_str()];
        append(connection, "sighting", &columns, values)?;
    }
    Ok(())
}

fn write_objects(connection: &Connection, scan: i64, objects: &[ObjectChange]) -> Result<(), Fault> {
    let columns = ["scan", "cluster", "api_group", "kind", "namespace", "name", "state", "target"];
    for change in objects {
        let object = &change.object;
        let target = change.target.as_ref().map(|target| target.as_str());
        let (cluster, state) = (change.cluster.as_str(), word(change.state)?);
        let values = params![scan, cluster, object.group, object.kind, object.namespace, object.name, state, target];
        append(connection, "object_state", &columns, values)?;
    }
    Ok(())
}

fn write_events(connection: &Connection, scan: i64, events: &[FindingEvent]) -> Result<Vec<EventFacts>, Fault> {
    let columns = ["scan", "fingerprint", "kind", "content", "cluster", "target", "how", "finding"];
    let mut written = Vec::with_capacity(events.len());
    for event in events {
        let mut finding = event.finding.clone();
        // Counted from the events, never taken from the caller.
        finding.first_seen = None;
        finding.last_seen = None;
        finding.scans = None;
        let target = event.target.as_ref().map(|target| target.as_str());
        let (kind, cluster) = (word(event.kind)?, finding.cluster.as_str());
        let values =
            params![scan, finding.fingerprint, kind, event.content, cluster, target, event.how, json(&finding)?];
        let seq = append(connection, "finding_event", &columns, values)?;
        written.push(EventFacts {
            seq,
            fingerprint: finding.fingerprint,
            kind: event.kind,
            cluster: finding.cluster,
            target: event.target.clone(),
        });
    }
    Ok(written)
}

fn write_messages(connection: &Connection, summary: &ScanSummary, messages: &[PlannedMessage]) -> Result<(), Fault> {
    for message in messages {
        outbox::plan(connection, summary.id.0, &message.receiver, &message.plan, summary.finished_at)?;
    }
    Ok(())
}

fn write_finished(connection: &Connection, report: &ScanReport) -> Result<(), Fault> {
    let summary = ScanSummary { seal: None, ..report.scan.clone() };
    let columns = ["scan", "outcome", "finished_at", "summary", "gaps", "exclusions"];
    let (finished, summary) = (summary.finished_at.to_string(), json(&summary)?);
    let values =
        params![report.scan.id.0, "finished", finished, summary, json(&report.gaps)?, json(&report.exclusions)?];
    append(connection, "scan_finished", &columns, values)?;
    Ok(())
}
