//! Which kinds of a cluster a snapshot is taken of, and at which versions.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::discovery::{Discovery, ServedKind};
use crate::model::resource::{GroupKind, Gvk};

/// What a snapshot is narrowed or widened to.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only these, as `Deployment`, `deployments` or `Deployment.apps`; empty: all but what is left out by default.
    pub kinds: Vec<String>,
    /// Every served version of each kind, instead of the preferred one and those that targets declare.
    pub all_versions: bool,
    /// Whether Secrets may be read.
    pub secrets: bool,
}

/// What to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Each kind at each version to read it in, in order.
    pub kinds: Vec<ServedKind>,
    /// Kinds that can be listed and are not read, with the reason.
    pub left_out: Vec<(GroupKind, String)>,
}

/// A choice that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unplanned {
    /// No kind of this name is served.
    #[error("the cluster serves no kind `{0}` that can be listed")]
    NoKind(String),
    /// Secrets are named and not allowed.
    #[error("Secrets are not read: `secrets: true` is not set for the cluster")]
    Secrets,
}

/// What nobody declares in Git and changes all the time. Each is read all the same where a target declares one or it is named.
const LEFT_OUT: &[(&str, &str)] = &[
    ("", "ComponentStatus"),
    ("", "Endpoints"),
    ("", "Event"),
    ("coordination.k8s.io", "Lease"),
    ("coordination.k8s.io", "LeaseCandidate"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("events.k8s.io", "Event"),
    ("metrics.k8s.io", "NodeMetrics"),
    ("metrics.k8s.io", "PodMetrics"),
];

/// Plans a snapshot. `declared` are the kinds that targets of the cluster declare, at the versions they declare them in.
///
/// # Errors
/// A kind is named that is not served, or Secrets are and may not be read.
pub fn plan(discovery: &Discovery, declared: &BTreeSet<Gvk>, choice: &Choice) -> Result<Plan, Unplanned> {
    let mut by_kind: BTreeMap<GroupKind, Vec<&ServedKind>> = BTreeMap::new();
    for kind in discovery.kinds().filter(|kind| kind.listable) {
        by_kind.entry(kind.gvk.group_kind()).or_default().push(kind);
    }
    for name in &choice.kinds {
        let named = by_kind.values().flatten().find(|kind| is_named(kind, name));
        match named {
            None => return Err(Unplanned::NoKind(name.clone())),
            Some(kind) if kind.gvk.group_kind().is_secret() && !choice.secrets => return Err(Unplanned::Secrets),
            Some(_) => {}
        }
    }
    let mut plan = Plan::default();
    for (kind, served) in by_kind {
        let is_declared = declared.iter().any(|gvk| gvk.group_kind() == kind);
        match why_not(&kind, &served, is_declared, choice) {
            Some(reason) => plan.left_out.push((kind, reason.to_owned())),
            None => {
                let preferred = served.iter().max_by_key(|kind| priority(&kind.gvk.gv.version)).map(|kind| &kind.gvk);
                let wanted = |gvk: &Gvk| choice.all_versions || preferred == Some(gvk) || declared.contains(gvk);
                plan.kinds.extend(served.iter().filter(|kind| wanted(&kind.gvk)).map(|kind| (*kind).clone()));
            }
        }
    }
    Ok(plan)
}

fn why_not(kind: &GroupKind, served: &[&ServedKind], is_declared: bool, choice: &Choice) -> Option<&'static str> {
    let named = choice.kinds.iter().any(|name| served.iter().any(|served| is_named(served, name)));
    if !choice.kinds.is_empty() {
        (!named).then_some("it is not among its --kinds")
    } else if kind.is_secret() && !choice.secrets {
        Some("`secrets: true` was not set for the cluster")
    } else if LEFT_OUT.contains(&(kind.group.as_str(), kind.kind.as_str())) && !is_declared {
        Some("it is left out unless a target declares one")
    } else {
        None
    }
}

/// `Deployment`, `deployments`, `Deployment.apps`, `deployments.apps`, in any case.
fn is_named(kind: &ServedKind, name: &str) -> bool {
    let (name, group) = name.split_once('.').map_or((name, None), |(name, group)| (name, Some(group)));
    (name.eq_ignore_ascii_case(&kind.gvk.kind) || name.eq_ignore_ascii_case(&kind.plural))
        && group.is_none_or(|group| group.eq_ignore_ascii_case(&kind.gvk.gv.group))
}

