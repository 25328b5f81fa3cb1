//! Questions about single objects: what Git declares of them beside what is live, each judged as a scan judges it. Nothing is recorded.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cli::Global;
use super::discovery;
use super::error::AppError;
use super::gather::{self, TargetSource};
use super::wiring;
use super::{output, pipeline};
use crate::adapters::cluster::{DumpCluster, KubeCluster, SnapshotCluster};
use crate::adapters::ledger::{Ledger, LedgerError};
use crate::config::{ClusterConfig, ClusterSource, Config};
use crate::model::declared::{DeclaredObject, RenderedObject};
use crate::model::discovery::Served;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::ObjectId;
use crate::model::secret::RedactionKey;
use crate::ports::LiveSource;
use crate::stages::autoscale::Autoscalers;
use crate::stages::declare::{self, TargetPlace};
use crate::stages::ignore::Ignores;
use crate::stages::judge::Judge;

/// What was asked for, as written; or every object.
pub enum Wanted {
    /// One object by its name, and perhaps kind, group and namespace.
    Named {
        /// Kind, in any case.
        kind: String,
        /// API group, where one is named.
        group: Option<String>,
        /// Namespace, where one is named.
        namespace: Option<String>,
        /// Name.
        name: String,
    },
    /// All that is declared.
    All,
}

impl Wanted {
    /// Reads `Deployment/shop/api`, `deployment.apps/api` or `Deployment.apps shop/api`.
    ///
    /// # Errors
    /// The text names no object.
    pub fn parse(text: &str, namespace: Option<&str>) -> Result<Self, AppError> {
        let parts: Vec<&str> = text.split([' ', '/']).filter(|part| !part.is_empty()).collect();
        let (kind, in_namespace, name) = match parts.as_slice() {
            [kind, name] => (*kind, namespace, *name),
            [kind, in_namespace, name] => (*kind, Some(*in_namespace), *name),
            _ => {
                return Err(AppError::new(format!("`{text}` names no object"))
                    .hint("write it as Kind/namespace/name, as in Deployment/shop/api"));
            }
        };
        let (kind, group) = kind.split_once('.').map_or((kind, None), |(kind, group)| (kind, Some(group.to_owned())));
        let namespace = in_namespace.map(str::to_owned);
        Ok(Self::Named { kind: kind.to_owned(), group, namespace, name: name.to_owned() })
    }

    /// Whether an object is meant.
    pub fn is(&self, id: &ObjectId) -> bool {
        match self {
            Self::All => true,
            Self::Named { kind, group, namespace, name } => {
                id.kind.eq_ignore_ascii_case(kind)
                    && id.name == *name
                    && group.as_ref().is_none_or(|group| *group == id.group)
                    && (namespace.is_none() || *namespace == id.namespace)
            }
        }
    }
}

/// How every question about objects is put.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The object's namespace, where OBJECT names none.
    #[arg(long, short, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Only in this cluster.
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// table or json.
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    pub output: String,
}

/// The declared side of the clusters that are asked.
pub struct Gathered {
    /// The configuration.
    pub config: Arc<Config>,
    /// For secret values.
    pub key: Arc<RedactionKey>,
    /// The clusters.
    pub clusters: Vec<ClusterConfig>,
    /// Their targets, read.
    pub sources: Vec<TargetSource>,
}

impl Options {
    /// Reads the configuration and the declared side.
    ///
    /// # Errors
    /// The configuration or the ledger's key cannot be read, or there is no such cluster.
    pub async fn gather(&self, global: &Global) -> Result<Gathered, AppError> {
        let config = discovery::of(&Arc::new(global.read_config()?), pipeline::now()).await?;
        let key = Arc::new(key(&config)?);
        let clusters = clusters(&config, self.cluster.as_deref())?;
        let targets: Vec<_> =
            config.targets.iter().filter(|t| clusters.iter().any(|c| c.name == t.cluster)).cloned().collect();
        let sources = gather::targets(&config, &targets, &key, pipeline::now()).await;
        Ok(Gathered { config, key, clusters, sources })
    }

    /// Prints what was found, in the form that was asked for.
    pub fn print(&self, json: impl FnOnce() -> String, table: impl FnOnce() -> String) {
        output::stdout(&if self.output == "json" { json() } else { table() });
    }
}

fn clusters(config: &Config, name: Option<&str>) -> Result<Vec<ClusterConfig>, AppError> {
    let Some(name) = name else { return Ok(config.clusters.clone()) };
    match config.clusters.iter().find(|cluster| cluster.name.as_str() == name) {
        Some(cluster) => Ok(vec![cluster.clone()]),
        None => {
            let known: Vec<&str> = config.clusters.iter().map(|c| c.name.as_str()).collect();
            let error = AppError::new(format!("there is no cluster `{name}`"));
            Err(error.hint(format!("known: {}", known.join(", "))))
        }
    }
}

/// The ledger's key, so that secret values stand under the codes that reports show; without a ledger, one for this run.
fn key(config: &Config) -> Result<RedactionKey, AppError> {
    match Ledger::redaction_key(&config.ledger.path, config.ledger.key_file.as_deref(), false) {
        Err(LedgerError::Missing { .. }) => {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes)
                .map_err(|error| AppError::new(format!("no random numbers to be had: {error}")))?;
            Ok(RedactionKey::from_bytes(bytes))
        }
        other => Ok(other?),
    }
}

