//! What a cluster holds by itself, as data: `config/known.yaml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::globs::{Glob, any, globs};
use crate::model::resource::GroupKind;

const TEXT: &str = include_str!("../../config/known.yaml");

#[derive(Deserialize)]
struct RawFile {
    audited: Vec<String>,
    unread: Vec<RawUnread>,
    known: Vec<RawKnown>,
}

#[derive(Deserialize)]
struct RawUnread {
    kinds: Vec<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKnown {
    reason: String,
    kinds: Vec<String>,
    #[serde(default)]
    namespaces: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    subjects: Vec<String>,
}

/// The table.
#[derive(Debug)]
pub struct KnownObjects {
    audited: Vec<Glob>,
    unread: Vec<(Vec<Glob>, String)>,
    known: Vec<KnownRule>,
}

/// Objects that a cluster makes by itself.
#[derive(Debug)]
pub struct KnownRule {
    /// Why they are no finding, for people.
    pub reason: String,
    kinds: Vec<Glob>,
    namespaces: Vec<Glob>,
    names: Vec<Glob>,
    labels: Vec<(String, Glob)>,
    subjects: Vec<Glob>,
}

/// A live object as far as rules look at it. What is costly to know is asked for only where a rule needs it.
pub struct Seen<'a> {
    /// Its namespace.
    pub namespace: Option<&'a str>,
    /// Its name.
    pub name: &'a str,
    /// Its labels.
    pub labels: &'a dyn Fn() -> BTreeMap<String, String>,
    /// Who a binding gives rights to, as `Group G`, `User U`, `ServiceAccount NAMESPACE/NAME`; `None` where it cannot be read.
    pub subjects: &'a dyn Fn() -> Option<Vec<String>>,
}

static SHIPPED: LazyLock<KnownObjects> = LazyLock::new(|| {
    let file: RawFile = super::shipped(TEXT);
    let known = |raw: &RawKnown| KnownRule {
        reason: raw.reason.clone(),
        kinds: globs(&raw.kinds),
        namespaces: globs(&raw.namespaces),
        names: globs(&raw.names),
        labels: raw
            .labels
            .iter()
            .map(|label| label.split_once('=').unwrap_or((label, "*")))
            .map(|(key, value)| (key.to_owned(), Glob::new(value)))
            .collect(),
        subjects: globs(&raw.subjects),
    };
    KnownObjects {
        audited: globs(&file.audited),
        unread: file.unread.iter().map(|raw| (globs(&raw.kinds), raw.reason.clone())).collect(),
        known: file.known.iter().map(known).collect(),
    }
});

impl KnownObjects {
    /// The shipped table.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// The shipped table's text: what a change of it is recognised by.
    pub fn text() -> &'static str {
        TEXT
    }

    /// Whether undeclared objects of a kind are findings where nothing else is configured.
    pub fn is_audited(&self, kind: &GroupKind) -> bool {
        self.audited.iter().any(|glob| glob.matches(&kind.to_string()))
    }

    /// Why a kind is read only where it is named in full.
    pub fn unread(&self, kind: &GroupKind) -> Option<&str> {
        let name = kind.to_string();
        let (_, reason) = self.unread.iter().find(|(kinds, _)| kinds.iter().any(|glob| glob.matches(&name)))?;
        Some(reason)
    }

    /// The rules that are about a kind.
    pub fn rules_for(&self, kind: &GroupKind) -> Vec<&KnownRule> {
        let name = kind.to_string();
        self.known.iter().filter(|rule| rule.kinds.iter().any(|glob| glob.matches(&name))).collect()
    }
}

impl KnownRule {
    /// Whether an object of one of the rule's kinds is meant.
    pub fn fits(&self, object: &Seen<'_>) -> bool {
        let named = any(&self.names, |glob| glob.matches(object.name))
            && any(&self.namespaces, |glob| object.namespace.is_some_and(|namespace| glob.matches(namespace)));
        named && self.has_labels(object) && self.has_only_these_subjects(object)
    }

    fn has_labels(&self, object: &Seen<'_>) -> bool {
        if self.labels.is_empty() {
            return true;
        }
        let labels = (object.labels)();
        self.labels.iter().all(|(key, value)| labels.get(key).is_some_and(|label| value.matches(label)))
    }

