//! Where Flux's objects say that files and charts are (fluxcd.io, "GitRepository", "HelmRepository", "OCIRepository").

use serde_json::Value;

use crate::config::ChartSource;
use crate::model::ids::Revision;

/// A declared GitRepository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitRepository {
    /// Its address.
    pub url: String,
    /// What of it is followed.
    pub revision: Revision,
}

/// A declared GitRepository, by its namespace and name.
pub fn git_repository(object: &Value, namespace: &str) -> Option<((String, String), GitRepository)> {
    let group = object.get("apiVersion")?.as_str()?.split('/').next()?;
    if group != "source.toolkit.fluxcd.io" || object.get("kind")?.as_str()? != "GitRepository" {
        return None;
    }
    let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or(namespace);
    let reference =
        |key: &str| object.pointer(&format!("/spec/ref/{key}")).and_then(Value::as_str).filter(|text| !text.is_empty());
    let exact = ["commit", "name"].into_iter().find_map(reference).map(str::to_owned);
    let range = || reference("semver").map(|range| format!("semver:{range}"));
    let named = || ["tag", "branch"].into_iter().find_map(reference).map(str::to_owned);
    let revision = exact.or_else(range).or_else(named).unwrap_or_else(|| "master".to_owned());
    let repository =
        GitRepository { url: object.pointer("/spec/url")?.as_str()?.to_owned(), revision: Revision::new(revision) };
    Some(((namespace.to_owned(), object.pointer("/metadata/name")?.as_str()?.to_owned()), repository))
}

/// Where charts are by a declared HelmRepository or OCIRepository, by its kind, namespace and name. A HelmRepository holds charts of many
/// names, an OCIRepository is one in one version.
pub fn chart_source(object: &Value, namespace: &str) -> Option<((String, String, String), ChartSource)> {
    let group = object.get("apiVersion")?.as_str()?.split('/').next()?;
    let kind = object.get("kind")?.as_str()?;
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    if group != "source.toolkit.fluxcd.io" || !matches!(kind, "HelmRepository" | "OCIRepository") {
        return None;
    }
    let url = text("/spec/url")?.trim_end_matches('/');
    let (repository, name) = match kind {
        "OCIRepository" => url.rsplit_once('/')?,
        _ => (url, ""),
    };
    let version = ["digest", "semver", "tag"].into_iter().find_map(|key| text(&format!("/spec/ref/{key}")));
    let (repository, name, version) = (repository.to_owned(), name.to_owned(), version.unwrap_or_default().to_owned());
    let namespace = text("/metadata/namespace").unwrap_or(namespace).to_owned();
    let key = (kind.to_owned(), namespace, text("/metadata/name")?.to_owned());
    Some((key, ChartSource { repository, name, version }))
}
