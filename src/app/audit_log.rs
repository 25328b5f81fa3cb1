//! Asks the clusters' audit logs who is behind the findings, and who wrote what is in sync.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::assemble::Scanned;
use super::reading::ClusterReading;
use crate::adapters::audit_log::{self, LogOutcome, LogRequest, Want};
use crate::adapters::ledger::{LedgerError, LedgerReader, Look};
use crate::config::audit_log::AuditLog;
use crate::config::{ClusterConfig, Config};
use crate::model::audited::Reverted;
use crate::model::field_path::FieldPath;
use crate::model::finding::Finding;
use crate::model::fingerprint;
use crate::model::gap::{Exclusion, Gap, GapKind, Hides};
use crate::model::ids::{ClusterName, TargetName};
use crate::model::record::PriorState;
use crate::model::resource::ObjectId;
use crate::model::schema::builtin_schemas;
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::stages::audit_match::{self, FieldEvidence, ObjectLog, Sought};
use crate::stages::findings;

/// Objects in sync that are told to have been written; more are counted.
const MOST_REVERTED: usize = 500;

/// Seconds by which parts of a log may come later than others.
const LATENESS: i64 = 3600;

/// What the audit logs say.
#[derive(Default)]
pub struct Audited {
    logs: BTreeMap<ClusterName, ClusterLog>,
    /// Declared objects that are in sync and were written by somebody.
    pub reverted: Vec<Reverted>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// What was not read by choice.
    pub exclusions: Vec<Exclusion>,
}

/// The log of one cluster.
#[derive(Default)]
struct ClusterLog {
    outcome: LogOutcome,
    in_sync: BTreeMap<ObjectId, Timestamp>,
    /// Objects of whose findings an earlier scan knew, and from when on this one looked for more.
    known: BTreeMap<ObjectId, Timestamp>,
    /// By object and the written form of the path.
    fields: BTreeMap<(ObjectId, String), FieldEvidence>,
}

/// Since when writes to an object are wanted, and whether with their content.
type Wanted = HashMap<ObjectId, (Option<Timestamp>, Want)>;

/// Reads the logs of the clusters that have one, and gives the writers of what differs their users. Blocks.
pub fn gather(
    scanned: &mut Scanned,
    ledger: &LedgerReader,
    prior: &PriorState,
    config: &Config,
    key: &RedactionKey,
) -> Audited {
    let mut audited = Audited::default();
    let clusters = std::mem::take(&mut scanned.clusters);
    for reading in &mut scanned.readings {
        let configured = |cluster: &&ClusterConfig| cluster.name == reading.summary.name;
        if let Some(log) = clusters.iter().find(configured).and_then(|cluster| cluster.audit_log.as_ref()) {
            audited.cluster(reading, log, ledger, prior, config, key);
        }
    }
    scanned.clusters = clusters;
    let more = audited.reverted.len().saturating_sub(MOST_REVERTED);
    audited.reverted.truncate(MOST_REVERTED);
    if more > 0 {
        audited.exclusions.push(Exclusion {
            scope: "every cluster".into(),
            what: "objects in sync that were written by somebody".into(),
            reason: format!("the list is cut at {MOST_REVERTED}"),
            count: Some(more as u64),
        });
    }
    audited
}

