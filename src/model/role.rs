//! What a scan of a cluster reads, as the rights that it needs for that.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{ClusterName, TargetName};
use super::resource::GroupKind;

/// Why a kind is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A target declares it.
    Declared(TargetName),
    /// A target's history declared it once, and what is left of it is looked for.
    OnceDeclared(TargetName),
    /// It is audited where nothing is configured.
    AuditedByDefault,
    /// `audit` names it.
    AuditedByChoice,
    /// A finding that only its live objects can close is open.
    Open,
    /// Pods say why a workload does not converge.
    Pods,
    /// A GitOps operator says in it what it applied.
    Operators,
}

/// How it is known which resource a kind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedBy {
    /// The cluster serves it under this name.
    Discovery,
    /// It is Kubernetes' own; the cluster was not asked, or does not serve it.
    Kubernetes,
    /// A definition that a target declares.
    Definition,
    /// The usual plural: a guess.
    Guess,
}

/// A kind that is read, and as which resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The kind.
    pub kind: GroupKind,
    /// How its resource's name is known.
    pub named: NamedBy,
    /// Why it is read.
    pub why: BTreeSet<Why>,
}

/// What a scan of one cluster reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The cluster.
    pub cluster: ClusterName,
    /// Its version, where it was asked.
    pub version: Option<String>,
    /// By API group and resource; Secrets are never among them.
    pub grants: BTreeMap<(String, String), Grant>,
    /// Why Secrets are read; `None`: they are not.
    pub secrets: Option<BTreeSet<Why>>,
    /// Kinds whose names are none, as they stand in Git: no rule can name them.
    pub unnameable: BTreeSet<GroupKind>,
    /// What a reader has to know about its completeness.
    pub notes: Vec<String>,
}

/// The namespace whose UID is a cluster's identity.
pub const IDENTITY_NAMESPACE: &str = "kube-system";

/// What is read besides objects: discovery, schemas and the version.
pub const NON_RESOURCE_URLS: [&str; 7] =
    ["/api", "/api/*", "/apis", "/apis/*", "/openapi/v3", "/openapi/v3/*", "/version"];
