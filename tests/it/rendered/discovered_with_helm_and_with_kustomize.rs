//! Targets that declared objects of Argo CD and Flux name.

use driftledger::adapters::git::Content;
use serde_json::{Value, json};

use super::place::{fixtures, tool};
use crate::program::{Said, Workspace, findings};

/// An app of apps, a Kustomization of Flux that declares another and a HelmRelease of a chart in Git.
fn place() -> Workspace {
    let mut work = Workspace::new();
    let url = work.path().join("repository").display().to_string();
    let application = |name: &str, source: Value| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name},
            "spec": {"source": source, "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"}}})
        .to_string()
    };
    let source = |path: &str, more: Value| {
        let mut source = json!({"repoURL": url, "path": path, "targetRevision": "main"});
        source.as_object_mut().expect("fields").extend(more.as_object().cloned().expect("fields"));
        source
    };
    let flux = |kind: &str, name: &str, spec: Value| {
        let group = if kind == "HelmRelease" { "helm" } else { "kustomize" };
        json!({"apiVersion": format!("{group}.toolkit.fluxcd.io/v1"), "kind": kind,
            "metadata": {"name": name, "namespace": "flux-system"}, "spec": spec})
        .to_string()
    };
    let repository = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "platform", "namespace": "flux-system"}, "spec": {"url": url, "ref": {"branch": "main"}}});
    let platform = json!({"kind": "GitRepository", "name": "platform"});
    let helm = json!({"helm": {"releaseName": "eu", "valueFiles": ["/env/prod.yaml"], "parameters": [{"name": "level", "value": "trace"}]}});
    let chart = json!({"spec": {"chart": "./charts/shop", "sourceRef": platform}});
    let overlay = json!({"sourceRef": platform, "path": "./apps/base", "targetNamespace": "flux-shop"});
    let files = [
        ("root/apps.yaml", application("apps", source("argocd", json!({})))),
        (
            "root/flux.yaml",
            format!(
                "{repository}\n---\n{}",
                flux("Kustomization", "flux", json!({"sourceRef": platform, "path": "flux"}))
            ),
        ),
        ("argocd/chart.yaml", application("chart", source("charts/shop", helm))),
        ("argocd/overlay.yaml", application("overlay", source("apps/prod", json!({})))),
        ("argocd/redis.yaml", application("redis", json!({"repoURL": "https://charts.example.com", "chart": "redis"}))),
        ("flux/base.yaml", flux("Kustomization", "base", overlay)),
        (
            "flux/release.yaml",
            flux("HelmRelease", "shop", json!({"chart": chart, "values": {"cache": {"enabled": false}}})),
        ),
    ];
    work.commit("Begin", fixtures());
    work.commit("Deploy", files.iter().map(|(name, text)| ((*name).to_owned(), Content::from(text.as_str()))));
    let config = format!(
        "ledger: ledger.sqlite\ncache: cache\ngrace: 0s\ndiscovery: {{argocd: true, flux: true}}\n\
         tools: {{helm: '{}', kustomize: '{}'}}\nclusters: [{{name: prod, dump: live.json}}]\n\
         repositories: [{{name: r, url: repository}}]\n\
         targets: [{{name: root, repository: r, revision: main, path: root, cluster: prod, namespace: argocd}}]\n",
        tool("helm"),
        tool("kustomize"),
    );
    work.file("driftledger.yaml", &config);
    work
}

#[test]
#[ignore = "needs Helm and Kustomize: run tests/run"]
fn what_applications_and_kustomizations_name_is_audited_with_helm_and_with_kustomize() {
    let work = place();
    let listed = work.run(&["targets", "-o", "json"]);
    assert_eq!(listed.code, 3, "{}", listed.err);
    let listed = listed.json();
    let names: Vec<&str> =
        listed["targets"].as_array().expect("a list").iter().filter_map(|target| target["name"].as_str()).collect();
    let expected = [
        "root",
        "argocd/apps",
        "flux/flux-system/flux",
        "argocd/chart",
        "argocd/overlay",
        "flux/flux-system/base",
        "flux/flux-system/shop",
    ];
    assert_eq!(names, expected);
    let target = |name: &str| {
        let all = listed["targets"].as_array().expect("a list");
        all.iter().find(|target| target["name"] == name).unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!((&target("root")["discovered"], &target("argocd/chart")["discovered"]), (&json!(false), &json!(true)));
    assert_eq!(
        (&target("flux/flux-system/base")["namespace"], &target("flux/flux-system/base")["objects"]),
        (&json!("flux-shop"), &json!(2))
    );
    let [gap] = &listed["gaps"].as_array().expect("a list")[..] else { panic!("{:#}", listed["gaps"]) };
    assert_eq!(
        gap["message"],
        "what Application redis deploys is not looked at: its chart redis is in the chart repository \
         https://charts.example.com, which `charts` does not allow"
    );
    assert_eq!((&gap["target"], &gap["place"]), (&json!("argocd/apps"), &json!("argocd/redis.yaml")));
    let Said { out: table, .. } = work.run(&["targets"]);
    assert!(table.contains("argocd/chart  4 objects in cluster prod, namespace shop, discovered"), "{table}");

    let live = |name: &str, namespace: &str, level: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace},
            "data": {"level": level, "kubernetes": "33"}})
    };
    let items = json!([live("eu-settings", "shop", "debug"), live("shop-settings", "flux-system", "info")]);
    work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    let report = work.run(&["scan", "-o", "json"]).json();
    let changed: Vec<String> =
        findings(&report).into_iter().filter(|finding| finding.contains(".data.level")).collect();
    assert_eq!(changed, ["DL001 ConfigMap eu-settings .data.level"], "the parameter goes before the file of values");
    let finding = report["findings"].as_array().expect("a list").iter().find(|f| f["path"] == ".data.level");
    let finding = finding.expect("a finding");
    assert_eq!((&finding["declared"], &finding["origin"]["target"]), (&json!("trace"), &json!("argocd/chart")));
    assert_eq!(finding["declaredBy"]["subject"], "Deploy", "the Application's parameter");
    assert_eq!(report["scan"]["targets"].as_array().expect("a list").len(), 7);
    assert_eq!(report["scan"]["complete"], false, "what redis deploys is not known");
}

