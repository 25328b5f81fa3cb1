//! Reads one cluster and judges its declared objects: discovery, schemas, LISTs page by page, and once more what differs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;

use super::progress::Progress;
use super::reading::ClusterReading;
use crate::config::Config;
use crate::model::declared::{DeclaredObject, RenderedObject};
use crate::model::discovery::{Discovery, Served, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
use crate::model::resource::{GroupVersion, Gvk, ObjectId};
use crate::model::schema::{Schemas, builtin_discovery};
use crate::model::secret::RedactionKey;
use crate::ports::{ListEvent, ListRequest, LiveSource};
use crate::stages::declare::{self, TargetPlace};
use crate::stages::judge::{Judge, Verdict};
use crate::stages::live::{Head, Page};
use crate::stages::normalise::Applied;

/// Above this many differing objects of a kind, the second look is a LIST: requests must not grow with drift.
const MOST_SINGLE_READS: usize = 10;

/// The declared objects of one kind.
type Wanted = BTreeMap<ObjectId, Arc<DeclaredObject>>;

/// What reading a cluster needs.
pub struct LiveContext {
    /// The configuration.
    pub config: Arc<Config>,
    /// For secret values.
    pub key: Arc<RedactionKey>,
    /// The cluster.
    pub cluster: ClusterName,
    /// Whether Secrets are compared.
    pub secrets: bool,
    /// The UID that this cluster had before, if this ledger knows it.
    pub known_uid: Option<String>,
    /// Shown on a terminal.
    pub progress: Progress,
}

/// A cluster that could not even be asked: everything declared for it is unknown.
pub fn unreachable(
    source: &str,
    gap: Gap,
    targets: Vec<(TargetPlace, Vec<RenderedObject>)>,
    context: &LiveContext,
) -> ClusterReading {
    let discovery = builtin_discovery();
    let mut reading = ClusterReading::new(&context.cluster, source, &discovery, declare::place(targets, &discovery));
    reading.summary.version = None;
    reading.leave_out_secrets(context.secrets);
    reading.unknown = reading.objects.keys().cloned().collect();
    reading.gaps = vec![hiding_all(gap).of_cluster(&context.cluster)];
    reading
}

/// A step that ended without an answer.
pub fn given_up(doing: &str, why: &dyn std::fmt::Display) -> Gap {
    Gap::new(GapKind::Unreachable, format!("{doing} was given up: {why}"), Hides::Cluster)
}

/// Reads a cluster and compares what the targets declare with it.
pub async fn read<S: LiveSource + 'static>(
    source: Arc<S>,
    targets: Vec<(TargetPlace, Vec<RenderedObject>)>,
    context: LiveContext,
) -> ClusterReading {
    let discovered = source.discover().await;
    let (discovery, gaps) = match discovered {
        Ok(found) => found,
        Err(gap) => (builtin_discovery(), vec![hiding_all(gap)]),
    };
    let mut reading =
        ClusterReading::new(&context.cluster, source.describe(), &discovery, declare::place(targets, &discovery));
    reading.gaps = gaps;
    if let (Some(known), Some(found)) = (&context.known_uid, &discovery.cluster_uid)
        && known != found
    {
        reading.gaps.push(another_cluster(known, found));
    }
    reading.leave_out_secrets(context.secrets);
    reading.set_aside_unused_groups();
    if reading.gaps.iter().any(|gap| gap.hides == Hides::Cluster && gap.kind != GapKind::Parse) {
        reading.unknown = reading.objects.keys().cloned().collect();
    } else {
        Reader { source, discovery, context: Arc::new(context) }.read(&mut reading).await;
    }
    let cluster = reading.summary.name.clone();
    for gap in &mut reading.gaps {
        gap.cluster = Some(cluster.clone());
    }
    reading
}

fn hiding_all(mut gap: Gap) -> Gap {
    gap.hides = Hides::Cluster;
    gap
}

fn another_cluster(known: &str, found: &str) -> Gap {
    let message =
        format!("another cluster answers under this name: kube-system had the UID {known}, now it has {found}");
    Gap::new(GapKind::Discovery, message, Hides::Cluster)
        .hint("check the context or the server's address; give a rebuilt cluster a new name in the configuration")
}

struct Reader<S> {
    source: Arc<S>,
    discovery: Discovery,
    context: Arc<LiveContext>,
}

/// The declared objects of one kind at one version, and what a LIST of it said.
struct KindOutcome {
    kind: ServedKind,
    wanted: Arc<Wanted>,
    found: Found,
    gaps: Vec<Gap>,
}

/// What the pages of a LIST held. Forgotten as a whole when the LIST begins anew.
#[derive(Default)]
struct Found {
    seen: BTreeSet<ObjectId>,
    drifted: BTreeMap<ObjectId, Verdict>,
    unreadable: Vec<ObjectId>,
    applied: Applied,
    live_objects: u64,
    broken_pages: u64,
}

