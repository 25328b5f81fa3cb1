//! Reads one cluster: discovery, schemas, and its kinds, each by a task of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::audit::{self, Asked, ByKind};
use super::convergence;
use super::foreign;
use super::kind::{KindOutcome, KindReader, is_hidden};
use super::operators;
use super::progress::Progress;
use super::reading::ClusterReading;
use crate::config::Config;
use crate::model::declared::{DeclaredObject, RenderedObject};
use crate::model::discovery::{Discovery, Served};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
use crate::model::moves;
use crate::model::resource::{GroupVersion, Gvk, ObjectId};
use crate::model::schema::builtin_discovery;
use crate::model::secret::RedactionKey;
use crate::ports::LiveSource;
use crate::stages::autoscale::Autoscalers;
use crate::stages::converge::Converge;
use crate::stages::declare::{self, TargetPlace};
use crate::stages::ignore::Ignores;
use crate::stages::unserved::Unserved;

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
    /// The ignore rules for it.
    pub ignores: Arc<Ignores>,
    /// The UID that this cluster had before, if this ledger knows it.
    pub known_uid: Option<String>,
    /// How convergence is judged; `None` where nobody asks.
    pub converge: Option<Converge>,
    /// What is asked besides the declared objects.
    pub asked: Asked,
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
    reading.ignores = context.ignores.clone();
    reading.leave_out_secrets(context.secrets);
    reading.leave_out_opt_outs();
    reading.unknown = reading.objects.keys().cloned().collect();
    reading.gaps = vec![hiding_all(gap).of_cluster(&context.cluster)];
    reading
}

/// A step that ended without an answer.
pub fn given_up(doing: &str, why: &dyn std::fmt::Display) -> Gap {
    Gap::new(GapKind::Unreachable, format!("{doing} was given up: {why}"), Hides::Cluster)
}

/// What a source serves, and what it could not say of that; or why it says nothing.
pub type Discovered = Result<(Discovery, Vec<Gap>), Gap>;

