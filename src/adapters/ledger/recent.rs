//! What planning messages asks: what happened lately, since when gaps stand, what a period brought.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::{Fault, LedgerError};
use super::open::LedgerReader;
use super::projection;
use super::read::ScanOutcome;
use super::replay::ScanScope;
use super::text::{read_json, read_time, read_word};
use crate::model::gap::Gap;
use crate::model::outbox::{PeriodFacts, Standing};
use crate::model::record::FindingEventKind;
use crate::model::time::Timestamp;

impl LedgerReader {
    /// What came and went in scans that started at `since` or later, in the order of its writing: fingerprint, what happened (opened,
    /// reopened or resolved), and the scan's start.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn recent_events(&self, since: Timestamp) -> Result<Vec<(String, FindingEventKind, Timestamp)>, LedgerError> {
        self.consistent(|connection| {
            let mut events = Vec::new();
            let mut query = connection.prepare_cached(
                "SELECT e.seq, e.fingerprint, e.kind, s.started_at \
                 FROM scan s CROSS JOIN finding_event e ON e.scan = s.seq \
                 WHERE s.started_at >= ?1 AND e.kind IN ('opened', 'reopened', 'resolved') ORDER BY e.seq",
            )?;
            let mut rows = query.query([since.to_string()])?;
            while let Some(row) = rows.next()? {
                let seq = row.get(0)?;
                let kind = read_word(row.get(2)?, "finding event", seq)?;
                let started = read_time(&row.get::<_, String>(3)?, "the scan of finding event", seq)?;
                events.push((row.get(1)?, kind, started));
            }
            Ok(events)
        })
    }

    /// Since when each of the gaps of a scan that started at `now` stands, in their order: the start of the first scan in a row that
    /// had it, that scan included. It looks no further back than to the first scan that is older than `enough`.
    ///
    /// A gap is the same while its kind, cluster, target, place and what it hides are; what it says may differ. Scans that did not look
    /// at its target or cluster, or did not finish, tell nothing of it.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn standing_gaps(&self, gaps: &[Gap], enough: Duration, now: Timestamp) -> Result<Vec<Standing>, LedgerError> {
        let enough = i64::try_from(enough.as_secs()).unwrap_or(i64::MAX);
        let oldest = Timestamp::from_unix(now.unix().saturating_sub(enough));
        self.consistent(|connection| {
            let mut standing = vec![Standing { since: now, at_least: false }; gaps.len()];
            let mut asked: Vec<usize> = (0..gaps.len()).collect();
            let mut query = connection.prepare_cached(
                "SELECT s.seq, s.started_at, f.gaps FROM scan_finished f JOIN scan s ON s.seq = f.scan \
                 WHERE f.outcome = 'finished' ORDER BY f.seq DESC",
            )?;
            let mut rows = query.query([])?;
            while !asked.is_empty()
                && let Some(row) = rows.next()?
            {
                let scan = row.get(0)?;
                let started = read_time(&row.get::<_, String>(1)?, "scan", scan)?;
                let had: Vec<Gap> = read_json(&row.get::<_, String>(2)?, "the gaps of scan", scan)?;
                let (has, lacks): (Vec<usize>, Vec<usize>) =
                    asked.iter().partition(|n| had.iter().any(|gap| same(gap, &gaps[**n])));
                for n in &has {
                    standing[*n].since = started;
                }
                asked = has;
                if !lacks.is_empty()
                    && let Some(scope) = projection::scope(connection, scan)?
                {
                    asked.extend(lacks.into_iter().filter(|n| !looked(&scope, &gaps[*n])));
                }
                if started <= oldest {
                    for n in asked.drain(..) {
                        standing[n].at_least = true;
                    }
                }
            }
            Ok(standing)
        })
    }

    /// When the newest finished scan started.
    ///
    /// # Errors
    /// `Broken` if its time does not read back.
    pub fn previous_scan(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.consistent(|connection| match projection::newest_finished(connection)? {
            Some(scan) => started(connection, scan),
            None => Ok(None),
        })
    }

    /// When the ledger's first scan started.
    ///
    /// # Errors
    /// `Broken` if its time does not read back.
    pub fn first_scan_started(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.consistent(|connection| started(connection, 1))
    }

    /// What the scans brought that started at `from` or later and before `to`.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn period(&self, from: Timestamp, to: Timestamp) -> Result<PeriodFacts, LedgerError> {
        self.consistent(|connection| {
            let mut facts = PeriodFacts::default();
            let mut seen = started(connection, 1)?.unwrap_or(to).max(from).unix();
            let mut unseen = 0;
            let mut newest = 0;
            let mut query = connection.prepare_cached(
                "SELECT s.seq, s.started_at, f.outcome, coalesce(f.summary ->> '$.complete', 0) \
                 FROM scan s JOIN scan_finished f ON f.scan = s.seq \
                 WHERE s.started_at >= ?1 AND s.started_at < ?2 ORDER BY s.started_at, s.seq",
            )?;
            let mut rows = query.query([from.to_string(), to.to_string()])?;
            while let Some(row) = rows.next()? {
                let scan = row.get(0)?;
                if read_word::<ScanOutcome>(row.get(2)?, "the outcome of scan", scan)? != ScanOutcome::Finished {
                    facts.failed += 1;
                    continue;
                }
                facts.scans += 1;
                newest = newest.max(scan);
                if row.get(3)? {
                    facts.complete += 1;
                    let started = read_time(&row.get::<_, String>(1)?, "scan", scan)?.unix();
                    unseen = unseen.max(started - seen);
                    seen = started;
                }
            }
            unseen = unseen.max(to.unix() - seen);
            facts.longest_unseen_seconds = u64::try_from(unseen).unwrap_or(0);
            count_events(connection, from, to, &mut facts)?;
            let coverage: Option<Option<String>> = connection
                .prepare_cached("SELECT summary -> '$.counts.coverage' FROM scan_finished WHERE scan = ?1")?
                .query_row([newest], |row| row.get(0))
                .optional()?;
            if let Some(text) = coverage.flatten() {
                facts.coverage = read_json(&text, "the summary of scan", newest)?;
            }
            Ok(facts)
        })
    }
}

