//! The main job: gather, compare, gather evidence, assess, record. One direction, on one screen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use tokio::runtime::Handle;

use super::announce::{self, Delivered};
use super::assemble::{self, Scanned};
use super::audit::Asked;
use super::audit_log;
use super::capabilities::Capabilities;
use super::convergence;
use super::discovery;
use super::error::AppError;
use super::evidence::{self, Question, Search};
use super::gather::{self, TargetSource};
use super::live::LiveContext;
use super::operator_rules;
use super::progress::Progress;
use super::reach::{self, Reached};
use super::reading::ClusterReading;
use super::rendered_former;
use crate::adapters::ledger::{Ledger, OpenOptions};
use crate::config::{ClusterConfig, Config, TargetConfig};
use crate::model::declared::{DeclaredObject, RenderedObject};
use crate::model::finding::{Code, Finding};
use crate::model::ids::{ClusterName, TargetName};
use crate::model::record::PriorState;
use crate::model::report::ScanReport;
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::stages::declare::TargetPlace;
use crate::stages::ignore::Ignores;
use crate::stages::unstable;

/// This program's version, as rows, seals and reports carry it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a scan covers and how it is run.
#[derive(Clone)]
pub struct Scan {
    /// The configuration.
    pub config: Arc<Config>,
    /// Only these targets; empty: all.
    pub targets: Vec<TargetName>,
    /// Only these clusters; empty: all.
    pub clusters: Vec<ClusterName>,
    /// Tells the time, in UTC.
    pub clock: fn() -> Timestamp,
    /// Shown on a terminal.
    pub progress: Progress,
    /// What it is made for, where that is a schedule.
    pub scheduled: Option<Scheduled>,
}

/// A time of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scheduled {
    /// The schedule, with its time zone.
    pub schedule: String,
    /// The time.
    pub at: Timestamp,
    /// Earlier times of the schedule at which no scan could begin.
    pub missed: u64,
}

/// What a scan came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its report, as the ledger keeps it.
    pub report: ScanReport,
    /// What became of the messages about it, and of those that had waited.
    pub delivered: Delivered,
}

/// The clock of this machine.
pub fn now() -> Timestamp {
    Timestamp::from_unix(jiff::Timestamp::now().as_second())
}

/// Runs one scan and records it. A scan that fails half-way is recorded as failed.
///
/// # Errors
/// The ledger cannot be used, or nothing is in scope.
pub async fn scan(scan: &Scan) -> Result<Outcome, AppError> {
    let scan = &discovered(scan).await?;
    let (clusters, targets) = scope(scan)?;
    let started = (scan.clock)();
    let (mut ledger, prior) = open_ledger(&scan.config, started).await?;
    let names = |list: &[TargetConfig]| list.iter().map(|t| t.name.to_string()).collect::<Vec<_>>();
    let mut asked = serde_json::json!({"targets": names(&targets)});
    if let Some(scheduled) = &scan.scheduled {
        asked["scheduled"] = serde_json::json!(scheduled);
    }
    let id = ledger.begin_scan(started, &asked)?;
    let key = Arc::new(ledger.key().clone());

    let (sources, readings) = gather_both(scan, &clusters, &targets, &prior, &key).await;
    let mut scanned = Scanned { id, started, sources, readings, clusters, targets };
    let config = scan.config.clone();
    let clock = scan.clock;
    let recorded = tokio::task::spawn_blocking(move || {
        // First the live side's: the causes depend on who wrote what.
        let audited = audit_log::gather(&mut scanned, &ledger, &prior, &config, &key);
        let evidence = gather_evidence(&scanned, &config, &key);
        tracing::debug!("evidence gathered");
        let declared = announce::declared_facts(&scanned, &config);
        let mut record = assemble::record(scanned, evidence, audited, &prior, &config, &key, clock());
        announce::plan(&mut record, &prior, &ledger, &declared, &config)?;
        let mut report = record.report.clone();
        match ledger.record(record) {
            Ok(seal) => report.scan.seal = Some(seal),
            Err(error) => {
                // If even this cannot be written, the scan's first row stands alone and says that it never ended.
                if let Err(second) = ledger.fail_scan(id, clock(), &error.to_string()) {
                    tracing::warn!("the failure could not be recorded either: {second}");
                }
                return Err(error.into());
            }
        }
        tracing::debug!("recorded");
        // Only the ledger knows since when a finding is there.
        let kept = ledger.report(Some(id))?;
        let report = kept.map_or_else(|| report.clone(), |kept| as_of_now(kept, &report));
        let delivered = announce::deliver(&mut ledger, &config, clock, &Handle::current())?;
        tracing::debug!("messages sent");
        if let Some(heartbeat) = config.delivery.heartbeat.as_ref().filter(|_| report.scan.complete) {
            announce::beat(heartbeat, clock(), &Handle::current());
        }
        Ok::<_, AppError>(Outcome { report, delivered })
    });
    scan.progress.finish();
    recorded.await.unwrap_or_else(|error| Err(AppError::new(format!("the scan was given up: {error}"))))
}

