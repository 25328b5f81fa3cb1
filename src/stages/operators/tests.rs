use serde_json::{Value, json};

use super::*;
use crate::model::ids::ClusterName;
use crate::model::resource::GroupKind;
use crate::stages::repository_url::identity;

const OLD: &str = "9f2c1ab000000000000000000000000000000000";
const NEW: &str = "4be07d2000000000000000000000000000000000";

/// What a target `apps/checkout` of the branch main, in the namespace checkout of prod, is told by objects of the cluster mgmt.
fn told(objects: &[(&str, &str, Value)]) -> Vec<String> {
    let mut operators = Operators::default();
    for (group, kind, object) in objects {
        operators.take(&GroupKind::new(*group, *kind), &object.to_string());
    }
    let (prod, mgmt) = (ClusterName::new("prod"), ClusterName::new("mgmt"));
    let target = Wanted {
        cluster: &prod,
        namespace: "checkout",
        paths: ["apps/checkout", "apps/checkout-2"],
        is_repository: &|url| identity(url) == "git.example.com/acme/shop",
        is_revision: &|revision| revision == "main" || revision == "HEAD",
    };
    let says = |deployer: Deployer| deployer.says(&target, &mgmt, &[&prod, &mgmt]);
    operators
        .deployers()
        .filter_map(says)
        .map(|said| format!("{}: {}", &said.commit.as_str()[..7], said.words))
        .collect()
}

fn application(change: impl Fn(&mut Value)) -> (&'static str, &'static str, Value) {
    let mut object = json!({
        "metadata": {"name": "checkout", "namespace": "argocd"},
        "spec": {
            "source": {"repoURL": "https://git.example.com/acme/shop.git", "path": "./apps/checkout/", "targetRevision": "main"},
            "destination": {"name": "prod", "namespace": "checkout"},
        },
        "status": {
            "sync": {"status": "OutOfSync", "revision": NEW},
            "operationState": {"phase": "Succeeded", "syncResult": {"revision": OLD}, "operation": {"sync": {"revision": OLD}}},
            "history": [{"revision": "1".repeat(40)}, {"revision": "2".repeat(40)}],
            "resources": [{"kind": "Deployment"}],
        },
    });
    change(&mut object);
    ("argoproj.io", "Application", object)
}

#[test]
fn an_application_says_what_it_synced_as_a_whole_or_is_in_sync_with() {
    let set = |path: &'static str, value: Value| {
        move |object: &mut Value| *object.pointer_mut(path).expect(path) = value.clone()
    };
    let synced = "9f2c1ab: Application argocd/checkout says it synced 9f2c1ab";
    let out = format!("{synced} and is out of sync with 4be07d2");
    let before = "2222222: Application argocd/checkout says it synced 2222222 and is out of sync with 4be07d2";
    let in_sync = "4be07d2: Application argocd/checkout says it is in sync with 4be07d2";
    for (case, object, expected) in [
        ("out of sync", application(|_| {}), Some(out.as_str())),
        ("in sync", application(set("/status/sync/status", json!("Synced"))), Some(in_sync)),
        ("changed by hand since", application(set("/status/sync/revision", json!(OLD))), Some(synced)),
        ("never compared", application(set("/status/sync", json!({}))), Some(synced)),
        ("a sync that failed", application(set("/status/operationState/phase", json!("Failed"))), Some(before)),
        (
            "a sync of some objects",
            application(set("/status/operationState/operation/sync", json!({"resources": [{"kind": "Deployment"}]}))),
            Some(before),
        ),
        ("a dry run", application(set("/status/operationState/operation/sync", json!({"dryRun": true}))), Some(before)),
        (
            "synced from another folder before",
            application(set(
                "/status/operationState/syncResult",
                json!({"revision": OLD, "source": {"repoURL": "https://git.example.com/acme/shop.git", "path": "old"}}),
            )),
            Some(before),
        ),
        ("never synced", application(set("/status", json!({}))), None),
        ("no commit", application(set("/status", json!({"sync": {"status": "Synced", "revision": "1.2.3"}}))), None),
        (
            "over SSH, by the default branch",
            application(set(
                "/spec/source",
                json!({"repoURL": "git@git.example.com:acme/shop", "path": "apps/checkout"}),
            )),
            Some(&out),
        ),
        ("where a link leads", application(set("/spec/source/path", json!("apps/checkout-2"))), Some(&out)),
        ("no namespace of its own", application(set("/spec/destination", json!({"name": "prod"}))), Some(&out)),
        ("another folder", application(set("/spec/source/path", json!("apps"))), None),
        ("another revision", application(set("/spec/source/targetRevision", json!("next"))), None),
        (
            "another repository",
            application(set("/spec/source/repoURL", json!("https://git.example.com/acme/shop2"))),
            None,
        ),
        ("another namespace", application(set("/spec/destination/namespace", json!("stage"))), None),
        ("its own cluster", application(set("/spec/destination/name", json!("in-cluster"))), None),
        ("an unknown cluster", application(set("/spec/destination", json!({"server": "https://10.0.0.1"}))), None),
        ("broken", application(set("/spec", json!(7))), None),
    ] {
        assert_eq!(told(&[object]), expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{case}");
    }
}

