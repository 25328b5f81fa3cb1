//! A Flux Kustomization: the revision that it last applied (fluxcd.io, "Kustomization", `.status.lastAppliedRevision`), and the
//! GitRepository that it is of.

use serde::Deserialize;

use super::live::Metadata;
use super::says::{Deployer, Source, commit, folder};
use crate::model::ids::CommitId;
use crate::stages::argocd::Destination;

/// A Kustomization, before its repository is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kustomization {
    name: String,
    /// Namespace and name of its GitRepository.
    repository: (String, String),
    path: String,
    namespace: Option<String>,
    here: bool,
    applied: Option<CommitId>,
}

/// Where a GitRepository is, and what of it is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GitRepository {
    url: String,
    revision: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KustomizationSpec {
    #[serde(default)]
    path: Option<String>,
    source_ref: SourceRef,
    #[serde(default)]
    target_namespace: Option<String>,
    #[serde(default)]
    kube_config: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct SourceRef {
    kind: String,
    name: String,
    #[serde(default)]
    namespace: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct KustomizationStatus {
    last_applied_revision: Option<String>,
}

#[derive(Deserialize)]
struct Read<Spec> {
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: KustomizationStatus,
}

#[derive(Deserialize)]
struct GitRepositorySpec {
    url: String,
    #[serde(default)]
    r#ref: Ref,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ref {
    branch: Option<String>,
    tag: Option<String>,
    semver: Option<String>,
    name: Option<String>,
    commit: Option<String>,
}

impl Ref {
    /// The one that counts where several are written; a branch named `master` where none is.
    fn revision(self) -> String {
        let first = self.commit.or(self.name).or(self.semver).or(self.tag).or(self.branch);
        first.filter(|revision| !revision.is_empty()).unwrap_or_else(|| "master".to_owned())
    }
}

/// A Kustomization out of its JSON; `None` where it is none of a Git repository.
pub(super) fn kustomization(text: &str) -> Option<Kustomization> {
    let Read { metadata, spec, status }: Read<KustomizationSpec> = serde_json::from_str(text).ok()?;
    let SourceRef { kind, name, namespace } = spec.source_ref;
    (kind == "GitRepository").then(|| Kustomization {
        repository: (namespace.unwrap_or_else(|| metadata.namespace().to_owned()), name),
        name: metadata.named("Kustomization"),
        path: folder(&spec.path.unwrap_or_default()),
        namespace: spec.target_namespace.filter(|namespace| !namespace.is_empty()),
        here: spec.kube_config.is_none(),
        applied: status.last_applied_revision.as_deref().and_then(applied),
    })
}

/// A GitRepository out of its JSON, with its namespace and name.
pub(super) fn repository(text: &str) -> Option<((String, String), GitRepository)> {
    let Read { metadata, spec, .. }: Read<GitRepositorySpec> = serde_json::from_str(text).ok()?;
    let repository = GitRepository { url: spec.url, revision: spec.r#ref.revision() };
    Some(((metadata.namespace().to_owned(), metadata.name), repository))
}

/// `main@sha1:<hex>`, `sha1:<hex>`, and as Flux wrote it before 2.0: `main/<hex>`, `HEAD/<hex>`.
fn applied(revision: &str) -> Option<CommitId> {
    commit(revision.rsplit(['/', ':']).next()?)
}

impl Kustomization {
    /// With its repository, where that was read.
    pub(super) fn of<'r>(
        &self,
        repository: impl Fn(&(String, String)) -> Option<&'r GitRepository>,
    ) -> Option<Deployer> {
        let GitRepository { url, revision } = repository(&self.repository)?;
        Some(Deployer {
            name: self.name.clone(),
            destination: if self.here { Destination::Here } else { Destination::Unknown },
            namespace: self.namespace.clone(),
            sources: vec![Source {
                url: url.clone(),
                path: self.path.clone(),
                revision: revision.clone(),
                applied: self.applied.clone(),
                compared: None,
                verb: "applied",
            }],
        })
    }
}
