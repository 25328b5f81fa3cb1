//! Live objects that no target declares: sorted as the pages come, so that only what may be said about one is kept.
//!
//! In order: children of other objects, what a cluster makes by itself, what Git once declared (DL005), what the configuration
//! leaves out, what is audited (DL006); the rest is counted.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::live::HeadMetadata;
use super::managed_fields;
use super::owner::{self, Owner};
use crate::config::actors::ActorTable;
use crate::config::audit::Audit;
use crate::config::known::{KnownObjects, KnownRule, Seen};
use crate::model::attribution::Actor;
use crate::model::moves;
use crate::model::resource::{GroupKind, Gvk, ObjectId};

/// Objects of one cluster by the names that their kinds have now. See [`moves`].
#[derive(Debug, Default)]
pub struct Names {
    /// What the targets declare, compared or not.
    pub declared: Arc<HashSet<ObjectId>>,
    /// What the names begin with of objects that they declare with `generateName`.
    pub generated: BTreeSet<ObjectId>,
    /// What they once declared.
    pub former: BTreeSet<ObjectId>,
    /// What an earlier scan found live and undeclared.
    pub open: BTreeSet<ObjectId>,
    /// Declared objects of kinds or versions that are not served: whether they live under what is served.
    pub sought: BTreeSet<ObjectId>,
}

/// What is looked for in the pages of one kind besides its declared objects.
#[derive(Debug)]
pub struct Watch {
    kind: GroupKind,
    api_version: String,
    group_now: String,
    names: Arc<Names>,
    audit: Audit,
    rules: Vec<&'static KnownRule>,
}

/// A live object that no target declares and that something may be said about.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveOnly {
    /// The version that it was read in.
    pub api_version: String,
    /// Who seems to manage it, by labels, annotations and field managers.
    pub owner: Owner,
    /// Who wrote it, newest first.
    pub actors: Vec<Actor>,
}

/// What the pages of a kind hold besides its declared objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sorted {
    /// What Git once declared.
    pub former: BTreeMap<ObjectId, LiveOnly>,
    /// What is audited.
    pub unmanaged: BTreeMap<ObjectId, LiveOnly>,
    /// Declared under a name that is not served, and here all the same.
    pub sought: BTreeSet<ObjectId>,
    /// What an earlier scan found undeclared, and still is; false for what has become a child or is known to be the cluster's own.
    pub open: BTreeMap<ObjectId, bool>,
    /// Declared objects that are live.
    pub declared: u64,
    /// Others that are neither children nor the cluster's own.
    pub undeclared: u64,
    /// Children of other objects.
    pub children: u64,
    /// The cluster's own, by reason.
    pub known: BTreeMap<String, u64>,
    /// Left out by the configuration, by reason.
    pub excluded: BTreeMap<String, u64>,
}

impl Watch {
    /// For one kind of a cluster.
    pub fn new(kind: &Gvk, names: Arc<Names>, audit: &Audit) -> Self {
        let api_version = kind.gv.api_version();
        let kind = kind.group_kind();
        Self {
            group_now: moves::group_now(&kind.group, &kind.kind).to_owned(),
            names,
            audit: audit.clone(),
            rules: KnownObjects::shipped().rules_for(&kind),
            kind,
            api_version,
        }
    }

    /// Sorts one live object in.
    pub fn sort(&self, id: &ObjectId, head: &HeadMetadata<'_>, text: &str, actors: &ActorTable, sorted: &mut Sorted) {
        let now;
        let name = if self.group_now == id.group {
            id
        } else {
            now = ObjectId { group: self.group_now.clone(), ..id.clone() };
            &now
        };
        if self.names.sought.contains(name) {
            sorted.sought.insert(name.clone());
        }
        let from_a_prefix = || {
            let prefix = head.generate_name.as_deref().filter(|_| !self.names.generated.is_empty());
            prefix.is_some_and(|prefix| {
                self.names.generated.contains(&ObjectId { name: prefix.to_owned(), ..name.clone() })
            })
        };
        if self.names.declared.contains(name) || from_a_prefix() {
            sorted.declared += 1;
            return;
        }
        let is_child = head.owner_references.is_some_and(is_child);
        let known = if is_child { None } else { self.known(head, text) };
        if self.names.open.contains(name) {
            sorted.open.insert(name.clone(), !is_child && known.is_none());
        }
        if is_child {
            sorted.children += 1;
            return;
        }
        if let Some(rule) = known {
            *sorted.known.entry(rule.reason.clone()).or_default() += 1;
            return;
        }
        sorted.undeclared += 1;
        let namespace = id.namespace.as_deref();
        if self.names.former.contains(name) {
            sorted.former.insert(id.clone(), self.live_only(head, text, actors));
        } else if self.audit.covers(&self.kind, namespace) {
            match self.audit.exclusion(&self.kind, namespace, &id.name) {
                Some(exclusion) => *sorted.excluded.entry(exclusion.reason.clone()).or_default() += 1,
                None => drop(sorted.unmanaged.insert(id.clone(), self.live_only(head, text, actors))),
            }
        }
    }

