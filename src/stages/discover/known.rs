//! From an object to the targets that it names.

use serde_json::{Map, Value};

use super::argocd::application;
use super::flux::{helm_release, kustomization, one};
use super::sources::GitRepository;
use crate::config::{ChartSource, Discovery, TargetConfig, Texts};
use crate::model::ids::{ClusterName, RepositoryName};

/// What is known besides the objects.
pub struct Known<'a> {
    /// Which operators' objects count.
    pub discovery: Discovery,
    /// The configured clusters.
    pub clusters: &'a [&'a ClusterName],
    /// The configured repository that a URL means.
    pub repository: &'a dyn Fn(&str) -> Option<RepositoryName>,
    /// Flux's GitRepository of a namespace and name.
    pub git_repository: &'a dyn Fn(&str, &str) -> Option<GitRepository>,
    /// Where charts are, by Flux's HelmRepository or OCIRepository of a kind, namespace and name.
    pub chart_source: &'a dyn Fn(&str, &str, &str) -> Option<ChartSource>,
    /// The texts of a ConfigMap of a namespace and name.
    pub config_map: &'a dyn Fn(&str, &str) -> Option<Texts>,
    /// Whether a chart repository is among the allowed ones.
    pub is_allowed: &'a dyn Fn(&str) -> bool,
    /// Reads a text that is a YAML mapping.
    pub mapping: &'a dyn Fn(&str) -> Option<Map<String, Value>>,
}

/// What an object says.
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    /// The targets.
    pub targets: Vec<TargetConfig>,
    /// Why others could not be had, for people.
    pub troubles: Vec<String>,
}

/// The kinds that name targets, or where their sources are.
pub fn kinds(discovery: Discovery) -> Vec<(&'static str, &'static str)> {
    let argocd = [("argoproj.io", "Application"), ("argoproj.io", "AppProject")];
    let flux = [
        ("source.toolkit.fluxcd.io", "GitRepository"),
        ("source.toolkit.fluxcd.io", "HelmRepository"),
        ("source.toolkit.fluxcd.io", "OCIRepository"),
        ("kustomize.toolkit.fluxcd.io", "Kustomization"),
        ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ];
    let of_argocd = argocd.into_iter().filter(|_| discovery.argocd);
    of_argocd.chain(flux.into_iter().filter(|_| discovery.flux)).collect()
}

/// The object's kind, namespace and name, and its spec.
pub(super) struct Declared<'a> {
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) spec: &'a Value,
}

impl Declared<'_> {
    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        self.spec.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// The targets that an object names; `None` if it is none of those that count. `here` is the target that declares it.
pub fn targets(object: &Value, here: &TargetConfig, known: &Known<'_>) -> Option<Found> {
    let group = object.get("apiVersion")?.as_str()?.split('/').next()?;
    let declared = Declared {
        kind: object.get("kind")?.as_str()?,
        namespace: object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or(&here.namespace),
        name: object.pointer("/metadata/name")?.as_str()?,
        spec: object.get("spec")?,
    };
    match (group, declared.kind) {
        ("argoproj.io", "Application") if known.discovery.argocd => Some(application(&declared, here, known)),
        ("kustomize.toolkit.fluxcd.io", "Kustomization") if known.discovery.flux => {
            Some(one(kustomization(&declared, here, known)))
        }
        ("helm.toolkit.fluxcd.io", "HelmRelease") if known.discovery.flux => {
            Some(one(helm_release(&declared, here, known)))
        }
        _ => None,
    }
}