    fn has_only_these_subjects(&self, object: &Seen<'_>) -> bool {
        self.subjects.is_empty()
            || (object.subjects)().is_some_and(|subjects| {
                subjects.iter().all(|subject| self.subjects.iter().any(|glob| glob.matches(subject)))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(
        kind: &str,
        namespace: Option<&str>,
        name: &str,
        labels: &[&str],
        subjects: &[&str],
    ) -> Option<&'static str> {
        let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
        let labels = || {
            let pair = |text: &&str| text.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
            labels.iter().filter_map(pair).collect()
        };
        let subjects = || Some(subjects.iter().map(|s| (*s).to_owned()).collect());
        let seen = Seen { namespace, name, labels: &labels, subjects: &subjects };
        let rules = KnownObjects::shipped().rules_for(&GroupKind::new(group, kind));
        rules.into_iter().find(|rule| rule.fits(&seen)).map(|rule| rule.reason.as_str())
    }

    #[test]
    fn what_a_cluster_makes_by_itself_is_known() {
        const BOOTSTRAP: &[&str] = &["kubernetes.io/bootstrapping=rbac-defaults"];
        let (role, binding) = ("ClusterRole.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io");
        for (case, kind, namespace, name, labels, subjects, known) in [
            ("bootstrap role", role, None, "system:node", BOOTSTRAP, &[][..], true),
            ("bootstrap role", role, None, "view", BOOTSTRAP, &[], true),
            ("a name of the kind without the label", role, None, "system:mine", &[], &[], false),
            ("the label on a name of one's own", role, None, "backdoor", BOOTSTRAP, &[], false),
            (
                "cluster-admin of the masters",
                binding,
                None,
                "cluster-admin",
                BOOTSTRAP,
                &["Group system:masters"],
                true,
            ),
            (
                "cluster-admin of one more",
                binding,
                None,
                "cluster-admin",
                BOOTSTRAP,
                &["Group system:masters", "User eve"],
                false,
            ),
            (
                "a component's",
                binding,
                None,
                "system:kube-dns",
                BOOTSTRAP,
                &["ServiceAccount kube-system/kube-dns"],
                true,
            ),
            ("nobody's", binding, None, "system:node", BOOTSTRAP, &[], true),
            ("system: for a person", binding, None, "system:support", BOOTSTRAP, &["User eve"], false),
            (
                "system: for everybody",
                binding,
                None,
                "system:support",
                BOOTSTRAP,
                &["Group system:authenticated"],
                false,
            ),
            (
                "discovery for everybody",
                binding,
                None,
                "system:discovery",
                BOOTSTRAP,
                &["Group system:authenticated"],
                true,
            ),
            ("default service account", "ServiceAccount", Some("shop"), "default", &[], &[], true),
            ("another service account", "ServiceAccount", Some("shop"), "api", &[], &[], false),
            ("kubernetes Service", "Service", Some("default"), "kubernetes", &[], &[], true),
            ("a Service of that name elsewhere", "Service", Some("shop"), "kubernetes", &[], &[], false),
            ("root CA", "ConfigMap", Some("shop"), "kube-root-ca.crt", &[], &[], true),
            ("Helm's record", "Secret", Some("shop"), "sh.helm.release.v1.api.v3", &[], &[], true),
            ("a namespace of the cluster", "Namespace", None, "kube-system", &[], &[], true),
            ("a namespace", "Namespace", None, "shop", &[], &[], false),
            (
                "a built-in APIService",
                "APIService.apiregistration.k8s.io",
                None,
                "v1.apps",
                &["kube-aggregator.kubernetes.io/automanaged=onstart"],
                &[],
                true,
            ),
            ("an APIService", "APIService.apiregistration.k8s.io", None, "v1.metrics", &[], &[], false),
        ] {
            assert_eq!(reason(kind, namespace, name, labels, subjects).is_some(), known, "{case}: {kind} {name}");
        }
    }

    #[test]
    fn doors_are_audited_and_noise_is_not_read() {
        let known = KnownObjects::shipped();
        for (group, kind, audited) in [
            ("rbac.authorization.k8s.io", "RoleBinding", true),
            ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", true),
            ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", true),
            ("apiextensions.k8s.io", "CustomResourceDefinition", true),
            ("apps", "Deployment", false),
            ("", "ConfigMap", false),
        ] {
            assert_eq!(known.is_audited(&GroupKind::new(group, kind)), audited, "{kind}");
        }
        assert!(known.unread(&GroupKind::new("coordination.k8s.io", "Lease")).is_some());
        assert!(known.unread(&GroupKind::new("", "Event")).is_some());
        assert!(known.unread(&GroupKind::new("apps", "Deployment")).is_none());
    }
}
