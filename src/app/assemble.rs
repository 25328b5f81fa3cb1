//! From what was gathered to what is recorded: findings, the report, the ledger's events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::audit_log::Audited;
use super::change_control;
use super::changes::Changes;
use super::evidence::{self, LineQuestions};
use super::gather::TargetSource;
use super::ignored;
use super::operators::{self, ToldByTarget};
use super::pipeline::VERSION;
use super::reading::ClusterReading;
use super::runs;
use super::sightings::{self, Sightings};
use super::traced;
use super::wiring;
use crate::config::known::KnownObjects;
use crate::config::{ClusterConfig, Config, TargetConfig};
use crate::model::canonical::Canonical;
use crate::model::declared::DeclaredObject;
use crate::model::field_path::FieldPath;
use crate::model::finding::{Cause, Code, Finding};
use crate::model::gap::{Exclusion, Gap};
use crate::model::ids::{ClusterName, ScanId, TargetName};
use crate::model::record::{ConfigEvent, ObjectState, PriorState, ScanRecord, Sighting};
use crate::model::report::{Counts, SCAN_SCHEMA, ScanReport, ScanSummary, TargetSummary};
use crate::model::resource::ObjectId;
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::stages;
use crate::stages::assess::assess;
use crate::stages::attribute::Circumstances;
use crate::stages::beyond::{self, Removed};
use crate::stages::compare;
use crate::stages::converge::finding::of_unconverged;
use crate::stages::findings::{self, Evidence};
use crate::stages::lifecycle::{Looked, lifecycle};
use crate::stages::normalise::{Applied, Side, normalise};
use crate::stages::pick;

/// Evidence by cluster and object.
pub type EvidenceByObject = BTreeMap<(ClusterName, ObjectId), Evidence>;

/// Everything a scan gathered.
pub struct Scanned {
    /// Its number in the ledger.
    pub id: ScanId,
    /// When it started.
    pub started: Timestamp,
    /// The declared side.
    pub sources: Vec<TargetSource>,
    /// The live side, compared.
    pub readings: Vec<ClusterReading>,
    /// Clusters in scope.
    pub clusters: Vec<ClusterConfig>,
    /// Targets in scope.
    pub targets: Vec<TargetConfig>,
}

/// The configuration subject under which a cluster's identity is kept.
pub fn uid_subject(cluster: &ClusterName) -> String {
    format!("identity of cluster {cluster}")
}

/// What decides about causes besides an object's own evidence.
struct Around<'a> {
    sightings: Sightings,
    applied: BTreeMap<TargetName, Vec<u64>>,
    now: Timestamp,
    config: &'a Config,
}

impl Around<'_> {
    fn of<'o>(&'o self, object: &'o DeclaredObject, seen_live: bool) -> Circumstances<'o> {
        let target = &object.origin.target;
        Circumstances {
            revision: &object.origin.revision,
            sightings: self.sightings.get(target).map(Vec::as_slice).unwrap_or_default(),
            now: self.now,
            grace_seconds: i64::try_from(self.config.grace.as_secs()).unwrap_or(i64::MAX),
            seen_live,
            applied: self.applied.get(target).map(Vec::as_slice).unwrap_or_default(),
        }
    }
}

