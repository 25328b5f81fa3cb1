//! No target written by hand: live Applications and Kustomizations, a chart and an overlay, on a real API server.

use std::path::Path;
use std::process::Command;
use std::sync::PoisonError;

use driftledger::adapters::git::Content;
use serde_json::{Value, json};

use super::place::{fixtures, tool};
use crate::converge_on_cluster::{FLUX, OPERATORS, OPERATORS_ARE_IN_USE, Place};
use crate::on_cluster::variable;
use crate::operators_on_cluster::MORE;

const ROOT: &str = "tests/fixtures/render";

/// What a program writes for the fixtures.
fn output(program: &str, arguments: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(ROOT);
    let output = Command::new(program).args(arguments).current_dir(folder).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The findings on objects of the namespace, as code, kind, path, cause and the subject of the declaring commit.
fn found(report: &Value, namespace: &str) -> Vec<[String; 5]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |finding: &Value| {
        let by = &finding["declaredBy"]["subject"];
        [&finding["code"], &finding["kind"], &finding["path"], &finding["cause"], by].map(text)
    };
    let here = report["findings"].as_array().expect("a list").iter().filter(|f| f["namespace"] == namespace);
    let mut found: Vec<_> = here.map(of).collect();
    found.sort();
    found
}

#[test]
#[ignore = "needs the test cluster, Helm and Kustomize: run tests/run"]
fn what_operators_deploy_is_found_clean_and_each_change_is_found_with_its_commit() {
    let _alone = OPERATORS_ARE_IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut place = Place::new("discovered", "");
    place.work.commit("Begin", fixtures());
    place.apply(&format!("{FLUX}{MORE}"));
    for crd in OPERATORS {
        place.wait("condition=Established", &format!("crd/{crd}"));
    }
    let namespace = place.namespace.clone();
    let config = format!(
        "ledger: ledger.sqlite\ngrace: 0s\ncache: cache\naudit: {{removed: false, unmanaged: {{defaults: false}}}}\n\
         tools: {{helm: '{}', kustomize: '{}'}}\ndiscovery: {{argocd: true, flux: true, live: true}}\n\
         clusters: [{{name: test, kubeconfig: {}}}]\nrepositories: [{{name: r, url: repository}}]\ntargets: []\n",
        tool("helm"),
        tool("kustomize"),
        variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG"),
    );
    place.work.file("driftledger.yaml", &config);
    let url = place.work.path().join("repository").display().to_string();
    // A definition that is served takes a moment to take objects.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let application = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "chart"}, "spec": {
        "source": {"repoURL": url, "path": "charts/shop", "targetRevision": "main", "helm": {"releaseName": "eu",
            "valueFiles": ["../../env/prod.yaml"], "parameters": [{"name": "replicas", "value": "0"}], "skipCrds": true}},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace}}});
    place.apply(&application.to_string());
    place.apply(&format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: app}}\n\
         spec: {{url: '{url}', ref: {{branch: main}}}}\n---\n\
         apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: base}}\n\
         spec: {{path: ./apps/base, targetNamespace: {namespace}, sourceRef: {{kind: GitRepository, name: app}}}}\n"
    ));
    let version: Value = serde_json::from_str(&place.kubectl(&["version", "-o", "json"], "")).expect("JSON");
    let version = version["serverVersion"]["gitVersion"].as_str().expect("a version").to_owned();
    let chart = output(
        &tool("helm"),
        &[
            "template",
            "eu",
            "charts/shop",
            "--no-hooks",
            "--namespace",
            &namespace,
            "--values",
            "env/prod.yaml",
            "--set",
            "replicas=0",
            "--kube-version",
            &version,
        ],
    );
    place.apply(&chart);
    place.apply(&output(&tool("kustomize"), &["build", "apps/base"]));

    let scan = |place: &Place| place.work.run(&["scan", "-o", "json"]).json();
    for round in ["the cluster's version is not known yet", "it is known"] {
        let report = scan(&place);
        assert_eq!(found(&report, &namespace), [] as [[String; 5]; 0], "{round}");
        let targets = report["scan"]["targets"].as_array().expect("a list");
        let of = |name: String| targets.iter().find(|t| t["name"] == name.as_str()).unwrap_or_else(|| panic!("{name}"));
        let compared = |name: String| of(name)["compared"].clone();
        assert_eq!(compared("argocd/chart".to_owned()), 3, "{round}");
        assert_eq!(compared(format!("flux/{namespace}/base")), 2, "{round}");
    }

    place.work.commit("Trace", [("env/prod.yaml".to_owned(), Content::from("replicas: 3\nlevel: trace\n"))]);
    let cache = place.kubectl(&["get", "configmap/eu-cache", "-o", "json"], "");
    let cache: Value = serde_json::from_str(&cache).expect("JSON");
    assert_eq!(cache["data"]["size"], "64Mi");
    place.kubectl(
        &["patch", "configmap/eu-cache", "--field-manager=kubectl-edit", "-p", r#"{"data": {"size": "1Gi"}}"#],
        "",
    );
    place.kubectl(
        &["patch", "service/api", "--field-manager=kubectl-edit", "-p", r#"{"spec": {"selector": {"app": "x"}}}"#],
        "",
    );
    let finding = |kind: &str, path: &str, cause: &str, by: &str| ["DL001", kind, path, cause, by].map(str::to_owned);
    assert_eq!(
        found(&scan(&place), &namespace),
        [
            finding("ConfigMap", ".data.level", "behind", "Trace"),
            // The Application is only live, and may have said something else before.
            finding("ConfigMap", ".data.size", "out-of-band", ""),
            // What the chart makes of it elsewhere.
            finding("Deployment", ".spec.template.metadata.annotations[\"checksum/config\"]", "behind", "Trace"),
            finding("Service", ".spec.selector.app", "out-of-band", "Begin"),
        ]
    );
    place.kubectl(&["delete", "application/chart", "kustomization/base", "gitrepository/app"], "");
}
