//! `explain`: why an object is in sync or not, field by field.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::adapters::cluster::{DumpCluster, KubeCluster, SnapshotCluster};
use crate::adapters::ledger::{Ledger, LedgerError};
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::{gather, output, pipeline, wiring};
use crate::config::{ClusterConfig, ClusterSource, Config};
use crate::model::declared::{DeclaredObject, RenderedObject};
use crate::model::discovery::Served;
use crate::model::explanation::Explanation;
use crate::model::gap::Gap;
use crate::model::resource::ObjectId;
use crate::model::secret::RedactionKey;
use crate::ports::LiveSource;
use crate::stages::autoscale::Autoscalers;
use crate::stages::declare::{self, TargetPlace};
use crate::stages::ignore::Ignores;
use crate::stages::judge::Judge;
use crate::views;

/// Explain why an object is in sync or not: every field with Git's and the live value, the schema, the rule that decided, and
/// who wrote it.
///
/// Reads the repositories and the one live object; records nothing.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The object, as `Deployment/shop/api`, `deployment.apps/api` or `"Deployment.apps shop/api"`.
    #[arg(value_name = "OBJECT")]
    object: String,
    /// Its namespace, where OBJECT names none.
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,
    /// Only in this cluster.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// table or json.
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

impl Explain {
    /// Explains it.
    ///
    /// # Errors
    /// Nothing declares it, it does not exist live, or one of the two cannot be read.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let config = Arc::new(global.read_config()?);
        let key = Arc::new(key(&config)?);
        let wanted = Wanted::parse(&self.object, self.namespace.as_deref())?;
        let clusters = self.clusters(&config)?;
        let targets: Vec<_> =
            config.targets.iter().filter(|t| clusters.iter().any(|c| c.name == t.cluster)).cloned().collect();
        let mut sources = gather::targets(&config, &targets, &key, pipeline::now()).await;
        let mut drifted = false;
        let mut found = 0;
        for cluster in clusters {
            let declared: Vec<(TargetPlace, Vec<RenderedObject>)> = sources
                .iter_mut()
                .filter(|source| source.config.cluster == cluster.name)
                .filter_map(|source| Some((source.place()?, std::mem::take(&mut source.objects))))
                .collect();
            let inquiry = Inquiry { config: &config, key: &key, wanted: &wanted, cluster };
            for explanation in inquiry.ask(declared).await? {
                found += 1;
                drifted |= explanation.findings() > 0;
                output::stdout(&match self.output.as_str() {
                    "json" => views::json::explanation(&explanation),
                    _ => views::table::explain(&explanation, output::style(true)),
                });
            }
        }
        if found == 0 {
            let gaps: Vec<String> = sources.iter().flat_map(|s| &s.gaps).map(|gap| gap.message.clone()).collect();
            let error = AppError::new(format!("no target declares {}", self.object));
            return Err(match gaps.first() {
                Some(gap) => error.hint(format!("not everything could be read: {gap}")),
                None => error.hint("write it as Kind/namespace/name, with the kind's group if it is needed"),
            });
        }
        Ok(if drifted { Exit::Drift } else { Exit::InSync })
    }

    fn clusters<'c>(&self, config: &'c Config) -> Result<Vec<&'c ClusterConfig>, AppError> {
        let Some(name) = &self.cluster else { return Ok(config.clusters.iter().collect()) };
        match config.clusters.iter().find(|cluster| cluster.name.as_str() == name) {
            Some(cluster) => Ok(vec![cluster]),
            None => {
                let known: Vec<&str> = config.clusters.iter().map(|c| c.name.as_str()).collect();
                let error = AppError::new(format!("there is no cluster `{name}`"));
                Err(error.hint(format!("known: {}", known.join(", "))))
            }
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

/// What was asked for, as written.
struct Wanted {
    kind: String,
    group: Option<String>,
    namespace: Option<String>,
    name: String,
}

impl Wanted {
    fn parse(text: &str, namespace: Option<&str>) -> Result<Self, AppError> {
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
        Ok(Self { kind: kind.to_owned(), group, namespace: in_namespace.map(str::to_owned), name: name.to_owned() })
    }

    fn is(&self, id: &ObjectId) -> bool {
        id.kind.eq_ignore_ascii_case(&self.kind)
            && id.name == self.name
            && self.group.as_ref().is_none_or(|group| *group == id.group)
            && (self.namespace.is_none() || self.namespace == id.namespace)
    }
}

struct Inquiry<'a> {
    config: &'a Config,
    key: &'a RedactionKey,
    wanted: &'a Wanted,
    cluster: &'a ClusterConfig,
}

impl Inquiry<'_> {
    async fn ask(&self, declared: Vec<(TargetPlace, Vec<RenderedObject>)>) -> Result<Vec<Explanation>, AppError> {
        match (wiring::kube_settings(self.cluster), &self.cluster.source) {
            (Some(settings), _) => self.explain(&KubeCluster::connect(settings).await?, declared).await,
            (None, ClusterSource::Snapshot(path)) => {
                let most = self.config.limits.snapshot_bytes;
                self.explain(&SnapshotCluster::open(self.cluster.name.clone(), path, most)?, declared).await
            }
            (None, ClusterSource::Dump(path)) => {
                self.explain(&DumpCluster::open(self.cluster.name.clone(), path)?, declared).await
            }
            (None, _) => Ok(Vec::new()),
        }
    }

    async fn explain<S: LiveSource>(
        &self,
        source: &S,
        declared: Vec<(TargetPlace, Vec<RenderedObject>)>,
    ) -> Result<Vec<Explanation>, AppError> {
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
        let mut explanations = Vec::new();
        for object in objects {
            if object.id.group_kind().is_secret() && !self.cluster.secrets {
                return Err(AppError::new(format!("{} is not read", object.id))
                    .hint(format!("set `secrets: true` for the cluster {}", self.cluster.name)));
            }
            let live = match discovery.served(&object.gvk) {
                Served::Yes(kind) => source.get(kind, &object.id).await?,
                Served::No | Served::Unknown => return Err(unserved(object)),
            };
            let Some(live) = live else { return Err(missing(object)) };
            let text = std::str::from_utf8(&live).map_err(|_| AppError::new("the live object is not UTF-8"))?;
            explanations.push(judge.explain(object, text).map_err(|error| AppError::new(error.to_string()))?);
        }
        Ok(explanations)
    }
}

fn unserved(object: &DeclaredObject) -> AppError {
    Gap::new(
        crate::model::gap::GapKind::Discovery,
        format!("{} is declared as {}, which the cluster is not known to serve", object.id, object.gvk),
        crate::model::gap::Hides::Evidence,
    )
    .into()
}

fn missing(object: &DeclaredObject) -> AppError {
    let place = format!("{}:{}", object.origin.file, object.origin.line.unwrap_or(1));
    AppError::new(format!("{} is declared in {place} and does not exist live", object.id))
        .hint("`driftledger findings` shows it as missing once a scan has recorded it")
}