/// How API servers put versions in order (Kubernetes, "Versions in CustomResourceDefinitions", version priority): stable before beta
/// before alpha, then by number; what is no such version comes last.
fn priority(version: &str) -> (u8, u32, u32) {
    let parse = || {
        let rest = version.strip_prefix('v')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (major, rest) = rest.split_at(digits);
        let (rank, minor) = match (rest.strip_prefix("beta"), rest.strip_prefix("alpha")) {
            (Some(minor), _) => (2, minor),
            (_, Some(minor)) => (1, minor),
            _ if rest.is_empty() => (3, "0"),
            _ => return None,
        };
        Some((rank, major.parse().ok()?, minor.parse().ok()?))
    };
    parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery(kinds: &[(&str, &str, &str)]) -> Discovery {
        let mut discovery = Discovery::default();
        for (api_version, kind, plural) in kinds {
            let gvk = Gvk::new(api_version, *kind);
            discovery.insert(ServedKind {
                gvk,
                plural: (*plural).into(),
                namespaced: true,
                listable: *kind != "Review",
            });
        }
        discovery
    }

    fn cluster() -> Discovery {
        discovery(&[
            ("v1", "ConfigMap", "configmaps"),
            ("v1", "Event", "events"),
            ("v1", "Review", "reviews"),
            ("v1", "Secret", "secrets"),
            ("autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
            ("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
            ("coordination.k8s.io/v1", "Lease", "leases"),
            ("events.k8s.io/v1", "Event", "events"),
            ("example.com/v1alpha1", "Widget", "widgets"),
            ("example.com/v1beta2", "Widget", "widgets"),
            ("example.com/v1beta10", "Widget", "widgets"),
        ])
    }

    fn planned(declared: &[(&str, &str)], choice: &Choice) -> Vec<String> {
        let declared = declared.iter().map(|(api_version, kind)| Gvk::new(api_version, *kind)).collect();
        plan(&cluster(), &declared, choice).unwrap().kinds.iter().map(|kind| kind.gvk.to_string()).collect()
    }

    #[test]
    fn preferred_and_declared_versions_of_all_kinds_but_the_restless_and_the_secret() {
        let default = Choice::default();
        let base = ["v1 ConfigMap", "autoscaling/v2 HorizontalPodAutoscaler", "example.com/v1beta10 Widget"];
        assert_eq!(planned(&[], &default), base);
        assert_eq!(
            planned(&[("autoscaling/v1", "HorizontalPodAutoscaler"), ("coordination.k8s.io/v1", "Lease")], &default),
            [base[0], "autoscaling/v1 HorizontalPodAutoscaler", base[1], "coordination.k8s.io/v1 Lease", base[2]]
        );
        assert_eq!(planned(&[("example.com/v9", "Widget"), ("v1", "Secret")], &default), base);
        assert_eq!(planned(&[], &Choice { secrets: true, ..Choice::default() }).len(), 4);
        assert_eq!(planned(&[], &Choice { all_versions: true, ..Choice::default() }).len(), 6);
    }

    #[test]
    fn what_is_left_out_says_why() {
        let left_out = plan(&cluster(), &BTreeSet::new(), &Choice::default()).unwrap().left_out;
        let text: Vec<String> = left_out.iter().map(|(kind, reason)| format!("{kind}: {reason}")).collect();
        assert_eq!(text.len(), 4, "{text:?}");
        assert!(text[1].starts_with("Secret: `secrets: true`"), "{text:?}");
        assert!(text[3].starts_with("Event.events.k8s.io: it is left out unless"), "{text:?}");
    }

    #[test]
    fn kinds_are_named_as_kubectl_names_them() {
        for (name, expected) in [
            ("configmaps", "v1 ConfigMap"),
            ("ConfigMap", "v1 ConfigMap"),
            ("events.events.k8s.io", "events.k8s.io/v1 Event"),
            ("widget.EXAMPLE.com", "example.com/v1beta10 Widget"),
        ] {
            assert_eq!(planned(&[], &Choice { kinds: vec![name.into()], ..Choice::default() }), [expected], "{name}");
        }
        let named =
            |name: &str| plan(&cluster(), &BTreeSet::new(), &Choice { kinds: vec![name.into()], ..Choice::default() });
        assert_eq!(named("gadgets"), Err(Unplanned::NoKind("gadgets".into())));
        assert_eq!(named("reviews"), Err(Unplanned::NoKind("reviews".into())));
        assert_eq!(named("secrets"), Err(Unplanned::Secrets));
    }

    #[test]
    fn versions_stand_as_api_servers_put_them() {
        let order = ["foo", "v1alpha1", "v1beta2", "v1beta10", "v2beta1", "v1", "v2", "v10"];
        for pair in order.windows(2) {
            assert!(priority(pair[0]) < priority(pair[1]), "{pair:?}");
        }
    }
}
