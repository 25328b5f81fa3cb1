//! `history: full`: what stood only inside of what merges brought, with a dump in the place of a cluster.

use driftledger::adapters::git::Content;
use driftledger::model::ids::CommitId;
use serde_json::{Value, json};

use crate::program::{Workspace, findings};

fn config_map(name: &str, level: &str) -> Content {
    Content::from(
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{level: {level}, size: '3'}}\n")
            .as_str(),
    )
}

fn live(name: &str, level: &str, manager: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"level": level, "size": "3"}, "metadata": {
        "name": name, "namespace": "shop", "managedFields": [{"manager": manager, "operation": "Update", "apiVersion": "v1",
        "time": "2026-03-02T10:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:level": {}, "f:size": {}}}}]}})
}

struct Place {
    work: Workspace,
    items: Vec<Value>,
}

impl Place {
    fn scan(&self, history: &str, limits: &str) -> Value {
        let items = &self.items;
        self.work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
        let config = format!(
            "ledger: ledger{}.sqlite\ngrace: 0s\ncache: cache\nclusters: [{{name: prod, dump: live.json}}]\n\
             repositories: [{{name: app, url: repository{history}}}]\n\
             targets: [{{name: shop, repository: app, revision: main, path: shop, cluster: prod, namespace: shop}}]\n{limits}",
            history.len() + limits.len()
        );
        self.work.file("driftledger.yaml", &config);
        self.work.run(&["scan", "-o", "json"]).json()
    }
}

fn file(name: &str, content: Content) -> (String, Content) {
    (format!("shop/{name}"), content)
}

fn found<'r>(report: &'r Value, code: &str) -> &'r Value {
    let all = report["findings"].as_array().expect("findings");
    all.iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("{code}: {report:#}"))
}

/// A branch that drafts a level and a probe, and warns and drops the probe before it is merged.
fn branch(items: Vec<Value>) -> (Place, [CommitId; 4]) {
    let mut work = Workspace::new();
    let first = work.commit("Begin", [file("api.yaml", config_map("api", "info"))]);
    let draft = work.commit_on(
        &[&first],
        "Draft",
        [file("api.yaml", config_map("api", "draft")), file("probe.yaml", config_map("probe", "x"))],
    );
    let warn = work.commit_on(
        &[&draft],
        "Warn",
        [file("api.yaml", config_map("api", "warn")), file("probe.yaml", Content::Removed)],
    );
    let merge = work.commit_on(
        &[&first, &warn],
        "Merge pull request #7 from acme/warn",
        [file("api.yaml", config_map("api", "warn"))],
    );
    work.move_main(&merge);
    work.commit("Go on", [("README.md".to_owned(), Content::from("x"))]);
    (Place { work, items }, [first, draft, warn, merge])
}

