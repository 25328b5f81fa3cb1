//! What a target runs by what Argo CD and Flux say of themselves, with a dump in the place of a cluster.

use driftledger::adapters::git::Content;
use serde_json::{Value, json};

use crate::program::Workspace;

fn config_map(level: &str) -> Content {
    Content::from(
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: api}}\ndata: {{level: {level}, size: '3'}}\n")
            .as_str(),
    )
}

/// Five commits to one ConfigMap, and a target that tracks them.
fn workspace() -> (Workspace, Vec<String>) {
    let mut work = Workspace::new();
    let levels = ["debug", "info", "info2", "warn", "error"];
    let commits = levels.map(|level| {
        let commit = work.commit(&format!("Say {level}"), [("shop/api.yaml".to_owned(), config_map(level))]);
        commit.as_str().to_owned()
    });
    work.file(
        "driftledger.yaml",
        "ledger: ledger.sqlite\ngrace: 0s\ncache: cache\nclusters: [{name: prod, dump: live.json}]\n\
         repositories: [{name: app, url: repository}]\n\
         targets: [{name: shop, repository: app, revision: main, path: shop, cluster: prod, namespace: shop}]\n",
    );
    (work, commits.to_vec())
}

/// The live ConfigMap; nothing shows who wrote it, and its size is no commit's.
fn live(level: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "api", "namespace": "shop"},
        "data": {"level": level, "size": "9"}})
}

fn application(work: &Workspace, status: &Value) -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {
            "source": {"repoURL": format!("file://{}/repository", work.path().display()), "path": "shop", "targetRevision": "main"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"}},
        "status": status})
}

fn flux(work: &Workspace, applied: &str) -> [Value; 2] {
    let metadata = |name: &str| json!({"name": name, "namespace": "flux-system"});
    [
        json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": metadata("app"),
            "spec": {"url": format!("{}/repository", work.path().display()), "ref": {"branch": "main"}}}),
        json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": metadata("shop"),
            "spec": {"path": "./shop", "sourceRef": {"kind": "GitRepository", "name": "app"}},
            "status": {"lastAppliedRevision": applied}}),
    ]
}

/// What the target runs, and the cause of the level's difference.
fn scan(work: &Workspace, items: &[Value]) -> (Value, Value) {
    work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    let report = work.run(&["scan", "-o", "json"]).json();
    assert_eq!(report["gaps"], json!([]));
    let mut found = report["findings"].as_array().expect("findings").iter();
    let level = found.find(|finding| finding["path"] == ".data.level");
    (report["scan"]["targets"][0]["runs"].clone(), level.map_or(Value::Null, |level| level["cause"].clone()))
}

