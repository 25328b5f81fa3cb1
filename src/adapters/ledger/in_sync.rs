//! When objects were last looked at, and last seen in sync.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::{Fault, LedgerError};
use super::open::LedgerReader;
use super::text::{read_time, read_word};
use crate::model::ids::{ClusterName, TargetName};
use crate::model::record::ObjectState;
use crate::model::resource::ObjectId;
use crate::model::time::Timestamp;

/// A scan's look at a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// When the scan started.
    pub started: Timestamp,
    /// The newest event of the cluster's audit log then, by the server's clock; `None` where the scan had none.
    pub log_until: Option<Timestamp>,
}

impl LedgerReader {
    /// Of each target of a cluster the newest finished scan that looked at it; those that none did are left out.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn last_looks<'a>(
        &self,
        cluster: &ClusterName,
        targets: impl IntoIterator<Item = &'a TargetName>,
    ) -> Result<BTreeMap<TargetName, Look>, LedgerError> {
        self.consistent(|connection| {
            let mut looks = Looks { connection, cluster, known: HashMap::new() };
            let mut found = BTreeMap::new();
            for target in targets {
                if let Some(look) = looks.before(i64::MAX, Some(target.as_str()))? {
                    found.insert(target.clone(), look);
                }
            }
            Ok(found)
        })
    }

    /// Of each object the start of the newest scan that saw it in sync; those that none did are left out.
    ///
    /// # Errors
    /// `Broken` if a row does not read back.
    pub fn last_in_sync(
        &self,
        cluster: &ClusterName,
        objects: &BTreeSet<ObjectId>,
    ) -> Result<BTreeMap<ObjectId, Timestamp>, LedgerError> {
        self.consistent(|connection| {
            let mut looks = Looks { connection, cluster, known: HashMap::new() };
            let mut found = BTreeMap::new();
            for object in objects {
                if let Some((until, target)) = in_sync_until(connection, cluster, object)?
                    && let Some(look) = looks.before(until, target.as_deref())?
                {
                    found.insert(object.clone(), look.started);
                }
            }
            Ok(found)
        })
    }
}

/// The scan that found the object in another state after it had been in sync, and the target that it was of while it was in sync.
fn in_sync_until(
    connection: &Connection,
    cluster: &ClusterName,
    object: &ObjectId,
) -> Result<Option<(i64, Option<String>)>, Fault> {
    let mut query = connection.prepare_cached(
        "SELECT seq, scan, state, target FROM object_state \
         WHERE cluster = ?1 AND api_group = ?2 AND kind = ?3 AND namespace IS ?4 AND name = ?5 ORDER BY seq DESC",
    )?;
    let mut rows = query.query(params![cluster.as_str(), object.group, object.kind, object.namespace, object.name])?;
    // A change of state is written down by the scan that saw it: until the next one, it stayed.
    let mut until = i64::MAX;
    while let Some(row) = rows.next()? {
        if read_word::<ObjectState>(row.get(2)?, "object state", row.get(0)?)? == ObjectState::InSync {
            return Ok(Some((until, row.get(3)?)));
        }
        until = row.get(1)?;
    }
    Ok(None)
}

/// Finished scans, by what they looked at.
struct Looks<'a> {
    connection: &'a Connection,
    cluster: &'a ClusterName,
    known: HashMap<(i64, Option<String>), Option<Look>>,
}

impl Looks<'_> {
    /// The newest finished scan before another one that looked at a target. Without a target any scan will do.
    fn before(&mut self, scan: i64, target: Option<&str>) -> Result<Option<Look>, Fault> {
        let key = (scan, target.map(str::to_owned));
        if let Some(found) = self.known.get(&key) {
            return Ok(*found);
        }
        let row: Option<(i64, String, Option<String>)> = self
            .connection
            .prepare_cached(
                "SELECT s.seq, s.started_at, \
                   (SELECT c.value ->> '$.auditLogUntil' FROM json_each(f.summary, '$.clusters') c \
                    WHERE c.value ->> '$.name' = ?3) \
                 FROM scan_finished f JOIN scan s ON s.seq = f.scan \
                 WHERE f.outcome = 'finished' AND f.scan < ?1 AND (?2 IS NULL OR EXISTS \
                   (SELECT 1 FROM json_each(f.summary, '$.targets') t WHERE t.value ->> '$.name' = ?2)) \
                 ORDER BY f.seq DESC LIMIT 1",
            )?
            .query_row(params![scan, target, self.cluster.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let look = row.map(|(scan, started, until)| {
            let started = read_time(&started, "scan", scan)?;
            let log_until = until.map(|text| read_time(&text, "the summary of scan", scan)).transpose()?;
            Ok::<_, Fault>(Look { started, log_until })
        });
        let found = look.transpose()?;
        self.known.insert(key, found);
        Ok(found)
    }
}
