//! Targets that declared Applications, Kustomizations and HelmReleases name. They are found before anything else is done, and are afterwards
//! what written ones are.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::argocd::repository_of;
use super::error::AppError;
use super::gather::{self, TargetSource};
use super::wiring;
use crate::config::render::Render;
use crate::config::{Config, TargetConfig};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
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
    by: TargetConfig,
    file: String,
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
    let mut declared = Vec::new();
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
    tracing::debug!(found = all.targets.len() - config.targets.len(), "targets discovered");
    Arc::new(all)
}

/// Adds what could not be understood to the gaps of the targets that declare it: what it names is not looked at.
pub fn tell_troubles(sources: &mut [TargetSource], config: &Config) {
    let declared: Vec<Declared> = sources.iter().flat_map(of_source).collect();
    for (declared, found) in said(&declared, config) {
        let Some(source) = sources.iter_mut().find(|source| source.config.name == declared.by.name) else { continue };
        let text = |pointer: &str| declared.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let name = format!("{} {}", text("/kind"), text("/metadata/name"));
        source.gaps.extend(found.troubles.iter().map(|trouble| {
            let message = format!("what {name} deploys is not looked at: {trouble}");
            Gap::new(GapKind::Render, message, Hides::File { file: declared.file.clone() })
                .at(declared.file.clone())
                .of_target(&declared.by.name)
                .of_cluster(&declared.by.cluster)
                .hint("write a target for it, or add what it names to the configuration")
        }));
    }
}

fn of_source(source: &TargetSource) -> Vec<Declared> {
    let of_operators = |group: &str| group == "argoproj.io" || group.ends_with(".toolkit.fluxcd.io");
    let objects = source.objects.iter().filter(|object| of_operators(&object.gvk.gv.group));
    let declared = |object: &crate::model::declared::RenderedObject| {
        Some(Declared { object: object.tree().ok()?, by: source.config.clone(), file: object.file.clone() })
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
