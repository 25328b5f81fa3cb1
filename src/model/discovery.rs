//! What a cluster serves.

use std::collections::{BTreeMap, BTreeSet};

use super::resource::{GroupKind, GroupVersion, Gvk};

/// A kind as served at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedKind {
    /// Version and kind.
    pub gvk: Gvk,
    /// The resource name in URLs: `deployments`.
    pub plural: String,
    /// False for cluster-scoped kinds.
    pub namespaced: bool,
    /// Whether `list` is among its verbs.
    pub listable: bool,
}

/// The kinds of a cluster, and whether the list is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    kinds: BTreeMap<Gvk, ServedKind>,
    /// Group versions that the cluster names and that did not answer: what they serve is unknown.
    broken: BTreeSet<GroupVersion>,
    /// False where the source cannot know what else is served, as with a dump.
    pub whole: bool,
    /// Kubernetes version, `v1.34.1`.
    pub version: Option<String>,
    /// UID of the namespace kube-system.
    pub cluster_uid: Option<String>,
    /// The server's clock minus ours, in seconds.
    pub clock_skew_seconds: Option<i64>,
}

/// How a declared kind stands with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served<'a> {
    /// Served at the declared version.
    Yes(&'a ServedKind),
    /// Not served, and discovery was whole: certain.
    No,
    /// Its group version did not answer, or the source does not know everything.
    Unknown,
}

impl Discovery {
    /// Adds a kind.
    pub fn insert(&mut self, kind: ServedKind) {
        self.kinds.insert(kind.gvk.clone(), kind);
    }

    /// Notes a group version that did not answer.
    pub fn insert_broken(&mut self, gv: GroupVersion) {
        self.broken.insert(gv);
    }

    /// Group versions that did not answer.
    pub fn broken(&self) -> impl Iterator<Item = &GroupVersion> {
        self.broken.iter()
    }

    /// All kinds, in order.
    pub fn kinds(&self) -> impl Iterator<Item = &ServedKind> {
        self.kinds.values()
    }

    /// How a kind at a version stands.
    pub fn served(&self, gvk: &Gvk) -> Served<'_> {
        match self.kinds.get(gvk) {
            Some(kind) => Served::Yes(kind),
            None if self.whole && !self.broken.contains(&gvk.gv) => Served::No,
            None => Served::Unknown,
        }
    }

    /// Whether a kind is namespaced, by any version of it that is served.
    pub fn namespaced(&self, kind: &GroupKind) -> Option<bool> {
        self.kinds.values().find(|k| k.gvk.gv.group == kind.group && k.gvk.kind == kind.kind).map(|k| k.namespaced)
    }

    /// The versions at which a kind is served.
    pub fn versions_of(&self, kind: &GroupKind) -> Vec<&ServedKind> {
        self.kinds.values().filter(|k| k.gvk.gv.group == kind.group && k.gvk.kind == kind.kind).collect()
    }
}

/// The kinds of a cluster by the names that they have in URLs, and so in audit logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources(BTreeMap<(String, String), (String, bool)>);

impl Resources {
    /// Of what a cluster serves. A plural means the same kind at every version of a group.
    pub fn of(discovery: &Discovery) -> Self {
        let names = discovery.kinds().map(|kind| {
            let GroupKind { group, kind: name } = kind.gvk.group_kind();
            ((group, kind.plural.clone()), (name, kind.namespaced))
        });
        Self(names.collect())
    }

    /// The kind of `deployments` in the group `apps`, and whether its objects have namespaces.
    pub fn kind(&self, group: &str, plural: &str) -> Option<(&str, bool)> {
        self.0.get(&(group.to_owned(), plural.to_owned())).map(|(kind, namespaced)| (kind.as_str(), *namespaced))
    }
}

/// The version of a kind to read where none is declared: stable before beta before alpha, newer before older, as Kubernetes orders
/// versions (`k8s.io/apimachinery/pkg/version`, `CompareKubeAwareVersionStrings`).
pub fn preferred<'a>(kinds: impl IntoIterator<Item = &'a ServedKind>) -> Option<&'a ServedKind> {
    kinds.into_iter().max_by_key(|kind| version_order(&kind.gvk.gv.version))
}

/// `v1` → (stable, 1, 0); `v2beta3` → (beta, 2, 3); any other text is last.
fn version_order(version: &str) -> (u8, u32, u32) {
    let parse = || {
        let rest = version.strip_prefix('v')?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (major, stage) = rest.split_at(end);
        let major = major.parse().ok()?;
        let (order, minor) = match (stage, stage.strip_prefix("beta"), stage.strip_prefix("alpha")) {
            ("", _, _) => return Some((3, major, 0)),
            (_, Some(minor), _) => (2, minor),
            (_, _, Some(minor)) => (1, minor),
            _ => return None,
        };
        Some((order, major, minor.parse().ok()?))
    };
    parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_kubernetes() {
        let order = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1"];
        assert!(order.is_sorted_by_key(|version| std::cmp::Reverse(version_order(version))));
    }
}
