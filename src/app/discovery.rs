//! Targets that Applications, Kustomizations and HelmReleases name, declared ones and live ones. They are found before anything else is done, and are afterwards
//! what written ones are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::AppError;
use super::gather::{self, TargetSource};
use super::operator_rules::repository_of;
use super::reach;
use super::wiring;
use crate::config::render::Render;
use crate::config::{ChartSource, Config, NamedBy, NamingObject, TargetConfig, Texts};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::{ClusterName, RepositoryName, Revision, TargetName};
use crate::model::resource::{GroupKind, Gvk};
use crate::model::secret::{RedactionKey, is_hidden};
use crate::model::time::Timestamp;
use crate::stages::discover::{self, Found, GitRepository, Known};
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
    let (mut running, gaps) = if config.discovery.live { live(&config).await } else { Default::default() };
    all.undiscovered = gaps;
    let mut config_maps_are_read = !config.discovery.live;
    let mut declared: Vec<Declared> = Vec::new();
    for _ in 0..DEEPEST {
        let sources = gather::targets(&Arc::new(all.clone()), &new, key, now).await;
        declared.extend(sources.iter().flat_map(|source| of_source(source, config.discovery.flux)));
        // What Git says of a target goes before what is live, which may have been read first.
        let mut named = named(declared.iter().chain(&running), &config);
        named.truncate(MOST_TARGETS.saturating_sub(config.targets.len()));
        new = named.iter().filter(|target| !all.targets.contains(target)).cloned().collect();
        all.targets = config.targets.iter().cloned().chain(named).collect();
        declared.retain(|one| all.targets.contains(&one.by));
        if !config_maps_are_read && new.is_empty() {
            // What Git does not declare may be live.
            config_maps_are_read = true;
            running.extend(live_config_maps(&config, declared.iter().chain(&running)).await);
        } else if new.is_empty() {
            break;
        }
    }
    // What is declared as well is told where it is declared.
    let troubles: Vec<Gap> = said(declared.iter().chain(&running), &all)
        .into_iter()
        .filter(|(one, _)| one.file.is_none() && !declared.iter().any(|other| is_same_object(one, other)))
        .flat_map(|(one, found)| gaps_of(one, &found))
        .collect();
    all.undiscovered.extend(troubles);
    // What is declared as well says so itself.
    let only_live = running.iter().filter(|one| !declared.iter().any(|other| is_same_object(one, other)));
    all.only_live = only_live.map(|one| (one.by.cluster.clone(), one.object.clone())).collect();
    tracing::debug!(found = all.targets.len() - config.targets.len(), "targets discovered");
    Arc::new(all)
}