impl Audited {
    fn cluster(
        &mut self,
        reading: &mut ClusterReading,
        log: &AuditLog,
        ledger: &LedgerReader,
        prior: &PriorState,
        config: &Config,
        key: &RedactionKey,
    ) {
        let cluster = reading.summary.name.clone();
        let questioned = in_question(reading);
        let Seen { in_sync, looks } = seen(ledger, reading, &questioned).unwrap_or_else(|error| {
            let message = format!("the ledger does not tell when objects were last in sync: {error}");
            self.gaps.push(Gap::new(GapKind::Parse, message, Hides::Evidence).of_cluster(&cluster));
            Seen::default()
        });
        // What earlier scans knew of findings is kept with them, as long as it is the same log that is read.
        let same_log = prior.config.get("configuration") == Some(&config.hash);
        let mut known = if same_log { known(reading, &questioned, prior, &looks) } else { BTreeMap::new() };
        for (id, from) in &mut known {
            *from = in_sync.get(id).copied().map_or(*from, |in_sync| in_sync.max(*from));
        }
        let synced = synced(reading, &questioned);
        let of_question = |id: &ObjectId| known.get(id).or_else(|| in_sync.get(id)).copied();
        let mut wanted: Wanted = questioned.iter().map(|id| (id.clone(), (of_question(id), Want::Body))).collect();
        wanted.extend(
            synced.iter().filter_map(|(id, target)| Some((id.clone(), (Some(unread(looks.get(target)?)), Want::Head)))),
        );
        if wanted.is_empty() {
            return;
        }
        let outcome = read(reading, log, &wanted, config, key);
        let before = looks.values().filter_map(|look| look.log_until).max();
        reading.summary.audit_log_until = outcome.span.map(|(_, to)| to).max(before);
        self.gaps.extend(outcome.gaps.iter().map(|gap| gap.clone().of_cluster(&cluster)));
        if outcome.passed_over > 0 {
            self.exclusions.push(Exclusion {
                scope: cluster.to_string(),
                what: "files in the audit log's folder".into(),
                reason: "links, or not named like logs".into(),
                count: Some(outcome.passed_over),
            });
        }
        let mut found = ClusterLog { outcome, in_sync, known, fields: BTreeMap::new() };
        found.ask_fields(reading, prior, config);
        for (id, target) in synced {
            let looked = looks.get(&target).map(|look| look.started);
            let log = ObjectLog { in_sync: looked, ..found.object(&id) };
            let writes = audit_match::of_synced(&log, &config.actors);
            if !writes.is_empty() {
                self.reverted.push(Reverted { cluster: cluster.clone(), object: id, target, writes });
            }
        }
        self.logs.insert(cluster, found);
    }

    /// Gives findings the writes behind them.
    pub fn attach(&self, found: &mut [Finding], prior: &PriorState) {
        for finding in found {
            let Some(log) = self.logs.get(&finding.cluster) else { continue };
            let field = finding.path.as_ref().map(|path| (finding.object(), path.to_string()));
            if let Some(evidence) = field.and_then(|field| log.fields.get(&field)) {
                finding.writes = Some(evidence.writes.clone());
                finding.note = findings::join(finding.note.as_deref(), evidence.note.as_deref());
                continue;
            }
            let object = finding.object();
            let collections = ObjectId { name: String::new(), ..object.clone() };
            let collections = log.outcome.writes.get(&collections).map(Vec::as_slice).unwrap_or_default();
            let earlier = prior.open.get(&finding.fingerprint).map(|open| &open.finding);
            finding.writes = Some(audit_match::of_object(finding.code, &log.object(&object), collections, earlier));
        }
    }
}

impl ClusterLog {
    fn object<'a>(&'a self, id: &ObjectId) -> ObjectLog<'a> {
        ObjectLog {
            writes: self.outcome.writes.get(id).map(Vec::as_slice).unwrap_or_default(),
            in_sync: self.in_sync.get(id).copied(),
            read_from: self.known.get(id).copied(),
            span: self.outcome.span,
        }
    }

    fn ask_fields(&mut self, reading: &mut ClusterReading, prior: &PriorState, config: &Config) {
        let cluster = &reading.summary.name;
        for (id, verdict) in &mut reading.drifted {
            let Some(object) = reading.objects.get(id) else { continue };
            let schema = reading.schemas.kind_or_builtin(&object.gvk);
            let log = self.object(id);
            let mut fields = Vec::new();
            for judgement in verdict.judgements.iter_mut().filter(|judgement| judgement.difference.code.has_cause()) {
                let path = &judgement.difference.path;
                let print = fingerprint::of_object(cluster, id, Some(path));
                let sought = Sought {
                    path,
                    live: judgement.difference.live.as_ref(),
                    schema,
                    builtin: builtin_schemas().kind(&object.gvk).is_some(),
                    actors: &judgement.actors,
                    last_writer: judgement.last_writer.as_ref(),
                };
                let earlier = prior.open.get(&print).map(|open| &open.finding);
                let evidence = audit_match::of_field(&log, &sought, &config.actors, earlier);
                let path = path.to_string();
                evidence.apply(&mut judgement.actors);
                fields.push(((id.clone(), path), evidence));
            }
            self.fields.extend(fields);
        }
    }
}

/// The objects that something is to be said about, leftovers and unmanaged ones included.
fn in_question(reading: &ClusterReading) -> BTreeSet<ObjectId> {
    let declared = reading.in_question().map(|object| &object.id);
    let beyond = reading.beyond.leftovers.keys().chain(reading.beyond.unmanaged.keys());
    declared.chain(beyond).cloned().collect()
}

