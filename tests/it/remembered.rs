//! What scans keep of what they found out about objects' pasts: a scan with it says what one without it says, whatever happened meanwhile.

use std::path::PathBuf;

use driftledger::adapters::git::Content;
use driftledger::model::ids::CommitId;
use serde_json::{Value, json};

use crate::program::Workspace;

const SECRET: &str = "CANARY-of-an-old-version";

/// Two ledgers of the same scans: one with a cache folder that stays, one with an empty one each time.
struct Twins {
    work: Workspace,
    items: Vec<Value>,
    key: &'static str,
    scans: usize,
}

fn map(name: &str, level: &str, more: &str) -> Content {
    Content::from(
        format!(
            "# {more}\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{level: {level}, size: '3'}}\n"
        )
        .as_str(),
    )
}

fn secret(value: &str) -> Content {
    Content::from(
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: token}}\nstringData: {{token: {value}}}\n").as_str(),
    )
}

fn file(name: &str, content: Content) -> (String, Content) {
    (format!("shop/{name}"), content)
}

fn live(kind: &str, name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "data": data, "metadata": {"name": name, "namespace": "shop",
        "managedFields": [{"manager": "argocd-controller", "operation": "Update", "apiVersion": "v1",
        "time": "2026-03-02T10:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:level": {}, "f:token": {}}}}]}})
}

impl Twins {
    /// A history with changes, moves, a merge, a removal and a Secret, and a cluster that is behind, changed by hand and lacks an object.
    fn new() -> Self {
        let mut work = Workspace::new();
        work.commit(
            "Begin",
            [
                file("api.yaml", map("api", "info", "")),
                file("old.yaml", map("old", "x", "")),
                file("secret.yaml", secret(SECRET)),
            ],
        );
        work.commit("Add", [file("web.yaml", map("web", "one", "")), file("gone.yaml", map("gone", "x", ""))]);
        work.commit("Raise", [file("api.yaml", map("api", "warn", "")), file("secret.yaml", secret("another"))]);
        let before =
            work.commit("Move", [file("web.yaml", Content::Removed), file("apps/web.yaml", map("web", "two", ""))]);
        let inside = work.commit_on(&[&before], "Silence", [file("api.yaml", map("api", "error", ""))]);
        let merge = work.commit_on(
            &[&before, &inside],
            "Merge pull request #7 from acme/silence",
            [file("api.yaml", map("api", "error", ""))],
        );
        work.move_main(&merge);
        work.commit("Remove", [file("old.yaml", Content::Removed)]);
        let items = vec![
            live("ConfigMap", "api", &json!({"level": "warn", "size": "3"})),
            live("ConfigMap", "web", &json!({"level": "by hand", "size": "3"})),
            live("ConfigMap", "old", &json!({"level": "x", "size": "3"})),
            live("Secret", "token", &json!({"token": "Q0FOQVJZLW9mLWFuLW9sZC12ZXJzaW9u"})),
        ];
        Self { work, items, key: "key", scans: 0 }
    }

    /// One scan by each; both say the same, which is returned.
    fn scan(&mut self, case: &str) -> Value {
        self.scans += 1;
        let items = &self.items;
        self.work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
        let _ = std::fs::remove_dir_all(self.work.path().join("cold"));
        let [warm, cold] = ["warm", "cold"].map(|cache| self.scan_with(cache));
        assert_eq!(warm, cold, "{case}");
        warm
    }

    fn scan_with(&self, cache: &str) -> Value {
        let key = self.key;
        let config = format!(
            "ledger: {{path: {cache}-{key}.sqlite, keyFile: {key}}}\ngrace: 0s\ncache: {cache}\n\
             clusters: [{{name: prod, dump: live.json, secrets: true}}]\nrepositories: [{{name: app, url: repository}}]\n\
             targets: [{{name: shop, repository: app, revision: main, path: shop, cluster: prod, namespace: shop}}]\n"
        );
        self.work.file(&format!("{cache}.yaml"), &config);
        let config = format!("{cache}.yaml");
        let mut report = self.work.run(&["--config", &config, "scan", "-o", "json"]).json();
        // Two scans are not begun at the same moment, and each ledger has its own seal.
        for finding in report["findings"].as_array_mut().expect("findings") {
            for which in ["firstSeen", "lastSeen", "scans"] {
                finding.as_object_mut().expect("a finding").remove(which);
            }
        }
        json!([report["findings"], report["gaps"], report["scan"]["counts"], report["scan"]["targets"]])
    }

