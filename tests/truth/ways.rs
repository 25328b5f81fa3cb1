//! The five ways in which Git's content comes to a cluster.

use crate::cluster::Cluster;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `kubectl apply`.
    ClientSide,
    /// `kubectl apply --server-side`.
    ServerSide,
    /// `kubectl create`.
    Create,
    /// Server-side apply by Flux.
    Flux,
    /// Update by Argo CD, which applies client-side.
    ArgoApply,
    /// Update by Argo CD, as its `Replace=true` does.
    ArgoCreate,
}

impl Way {
    /// Five of them; Argo CD's two ways take turns.
    pub fn of_round(round: u64) -> [Way; 5] {
        let argo = if round.is_multiple_of(2) { Way::ArgoApply } else { Way::ArgoCreate };
        [Way::ClientSide, Way::ServerSide, Way::Create, Way::Flux, argo]
    }

    pub fn name(self) -> &'static str {
        match self {
            Way::ClientSide => "client",
            Way::ServerSide => "server",
            Way::Create => "create",
            Way::Flux => "flux",
            Way::ArgoApply | Way::ArgoCreate => "argo",
        }
    }

    /// Whether the schema is enforced and every field has to be known and every key to be unique.
    pub fn applies_server_side(self) -> bool {
        matches!(self, Way::ServerSide | Way::Flux)
    }

    /// The field manager of what is written this way.
    pub fn manager(self) -> &'static str {
        match self {
            Way::ClientSide => "kubectl-client-side-apply",
            Way::ServerSide => "kubectl",
            Way::Create => "kubectl-create",
            Way::Flux => "kustomize-controller",
            Way::ArgoApply | Way::ArgoCreate => "argocd-controller",
        }
    }

    /// kubectl's arguments to bring a file here.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Way::ClientSide => &["apply", "--validate=ignore"],
            Way::ServerSide => &["apply", "--server-side", "--validate=ignore"],
            Way::Create => &["create", "--validate=ignore"],
            Way::Flux => &[
                "apply",
                "--server-side",
                "--validate=ignore",
                "--force-conflicts",
                "--field-manager=kustomize-controller",
            ],
            Way::ArgoApply => &["apply", "--validate=ignore", "--field-manager=argocd-controller"],
            Way::ArgoCreate => &["create", "--validate=ignore", "--field-manager=argocd-controller"],
        }
    }

    /// kubectl's arguments to bring a later version of an object here; `None` where this way has none.
    pub fn again(self) -> Option<&'static [&'static str]> {
        match self {
            Way::Create | Way::ArgoCreate => None,
            _ => Some(self.arguments()),
        }
    }

    /// Brings a file or a folder to a namespace.
    pub fn bring(self, cluster: &Cluster, path: &str, namespace: &str) -> Result<(), String> {
        let arguments = [self.arguments(), &["--namespace", namespace, "-R", "-f", path]].concat();
        cluster.kubectl(&arguments).map(drop)
    }
}