#[test]
#[ignore = "needs Helm and Kustomize: run tests/run"]
fn no_target_is_written_where_what_runs_in_the_cluster_names_them_with_helm_and_with_kustomize() {
    let work = place();
    let config = std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("a file");
    let (before, _) = config.split_once("targets:").expect("targets");
    let config = before.replace("flux: true}", "flux: true, live: true}") + "targets: []\n";
    work.file("driftledger.yaml", &config);
    let url = work.path().join("repository").display().to_string();
    let application = |name: &str, url: &str, path: &str| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "argocd"},
            "spec": {"source": {"repoURL": url, "path": path, "targetRevision": "main"}, "destination": {"namespace": "argocd"}}})
    };
    let items =
        json!([application("root", &url, "root"), application("other", "https://git.example.com/other.git", "x")]);
    work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    let listed = work.run(&["targets", "-o", "json"]).json();
    let names: Vec<&str> =
        listed["targets"].as_array().expect("a list").iter().filter_map(|target| target["name"].as_str()).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    assert!(names.contains(&"argocd/root") && names.contains(&"argocd/chart"), "{names:?}");
    let gaps: Vec<&str> =
        listed["gaps"].as_array().expect("a list").iter().filter_map(|gap| gap["message"].as_str()).collect();
    let other = "what Application other deploys is not looked at: its repository https://git.example.com/other.git is none of \
                 the configured ones";
    assert!(gaps.contains(&other) && gaps.len() == 2, "{gaps:?}");
    let report = work.run(&["scan", "-o", "json"]).json();
    assert_eq!(report["scan"]["targets"].as_array().expect("a list").len(), 7);
    let told = report["gaps"].as_array().expect("a list").iter().filter(|gap| gap["message"] == other).count();
    assert_eq!(told, 1);
    assert!(!findings(&report).iter().any(|finding| finding.starts_with("DL006")), "a gap may hide who declares it");
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn the_version_that_an_application_names_renders_it_where_it_is_at_hand_with_kustomize() {
    let mut work = Workspace::new();
    let url = work.path().join("repository").display().to_string();
    let source =
        json!({"repoURL": url, "path": "apps/prod", "targetRevision": "main", "kustomize": {"version": "v4.5.7"}});
    let application = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "overlay"},
        "spec": {"source": source, "destination": {"namespace": "shop"}}});
    work.commit("Begin", fixtures());
    work.commit("Deploy", [("root/app.json".to_owned(), Content::from(application.to_string().as_str()))]);
    // It says that it is the old version, and is the one at hand.
    let script =
        format!("#!/bin/sh\nif [ \"$1\" = version ]; then echo v4.5.7; else exec '{}' \"$@\"; fi\n", tool("kustomize"));
    let old = work.file("kustomize-4", &script);
    std::fs::set_permissions(&old, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("rights");
    work.file("live.json", "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": []}");
    let scan = |versions: &str| {
        let config = format!(
            "ledger: ledger.sqlite\ncache: cache\ndiscovery: {{argocd: true}}\ntools: {{kustomize: '{}'{versions}}}\n\
             clusters: [{{name: prod, dump: live.json}}]\nrepositories: [{{name: r, url: repository}}]\n\
             targets: [{{name: root, repository: r, revision: main, path: root, cluster: prod, namespace: argocd}}]\n",
            tool("kustomize"),
        );
        work.file("driftledger.yaml", &config);
        let report = work.run(&["scan", "-o", "json"]).json();
        let listed = work.run(&["targets", "-o", "json"]).json();
        (report["exclusions"].to_string(), listed["targets"][1]["renderer"].as_str().unwrap_or_default().to_owned())
    };
    let (exclusions, by) = scan("");
    assert!(exclusions.contains("Kustomize v4.5.7, which the operator renders it with"), "{exclusions}");
    assert!(by.starts_with("kustomize v5."), "{by}");
    let (exclusions, by) = scan(", kustomizeVersions: {v4.5.7: kustomize-4}");
    assert!(!exclusions.contains("v4.5.7"), "{exclusions}");
    assert_eq!(by, "kustomize v4.5.7");
}
