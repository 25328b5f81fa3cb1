//! Orphaned resources, where an AppProject of Argo CD asks for them.

use driftledger::adapters::git::Content;
use serde_json::{Value, json};

use crate::program::{Workspace, findings};

#[test]
fn what_nothing_declares_in_a_projects_namespaces_is_a_finding_unless_the_project_ignores_it() {
    let mut work = Workspace::new();
    let url = work.path().join("repository").display().to_string();
    let argo = |kind: &str, name: &str, spec: Value| json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": "argocd"}, "spec": spec});
    let app = |name: &str, project: &str, namespace: &str| {
        let source = json!({"repoURL": url, "path": "app", "targetRevision": "main"});
        argo(
            "Application",
            name,
            json!({"project": project, "source": source, "destination": {"namespace": namespace}}),
        )
    };
    let ignore = json!([{"kind": "ConfigMap", "name": "cache-*"}]);
    let project = argo("AppProject", "web", json!({"orphanedResources": {"warn": true, "ignore": ignore}}));
    let map = |namespace: &str, name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}});
    let declared = |name: &str, object: Value| (format!("{name}.json"), Content::from(object.to_string().as_str()));
    let mut settings = map("", "settings");
    settings["metadata"].as_object_mut().expect("fields").remove("namespace");
    let files = [
        declared("root/project", project),
        declared("root/web", app("shop", "web", "shop")),
        declared("root/other", app("other", "default", "other")),
        declared("app/settings", settings),
    ];
    work.commit("Begin", files);
    let config = |discovery: &str| {
        format!(
            "ledger: ledger.sqlite\ncache: cache\n{discovery}clusters: [{{name: prod, dump: live.json}}]\n\
             repositories: [{{name: r, url: repository}}]\n\
             targets: [{{name: root, repository: r, revision: main, path: root, cluster: prod, namespace: argocd}}]\n"
        )
    };
    let items = [
        map("shop", "settings"),
        map("shop", "left"),
        map("shop", "cache-1"),
        map("other", "settings"),
        map("other", "left"),
    ];
    work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    work.file("driftledger.yaml", &config("discovery: {argocd: true}\n"));
    let report = work.run(&["scan", "-o", "json"]).json();
    let found: Vec<String> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|finding| finding["code"] == "DL006")
        .map(|finding| {
            format!(
                "{}/{}",
                finding["namespace"].as_str().unwrap_or_default(),
                finding["name"].as_str().unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(found, ["shop/left"], "{:#}", report["gaps"]);
    assert!(report["exclusions"].to_string().contains("the AppProject web ignores it"), "{:#}", report["exclusions"]);
    work.file("driftledger.yaml", &config(""));
    let report = work.run(&["scan", "-o", "json"]).json();
    assert!(!findings(&report).iter().any(|finding| finding.starts_with("DL006")), "nothing asks for it");
}