#[test]
fn what_stood_only_in_a_branch_is_an_earlier_version_where_it_is_asked_for() {
    let items = vec![live("api", "draft", "argocd-controller"), live("probe", "x", "argocd-controller")];
    let (mut place, [_, draft, warn, merge]) = branch(items);
    for history in ["", ", history: first-parent"] {
        let report = place.scan(history, "");
        assert_eq!(findings(&report), ["DL001 ConfigMap api .data.level"]);
        let level = found(&report, "DL001");
        assert_eq!((&level["cause"], &level["liveMatches"]), (&json!("out-of-band"), &Value::Null));
    }

    let report = place.scan(", history: full", "");
    assert_eq!(findings(&report), ["DL001 ConfigMap api .data.level", "DL005 ConfigMap probe"]);
    let level = found(&report, "DL001");
    assert_eq!(level["cause"], "behind");
    let matches = &level["liveMatches"];
    assert_eq!((&matches["commit"], &matches["givenBy"]), (&json!(draft.as_str()), &json!(draft.as_str())));
    assert_eq!((&matches["reachedBy"], &matches["commitsBehind"]), (&json!(merge.as_str()), &json!(1)));
    assert_eq!(
        (&matches["matched"]["subject"], &matches["matched"]["pullRequest"]),
        (&json!("Draft"), &json!("PR #7"))
    );
    assert_eq!(matches["since"], "2026-02-02T02:43:00Z", "when the branch went on");
    let inside = format!("only inside what merge {} brought", merge.short());
    assert_eq!(level["note"], format!("the live value stood {inside}"));
    assert_eq!(level["declaredBy"]["commit"], warn.as_str(), "as with first parents");

    let probe = found(&report, "DL005");
    assert_eq!((&probe["cause"], &probe["severity"]), (&json!("behind"), &json!("high")));
    for (by, commit) in [("declaredBy", &draft), ("removedBy", &warn)] {
        assert_eq!(probe[by]["commit"], commit.as_str(), "{by}");
        assert_eq!(
            (&probe[by]["reachedBy"], &probe[by]["pullRequest"]),
            (&json!(merge.as_str()), &json!("PR #7")),
            "{by}"
        );
    }
    let note = probe["note"].as_str().expect("a note");
    let expected = format!("removed from Git by {} (Ben Boole, ", warn.short());
    assert!(note.starts_with(&expected) && note.contains(&format!("it was declared {inside}")), "{note}");
    assert_eq!(report["scan"]["targets"][0]["runs"], Value::Null, "no commit of the revision has it");

    // That the revision moves on is no other evidence.
    place.work.commit("Go further", [("README.md".to_owned(), Content::from("y"))]);
    let later = place.scan(", history: full", "");
    assert_eq!(found(&later, "DL001")["liveMatches"]["commitsBehind"], 2);
    let story = place.work.run(&["history", "ConfigMap/shop/api", "-o", "json"]).json();
    let entries = story["objects"][0]["entries"].as_array().expect("entries").iter();
    let events: Vec<&Value> = entries.filter(|entry| entry["what"] == "finding").map(|entry| &entry["event"]).collect();
    assert_eq!(events, ["opened"]);

    let html = place.work.run(&["scan", "-o", "html"]).out;
    for words in [format!("{} Draft, Ben Boole", draft.short()), format!("Removed by</dt><dd>{} Warn", warn.short())] {
        assert!(html.contains(&words), "{words}");
    }

    let text = place.work.run(&["show", level["id"].as_str().expect("an id")]).out;
    assert!(text.contains(&format!("equals commit {} on main, only inside what merge", draft.short())), "{text}");
}

#[test]
fn the_writer_decides_as_on_the_revision_itself() {
    let (place, _) = branch(vec![live("api", "draft", "kubectl-edit")]);
    assert_eq!(found(&place.scan(", history: full", ""), "DL001")["cause"], "hand-rollback");
    let (place, _) = branch(vec![live("api", "never", "argocd-controller")]);
    assert_eq!(found(&place.scan(", history: full", ""), "DL001")["cause"], "out-of-band");
}

#[test]
fn a_limit_that_is_reached_is_said_and_leaves_the_cause_open() {
    let (place, _) = branch(vec![live("api", "never", "acme"), live("probe", "x", "acme")]);
    let limits = "limits: {historyCommits: 3}\n";
    assert_eq!(found(&place.scan(", history: full", limits), "DL001")["cause"], "out-of-band", "three and two commits");
    // Three commits of the revision, and the newest of the branch.
    let (mut place, [first, draft, warn, _]) = branch(vec![live("api", "never", "acme"), live("probe", "x", "acme")]);
    let more = ["a", "b"]
        .iter()
        .fold(warn, |tip, level| place.work.commit_on(&[&tip], level, [file("api.yaml", config_map("api", level))]));
    let merge = place.work.commit_on(&[&first, &more], "Merge", [file("api.yaml", config_map("api", "b"))]);
    place.work.move_main(&merge);
    place.work.commit("Go on", [("README.md".to_owned(), Content::from("x"))]);
    let report = place.scan(", history: full", limits);
    assert_eq!(findings(&report), ["DL001 ConfigMap api .data.level"], "{draft} is not looked at");
    assert_eq!(found(&report, "DL001")["cause"], "undetermined");
    let exclusions = report["exclusions"].to_string();
    for words in ["a part of what stood only inside merges", "`limits.historyCommits` is reached"] {
        assert!(exclusions.contains(words), "{words}: {exclusions}");
    }
    assert_eq!(found(&place.scan(", history: full", ""), "DL001")["cause"], "out-of-band");
}