/// What the targets of a cluster declare, to be asked about once.
pub fn declared_of(cluster: &ClusterConfig, sources: &mut [TargetSource]) -> Vec<(TargetPlace, Vec<RenderedObject>)> {
    sources
        .iter_mut()
        .filter(|source| source.config.cluster == cluster.name)
        .filter_map(|source| Some((source.place()?, std::mem::take(&mut source.objects))))
        .collect()
}

/// A question to one cluster.
pub struct Inquiry<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// For secret values.
    pub key: &'a RedactionKey,
    /// What was asked for.
    pub wanted: &'a Wanted,
    /// The cluster.
    pub cluster: &'a ClusterConfig,
}

/// What is said of an object, or why nothing can be said.
pub type Answer<T> = Result<T, AppError>;

impl Inquiry<'_> {
    /// Answers for each wanted object that is declared.
    ///
    /// # Errors
    /// The cluster, or the file in its place, cannot be read at all.
    pub async fn ask<T>(
        &self,
        declared: Vec<(TargetPlace, Vec<RenderedObject>)>,
        answer: impl Fn(&Judge<'_>, &DeclaredObject, &str) -> Answer<T>,
    ) -> Result<Vec<Answer<T>>, AppError> {
        match (wiring::kube_settings(self.cluster), &self.cluster.source) {
            (Some(settings), _) => self.of(&KubeCluster::connect(settings).await?, declared, answer).await,
            (None, ClusterSource::Snapshot(path)) => {
                let most = self.config.limits.snapshot_bytes;
                self.of(&SnapshotCluster::open(self.cluster.name.clone(), path, most)?, declared, answer).await
            }
            (None, ClusterSource::Dump(path)) => {
                self.of(&DumpCluster::open(self.cluster.name.clone(), path)?, declared, answer).await
            }
            (None, _) => Ok(Vec::new()),
        }
    }

    async fn of<S: LiveSource, T>(
        &self,
        source: &S,
        declared: Vec<(TargetPlace, Vec<RenderedObject>)>,
        answer: impl Fn(&Judge<'_>, &DeclaredObject, &str) -> Answer<T>,
    ) -> Result<Vec<Answer<T>>, AppError> {
        let (discovery, _) = source.discover().await?;
        let placed = declare::place(declared, &discovery);
        let objects: Vec<&DeclaredObject> =
            placed.objects.values().map(Arc::as_ref).filter(|object| self.wanted.is(&object.id)).collect();
        let versions: BTreeSet<_> = objects.iter().map(|object| object.gvk.gv.clone()).collect();
        if versions.is_empty() {
            return Ok(Vec::new());
        }
        let (schemas, _) = source.schemas(&versions.into_iter().collect::<Vec<_>>()).await;
        let ignores = Ignores::new(self.cluster.name.clone(), self.config.ignore.clone(), pipeline::now());
        let autoscalers = Autoscalers::of(placed.objects.values().map(Arc::as_ref));
        let judge = Judge {
            schemas: &schemas,
            schema_source: source.describe_schemas(),
            actors: &self.config.actors,
            trust: &self.config.trust,
            entries_count: self.config.undeclared_entries,
            autoscalers: &autoscalers,
            key: self.key,
            redaction: &self.config.redaction,
            live_key: source.redacted_by(),
            ignores: &ignores,
        };
        let mut answers = Vec::new();
        for object in objects {
            if object.id.group_kind().is_secret() && !self.cluster.secrets {
                answers.push(Err(AppError::new(format!("{} is not read", object.id))
                    .hint(format!("set `secrets: true` for the cluster {}", self.cluster.name))));
                continue;
            }
            let live = match discovery.served(&object.gvk) {
                Served::Yes(kind) => source.get(kind, &object.id).await,
                Served::No | Served::Unknown => Err(unserved(object)),
            };
            answers.push(match live {
                Ok(Some(live)) => match std::str::from_utf8(&live) {
                    Ok(text) => answer(&judge, object, text),
                    Err(_) => Err(AppError::new(format!("the live {} is not UTF-8", object.id))),
                },
                Ok(None) => Err(missing(object)),
                Err(gap) => Err(gap.into()),
            });
        }
        Ok(answers)
    }
}

/// The error where nothing that was asked for is declared.
pub fn undeclared(what: &str, sources: &[TargetSource]) -> AppError {
    let gaps: Vec<String> = sources.iter().flat_map(|s| &s.gaps).map(|gap| gap.message.clone()).collect();
    let error = AppError::new(format!("no target declares {what}"));
    match gaps.first() {
        Some(gap) => error.hint(format!("not everything could be read: {gap}")),
        None => error.hint("write it as Kind/namespace/name, with the kind's group if it is needed"),
    }
}

fn unserved(object: &DeclaredObject) -> Gap {
    Gap::new(
        GapKind::Discovery,
        format!("{} is declared as {}, which the cluster is not known to serve", object.id, object.gvk),
        Hides::Evidence,
    )
}

fn missing(object: &DeclaredObject) -> AppError {
    let place = format!("{}:{}", object.origin.file, object.origin.line.unwrap_or(1));
    AppError::new(format!("{} is declared in {place} and does not exist live", object.id))
        .hint("`driftledger findings` shows it as missing once a scan has recorded it")
}