/// Reads a cluster and compares what the targets declare with it.
pub async fn read<S: LiveSource + 'static>(
    source: Arc<S>,
    discovered: Discovered,
    targets: Vec<(TargetPlace, Vec<RenderedObject>)>,
    mut context: LiveContext,
) -> ClusterReading {
    let (discovery, gaps) = match up_to_date(source.as_ref(), discovered, &targets).await {
        Ok(found) => found,
        Err(gap) => (builtin_discovery(), vec![hiding_all(gap)]),
    };
    let mut reading =
        ClusterReading::new(&context.cluster, source.describe(), &discovery, declare::place(targets, &discovery));
    reading.gaps = gaps;
    reading.summary.taken_at = source.taken_at();
    if let (Some(known), Some(found)) = (&context.known_uid, &discovery.cluster_uid)
        && known != found
    {
        reading.gaps.push(another_cluster(known, found));
    }
    convergence::by_the_clusters_clock(
        &mut context,
        source.describe(),
        source.taken_at(),
        discovery.clock_skew_seconds,
    );
    reading.exclusions.extend(convergence::not_looked_at(&context));
    reading.ignores = context.ignores.clone();
    reading.leave_out_secrets(context.secrets);
    reading.leave_out_opt_outs();
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

/// What a target declares may be younger than the answer, which was asked for while Git was read: a kind that it does not know is
/// asked for once more.
async fn up_to_date<S: LiveSource>(
    source: &S,
    discovered: Discovered,
    targets: &[(TargetPlace, Vec<RenderedObject>)],
) -> Discovered {
    let Ok((discovery, _)) = &discovered else { return discovered };
    let kinds: BTreeSet<&Gvk> = targets.iter().flat_map(|(_, objects)| objects).map(|object| &object.gvk).collect();
    if kinds.into_iter().any(|gvk| matches!(discovery.served(gvk), Served::No)) {
        return source.discover().await;
    }
    discovered
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

impl<S: LiveSource + 'static> Reader<S> {
    async fn read(self, reading: &mut ClusterReading) {
        let mut by_kind = self.sort(reading);
        let is_dump = self.source.describe() == "dump";
        let (asked, secrets) = (&self.context.asked, self.context.secrets);
        let (mut beyond, mut watches) = audit::plan(reading, &self.discovery, asked, is_dump, secrets, &mut by_kind);
        let only_told = operators::plan(&self.discovery, &mut by_kind);
        // Only what is compared needs a schema.
        let compared = by_kind.iter().filter(|(_, (_, wanted))| !wanted.is_empty());
        let versions: BTreeSet<GroupVersion> = compared.map(|(gvk, _)| gvk.gv.clone()).collect();
        let (schemas, gaps) = self.source.schemas(&versions.into_iter().collect::<Vec<_>>()).await;
        reading.gaps.extend(gaps);
        reading.schemas = Arc::new(schemas);

        let autoscalers = Arc::new(Autoscalers::of(reading.objects.values().map(Arc::as_ref)));
        reading.note_autoscaled(&autoscalers);
        let mut tasks = JoinSet::new();
        let mut unread: BTreeMap<Gvk, Vec<ObjectId>> = BTreeMap::new();
        self.context.progress.start(by_kind.len() as u64, &format!("reading {}", self.context.cluster));
        for (gvk, (kind, wanted)) in by_kind {
            let watch = watches.remove(&gvk);
            unread.insert(gvk, wanted.keys().cloned().collect());
            let (source, context, schemas) = (self.source.clone(), self.context.clone(), reading.schemas.clone());
            let autoscalers = autoscalers.clone();
            tasks.spawn(KindReader { source, context, schemas, autoscalers, kind, wanted, watch }.read());
        }
        let mut outcomes = Vec::new();
        while let Some(outcome) = tasks.join_next().await {
            self.context.progress.step();
            // A task that broke down leaves its kind among the unread.
            if let Ok(outcome) = outcome {
                unread.remove(&outcome.kind.gvk);
                outcomes.push(outcome);
            }
        }
        outcomes.sort_by(|a, b| a.kind.gvk.cmp(&b.kind.gvk));
        if let Some(by) = self.source.redacted_by() {
            foreign::tell(&mut outcomes, by, self.context.key.id(), reading);
        }
        for mut outcome in outcomes {
            audit::take(&mut outcome, is_dump, reading, &mut beyond);
            operators::take(&mut outcome, &only_told, reading);
            take(outcome, reading);
        }
        for (gvk, objects) in unread {
            if only_told.contains(&gvk) {
                operators::broke_down(&gvk, reading);
                continue;
            }
            reading.unknown.extend(objects.iter().cloned());
            reading.beyond.looked.hidden.insert(moves::kind_now(&gvk.group_kind()));
            let message = "reading the kind broke down; this is a defect in the program: please report it";
            reading.gaps.push(Gap::new(GapKind::Limit, message, Hides::Objects { objects }).at(gvk.to_string()));
        }
        convergence::ask_pods(self.source.as_ref(), &self.context, &self.discovery, reading).await;
        audit::finish(reading, asked, beyond);
        self.context.progress.finish();
    }

    /// Sorts declared objects by the kind to read, and sets aside what cannot be read.
    fn sort(&self, reading: &mut ClusterReading) -> ByKind {
        let mut declared: BTreeMap<&Gvk, Vec<&Arc<DeclaredObject>>> = BTreeMap::new();
        for object in reading.objects.values() {
            declared.entry(&object.gvk).or_default().push(object);
        }
        let mut by_kind = ByKind::new();
        for (gvk, objects) in declared {
            match self.discovery.served(gvk) {
                Served::Yes(kind) if kind.listable => {
                    let wanted = objects.into_iter().map(|object| (object.id.clone(), object.clone())).collect();
                    by_kind.insert(gvk.clone(), (kind.clone(), wanted));
                }
                Served::Yes(_) | Served::Unknown => {
                    let message = if self.discovery.whole {
                        format!("{gvk} cannot be listed, or its API group does not answer")
                    } else {
                        format!("nothing is known of {gvk}: the dump holds no object and no definition of it")
                    };
                    let objects: Vec<ObjectId> = objects.into_iter().map(|object| object.id.clone()).collect();
                    reading.unknown.extend(objects.iter().cloned());
                    let hides = Hides::Objects { objects };
                    reading.gaps.push(Gap::new(GapKind::Discovery, message, hides).at(gvk.to_string()));
                }
                Served::No => {
                    let unserved = Unserved::of(&gvk.group_kind(), &self.discovery);
                    reading.unserved.extend(objects.into_iter().map(|object| (object.id.clone(), unserved.clone())));
                }
            }
        }
        by_kind
    }
}

/// Takes a kind's outcome into the reading of its cluster.
fn take(outcome: KindOutcome, reading: &mut ClusterReading) {
    let KindOutcome { kind, wanted, found, mut gaps, .. } = outcome;
    reading.summary.live_objects += found.live_objects;
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
        if is_hidden(id, &gaps) {
            reading.unknown.insert(id.clone());
        } else {
            reading.missing.insert(id.clone());
        }
    }
    reading.drifted.extend(found.drifted);
    reading.unconverged.extend(found.unconverged);
    reading.ignored.extend(found.ignored);
    reading.gaps.extend(gaps);
    for (rule, count) in found.applied {
        *reading.applied.entry(rule).or_default() += count;
    }
}
