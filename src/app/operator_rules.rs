//! The ignore rules that Argo CD's Applications and Flux's HelmReleases declare, by the cluster that they are for.

use std::collections::BTreeMap;

use serde_json::Value;
use wildmatch::WildMatch;

use super::gather::TargetSource;
use crate::config::ignore::{IgnoreRule, Selection};
use crate::config::{Config, NamedBy, RepositoryPlace};
use crate::model::ids::{ClusterName, RepositoryName, TargetName};
use crate::stages::repository_url::identity;
use crate::stages::{argocd, discover, flux_ignore};

/// An object of an operator, declared or only live.
struct Object {
    tree: Value,
    /// The cluster that it is in.
    cluster: ClusterName,
    /// For one that names none.
    namespace: String,
}

/// Rules by cluster. A rule for a cluster that is not configured is told where its Application is declared, and ignores nothing.
pub fn rules(config: &Config, sources: &[TargetSource]) -> BTreeMap<ClusterName, Vec<IgnoreRule>> {
    let mut by_cluster: BTreeMap<ClusterName, Vec<IgnoreRule>> = BTreeMap::new();
    for object in objects(config, sources) {
        let (cluster, found) = if config.argocd_ignore_differences && is_of(&object.tree, "argoproj.io") {
            let Some(found) = of_argocd(&object, config, sources) else { continue };
            found
        } else if config.discovery.flux && is_of(&object.tree, "helm.toolkit.fluxcd.io") {
            let target = named_by(&object, "flux", config);
            (object.cluster.clone(), flux_ignore::rules(&object.tree, &target))
        } else {
            continue;
        };
        let rules = by_cluster.entry(cluster).or_default();
        for rule in found {
            // Two targets may declare one object.
            if !rules.iter().any(|known| known.id == rule.id) {
                rules.push(rule);
            }
        }
    }
    by_cluster
}

fn objects(config: &Config, sources: &[TargetSource]) -> Vec<Object> {
    let is_operators = |group: &str| matches!(group, "argoproj.io" | "helm.toolkit.fluxcd.io");
    let mut all = Vec::new();
    for source in sources {
        let (cluster, namespace) = (&source.config.cluster, &source.config.namespace);
        for object in source.objects.iter().filter(|object| is_operators(&object.gvk.gv.group)) {
            let Ok(tree) = object.tree() else { continue };
            all.push(Object { tree, cluster: cluster.clone(), namespace: namespace.clone() });
        }
    }
    let only_live = config.only_live.iter();
    all.extend(only_live.map(|(cluster, tree)| Object {
        tree: tree.clone(),
        cluster: cluster.clone(),
        namespace: "default".to_owned(),
    }));
    all
}

fn is_of(object: &Value, group: &str) -> bool {
    object.get("apiVersion").and_then(Value::as_str).and_then(|version| version.split('/').next()) == Some(group)
}

/// How the target is called that an object names.
fn named_by(object: &Object, operator: &str, config: &Config) -> TargetName {
    let text = |pointer: &str| object.tree.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").unwrap_or_default();
    let called = discover::called(operator, &object.cluster, config.clusters.iter().map(|cluster| &cluster.name));
    TargetName::new(match operator {
        "flux" => format!("{called}/{}/{name}", text("/metadata/namespace").unwrap_or(&object.namespace)),
        _ => format!("{called}/{name}"),
    })
}

fn of_argocd(object: &Object, config: &Config, sources: &[TargetSource]) -> Option<(ClusterName, Vec<IgnoreRule>)> {
    let clusters: Vec<&ClusterName> = config.clusters.iter().map(|cluster| &cluster.name).collect();
    let mut found = argocd::rules(&object.tree, &object.namespace, &|url| repository_of(config, url))?;
    let cluster = found.destination.cluster(&object.cluster, &clusters).unwrap_or_else(|| {
        for rule in &mut found.rules {
            rule.inert = true;
            rule.trouble = Some("its destination is none of the configured clusters".to_owned());
        }
        object.cluster.clone()
    });
    let own = named_by(object, "argocd", config);
    for rule in &mut found.rules {
        aim(&mut rule.select, &own, sources);
    }
    Some((cluster, found.rules))
}

/// Lets a rule be for the targets that its Application names, where those were discovered; else for what is rendered from its folders, too:
/// of such an object the file says nothing, which may be a base's.
fn aim(select: &mut Selection, own: &TargetName, sources: &[TargetSource]) {
    let of_several = format!("{own}/");
    let is_own = |source: &&TargetSource| {
        let target = &source.config;
        target.named_by != NamedBy::Configuration
            && (target.name == *own || target.name.as_str().starts_with(&of_several))
    };
    let own: Vec<&TargetSource> = sources.iter().filter(is_own).collect();
    if !own.is_empty() {
        select.folders.clear();
        select.targets = own.iter().map(|source| WildMatch::new(source.config.name.as_str())).collect();
        return;
    }
    let is_from_them = |source: &&TargetSource| {
        let target = &source.config;
        source.toolbox.is_some()
            && select.folders.iter().any(|folder| folder.repository == target.repository && folder.path == target.path)
    };
    select.rendered_from_them = sources.iter().filter(is_from_them).map(|source| source.config.name.clone()).collect();
}

/// The configured repository that a URL means.
pub fn repository_of(config: &Config, url: &str) -> Option<RepositoryName> {
    let wanted = identity(url);
    let found = config.repositories.iter().find(|repository| match &repository.place {
        RepositoryPlace::Url(url) => identity(url) == wanted,
        RepositoryPlace::Path(path) => identity(&path.to_string_lossy()) == wanted,
    });
    found.map(|repository| repository.name.clone())
}