impl<S: LiveSource + 'static> Reader<S> {
    async fn read(self, reading: &mut ClusterReading) {
        let by_kind = self.sort(reading);
        let versions: BTreeSet<GroupVersion> = by_kind.keys().map(|gvk| gvk.gv.clone()).collect();
        let (schemas, gaps) = self.source.schemas(&versions.into_iter().collect::<Vec<_>>()).await;
        reading.gaps.extend(gaps);
        reading.schemas = Arc::new(schemas);

        let mut tasks = JoinSet::new();
        self.context.progress.start(by_kind.len() as u64, &format!("reading {}", self.context.cluster));
        for (_, (kind, wanted)) in by_kind {
            tasks.spawn(list(
                self.source.clone(),
                self.context.clone(),
                reading.schemas.clone(),
                kind,
                Arc::new(wanted),
            ));
        }
        let mut outcomes = Vec::new();
        while let Some(outcome) = tasks.join_next().await {
            self.context.progress.step();
            match outcome {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => reading.gaps.push(hiding_all(Gap::new(
                    GapKind::Limit,
                    format!("reading a kind failed: {error}"),
                    Hides::Cluster,
                ))),
            }
        }
        outcomes.sort_by(|a, b| a.kind.gvk.cmp(&b.kind.gvk));
        for mut outcome in outcomes {
            reading.summary.live_objects += outcome.found.live_objects;
            self.look_again(&mut outcome, reading).await;
            take(outcome, reading);
        }
        self.context.progress.finish();
    }

    /// Sorts declared objects by the kind to read, and sets aside what cannot be read.
    fn sort(&self, reading: &mut ClusterReading) -> BTreeMap<Gvk, (ServedKind, Wanted)> {
        let mut by_kind: BTreeMap<Gvk, (ServedKind, Wanted)> = BTreeMap::new();
        let mut hidden: BTreeMap<Gvk, Vec<ObjectId>> = BTreeMap::new();
        for (id, object) in &reading.objects {
            match self.discovery.served(&object.gvk) {
                Served::Yes(kind) if kind.listable => {
                    let entry = by_kind.entry(object.gvk.clone()).or_insert_with(|| (kind.clone(), BTreeMap::new()));
                    entry.1.insert(id.clone(), object.clone());
                }
                Served::Yes(_) | Served::Unknown => hidden.entry(object.gvk.clone()).or_default().push(id.clone()),
                Served::No => {
                    let served = self.discovery.versions_of(&id.group_kind());
                    let served = served.iter().map(|k| k.gvk.gv.api_version()).collect();
                    reading.unserved.insert(id.clone(), served);
                }
            }
        }
        for (gvk, objects) in hidden {
            let message = if self.discovery.whole {
                format!("{gvk} cannot be listed, or its API group does not answer")
            } else {
                format!("nothing is known of {gvk}: the dump holds no object and no definition of it")
            };
            reading.unknown.extend(objects.iter().cloned());
            reading.gaps.push(Gap::new(GapKind::Discovery, message, Hides::Objects { objects }).at(gvk.to_string()));
        }
        by_kind
    }

    /// Reads once more what differs or is not there, so that a rollout in the middle of a scan is not a finding.
    async fn look_again(&self, outcome: &mut KindOutcome, reading: &mut ClusterReading) {
        let hidden = |id: &ObjectId, gaps: &[Gap]| gaps.iter().any(|gap| hides(gap, id));
        let missing: Vec<ObjectId> = outcome
            .wanted
            .keys()
            .filter(|id| !outcome.found.seen.contains(*id) && !hidden(id, &outcome.gaps))
            .cloned()
            .collect();
        let doubtful: Vec<ObjectId> = outcome.found.drifted.keys().cloned().chain(missing).collect();
        if doubtful.is_empty() {
            return;
        }
        let wanted: Wanted =
            doubtful.iter().filter_map(|id| Some((id.clone(), outcome.wanted.get(id)?.clone()))).collect();
        for id in &doubtful {
            outcome.found.seen.remove(id);
            outcome.found.drifted.remove(id);
        }
        if doubtful.len() > MOST_SINGLE_READS {
            let again = list(
                self.source.clone(),
                self.context.clone(),
                reading.schemas.clone(),
                outcome.kind.clone(),
                Arc::new(wanted),
            )
            .await;
            outcome.found.seen.extend(again.found.seen);
            outcome.found.drifted.extend(again.found.drifted);
            outcome.found.unreadable.extend(again.found.unreadable);
            outcome.gaps.extend(again.gaps);
            return;
        }
        for (id, object) in wanted {
            match self.source.get(&outcome.kind, &id).await {
                Ok(Some(bytes)) => {
                    let judge = judge(&self.context, &reading.schemas, self.source.describe());
                    match std::str::from_utf8(&bytes).ok().and_then(|text| judge.judge(&object, text).ok()) {
                        Some(verdict) => {
                            if !verdict.judgements.is_empty() {
                                outcome.found.drifted.insert(id.clone(), verdict);
                            }
                            outcome.found.seen.insert(id);
                        }
                        None => outcome.found.unreadable.push(id),
                    }
                }
                Ok(None) => {}
                Err(mut gap) => {
                    gap.hides = Hides::Objects { objects: vec![id] };
                    outcome.gaps.push(gap);
                }
            }
        }
    }
}

