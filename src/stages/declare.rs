//! Rendered objects get their place in a cluster: scope, namespace, identity; and two declarations of one object are told apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::normalise::{Applied, Side, normalise};
use crate::model::attribution::Origin;
use crate::model::canonical;
use crate::model::declared::{DeclaredObject, RenderedObject};
use crate::model::discovery::Discovery;
use crate::model::ids::{CommitId, RepositoryName, Revision, TargetName};
use crate::model::resource::{GroupKind, ObjectId};

/// What a target's objects have in common.
#[derive(Clone, Debug)]
pub struct TargetPlace {
    /// The target.
    pub target: TargetName,
    /// Its repository.
    pub repository: RepositoryName,
    /// The tracked revision.
    pub revision: Revision,
    /// What it resolved to.
    pub commit: CommitId,
    /// For namespaced objects that name none.
    pub namespace: String,
    /// What renders it, with its version; `None`: its files are the objects.
    pub renderer: Option<String>,
}

/// Two declarations of one object with different content.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The declaration that is compared: the last one.
    pub kept: Arc<DeclaredObject>,
    /// The others.
    pub others: Vec<Origin>,
}

/// The declared objects of one cluster.
#[derive(Debug, Default)]
pub struct Declared {
    /// By identity; of several declarations the last.
    pub objects: BTreeMap<ObjectId, Arc<DeclaredObject>>,
    /// DL010.
    pub conflicts: Vec<Conflict>,
    /// Equal duplicates.
    pub duplicates: u64,
    /// Objects without a name (`generateName`): each apply makes a new one, none can be followed.
    pub unnamed: u64,
    /// What their names begin with, in the place of a name.
    pub generated: BTreeSet<ObjectId>,
}

/// Whether a kind is namespaced: by what the cluster serves, by a CRD among the declared objects, by what is written.
pub fn is_namespaced(object: &RenderedObject, discovery: &Discovery, crds: &BTreeMap<GroupKind, bool>) -> bool {
    let kind = object.gvk.group_kind();
    discovery.namespaced(&kind).or_else(|| crds.get(&kind).copied()).unwrap_or(true)
}

/// The scopes that declared CustomResourceDefinitions state.
pub fn declared_scopes<'a>(objects: impl Iterator<Item = &'a RenderedObject>) -> BTreeMap<GroupKind, bool> {
    let scope = |object: &RenderedObject| {
        let tree = object.tree().ok()?;
        let spec = tree.get("spec")?;
        let group = spec.get("group")?.as_str()?;
        let kind = spec.pointer("/names/kind")?.as_str()?;
        Some((GroupKind::new(group, kind), spec.get("scope")?.as_str()? == "Namespaced"))
    };
    objects.filter(|o| o.gvk.kind == "CustomResourceDefinition").filter_map(scope).collect()
}

/// Gives the objects of all targets of a cluster their identities, in the order of the targets and of their files.
pub fn place(targets: Vec<(TargetPlace, Vec<RenderedObject>)>, discovery: &Discovery) -> Declared {
    let crds = declared_scopes(targets.iter().flat_map(|(_, objects)| objects));
    let mut declared = Declared::default();
    let mut all: Vec<Arc<DeclaredObject>> = Vec::new();
    for (place, objects) in targets {
        for object in objects {
            let namespaced = is_namespaced(&object, discovery, &crds);
            if object.name.is_empty() {
                declared.unnamed += 1;
                let prefix =
                    object.tree().ok().and_then(|t| Some(t.pointer("/metadata/generateName")?.as_str()?.to_owned()));
                declared
                    .generated
                    .extend(prefix.map(|name| placed(RenderedObject { name, ..object }, &place, namespaced).id));
                continue;
            }
            all.push(Arc::new(placed(object, &place, namespaced)));
        }
    }
    // Declarations of one object stay in the order of targets and files.
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let same = all.chunk_by(|a, b| a.id == b.id);
    same.clone().for_each(|declarations| declared.compare(declarations));
    declared.objects = same.filter_map(<[_]>::last).map(|last| (last.id.clone(), last.clone())).collect();
    declared
}

impl Declared {
    /// Compares each declaration of one object with the next.
    fn compare(&mut self, same: &[Arc<DeclaredObject>]) {
        let Some((kept, _)) = same.split_last().filter(|(_, earlier)| !earlier.is_empty()) else { return };
        let mut others = Vec::new();
        for pair in same.windows(2) {
            if content_of(&pair[0]) == content_of(&pair[1]) {
                self.duplicates += 1;
            } else {
                others.push(pair[0].origin.clone());
            }
        }
        if !others.is_empty() {
            self.conflicts.push(Conflict { kept: kept.clone(), others });
        }
    }
}

