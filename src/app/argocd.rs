//! The rules that Argo CD's Applications declare, by the cluster that they are for.

use std::collections::BTreeMap;

use super::gather::TargetSource;
use crate::config::ignore::IgnoreRule;
use crate::config::{Config, RepositoryPlace};
use crate::model::ids::{ClusterName, RepositoryName};
use crate::stages::argocd;
use crate::stages::repository_url::identity;

/// Rules by cluster. A rule for a cluster that is not configured is told where its Application is declared, and ignores nothing.
pub fn rules(config: &Config, sources: &[TargetSource]) -> BTreeMap<ClusterName, Vec<IgnoreRule>> {
    let mut by_cluster: BTreeMap<ClusterName, Vec<IgnoreRule>> = BTreeMap::new();
    if !config.argocd_ignore_differences {
        return by_cluster;
    }
    let clusters: Vec<&ClusterName> = config.clusters.iter().map(|cluster| &cluster.name).collect();
    let repository = |url: &str| repository_of(config, url);
    for source in sources {
        let here = &source.config.cluster;
        for object in source.objects.iter().filter(|object| object.gvk.gv.group == "argoproj.io") {
            let Ok(tree) = object.tree() else { continue };
            let Some(mut found) = argocd::rules(&tree, &source.config.namespace, &repository) else { continue };
            let cluster = found.destination.cluster(here, &clusters).unwrap_or_else(|| {
                for rule in &mut found.rules {
                    rule.inert = true;
                    rule.trouble = Some("its destination is none of the configured clusters".to_owned());
                }
                here.clone()
            });
            let rules = by_cluster.entry(cluster).or_default();
            // Two targets may declare one Application.
            found.rules.retain(|rule| !rules.iter().any(|known| known.id == rule.id));
            rules.extend(found.rules);
        }
    }
    by_cluster
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