/// The live objects of operators, and what of them could not be read.
async fn live(config: &Arc<Config>) -> (Vec<Declared>, Vec<Gap>) {
    let (mut found, mut gaps) = (Vec::new(), Vec::new());
    for (cluster, reached) in config.clusters.iter().zip(reach::all(&config.clusters, config).await) {
        let by = live_in(&cluster.name);
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

/// The target that live objects of a cluster belong to.
fn live_in(cluster: &ClusterName) -> TargetConfig {
    TargetConfig {
        name: TargetName::new(format!("cluster {cluster}")),
        repository: RepositoryName::new(""),
        revision: Revision::new("HEAD"),
        path: String::new(),
        cluster: cluster.clone(),
        namespace: "default".to_owned(),
        convergence: true,
        render: Render::default(),
        change_policy: None,
        named_by: NamedBy::Live,
    }
}

/// The live ConfigMaps of those clusters in which objects refer to some that are not declared. What cannot be read was not found.
async fn live_config_maps(
    config: &Arc<Config>,
    declared: impl IntoIterator<Item = &Declared> + Clone,
) -> Vec<Declared> {
    let here = Referred::of(declared.clone()).config_maps;
    let is_missing = |one: &Declared, name: &str| {
        let namespace = one.object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or(&one.by.namespace);
        !here.contains_key(&(one.by.cluster.clone(), namespace.to_owned(), name.to_owned()))
    };
    let wanted =
        declared.into_iter().filter(|one| discover::config_maps(&one.object).iter().any(|name| is_missing(one, name)));
    let wanted: BTreeSet<&ClusterName> = wanted.map(|one| &one.by.cluster).collect();
    let clusters: Vec<_> = config.clusters.iter().filter(|cluster| wanted.contains(&cluster.name)).cloned().collect();
    let mut found = Vec::new();
    for (cluster, reached) in clusters.iter().zip(reach::all(&clusters, config).await) {
        let (objects, _) = reached.objects(&GroupKind::new("", "ConfigMap")).await;
        let by = live_in(&cluster.name);
        found.extend(objects.into_iter().map(|object| Declared { object, by: by.clone(), file: None }));
    }
    found
}

/// Adds what could not be understood to the gaps of the targets that declare it: what it names is not looked at.
pub fn tell_troubles(sources: &mut [TargetSource], config: &Config) {
    let declared: Vec<Declared> = sources.iter().flat_map(|source| of_source(source, config.discovery.flux)).collect();
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

fn is_same_object(one: &Declared, other: &Declared) -> bool {
    one.by.cluster == other.by.cluster && name(one) == name(other)
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

fn of_source(source: &TargetSource, flux: bool) -> Vec<Declared> {
    let of_operators = |group: &str| group == "argoproj.io" || group.ends_with(".toolkit.fluxcd.io");
    // Whose values Flux's objects may refer to.
    let is_config_map = |gvk: &Gvk| flux && gvk.gv.group.is_empty() && gvk.kind == "ConfigMap";
    let objects = source.objects.iter();
    let objects = objects.filter(|object| of_operators(&object.gvk.gv.group) || is_config_map(&object.gvk));
    let declared = |object: &crate::model::declared::RenderedObject| {
        let file = Some((object.file.clone(), object.written.is_some()));
        Some(Declared { object: object.tree().ok()?, by: source.config.clone(), file })
    };
    objects.filter_map(declared).collect()
}

/// What each of the objects says, by what is known of its own cluster.
fn said<'d>(declared: impl IntoIterator<Item = &'d Declared> + Clone, config: &Config) -> Vec<(&'d Declared, Found)> {
    let referred = Referred::of(declared.clone());
    let clusters: Vec<&ClusterName> = config.clusters.iter().map(|cluster| &cluster.name).collect();
    let said = |one: &'d Declared| {
        let at = |namespace: &str, name: &str| (one.by.cluster.clone(), namespace.to_owned(), name.to_owned());
        let known = Known {
            discovery: config.discovery,
            clusters: &clusters,
            repository: &|url| repository_of(config, url),
            git_repository: &|namespace, name| referred.git_repositories.get(&at(namespace, name)).cloned(),
            chart_source: &|kind, namespace, name| {
                referred.charts.get(&(kind.to_owned(), at(namespace, name))).cloned()
            },
            config_map: &|namespace, name| referred.config_maps.get(&at(namespace, name)).copied().map(texts),
            is_allowed: &|url| config.charts.iter().any(|repository| repository.holds(url)),
            mapping: &mapping,
        };
        let mut found = discover::targets(&one.object, &one.by, &known)?;
        found.targets.iter_mut().for_each(|target| target.named_by = named_by(one, &referred));
        Some((one, found))
    };
    declared.into_iter().filter_map(said).collect()
}

type At = (ClusterName, String, String);

/// What others refer to, by cluster, namespace and name; of several the first.
struct Referred<'d> {
    git_repositories: BTreeMap<At, GitRepository>,
    charts: BTreeMap<(String, At), ChartSource>,
    config_maps: BTreeMap<At, &'d Value>,
}

impl<'d> Referred<'d> {
    fn of(declared: impl IntoIterator<Item = &'d Declared>) -> Self {
        let (mut git_repositories, mut charts) = (BTreeMap::new(), BTreeMap::new());
        let mut config_maps = BTreeMap::new();
        for Declared { object, by, .. } in declared {
            let at = |namespace: String, name: String| (by.cluster.clone(), namespace, name);
            if let Some(((namespace, name), found)) = discover::git_repository(object, &by.namespace) {
                git_repositories.entry(at(namespace, name)).or_insert(found);
            } else if let Some(((kind, namespace, name), found)) = discover::chart_source(object, &by.namespace) {
                charts.entry((kind, at(namespace, name))).or_insert(found);
            } else if object.get("kind").and_then(Value::as_str) == Some("ConfigMap") {
                let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
                let namespace = text("/metadata/namespace").unwrap_or(&by.namespace).to_owned();
                let name = text("/metadata/name").unwrap_or_default().to_owned();
                config_maps.entry(at(namespace, name)).or_insert(object);
            }
        }
        Self { git_repositories, charts, config_maps }
    }
}

/// The texts of a ConfigMap.
pub fn texts(config_map: &Value) -> Texts {
    let data = config_map.get("data").and_then(Value::as_object).into_iter().flatten();
    let text = |value: &Value| value.as_str().filter(|text| !is_hidden(text)).map(str::to_owned);
    data.map(|(key, value)| (key.clone(), text(value))).collect()
}

fn named_by(declared: &Declared, referred: &Referred<'_>) -> NamedBy {
    let Some((file, is_written)) = declared.file.clone() else { return NamedBy::Live };
    let text = |pointer: &str| declared.object.pointer(pointer).and_then(Value::as_str);
    let namespace = text("/metadata/namespace").unwrap_or(&declared.by.namespace);
    let config_maps = discover::config_maps(&declared.object).into_iter().filter_map(|name| {
        let at = (declared.by.cluster.clone(), namespace.to_owned(), name.to_owned());
        Some((name.to_owned(), texts(referred.config_maps.get(&at)?)))
    });
    NamedBy::Declared(Box::new(NamingObject {
        config_maps: config_maps.collect(),
        target: declared.by.name.clone(),
        file,
        is_written,
        kind: text("/kind").unwrap_or_default().to_owned(),
        name: text("/metadata/name").unwrap_or_default().to_owned(),
        namespace: namespace.to_owned(),
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
