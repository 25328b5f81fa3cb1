//! What targets of all operators have in common: where they are, and which fields are set.

use serde_json::Value;

use super::known::Known;
use crate::config::render::Render;
use crate::config::{ChartSource, NamedBy, TargetConfig};
use crate::model::ids::{ClusterName, RepositoryName, Revision, TargetName};

/// A target as `here` is one.
pub(super) fn target(
    name: String,
    here: &TargetConfig,
    (repository, revision): Place,
    path: &str,
    to: To,
) -> TargetConfig {
    TargetConfig {
        name: TargetName::new(name),
        repository,
        revision,
        path: folder(path),
        cluster: to.cluster,
        namespace: to.namespace,
        convergence: here.convergence,
        render: to.render,
        change_policy: None,
        named_by: NamedBy::Live,
    }
}

/// Where a target belongs, and how it gets there.
pub(super) struct To {
    pub(super) cluster: ClusterName,
    pub(super) namespace: String,
    pub(super) render: Render,
}

pub(super) type Place = (RepositoryName, Revision);

/// Where that stands which names a target.
pub(super) fn place_of(here: &TargetConfig) -> Result<Place, String> {
    if here.repository.as_str().is_empty() {
        return Err(
            "its chart is in a chart repository, and what names it is only live: nothing of it is in Git".to_owned()
        );
    }
    Ok((here.repository.clone(), here.revision.clone()))
}

/// A chart of an allowed repository.
pub(super) fn allowed(chart: ChartSource, known: &Known<'_>) -> Result<ChartSource, String> {
    let ChartSource { repository, name, version } = &chart;
    if version.starts_with("sha256:") {
        return Err(format!("its chart {name} is named by a digest, which is not understood"));
    }
    if !(known.is_allowed)(repository) {
        let shown = without_user(repository);
        return Err(format!("its chart {name} is in the chart repository {shown}, which `charts` does not allow"));
    }
    Ok(chart)
}

pub(super) fn not_configured(url: &str) -> String {
    format!("its repository {} is none of the configured ones", without_user(url))
}

/// A URL for people: it may hold a password.
pub(super) fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, rest)| rest)),
        None => url.to_owned(),
    }
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// As `targets[].path` is written.
pub(super) fn folder(path: &str) -> String {
    let path = path.trim_start_matches("./").trim_matches('/');
    if path == "." { String::new() } else { path.to_owned() }
}

/// How targets of an operator are called, where its object is in a cluster: the same object may be in each of several. That of the first
/// cluster has the short name.
pub fn called<'c>(
    operator: &str,
    cluster: &ClusterName,
    clusters: impl IntoIterator<Item = &'c ClusterName>,
) -> String {
    match clusters.into_iter().next() {
        Some(first) if first != cluster => format!("{operator}:{cluster}"),
        _ => operator.to_owned(),
    }
}

/// That no other fields are set than some: half of a declaration would accuse what it does not know.
pub(super) fn only(fields: &Value, known: &[&str], what: &str) -> Result<(), String> {
    let all = fields.as_object().into_iter().flatten();
    let mut others = all.filter(|(key, value)| !is_empty(value) && !known.contains(&key.as_str()));
    others.next().map_or(Ok(()), |(key, _)| Err(format!("its {what} `{key}` is not understood")))
}