    fn known(&self, head: &HeadMetadata<'_>, text: &str) -> Option<&'static KnownRule> {
        let seen = Seen {
            namespace: head.namespace.as_deref(),
            name: &head.name,
            labels: &|| texts(head.labels),
            subjects: &|| subjects(text),
        };
        self.rules.iter().copied().find(|rule| rule.fits(&seen))
    }

    fn live_only(&self, head: &HeadMetadata<'_>, text: &str, actors: &ActorTable) -> LiveOnly {
        #[derive(Deserialize)]
        struct Object {
            metadata: Metadata,
        }
        #[derive(Deserialize)]
        struct Metadata {
            #[serde(default)]
            annotations: Option<BTreeMap<String, String>>,
        }
        let annotations = serde_json::from_str::<Object>(text).ok().and_then(|object| object.metadata.annotations);
        let entries = head.managed_fields.and_then(|text| managed_fields::parse(text.get(), actors));
        let mut actors: Vec<Actor> = entries
            .unwrap_or_default()
            .into_iter()
            .map(|entry| entry.actor)
            .filter(|actor| actor.subresource.is_none())
            .collect();
        actors.sort_by_key(|actor| std::cmp::Reverse(actor.time));
        let owner = owner::of(&texts(head.labels), &annotations.unwrap_or_default(), &actors);
        LiveOnly { api_version: self.api_version.clone(), owner, actors }
    }
}

impl Sorted {
    /// Live objects that somebody could have declared: all but children and the cluster's own.
    pub fn could_be_declared(&self) -> u64 {
        self.declared + self.undeclared
    }

    /// Children and the cluster's own.
    pub fn set_aside(&self) -> u64 {
        self.children + self.known.values().sum::<u64>()
    }

    /// Takes another kind's in.
    pub fn append(&mut self, more: Self) {
        self.former.extend(more.former);
        self.unmanaged.extend(more.unmanaged);
        self.sought.extend(more.sought);
        self.open.extend(more.open);
        self.declared += more.declared;
        self.undeclared += more.undeclared;
        self.children += more.children;
        for (reason, count) in more.known {
            *self.known.entry(reason).or_default() += count;
        }
        for (reason, count) in more.excluded {
            *self.excluded.entry(reason).or_default() += count;
        }
    }

    /// Keeps of what may be said only what a second look found, too.
    pub fn confirm(&mut self, again: &Self) {
        self.former.retain(|id, _| again.former.contains_key(id));
        self.unmanaged.retain(|id, _| again.unmanaged.contains_key(id));
    }

    /// Takes back an object that a gap hides at the second look.
    pub fn doubt(&mut self, id: &ObjectId) {
        self.former.remove(id);
        self.unmanaged.remove(id);
    }

    /// Forgets an object that is gone.
    pub fn forget(&mut self, id: &ObjectId) {
        self.doubt(id);
        self.open.remove(moves::object_now(id).as_ref());
    }