/// Puts a scan's record together. `finished` is when its last reading was done.
pub fn record(
    scanned: Scanned,
    evidence: EvidenceByObject,
    audited: Audited,
    prior: &PriorState,
    config: &Config,
    key: &RedactionKey,
    finished: Timestamp,
) -> ScanRecord {
    let former = |reading| ClusterReading::former(reading).map(|former| &former.object);
    let in_question: BTreeSet<&TargetName> = scanned
        .readings
        .iter()
        .flat_map(|reading| reading.in_question().chain(former(reading)))
        .map(|object| &object.origin.target)
        .collect();
    let sources = scanned.sources.iter().filter(|source| in_question.contains(&source.config.name));
    let sightings = sightings::of_targets(sources, prior);
    let told = operators::of_targets(&scanned.sources, &scanned.readings, config);
    let around = Around { sightings, applied: operators::applied(&told), now: scanned.started, config };
    let mut found = Vec::new();
    let mut kept = Vec::new();
    let mut removed_from = BTreeMap::new();
    for reading in &scanned.readings {
        found.extend(findings_of(reading, &scanned, &evidence, &around, prior));
        let beyond = beyond_findings(reading, &evidence, &around);
        removed_from.extend(beyond.0.iter().filter_map(|finding| {
            let (_, former) = reading.beyond.leftovers.get(&finding.object())?;
            Some((finding.fingerprint.clone(), former.object.origin.repository.clone()))
        }));
        found.extend(beyond.0);
        kept.extend(beyond.1);
    }
    let mut changes = Changes::of(&scanned.sources, config);
    let held = change_control::hold(&scanned.sources, prior, config, &mut changes);
    found.extend(held.findings);
    let ignored = ignored::Tally::take(&scanned.readings, &mut found);
    add_lines(&mut found, &scanned, config);
    traced::tell(&mut found, &scanned.sources, config, key);
    audited.attach(&mut found, prior);
    assess(&mut found, &config.severity);
    let mut found = findings::one_each(found);
    changes.fill(&mut found, &removed_from);

    let mut gaps: Vec<Gap> = config.undiscovered.clone();
    gaps.extend(scanned.sources.iter().flat_map(|s| s.gaps.clone()));
    gaps.extend(scanned.readings.iter().flat_map(|r| r.gaps.clone()));
    gaps.extend(audited.gaps);
    gaps.extend(held.gaps);
    gaps.extend(changes.gaps());
    let mut looked = looked(&scanned, config, gaps.clone());
    looked.ignored = ignored.reasons().clone();
    looked.adopted = adopted(&scanned, &found, prior);
    looked.commits = held.standings;
    let lifecycle = lifecycle(&found, &looked, prior, key);

    let sightings: Vec<Sighting> = scanned.sources.iter().filter_map(sighting).collect();
    let new_sightings: BTreeSet<Sighting> =
        sightings.into_iter().filter(|s| !prior.sightings.contains_key(s)).collect();
    let targets = target_summaries(&scanned, &found, &told, prior, config, key);
    let counts = counts(&scanned, &targets, &found, lifecycle.unknown.len(), gaps.len());
    let complete = gaps.is_empty() && scanned.targets.len() == config.targets.len();
    let mut exclusions: Vec<_> = scanned.readings.iter().flat_map(|r| r.exclusions.clone()).collect();
    exclusions.extend(kept);
    exclusions.extend(scanned.sources.iter().flat_map(|source| source.left_out.clone()));
    exclusions.extend(audited.exclusions);
    exclusions.sort();
    let events = config_events(&scanned, config, prior, held.states);
    let mut open = found;
    open.extend(lifecycle.unknown);
    ScanRecord {
        report: ScanReport {
            schema: SCAN_SCHEMA.to_owned(),
            scan: ScanSummary {
                id: scanned.id,
                ledger: prior.ledger.clone(),
                started_at: scanned.started,
                finished_at: finished,
                complete,
                tool_version: VERSION.to_owned(),
                clusters: scanned.readings.into_iter().map(|r| r.summary).collect(),
                targets,
                counts,
                changes: lifecycle.changes,
                ignored: ignored.summaries(complete),
                reverted: audited.reverted,
                undelivered: Vec::new(),
                last_complete: prior.last_complete,
                seal: None,
            },
            gaps,
            exclusions,
            findings: open,
        },
        events: lifecycle.events,
        objects: lifecycle.objects,
        sightings: new_sightings.into_iter().collect(),
        config: events,
        messages: Vec::new(),
        marks: Vec::new(),
    }
}

fn findings_of(
    reading: &ClusterReading,
    scanned: &Scanned,
    evidence: &EvidenceByObject,
    around: &Around<'_>,
    prior: &PriorState,
) -> Vec<Finding> {
    let cluster = &reading.summary.name;
    let none = Evidence::default();
    let mut found = Vec::new();
    for object in reading.in_question() {
        if !scanned.sources.iter().any(|source| source.config.name == object.origin.target) {
            continue;
        }
        let key = (cluster.clone(), object.id.clone());
        let evidence = evidence.get(&key).unwrap_or(&none);
        found.extend(of_object(reading, object, evidence, &around.of(object, prior.seen_live.contains(&key))));
    }
    found
}

