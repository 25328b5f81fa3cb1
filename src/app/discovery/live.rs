//! What operators have in the clusters.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::declared::Declared;
use super::said::Referred;
use crate::app::reach;
use crate::config::render::Render;
use crate::config::{Config, NamedBy, TargetConfig};
use crate::model::gap::{Gap, Hides};
use crate::model::ids::{ClusterName, RepositoryName, Revision, TargetName};
use crate::model::resource::GroupKind;
use crate::stages::discover;

/// The live objects of operators, and what of them could not be read.
pub(super) async fn live(config: &Arc<Config>) -> (Vec<Declared>, Vec<Gap>) {
    let (mut found, mut gaps) = (Vec::new(), Vec::new());
    for (cluster, reached) in config.clusters.iter().zip(reach::all(&config.clusters, config).await) {
        let by = live_in(&cluster.name);
        // What cannot be reached at all is the same for each kind.
        let mut unread: Vec<(Gap, Vec<&str>)> = Vec::new();
        for (group, kind) in discover::kinds(config.discovery) {
            let (objects, gaps) = reached.objects(&GroupKind::new(group, kind)).await;
            found.extend(objects.into_iter().map(|object| Declared { object, by: by.clone(), file: None }));
            for gap in gaps {
                match unread.iter_mut().find(|(known, _)| *known == gap) {
                    Some((_, kinds)) => kinds.push(kind),
                    None => unread.push((gap, vec![kind])),
                }
            }
        }
        gaps.extend(unread.into_iter().map(|(gap, kinds)| {
            let kinds = kinds.join(", ");
            let message = format!("whether live objects name targets is not known ({kinds}): {}", gap.message);
            Gap { message, hides: Hides::Target, ..gap }.of_cluster(&cluster.name)
        }));
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
pub(super) async fn live_config_maps(
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
