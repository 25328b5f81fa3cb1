//! What objects say of targets, with what they refer to.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::declared::Declared;
use crate::app::operator_rules::repository_of;
use crate::config::render::{Render, Renderer};
use crate::config::{ChartSource, Config, NamedBy, NamingObject, TargetConfig, Texts};
use crate::model::ids::ClusterName;
use crate::model::secret::is_hidden;
use crate::stages::discover::{self, Found, GitRepository, Known};
use crate::yaml;

/// What each of the objects says, by what is known of its own cluster.
pub(super) fn said<'d>(
    declared: impl IntoIterator<Item = &'d Declared> + Clone,
    config: &Config,
) -> Vec<(&'d Declared, Found)> {
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
pub(super) struct Referred<'d> {
    git_repositories: BTreeMap<At, GitRepository>,
    charts: BTreeMap<(String, At), ChartSource>,
    pub(super) config_maps: BTreeMap<At, &'d Value>,
}

impl<'d> Referred<'d> {
    pub(super) fn of(declared: impl IntoIterator<Item = &'d Declared>) -> Self {
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
pub(super) fn named<'d>(
    declared: impl IntoIterator<Item = &'d Declared> + Clone,
    config: &Config,
) -> Vec<TargetConfig> {
    let is_same = |one: &TargetConfig, other: &TargetConfig| {
        one.repository == other.repository
            && one.revision == other.revision
            && one.path == other.path
            && one.cluster == other.cluster
            && (one.namespace == other.namespace || names_no_namespace(one))
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

/// Whether it is a Kustomization's without a target namespace: what it declares names its own.
fn names_no_namespace(target: &TargetConfig) -> bool {
    target.render.renderer == Renderer::Flux && !target.render.overlay.contains_key("namespace")
}

/// A text that is a YAML mapping.
pub fn mapping(text: &str) -> Option<Map<String, Value>> {
    let document = yaml::read_documents(text, &yaml::Limits::default()).into_iter().next()?.ok()?;
    match yaml::to_json(&document.root) {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}
