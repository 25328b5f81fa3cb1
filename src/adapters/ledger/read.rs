//! Reading: what a scan starts from, the report of any scan, what is open.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};

use super::error::{Fault, LedgerError};
use super::open::LedgerReader;
use super::replay::{FindingState, ScanScope, States};
use super::text::{read_json, read_time, read_word};
use super::{projection, seal};
use crate::model::finding::Finding;
use crate::model::ids::{ClusterName, CommitId, RepositoryName, Revision, ScanId, TargetName};
use crate::model::record::{ObjectState, OpenFinding, PriorState, Sighting};
use crate::model::report::{SCAN_SCHEMA, ScanReport, ScanSummary, Seal};
use crate::model::resource::ObjectId;
use crate::model::time::Timestamp;

/// How a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScanOutcome {
    /// Recorded, with or without gaps.
    Finished,
    /// It said that it failed.
    Failed,
    /// A later scan found that it had never ended.
    Interrupted,
}

/// One line of the list of scans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanEntry {
    /// Its number.
    pub id: ScanId,
    /// When it started.
    pub started_at: Timestamp,
    /// How it ended; `None` while it runs, or until the next scan notes that it was interrupted.
    pub outcome: Option<ScanOutcome>,
    /// When it ended, or when its end was noticed.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub why: Option<String>,
}

impl LedgerReader {
    /// What the ledger knows before a scan.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn prior(&self) -> Result<PriorState, LedgerError> {
        self.consistent(|connection| {
            let states = projection::load(connection)?;
            let mut findings = Findings::new(connection);
            let mut open = BTreeMap::new();
            let mut closed = BTreeMap::new();
            for (fingerprint, state) in &states {
                if state.open {
                    open.insert(fingerprint.clone(), findings.open(state)?);
                } else {
                    closed.insert(fingerprint.clone(), findings.started(state.first_scan)?);
                }
            }
            let (objects, seen_live) = objects(connection)?;
            Ok(PriorState {
                ledger: self.id().clone(),
                last_scan: projection::newest_finished(connection)?.map(ScanId),
                last_complete: last_complete(connection)?,
                open,
                closed,
                closed_commits: closed_commits(connection)?,
                objects,
                seen_live,
                config: config(connection)?,
                tips: tips(connection)?,
                sightings: sightings(connection)?,
            })
        })
    }

    /// The report of a scan, rebuilt from the events: what was open after it, counted as of then. Without a number: the newest
    /// finished scan's. `None` if there is no such scan or it did not finish.
    ///
    /// # Errors
    /// `Broken` if a row does not read back or the events contradict one another.
    pub fn report(&self, scan: Option<ScanId>) -> Result<Option<ScanReport>, LedgerError> {
        self.consistent(|connection| {
            let wanted = match scan {
                Some(scan) => Some(scan.0),
                None => projection::newest_finished(connection)?,
            };
            let Some(scan) = wanted else { return Ok(None) };
            let stored: Option<(String, String, String)> = connection
                .prepare_cached(
                    "SELECT summary, gaps, exclusions FROM scan_finished WHERE scan = ?1 AND outcome = 'finished'",
                )?
                .query_row([scan], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((summary, gaps, exclusions)) = stored else { return Ok(None) };
            let mut summary: ScanSummary = read_json(&summary, "the summary of scan", scan)?;
            summary.seal = seal::of_scan(connection, scan)?;
            let states = projection::states_after(connection, scan)?;
            let open = open_findings(connection, &states)?;
            Ok(Some(ScanReport {
                schema: SCAN_SCHEMA.to_owned(),
                scan: summary,
                gaps: read_json(&gaps, "the gaps of scan", scan)?,
                exclusions: read_json(&exclusions, "the exclusions of scan", scan)?,
                findings: open.into_iter().map(|open| open.finding).collect(),
            }))
        })
    }

    /// What is open after the newest finished scan, worst first.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn open_findings(&self) -> Result<Vec<OpenFinding>, LedgerError> {
        self.consistent(|connection| open_findings(connection, &projection::load(connection)?))
    }

    /// Every scan that was begun, oldest first.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn scans(&self) -> Result<Vec<ScanEntry>, LedgerError> {
        self.consistent(|connection| {
            let mut entries = Vec::new();
            let mut query = connection.prepare_cached(
                "SELECT s.seq, s.started_at, f.outcome, f.finished_at, f.why \
                 FROM scan s LEFT JOIN scan_finished f ON f.scan = s.seq ORDER BY s.seq",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let id = row.get(0)?;
                let outcome: Option<String> = row.get(2)?;
                let finished: Option<String> = row.get(3)?;
                entries.push(ScanEntry {
                    id: ScanId(id),
                    started_at: read_time(&row.get::<_, String>(1)?, "scan", id)?,
                    outcome: outcome.map(|word| read_word(word, "the outcome of scan", id)).transpose()?,
                    finished_at: finished.map(|at| read_time(&at, "the end of scan", id)).transpose()?,
                    why: row.get(4)?,
                });
            }
            Ok(entries)
        })
    }

    /// The newest seal; `None` until the first scan has ended.
    ///
    /// # Errors
    /// SQLite's.
    pub fn last_seal(&self) -> Result<Option<Seal>, LedgerError> {
        self.consistent(|connection| {
            Ok(seal::last(connection)?.map(|row| Seal { sequence: row.sequence, hash: row.hash }))
        })
    }

    /// Runs `work` on one state of the ledger, whatever a scan writes meanwhile.
    pub(super) fn consistent<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, LedgerError> {
        let run = || -> Result<T, Fault> {
            let transaction = self.connection.unchecked_transaction()?;
            let done = work(&transaction)?;
            transaction.rollback()?;
            Ok(done)
        };
        run().map_err(|fault| self.fault(fault))
    }
}

