//! Values that stand in what names a target: an Application or a HelmRelease, in the repository of the chart or in another.

use driftledger::adapters::git::{Content, RepositoryBuilder, Written};
use driftledger::model::time::Timestamp;
use serde_json::{Value, json};

use super::place::{fixtures, origin, tool};
use crate::program::{Workspace, findings};

const CHART: &str = "charts/shop";

/// An Application of the chart at a URL, with a parameter.
fn application(url: &str, level: &str) -> Content {
    called("chart", url, level)
}

fn called(name: &str, url: &str, level: &str) -> Content {
    let helm = json!({"releaseName": "eu", "parameters": [{"name": "level", "value": level}]});
    let source = json!({"repoURL": url, "path": CHART, "targetRevision": "main", "helm": helm});
    let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name},
        "spec": {"source": source, "destination": {"namespace": "shop"}}});
    Content::from(object.to_string().as_str())
}

fn config(repositories: &str) -> String {
    format!(
        "ledger: ledger.sqlite\ncache: cache\ngrace: 0s\ndiscovery: {{argocd: true}}\ntools: {{helm: '{}'}}\n\
         clusters: [{{name: prod, dump: live.json}}]\nrepositories: {repositories}\n\
         targets: [{{name: root, repository: r, revision: main, path: root, cluster: prod, namespace: argocd}}]\n",
        tool("helm"),
    )
}

fn live(manager: &str, data: Value) -> String {
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "eu-settings", "namespace": "shop",
        "managedFields": [{"manager": manager, "operation": "Update", "apiVersion": "v1", "time": "2026-03-02T10:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:level": {}}}}]}, "data": data});
    json!({"apiVersion": "v1", "kind": "List", "items": [settings]}).to_string()
}