fn placed(object: RenderedObject, place: &TargetPlace, namespaced: bool) -> DeclaredObject {
    let namespace = namespaced.then(|| object.namespace.unwrap_or_else(|| place.namespace.clone()));
    DeclaredObject {
        id: ObjectId {
            group: object.gvk.gv.group.clone(),
            kind: object.gvk.kind.clone(),
            namespace,
            name: object.name,
        },
        gvk: object.gvk,
        origin: Origin {
            target: place.target.clone(),
            repository: place.repository.clone(),
            revision: place.revision.clone(),
            commit: place.commit.clone(),
            file: object.file,
            line: object.written.map(|written| written.line),
            renderer: place.renderer.clone(),
        },
        written: object.written,
        json: object.json,
    }
}

/// What two declarations must have in common to be equal: the version and everything that is compared.
fn content_of(object: &DeclaredObject) -> Option<String> {
    let mut tree: Value = object.tree().ok()?;
    normalise(&mut tree, &object.id.group_kind(), Side::Declared, &mut Applied::new());
    Some(format!("{} {}", object.gvk, canonical::json(&tree)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::declared::WrittenAt;
    use crate::model::discovery::ServedKind;
    use crate::model::resource::Gvk;

    fn rendered(api_version: &str, kind: &str, namespace: Option<&str>, value: Value) -> RenderedObject {
        RenderedObject {
            gvk: Gvk::new(api_version, kind),
            namespace: namespace.map(str::to_owned),
            name: "a".into(),
            json: value.to_string().into_boxed_str(),
            file: "a.yaml".into(),
            written: Some(WrittenAt { line: 3, index: 0 }),
        }
    }

    fn target(name: &str) -> TargetPlace {
        TargetPlace {
            target: TargetName::new(name),
            repository: RepositoryName::new("r"),
            revision: Revision::new("main"),
            commit: CommitId::new("0".repeat(40)),
            namespace: "shop".into(),
            renderer: None,
        }
    }

    fn discovery() -> Discovery {
        let mut discovery = Discovery::default();
        discovery.whole = true;
        for (gv, kind, namespaced) in
            [("v1", "ConfigMap", true), ("rbac.authorization.k8s.io/v1", "ClusterRole", false)]
        {
            discovery.insert(ServedKind { gvk: Gvk::new(gv, kind), plural: String::new(), namespaced, listable: true });
        }
        discovery
    }

    #[test]
    fn namespaces_are_defaulted_and_dropped_by_scope() {
        let crd = json!({"spec": {"group": "example.com", "names": {"kind": "Widget"}, "scope": "Cluster"}});
        let declared = place(
            vec![(
                target("t"),
                vec![
                    rendered("v1", "ConfigMap", None, json!({})),
                    rendered("v1", "ConfigMap", Some("other"), json!({})),
                    rendered("rbac.authorization.k8s.io/v1", "ClusterRole", Some("ignored"), json!({})),
                    rendered("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, crd),
                    rendered("example.com/v1", "Widget", Some("ignored"), json!({})),
                ],
            )],
            &discovery(),
        );
        let names: Vec<String> =
            declared.objects.keys().map(|id| format!("{} {}", id.kind, id.qualified_name())).collect();
        assert_eq!(
            names,
            ["ConfigMap other/a", "ConfigMap shop/a", "CustomResourceDefinition shop/a", "Widget a", "ClusterRole a"]
        );
    }

    #[test]
    fn of_a_generated_name_the_beginning_is_known() {
        let mut object = rendered("v1", "ConfigMap", None, json!({"metadata": {"generateName": "job-"}}));
        object.name = String::new();
        let declared = place(vec![(target("t"), vec![object])], &discovery());
        assert_eq!((declared.unnamed, declared.objects.len()), (1, 0));
        assert_eq!(declared.generated.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ConfigMap shop/job-"]);
    }

    #[test]
    fn different_duplicates_are_a_conflict_and_equal_ones_a_note() {
        let one = || rendered("v1", "ConfigMap", None, json!({"metadata": {"name": "a"}, "data": {"k": "1"}}));
        let same =
            rendered("v1", "ConfigMap", Some("shop"), json!({"metadata": {"namespace": "shop"}, "data": {"k": "1"}}));
        let other = rendered("v1", "ConfigMap", None, json!({"data": {"k": "2"}}));
        let declared = place(vec![(target("t"), vec![one(), same])], &discovery());
        assert_eq!((declared.duplicates, declared.conflicts.len()), (1, 0));
        let declared = place(vec![(target("t"), vec![one()]), (target("u"), vec![other])], &discovery());
        assert_eq!(declared.conflicts.len(), 1);
        assert_eq!(declared.conflicts[0].kept.origin.target.as_str(), "u");
        assert_eq!(declared.conflicts[0].others[0].target.as_str(), "t");
    }
}
