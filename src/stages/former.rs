//! What targets once declared gets its place in the cluster; what any of its targets declares now, under whatever file, version or
//! name of its kind, is not former.

use std::collections::{BTreeMap, HashSet};

use super::declare::TargetPlace;
use crate::model::attribution::Origin;
use crate::model::declared::DeclaredObject;
use crate::model::discovery::Discovery;
use crate::model::former::{FormerObject, Past};
use crate::model::moves;
use crate::model::resource::ObjectId;

/// An object that no target of its cluster declares any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Former {
    /// As it was last declared, without its content: what its file's history is asked for.
    pub object: DeclaredObject,
    /// First-parent commits between the one that took it away and the tracked one.
    pub commits_behind: u64,
}

/// Places the former objects of a cluster's targets, by the names that their kinds have now. `declared` are names of that sort, too.
pub fn place(
    pasts: &[(TargetPlace, Past)],
    discovery: &Discovery,
    declared: &HashSet<ObjectId>,
) -> BTreeMap<ObjectId, Former> {
    let mut placed: BTreeMap<ObjectId, Former> = BTreeMap::new();
    for (target, past) in pasts {
        for former in &past.objects {
            let former = of_target(target, former, discovery);
            let now = moves::object_now(&former.object.id).into_owned();
            // Of several targets that gave it up, the last one is asked.
            let newer = placed.get(&now).is_none_or(|known| former.commits_behind < known.commits_behind);
            if newer && !declared.contains(&now) {
                placed.insert(now, former);
            }
        }
    }
    placed
}

fn of_target(target: &TargetPlace, former: &FormerObject, discovery: &Discovery) -> Former {
    let kind = former.gvk.group_kind();
    let scope = discovery.namespaced(&kind).or_else(|| discovery.namespaced(&moves::kind_now(&kind)));
    let namespace = || former.namespace.clone().unwrap_or_else(|| target.namespace.clone());
    let object = DeclaredObject {
        id: ObjectId {
            group: kind.group,
            kind: kind.kind,
            namespace: scope.unwrap_or(true).then(namespace),
            name: former.name.clone(),
        },
        gvk: former.gvk.clone(),
        origin: Origin {
            target: target.target.clone(),
            repository: target.repository.clone(),
            revision: target.revision.clone(),
            commit: target.commit.clone(),
            file: former.file.clone(),
            line: None,
            renderer: None,
        },
        written: None,
        json: "{}".into(),
    };
    Former { object, commits_behind: former.commits_behind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::discovery::ServedKind;
    use crate::model::ids::{CommitId, RepositoryName, Revision, TargetName};
    use crate::model::resource::Gvk;

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

    fn past(objects: &[(&str, &str, &str, u64)]) -> Past {
        let object = |(version, kind, name, commits_behind): &(&str, &str, &str, u64)| FormerObject {
            gvk: Gvk::new(version, *kind),
            namespace: None,
            name: (*name).to_owned(),
            file: "f.yaml".into(),
            commits_behind: *commits_behind,
        };
        Past { objects: objects.iter().map(object).collect(), ..Past::default() }
    }

    #[test]
    fn former_is_what_no_target_declares_under_any_name() {
        let mut discovery = Discovery::default();
        let role = Gvk::new("rbac.authorization.k8s.io/v1", "ClusterRole");
        discovery.insert(ServedKind { gvk: role, plural: "clusterroles".into(), namespaced: false, listable: true });
        let id = |group: &str, kind: &str, namespace: Option<&str>, name: &str| ObjectId {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.map(str::to_owned),
            name: name.into(),
        };
        let declared = [
            id("networking.k8s.io", "Ingress", Some("shop"), "moved-group"),
            id("", "ConfigMap", Some("shop"), "moved-target"),
            id("autoscaling", "HorizontalPodAutoscaler", Some("shop"), "other-version"),
        ];
        let pasts = [
            (
                target("t"),
                past(&[
                    ("extensions/v1beta1", "Ingress", "moved-group", 1),
                    ("v1", "ConfigMap", "moved-target", 1),
                    ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "other-version", 1),
                    ("rbac.authorization.k8s.io/v1", "ClusterRole", "gone", 4),
                    ("extensions/v1beta1", "Deployment", "gone", 4),
                ]),
            ),
            (target("u"), past(&[("rbac.authorization.k8s.io/v1", "ClusterRole", "gone", 2)])),
        ];
        let placed = place(&pasts, &discovery, &declared.into());
        let shown: Vec<_> =
            placed.iter().map(|(id, f)| (id.to_string(), f.object.origin.target.as_str(), f.commits_behind)).collect();
        assert_eq!(
            shown,
            [
                ("Deployment.apps shop/gone".to_owned(), "t", 4),
                ("ClusterRole.rbac.authorization.k8s.io gone".to_owned(), "u", 2)
            ]
        );
        assert_eq!(placed.values().next().unwrap().object.id.group, "extensions", "as Git named it");
    }
}
