//! Variables that a Kustomization of Flux fills in after the build.

use driftledger::adapters::git::Content;
use serde_json::{Value, json};

use super::place::{origin, tool};
use crate::program::{Workspace, findings};

fn kustomization() -> String {
    let object = json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "app"},
        "spec": {"path": "./app", "sourceRef": {"kind": "GitRepository", "name": "platform"}, "targetNamespace": "shop",
            "components": ["../label"], "postBuild": {
                "substitute": {"region": "eu"},
                "substituteFrom": [{"kind": "ConfigMap", "name": "vars"}, {"kind": "Secret", "name": "secret-vars"}]}}});
    format!("{object:#}")
}

fn place() -> Workspace {
    let mut work = Workspace::new();
    let url = work.path().join("repository").display().to_string();
    let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "platform"}, "spec": {"url": url, "ref": {"branch": "main"}}});
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {team: web}}]\n";
    let app = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n\
               data: {level: '${level}', region: '${region}', size: '${size:=small}', host: 'x.${domain}', price: '5$$', zone: '${region/#/x-}-${none##*/}', short: '${domain:0:3}'}\n---\n\
               apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  replicas: ${replicas}\n";
    let files = [
        ("clusters/prod/source.json", source.to_string()),
        ("clusters/prod/app.json", kustomization()),
        ("clusters/prod/vars.yaml", vars("info")),
        ("label/kustomization.yaml", component.to_owned()),
        ("app/app.yaml", app.to_owned()),
        ("app/kustomization.yaml", "resources: [app.yaml]\n".to_owned()),
    ];
    work.commit("Begin", files.map(|(name, text)| (name.to_owned(), Content::from(text.as_str()))));
    let config = format!(
        "ledger: ledger.sqlite\ncache: cache\ngrace: 0s\ndiscovery: {{flux: true}}\ntools: {{kustomize: '{}'}}\n\
         clusters: [{{name: prod, dump: live.json}}]\nrepositories: [{{name: r, url: repository}}]\n\
         targets: [{{name: root, repository: r, revision: main, path: clusters/prod, cluster: prod, namespace: flux-system}}]\n",
        tool("kustomize"),
    );
    work.file("driftledger.yaml", &config);
    work
}

fn vars(level: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: vars}}\ndata: {{level: {level}, replicas: '3'}}\n")
}

fn live(data: Value, replicas: u32) -> String {
    let meta = |name: &str| {
        json!({"name": name, "namespace": "shop", "labels": {"team": "web"}, "managedFields": [
            {"manager": "kustomize-controller", "operation": "Apply", "apiVersion": "v1", "time": "2026-03-02T10:00:00Z",
             "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:level": {}}}}]})
    };
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("settings"), "data": data});
    let api =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("api"), "spec": {"replicas": replicas}});
    json!({"apiVersion": "v1", "kind": "List", "items": [settings, api]}).to_string()
}

fn of_the_app(report: &Value) -> Vec<String> {
    findings(report).into_iter().filter(|finding| finding.contains("settings") || finding.contains("api")).collect()
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn what_is_filled_in_is_compared_and_what_only_a_secret_gives_is_not() {
    let mut work = place();
    let data = |level: &str| json!({"level": level, "region": "eu", "size": "small", "host": "x.secret.example.com", "price": "5$", "zone": "x-eu-", "short": "sec"});
    work.file("live.json", &live(data("info"), 3));
    let report = work.run(&["scan", "-o", "json"]).json();
    assert_eq!(of_the_app(&report), [""; 0], "{:#}", report["gaps"]);
    let ignored = report["scan"]["ignored"].to_string();
    assert!(
        ignored.contains("it hangs on variables that are not known: domain, none, size of Secret secret-vars"),
        "{ignored}"
    );

    // What a ConfigMap gives is attributed to the commit that changed it.
    work.commit("Debug", [("clusters/prod/vars.yaml".to_owned(), Content::from(vars("debug").as_str()))]);
    work.commit("Elsewhere", [("README.md".to_owned(), Content::from("x"))]);
    work.file("live.json", &live(data("info"), 5));
    let report = work.run(&["scan", "-o", "json"]).json();
    assert_eq!(of_the_app(&report), ["DL001 ConfigMap settings .data.level", "DL001 Deployment api .spec.replicas"]);
    let finding = |path: &str| {
        report["findings"].as_array().expect("a list").iter().find(|f| f["path"] == path).expect("a finding")
    };
    let level = finding(".data.level");
    assert_eq!((&level["declared"], &level["cause"]), (&json!("debug"), &json!("behind")));
    assert_eq!(
        (&level["declaredBy"]["subject"], &level["liveMatches"]["matched"]["subject"]),
        (&json!("Debug"), &json!("Begin"))
    );
    let replicas = finding(".spec.replicas");
    assert_eq!((&replicas["declared"], &replicas["declaredBy"]["subject"]), (&json!(3), &json!("Begin")));
    assert_eq!(origin(level), "app/app.yaml:null", "the file with the variable");
}

#[test]
#[ignore = "needs Kustomize: run tests/run"]
fn a_variable_that_is_given_where_the_kustomization_stands_is_traced_to_its_line() {
    let work = place();
    let data = json!({"level": "info", "region": "us", "size": "small", "host": "x", "price": "5$"});
    work.file("live.json", &live(data, 3));
    let report = work.run(&["scan", "-o", "json"]).json();
    let region = report["findings"].as_array().expect("a list").iter().find(|f| f["path"] == ".data.region");
    let origin = origin(region.expect("a finding"));
    let line = kustomization().lines().position(|line| line.contains("\"region\": \"eu\"")).expect("a line") + 1;
    assert_eq!(origin, format!("clusters/prod/app.json:{line}"));
}
