//! Trusted writes: which manager may write which field, through which subresource. The shipped ones are in `config/actors.yaml`.
//!
//! A manager's name is chosen by the client, so trust is for what is written, never for whatever a manager of that name wrote.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use wildmatch::WildMatch;

use crate::model::attribution::Actor;
use crate::model::field_path::FieldPath;
use crate::model::resource::GroupKind;

/// One line of the table, as written. It fits if everything that it names fits.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawTrusted {
    /// The field manager's name; `*` stands for any text.
    pub manager: String,
    /// `scale`…; left out: writes that go through none, or through `status`, as controllers write all they have to say.
    pub subresource: Option<String>,
    /// `Kind`, or `Kind.group`; `*` stands for any text; left out: every kind.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Field paths, as `.metadata.annotations["deployment.kubernetes.io/revision"]`; `*` stands for any text.
    pub paths: Vec<String>,
    /// Trusted only where Git declares nothing: a declared value that this writer changed is a finding. Default false.
    #[serde(default)]
    pub undeclared_only: bool,
    /// Why it is trusted; shown where such writes are counted.
    pub reason: String,
}

#[derive(Clone, Debug)]
struct Line {
    raw: RawTrusted,
    manager: WildMatch,
    kinds: Vec<WildMatch>,
    paths: Vec<WildMatch>,
}

/// The table, in order.
#[derive(Clone, Debug)]
pub struct TrustTable(Vec<Line>);

impl Default for TrustTable {
    /// The shipped table.
    fn default() -> Self {
        #[derive(Deserialize)]
        struct File {
            trusted: Vec<RawTrusted>,
        }
        static SHIPPED: LazyLock<Vec<RawTrusted>> = LazyLock::new(|| {
            let file: File = super::shipped(include_str!("../../config/actors.yaml"));
            file.trusted
        });
        Self::new(SHIPPED.iter().cloned())
    }
}

impl TrustTable {
    /// From lines, in order.
    pub fn new(lines: impl IntoIterator<Item = RawTrusted>) -> Self {
        let patterns = |texts: &[String]| texts.iter().map(|text| WildMatch::new(text)).collect();
        let line = |raw: RawTrusted| Line {
            manager: WildMatch::new(&raw.manager),
            kinds: patterns(&raw.kinds),
            paths: patterns(&raw.paths),
            raw,
        };
        Self(lines.into_iter().map(line).collect())
    }

    /// The shipped table behind lines of one's own.
    pub fn with_shipped(lines: Vec<RawTrusted>) -> Self {
        let mut table = Self::new(lines);
        table.0.extend(Self::default().0);
        table
    }

    /// Why this writer is trusted with this field of this kind; `None` if it is not.
    pub fn reason(&self, actor: &Actor, kind: &GroupKind, path: &FieldPath, declared: bool) -> Option<&str> {
        let mut about = self.about(kind, path);
        let line = about.find(|line| {
            (line.raw.subresource == actor.subresource
                || (line.raw.subresource.is_none() && actor.subresource.as_deref() == Some("status")))
                && line.manager.matches(&actor.manager)
                && !(declared && line.raw.undeclared_only)
        });
        line.map(|line| line.raw.reason.as_str())
    }

    /// Whether any writer is trusted with this field: where writers are not known, nothing can be said against it.
    pub fn is_known_field(&self, kind: &GroupKind, path: &FieldPath) -> bool {
        self.about(kind, path).next().is_some()
    }

    fn about(&self, kind: &GroupKind, path: &FieldPath) -> impl Iterator<Item = &Line> {
        let (kind, path) = (kind.to_string(), path.to_string());
        self.0.iter().filter(move |line| {
            (line.kinds.is_empty() || line.kinds.iter().any(|k| k.matches(&kind)))
                && line.paths.iter().any(|p| p.matches(&path))
        })
    }

    /// The table as text, one line each: what a change of it is recognised by.
    pub fn canonical(&self) -> String {
        self.0.iter().map(|line| format!("{:?}\n", line.raw)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::attribution::ActorKind;

    #[test]
    fn trust_is_for_a_manager_a_subresource_and_a_path_together() {
        let table = TrustTable::default();
        let reason = |manager: &str, subresource: Option<&str>, kind: &str, path: &str| {
            let actor = Actor {
                manager: manager.into(),
                operation: "Update".into(),
                subresource: subresource.map(str::to_owned),
                time: None,
                kind: ActorKind::Controller,
                user: None,
            };
            let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
            table.reason(&actor, &GroupKind::new(group, kind), &FieldPath::parse(path).unwrap(), false).is_some()
        };
        let revision = r#".metadata.annotations["deployment.kubernetes.io/revision"]"#;
        assert!(reason("kube-controller-manager", None, "Deployment.apps", revision));
        assert!(!reason("kube-controller-manager", None, "Service", revision), "another kind");
        assert!(!reason("kubectl-edit", None, "Deployment.apps", revision), "another manager");
        assert!(reason("kube-controller-manager", Some("status"), "Deployment.apps", revision));
        assert!(!reason("kube-controller-manager", Some("scale"), "Deployment.apps", revision), "another way");
        assert!(!reason("kube-controller-manager", None, "Deployment.apps", ".metadata.annotations.owner"));
        let bundle = r#".webhooks[name="a.example.com"].clientConfig.caBundle"#;
        let webhooks = "ValidatingWebhookConfiguration.admissionregistration.k8s.io";
        assert!(reason("cert-manager-cainjector", None, webhooks, bundle));
        assert!(!reason("cert-manager-cainjector", None, webhooks, r#".webhooks[name="a.example.com"].rules"#));
    }
}