/// The ledger keeps a finding as it was when something of it changed. That a revision has moved on is no such change, but how far behind
/// something is now, and where it is declared, is this scan's to say.
fn as_of_now(mut kept: ScanReport, report: &ScanReport) -> ScanReport {
    let now: BTreeMap<&str, &Finding> = report.findings.iter().map(|f| (f.fingerprint.as_str(), f)).collect();
    for finding in &mut kept.findings {
        if let Some(now) = now.get(finding.fingerprint.as_str()) {
            finding.origin.clone_from(&now.origin);
            finding.live_matches.clone_from(&now.live_matches);
        }
    }
    kept
}

/// The same scan, of all targets that are declared for its configuration.
async fn discovered(scan: &Scan) -> Result<Scan, AppError> {
    let config = discovery::of(&scan.config, (scan.clock)()).await?;
    Ok(Scan { config, ..scan.clone() })
}

/// Reads both sides as a scan does, and writes nothing down.
///
/// # Errors
/// Nothing is in scope.
pub async fn read(
    scan: &Scan,
    prior: &PriorState,
    key: &Arc<RedactionKey>,
) -> Result<(Vec<TargetSource>, Vec<ClusterReading>), AppError> {
    let (clusters, targets) = scope(scan)?;
    Ok(gather_once(scan, &clusters, &targets, prior, key).await)
}

/// The clusters and targets that a scan covers.
fn scope(scan: &Scan) -> Result<(Vec<ClusterConfig>, Vec<TargetConfig>), AppError> {
    let config = &scan.config;
    for name in &scan.targets {
        if !config.targets.iter().any(|t| t.name == *name) {
            let known: Vec<&str> = config.targets.iter().map(|t| t.name.as_str()).collect();
            return Err(
                AppError::new(format!("there is no target `{name}`")).hint(format!("known: {}", known.join(", ")))
            );
        }
    }
    for name in &scan.clusters {
        if !config.clusters.iter().any(|c| c.name == *name) {
            let known: Vec<&str> = config.clusters.iter().map(|c| c.name.as_str()).collect();
            return Err(
                AppError::new(format!("there is no cluster `{name}`")).hint(format!("known: {}", known.join(", ")))
            );
        }
    }
    let in_scope = |target: &&TargetConfig| {
        (scan.targets.is_empty() || scan.targets.contains(&target.name))
            && (scan.clusters.is_empty() || scan.clusters.contains(&target.cluster))
    };
    let targets: Vec<TargetConfig> = config.targets.iter().filter(in_scope).cloned().collect();
    if targets.is_empty()
        && let Some(gap) = config.undiscovered.first()
    {
        let error = AppError::new(format!("no target was discovered: {}", gap.message));
        return Err(error.hint(gap.hint.clone().unwrap_or_default()));
    }
    if targets.is_empty() {
        return Err(
            AppError::new("no target is in scope").hint("add one under `targets:`, or check --target and --cluster")
        );
    }
    let used: BTreeSet<&ClusterName> = targets.iter().map(|t| &t.cluster).collect();
    Ok((config.clusters.iter().filter(|c| used.contains(&c.name)).cloned().collect(), targets))
}

