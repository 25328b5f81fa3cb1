//! `history`: what happened to an object.

use crate::adapters::ledger::{Ledger, LedgerError};
use crate::app::changes::Changes;
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::gather::TargetSource;
use crate::app::inquiry::{self, Gathered, Inquiry, Options, Wanted};
use crate::app::outcome::Exit;
use crate::app::{object_story, output};
use crate::config::{ClusterConfig, Config};
use crate::model::attribution::Actor;
use crate::model::object_story::{Entry, Happened, ObjectStory};
use crate::model::resource::{Gvk, ObjectId};
use crate::model::schema::{Schemas, builtin_discovery};
use crate::model::secret::RedactionKey;
use crate::stages::declare;
use crate::stages::managed_fields;
use crate::views;
use std::collections::BTreeSet;

/// Show what happened to an object, in order: the commits that changed what Git declares of it, the findings that scans opened
/// and closed on it, and the writers of the live object.
///
/// Reads the repositories, the ledger and the one live object; records nothing. Also of an object that Git declares no more.
#[derive(Debug, clap::Args)]
pub struct History {
    /// The object, as `Deployment/shop/api`, `deployment.apps/api` or `"Deployment.apps shop/api"`.
    #[arg(value_name = "OBJECT")]
    object: String,
    #[command(flatten)]
    options: Options,
}

impl History {
    /// Shows it.
    ///
    /// # Errors
    /// Nothing is known of such an object, or the configuration or ledger cannot be read.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let wanted = Wanted::parse(&self.object, self.options.namespace.as_deref())?;
        let Gathered { config, key, clusters, mut sources } = self.options.gather(global).await?;
        let mut stories = Vec::new();
        for cluster in &clusters {
            stories.extend(of_cluster(cluster, &mut sources, &wanted, &config, &key).await?);
        }
        if stories.is_empty() {
            return Err(inquiry::undeclared(&self.object, &sources));
        }
        self.options.print(|| views::json::history(&stories), || views::table::history(&stories, output::style(true)));
        Ok(Exit::InSync)
    }
}

async fn of_cluster(
    cluster: &ClusterConfig,
    sources: &mut [TargetSource],
    wanted: &Wanted,
    config: &Config,
    key: &RedactionKey,
) -> Result<Vec<ObjectStory>, AppError> {
    let known = known(cluster, sources, wanted);
    let declared = inquiry::declared_of(cluster, sources);
    let inquiry = Inquiry { config, key, wanted, cluster };
    let live = inquiry.ask(declared, |judge, object, text| {
        let head: crate::stages::live::Head<'_> =
            serde_json::from_str(text).map_err(|error| AppError::new(error.to_string()))?;
        let fields = head.metadata.managed_fields.map(|fields| fields.get());
        let entries = fields.and_then(|fields| managed_fields::parse(fields, judge.actors)).unwrap_or_default();
        Ok((object.id.clone(), entries.into_iter().map(|entry| entry.actor).collect::<Vec<Actor>>()))
    });
    // Its writers are a part of the story; without the cluster the rest is told.
    let live: Vec<(ObjectId, Vec<Actor>)> = match live.await {
        Ok(answers) => answers.into_iter().flatten().collect(),
        Err(error) => {
            tracing::warn!("the live object cannot be read: {error}");
            Vec::new()
        }
    };
    let ledger = match Ledger::open_read_only(&config.ledger.path, config.ledger.key_file.as_deref()) {
        Ok(ledger) => Some(ledger),
        Err(LedgerError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut changes = Changes::of(sources, config);
    let schemas = Schemas::default();
    let mut stories = Vec::new();
    for (id, gvk) in known {
        let mut others: Vec<Entry> = match &ledger {
            Some(ledger) => object_story::findings(ledger.object_events(&cluster.name, &id)?),
            None => Vec::new(),
        };
        others.extend(
            live.iter().filter(|(of, _)| *of == id).flat_map(|(_, actors)| object_story::writes(actors.clone())),
        );
        let schema = schemas.kind_at_any_version(&gvk);
        let mut commits = Vec::new();
        let mut whole_history = true;
        let mut seen = BTreeSet::new();
        for source in sources.iter().filter(|source| source.config.cluster == cluster.name) {
            let line = (source.config.repository.clone(), source.config.revision.clone());
            if seen.insert(line) {
                let (found, whole) =
                    tokio::task::block_in_place(|| object_story::commits(source, sources, &id, schema, config, key));
                commits.extend(found.into_iter().map(|mut entry| {
                    if let Happened::Commit { by, .. } = &mut entry.happened {
                        changes.fill_in(&source.config.repository, by);
                    }
                    entry
                }));
                whole_history &= whole;
            }
        }
        let entries = object_story::in_order(commits, others);
        stories.push(ObjectStory { cluster: cluster.name.clone(), object: id, entries, whole_history });
    }
    Ok(stories)
}

/// The wanted objects that a cluster's targets declare or once declared.
fn known(cluster: &ClusterConfig, sources: &[TargetSource], wanted: &Wanted) -> Vec<(ObjectId, Gvk)> {
    let discovery = builtin_discovery();
    let of_cluster = || sources.iter().filter(|source| source.config.cluster == cluster.name);
    let crds = declare::declared_scopes(of_cluster().flat_map(|source| &source.objects));
    let mut found: Vec<(ObjectId, Gvk)> = Vec::new();
    for source in of_cluster() {
        let declared = source.objects.iter().map(|o| (&o.gvk, &o.namespace, &o.name));
        let former = source.past.objects.iter().map(|o| (&o.gvk, &o.namespace, &o.name));
        for (gvk, namespace, name) in declared.chain(former) {
            let kind = gvk.group_kind();
            let namespaced = discovery.namespaced(&kind).or_else(|| crds.get(&kind).copied()).unwrap_or(true);
            let namespace = || namespace.clone().unwrap_or_else(|| source.config.namespace.clone());
            let id = ObjectId {
                group: kind.group,
                kind: kind.kind,
                namespace: namespaced.then(namespace),
                name: name.clone(),
            };
            if wanted.is(&id) && !found.iter().any(|(known, _)| *known == id) {
                found.push((id, gvk.clone()));
            }
        }
    }
    found
}