/// Reads findings back and fills in what the ledger counts.
pub(super) struct Findings<'a> {
    connection: &'a Connection,
    started: HashMap<i64, Timestamp>,
    scopes: HashMap<i64, ScanScope>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, started: HashMap::new(), scopes: HashMap::new() }
    }

    /// When a scan started.
    pub(super) fn started(&mut self, scan: i64) -> Result<Timestamp, Fault> {
        if let Some(time) = self.started.get(&scan) {
            return Ok(*time);
        }
        let text: String = self
            .connection
            .prepare_cached("SELECT started_at FROM scan WHERE seq = ?1")?
            .query_row([scan], |row| row.get(0))?;
        let time = read_time(&text, "scan", scan)?;
        self.started.insert(scan, time);
        Ok(time)
    }

    /// The finding of a state as last seen, with its content fingerprint.
    pub(super) fn finding(&mut self, state: &FindingState) -> Result<(Finding, String), Fault> {
        let (text, content): (String, String) = self
            .connection
            .prepare_cached("SELECT finding, content FROM finding_event WHERE seq = ?1")?
            .query_row([state.event], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut finding: Finding = read_json(&text, "finding event", state.event)?;
        finding.first_seen = Some(self.started(state.first_scan)?);
        finding.last_seen = Some(self.started(state.last_scan)?);
        finding.scans =
            Some(u64::try_from(state.scans).map_err(|e| Fault::unreadable("finding state of event", state.event, e))?);
        // A scan that sees a finding unchanged writes no row for it; the commit it saw it at stands in that scan's summary.
        if state.last_scan > state.event_scan
            && let Some(origin) = &mut finding.origin
            && let Some(commit) = self.commit(state.last_scan, &origin.target)?
        {
            origin.commit = commit;
        }
        Ok((finding, content))
    }

    /// The same, as the model has it.
    pub(super) fn open(&mut self, state: &FindingState) -> Result<OpenFinding, Fault> {
        let (finding, content) = self.finding(state)?;
        let opened: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT max(scan) FROM finding_event WHERE fingerprint = ?1 AND kind IN ('opened', 'reopened')",
            )?
            .query_row([&finding.fingerprint], |row| row.get(0))?;
        let opened_at = self.started(opened.unwrap_or(state.first_scan))?;
        Ok(OpenFinding { finding, content, target: state.target.clone(), known: state.known, opened_at })
    }

    fn commit(&mut self, scan: i64, target: &TargetName) -> Result<Option<CommitId>, Fault> {
        if !self.scopes.contains_key(&scan)
            && let Some(scope) = projection::scope(self.connection, scan)?
        {
            self.scopes.insert(scan, scope);
        }
        Ok(self.scopes.get(&scan).and_then(|scope| scope.targets.get(target)).cloned().flatten())
    }
}

fn open_findings(connection: &Connection, states: &States) -> Result<Vec<OpenFinding>, Fault> {
    let mut findings = Findings::new(connection);
    let open = states.values().filter(|state| state.open);
    let mut open: Vec<OpenFinding> = open.map(|state| findings.open(state)).collect::<Result<_, _>>()?;
    open.sort_by_cached_key(|open| {
        let f = &open.finding;
        let path = f.path.as_ref().map(ToString::to_string);
        let place = (f.cluster.clone(), f.namespace.clone(), f.kind.clone(), f.name.clone());
        (Reverse(f.severity), place, path, f.fingerprint.clone())
    });
    Ok(open)
}

