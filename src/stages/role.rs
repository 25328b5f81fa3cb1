//! The smallest role for a configuration: the kinds that a scan would read, each with the reasons.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::converge::PodTroubles;
use super::declare::{self, TargetPlace};
use super::discover;
use super::former;
use super::operators::Operators;
use super::opt_outs::{self, Off};
use crate::config::Discovery as LiveTargets;
use crate::config::audit::Audit;
use crate::model::declared::{DeclaredObject, RenderedObject};
use crate::model::discovery::{Discovery, preferred};
use crate::model::former::Past;
use crate::model::ids::ClusterName;
use crate::model::moves;
use crate::model::resource::{GroupKind, ObjectId};
use crate::model::role::{Grant, NamedBy, Role, Why};
use crate::model::schema::builtin_discovery;

/// What the rights follow from.
pub struct Asked<'a> {
    /// The cluster.
    pub cluster: ClusterName,
    /// What it serves; `None` where it was not asked or did not answer.
    pub discovery: Option<&'a Discovery>,
    /// What its targets declare.
    pub targets: Vec<(TargetPlace, Vec<RenderedObject>)>,
    /// What they once declared.
    pub pasts: Vec<(TargetPlace, Past)>,
    /// What is audited besides.
    pub audit: &'a Audit,
    /// Objects of open findings about what Git does not declare.
    pub open: Vec<ObjectId>,
    /// Whether Secrets are compared.
    pub secrets: bool,
    /// Whether convergence is looked at, of any target.
    pub convergence: bool,
    /// Whose live objects name further targets.
    pub live_targets: LiveTargets,
}

/// The role.
pub fn role(asked: Asked<'_>) -> Role {
    let builtin = builtin_discovery();
    let definitions = definitions(asked.targets.iter().flat_map(|(_, objects)| objects));
    let names = Names { served: asked.discovery, builtin: &builtin, definitions: &definitions };
    let declared = declare::place(asked.targets, asked.discovery.unwrap_or(&builtin));
    let mut kinds: BTreeMap<GroupKind, BTreeSet<Why>> = BTreeMap::new();
    let mut ask = |kind: GroupKind, why: Why| kinds.entry(kind).or_default().insert(why);
    for (id, object) in &declared.objects {
        if is_followed(object) {
            ask(id.group_kind(), Why::Declared(object.origin.target.clone()));
            if asked.convergence && PodTroubles::concerns(id) {
                ask(GroupKind::new("", "Pod"), Why::Pods);
            }
        }
    }
    let present: HashSet<ObjectId> = declared.objects.keys().map(|id| moves::object_now(id).into_owned()).collect();
    for (id, former) in former::place(&asked.pasts, asked.discovery.unwrap_or(&builtin), &present) {
        ask(id.group_kind(), Why::OnceDeclared(former.object.origin.target));
    }
    for id in asked.open {
        ask(id.group_kind(), Why::Open);
    }
    let known = names.all();
    for (kind, namespaced) in &known {
        if asked.audit.by_default(kind) {
            ask(kind.clone(), Why::AuditedByDefault);
        }
        if asked.audit.by_choice(kind, *namespaced) {
            ask(kind.clone(), Why::AuditedByChoice);
        }
    }
    let served = |kind: &GroupKind| asked.discovery.is_some_and(|d| d.versions_of(kind).iter().any(|k| k.listable));
    let of_discovery = discover::kinds(asked.live_targets).into_iter().map(|(group, kind)| GroupKind::new(group, kind));
    for kind in Operators::kinds().chain(of_discovery.filter(|_| asked.live_targets.live)).filter(served) {
        ask(kind, Why::Operators);
    }
    let known: Vec<GroupKind> = known.into_keys().collect();
    let notes = asked.audit.unmatched(&known).map(|pattern| {
        format!("no kind that is known here fits {pattern} of `audit.unmanaged.kinds`: add a rule for it by hand")
    });
    let mut role = Role {
        cluster: asked.cluster,
        version: asked.discovery.and_then(|discovery| discovery.version.clone()),
        grants: BTreeMap::new(),
        secrets: None,
        unnameable: BTreeSet::new(),
        notes: notes.collect(),
    };
    for (kind, why) in kinds {
        if !kind.is_secret() {
            grant(&mut role, &kind, why, &names);
        } else if asked.secrets {
            role.secrets = Some(why);
        }
    }
    role
}

