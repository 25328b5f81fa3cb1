//! What a cluster holds beyond the declared objects, with a dump in the place of a cluster.

use driftledger::adapters::git::Content;
use serde_json::{Value, json};

use crate::program::{Workspace, findings};

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  k: v\n")
}

fn live(kind: &str, api_version: &str, name: &str, more: Value) -> Value {
    let mut object = json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "managedFields": [{
            "manager": "argocd-controller", "operation": "Apply", "apiVersion": api_version, "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:k": {}}}}]},
    });
    if kind == "ConfigMap" {
        object["data"] = json!({"k": "v"});
    }
    for (key, value) in more.as_object().into_iter().flatten() {
        object["metadata"][key] = value.clone();
    }
    object
}

fn config_map_live(name: &str) -> Value {
    live("ConfigMap", "v1", name, json!({}))
}

/// A workspace with one target `shop`, and `more` configuration.
fn workspace(more: &str) -> Workspace {
    let work = Workspace::new();
    let config = format!(
        "ledger: ledger.sqlite\ngrace: 0s\nclusters:\n  - {{name: prod, dump: live.json}}\n\
         repositories:\n  - {{name: r, url: repository}}\n\
         targets:\n  - {{name: shop, repository: r, revision: main, path: shop, cluster: prod, namespace: shop}}\n{more}"
    );
    work.file("driftledger.yaml", &config);
    work
}

fn cluster(work: &Workspace, items: &[Value]) {
    work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
}

fn scan(work: &Workspace) -> Value {
    work.run(&["scan", "-o", "json"]).json()
}

