//! Who is behind a field, told by the program on a repository with a history and a dump.

use driftledger::adapters::git::Content;
use serde_json::Value;

use crate::program::Workspace;

fn config_map(level: &str, more: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: api, namespace: shop}}\ndata:\n  level: {level}\n{more}"
    )
}

/// An object that moves, gains a field and loses one; live, one field is changed by hand and the lost one is still there.
fn workspace() -> (Workspace, Vec<String>) {
    let mut work = Workspace::new();
    let file = |name: &str, text: String| (name.to_owned(), Content::from(text.as_str()));
    let commits = [
        work.commit("Add the map", [file("app/a.yaml", config_map("info", "  old: kept\n"))]),
        work.commit(
            "Move it",
            [
                ("app/a.yaml".to_owned(), Content::Removed),
                file("app/base/b.yaml", config_map("\"info\"", "  old: kept # for now\n")),
            ],
        ),
        work.commit("Say the size", [file("app/base/b.yaml", config_map("info", "  old: kept\n  size: '3'\n"))]),
        work.commit("Warn, and forget the old", [file("app/base/b.yaml", config_map("warn", "  size: '3'\n"))]),
    ];
    work.file(
        "dump.json",
        r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"api","namespace":"shop",
        "managedFields":[{"manager":"kubectl-edit","operation":"Update","apiVersion":"v1","time":"2026-03-02T10:00:00Z",
        "fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:size":{},"f:old":{}}}}]},"data":{"level":"info","size":"9","old":"kept"}}]}"#,
    );
    work.file(
        "driftledger.yaml",
        "ledger: ledger.sqlite\ncache: cache\nclusters: [{name: prod, dump: dump.json}]\nrepositories: [{name: app, url: repository}]\n\
         targets: [{name: app, repository: app, revision: main, path: app, cluster: prod, namespace: shop}]\n",
    );
    (work, commits.map(|commit| commit.as_str().to_owned()).to_vec())
}

#[test]
fn each_field_has_its_commit_and_writer() {
    let (work, commits) = workspace();
    let said = work.run(&["blame", "ConfigMap/shop/api", "-o", "json"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let blamed = said.json();
    assert_eq!(blamed["schema"], "driftledger/blame/v1");
    let fields = blamed["objects"][0]["fields"].as_array().expect("fields");
    let field = |path: &str| fields.iter().find(|field| field["path"] == path).expect(path);
    let by = |path: &str| field(path)["declaredBy"]["commit"].clone();
    assert_eq!(by(".data.level"), commits[3].as_str());
    assert_eq!(field(".data.level")["liveMatches"]["commit"], commits[2].as_str(), "the newest commit that had it");
    assert_eq!(field(".data.level")["liveMatches"]["givenBy"], commits[0].as_str(), "through the move");
    assert_eq!(by(".data.size"), commits[2].as_str());
    assert_eq!(field(".data.size")["actors"][0]["manager"], "kubectl-edit");
    assert_eq!(field(".data.size")["line"], 6);
    assert_eq!(by(".data.old"), commits[3].as_str(), "the commit that gave it up");
    assert_eq!(field(".data.old")["finding"], "DL003");

    let table = work.run(&["blame", "ConfigMap/shop/api"]).out;
    let line = |text: &str| table.lines().find(|line| line.contains(text)).expect(text).to_owned();
    assert!(line("level:").starts_with(&format!("{} 2026-02-02 Ada Adams", &commits[3][..7])), "{table}");
    assert!(
        line("size:").contains("!│") && line("size:").contains("Git: \"3\"; by kubectl-edit 2026-03-02"),
        "{table}"
    );
    assert!(line("old:").starts_with("~ kubectl-edit 2026-03-02"), "{table}");
    assert_eq!(work.run(&["blame", "--all", "-o", "json"]).json(), blamed);
    assert_eq!(work.run(&["blame"]).code, 2);
    assert!(work.run(&["blame", "ConfigMap/shop/nothing"]).err.contains("no target declares"));
}

#[test]
fn what_happened_to_an_object_is_told_in_order() {
    let (mut work, commits) = workspace();
    assert_eq!(work.run(&["scan", "--quiet"]).code, 1);
    let told = |work: &Workspace| -> (Vec<String>, Value) {
        let stories = work.run(&["history", "ConfigMap/shop/api", "-o", "json"]).json();
        let entries = stories["objects"][0]["entries"].as_array().expect("entries").clone();
        let words = entries.iter().map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            match entry["what"].as_str() {
                Some("commit") => format!("{} {}", text("did"), entry["by"]["subject"].as_str().unwrap_or_default()),
                Some("finding") => format!("{} {}", text("event"), text("title")),
                _ => format!("write {}", entry["actor"]["manager"].as_str().unwrap_or_default()),
            }
        });
        (words.collect(), stories)
    };
    let (words, stories) = told(&work);
    assert_eq!(
        words,
        [
            "declared Add the map",
            "moved Move it",
            "changed Say the size",
            "changed Warn, and forget the old",
            "write kubectl-edit",
            "opened DL001 changed",
            "opened DL003 undeclared",
            "opened DL001 changed",
        ]
    );
    assert_eq!(stories["objects"][0]["wholeHistory"], true);
    assert_eq!(stories["objects"][0]["entries"][3]["by"]["commit"], commits[3].as_str());
    assert_eq!(stories["objects"][0]["entries"][3]["paths"], serde_json::json!([".data.level", ".data.old"]));

    work.commit("Drop the map", [("app/base/b.yaml".to_owned(), Content::Removed)]);
    let (words, _) = told(&work);
    assert_eq!(words[4], "removed Drop the map", "{words:?}");
    let table = work.run(&["history", "ConfigMap/shop/api"]).out;
    assert!(table.contains("says the same in app/base/b.yaml") && table.contains("removes it"), "{table}");
}