    /// What is kept.
    fn kept(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.work.path().join("warm/evidence")).expect("a folder");
        files.map(|file| file.expect("a file").path()).collect()
    }

    fn rewrite(&self, with: impl Fn(String) -> String) {
        for file in self.kept() {
            let text = std::fs::read_to_string(&file).expect("a file");
            std::fs::write(file, with(text)).expect("a file");
        }
    }
}

fn found<'r>(report: &'r Value, name: &str) -> &'r Value {
    let all = report[0].as_array().expect("findings");
    all.iter().find(|finding| finding["name"] == name).unwrap_or_else(|| panic!("{name}: {report:#}"))
}

#[test]
fn a_scan_that_remembers_says_what_one_that_does_not_says() {
    let mut twins = Twins::new();
    let first = twins.scan("the first scan");
    let names = ["api", "web", "old", "token", "gone"];
    let causes = names.map(|name| found(&first, name)["cause"].as_str().unwrap_or_default());
    assert_eq!(causes, ["behind", "out-of-band", "behind", "behind", "behind"]);
    assert_eq!(found(&first, "api")["declaredBy"]["subject"], "Silence", "inside of the merge");
    assert_eq!(found(&first, "api")["liveMatches"]["commitsBehind"], 2);
    let kept = twins.kept();
    assert_eq!(kept.len(), 1);
    let text = std::fs::read_to_string(&kept[0]).expect("a file");
    assert!(text.contains("Silence") && !text.contains("CANARY") && !text.contains("Q0FOQVJZ"), "{text}");

    assert_eq!(twins.scan("nothing happened"), first);
    twins.work.commit("Elsewhere", [("README.md".to_owned(), Content::from("x"))]);
    let later = twins.scan("a commit that touches nothing");
    assert_eq!(found(&later, "api")["liveMatches"]["commitsBehind"], 3, "that is said anew");
    twins.work.commit("Comment", [file("api.yaml", map("api", "error", "a word"))]);
    twins.scan("a commit that declares nothing else");
    let tip = twins.work.commit("Go on", [file("apps/web.yaml", map("web", "three", ""))]);
    twins.scan("a commit that declares something else");
    twins.items[1] = live("ConfigMap", "web", &json!({"level": "two", "size": "3"}));
    assert_eq!(found(&twins.scan("live is changed"), "web")["cause"], "behind");
    let more = twins.work.commit_on(&[&tip], "Again", [file("api.yaml", map("api", "warn", ""))]);
    twins.work.move_main(&more);
    twins.scan("api is in sync");

    let rewritten = twins.work.commit_on(&[&tip], "Rewritten", [file("api.yaml", map("api", "trace", ""))]);
    twins.work.move_main(&rewritten);
    twins.scan("the history was rewritten");
    let root = twins.work.commit_on(
        &[] as &[&CommitId],
        "Anew",
        [file("api.yaml", map("api", "trace", "")), file("apps/web.yaml", map("web", "three", ""))],
    );
    twins.work.move_main(&root);
    twins.scan("another history");
    twins.work.move_main(&rewritten);
    twins.scan("the old one again");

    twins.key = "another-key";
    let other = twins.scan("another key");
    assert_eq!(found(&other, "token")["cause"], "behind");
}

#[test]
fn what_is_kept_is_used_and_what_cannot_be_read_is_found_out_anew() {
    let mut twins = Twins::new();
    let first = twins.scan("the first scan");
    twins.rewrite(|text| text.replace("\"Silence\"", "\"From the file\""));
    let said = twins.scan_with("warm");
    assert_eq!(found(&said, "api")["declaredBy"]["subject"], "From the file", "or this test shows nothing");

    for (case, with) in [
        ("cut off", (|text| text[..text.len() / 2].to_owned()) as fn(String) -> String),
        ("empty", |_| String::new()),
        ("no numbers of commits", |text| text.replace("\"commits\":[{", "\"commits\":[],\"x\":[{")),
        ("other commits", |text| text.replace("\"id\":\"", "\"id\":\"0")),
        ("no values", |text| text.replace("\"values\":[", "\"values\":[],\"x\":[")),
        ("another form", |text| text.replace("\"pages\"", "\"sheets\"")),
        ("pages of nothing", |text| text.replace("\"whole\"", "\"hole\"")),
    ] {
        twins.rewrite(with);
        assert_eq!(twins.scan(case), first, "{case}");
        let text = std::fs::read_to_string(&twins.kept()[0]).expect("a file");
        assert!(text.contains("\"Silence\"") && text.contains("\"whole\""), "{case}: kept anew");
    }
}