async fn open_ledger(config: &Arc<Config>, now: Timestamp) -> Result<(Ledger, PriorState), AppError> {
    let config = config.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let options = OpenOptions {
            create: config.ledger.create,
            key_file: config.ledger.key_file.clone(),
            ..OpenOptions::new(VERSION)
        };
        let ledger = Ledger::open(&config.ledger.path, &options, now)?;
        let prior = ledger.prior()?;
        Ok::<_, AppError>((ledger, prior))
    });
    opened.await.unwrap_or_else(|error| Err(AppError::new(format!("opening the ledger was given up: {error}"))))
}

/// Reads both sides. If something differs and a revision has moved meanwhile, both are read once more: a push in the middle of a scan
/// is no finding.
async fn gather_both(
    scan: &Scan,
    clusters: &[ClusterConfig],
    targets: &[TargetConfig],
    prior: &PriorState,
    key: &Arc<RedactionKey>,
) -> (Vec<TargetSource>, Vec<ClusterReading>) {
    let (sources, readings) = gather_once(scan, clusters, targets, prior, key).await;
    let differs = readings.iter().any(|reading| reading.in_question().next().is_some() || !reading.beyond.is_empty());
    if !differs || !gather::moved(&scan.config, &sources, (scan.clock)()).await {
        return (sources, readings);
    }
    tracing::info!("a revision moved during the scan; reading again");
    gather_once(scan, clusters, targets, prior, key).await
}

async fn gather_once(
    scan: &Scan,
    clusters: &[ClusterConfig],
    targets: &[TargetConfig],
    prior: &PriorState,
    key: &Arc<RedactionKey>,
) -> (Vec<TargetSource>, Vec<ClusterReading>) {
    scan.progress.doing("fetching repositories, reaching clusters");
    let declared = gather::targets(&scan.config, targets, key, (scan.clock)());
    let (mut sources, reached) = tokio::join!(declared, reach::all(clusters, &scan.config));
    tracing::debug!("declared side read, clusters reached");
    if charts_would_differ(scan, clusters, &sources, &reached) {
        tracing::debug!("a cluster serves something else than before; rendering its charts for that");
        sources = gather::targets(&scan.config, targets, key, (scan.clock)()).await;
    }
    sources = looked_back(scan, sources, key).await;
    let readings = gather_live(scan, clusters, reached, &mut sources, prior, key).await;
    tracing::debug!("live side read and compared");
    (sources, readings)
}

