//! The operators' objects of a cluster, out of the pages of their kinds.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::flux::{self, GitRepository, Kustomization};
use super::{Deployer, argo};
use crate::model::resource::GroupKind;

/// What an object is called.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) name: String,
    #[serde(default)]
    namespace: Option<String>,
}

impl Metadata {
    pub(super) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// `Application argocd/checkout`.
    pub(super) fn named(&self, kind: &str) -> String {
        match &self.namespace {
            Some(namespace) => format!("{kind} {namespace}/{}", self.name),
            None => format!("{kind} {}", self.name),
        }
    }
}

/// The kinds that are read, and whose words they are.
const KINDS: [(&str, &str, &str); 3] = [
    ("argoproj.io", "Application", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization", "Flux"),
    ("source.toolkit.fluxcd.io", "GitRepository", "Flux"),
];

/// What a cluster's operators have to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operators {
    applications: Vec<Deployer>,
    kustomizations: Vec<Kustomization>,
    repositories: BTreeMap<(String, String), GitRepository>,
}

impl Operators {
    /// The kinds that say something.
    pub fn kinds() -> impl Iterator<Item = GroupKind> {
        KINDS.iter().map(|(group, kind, _)| GroupKind::new(*group, *kind))
    }

    /// The operator that a kind is of, if it says something.
    pub fn operator(kind: &GroupKind) -> Option<&'static str> {
        KINDS.iter().find(|(group, name, _)| kind.group == *group && kind.kind == *name).map(|(_, _, of)| *of)
    }

    /// Takes in an object of a kind. Of other kinds, and of what cannot be read, nothing is kept.
    pub fn take(&mut self, kind: &GroupKind, text: &str) {
        if Self::operator(kind).is_none() {
            return;
        }
        match kind.kind.as_str() {
            "Application" => self.applications.extend(argo::application(text)),
            "Kustomization" => self.kustomizations.extend(flux::kustomization(text)),
            _ => self.repositories.extend(flux::repository(text)),
        }
    }

    /// Takes over what another one holds.
    pub fn append(&mut self, other: Self) {
        self.applications.extend(other.applications);
        self.kustomizations.extend(other.kustomizations);
        self.repositories.extend(other.repositories);
    }

    /// All that bring something to a cluster.
    pub fn deployers(&self) -> impl Iterator<Item = Deployer> {
        let of_flux = self.kustomizations.iter().filter_map(|it| it.of(|repository| self.repositories.get(repository)));
        self.applications.iter().cloned().chain(of_flux)
    }
}
