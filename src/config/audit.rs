//! Which live objects are to be declared in Git: the `audit` section.

use schemars::JsonSchema;
use serde::Deserialize;

use super::globs::{Glob, any, globs};
use super::known::KnownObjects;
use crate::model::resource::GroupKind;

/// What is audited besides the declared objects.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawAudit {
    /// Whether objects that Git once declared and that still run are findings (DL005). Default true.
    pub removed: Option<bool>,
    /// Live objects that no target declares (DL006).
    pub unmanaged: Option<RawUnmanaged>,
}

/// Which live objects that no target declares are findings.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawUnmanaged {
    /// Whether RBAC, admission webhooks, admission policies and CustomResourceDefinitions are audited in the whole cluster. Default true.
    pub defaults: Option<bool>,
    /// Further kinds: `Kind.group`, or `Kind` for that kind in any group; `*` stands for any text. Each is one more LIST. Default, where
    /// `namespaces` are given: every namespaced kind.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// The namespaces in which further kinds are audited; `*` stands for any text. Default, where `kinds` are given: all. Kinds without
    /// namespaces are audited where `kinds` fits them.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// What is no finding all the same.
    #[serde(default)]
    pub exclude: Vec<RawAuditExclusion>,
}

/// Live objects that need not be declared. An object is meant if everything that is given fits.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawAuditExclusion {
    /// `Kind.group`, or `Kind` for that kind in any group; `*` stands for any text.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Namespaces; `*` stands for any text.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Names; `*` stands for any text.
    #[serde(default)]
    pub names: Vec<String>,
    /// Why; reports list it.
    pub reason: String,
}

/// What is audited besides the declared objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Whether DL005 is looked for.
    pub removed: bool,
    defaults: bool,
    kinds: Vec<Glob>,
    namespaces: Vec<Glob>,
    exclude: Vec<AuditExclusion>,
}

/// Live objects that need not be declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditExclusion {
    /// Why.
    pub reason: String,
    kinds: Vec<Glob>,
    namespaces: Vec<Glob>,
    names: Vec<Glob>,
}

/// Objects that an AppProject of Argo CD does not call orphaned, by patterns; `None`: any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoredOrphan {
    /// The API group.
    pub group: Option<String>,
    /// The kind.
    pub kind: Option<String>,
    /// The name.
    pub name: Option<String>,
}

impl RawAudit {
    /// What is wrong with it: the key below `audit`, and what to do.
    pub(super) fn problems(&self) -> Vec<(String, &'static str)> {
        let exclude = self.unmanaged.iter().flat_map(|unmanaged| unmanaged.exclude.iter().enumerate());
        let problem = |(n, raw): (usize, &RawAuditExclusion)| {
            let everything = raw.kinds.is_empty() && raw.namespaces.is_empty() && raw.names.is_empty();
            let message = match (everything, raw.reason.trim().is_empty()) {
                (true, _) => "leaves out everything; name kinds, namespaces or names, or set `defaults: false`",
                (_, true) => "needs a reason",
                _ => return None,
            };
            Some((format!("unmanaged.exclude[{n}]"), message))
        };
        exclude.filter_map(problem).collect()
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self::new(&RawAudit::default())
    }
}

impl Audit {
    /// From what is written.
    pub fn new(raw: &RawAudit) -> Self {
        let unmanaged = raw.unmanaged.clone().unwrap_or_default();
        let exclusion = |raw: &RawAuditExclusion| AuditExclusion {
            reason: raw.reason.clone(),
            kinds: globs(&raw.kinds),
            namespaces: globs(&raw.namespaces),
            names: globs(&raw.names),
        };
        Self {
            removed: raw.removed.unwrap_or(true),
            defaults: unmanaged.defaults.unwrap_or(true),
            kinds: globs(&unmanaged.kinds),
            namespaces: globs(&unmanaged.namespaces),
            exclude: unmanaged.exclude.iter().map(exclusion).collect(),
        }
    }