/// Whether a declared object's live side is asked for.
fn is_followed(object: &DeclaredObject) -> bool {
    let tree = Some(object).filter(|object| opt_outs::may_hold(&object.json)).and_then(|object| object.tree().ok());
    let off = |tree: &serde_json::Value| {
        opt_outs::of(tree).any(|(_, _, off)| matches!(off, Off::Hook | Off::Deploying | Off::Correcting))
    };
    !tree.as_ref().is_some_and(off)
}

/// The plurals and scopes that declared CustomResourceDefinitions state. The core group and groups without a point are Kubernetes' own.
fn definitions<'a>(objects: impl Iterator<Item = &'a RenderedObject>) -> BTreeMap<GroupKind, (String, bool)> {
    let definition = |object: &RenderedObject| {
        let tree = object.tree().ok()?;
        let text = |pointer: &str| tree.pointer(pointer)?.as_str().map(str::to_owned);
        let kind = GroupKind { group: text("/spec/group")?, kind: text("/spec/names/kind")? };
        let namespaced = text("/spec/scope")? == "Namespaced";
        kind.group.contains('.').then_some((kind, (text("/spec/names/plural")?, namespaced)))
    };
    objects.filter(|object| object.gvk.kind == "CustomResourceDefinition").filter_map(definition).collect()
}

/// Where the names of resources come from, the surest first.
struct Names<'a> {
    served: Option<&'a Discovery>,
    builtin: &'a Discovery,
    definitions: &'a BTreeMap<GroupKind, (String, bool)>,
}

impl Names<'_> {
    /// Every kind that is known, and whether its objects have namespaces.
    fn all(&self) -> BTreeMap<GroupKind, bool> {
        let listable = |discovery: &Discovery| {
            let kinds = discovery.kinds().filter(|kind| kind.listable);
            kinds.map(|kind| (moves::kind_now(&kind.gvk.group_kind()), kind.namespaced)).collect::<Vec<_>>()
        };
        let mut all: BTreeMap<GroupKind, bool> = BTreeMap::new();
        match self.served {
            Some(served) => all.extend(listable(served)),
            None => {
                all.extend(self.definitions.iter().map(|(kind, (_, namespaced))| (kind.clone(), *namespaced)));
                all.extend(listable(self.builtin));
            }
        }
        all
    }

    /// API group, resource, and how that is known.
    fn of(&self, kind: &GroupKind) -> (String, String, NamedBy) {
        let now = moves::kind_now(kind);
        for (discovery, named) in [(self.served, NamedBy::Discovery), (Some(self.builtin), NamedBy::Kubernetes)] {
            let found = |kind: &GroupKind| preferred(discovery?.versions_of(kind));
            // What is served under its old name only is read there.
            if let Some(found) = found(kind).or_else(|| found(&now)) {
                return (found.gvk.gv.group.clone(), found.plural.clone(), named);
            }
        }
        match self.definitions.get(kind) {
            Some((plural, _)) => (kind.group.clone(), plural.clone(), NamedBy::Definition),
            None => (now.group, usual_plural(&kind.kind), NamedBy::Guess),
        }
    }
}

/// As Kubernetes guesses (`k8s.io/apimachinery`, `UnsafeGuessKindToResource`).
fn usual_plural(kind: &str) -> String {
    let singular = kind.to_lowercase();
    match singular.strip_suffix('y') {
        _ if singular.ends_with('s') => format!("{singular}es"),
        Some(stem) => format!("{stem}ies"),
        None => format!("{singular}s"),
    }
}

fn grant(role: &mut Role, kind: &GroupKind, why: BTreeSet<Why>, names: &Names<'_>) {
    let (group, resource, named) = names.of(kind);
    // Kinds and definitions are text from a repository: none of it may name all resources, or Secrets in another spelling.
    let is_label = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let unfit = resource.is_empty() || !is_label(&resource) || !group.split('.').all(is_label);
    if unfit || (group.is_empty() && resource == "secrets") {
        role.unnameable.insert(kind.clone());
        return;
    }
    let new = || Grant { kind: kind.clone(), named, why: BTreeSet::new() };
    role.grants.entry((group, resource)).or_insert_with(new).why.extend(why);
}

#[cfg(test)]
#[path = "role_tests.rs"]
mod tests;
