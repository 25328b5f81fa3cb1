use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::model::discovery::ServedKind;
use crate::model::former::FormerObject;
use crate::model::ids::{CommitId, RepositoryName, Revision, TargetName};
use crate::model::resource::Gvk;

fn place(name: &str) -> TargetPlace {
    TargetPlace {
        target: TargetName::new(name),
        repository: RepositoryName::new("r"),
        revision: Revision::new("main"),
        commit: CommitId::new("0".repeat(40)),
        namespace: "shop".into(),
        renderer: None,
    }
}

fn object(api_version: &str, kind: &str, value: Value) -> RenderedObject {
    RenderedObject {
        gvk: Gvk::new(api_version, kind),
        namespace: None,
        name: "a".into(),
        json: value.to_string().into(),
        file: "a.yaml".into(),
        written: None,
    }
}

fn plain(api_version: &str, kind: &str) -> RenderedObject {
    object(api_version, kind, json!({}))
}

static NOTHING: LazyLock<Audit> = LazyLock::new(Audit::nothing);

fn of<'a>(objects: Vec<RenderedObject>, change: impl FnOnce(&mut Asked<'a>)) -> Role {
    let mut asked = Asked {
        cluster: ClusterName::new("prod"),
        live_targets: Default::default(),
        discovery: None,
        targets: vec![(place("shop"), objects)],
        pasts: Vec::new(),
        audit: &NOTHING,
        open: Vec::new(),
        secrets: false,
        convergence: false,
    };
    change(&mut asked);
    role(asked)
}

/// `group/resource` of each rule, and how it was named.
fn rules(role: &Role) -> Vec<(String, NamedBy)> {
    role.grants.iter().map(|((group, resource), grant)| (format!("{group}/{resource}"), grant.named)).collect()
}

fn definition(group: &str, kind: &str, plural: &str) -> RenderedObject {
    let spec = json!({"spec": {"group": group, "names": {"kind": kind, "plural": plural}, "scope": "Namespaced"}});
    object("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec)
}

#[test]
fn a_kinds_resource_is_named_by_the_surest_that_knows_it() {
    let mut discovery = Discovery::default();
    discovery.whole = true;
    for (version, kind, plural) in
        [("example.com/v1", "Widget", "widgetry"), ("extensions/v1beta1", "Ingress", "ingresses")]
    {
        let gvk = Gvk::new(version, kind);
        discovery.insert(ServedKind { gvk, plural: plural.into(), namespaced: true, listable: true });
    }
    let objects = || {
        vec![
            plain("example.com/v1", "Widget"),
            plain("networking.k8s.io/v1", "Ingress"),
            plain("apps/v1", "Deployment"),
            plain("example.org/v1", "Gizmo"),
            plain("example.org/v1", "Proxy"),
            definition("example.org", "Gizmo", "gizmata"),
        ]
    };
    let served = of(objects(), |asked| asked.discovery = Some(&discovery));
    assert_eq!(
        rules(&served),
        [
            ("apiextensions.k8s.io/customresourcedefinitions".to_owned(), NamedBy::Kubernetes),
            ("apps/deployments".to_owned(), NamedBy::Kubernetes),
            ("example.com/widgetry".to_owned(), NamedBy::Discovery),
            ("example.org/gizmata".to_owned(), NamedBy::Definition),
            ("example.org/proxies".to_owned(), NamedBy::Guess),
            ("networking.k8s.io/ingresses".to_owned(), NamedBy::Kubernetes),
        ]
    );
    let offline = rules(&of(objects(), |_| ()));
    assert!(offline.contains(&("example.com/widgets".to_owned(), NamedBy::Guess)));
    // What moved is asked for where it is now, unless only the old name is served.
    let old = || vec![plain("extensions/v1beta1", "Ingress")];
    assert_eq!(rules(&of(old(), |_| ()))[0].0, "networking.k8s.io/ingresses");
    assert_eq!(rules(&of(old(), |asked| asked.discovery = Some(&discovery)))[0].0, "extensions/ingresses");
}

#[test]
fn no_repository_can_ask_for_more_than_its_kinds() {
    let role = of(
        vec![
            plain("v1", "secret"),
            plain("v1", "Secret"),
            plain("v1", "*"),
            plain("example.com/v1", "Wild"),
            definition("example.com", "Wild", "*"),
            definition("", "Harmless", "secrets"),
            plain("v1", "Harmless"),
            plain("evil.example/v1", "A, secrets]\n"),
        ],
        |_| (),
    );
    let names: Vec<String> = rules(&role).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["/harmlesses", "apiextensions.k8s.io/customresourcedefinitions"]);
    assert_eq!(role.secrets, None);
    assert_eq!(role.unnameable.len(), 4);
}

#[test]
fn every_reason_is_kept_and_hooks_are_none() {
    let hook = json!({"metadata": {"annotations": {"argocd.argoproj.io/hook": "PreSync"}}});
    let objects = vec![plain("apps/v1", "Deployment"), plain("v1", "Secret"), object("batch/v1", "Job", hook)];
    let past = Past {
        objects: vec![FormerObject {
            gvk: Gvk::new("v1", "Service"),
            namespace: None,
            name: "gone".into(),
            file: "f.yaml".into(),
            commits_behind: 1,
        }],
        ..Past::default()
    };
    let audit = Audit::default();
    let role = of(objects, |asked| {
        (asked.secrets, asked.convergence) = (true, true);
        asked.audit = &audit;
        asked.pasts = vec![(place("shop"), past)];
    });
    let why = |group: &str, resource: &str| {
        role.grants.get(&(group.to_owned(), resource.to_owned())).map(|grant| grant.why.clone()).unwrap_or_default()
    };
    let shop = TargetName::new("shop");
    assert_eq!(why("apps", "deployments"), [Why::Declared(shop.clone())].into());
    assert_eq!(why("", "pods"), [Why::Pods].into());
    assert_eq!(why("", "services"), [Why::OnceDeclared(shop.clone())].into());
    assert_eq!(why("batch", "jobs"), [].into(), "nobody looks at a hook");
    assert_eq!(why("rbac.authorization.k8s.io", "roles"), [Why::AuditedByDefault].into());
    assert_eq!(role.secrets, Some([Why::Declared(shop)].into()));
}

#[test]
fn what_operators_say_is_read_where_it_is_served() {
    let mut discovery = Discovery::default();
    discovery.whole = true;
    for (version, kind, plural, listable) in [
        ("argoproj.io/v1alpha1", "Application", "applications", true),
        ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "kustomizations", false),
    ] {
        let gvk = Gvk::new(version, kind);
        discovery.insert(ServedKind { gvk, plural: plural.into(), namespaced: true, listable });
    }
    let role = of(Vec::new(), |asked| asked.discovery = Some(&discovery));
    assert_eq!(rules(&role), [("argoproj.io/applications".to_owned(), NamedBy::Discovery)]);
    assert_eq!(rules(&of(Vec::new(), |_| {})), []);
}
