//! Who seems to manage a live object, by what tools leave on it: a hint for people, and evidence for a cause. Anybody can write it.

use std::collections::BTreeMap;

use crate::model::attribution::{Actor, ActorKind};

/// Who seems to manage an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// `Helm release shop/api`, for people; `None` where nothing says.
    pub name: Option<String>,
    /// Whether that is the side that brings Git's content to clusters.
    pub is_gitops: bool,
}

/// How a tool marks what it manages.
struct Mark {
    tool: &'static str,
    /// The label or annotation with the name.
    name: &'static str,
    /// The one with the namespace, where there is one.
    namespace: Option<&'static str>,
    is_gitops: bool,
}

const fn mark(tool: &'static str, name: &'static str, namespace: Option<&'static str>, is_gitops: bool) -> Mark {
    Mark { tool, name, namespace, is_gitops }
}

/// The first that stands on an object decides: what deploys through Helm marks for itself, too.
const MARKS: &[Mark] = &[
    mark("Argo CD", "argocd.argoproj.io/tracking-id", None, true),
    mark("Argo CD application", "argocd.argoproj.io/instance", None, true),
    mark("Flux Kustomization", "kustomize.toolkit.fluxcd.io/name", Some("kustomize.toolkit.fluxcd.io/namespace"), true),
    mark("Flux HelmRelease", "helm.toolkit.fluxcd.io/name", Some("helm.toolkit.fluxcd.io/namespace"), true),
    mark("kluctl", "kluctl.io/discriminator", None, true),
    mark("Fleet bundle", "objectset.rio.cattle.io/id", None, true),
    mark("kapp app", "kapp.k14s.io/app", None, true),
    mark("Config Sync", "configsync.gke.io/declared-fields", None, true),
    mark("OLM", "olm.owner", Some("olm.owner.namespace"), false),
    mark("OLM", "olm.managed", None, false),
    mark("EKS add-on", "eks.amazonaws.com/component", None, false),
    mark("cluster add-on manager", "addonmanager.kubernetes.io/mode", None, false),
    mark("Helm release", "meta.helm.sh/release-name", Some("meta.helm.sh/release-namespace"), true),
    mark("Crossplane", "crossplane.io/composite", None, false),
];

/// By labels, annotations and who wrote the object.
pub fn of(labels: &BTreeMap<String, String>, annotations: &BTreeMap<String, String>, actors: &[Actor]) -> Owner {
    let text = |key: &str| annotations.get(key).or_else(|| labels.get(key)).filter(|text| !text.is_empty());
    let by_gitops = actors.iter().find(|actor| actor.kind == ActorKind::Gitops);
    let marked = MARKS.iter().find_map(|mark| Some((mark, text(mark.name)?)));
    if let Some((mark, name)) = marked {
        // Text of a size that fits a line; a tracking id begins with the application's name.
        let name = name.split(':').next().unwrap_or(name);
        let name: String = name.chars().take(80).collect();
        let name = match mark.namespace.and_then(text) {
            Some(namespace) => format!("{} {namespace}/{name}", mark.tool),
            None => format!("{} {name}", mark.tool),
        };
        return Owner { name: Some(name), is_gitops: mark.is_gitops || by_gitops.is_some() };
    }
    let managed_by = text("app.kubernetes.io/managed-by").map(|tool| format!("{tool} (app.kubernetes.io/managed-by)"));
    let writer = || actors.first().map(|actor| format!("the field manager {}", actor.manager));
    Owner { name: managed_by.or_else(writer), is_gitops: by_gitops.is_some() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_manages_it_by_the_marks_that_tools_leave() {
        let map = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let actor = |manager: &str, kind| Actor {
            manager: manager.into(),
            operation: "Update".into(),
            subresource: None,
            time: None,
            kind,
            user: None,
        };
        let helm = &[("meta.helm.sh/release-name", "api"), ("meta.helm.sh/release-namespace", "shop")];
        let flux = &[("helm.toolkit.fluxcd.io/name", "api"), ("helm.toolkit.fluxcd.io/namespace", "flux")];
        let argo = &[("argocd.argoproj.io/tracking-id", "shop:apps/Deployment:shop/api")];
        let by_label = &[("app.kubernetes.io/managed-by", "Helm")];
        for (case, labels, annotations, actors, name, is_gitops) in [
            ("Helm", &by_label[..], &helm[..], vec![], Some("Helm release shop/api"), true),
            ("Flux through Helm", &flux[..], &helm[..], vec![], Some("Flux HelmRelease flux/api"), true),
            ("Argo CD", &[], &argo[..], vec![], Some("Argo CD shop"), true),
            (
                "OLM",
                &[("olm.owner", "op.v1"), ("olm.owner.namespace", "ops")],
                &[],
                vec![],
                Some("OLM ops/op.v1"),
                false,
            ),
            ("only a label", by_label, &[], vec![], Some("Helm (app.kubernetes.io/managed-by)"), false),
            (
                "only a writer",
                &[],
                &[],
                vec![actor("kubectl-create", ActorKind::Interactive)],
                Some("the field manager kubectl-create"),
                false,
            ),
            (
                "a GitOps writer behind a person",
                &[],
                &[],
                vec![actor("kubectl-edit", ActorKind::Interactive), actor("helm", ActorKind::Gitops)],
                Some("the field manager kubectl-edit"),
                true,
            ),
            ("nothing", &[], &[], vec![], None, false),
        ] {
            let owner = of(&map(labels), &map(annotations), &actors);
            assert_eq!((owner.name.as_deref(), owner.is_gitops), (name, is_gitops), "{case}");
        }
    }
}