#[test]
fn tips_that_a_merge_took_off_the_line_of_first_parents_are_found() {
    let mut work = Workspace::new();
    let first = work.commit("Begin", [file("api.yaml", config_map("api", "info"))]);
    work.commit("Debug", [file("api.yaml", config_map("api", "debug"))]);
    let tip = work.commit("Warn", [file("api.yaml", config_map("api", "warn"))]);
    let feature = work.commit_on(&[&first], "Feature", [file("web.yaml", config_map("web", "x"))]);
    // Main was merged into the feature, and that was pushed as main.
    let merge = work.commit_on(&[&feature, &tip], "Merge main", [file("api.yaml", config_map("api", "warn"))]);
    work.move_main(&merge);
    let items = vec![live("api", "debug", "argocd-controller"), live("web", "x", "argocd-controller")];
    let place = Place { work, items };
    assert_eq!(found(&place.scan("", ""), "DL001")["cause"], "out-of-band");
    let report = place.scan(", history: full", "");
    let level = found(&report, "DL001");
    assert_eq!((&level["cause"], &level["liveMatches"]["reachedBy"]), (&json!("behind"), &json!(merge.as_str())));
    assert_eq!(level["liveMatches"]["matched"]["subject"], "Debug");
}

#[test]
fn of_several_merges_the_oldest_brought_a_commit() {
    let (mut place, [_, _, warn, _]) = branch(vec![live("api", "draft", "argocd-controller")]);
    let report = place.scan(", history: full", "");
    let before = found(&report, "DL001")["liveMatches"]["reachedBy"].clone();
    let tip = place.work.commit("Say", [file("api.yaml", config_map("api", "say"))]);
    let later = place.work.commit_on(&[&warn], "Later", [file("api.yaml", config_map("api", "later"))]);
    let again = place.work.commit_on(&[&tip, &later], "Merge again", [file("api.yaml", config_map("api", "later"))]);
    place.work.move_main(&again);
    let report = place.scan(", history: full", "");
    let matches = &found(&report, "DL001")["liveMatches"];
    assert_eq!((&matches["reachedBy"], &matches["matched"]["subject"]), (&before, &json!("Draft")));
    assert_eq!(matches["commitsBehind"], 3);
}

#[test]
fn what_may_be_the_revisions_own_further_back_is_not_taken_for_merged() {
    let mut work = Workspace::new();
    let first = work.commit("Begin", [file("api.yaml", config_map("api", "old"))]);
    let tip = ["info", "warn", "error"]
        .iter()
        .fold(first.clone(), |_, level| work.commit(level, [file("api.yaml", config_map("api", level))]));
    let side = work.commit_on(&[&first], "Side", [file("web.yaml", config_map("web", "x"))]);
    let merge = work.commit_on(&[&tip, &side], "Merge", [file("web.yaml", config_map("web", "x"))]);
    work.move_main(&merge);
    let items = vec![live("api", "old", "argocd-controller"), live("web", "x", "argocd-controller")];
    let place = Place { work, items };
    let report = place.scan(", history: full", "limits: {historyCommits: 3}\n");
    let level = found(&report, "DL001");
    assert_eq!((&level["cause"], &level["liveMatches"]), (&json!("undetermined"), &Value::Null));
    let said = report["exclusions"].to_string();
    assert!(said.contains("the history at hand ends before they left it"), "{said}");
    let whole = place.scan(", history: full", "");
    assert_eq!(found(&whole, "DL001")["liveMatches"]["commit"], first.as_str());
}