/// With what rendered targets declared once.
async fn looked_back(scan: &Scan, sources: Vec<TargetSource>, key: &Arc<RedactionKey>) -> Vec<TargetSource> {
    if sources.iter().all(|source| source.toolbox.is_none()) {
        return sources;
    }
    let (config, key) = (scan.config.clone(), key.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let mut sources = sources;
        rendered_former::look_back(&mut sources, &config, &key);
        sources
    });
    match looked.await {
        Ok(sources) => sources,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Keeps what the clusters serve for the charts that are rendered from now on; whether those of this scan were rendered for something else.
fn charts_would_differ(scan: &Scan, clusters: &[ClusterConfig], sources: &[TargetSource], reached: &[Reached]) -> bool {
    let mut differ = false;
    for (cluster, reached) in clusters.iter().zip(reached) {
        let has_charts = sources.iter().any(|source| {
            source.config.cluster == cluster.name && source.toolbox.is_some() && source.config.render.may_be_a_chart()
        });
        let capabilities = reached.discovery().filter(|_| has_charts).and_then(Capabilities::of);
        differ |= capabilities.is_some_and(|capabilities| capabilities.keep(&scan.config, &cluster.name));
    }
    differ
}

async fn gather_live(
    scan: &Scan,
    clusters: &[ClusterConfig],
    reached: Vec<Reached>,
    sources: &mut [TargetSource],
    prior: &PriorState,
    key: &Arc<RedactionKey>,
) -> Vec<ClusterReading> {
    let mut readings = Vec::new();
    let mut of_operators = operator_rules::rules(&scan.config, sources);
    for (cluster, reached) in clusters.iter().zip(reached) {
        let mut ignore = scan.config.ignore.clone();
        ignore.extend(of_operators.remove(&cluster.name).unwrap_or_default());
        let here = sources.iter().filter(|source| source.config.cluster == cluster.name);
        ignore.extend(here.flat_map(|source| unstable::rules(&source.config.name, &source.unstable)));
        let declared: Vec<(TargetPlace, Vec<RenderedObject>)> = sources
            .iter_mut()
            .filter(|source| source.config.cluster == cluster.name)
            .filter_map(|source| Some((source.place()?, std::mem::take(&mut source.objects))))
            .collect();
        let asked = asked(scan, &cluster.name, sources, prior);
        let context = LiveContext {
            config: scan.config.clone(),
            key: key.clone(),
            cluster: cluster.name.clone(),
            secrets: cluster.secrets,
            ignores: Arc::new(Ignores::new(cluster.name.clone(), ignore, (scan.clock)())),
            asked,
            known_uid: prior.config.get(&assemble::uid_subject(&cluster.name)).cloned(),
            converge: convergence::asked(&scan.config, &cluster.name, prior, (scan.clock)()),
            progress: scan.progress.clone(),
        };
        readings.push(reached.read(declared, context).await);
    }
    readings
}

/// What is asked of a cluster besides its declared objects.
fn asked(scan: &Scan, cluster: &ClusterName, sources: &[TargetSource], prior: &PriorState) -> Asked {
    let here = || sources.iter().filter(|source| source.config.cluster == *cluster);
    let configured = scan.config.targets.iter().filter(|target| target.cluster == *cluster).count();
    let open = prior.open.values().map(|open| &open.finding);
    let open = open.filter(|f| f.cluster == *cluster && matches!(f.code, Code::RemovedButLive | Code::Unmanaged));
    Asked {
        audit: scan.config.audit_of(cluster).clone(),
        pasts: here().filter_map(|source| Some((source.place()?, source.past.clone()))).collect(),
        open: open.map(Finding::object).collect(),
        gaps: {
            let undiscovered = scan.config.undiscovered.iter().filter(|gap| gap.cluster.as_ref() == Some(cluster));
            here().flat_map(|source| &source.gaps).chain(undiscovered).cloned().collect()
        },
        left_out: (here().count() < configured).then_some("only some of the cluster's targets are in the scan's scope"),
    }
}

/// Asks Git about the objects that something is to be said about, one walk for each target.
fn gather_evidence(scanned: &Scanned, config: &Config, key: &RedactionKey) -> assemble::EvidenceByObject {
    let mut found = BTreeMap::new();
    for source in &scanned.sources {
        for reading in scanned.readings.iter().filter(|r| r.summary.name == source.config.cluster) {
            let of_target = |object: &&DeclaredObject| object.origin.target == source.config.name;
            let mut questions: Vec<Question<'_>> =
                reading.in_question().filter(of_target).map(|object| question(reading, object)).collect();
            let former = reading.beyond.leftovers.values().map(|(_, former)| &former.object);
            questions.extend(former.filter(of_target).map(|object| Question {
                schema: reading.schemas.kind_at_any_version(&object.gvk),
                ..Question::of_former(object)
            }));
            if questions.is_empty() {
                continue;
            }
            let folders = source.folders(&scanned.sources);
            let sources = &scanned.sources;
            let evidence = Search { source, sources, folders: &folders, config, key }.with_memory(&questions);
            found.extend(evidence.into_iter().map(|(id, mut of_object)| {
                of_object.elsewhere = evidence::elsewhere(source, sources, &scanned.readings, &id);
                ((reading.summary.name.clone(), id), of_object)
            }));
        }
    }
    found
}

fn question<'a>(reading: &'a ClusterReading, object: &'a DeclaredObject) -> Question<'a> {
    let id = &object.id;
    let verdict = reading.drifted.get(id);
    Question {
        object,
        judgements: verdict.map(|verdict| verdict.judgements.as_slice()).unwrap_or_default(),
        schema: reading.schemas.kind_at_any_version(&object.gvk),
        live: verdict.and_then(|verdict| verdict.live.as_deref()),
        ignored: reading.ignored.get(id).map(|ignored| ignored.inside[0].as_slice()).unwrap_or_default(),
        whole: reading.unserved.contains_key(id)
            || reading.unconverged.contains_key(id)
            || reading.conflicts.iter().any(|conflict| conflict.kept.id == *id),
        missing: reading.missing.contains(id),
        removed: false,
    }
}