    /// The same, and in some namespaces every kind, as an AppProject asks. Kinds that are chosen for all namespaces stay the choice.
    pub fn with_orphans<'n>(
        &self,
        project: &str,
        namespaces: impl IntoIterator<Item = &'n String> + Clone,
        ignored: &[IgnoredOrphan],
    ) -> Self {
        let mut audit = self.clone();
        if self.kinds.is_empty() || !self.namespaces.is_empty() {
            let more: Vec<String> = namespaces.clone().into_iter().cloned().collect();
            audit.namespaces.extend(globs(&more));
        }
        let namespaces: Vec<String> = namespaces.into_iter().cloned().collect();
        audit.exclude.extend(ignored.iter().map(|ignored| {
            let kind = ignored.kind.as_deref().unwrap_or("*");
            let kind = ignored.group.as_ref().map_or_else(|| kind.to_owned(), |group| format!("{kind}.{group}"));
            AuditExclusion {
                reason: format!("the AppProject {project} ignores it"),
                kinds: globs(&[kind]),
                namespaces: globs(&namespaces),
                names: globs(ignored.name.as_slice()),
            }
        }));
        audit
    }

    /// Nothing at all.
    pub fn nothing() -> Self {
        let unmanaged = RawUnmanaged { defaults: Some(false), ..RawUnmanaged::default() };
        Self::new(&RawAudit { removed: Some(false), unmanaged: Some(unmanaged) })
    }

    /// Whether undeclared objects of a kind are findings because doors are watched, with nothing configured.
    pub fn by_default(&self, kind: &GroupKind) -> bool {
        self.defaults && KnownObjects::shipped().is_audited(kind)
    }

    /// Whether undeclared objects of a kind are findings because the configuration asks for it, in some namespace at least.
    pub fn by_choice(&self, kind: &GroupKind, namespaced: bool) -> bool {
        let named = if self.kinds.is_empty() {
            namespaced && !self.namespaces.is_empty()
        } else {
            self.kinds.iter().any(|glob| glob.matches_kind(kind))
        };
        let in_full = || self.kinds.iter().any(|glob| glob.is_literal() && glob.matches_kind(kind));
        named && (KnownObjects::shipped().unread(kind).is_none() || in_full())
    }

    /// The patterns of kinds that fit none of these.
    pub fn unmatched(&self, kinds: &[GroupKind]) -> impl Iterator<Item = &str> {
        let none = |glob: &&Glob| !kinds.iter().any(|kind| glob.matches_kind(kind));
        self.kinds.iter().filter(none).map(Glob::as_str)
    }

    /// Whether an undeclared object is a finding.
    pub fn covers(&self, kind: &GroupKind, namespace: Option<&str>) -> bool {
        self.by_default(kind)
            || (self.by_choice(kind, namespace.is_some())
                && namespace.is_none_or(|namespace| any(&self.namespaces, |glob| glob.matches(namespace))))
    }

    /// The exclusion that an undeclared object is left out by.
    pub fn exclusion(&self, kind: &GroupKind, namespace: Option<&str>, name: &str) -> Option<&AuditExclusion> {
        self.exclude.iter().find(|exclusion| {
            any(&exclusion.kinds, |glob| glob.matches_kind(kind))
                && any(&exclusion.namespaces, |glob| namespace.is_some_and(|namespace| glob.matches(namespace)))
                && any(&exclusion.names, |glob| glob.matches(name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(kinds: &[&str], namespaces: &[&str]) -> Audit {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let unmanaged = RawUnmanaged { kinds: texts(kinds), namespaces: texts(namespaces), ..RawUnmanaged::default() };
        Audit::new(&RawAudit { removed: None, unmanaged: Some(unmanaged) })
    }

    #[test]
    fn what_is_audited_by_default_by_kind_and_by_namespace() {
        let shop = Some("shop-eu");
        for (case, kinds, namespaces, kind, group, namespace, covered) in [
            ("RBAC by default", &[][..], &[][..], "Role", "rbac.authorization.k8s.io", shop, true),
            ("nothing else by default", &[], &[], "Deployment", "apps", shop, false),
            ("a kind everywhere", &["Deployment.apps"], &[], "Deployment", "apps", shop, true),
            ("a kind without its group", &["Deployment"], &[], "Deployment", "apps", shop, true),
            ("another kind", &["Deployment.apps"], &[], "StatefulSet", "apps", shop, false),
            ("a namespace", &[], &["shop-*"], "ConfigMap", "", shop, true),
            ("another namespace", &[], &["shop-*"], "ConfigMap", "", Some("other"), false),
            ("RBAC in another namespace", &[], &["shop-*"], "Role", "rbac.authorization.k8s.io", Some("other"), true),
            ("no cluster-wide kind with namespaces alone", &[], &["shop-*"], "Node", "", None, false),
            (
                "a cluster-wide kind that is named",
                &["StorageClass.*"],
                &["shop-*"],
                "StorageClass",
                "storage.k8s.io",
                None,
                true,
            ),
            ("both", &["Service"], &["shop-*"], "Service", "", Some("other"), false),
            ("noise stays out of *", &["*"], &[], "Lease", "coordination.k8s.io", shop, false),
            (
                "noise that is named in full",
                &["Lease.coordination.k8s.io"],
                &[],
                "Lease",
                "coordination.k8s.io",
                shop,
                true,
            ),
        ] {
            assert_eq!(audit(kinds, namespaces).covers(&GroupKind::new(group, kind), namespace), covered, "{case}");
        }
        let kinds = [GroupKind::new("apps", "Deployment")];
        assert_eq!(
            audit(&["Deployment", "Deploymnt.apps"], &[]).unmatched(&kinds).collect::<Vec<_>>(),
            ["Deploymnt.apps"]
        );
        let off = RawUnmanaged { defaults: Some(false), ..RawUnmanaged::default() };
        let off = Audit::new(&RawAudit { removed: None, unmanaged: Some(off) });
        assert!(!off.covers(&GroupKind::new("rbac.authorization.k8s.io", "Role"), shop));
    }

    #[test]
    fn exclusions_fit_by_everything_they_name() {
        let raw = RawAuditExclusion {
            kinds: vec!["*.rbac.authorization.k8s.io".into()],
            namespaces: Vec::new(),
            names: vec!["eks:*".into()],
            reason: "the provider's".into(),
        };
        let unmanaged = RawUnmanaged { exclude: vec![raw], ..RawUnmanaged::default() };
        let audit = Audit::new(&RawAudit { removed: None, unmanaged: Some(unmanaged) });
        let role = GroupKind::new("rbac.authorization.k8s.io", "ClusterRole");
        assert_eq!(audit.exclusion(&role, None, "eks:nodes").map(|e| e.reason.as_str()), Some("the provider's"));
        assert_eq!(audit.exclusion(&role, None, "mine"), None);
        assert_eq!(audit.exclusion(&GroupKind::new("", "Service"), Some("x"), "eks:nodes"), None);
    }
}
