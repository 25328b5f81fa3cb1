//! Argo CD's AppProjects that ask for orphaned resources (`argoproj/argo-cd`, `pkg/apis/application/v1alpha1/types.go`,
//! `OrphanedResourcesMonitorSettings`): in the namespaces that the project's Applications deploy to, what nothing declares is audited.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::declared::Declared;
use crate::config::Config;
use crate::config::audit::IgnoredOrphan;
use crate::model::ids::ClusterName;
use crate::stages::argocd::Destination;

/// Widens what is audited in each cluster by what the projects say.
pub(super) fn audit<'d>(config: &mut Config, objects: impl Iterator<Item = &'d Declared> + Clone) {
    for project in objects.clone().filter(|one| is(one, "AppProject")) {
        let Some(settings) = project.object.pointer("/spec/orphanedResources").filter(|value| value.is_object()) else {
            continue;
        };
        let name = text(&project.object, "/metadata/name").unwrap_or_default();
        let ignored: Vec<IgnoredOrphan> =
            settings.get("ignore").and_then(Value::as_array).into_iter().flatten().map(ignored).collect();
        for (cluster, namespaces) in namespaces_of(project, name, objects.clone(), config) {
            let audit = config.audit_of(&cluster).with_orphans(name, &namespaces, &ignored);
            if let Some(cluster) = config.clusters.iter_mut().find(|known| known.name == cluster) {
                cluster.audit = Some(audit);
            }
        }
    }
}

fn is(one: &Declared, kind: &str) -> bool {
    text(&one.object, "/kind") == Some(kind)
        && text(&one.object, "/apiVersion").is_some_and(|version| version.starts_with("argoproj.io/"))
}

fn text<'o>(object: &'o Value, pointer: &str) -> Option<&'o str> {
    object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn ignored(entry: &Value) -> IgnoredOrphan {
    let text = |key: &str| text(entry, &format!("/{key}")).map(str::to_owned);
    IgnoredOrphan { group: text("group"), kind: text("kind"), name: text("name") }
}

/// The namespaces that a project's Applications deploy to, by cluster.
fn namespaces_of<'d>(
    project: &Declared,
    name: &str,
    objects: impl Iterator<Item = &'d Declared>,
    config: &Config,
) -> BTreeMap<ClusterName, BTreeSet<String>> {
    let clusters: Vec<&ClusterName> = config.clusters.iter().map(|cluster| &cluster.name).collect();
    let mut found: BTreeMap<ClusterName, BTreeSet<String>> = BTreeMap::new();
    for one in objects.filter(|one| is(one, "Application") && one.by.cluster == project.by.cluster) {
        let of = text(&one.object, "/spec/project").unwrap_or("default");
        let Some(spec) = one.object.get("spec").filter(|_| of == name) else { continue };
        let cluster = Destination::of(spec).cluster(&one.by.cluster, &clusters);
        if let (Some(cluster), Some(namespace)) = (cluster, text(spec, "/destination/namespace")) {
            found.entry(cluster).or_default().insert(namespace.to_owned());
        }
    }
    found
}