#[test]
fn the_operators_status_says_what_a_target_runs_and_who_is_behind() {
    let (work, commits) = workspace();
    let short = |n: usize| &commits[n][..7];
    // First with nobody to say it: nothing shows who wrote the older value.
    assert_eq!(scan(&work, &[live("info")]), (Value::Null, json!("undetermined")));

    let synced = |n: usize| {
        json!({"sync": {"status": "OutOfSync", "revision": commits[4]},
            "operationState": {"phase": "Succeeded", "syncResult": {"revision": commits[n]}}})
    };
    let (runs, cause) = scan(&work, &[live("info"), application(&work, &synced(1))]);
    let words = format!("Application argocd/shop says it synced {} and is out of sync with {}", short(1), short(4));
    let expected =
        json!({"commit": commits[1], "commitsBehind": 3, "evidence": format!("{words}, and so show 1 field")});
    assert_eq!((runs, cause), (expected, json!("behind")));
    let table = work.run(&["scan"]).out;
    assert!(table.contains(&format!("runs {}, 3 commits behind (", short(1))), "{table}");

    let [repository, kustomization] = flux(&work, &format!("main@sha1:{}", commits[1]));
    let (runs, cause) = scan(&work, &[live("info"), repository, kustomization]);
    let words = format!("Kustomization flux-system/shop says it applied {}, and so show 1 field", short(1));
    assert_eq!((&runs["commit"], &runs["commitsBehind"]), (&json!(commits[1]), &json!(3)));
    assert_eq!((&runs["evidence"], cause), (&json!(words), json!("behind")));

    // It says that it applied the tracked commit: that is no evidence of who set the older value.
    let in_sync = json!({"sync": {"status": "Synced", "revision": commits[4]}});
    let (runs, cause) = scan(&work, &[live("info"), application(&work, &in_sync)]);
    assert_eq!((&runs["commit"], &runs["commitsBehind"]), (&json!(commits[4]), &json!(0)));
    assert_eq!(cause, "undetermined");

    // What it says is held against the objects, and against the revision.
    let (runs, _) = scan(&work, &[live("error"), application(&work, &synced(1))]);
    let said = runs["evidence"].as_str().expect("evidence").to_owned();
    assert_eq!(runs["commit"], json!(commits[1]), "the size differs: nothing of the ConfigMap is in sync: {said}");
    let forged = json!({"sync": {"status": "Synced", "revision": "d".repeat(40)}});
    let (runs, _) = scan(&work, &[live("info"), application(&work, &forged)]);
    let words = "Application argocd/shop says it is in sync with ddddddd, and ddddddd is not on main";
    assert_eq!(runs, json!({"commit": null, "commitsBehind": null, "evidence": words}));
    let mut object = live("error");
    object["data"]["size"] = json!("3");
    let (runs, _) = scan(&work, &[object, application(&work, &synced(1))]);
    let said = runs["evidence"].as_str().expect("evidence");
    assert_eq!(runs["commit"], Value::Null);
    assert!(
        said.starts_with("mixed: ") && said.contains("ConfigMap shop/api is in sync and was not so then"),
        "{said}"
    );
}

#[test]
fn two_operators_that_contradict_each_other_are_both_told() {
    let (work, commits) = workspace();
    let [repository, kustomization] = flux(&work, &format!("main/{}", commits[3]));
    let status = json!({"sync": {"status": "Synced", "revision": commits[1]}});
    let (runs, _) = scan(&work, &[live("info"), application(&work, &status), repository, kustomization]);
    let said = runs["evidence"].as_str().expect("evidence");
    for words in [
        "mixed: Application argocd/shop says",
        "3 commits behind; Kustomization flux-system/shop says",
        "1 commit behind",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!((&runs["commit"], &runs["commitsBehind"]), (&Value::Null, &Value::Null));
}

#[test]
fn an_operator_that_calls_in_sync_what_differs_is_told_beside_the_findings() {
    let (work, commits) = workspace();
    let status = |sync: &str| {
        json!({"sync": {"status": sync, "revision": commits[4]}, "health": {"status": "Healthy"},
            "operationState": {"phase": "Succeeded", "syncResult": {"revision": commits[4]}}})
    };
    let disagreement = |level: &str, size: &str, sync: &str| {
        let mut object = live(level);
        object["data"]["size"] = json!(size);
        let items = [object, application(&work, &status(sync))];
        work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
        let report = work.run(&["scan", "-o", "json"]).json();
        (report["scan"]["targets"][0]["disagreement"].clone(), work.run(&["scan"]).out)
    };
    let (said, table) = disagreement("error", "9", "Synced");
    let words = format!("Application argocd/shop says it is in sync with {}", &commits[4][..7]);
    let text = said.as_str().unwrap_or_else(|| panic!("{said}"));
    assert!(text.starts_with(&words) && text.ends_with("and 1 finding here says otherwise"), "{text}");
    let one_line = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(one_line.contains("1 finding here says otherwise"), "{table}");
    let (said, _) = disagreement("error", "3", "OutOfSync");
    assert!(said.as_str().is_some_and(|text| text.ends_with("nothing differs from the tracked commit here")), "{said}");
    assert_eq!(disagreement("error", "3", "Synced").0, Value::Null, "they agree");
}
