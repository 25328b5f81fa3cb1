//! What a discovered target was at another commit: by what the object that names it said then.

use super::discovery::{mapping, texts};
use super::files::Files;
use super::gather;
use super::operator_rules::repository_of;
use super::rendering::{RenderedAt, Rendering};
use crate::adapters::render::manifest;
use crate::config::{Config, NamingObject, TargetConfig};
use crate::model::declared::RenderedObject;
use crate::model::ids::ClusterName;
use crate::ports::SourceTree as _;
use crate::stages::discover::{self, Found, GitRepository, Known};

/// A target as the object that names it said at another commit.
pub struct Then {
    /// `None`: nothing named it; an error: that cannot be told.
    pub target: Result<Option<TargetConfig>, ()>,
    /// What decides about that: folders and files of the commit.
    pub inputs: Vec<String>,
}

/// What a target was at a commit of the target that declares what names it, given as `tree`.
pub fn then(
    rendering: &Rendering<'_>,
    target: &TargetConfig,
    (naming, by): (&TargetConfig, &NamingObject),
    tree: &Files,
) -> Then {
    if by.is_written
        && let Some(content) = tree.read(&by.file)
        && let Some(Ok(target)) = in_file(rendering, target, (naming, by), &content, false)
    {
        return Then { target: Ok(target), inputs: vec![by.file.clone()] };
    }
    if tree.real_path(&naming.path).is_none() {
        return Then { target: Ok(None), inputs: vec![naming.path.clone()] };
    }
    // It, or what it refers to, may have stood in another file.
    let RenderedAt { inputs, result, .. } = rendering.of(naming, tree);
    let target = match result {
        Ok(rendered) => named(rendering.config, target, (naming, by), (&rendered.objects, true))
            .unwrap_or(if rendered.gaps.is_empty() { Ok(None) } else { Err(()) }),
        Err(_) => Err(()),
    };
    Then { target, inputs }
}

/// What a target would be if the file with the object that names it had another content, and what it refers to
/// in other files were as it is now, if that is asked for; `None` where it is not in the file.
pub fn in_file(
    rendering: &Rendering<'_>,
    target: &TargetConfig,
    (naming, by): (&TargetConfig, &NamingObject),
    content: &[u8],
    others_as_now: bool,
) -> Option<Result<Option<TargetConfig>, ()>> {
    let reading = gather::reading(rendering.config, naming, rendering.key);
    let objects = manifest::read(&by.file, content, &reading).objects;
    named(rendering.config, target, (naming, by), (&objects, others_as_now))
}

fn named(
    config: &Config,
    target: &TargetConfig,
    (naming, by): (&TargetConfig, &NamingObject),
    (objects, others_as_now): (&[RenderedObject], bool),
) -> Option<Result<Option<TargetConfig>, ()>> {
    let is_it = |object: &&RenderedObject| {
        let namespace = object.namespace.as_deref().unwrap_or(&naming.namespace);
        object.gvk.kind == by.kind && object.name == by.name && namespace == by.namespace
    };
    let said = |object: &RenderedObject| said(object, target, (naming, by), config, (objects, others_as_now));
    if let Some(object) = objects.iter().find(is_it) {
        let found = said(object)?.targets.into_iter().find(|found| found.name == target.name);
        return Some(found.map(Some).ok_or(()));
    }
    // It may have had another name.
    let is_same = |found: &TargetConfig| {
        found.path == target.path && found.cluster == target.cluster && found.namespace == target.namespace
    };
    let mut alike = objects.iter().filter(|object| others_as_now && object.gvk.kind == by.kind).filter_map(said);
    alike.find_map(|found| found.targets.into_iter().find(is_same)).map(|found| Ok(Some(found)))
}

/// What an object said of targets. Where the target's repository is has been settled: that is the target's. Another object that it refers to is
/// looked for among those at hand; else it is as it is now, if these are all that may have it.
fn said(
    object: &RenderedObject,
    target: &TargetConfig,
    (naming, by): (&TargetConfig, &NamingObject),
    config: &Config,
    (objects, others_as_now): (&[RenderedObject], bool),
) -> Option<Found> {
    let object = object.tree().ok()?;
    let clusters: Vec<&ClusterName> = config.clusters.iter().map(|cluster| &cluster.name).collect();
    let chart_source = |kind: &str, namespace: &str, name: &str| {
        let wanted = (kind.to_owned(), namespace.to_owned(), name.to_owned());
        let then = objects.iter().filter(|object| object.gvk.kind == kind && object.name == name);
        let mut then = then.filter_map(|object| discover::chart_source(&object.tree().ok()?, &naming.namespace));
        let then = then.find(|(key, _)| *key == wanted).map(|(_, source)| source);
        then.or_else(|| target.render.helm.chart.clone().filter(|_| others_as_now || kind == "HelmRepository"))
    };
    let config_map = |namespace: &str, name: &str| {
        let is_it = |object: &&RenderedObject| {
            let at = object.namespace.as_deref().unwrap_or(&naming.namespace);
            object.gvk.kind == "ConfigMap" && object.name == name && at == namespace
        };
        let then = objects.iter().find(is_it).and_then(|object| Some(texts(&object.tree().ok()?)));
        then.or_else(|| by.config_maps.get(name).filter(|_| others_as_now).cloned())
    };
    let known = Known {
        discovery: config.discovery,
        clusters: &clusters,
        // Where a repository was elsewhere, it is the same one.
        repository: &|url| Some(repository_of(config, url).unwrap_or_else(|| target.repository.clone())),
        git_repository: &|_, _| Some(GitRepository { url: String::new(), revision: target.revision.clone() }),
        chart_source: &chart_source,
        config_map: &config_map,
        is_allowed: &|url| config.charts.iter().any(|repository| repository.holds(url)),
        mapping: &mapping,
    };
    Some(discover::targets(&object, naming, &known).unwrap_or_default())
}
