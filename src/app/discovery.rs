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
use crate::config::{Config, NamedBy, NamingObject, TargetConfig};
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
    /// Its file, and whether it is written there as it is; `None`: it is live.
    file: Option<(String, bool)>,
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
    let (running, gaps) = if config.discovery.live { live(&config).await } else { Default::default() };
    all.undiscovered = gaps;
    let mut declared: Vec<Declared> = Vec::new();
    for _ in 0..DEEPEST {
        let sources = gather::targets(&Arc::new(all.clone()), &new, key, now).await;
        declared.extend(sources.iter().flat_map(of_source));
        // What Git says of a target goes before what is live, which may have been read first.
        let mut named = named(declared.iter().chain(&running), &config);
        named.truncate(MOST_TARGETS.saturating_sub(config.targets.len()));
        new = named.iter().filter(|target| !all.targets.contains(target)).cloned().collect();
        all.targets = config.targets.iter().cloned().chain(named).collect();
        declared.retain(|one| all.targets.contains(&one.by));
        if new.is_empty() {
            break;
        }
    }
    // What is declared as well is told where it is declared.
    let troubles: Vec<Gap> = said(declared.iter().chain(&running), &all)
        .into_iter()
        .filter(|(one, _)| one.file.is_none() && !declared.iter().any(|other| name(other) == name(one)))
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
            named_by: NamedBy::Live,
        };
        for (group, kind) in discover::kinds(config.discovery) {
            let (objects, unread) = reached.objects(&GroupKind::new(group, kind)).await;
            found.extend(objects.into_iter().map(|object| Declared { object, by: by.clone(), file: None }));
            gaps.extend(unread.into_iter().map(|gap| {
                let message =
                    format!("whether live objects of the kind {kind} name targets is not known: {}", gap.message);
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
            Some((file, _)) => Gap::new(GapKind::Render, message, Hides::File { file: file.clone() })
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
        let file = Some((object.file.clone(), object.written.is_some()));
        Some(Declared { object: object.tree().ok()?, by: source.config.clone(), file })
    };
    objects.filter_map(declared).collect()
}

/// What each of the objects says.
fn said<'d>(declared: impl IntoIterator<Item = &'d Declared> + Clone, config: &Config) -> Vec<(&'d Declared, Found)> {
    let repositories = declared.clone().into_iter();
    let mut git_repositories = BTreeMap::new();
    for (name, repository) in repositories.filter_map(|one| discover::git_repository(&one.object, &one.by.namespace)) {
        git_repositories.entry(name).or_insert(repository);
    }
    let charts = declared.clone().into_iter();
    let charts: BTreeMap<_, _> =
        charts.filter_map(|one| discover::chart_source(&one.object, &one.by.namespace)).collect();
    let clusters: Vec<&ClusterName> = config.clusters.iter().map(|cluster| &cluster.name).collect();
    let known = Known {
        discovery: config.discovery,
        clusters: &clusters,
        repository: &|url| repository_of(config, url),
        git_repository: &|namespace, name| git_repositories.get(&(namespace.to_owned(), name.to_owned())).cloned(),
        chart_source: &|kind, namespace, name| {
            charts.get(&(kind.to_owned(), namespace.to_owned(), name.to_owned())).cloned()
        },
        is_allowed: &|url| config.charts.iter().any(|repository| repository.holds(url)),
        mapping: &mapping,
    };
    let said = |one: &'d Declared| {
        let mut found = discover::targets(&one.object, &one.by, &known)?;
        found.targets.iter_mut().for_each(|target| target.named_by = named_by(one));
        Some((one, found))
    };
    declared.into_iter().filter_map(said).collect()
}

fn named_by(declared: &Declared) -> NamedBy {
    let Some((file, is_written)) = declared.file.clone() else { return NamedBy::Live };
    let text = |pointer: &str| declared.object.pointer(pointer).and_then(Value::as_str);
    NamedBy::Declared(Box::new(NamingObject {
        target: declared.by.name.clone(),
        file,
        is_written,
        kind: text("/kind").unwrap_or_default().to_owned(),
        name: text("/metadata/name").unwrap_or_default().to_owned(),
        namespace: text("/metadata/namespace").unwrap_or(&declared.by.namespace).to_owned(),
    }))
}

/// The targets that objects name besides the written ones. One that the configuration has, too, is that one, whatever is said of how it is
/// rendered; a chart may be there several times.
fn named<'d>(declared: impl IntoIterator<Item = &'d Declared> + Clone, config: &Config) -> Vec<TargetConfig> {
    let is_same = |one: &TargetConfig, other: &TargetConfig| {
        one.repository == other.repository
            && one.revision == other.revision
            && one.path == other.path
            && one.cluster == other.cluster
            && one.namespace == other.namespace
            && (one.render == other.render || (other.render == Render::default() && one.render.helm.chart.is_none()))
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

/// A text that is a YAML mapping.
pub fn mapping(text: &str) -> Option<Map<String, Value>> {
    let document = yaml::read_documents(text, &yaml::Limits::default()).into_iter().next()?.ok()?;
    match yaml::to_json(&document.root) {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}
