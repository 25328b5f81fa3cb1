//! DL008: a declared kind or version that the cluster does not serve, what it serves instead, and whether the object lives there.

use crate::model::discovery::{Discovery, ServedKind, preferred};
use crate::model::moves;
use crate::model::resource::GroupKind;

/// What there is in place of a declared kind or version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unserved {
    /// The kind as it is served; another group where it moved.
    pub kind: Option<GroupKind>,
    /// The API versions at which it is served.
    pub versions: Vec<String>,
    /// The one that is read, where one can be listed.
    pub read_as: Option<ServedKind>,
    /// Whether the object lives there; `None` where that is not known.
    pub lives: Option<bool>,
}

impl Unserved {
    /// What a cluster serves in place of a kind.
    pub fn of(kind: &GroupKind, discovery: &Discovery) -> Self {
        let now = moves::kind_now(kind);
        let same = |served: &&ServedKind| moves::kind_now(&served.gvk.group_kind()) == now;
        let mut served: Vec<&ServedKind> = discovery.kinds().filter(same).collect();
        // The kind's own group, if it is there at all, else the one it moved to.
        if served.iter().any(|served| served.gvk.gv.group == kind.group) {
            served.retain(|served| served.gvk.gv.group == kind.group);
        }
        let read_as = preferred(served.iter().copied().filter(|served| served.listable)).cloned();
        Self {
            kind: served.first().map(|served| served.gvk.group_kind()),
            versions: served.iter().map(|served| served.gvk.gv.api_version()).collect(),
            lives: served.is_empty().then_some(false),
            read_as,
        }
    }

    /// For people.
    pub fn note(&self, declared: &GroupKind) -> String {
        let Some(kind) = &self.kind else {
            return format!("the cluster does not serve the kind {declared} at any version");
        };
        let served = format!("the cluster serves {kind} as {}", self.versions.join(", "));
        let read_as = self.read_as.as_ref().map(|kind| kind.gvk.gv.api_version()).unwrap_or_default();
        match self.lives {
            Some(true) => format!("{served}; the object lives there, read as {read_as}"),
            Some(false) => format!("{served}; the object does not live there, looked for in {read_as}"),
            None => format!("{served}; whether the object lives there is not known"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::Gvk;

    #[test]
    fn what_is_served_instead_and_whether_the_object_lives_there() {
        let mut discovery = Discovery::default();
        for (version, kind) in [
            ("autoscaling/v1", "HorizontalPodAutoscaler"),
            ("autoscaling/v2", "HorizontalPodAutoscaler"),
            ("networking.k8s.io/v1", "Ingress"),
            ("apps/v1", "Deployment"),
            ("policy/v1", "PodDisruptionBudget"),
        ] {
            let gvk = Gvk::new(version, kind);
            discovery.insert(ServedKind { gvk, plural: String::new(), namespaced: true, listable: true });
        }
        for (case, group, kind, lives, note) in [
            (
                "another version",
                "autoscaling",
                "HorizontalPodAutoscaler",
                Some(true),
                "the cluster serves HorizontalPodAutoscaler.autoscaling as autoscaling/v1, autoscaling/v2; the object lives there, \
                 read as autoscaling/v2",
            ),
            (
                "another group",
                "extensions",
                "Ingress",
                Some(false),
                "the cluster serves Ingress.networking.k8s.io as networking.k8s.io/v1; the object does not live there, looked for \
                 in networking.k8s.io/v1",
            ),
            (
                "not known",
                "extensions",
                "Deployment",
                None,
                "the cluster serves Deployment.apps as apps/v1; whether the object lives there is not known",
            ),
            (
                "nothing of the name",
                "example.com",
                "Ingress",
                Some(false),
                "the cluster does not serve the kind Ingress.example.com at any version",
            ),
        ] {
            let kind = GroupKind::new(group, kind);
            let mut unserved = Unserved::of(&kind, &discovery);
            unserved.lives = lives;
            assert_eq!(unserved.note(&kind), note, "{case}");
        }
        let nothing = Unserved::of(&GroupKind::new("x", "Y"), &discovery);
        assert_eq!((nothing.lives, nothing.read_as), (Some(false), None));
    }
}
