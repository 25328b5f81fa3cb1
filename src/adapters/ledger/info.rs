//! What a ledger is and holds, in numbers.

use std::path::Path;

use super::error::LedgerError;
use super::open::{Journal, LedgerReader};
use super::read::ScanEntry;
use super::{files, schema};
use crate::model::ids::LedgerId;
use crate::model::outbox::MessageCounts;
use crate::model::report::Seal;

/// What a ledger is and holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerInfo {
    /// Its id.
    pub id: LedgerId,
    /// The id of its key.
    pub key_id: String,
    /// When it was made, as RFC 3339.
    pub created_at: String,
    /// The version that made it.
    pub created_by: String,
    /// Its schema's version.
    pub schema: i64,
    /// Which journal is in use.
    pub journal: Journal,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of the write-ahead log beside it.
    pub log_bytes: u64,
    /// Bytes that are free on its file system for this user; `None` where the system does not say.
    pub free_bytes: Option<u64>,
    /// Scans that were begun.
    pub scans: u64,
    /// Those of them that failed or were interrupted.
    pub scans_ended_early: u64,
    /// The first scan.
    pub oldest: Option<ScanEntry>,
    /// The last one; it may be running.
    pub newest: Option<ScanEntry>,
    /// Findings that were ever there.
    pub findings: u64,
    /// Those of them that are open.
    pub open_findings: u64,
    /// Messages.
    pub messages: MessageCounts,
    /// The newest seal.
    pub last_seal: Option<Seal>,
}

impl LedgerReader {
    /// What the ledger is and holds. Between its parts a scan may be recorded.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn info(&self) -> Result<LedgerInfo, LedgerError> {
        let scans = self.scans()?;
        let (created_at, created_by, schema, findings, open_findings) = self.consistent(|connection| {
            let meta = |name: &str| {
                connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get::<_, String>(0))
            };
            let (all, open) =
                connection.query_row("SELECT count(*), coalesce(sum(open), 0) FROM finding_state", [], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
                })?;
            Ok((meta("created_at")?, meta("created_by")?, schema::version(connection)?, all, open))
        })?;
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
        let early = |scan: &&ScanEntry| scan.outcome.is_some_and(|outcome| outcome != super::ScanOutcome::Finished);
        Ok(LedgerInfo {
            id: self.id().clone(),
            key_id: self.key_id().to_owned(),
            created_at,
            created_by,
            schema,
            journal: self.journal(),
            bytes: size(&self.path),
            log_bytes: size(&files::beside(&self.path, "-wal")),
            free_bytes: self.path.parent().and_then(|folder| fs4::available_space(folder).ok()),
            scans: scans.len() as u64,
            scans_ended_early: scans.iter().filter(early).count() as u64,
            oldest: scans.first().cloned(),
            newest: scans.last().cloned(),
            findings: findings.unsigned_abs(),
            open_findings: open_findings.unsigned_abs(),
            messages: self.message_counts()?,
            last_seal: self.last_seal()?,
        })
    }
}