/// DL005 and DL006 of a cluster, and what Git itself says may stay.
fn beyond_findings(
    reading: &ClusterReading,
    evidence: &EvidenceByObject,
    around: &Around<'_>,
) -> (Vec<Finding>, Vec<Exclusion>) {
    let cluster = &reading.summary.name;
    let beyond = &reading.beyond;
    let none = Evidence::default();
    let unmanaged = beyond.unmanaged.iter();
    let mut found: Vec<Finding> =
        unmanaged.map(|(id, seen)| beyond::of_unmanaged(cluster, id, seen, &beyond.history)).collect();
    let mut kept: BTreeMap<&str, u64> = BTreeMap::new();
    for (id, leftover) in &beyond.leftovers {
        let object = &leftover.1.object;
        let evidence = evidence.get(&(cluster.clone(), object.id.clone())).unwrap_or(&none);
        let around = around.of(object, true);
        match beyond::of_leftover(cluster, id, leftover, evidence, &around, beyond.doubt.as_deref()) {
            Removed::Finding(finding) => found.push(*finding),
            Removed::Kept(off) => *kept.entry(off.words()).or_default() += 1,
            Removed::Never => {}
        }
    }
    let exclusion = |(reason, count): (&str, u64)| Exclusion {
        scope: cluster.to_string(),
        what: "live objects that Git once declared".into(),
        reason: reason.to_owned(),
        count: Some(count),
    };
    (found, kept.into_iter().map(exclusion).collect())
}

/// Gives findings the lines of their fields.
fn add_lines(found: &mut [Finding], scanned: &Scanned, config: &Config) {
    let mut questions = LineQuestions::new();
    let mut asked: BTreeMap<(TargetName, String), Vec<usize>> = BTreeMap::new();
    for (n, finding) in found.iter().enumerate() {
        let Some(origin) = &finding.origin else { continue };
        let reading = scanned.readings.iter().find(|r| r.summary.name == finding.cluster);
        let Some(object) = reading.and_then(|r| r.objects.get(&finding.object())) else { continue };
        let Some(written) = object.written else { continue };
        let key = (origin.target.clone(), origin.file.clone());
        let path = finding.path.clone().unwrap_or_else(FieldPath::root);
        questions.entry(key.clone()).or_default().push((written.index, path));
        asked.entry(key).or_default().push(n);
    }
    for (key, lines) in evidence::lines(&scanned.sources, &questions, config) {
        for (n, line) in asked.remove(&key).unwrap_or_default().into_iter().zip(lines) {
            if let (Some(origin), Some(line)) = (&mut found[n].origin, line) {
                origin.line = Some(line);
            }
        }
    }
}

/// An object's findings.
fn of_object(
    reading: &ClusterReading,
    object: &DeclaredObject,
    evidence: &Evidence,
    around: &Circumstances<'_>,
) -> Vec<Finding> {
    let cluster = &reading.summary.name;
    let mut found = Vec::new();
    if let Some(conflict) = reading.conflicts.iter().find(|c| c.kept.id == object.id) {
        found.push(findings::of_conflict(cluster, conflict, evidence));
    }
    if let Some(verdict) = reading.drifted.get(&object.id) {
        let schema = reading.schemas.kind_at_any_version(&object.gvk);
        found.extend(findings::of_verdict(cluster, object, verdict, schema, evidence, around));
    }
    if let Some(unconverged) = reading.unconverged.get(&object.id) {
        found.push(of_unconverged(cluster, object, unconverged, evidence));
    }
    if reading.missing.contains(&object.id) {
        let mut finding = findings::of_missing(cluster, object, evidence, around);
        finding.note = findings::join(finding.note.as_deref(), reading.beyond.generations_note(&object.id).as_deref());
        found.push(finding);
    }
    if let Some(served) = reading.unserved.get(&object.id) {
        found.push(findings::of_unserved(cluster, object, served, evidence));
    }
    found
}

fn sighting(source: &TargetSource) -> Option<Sighting> {
    let (commit, _, _) = source.commit.as_ref()?;
    Some(Sighting {
        repository: source.config.repository.clone(),
        revision: source.config.revision.clone(),
        commit: commit.clone(),
    })
}

