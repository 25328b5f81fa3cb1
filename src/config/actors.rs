//! The actor table: what sort of writer a field manager's name stands for. The shipped one is `config/actors.yaml`.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use wildmatch::WildMatch;

use crate::model::attribution::ActorKind;

/// One line of the table, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawActor {
    /// The field manager's name; `*` stands for any text.
    pub manager: String,
    /// `Apply` or `Update`; left out: both.
    pub operation: Option<Operation>,
    /// `status`, `scale`…; left out: any.
    pub subresource: Option<String>,
    /// What sort of writer it is.
    pub kind: RawActorKind,
    /// True for tools that write whole objects, so that the server's defaults are among their fields.
    #[serde(default)]
    pub creates: bool,
    /// The users who write under this name, by an audit log; `*` stands for any text. A write by anybody else contradicts it. Left out:
    /// anybody, but for controllers nobody whose name is a person's.
    #[serde(default)]
    pub users: Vec<String>,
}

/// The operation of a `managedFields` entry.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Any other write.
    Update,
}

/// What sort of writer a manager is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RawActorKind {
    /// Brings Git's content to the cluster.
    Gitops,
    /// A controller of Kubernetes or of an operator.
    Controller,
    /// A person's tool.
    Interactive,
}

/// How a writer is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActorClass {
    /// What sort of writer it is.
    pub kind: ActorKind,
    /// Whether server defaults are among its fields.
    pub creates: bool,
}

/// The table, in order.
#[derive(Clone, Debug)]
pub struct ActorTable(Vec<(WildMatch, RawActor)>);

impl Default for ActorTable {
    /// The shipped table.
    fn default() -> Self {
        #[derive(Deserialize)]
        struct File {
            actors: Vec<RawActor>,
        }
        static SHIPPED: LazyLock<Vec<RawActor>> = LazyLock::new(|| {
            let file: File = super::shipped(include_str!("../../config/actors.yaml"));
            file.actors
        });
        Self::new(SHIPPED.iter().cloned())
    }
}

impl ActorTable {
    /// From lines, in order.
    pub fn new(lines: impl IntoIterator<Item = RawActor>) -> Self {
        Self(lines.into_iter().map(|line| (WildMatch::new(&line.manager), line)).collect())
    }

    /// The shipped table behind lines of one's own.
    pub fn with_shipped(lines: Vec<RawActor>) -> Self {
        let mut table = Self::new(lines);
        table.0.extend(Self::default().0);
        table
    }

    /// Sorts a writer; one in no line is unknown.
    pub fn classify(&self, manager: &str, operation: &str, subresource: Option<&str>) -> ActorClass {
        match self.line(manager, operation, subresource) {
            Some(line) => ActorClass {
                kind: match line.kind {
                    RawActorKind::Gitops => ActorKind::Gitops,
                    RawActorKind::Controller => ActorKind::Controller,
                    RawActorKind::Interactive => ActorKind::Interactive,
                },
                creates: line.creates,
            },
            None => ActorClass { kind: ActorKind::Unknown, creates: false },
        }
    }

    /// Whether a user is none who writes under a manager's name.
    pub fn contradicts(&self, manager: &str, operation: &str, subresource: Option<&str>, user: &str) -> bool {
        match self.line(manager, operation, subresource) {
            Some(line) if !line.users.is_empty() => !line.users.iter().any(|known| WildMatch::new(known).matches(user)),
            Some(line) => line.kind == RawActorKind::Controller && is_person(user),
            None => false,
        }
    }

    fn line(&self, manager: &str, operation: &str, subresource: Option<&str>) -> Option<&RawActor> {
        let line = self.0.iter().find(|(pattern, line)| {
            pattern.matches(manager)
                && line.operation.is_none_or(|o| format!("{o:?}") == operation)
                && line.subresource.as_deref().is_none_or(|s| Some(s) == subresource)
        });
        line.map(|(_, line)| line)
    }

    /// The table as text, one line each: what a change of it is recognised by.
    pub fn canonical(&self) -> String {
        self.0.iter().map(|(_, line)| format!("{line:?}\n")).collect()
    }
}

/// Whether a user's name is a person's: an e-mail address that is none of a service account.
pub fn is_person(user: &str) -> bool {
    user.contains('@') && !is_machine(user)
}

/// Whether a user's name is that of a service account or of a part of the cluster.
pub fn is_machine(user: &str) -> bool {
    let known = ["system:", "eks:"].iter().any(|prefix| user.starts_with(prefix));
    (known && !matches!(user, "system:admin" | "system:anonymous")) || user.ends_with(".gserviceaccount.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_contradicts_a_name_that_is_somebody_elses() {
        let table = ActorTable::default();
        for (manager, user, expected) in [
            ("argocd-controller", "system:serviceaccount:argocd:argocd-application-controller", false),
            ("argocd-controller", "system:serviceaccount:kube-system:argocd-manager", false),
            ("argocd-controller", "system:serviceaccount:dev:ci", true),
            ("argocd-controller", "alice", true),
            ("kustomize-controller", "system:serviceaccount:flux-system:kustomize-controller", false),
            ("kustomize-controller", "alice@example.com", true),
            ("kube-controller-manager", "system:serviceaccount:kube-system:deployment-controller", false),
            ("kube-controller-manager", "kubernetes-admin", true),
            ("cert-manager-issuer", "alice@example.com", true),
            ("cert-manager-issuer", "kubernetes-admin", false),
            ("cert-manager-issuer", "ops@acme.iam.gserviceaccount.com", false),
            ("helm", "alice@example.com", false),
            ("kubectl-edit", "alice@example.com", false),
            ("my-tool", "alice@example.com", false),
        ] {
            assert_eq!(table.contradicts(manager, "Update", None, user), expected, "{manager} {user}");
        }
    }

    #[test]
    fn the_shipped_table_sorts_what_people_meet() {
        let table = ActorTable::default();
        for (manager, operation, subresource, kind) in [
            ("argocd-controller", "Apply", None, ActorKind::Gitops),
            ("kubectl-client-side-apply", "Update", None, ActorKind::Gitops),
            ("kubectl", "Apply", None, ActorKind::Gitops),
            ("kubectl", "Update", Some("scale"), ActorKind::Interactive),
            ("kubectl-edit", "Update", None, ActorKind::Interactive),
            ("kube-controller-manager", "Update", Some("status"), ActorKind::Controller),
            ("something-else", "Update", None, ActorKind::Unknown),
        ] {
            assert_eq!(table.classify(manager, operation, subresource).kind, kind, "{manager} {operation}");
        }
        assert!(table.classify("kubectl-create", "Update", None).creates);
        assert!(!table.classify("kubectl-edit", "Update", None).creates);
    }

    #[test]
    fn own_lines_come_first() {
        let own = RawActor {
            manager: "kubectl-edit".into(),
            operation: None,
            subresource: None,
            kind: RawActorKind::Gitops,
            creates: false,
            users: Vec::new(),
        };
        let table = ActorTable::with_shipped(vec![own]);
        assert_eq!(table.classify("kubectl-edit", "Update", None).kind, ActorKind::Gitops);
        assert_eq!(table.classify("kubectl-patch", "Update", None).kind, ActorKind::Interactive);
    }
}