#[test]
fn of_several_sources_each_has_its_own_commit() {
    let object = application(|object| {
        let own = object["spec"]["source"].take();
        let chart = json!({"repoURL": "https://charts.example.com", "chart": "redis", "targetRevision": "1.2"});
        object["spec"] = json!({"sources": [chart, own], "destination": object["spec"]["destination"]});
        object["status"] = json!({
            "sync": {"status": "OutOfSync", "revisions": ["1.2", NEW]},
            "operationState": {"phase": "Succeeded", "syncResult": {"revisions": ["1.2", OLD]}},
        });
    });
    assert_eq!(
        told(&[object]),
        ["9f2c1ab: Application argocd/checkout says it synced 9f2c1ab and is out of sync with 4be07d2"]
    );
}

#[test]
fn a_kustomization_says_which_revision_it_applied() {
    let repository = |r#ref: Value| {
        let spec = json!({"url": "ssh://git@git.example.com/acme/shop", "ref": r#ref});
        (
            "source.toolkit.fluxcd.io",
            "GitRepository",
            json!({"metadata": {"name": "shop", "namespace": "flux-system"}, "spec": spec}),
        )
    };
    let kustomization = |applied: &str, more: Value| {
        let mut spec = json!({"path": "./apps/checkout", "sourceRef": {"kind": "GitRepository", "name": "shop"}});
        for (key, value) in more.as_object().expect("a map") {
            spec[key] = value.clone();
        }
        let metadata = json!({"name": "checkout", "namespace": "flux-system"});
        let object = json!({"metadata": metadata, "spec": spec, "status": {"lastAppliedRevision": applied}});
        ("kustomize.toolkit.fluxcd.io", "Kustomization", object)
    };
    let main = || repository(json!({"branch": "main"}));
    let now = format!("main@sha1:{OLD}");
    let said = "9f2c1ab: Kustomization flux-system/checkout says it applied 9f2c1ab";
    for (case, objects, expected) in [
        ("as Flux 2 writes it", vec![kustomization(&now, json!({})), main()], true),
        ("as before", vec![main(), kustomization(&format!("main/{OLD}"), json!({}))], true),
        ("a branch with a slash", vec![main(), kustomization(&format!("feature/x/{OLD}"), json!({}))], true),
        ("a commit alone", vec![main(), kustomization(&format!("sha1:{OLD}"), json!({}))], true),
        ("nothing yet", vec![main(), kustomization("", json!({}))], false),
        ("a namespace of its own", vec![main(), kustomization(&now, json!({"targetNamespace": "stage"}))], false),
        ("elsewhere", vec![main(), kustomization(&now, json!({"kubeConfig": {"secretRef": {"name": "k"}}}))], false),
        ("another folder", vec![main(), kustomization(&now, json!({"path": "./"}))], false),
        ("another branch", vec![repository(json!({"branch": "next"})), kustomization(&now, json!({}))], false),
        ("master by default", vec![repository(json!({})), kustomization(&now, json!({}))], false),
        ("a repository that is not there", vec![kustomization(&now, json!({}))], false),
        (
            "of a bucket",
            vec![main(), kustomization(&now, json!({"sourceRef": {"kind": "Bucket", "name": "shop"}}))],
            false,
        ),
    ] {
        // Flux deploys to its own cluster.
        let mut operators = Operators::default();
        objects
            .iter()
            .for_each(|(group, kind, object)| operators.take(&GroupKind::new(*group, *kind), &object.to_string()));
        let prod = ClusterName::new("prod");
        let target = Wanted {
            cluster: &prod,
            namespace: "checkout",
            paths: ["apps/checkout", "apps/checkout"],
            is_repository: &|url| identity(url) == "git.example.com/acme/shop",
            is_revision: &|revision| revision == "main",
        };
        let told: Vec<String> = operators
            .deployers()
            .filter_map(|deployer| deployer.says(&target, &prod, &[&prod]))
            .map(|said| format!("{}: {}", &said.commit.as_str()[..7], said.words))
            .collect();
        assert_eq!(told, expected.then(|| said.to_owned()).into_iter().collect::<Vec<_>>(), "{case}");
    }
}