fn looked(scanned: &Scanned, config: &Config, gaps: Vec<Gap>) -> Looked {
    let mut looked = Looked {
        targets: scanned.targets.iter().map(|t| t.name.clone()).collect(),
        configured_targets: config.targets.iter().map(|t| t.name.clone()).collect(),
        discovers: config.discovery.argocd || config.discovery.flux,
        convergence_off: config.targets.iter().filter(|t| !t.convergence).map(|t| t.name.clone()).collect(),
        policies: config.targets.iter().filter(|t| t.change_policy.is_some()).map(|t| t.name.clone()).collect(),
        configured_clusters: config.clusters.iter().map(|c| c.name.clone()).collect(),
        gaps,
        ..Looked::default()
    };
    let mut objects = Vec::new();
    for reading in &scanned.readings {
        let cluster = &reading.summary.name;
        for (id, object) in &reading.objects {
            let unserved = reading.unserved.get(id);
            let state = if reading.unknown.contains(id) || unserved.is_some_and(|there| there.lives != Some(false)) {
                // It may live under what is served, and was not compared there.
                ObjectState::Unknown
            } else if reading.missing.contains(id) || unserved.is_some() {
                ObjectState::Missing
            } else if reading.drifted.contains_key(id) || reading.unconverged.contains_key(id) {
                ObjectState::Drifted
            } else {
                ObjectState::InSync
            };
            objects.push(((cluster.clone(), id.clone()), (state, object.origin.target.clone())));
        }
        looked.beyond.insert(cluster.clone(), reading.beyond.looked.clone());
        looked.excluded.extend(reading.excluded.iter().map(|id| (cluster.clone(), id.clone())));
    }
    looked.objects = objects.into_iter().collect();
    looked
}

/// The open findings of which Git now declares what was live. Whether they are over is for others to say.
fn adopted(scanned: &Scanned, found: &[Finding], prior: &PriorState) -> BTreeSet<String> {
    let found: BTreeSet<&str> = found.iter().map(|finding| finding.fingerprint.as_str()).collect();
    let now_declares = |finding: &Finding| {
        let reading = scanned.readings.iter().find(|reading| reading.summary.name == finding.cluster)?;
        let object = reading.objects.get(&finding.object())?;
        let path = finding.path.as_ref()?;
        let mut declared = object.tree().ok()?;
        normalise(&mut declared, &object.id.group_kind(), Side::Declared, &mut Applied::new());
        let schema = reading.schemas.kind_at_any_version(&object.gvk);
        Some(match (pick::lookup(&declared, path), &finding.live) {
            (Some(declared), Some(live)) => compare::equal(declared, live, compare::schema_at(schema, path)),
            (None, None) => true,
            _ => false,
        })
    };
    let gone = prior.open.iter().filter(|(print, _)| !found.contains(print.as_str()));
    let adopted = gone.filter(|(_, open)| now_declares(&open.finding) == Some(true));
    adopted.map(|(print, _)| print.clone()).collect()
}

fn target_summaries(
    scanned: &Scanned,
    found: &[Finding],
    told: &ToldByTarget,
    prior: &PriorState,
    config: &Config,
    key: &RedactionKey,
) -> Vec<TargetSummary> {
    let of = |finding: &Finding, target: &TargetName| finding.origin.as_ref().is_some_and(|o| o.target == *target);
    scanned
        .sources
        .iter()
        .map(|source| {
            let target = &source.config.name;
            let reading = scanned.readings.iter().find(|r| r.summary.name == source.config.cluster);
            let declared = reading
                .into_iter()
                .flat_map(|r| r.objects.values().map(Arc::as_ref))
                .filter(|o| o.origin.target == *target);
            let unknown = |object: &&DeclaredObject| reading.is_some_and(|r| r.unknown.contains(&object.id));
            let said = told.get(target).map(Vec::as_slice).unwrap_or_default();
            let differs = |f: &&Finding| of(f, target) && f.code.has_cause() && f.cause != Some(Cause::Pending);
            let differing = found.iter().filter(differs).count() as u64;
            let all_compared = source.gaps.is_empty() && !declared.clone().any(|object| unknown(&object));
            TargetSummary {
                disagreement: stages::runs::disagreement(said, differing, all_compared),
                name: target.clone(),
                cluster: source.config.cluster.clone(),
                repository: source.config.repository.clone(),
                revision: source.config.revision.clone(),
                commit: source.commit.as_ref().map(|(commit, _, _)| commit.clone()),
                tag: source.tag.clone(),
                path: source.config.path.clone(),
                declared: declared.clone().count() as u64,
                compared: declared.filter(|object| !unknown(object)).count() as u64,
                findings: found.iter().filter(|f| of(f, target)).count() as u64,
                files_passed_over: source.passed_over,
                stale: source.is_stale(),
                rewritten: sightings::rewritten(source, prior),
                runs: {
                    let found: Vec<&Finding> = found.iter().filter(|f| of(f, target)).collect();
                    runs::of_target(source, reading, &found, said, config, key)
                },
                repository_url: config
                    .repositories
                    .iter()
                    .find(|repository| repository.name == source.config.repository)
                    .and_then(wiring::public_url),
            }
        })
        .collect()
}

