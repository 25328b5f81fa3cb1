//! Kinds that moved from one API group to another: an object under either name is one object.
//!
//! Sources: "Deprecated API Migration Guide" of Kubernetes for `extensions`; OpenShift's legacy API and its `authorization` group,
//! which serves the objects of `rbac.authorization.k8s.io`.

use std::borrow::Cow;

use super::resource::{GroupKind, ObjectId};

const RBAC: &[&str] = &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];

/// From which group which kinds moved where.
const MOVES: &[(&str, &[&str], &str)] = &[
    ("extensions", &["DaemonSet", "Deployment", "ReplicaSet"], "apps"),
    ("extensions", &["Ingress", "NetworkPolicy"], "networking.k8s.io"),
    ("extensions", &["PodSecurityPolicy"], "policy"),
    ("", &["Event"], "events.k8s.io"),
    ("", &["DeploymentConfig"], "apps.openshift.io"),
    ("", &["Route"], "route.openshift.io"),
    ("", &["Build", "BuildConfig"], "build.openshift.io"),
    ("", &["Image", "ImageStream"], "image.openshift.io"),
    ("authorization.openshift.io", RBAC, "rbac.authorization.k8s.io"),
];

/// The group in which a kind lives now; its own where it never moved.
pub fn group_now<'a>(group: &'a str, kind: &str) -> &'a str {
    MOVES.iter().find(|(from, kinds, _)| *from == group && kinds.contains(&kind)).map_or(group, |(_, _, to)| to)
}

/// A kind under the name that it has now.
pub fn kind_now(kind: &GroupKind) -> GroupKind {
    GroupKind::new(group_now(&kind.group, &kind.kind), &kind.kind)
}

/// An object under the name that its kind has now: what two declarations, or a declared and a live object, have in common.
pub fn object_now(id: &ObjectId) -> Cow<'_, ObjectId> {
    let group = group_now(&id.group, &id.kind);
    if group == id.group { Cow::Borrowed(id) } else { Cow::Owned(ObjectId { group: group.to_owned(), ..id.clone() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_one_identity_and_what_only_has_the_same_name_is_not() {
        for (case, group, kind, now) in [
            ("to apps", "extensions", "Deployment", "apps"),
            ("to networking", "extensions", "Ingress", "networking.k8s.io"),
            ("to networking", "extensions", "NetworkPolicy", "networking.k8s.io"),
            ("to policy", "extensions", "PodSecurityPolicy", "policy"),
            ("there already", "networking.k8s.io", "Ingress", "networking.k8s.io"),
            ("OpenShift's view on RBAC", "authorization.openshift.io", "Role", "rbac.authorization.k8s.io"),
            ("another's Ingress", "example.com", "Ingress", "example.com"),
            ("another kind of the group", "extensions", "Scale", "extensions"),
            ("never moved", "", "ConfigMap", ""),
        ] {
            assert_eq!(group_now(group, kind), now, "{case}");
        }
        let id = ObjectId { group: "extensions".into(), kind: "Ingress".into(), namespace: None, name: "a".into() };
        assert_eq!(object_now(&id).group, "networking.k8s.io");
    }
}