/// The declared objects that were compared and are in sync, with their targets.
fn synced(reading: &ClusterReading, questioned: &BTreeSet<ObjectId>) -> Vec<(ObjectId, TargetName)> {
    let is_synced = |id: &ObjectId| !questioned.contains(id) && !reading.unknown.contains(id);
    let objects = reading.objects.values().filter(|object| is_synced(&object.id));
    objects.map(|object| (object.id.clone(), object.origin.target.clone())).collect()
}

/// When objects were last in sync, and targets last looked at, by the API server's clock, which is the log's.
#[derive(Default)]
struct Seen {
    in_sync: BTreeMap<ObjectId, Timestamp>,
    looks: BTreeMap<TargetName, Look>,
}

fn seen(ledger: &LedgerReader, reading: &ClusterReading, questioned: &BTreeSet<ObjectId>) -> Result<Seen, LedgerError> {
    let cluster = &reading.summary.name;
    let skew = reading.summary.clock_skew_seconds.unwrap_or_default();
    let targets: BTreeSet<&TargetName> = reading.objects.values().map(|object| &object.origin.target).collect();
    let mut seen = Seen {
        in_sync: ledger.last_in_sync(cluster, questioned)?,
        looks: ledger
            .last_looks(cluster, targets)?
            .into_iter()
            .map(|(target, look)| (target, Look { started: later(look.started, skew), log_until: look.log_until }))
            .collect(),
    };
    seen.in_sync.values_mut().for_each(|time| *time = later(*time, skew));
    Ok(seen)
}

fn later(time: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_unix(time.unix().saturating_add(seconds))
}

/// From when on the log may hold what an earlier scan could not read: exports come late.
fn unread(look: &Look) -> Timestamp {
    look.log_until.map_or(look.started, |until| later(until, 1).min(look.started))
}

/// Objects all of whose findings an earlier scan knew, with what the log said of them, and from when on more is looked for.
fn known(
    reading: &ClusterReading,
    questioned: &BTreeSet<ObjectId>,
    prior: &PriorState,
    looks: &BTreeMap<TargetName, Look>,
) -> BTreeMap<ObjectId, Timestamp> {
    let cluster = &reading.summary.name;
    let told = |id: &ObjectId, path: Option<&FieldPath>| {
        let open = prior.open.get(&fingerprint::of_object(cluster, id, path));
        open.is_some_and(|open| open.finding.writes.is_some())
    };
    let is_known = |id: &&ObjectId| match reading.drifted.get(id) {
        Some(verdict) => verdict.judgements.iter().all(|j| told(id, Some(&j.difference.path))),
        None => told(id, None),
    };
    let oldest = looks.values().map(unread).min();
    let look = |id: &ObjectId| match reading.objects.get(id) {
        Some(object) => looks.get(&object.origin.target).map(unread),
        None => oldest,
    };
    let known = questioned.iter().filter(is_known);
    known.filter_map(|id| Some((id.clone(), later(look(id)?, -LATENESS)))).collect()
}

fn read(reading: &ClusterReading, log: &AuditLog, wanted: &Wanted, config: &Config, key: &RedactionKey) -> LogOutcome {
    let collections: BTreeSet<(&str, &str, Option<&str>)> =
        reading.missing.iter().map(|id| (id.group.as_str(), id.kind.as_str(), id.namespace.as_deref())).collect();
    let since = |write: &ObjectId| match wanted.get(write) {
        Some((since, want)) => Some((*since, *want)),
        None if write.name.is_empty() => collections
            .contains(&(write.group.as_str(), write.kind.as_str(), write.namespace.as_deref()))
            .then_some((None, Want::Head)),
        None => None,
    };
    // What was written after a snapshot was taken is not in it.
    let until = reading.summary.taken_at;
    let wants = |id: &ObjectId, time: Timestamp| match since(id) {
        Some((since, want)) if since.is_none_or(|since| time >= since) && until.is_none_or(|until| time <= until) => {
            want
        }
        _ => Want::Nothing,
    };
    let all: Option<Vec<Timestamp>> = wanted.values().map(|(since, _)| *since).collect();
    audit_log::read(&LogRequest {
        path: &log.path,
        source_ips: log.source_ips,
        most_bytes: config.limits.audit_log_bytes,
        most_time: config.limits.audit_log_time,
        newer_than: all.and_then(|times| times.into_iter().min()),
        resources: &reading.resources,
        key,
        redaction: &config.redaction,
        wants: &wants,
    })
}
