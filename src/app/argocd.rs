//! The rules that Argo CD's Applications declare, by the cluster that they are for.

use std::collections::BTreeMap;

use super::gather::TargetSource;
use crate::config::ignore::IgnoreRule;
use crate::config::{Config, RepositoryPlace};
use crate::model::ids::{ClusterName, RepositoryName};
use crate::stages::argocd;

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

fn repository_of(config: &Config, url: &str) -> Option<RepositoryName> {
    let wanted = plain(url);
    let found = config.repositories.iter().find(|repository| match &repository.place {
        RepositoryPlace::Url(url) => plain(url) == wanted,
        RepositoryPlace::Path(path) => plain(&path.to_string_lossy()) == wanted,
    });
    found.map(|repository| repository.name.clone())
}

/// A repository's URL as far as it tells which one it is: `git.example.com/acme/platform` for its ways over https and SSH.
fn plain(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
    let rest = match (scheme, rest.split_once('@')) {
        // Credentials, or the user of SSH, stand before the host.
        (_, Some((user, rest))) if !user.contains('/') => rest,
        _ => rest,
    };
    let rest = match scheme {
        None if !rest.starts_with('/') => rest.replacen(':', "/", 1),
        _ => rest.to_owned(),
    };
    let (host, path) = rest.split_once('/').unwrap_or((&rest, ""));
    let host = host.split(':').next().unwrap_or_default().to_lowercase();
    let path = path.trim_matches('/');
    format!("{host}/{}", path.strip_suffix(".git").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_many_urls() {
        for url in [
            "https://git.example.com/acme/platform.git",
            "https://git.example.com/acme/platform",
            "https://user:token@Git.example.com:443/acme/platform/",
            "ssh://git@git.example.com:22/acme/platform.git",
            "git@git.example.com:acme/platform.git",
        ] {
            assert_eq!(plain(url), "git.example.com/acme/platform", "{url}");
        }
        assert_eq!(plain("/srv/git/platform.git"), plain("file:///srv/git/platform"));
        assert_ne!(plain("https://git.example.com/acme/platform"), plain("https://git.example.com/acme/Platform"));
    }
}