fn count_events(connection: &Connection, from: Timestamp, to: Timestamp, facts: &mut PeriodFacts) -> Result<(), Fault> {
    let mut query = connection.prepare_cached(
        "SELECT e.kind, count(*), min(e.seq) FROM scan s CROSS JOIN finding_event e ON e.scan = s.seq \
         WHERE s.started_at >= ?1 AND s.started_at < ?2 GROUP BY e.kind",
    )?;
    let mut rows = query.query(params![from.to_string(), to.to_string()])?;
    while let Some(row) = rows.next()? {
        use FindingEventKind::{Changed, Known, Opened, OutOfScope, Reopened, Resolved, Unknown, Updated};
        let count = row.get::<_, i64>(1)?.unsigned_abs();
        match read_word(row.get(0)?, "finding event", row.get(2)?)? {
            Opened | Reopened => facts.opened += count,
            Resolved => facts.resolved += count,
            OutOfScope => facts.out_of_scope += count,
            Changed | Updated | Unknown | Known => {}
        }
    }
    Ok(())
}

fn started(connection: &Connection, scan: i64) -> Result<Option<Timestamp>, Fault> {
    let text: Option<String> = connection
        .prepare_cached("SELECT started_at FROM scan WHERE seq = ?1")?
        .query_row([scan], |row| row.get(0))
        .optional()?;
    text.map(|text| read_time(&text, "scan", scan)).transpose()
}

fn same(one: &Gap, other: &Gap) -> bool {
    (one.kind, &one.cluster, &one.target, &one.place, &one.hides)
        == (other.kind, &other.cluster, &other.target, &other.place, &other.hides)
}

/// Whether a scan would have had the gap if it had been there.
fn looked(scope: &ScanScope, gap: &Gap) -> bool {
    gap.target.as_ref().is_none_or(|target| scope.targets.contains_key(target))
        && gap.cluster.as_ref().is_none_or(|cluster| scope.clusters.contains(cluster))
}