fn changes(report: &Value, what: &str) -> Vec<String> {
    let ended = report["scan"]["changes"][what].as_array().expect("changes");
    ended.iter().map(|e| e["how"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_removed_object_is_found_until_it_is_gone_or_declared_again() {
    let mut work = workspace("");
    let file = |name: &str, text: &str| (format!("shop/{name}"), Content::from(text));
    work.commit("Add", [file("a.yaml", &config_map("a")), file("b.yaml", &config_map("b"))]);
    let last = work.commit("Change b", [file("b.yaml", &config_map("b").replace("k: v", "k: w"))]);
    // It moves to another file, and into a file with others: neither is a removal.
    work.commit("Move a", [("shop/a.yaml".into(), Content::Removed), file("all.yaml", &config_map("a"))]);
    let removal = work.commit("Drop b", [("shop/b.yaml".to_owned(), Content::Removed)]);
    work.commit("Go on", [file("c.yaml", &config_map("c"))]);
    let (a, b, c) = (config_map_live("a"), config_map_live("b"), config_map_live("c"));
    cluster(&work, &[a.clone(), b.clone(), c.clone(), config_map_live("never-declared")]);

    let found = scan(&work);
    assert_eq!(findings(&found), ["DL005 ConfigMap b"]);
    let finding = &found["findings"][0];
    assert_eq!((&finding["severity"], &finding["cause"]), (&json!("high"), &json!("behind")));
    assert_eq!(finding["declaredBy"]["commit"], last.as_str());
    assert_eq!(finding["removedBy"]["commit"], removal.as_str());
    assert_eq!(
        (&finding["removedBy"]["signature"], &finding["declaredBy"]["signature"]),
        (&json!("none"), &json!("none"))
    );
    assert_eq!(finding["removedBy"]["committer"]["email"], "ada@example.com");
    let note = finding["note"].as_str().expect("a note");
    let expected = format!("removed from Git by {} (Ada Adams, ", removal.short());
    assert!(note.starts_with(&expected) && note.contains("): Drop b; last declared in shop/b.yaml"), "{note}");
    let coverage = &found["scan"]["clusters"][0]["coverage"];
    assert_eq!((&coverage["live"], &coverage["declared"]), (&json!(4), &json!(2)));
    assert_eq!(found["scan"]["counts"]["coverage"], *coverage);
    assert_eq!(coverage["kinds"], json!(["ConfigMap"]));

    // A document that cannot be read may declare it; nothing is resolved, nothing else is said.
    work.commit("Break", [file("broken.yaml", "kind: [\n")]);
    let doubt = scan(&work);
    assert_eq!(findings(&doubt), ["DL005 ConfigMap b"]);
    assert_eq!(doubt["findings"][0]["cause"], "undetermined");
    assert!(doubt["findings"][0]["note"].as_str().is_some_and(|note| note.contains("shop/broken.yaml")));
    assert_eq!(doubt["scan"]["counts"]["coverage"], Value::Null);
    work.commit("Mend", [("shop/broken.yaml".to_owned(), Content::Removed)]);
    scan(&work);

    cluster(&work, &[a.clone(), c.clone()]);
    assert_eq!(changes(&scan(&work), "resolved"), ["the object no longer exists live"]);
    cluster(&work, &[a, b, c]);
    let back = scan(&work);
    assert_eq!(back["scan"]["changes"]["reopened"].as_array().map(Vec::len), Some(1));
    work.commit("Declare b again", [file("b.yaml", &config_map("b"))]);
    assert_eq!(changes(&scan(&work), "resolved"), ["Git declares the object"]);
}

#[test]
fn a_broken_file_accuses_nothing_that_it_declared_before() {
    let mut work = workspace("");
    work.commit("Add", [("shop/a.yaml".to_owned(), Content::from(config_map("a").as_str()))]);
    work.commit("Break", [("shop/a.yaml".to_owned(), Content::from("kind: [\n"))]);
    cluster(&work, &[config_map_live("a")]);
    let report = scan(&work);
    assert_eq!(findings(&report), [""; 0]);
    assert_eq!(report["gaps"].as_array().map(Vec::len), Some(1));
    assert!(report["exclusions"].to_string().contains("nothing is said of them"), "{}", report["exclusions"]);
}

#[test]
fn what_moved_to_another_target_of_the_cluster_is_not_removed_and_a_part_of_the_targets_says_nothing() {
    let more = "  - {name: other, repository: r, revision: main, path: other, cluster: prod, namespace: shop}\n";
    let mut work = workspace(more);
    let text = config_map("a");
    work.commit(
        "Add",
        [
            ("shop/a.yaml".to_owned(), Content::from(text.as_str())),
            ("shop/b.yaml".into(), Content::from(config_map("b").as_str())),
        ],
    );
    work.commit(
        "Move",
        [("shop/a.yaml".to_owned(), Content::Removed), ("other/a.yaml".to_owned(), Content::from(text.as_str()))],
    );
    cluster(&work, &[config_map_live("a"), config_map_live("b")]);
    assert_eq!(findings(&scan(&work)), [""; 0]);
    let part = work.run(&["scan", "--target", "shop", "-o", "json"]).json();
    assert_eq!(findings(&part), [""; 0]);
    assert!(part["exclusions"].to_string().contains("only some of the cluster's targets"), "{}", part["exclusions"]);
    assert_eq!(part["scan"]["counts"]["coverage"], Value::Null);
}

#[test]
fn unmanaged_objects_by_default_and_by_choice_and_what_ends_them() {
    const AUDIT: &str =
        "audit:\n  unmanaged:\n    namespaces: [sho?]\n    exclude:\n      - {names: ['tmp-*'], reason: scratch}\n";
    let mut work = workspace(AUDIT);
    work.commit("Add", [("shop/a.yaml".to_owned(), Content::from(config_map("a").as_str()))]);
    let helm = json!({"annotations": {"meta.helm.sh/release-name": "op", "meta.helm.sh/release-namespace": "shop"}});
    let role = live("Role", "rbac.authorization.k8s.io/v1", "by-hand", helm);
    let child = json!({"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u", "controller": true}]});
    let items = [
        config_map_live("a"),
        config_map_live("kube-root-ca.crt"),
        config_map_live("tmp-1"),
        config_map_live("stray"),
        live("ConfigMap", "v1", "child", child),
        role.clone(),
    ];
    cluster(&work, &items);
    let found = scan(&work);
    assert_eq!(findings(&found), ["DL006 ConfigMap stray", "DL006 Role by-hand"]);
    let by_kind = |report: &Value, kind: &str| {
        let all = report["findings"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|f| f["kind"] == kind).unwrap_or_default()
    };
    let (rights, stray) = (by_kind(&found, "Role"), by_kind(&found, "ConfigMap"));
    assert_eq!((&rights["severity"], &stray["severity"]), (&json!("high"), &json!("low")));
    assert!(
        rights["note"].as_str().is_some_and(|note| note.contains("seems to be managed by Helm release shop/op")),
        "{rights}"
    );
    assert_eq!(
        (&rights["cause"], &rights["origin"], &rights["declaredBy"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let exclusions = found["exclusions"].to_string();
    for expected in ["scratch", "in every namespace", "made and kept by their controllers"] {
        assert!(exclusions.contains(expected), "{expected}: {exclusions}");
    }

    let config = std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("the configuration");
    work.file("driftledger.yaml", &config.replace(AUDIT, ""));
    let narrower = scan(&work);
    assert_eq!(findings(&narrower), ["DL006 Role by-hand"]);
    assert_eq!(changes(&narrower, "outOfScope"), ["the audit no longer covers it"]);
    // A dump without the kind says nothing of it; with another role in it, that this one is gone.
    cluster(&work, &items[..4]);
    let unknown = scan(&work);
    assert_eq!(unknown["scan"]["counts"]["unknown"], 1);
    let other = live("Role", "rbac.authorization.k8s.io/v1", "other", json!({}));
    cluster(&work, &[config_map_live("a"), other]);
    let gone = scan(&work);
    assert_eq!(changes(&gone, "resolved"), ["the object no longer exists live"]);
    assert_eq!(findings(&gone), ["DL006 Role other"]);
}

#[test]
fn hooks_and_opt_outs_of_git_are_left_out_and_one_that_is_only_live_is_a_finding() {
    let mut work = workspace("");
    let annotated = |name: &str, annotation: &str| {
        config_map(name).replace("\ndata:", &format!("\n  annotations:\n    {annotation}\ndata:"))
    };
    let file = |name: &str, text: String| (format!("shop/{name}.yaml"), Content::from(text.as_str()));
    work.commit(
        "Add",
        [
            file("plain", config_map("plain")),
            file("hook", annotated("hook", "argocd.argoproj.io/hook: PreSync")),
            file("paused", annotated("paused", "kustomize.toolkit.fluxcd.io/reconcile: disabled")),
            file("kept", annotated("kept", "helm.sh/resource-policy: keep")),
            file("hook-left", annotated("hook-left", "helm.sh/hook: post-install")),
            file("dropped", config_map("dropped")),
        ],
    );
    let dropped = ["kept", "hook-left", "dropped"].map(|name| (format!("shop/{name}.yaml"), Content::Removed));
    work.commit("Drop", dropped);
    let mut paused = config_map_live("paused");
    paused["data"]["k"] = json!("changed");
    let keep = json!({"annotations": {"argocd.argoproj.io/sync-options": "Prune=false"}});
    let plain = live("ConfigMap", "v1", "plain", keep.clone());
    let dropped = live("ConfigMap", "v1", "dropped", keep);
    cluster(&work, &[plain, paused, config_map_live("kept"), config_map_live("hook-left"), dropped]);
    let report = scan(&work);
    let expected = [
        r#"DL003 ConfigMap plain .metadata.annotations["argocd.argoproj.io/sync-options"]"#,
        "DL005 ConfigMap dropped",
    ];
    assert_eq!(findings(&report), expected);
    assert!(report["findings"].as_array().expect("findings").iter().all(|f| f["severity"] == "high"), "{report:#}");
    let exclusions = report["exclusions"].to_string();
    for words in
        ["a hook: it exists only", "not to be corrected, by an annotation in Git", "to be kept when Git gives it up"]
    {
        assert!(exclusions.contains(words), "{words}: {exclusions}");
    }
}

#[test]
fn a_history_that_is_cut_off_is_told_and_resolves_nothing() {
    let mut work = workspace("");
    work.commit(
        "Add",
        [
            ("shop/a.yaml".to_owned(), Content::from(config_map("a").as_str())),
            ("shop/b.yaml".into(), Content::from(config_map("b").as_str())),
        ],
    );
    work.commit("Drop", [("shop/b.yaml".to_owned(), Content::Removed)]);
    cluster(&work, &[config_map_live("a"), config_map_live("b")]);
    assert_eq!(findings(&scan(&work)), ["DL005 ConfigMap b"]);
    for n in 0..3 {
        work.commit("Go on", [("README".to_owned(), Content::from(n.to_string().as_str()))]);
    }
    let config = std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("the configuration");
    work.file("driftledger.yaml", &format!("{config}limits: {{historyCommits: 2}}\n"));
    let report = scan(&work);
    assert_eq!(report["scan"]["counts"]["unknown"], 1, "still open: {}", report["scan"]["changes"]);
    let exclusions = report["exclusions"].to_string();
    assert!(exclusions.contains("`limits.historyCommits` is reached"), "{exclusions}");
}
