//! Targets that Applications, Kustomizations and HelmReleases name, declared ones and live ones. They are found before anything else is done, and are afterwards
//! what written ones are.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::argocd::repository_of;
use super::error::AppError;
use super::gather::{self, TargetSource};
use super::reach;
use super::wiring;
use crate::config::render::Render;
use crate::config::{Config, TargetConfig};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::{ClusterName, RepositoryName, Revision, TargetName};
use crate::model::resource::GroupKind;
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::stages::discover::{self, Found, Known};
use crate::yaml;

/// Applications that declare Applications that declare Applications.
const DEEPEST: usize = 8;
/// Targets; more are no configuration but an accident.
const MOST_TARGETS: usize = 5_000;

/// An object that may name targets.
struct Declared {
    object: Value,
    /// The target that declares it.
    by: TargetConfig,
    /// `None`: it is live.
    file: Option<String>,
}

/// The configuration with all targets that are declared for it, read with the ledger's key, or a passing one where there is none yet.
///
/// # Errors
/// The key cannot be read.
pub async fn of(config: &Arc<Config>, now: Timestamp) -> Result<Arc<Config>, AppError> {
    if !config.discovery.argocd && !config.discovery.flux {
        return Ok(config.clone());
    }
    let with_key = config.clone();
    let key = tokio::task::spawn_blocking(move || Arc::new(wiring::key_or_passing(&with_key))).await;
    let key = key.map_err(|error| AppError::new(format!("reading the key was given up: {error}")))?;
    Ok(effective(config.clone(), &key, now).await)
}

async fn effective(config: Arc<Config>, key: &Arc<RedactionKey>, now: Timestamp) -> Arc<Config> {
    let mut all = Config::clone(&config);
    let mut new = all.targets.clone();
    let (mut declared, gaps) = if config.discovery.live { live(&config).await } else { Default::default() };
    all.undiscovered = gaps;
    let running = declared.len();
    for _ in 0..DEEPEST {
        let sources = gather::targets(&Arc::new(all.clone()), &new, key, now).await;
        declared.extend(sources.iter().flat_map(of_source));
        new = further(&declared, &all);
        new.truncate(MOST_TARGETS.saturating_sub(all.targets.len()));
        if new.is_empty() {
            break;
        }
        all.targets.extend(new.iter().cloned());
    }
    // What is declared as well is told where it is declared.
    let troubles: Vec<Gap> = said(&declared, &all)
        .into_iter()
        .filter(|(one, _)| one.file.is_none() && !declared[running..].iter().any(|other| name(other) == name(one)))
        .flat_map(|(one, found)| gaps_of(one, &found))
        .collect();
    all.undiscovered.extend(troubles);
    tracing::debug!(found = all.targets.len() - config.targets.len(), "targets discovered");
    Arc::new(all)
}

/// The live objects of operators, and what of them could not be read.
async fn live(config: &Arc<Config>) -> (Vec<Declared>, Vec<Gap>) {
    let (mut found, mut gaps) = (Vec::new(), Vec::new());
    for (cluster, reached) in config.clusters.iter().zip(reach::all(&config.clusters, config).await) {
        let by = TargetConfig {
            name: TargetName::new(format!("cluster {}", cluster.name)),
            repository: RepositoryName::new(""),
            revision: Revision::new("HEAD"),
            path: String::new(),
            cluster: cluster.name.clone(),
            namespace: "default".to_owned(),
            convergence: true,
            render: Render::default(),
            change_policy: None,
        };
        for (group, kind) in discover::kinds(config.discovery) {
            let (objects, unread) = reached.objects(&GroupKind::new(group, kind)).await;
            found.extend(objects.into_iter().map(|object| Declared { object, by: by.clone(), file: None }));
            gaps.extend(unread.into_iter().map(|gap| {
                let message = format!("whether live {kind}s name targets is not known: {}", gap.message);
                Gap { message, hides: Hides::Target, ..gap }.of_cluster(&cluster.name)
            }));
        }
    }
    (found, gaps)
}

/// Adds what could not be understood to the gaps of the targets that declare it: what it names is not looked at.
pub fn tell_troubles(sources: &mut [TargetSource], config: &Config) {
    let declared: Vec<Declared> = sources.iter().flat_map(of_source).collect();
    for (declared, found) in said(&declared, config) {
        if let Some(source) = sources.iter_mut().find(|source| source.config.name == declared.by.name) {
            source.gaps.extend(gaps_of(declared, &found));
        }
    }
}

/// `Application shop`.
fn name(declared: &Declared) -> String {
    let text = |pointer: &str| declared.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("/kind"), text("/metadata/name"))
}

fn gaps_of(declared: &Declared, found: &Found) -> Vec<Gap> {
    let gap = |trouble: &String| {
        let message = format!("what {} deploys is not looked at: {trouble}", name(declared));
        let hint = "write a target for it, or add what it names to the configuration";
        let gap = match &declared.file {
            Some(file) => Gap::new(GapKind::Render, message, Hides::File { file: file.clone() })
                .at(file.clone())
                .of_target(&declared.by.name),
            None => Gap::new(GapKind::Render, message, Hides::Target),
        };
        gap.of_cluster(&declared.by.cluster).hint(hint)
    };
    found.troubles.iter().map(gap).collect()
}

fn of_source(source: &TargetSource) -> Vec<Declared> {
    let of_operators = |group: &str| group == "argoproj.io" || group.ends_with(".toolkit.fluxcd.io");
    let objects = source.objects.iter().filter(|object| of_operators(&object.gvk.gv.group));
    let declared = |object: &crate::model::declared::RenderedObject| {
        Some(Declared { object: object.tree().ok()?, by: source.config.clone(), file: Some(object.file.clone()) })
    };
    objects.filter_map(declared).collect()
}

/// What each of the objects says.
fn said<'d>(declared: &'d [Declared], config: &Config) -> Vec<(&'d Declared, Found)> {
    let git_repositories: BTreeMap<_, _> =
        declared.iter().filter_map(|one| discover::git_repository(&one.object, &one.by.namespace)).collect();
    let clusters: Vec<&ClusterName> = config.clusters.iter().map(|cluster| &cluster.name).collect();
    let known = Known {
        discovery: config.discovery,
        clusters: &clusters,
        repository: &|url| repository_of(config, url),
        git_repositories: &git_repositories,
        mapping: &mapping,
    };
    declared.iter().filter_map(|one| Some((one, discover::targets(&one.object, &one.by, &known)?))).collect()
}

/// The targets that are not there yet. One that the configuration has, too, is that one, whatever is said of how it is rendered; a chart may
/// be there several times.
fn further(declared: &[Declared], config: &Config) -> Vec<TargetConfig> {
    let is_same = |one: &TargetConfig, other: &TargetConfig| {
        one.repository == other.repository
            && one.revision == other.revision
            && one.path == other.path
            && one.cluster == other.cluster
            && one.namespace == other.namespace
            && (one.render == other.render || other.render == Render::default())
    };
    let mut new: Vec<TargetConfig> = Vec::new();
    for target in said(declared, config).into_iter().flat_map(|(_, found)| found.targets) {
        let mut known = config.targets.iter().chain(&new);
        if !known.any(|known| known.name == target.name || is_same(&target, known)) {
            new.push(target);
        }
    }
    new
}

fn mapping(text: &str) -> Option<Map<String, Value>> {
    let document = yaml::read_documents(text, &yaml::Limits::default()).into_iter().next()?.ok()?;
    match yaml::to_json(&document.root) {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}