/// One LIST of a kind, judged page by page.
async fn list<S: LiveSource>(
    source: Arc<S>,
    context: Arc<LiveContext>,
    schemas: Arc<Schemas>,
    kind: ServedKind,
    wanted: Arc<Wanted>,
) -> KindOutcome {
    let request = ListRequest { kind: kind.clone(), wanted: wanted.keys().cloned().collect() };
    let mut found = Found::default();
    let outcome = {
        let judge = judge(&context, &schemas, source.describe());
        let mut each = |event: ListEvent| match event {
            ListEvent::Page(page) => found.page(&page, &kind, &wanted, &judge),
            ListEvent::Restart => found = Found::default(),
        };
        source.list(&request, &mut each).await
    };
    let mut gaps = outcome.gaps;
    if found.broken_pages > 0 {
        let hides = Hides::Kind { kind: kind.gvk.group_kind(), namespace: None };
        gaps.push(
            Gap::new(GapKind::Parse, "a page of the LIST is no list of objects in JSON", hides)
                .at(kind.gvk.to_string()),
        );
    }
    KindOutcome { kind, wanted, found, gaps }
}

fn judge<'a>(context: &'a LiveContext, schemas: &'a Schemas, source: &str) -> Judge<'a> {
    Judge {
        schemas,
        schema_source: if source == "dump" {
            "built-in schema or CRD in the dump"
        } else {
            "OpenAPI v3 of the cluster"
        },
        actors: &context.config.actors,
        key: &context.key,
        redaction: &context.config.redaction,
    }
}

impl Found {
    fn page(&mut self, page: &Bytes, kind: &ServedKind, wanted: &Wanted, judge: &Judge<'_>) {
        let Ok(page) = serde_json::from_slice::<Page<'_>>(page) else {
            self.broken_pages += 1;
            return;
        };
        self.live_objects += page.items.len() as u64;
        for item in page.items {
            let Ok(head) = serde_json::from_str::<Head<'_>>(item.get()) else {
                self.broken_pages += 1;
                continue;
            };
            let id = ObjectId {
                group: kind.gvk.gv.group.clone(),
                kind: kind.gvk.kind.clone(),
                namespace: head.metadata.namespace.map(|n| n.into_owned()),
                name: head.metadata.name.into_owned(),
            };
            let Some(declared) = wanted.get(&id) else { continue };
            match judge.judge(declared, item.get()) {
                Ok(verdict) => {
                    for (rule, count) in &verdict.applied {
                        *self.applied.entry(rule).or_default() += count;
                    }
                    self.seen.insert(id.clone());
                    if !verdict.judgements.is_empty() {
                        self.drifted.insert(id, verdict);
                    }
                }
                Err(_) => self.unreadable.push(id),
            }
        }
    }
}

/// Takes a kind's outcome into the reading of its cluster.
fn take(outcome: KindOutcome, reading: &mut ClusterReading) {
    let KindOutcome { kind, wanted, found, mut gaps } = outcome;
    if !found.unreadable.is_empty() {
        let hides = Hides::Objects { objects: found.unreadable };
        gaps.push(
            Gap::new(GapKind::Parse, "the live object is not a Kubernetes object in JSON", hides)
                .at(kind.gvk.to_string()),
        );
    }
    for id in wanted.keys() {
        if found.seen.contains(id) {
            continue;
        }
        if gaps.iter().any(|gap| hides(gap, id)) {
            reading.unknown.insert(id.clone());
        } else {
            reading.missing.insert(id.clone());
        }
    }
    reading.drifted.extend(found.drifted);
    reading.gaps.extend(gaps);
    for (rule, count) in found.applied {
        *reading.applied.entry(rule).or_default() += count;
    }
}

/// Whether a gap hides a live object.
fn hides(gap: &Gap, id: &ObjectId) -> bool {
    match &gap.hides {
        Hides::Cluster => true,
        Hides::Kind { kind, namespace } => {
            *kind == id.group_kind() && namespace.as_ref().is_none_or(|n| id.namespace.as_ref() == Some(n))
        }
        Hides::Objects { objects } => objects.contains(id),
        Hides::Target | Hides::File { .. } | Hides::Evidence => false,
    }
}