fn counts(scanned: &Scanned, targets: &[TargetSummary], found: &[Finding], unknown: usize, gaps: usize) -> Counts {
    let mut counts = Counts {
        declared: targets.iter().map(|t| t.declared).sum(),
        compared: targets.iter().map(|t| t.compared).sum(),
        findings: found.len() as u64,
        unknown: unknown as u64,
        gaps: gaps as u64,
        ..Counts::default()
    };
    // An object of which only a part could be compared may have findings and is not among the compared.
    let whole = |(cluster, id): &(&ClusterName, ObjectId)| {
        scanned.readings.iter().all(|r| r.summary.name != **cluster || !r.unknown.contains(id))
    };
    let with_findings: BTreeSet<(&ClusterName, ObjectId)> = found
        .iter()
        .filter(|f| f.code != Code::ChangeControl)
        .map(|f| (&f.cluster, f.object()))
        .filter(whole)
        .collect();
    counts.in_sync = counts.compared.saturating_sub(with_findings.len() as u64);
    for finding in found {
        *counts.by_severity.entry(finding.severity).or_default() += 1;
        *counts.by_class.entry(finding.class.clone()).or_default() += 1;
    }
    for (rule, count) in scanned.readings.iter().flat_map(|r| &r.applied) {
        *counts.normalised.entry((*rule).to_owned()).or_default() += count;
    }
    for coverage in scanned.readings.iter().filter_map(|reading| reading.summary.coverage.as_ref()) {
        counts.coverage.get_or_insert_default().add(coverage);
    }
    let duplicate_keys: u64 = scanned.sources.iter().map(|s| s.duplicate_keys).sum();
    if duplicate_keys > 0 {
        counts.normalised.insert("duplicate-yaml-key".to_owned(), duplicate_keys);
    }
    counts
}

/// What changed in the configuration since the ledger last heard of it, and the identities of clusters.
fn config_events(
    scanned: &Scanned,
    config: &Config,
    prior: &PriorState,
    policies: Vec<(String, String)>,
) -> Vec<ConfigEvent> {
    let table = Canonical::new("driftledger/actors/v1").text(&config.actors.canonical());
    let actors = table.text(&config.trust.canonical()).finish_hex();
    let known = Canonical::new("driftledger/known-objects/v1").text(KnownObjects::text()).finish_hex();
    let mut states = vec![
        ("configuration".to_owned(), config.hash.clone()),
        ("actor table".to_owned(), actors),
        ("table of known objects".to_owned(), known),
    ];
    states.extend(policies);
    for reading in &scanned.readings {
        let subject = uid_subject(&reading.summary.name);
        if let Some(uid) = reading.summary.uid.clone().filter(|_| !prior.config.contains_key(&subject)) {
            states.push((subject, uid));
        }
        let (subject, state) = ignored::state(reading);
        if !reading.ignores.rules().is_empty() || prior.config.contains_key(&subject) {
            states.push((subject, state));
        }
    }
    states
        .into_iter()
        .filter(|(subject, state)| prior.config.get(subject) != Some(state))
        .map(|(subject, state)| ConfigEvent { subject, state })
        .collect()
}