/// What the findings of DL012 are about that are not open.
fn closed_commits(connection: &Connection) -> Result<BTreeSet<Sighting>, Fault> {
    // The code is the second field of a finding: only the few that have it are taken apart.
    let mut query = connection.prepare_cached(
        "SELECT e.finding ->> '$.origin.repository', e.finding ->> '$.origin.revision', e.finding ->> '$.declaredBy.commit' \
         FROM finding_state s JOIN finding_event e ON e.seq = s.event \
         WHERE s.open = 0 AND substr(e.finding, 1, 64) LIKE '%\"code\":\"DL012\"%'",
    )?;
    let mut commits = BTreeSet::new();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let texts: [Option<String>; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        if let [Some(repository), Some(revision), Some(commit)] = texts {
            commits.insert(Sighting {
                repository: RepositoryName::new(repository),
                revision: Revision::new(revision),
                commit: CommitId::new(commit),
            });
        }
    }
    Ok(commits)
}

fn last_complete(connection: &Connection) -> Result<Option<Timestamp>, Fault> {
    let found: Option<(i64, String)> = connection
        .prepare_cached(
            "SELECT s.seq, s.started_at FROM scan_finished f JOIN scan s ON s.seq = f.scan \
             WHERE f.outcome = 'finished' AND f.summary ->> '$.complete' ORDER BY f.seq DESC LIMIT 1",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map(|(scan, text)| read_time(&text, "scan", scan)).transpose()
}

type ObjectKey = (ClusterName, ObjectId);

/// The newest state of every object, and those that were live when they were last seen, or were deleted since.
fn objects(connection: &Connection) -> Result<(HashMap<ObjectKey, ObjectState>, HashSet<ObjectKey>), Fault> {
    let mut objects = HashMap::new();
    let mut seen_live = HashSet::new();
    let mut query = connection.prepare_cached(
        "SELECT seq, cluster, api_group, kind, namespace, name, state FROM object_state ORDER BY seq",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let object = ObjectId { group: row.get(2)?, kind: row.get(3)?, namespace: row.get(4)?, name: row.get(5)? };
        let state = read_word(row.get(6)?, "object state", row.get(0)?)?;
        let key = (ClusterName::new(row.get::<_, String>(1)?), object);
        match state {
            ObjectState::InSync | ObjectState::Drifted => drop(seen_live.insert(key.clone())),
            ObjectState::Undeclared => drop(seen_live.remove(&key)),
            ObjectState::Missing | ObjectState::Unknown => {}
        }
        objects.insert(key, state);
    }
    Ok((objects, seen_live))
}

fn config(connection: &Connection) -> Result<BTreeMap<String, String>, Fault> {
    let mut query = connection.prepare_cached("SELECT subject, state FROM config_event ORDER BY seq")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Each target's commit in the newest finished scan that read it.
fn tips(connection: &Connection) -> Result<BTreeMap<TargetName, CommitId>, Fault> {
    let mut query = connection.prepare_cached(
        "SELECT t.value ->> '$.name', t.value ->> '$.commit' FROM scan_finished f, json_each(f.summary, '$.targets') t \
         WHERE f.outcome = 'finished' AND t.value ->> '$.commit' IS NOT NULL \
         AND f.seq > (SELECT coalesce(max(seq), 0) FROM scan_finished) - 20 ORDER BY f.seq",
    )?;
    let rows = query.query_map([], |row| {
        Ok((TargetName::new(row.get::<_, String>(0)?), CommitId::new(row.get::<_, String>(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn sightings(connection: &Connection) -> Result<BTreeMap<Sighting, Timestamp>, Fault> {
    let mut sightings = BTreeMap::new();
    let mut query = connection.prepare_cached(
        "SELECT g.seq, g.repository, g.revision, g.git_commit, s.started_at \
         FROM sighting g JOIN scan s ON s.seq = g.scan ORDER BY g.seq",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let sighting = Sighting {
            repository: RepositoryName::new(row.get::<_, String>(1)?),
            revision: Revision::new(row.get::<_, String>(2)?),
            commit: CommitId::new(row.get::<_, String>(3)?),
        };
        let time = read_time(&row.get::<_, String>(4)?, "the scan of sighting", row.get(0)?)?;
        sightings.entry(sighting).or_insert(time);
    }
    Ok(sightings)
}
