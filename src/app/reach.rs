//! Clusters are reached, and asked what they serve, while repositories are fetched: neither waits for the other, and no cluster
//! for another one that does not answer.

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinSet;

use super::live::{self, Discovered, LiveContext};
use super::reading::ClusterReading;
use super::wiring;
use crate::adapters::cluster::{DumpCluster, KubeCluster, SnapshotCluster};
use crate::config::{ClusterConfig, ClusterSource, Config};
use crate::model::declared::RenderedObject;
use crate::model::discovery::{Discovery, preferred};
use crate::model::gap::Gap;
use crate::model::resource::GroupKind;
use crate::ports::{ListEvent, ListRequest, LiveSource};
use crate::stages::declare::TargetPlace;

/// A cluster, or what stands in its place.
pub enum Reached {
    /// An API server.
    Api(Arc<KubeCluster>, Discovered),
    /// A snapshot.
    Snapshot(Arc<SnapshotCluster>, Discovered),
    /// A dump.
    Dump(Arc<DumpCluster>, Discovered),
    /// What it would have been, and why it cannot be read.
    Not(&'static str, Gap),
}

/// Reaches clusters, all at the same time; the answers are in their order.
pub async fn all(clusters: &[ClusterConfig], config: &Arc<Config>) -> Vec<Reached> {
    let mut tasks = JoinSet::new();
    for (n, cluster) in clusters.iter().enumerate() {
        let (cluster, config) = (cluster.clone(), config.clone());
        tasks.spawn(async move { (n, one(&cluster, &config).await) });
    }
    let mut reached: Vec<Option<Reached>> = clusters.iter().map(|_| None).collect();
    while let Some(joined) = tasks.join_next().await {
        if let Ok((n, one)) = joined {
            reached[n] = Some(one);
        }
    }
    let broke_down =
        || Reached::Not("none", live::given_up("connecting", &"a defect in the program; please report it"));
    reached.into_iter().map(|one| one.unwrap_or_else(broke_down)).collect()
}

async fn one(cluster: &ClusterConfig, config: &Config) -> Reached {
    let name = cluster.name.clone();
    match (wiring::kube_settings(cluster), &cluster.source) {
        (Some(settings), _) => match KubeCluster::connect(settings).await {
            Ok(source) => asked(source, Reached::Api).await,
            Err(gap) => Reached::Not("kubernetes API", gap),
        },
        (None, ClusterSource::Snapshot(path)) => {
            let (path, most) = (path.clone(), config.limits.snapshot_bytes);
            match opened("the snapshot", move || SnapshotCluster::open(name, &path, most)).await {
                Ok(source) => asked(source, Reached::Snapshot).await,
                Err(gap) => Reached::Not("snapshot", gap),
            }
        }
        (None, ClusterSource::Dump(path)) => {
            let path = path.clone();
            match opened("the dump", move || DumpCluster::open(name, &path)).await {
                Ok(source) => asked(source, Reached::Dump).await,
                Err(gap) => Reached::Not("dump", gap),
            }
        }
        (None, _) => Reached::Not("none", live::given_up("connecting", &"no source")),
    }
}

async fn opened<S: Send + 'static>(
    what: &str,
    open: impl FnOnce() -> Result<S, Gap> + Send + 'static,
) -> Result<S, Gap> {
    let opened = tokio::task::spawn_blocking(open).await;
    opened.unwrap_or_else(|error| Err(live::given_up(&format!("reading {what}"), &error)))
}

async fn asked<S: LiveSource>(source: S, reached: fn(Arc<S>, Discovered) -> Reached) -> Reached {
    let discovered = source.discover().await;
    reached(Arc::new(source), discovered)
}

impl Reached {
    /// What it serves, if it said so.
    pub fn discovery(&self) -> Option<&Discovery> {
        match self {
            Self::Api(_, discovered) | Self::Snapshot(_, discovered) | Self::Dump(_, discovered) => {
                discovered.as_ref().ok().map(|(discovery, _)| discovery)
            }
            Self::Not(..) => None,
        }
    }

    /// All live objects of a kind, as JSON, and what of them could not be read. A kind that is not served has none.
    pub async fn objects(&self, kind: &GroupKind) -> (Vec<Value>, Vec<Gap>) {
        match self {
            Self::Api(source, discovered) => listed(source.as_ref(), discovered, kind).await,
            Self::Snapshot(source, discovered) => listed(source.as_ref(), discovered, kind).await,
            Self::Dump(source, discovered) => listed(source.as_ref(), discovered, kind).await,
            Self::Not(_, gap) => (Vec::new(), vec![gap.clone()]),
        }
    }

    /// Reads the cluster and compares what the targets declare with it.
    pub async fn read(self, declared: Vec<(TargetPlace, Vec<RenderedObject>)>, context: LiveContext) -> ClusterReading {
        match self {
            Self::Api(source, discovered) => live::read(source, discovered, declared, context).await,
            Self::Snapshot(source, discovered) => live::read(source, discovered, declared, context).await,
            Self::Dump(source, discovered) => live::read(source, discovered, declared, context).await,
            Self::Not(source, gap) => live::unreachable(source, gap, declared, &context),
        }
    }
}

async fn listed<S: LiveSource>(source: &S, discovered: &Discovered, kind: &GroupKind) -> (Vec<Value>, Vec<Gap>) {
    let discovery = match discovered {
        Ok((discovery, _)) => discovery,
        Err(gap) => return (Vec::new(), vec![gap.clone()]),
    };
    let served = discovery.versions_of(kind).into_iter().filter(|served| served.listable);
    let Some(served) = preferred(served) else { return (Vec::new(), Vec::new()) };
    let mut objects = Vec::new();
    let request = ListRequest { kind: served.clone(), wanted: Vec::new() };
    let mut each = |event: ListEvent| match event {
        ListEvent::Restart => objects.clear(),
        ListEvent::Page(page) => {
            let page: Value = serde_json::from_slice(&page).unwrap_or_default();
            for mut item in page.get("items").and_then(Value::as_array).cloned().unwrap_or_default() {
                // The items of a list need not say what they are.
                if let Some(fields) = item.as_object_mut() {
                    fields.entry("apiVersion").or_insert_with(|| served.gvk.gv.api_version().into());
                    fields.entry("kind").or_insert_with(|| served.gvk.kind.clone().into());
                }
                objects.push(item);
            }
        }
    };
    let outcome = source.list(&request, &mut each).await;
    (objects, outcome.gaps)
}