/// The finding on the level.
fn level(report: &Value) -> &Value {
    let all = report["findings"].as_array().expect("a list");
    let found = all.iter().find(|finding| finding["path"] == ".data.level");
    found.unwrap_or_else(|| panic!("{:?} {:#}", findings(report), report["gaps"]))
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn what_a_parameter_gives_is_attributed_to_the_commit_of_the_application() {
    let mut work = Workspace::new();
    let url = work.path().join("repository").display().to_string();
    work.commit("Begin", fixtures());
    // It had another name then, and another file.
    work.commit("Deploy", [("root/chart.yaml".to_owned(), called("shop", &url, "debug"))]);
    work.commit(
        "Move",
        [
            ("root/chart.yaml".to_owned(), Content::Removed),
            ("root/below/app.yaml".to_owned(), application(&url, "debug")),
        ],
    );
    work.commit("Trace", [("root/below/app.yaml".to_owned(), application(&url, "trace"))]);
    work.commit("Elsewhere", [("README.md".to_owned(), Content::from("x"))]);
    work.file("driftledger.yaml", &config("[{name: r, url: repository}]"));
    work.file("live.json", &live("argocd-controller", json!({"level": "debug", "kubernetes": "33"})));
    let report = work.run(&["scan", "-o", "json"]).json();
    let found = level(&report);
    assert_eq!((&found["cause"], &found["declaredBy"]["subject"]), (&json!("behind"), &json!("Trace")));
    let matched = &found["liveMatches"];
    assert_eq!((&matched["matched"]["subject"], &matched["given"]["subject"]), (&json!("Move"), &json!("Deploy")));
    assert_eq!(origin(found), "root/below/app.yaml:1");
    work.file("live.json", &live("kubectl-edit", json!({"level": "warn", "kubernetes": "33"})));
    let report = work.run(&["scan", "-o", "json"]).json();
    let found = level(&report);
    assert_eq!((&found["cause"], &found["declaredBy"]["subject"]), (&json!("out-of-band"), &json!("Trace")));
    // Without the target that declares the Application nothing is known of what it was.
    let report = work.run(&["scan", "-o", "json", "--target", "argocd/chart"]).json();
    assert_eq!(level(&report)["declaredBy"], json!(null));
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn an_application_in_another_repository_than_its_chart_has_its_say_commit_by_commit() {
    let mut work = Workspace::new();
    let charts = work.path().join("charts").display().to_string();
    let written = |message: &'static str, seconds: i64| {
        let time = Timestamp::from_unix(1_770_000_000 + seconds);
        Written { author: "Cy Cole", email: "cy@example.com", time, message }
    };
    let mut builder = RepositoryBuilder::create(&work.path().join("charts")).expect("a repository");
    builder.commit_to("main", &written("Chart", 0), fixtures()).expect("a commit");
    // A minute after that, and two.
    let of = |level: &str| [("root/chart.yaml".to_owned(), application(&charts, level))];
    work.commit("Debug", of("debug"));
    let values = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/render/charts/shop/templates/config.yaml"),
    );
    let values = values.expect("a template").replace("data:\n", "data:\n  region: eu\n");
    let region = [("charts/shop/templates/config.yaml".to_owned(), Content::from(values.as_str()))];
    builder.commit_to("main", &written("Region", 90), region).expect("a commit");
    work.commit("Trace", of("trace"));
    work.file("driftledger.yaml", &config("[{name: r, url: repository}, {name: charts, url: charts}]"));
    work.file("live.json", &live("argocd-controller", json!({"level": "debug", "kubernetes": "33", "region": "us"})));
    let report = work.run(&["scan", "-o", "json"]).json();
    let found = level(&report);
    assert_eq!((&found["cause"], &found["declaredBy"]["subject"]), (&json!("behind"), &json!("Trace")), "{found:#}");
    let matched = &found["liveMatches"];
    assert_eq!((&matched["matched"]["subject"], &matched["given"]["subject"]), (&json!("Region"), &json!("Debug")));
    assert_eq!((origin(found).as_str(), &found["origin"]["repository"]), ("root/chart.yaml:1", &json!("r")));
    assert_eq!(found["declaredBy"]["commit"], found["origin"]["commit"], "of that repository");
    let all = report["findings"].as_array().expect("a list");
    let region = all.iter().find(|finding| finding["path"] == ".data.region").expect("a finding");
    assert_eq!((&region["cause"], &region["declaredBy"]["subject"]), (&json!("out-of-band"), &json!("Region")));
    assert_eq!(region["origin"]["repository"], "charts");
    let about_commits = |gap: &&Value| gap["kind"] == "evidence" || gap["message"].to_string().contains("commit");
    let gaps: Vec<&Value> = report["gaps"].as_array().expect("a list").iter().filter(about_commits).collect();
    assert_eq!(gaps, [&json!(null); 0], "each commit is looked for where it is");
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn what_an_application_or_a_release_ignores_is_ignored_in_what_its_chart_renders() {
    let mut work = Workspace::new();
    let url = work.path().join("repository").display().to_string();
    let application = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "chart", "namespace": "argocd"}, "spec": {
            "source": {"repoURL": url, "path": CHART, "targetRevision": "main", "helm": {"releaseName": "eu"}},
            "ignoreDifferences": [{"group": "", "kind": "ConfigMap", "jsonPointers": ["/data/level"]}],
            "destination": {"namespace": "shop"}}});
    let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "r", "namespace": "flux-system"}, "spec": {"url": url, "ref": {"branch": "main"}}});
    let chart = json!({"spec": {"chart": CHART, "sourceRef": {"kind": "GitRepository", "name": "r"}}});
    let ignore = json!([{"paths": ["/data/level"], "target": {"kind": "ConfigMap"}}]);
    let release = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "us", "namespace": "flux-system"}, "spec": {
            "releaseName": "us", "targetNamespace": "shop", "chart": chart, "driftDetection": {"mode": "warn", "ignore": ignore}}});
    work.commit("Begin", fixtures());
    let live = |more: &[&Value]| {
        let map = |name: &str, data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": data});
        let settings = json!({"level": "warn", "kubernetes": "0"});
        let own = ["eu", "us"].into_iter().flat_map(|release| {
            [
                map(&format!("{release}-settings"), settings.clone()),
                map(&format!("{release}-cache"), json!({"size": "1Gi"})),
            ]
        });
        let items: Vec<Value> = own.chain(more.iter().map(|one| (*one).clone())).collect();
        json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
    };
    let expected = ["DL001 ConfigMap eu-cache .data.size", "DL001 ConfigMap us-cache .data.size"];
    let changed = |work: &Workspace| {
        let report = work.run(&["scan", "-o", "json"]).json();
        findings(&report).into_iter().filter(|finding| finding.contains("DL001")).collect::<Vec<_>>()
    };
    // They are only live.
    let config =
        config("[{name: r, url: repository}]").replace("{argocd: true}", "{argocd: true, flux: true, live: true}");
    let (before, _) = config.split_once("targets:").expect("targets");
    work.file("driftledger.yaml", &format!("{before}targets: []\n"));
    work.file("live.json", &live(&[&application, &source, &release]));
    assert_eq!(changed(&work), expected);
    // They are declared.
    let files = [("root/app.json", application), ("root/source.json", source), ("root/release.json", release)];
    work.commit("Deploy", files.map(|(name, object)| (name.to_owned(), Content::from(object.to_string().as_str()))));
    work.file("driftledger.yaml", &config.replace(", live: true", ""));
    work.file("live.json", &live(&[]));
    assert_eq!(changed(&work), expected);
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn what_was_found_stays_open_while_what_names_its_target_cannot_be_read() {
    let mut work = Workspace::new();
    let url = work.path().join("repository").display().to_string();
    work.commit("Begin", fixtures());
    let app = |name: &str| (format!("root/{name}"), application(&url, "debug"));
    work.commit("Deploy", [app("app.yaml"), ("root/README.md".to_owned(), Content::from("x"))]);
    work.file("driftledger.yaml", &config("[{name: r, url: repository}]"));
    work.file("live.json", &live("kubectl-edit", json!({"level": "warn", "kubernetes": "33"})));
    let first = work.run(&["scan", "-o", "json"]).json();
    level(&first);
    // Half of it names nothing.
    let broken = ("root/app.yaml".to_owned(), Content::from("{apiVersion: argoproj.io/v1alpha1, kind: ["));
    work.commit("Break", [broken]);
    let report = work.run(&["scan", "-o", "json"]).json();
    assert_eq!(report["scan"]["targets"].as_array().map(Vec::len), Some(1));
    let found = level(&report);
    assert_eq!(found["fingerprint"], level(&first)["fingerprint"]);
    assert_eq!(report["scan"]["changes"]["outOfScope"], json!([]), "{:#}", report["scan"]["changes"]);
    work.commit("Give it up", [("root/app.yaml".to_owned(), Content::Removed)]);
    let report = work.run(&["scan", "-o", "json"]).json();
    assert!(!report["findings"].as_array().expect("a list").iter().any(|f| f["path"] == ".data.level"));
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn what_a_secret_gives_a_release_accuses_nobody_and_its_metadata_is_on_all_that_it_deploys() {
    let mut work = Workspace::new();
    let url = work.path().join("repository").display().to_string();
    let flux = |kind: &str, group: &str, name: &str, spec: Value| {
        json!({"apiVersion": format!("{group}.toolkit.fluxcd.io/v1"), "kind": kind,
            "metadata": {"name": name, "namespace": "flux-system"}, "spec": spec})
        .to_string()
    };
    let source = flux("GitRepository", "source", "r", json!({"url": url, "ref": {"branch": "main"}}));
    let release = json!({"releaseName": "eu", "targetNamespace": "shop",
        "chart": {"spec": {"chart": CHART, "sourceRef": {"kind": "GitRepository", "name": "r"}}},
        "valuesFrom": [{"kind": "Secret", "name": "s", "valuesKey": "level", "targetPath": "level"}],
        "commonMetadata": {"labels": {"team": "web"}}});
    work.commit("Begin", fixtures());
    let files = [("root/source.json", source), ("root/release.json", flux("HelmRelease", "helm", "shop", release))];
    work.commit("Deploy", files.map(|(name, text)| (name.to_owned(), Content::from(text.as_str()))));
    work.file("driftledger.yaml", &config("[{name: r, url: repository}]").replace("{argocd: true}", "{flux: true}"));
    work.file("live.json", &live("kubectl-edit", json!({"level": "anything", "kubernetes": "33"})));
    let report = work.run(&["scan", "-o", "json"]).json();
    let settings: Vec<String> =
        findings(&report).into_iter().filter(|finding| finding.contains("ConfigMap eu-settings")).collect();
    assert_eq!(settings, ["DL002 ConfigMap eu-settings .metadata.labels"], "{:#}", report["gaps"]);
    let ignored = report["scan"]["ignored"].to_string();
    assert!(ignored.contains("it hangs on a value of the chart that is hidden"), "{ignored}");
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn files_of_values_in_a_repository_of_their_own_have_their_say_too() {
    let mut work = Workspace::new();
    let written = |message: &'static str, seconds: i64| {
        let time = Timestamp::from_unix(1_770_000_000 + seconds);
        Written { author: "Cy Cole", email: "cy@example.com", time, message }
    };
    let path = |name: &str| work.path().join(name);
    let (charts_path, values_path) = (path("charts"), path("values"));
    let mut charts = RepositoryBuilder::create(&charts_path).expect("a repository");
    charts.commit_to("main", &written("Chart", 0), fixtures()).expect("a commit");
    let mut values = RepositoryBuilder::create(&values_path).expect("a repository");
    let mut level_is = |message: &'static str, seconds: i64, level: &str| {
        let text = format!("replicas: 2\nlevel: {level}\n");
        let file = [("prod/shop.yaml".to_owned(), Content::from(text.as_str()))];
        values.commit_to("main", &written(message, seconds), file).expect("a commit")
    };
    level_is("Debug", 10, "debug");
    let of = |repository: &std::path::Path, more: Value| {
        let mut source = json!({"repoURL": repository.display().to_string(), "targetRevision": "main"});
        source.as_object_mut().expect("fields").extend(more.as_object().cloned().expect("fields"));
        source
    };
    let helm = json!({"releaseName": "eu", "valueFiles": ["$env/prod/shop.yaml"]});
    let sources = [of(&charts_path, json!({"path": CHART, "helm": helm})), of(&values_path, json!({"ref": "env"}))];
    let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop"},
        "spec": {"sources": sources, "destination": {"namespace": "shop"}}});
    work.commit("Deploy", [("root/app.json".to_owned(), Content::from(object.to_string().as_str()))]);
    let trace = level_is("Trace", 200, "trace");
    let repositories = "[{name: r, url: repository}, {name: charts, url: charts}, {name: values, url: values}]";
    work.file("driftledger.yaml", &config(repositories));
    work.file("live.json", &live("argocd-controller", json!({"level": "debug", "kubernetes": "33"})));
    let report = work.run(&["scan", "-o", "json"]).json();
    let found = level(&report);
    assert_eq!((&found["cause"], &found["declaredBy"]["subject"]), (&json!("behind"), &json!("Trace")));
    assert_eq!((origin(found).as_str(), &found["origin"]["repository"]), ("prod/shop.yaml:2", &json!("values")));
    assert_eq!(found["origin"]["commit"], trace.as_str());
    // It is not fetched unless it is among the configured ones.
    work.file("driftledger.yaml", &config("[{name: r, url: repository}, {name: charts, url: charts}]"));
    let listed = work.run(&["targets", "-o", "json"]).json();
    assert!(listed["gaps"].to_string().contains("is none of the configured ones"), "{listed:#}");
}