    /// The objects that something may be said about.
    pub fn in_question(&self) -> impl Iterator<Item = &ObjectId> {
        self.former.keys().chain(self.unmanaged.keys())
    }
}

/// Whether an object is made and kept by another one: one of its owners is its controller.
fn is_child(owners: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Reference {
        #[serde(default)]
        controller: Option<bool>,
    }
    serde_json::from_str::<Vec<Reference>>(owners.get())
        .is_ok_and(|owners| owners.iter().any(|owner| owner.controller == Some(true)))
}

fn texts(map: Option<&RawValue>) -> BTreeMap<String, String> {
    map.and_then(|map| serde_json::from_str(map.get()).ok()).unwrap_or_default()
}

/// Who a binding gives rights to; `None` where that cannot be read.
fn subjects(text: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Binding {
        #[serde(default)]
        subjects: Option<Vec<Subject>>,
    }
    #[derive(Deserialize)]
    struct Subject {
        kind: String,
        name: String,
        #[serde(default)]
        namespace: Option<String>,
    }
    let binding: Binding = serde_json::from_str(text).ok()?;
    let written = |subject: Subject| match subject.namespace {
        Some(namespace) if !namespace.is_empty() => format!("{} {namespace}/{}", subject.kind, subject.name),
        _ => format!("{} {}", subject.kind, subject.name),
    };
    Some(binding.subjects.unwrap_or_default().into_iter().map(written).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::resource::GroupVersion;
    use crate::stages::live::Head;

    fn id(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> ObjectId {
        ObjectId { group: group.into(), kind: kind.into(), namespace: namespace.map(str::to_owned), name: name.into() }
    }

    fn sort(kind: &GroupKind, names: Names, objects: &[serde_json::Value]) -> Sorted {
        let gv = GroupVersion { group: kind.group.clone(), version: "v1".into() };
        let watch = Watch::new(&Gvk { gv, kind: kind.kind.clone() }, Arc::new(names), &Audit::default());
        let mut sorted = Sorted::default();
        for object in objects {
            let text = object.to_string();
            let head: Head<'_> = serde_json::from_str(&text).unwrap();
            let id = id(&kind.group, &kind.kind, head.metadata.namespace.as_deref(), &head.metadata.name);
            watch.sort(&id, &head.metadata, &text, &ActorTable::default(), &mut sorted);
        }
        sorted
    }

    #[test]
    fn each_object_is_sorted_once_and_only_what_may_be_said_is_kept() {
        let kind = GroupKind::new("rbac.authorization.k8s.io", "RoleBinding");
        let of = |name: &str| id(&kind.group, &kind.kind, Some("shop"), name);
        let object = |name: &str, more: serde_json::Value| {
            let mut object =
                json!({"metadata": {"name": name, "namespace": "shop"}, "subjects": [{"kind": "User", "name": "eve"}]});
            more.as_object().into_iter().flatten().for_each(|(k, v)| object["metadata"][k] = v.clone());
            object
        };
        let names = Names {
            declared: Arc::new([of("declared")].into()),
            former: [of("former"), of("child")].into(),
            open: [of("former"), of("gone")].into(),
            generated: [of("gen-")].into(),
            sought: BTreeSet::new(),
        };
        let controlled = json!({"ownerReferences": [{"name": "o", "controller": true}]});
        let owned = json!({"ownerReferences": [{"name": "o"}]});
        let sorted = sort(
            &kind,
            names,
            &[
                object("declared", json!({})),
                object(
                    "former",
                    json!({"managedFields": [{"manager": "argocd-controller", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {}}]}),
                ),
                object("child", controlled),
                object("owned-without-a-controller", owned),
                object("by-hand", json!({})),
                object("gen-x7k2p", json!({"generateName": "gen-"})),
                object("other-x7k2p", json!({"generateName": "other-"})),
            ],
        );
        assert_eq!(sorted.former.keys().map(|id| id.name.as_str()).collect::<Vec<_>>(), ["former"]);
        assert!(sorted.former[&of("former")].owner.is_gitops);
        let unmanaged: Vec<_> = sorted.unmanaged.keys().map(|id| id.name.as_str()).collect();
        assert_eq!(unmanaged, ["by-hand", "other-x7k2p", "owned-without-a-controller"]);
        assert_eq!((sorted.declared, sorted.undeclared, sorted.children), (2, 4, 1));
        assert_eq!(sorted.open, [(of("former"), true)].into());
    }

    #[test]
    fn an_object_under_the_old_name_of_its_kind_is_declared() {
        let now = |name: &str| id("networking.k8s.io", "Ingress", Some("shop"), name);
        let names = || Names { declared: Arc::new([now("a")].into()), sought: [now("a")].into(), ..Names::default() };
        for group in ["extensions", "networking.k8s.io"] {
            let live = [json!({"metadata": {"name": "a", "namespace": "shop"}})];
            let sorted = sort(&GroupKind::new(group, "Ingress"), names(), &live);
            assert_eq!((sorted.declared, sorted.undeclared), (1, 0), "{group}");
            assert_eq!(sorted.sought, [now("a")].into(), "{group}");
        }
    }

    #[test]
    fn what_the_cluster_made_by_itself_is_counted_by_reason_even_if_git_once_declared_it() {
        let kind = GroupKind::new("", "ServiceAccount");
        let default = id("", "ServiceAccount", Some("shop"), "default");
        let names = Names { former: [default].into(), ..Names::default() };
        let sorted = sort(&kind, names, &[json!({"metadata": {"name": "default", "namespace": "shop"}})]);
        assert_eq!(sorted.known, [("in every namespace".to_owned(), 1)].into());
        assert!(sorted.former.is_empty() && sorted.set_aside() == 1 && sorted.could_be_declared() == 0);
    }
}
