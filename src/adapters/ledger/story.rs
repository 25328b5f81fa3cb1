//! One finding with everything that ever happened to it.

use super::error::{Fault, LedgerError};
use super::open::LedgerReader;
use super::projection;
use super::read::Findings;
use super::text::{read_json, read_word};
use crate::model::finding::Finding;
use crate::model::ids::{ClusterName, ScanId};
use crate::model::record::FindingEventKind;
use crate::model::resource::ObjectId;
use crate::model::time::Timestamp;

/// A finding and its events.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingStory {
    /// As last seen, with `firstSeen`, `lastSeen` and `scans` filled in.
    pub finding: Finding,
    /// Whether it is open.
    pub open: bool,
    /// False while a gap hides its object.
    pub known: bool,
    /// What happened to it, oldest first.
    pub events: Vec<StoryEvent>,
}

/// One event of a story.
#[derive(Clone, Debug, PartialEq)]
pub struct StoryEvent {
    /// The scan that wrote it.
    pub scan: ScanId,
    /// When that scan started.
    pub time: Timestamp,
    /// What happened.
    pub kind: FindingEventKind,
    /// How it ended, for people; only for closing events.
    pub how: Option<String>,
    /// Whether its content (class, cause or a value) differs from the event before; false for the first.
    pub content_changed: bool,
    /// The finding as this event has it, without `firstSeen`, `lastSeen` and `scans`.
    pub finding: Finding,
}

/// One event of any finding on an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectEvent {
    /// The scan that wrote it.
    pub scan: ScanId,
    /// When that scan started.
    pub time: Timestamp,
    /// What happened.
    pub kind: FindingEventKind,
    /// How it ended, for people; only for closing events.
    pub how: Option<String>,
    /// The finding as this event has it.
    pub finding: Finding,
}

impl LedgerReader {
    /// What happened to the findings on an object, oldest first. Other evidence for the same difference is no event here.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn object_events(&self, cluster: &ClusterName, object: &ObjectId) -> Result<Vec<ObjectEvent>, LedgerError> {
        self.consistent(|connection| {
            let mut findings = Findings::new(connection);
            let mut events = Vec::new();
            let mut query = connection.prepare_cached(
                "SELECT seq, scan, kind, how, finding FROM finding_event \
                 WHERE cluster = ?1 AND finding ->> '$.kind' = ?2 AND finding ->> '$.name' = ?3 ORDER BY seq",
            )?;
            let mut rows = query.query([cluster.as_str(), &object.kind, &object.name])?;
            while let Some(row) = rows.next()? {
                let (seq, scan) = (row.get(0)?, row.get(1)?);
                let finding: Finding = read_json(&row.get::<_, String>(4)?, "finding event", seq)?;
                let kind = read_word(row.get(2)?, "finding event", seq)?;
                if finding.object() == *object && kind != FindingEventKind::Updated {
                    let time = findings.started(scan)?;
                    events.push(ObjectEvent { scan: ScanId(scan), time, kind, how: row.get(3)?, finding });
                }
            }
            Ok(events)
        })
    }

    /// The findings, open or not, whose id or fingerprint begins so: `F-7f3a12c4`, `F-7f3a`, `7f3a12c4…`. None for a text that
    /// is neither; several where it is ambiguous.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn story(&self, id_prefix: &str) -> Result<Vec<FindingStory>, LedgerError> {
        let lower = id_prefix.trim().to_ascii_lowercase();
        let prefix = lower.strip_prefix("f-").unwrap_or(&lower);
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        self.consistent(|connection| {
            let states = projection::load(connection)?;
            let mut findings = Findings::new(connection);
            let mut stories = Vec::new();
            for (fingerprint, state) in states.range(prefix.to_owned()..).take_while(|(f, _)| f.starts_with(prefix)) {
                let (finding, _) = findings.finding(state)?;
                let events = events(connection, fingerprint, &mut findings)?;
                stories.push(FindingStory { finding, open: state.open, known: state.known, events });
            }
            Ok(stories)
        })
    }
}

fn events(
    connection: &rusqlite::Connection,
    fingerprint: &str,
    findings: &mut Findings<'_>,
) -> Result<Vec<StoryEvent>, Fault> {
    let mut events = Vec::new();
    let mut before: Option<String> = None;
    let mut query = connection.prepare_cached(
        "SELECT seq, scan, kind, how, content, finding FROM finding_event WHERE fingerprint = ?1 ORDER BY seq",
    )?;
    let mut rows = query.query([fingerprint])?;
    while let Some(row) = rows.next()? {
        let (seq, scan) = (row.get(0)?, row.get(1)?);
        let content: String = row.get(4)?;
        events.push(StoryEvent {
            scan: ScanId(scan),
            time: findings.started(scan)?,
            kind: read_word(row.get(2)?, "finding event", seq)?,
            how: row.get(3)?,
            content_changed: before.is_some_and(|before| before != content),
            finding: read_json(&row.get::<_, String>(5)?, "finding event", seq)?,
        });
        before = Some(content);
    }
    Ok(events)
}
