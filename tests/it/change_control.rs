//! Commits held against a target's change policy, and what findings say of the commits they name.

use std::path::Path;

use driftledger::adapters::git::Content;
use driftledger::model::ids::CommitId;
use serde_json::{Value, json};

use crate::program::{Workspace, findings};

const FIRST: &str = "\
ledger: ledger.sqlite
grace: 0s
clusters:
  - {name: prod, dump: live.json}
repositories:
  - {name: r, url: repository}
targets:
  - name: shop
    repository: r
    revision: main
    path: shop
    cluster: prod
    namespace: shop
";

fn configure(work: &Workspace, more: &str) {
    work.file("driftledger.yaml", &format!("{FIRST}{more}"));
}

fn policy(work: &Workspace, policy: &str) {
    configure(work, &format!("    changePolicy: {policy}\n"));
}

fn config_map(value: u32) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: '{value}'\n")
}

fn commit(work: &mut Workspace, value: u32, message: &str) -> CommitId {
    let id = work.commit(message, [("shop/a.yaml".to_owned(), Content::from(config_map(value).as_str()))]);
    live(work, value);
    id
}

fn live(work: &Workspace, value: u32) {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"},
        "data": {"k": value.to_string()}});
    work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": [object]}).to_string());
}

fn scan(work: &Workspace) -> Value {
    work.run(&["scan", "-o", "json"]).json()
}

fn of_commits(ids: &[&CommitId]) -> Vec<String> {
    let mut found: Vec<String> = ids.iter().map(|id| format!("DL012 Commit {}", id.short())).collect();
    found.sort();
    found
}

fn ended(report: &Value, what: &str) -> Vec<String> {
    let ended = report["scan"]["changes"][what].as_array().expect("changes");
    ended.iter().map(|e| e["how"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn commits_that_come_after_the_first_scan_are_held_against_the_policy_once_and_stay() {
    let mut work = Workspace::new();
    policy(&work, "{trailers: [Reviewed-by]}");
    commit(&mut work, 1, "Begin");
    assert_eq!(findings(&scan(&work)), [""; 0], "what was there before the ledger is not judged without a date");

    let good = commit(&mut work, 2, "Raise\n\nReviewed-by: Bob <bob@example.com>\n");
    let bad = commit(&mut work, 3, "Raise more");
    let fine = commit(&mut work, 4, "Go on\n\nReviewed-by: Bob\n");
    let report = scan(&work);
    assert_eq!(findings(&report), of_commits(&[&bad]));
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["severity"], &finding["cause"], &finding["live"]),
        (&json!("medium"), &Value::Null, &Value::Null)
    );
    assert_eq!(finding["note"], "it has no trailer Reviewed-by; committed by Ada Adams <ada@example.com>");
    assert_eq!(finding["declaredBy"]["commit"], bad.as_str());
    assert_eq!(finding["declaredBy"]["signature"], "none");
    assert_eq!((&finding["origin"]["commit"], &finding["origin"]["file"]), (&json!(fine.as_str()), &json!("shop")));
    assert_ne!(good, bad);
    let counts = &report["scan"]["counts"];
    assert_eq!(
        (&counts["inSync"], &counts["compared"]),
        (&json!(1), &json!(1)),
        "the objects are in sync all the same"
    );
    let table = work.run(&["scan"]);
    assert_eq!(table.code, 1);
    assert!(
        table.out.starts_with("IN SYNC: 1 object matches Git; 1 commit against the change policy"),
        "{}",
        table.out
    );

    let later = scan(&work);
    assert_eq!(findings(&later), of_commits(&[&bad]), "it does not heal");
    assert_eq!((&later["findings"][0]["scans"], &later["scan"]["counts"]["unknown"]), (&json!(3), &json!(0)));
}

#[test]
fn a_finding_on_a_commit_ends_by_policy_rule_or_rewriting_only() {
    let mut work = Workspace::new();
    policy(&work, "{mergeOnly: true}");
    let first = commit(&mut work, 1, "Begin");
    scan(&work);
    let pushed = commit(&mut work, 2, "Push");
    assert_eq!(findings(&scan(&work)), of_commits(&[&pushed]));

    policy(&work, "{trailers: [Reviewed-by]}");
    assert_eq!(findings(&scan(&work)), of_commits(&[&pushed]), "another rule is broken by it too");
    configure(
        &work,
        "    changePolicy: {mergeOnly: true}\nignore:\n  - {codes: [DL012], targets: [shop], reason: agreed}\n",
    );
    assert_eq!(ended(&scan(&work), "outOfScope"), ["an ignore rule covers it: agreed"]);
    policy(&work, "{mergeOnly: true}");
    let back = scan(&work);
    assert_eq!(findings(&back), of_commits(&[&pushed]), "it comes back with the rule's end");
    assert_eq!(back["scan"]["changes"]["reopened"].as_array().map(Vec::len), Some(1));

    let second = commit(&mut work, 3, "Push again");
    assert_eq!(findings(&scan(&work)), of_commits(&[&pushed, &second]));
    configure(&work, "");
    assert_eq!(ended(&scan(&work), "outOfScope"), ["its target no longer has a change policy"; 2]);
    policy(&work, "{mergeOnly: true}");
    assert_eq!(findings(&scan(&work)), of_commits(&[&pushed, &second]));
    policy(&work, "{trailers: [Signed-off-by]}");
    let signed_off = commit(&mut work, 4, "Go on\n\nSigned-off-by: Ada\n");
    assert_eq!(findings(&scan(&work)), of_commits(&[&pushed, &second]));

    work.move_main(&first);
    live(&work, 1);
    let rewritten = scan(&work);
    assert_eq!(ended(&rewritten, "resolved"), ["the commit is no longer on the revision"; 2]);
    assert_eq!(findings(&rewritten), [""; 0]);
    work.move_main(&signed_off);
    assert_eq!(findings(&scan(&work)).iter().filter(|found| found.starts_with("DL012")).count(), 2, "and back again");
}

#[test]
fn a_commit_is_one_finding_for_all_targets_and_ends_by_its_own_only() {
    let mut work = Workspace::new();
    let two = "    changePolicy: {mergeOnly: true}\n  - name: other\n    repository: r\n    revision: main\n    path: other\n    \
               cluster: prod\n    changePolicy: {trailers: [Reviewed-by]}\n";
    configure(&work, two);
    let first = work.commit("Begin", [("other/none.txt".to_owned(), Content::from("x"))]);
    commit(&mut work, 1, "Go on");
    scan(&work);
    let reviewed = commit(&mut work, 2, "Raise\n\nReviewed-by: Bob\n");
    let neither = commit(&mut work, 3, "Raise more");
    let report = scan(&work);
    assert_eq!(findings(&report), of_commits(&[&reviewed, &neither]), "{first}");
    let notes: Vec<&str> =
        report["findings"].as_array().expect("findings").iter().filter_map(|f| f["note"].as_str()).collect();
    assert!(notes.iter().any(|note| note.ends_with("; for target other: it has no trailer Reviewed-by")), "{notes:?}");

    let narrow = work.run(&["scan", "--target", "other", "-o", "json"]).json();
    assert_eq!(ended(&narrow, "resolved"), [""; 0]);
    assert_eq!(ended(&narrow, "outOfScope"), [""; 0]);
    assert_eq!(findings(&narrow), of_commits(&[&reviewed, &neither]));
    assert_eq!(findings(&scan(&work)), of_commits(&[&reviewed, &neither]));

    // The first target is gone: what the other one's policy forbids stays a finding.
    configure(&work, &two.replacen("    changePolicy: {mergeOnly: true}\n", "", 1));
    let left = scan(&work);
    assert_eq!(findings(&left), of_commits(&[&neither]));
    assert_eq!(ended(&left, "outOfScope"), ["its target no longer has a change policy"]);
}

#[test]
fn a_date_brings_earlier_commits_when_the_policy_is_new_or_has_changed() {
    let mut work = Workspace::new();
    let first = commit(&mut work, 1, "Begin");
    let second = commit(&mut work, 2, "Raise");
    configure(&work, "");
    scan(&work);
    policy(&work, "{mergeOnly: true, since: 2026-01-01}");
    assert_eq!(findings(&scan(&work)), of_commits(&[&first, &second]));
    policy(&work, "{mergeOnly: true, since: 2026-12-31}");
    assert_eq!(findings(&scan(&work)), of_commits(&[&first, &second]), "what is open stays");
    policy(&work, "{trailers: [Signed-off-by], since: 2026-12-31}");
    commit(&mut work, 3, "Signed\n\nSigned-off-by: Ada\n");
    assert_eq!(findings(&scan(&work)), of_commits(&[&first, &second]));
}

#[test]
fn a_walk_that_is_cut_short_says_so_and_resolves_nothing() {
    let mut work = Workspace::new();
    let limit =
        |commits: u32| format!("    changePolicy: {{mergeOnly: true}}\nlimits: {{historyCommits: {commits}}}\n");
    configure(&work, &limit(100));
    commit(&mut work, 1, "Begin");
    scan(&work);
    let old = commit(&mut work, 2, "Push");
    scan(&work);
    let new: Vec<CommitId> = (3..7).map(|n| commit(&mut work, n, "Push on")).collect();
    configure(&work, &limit(2));
    let report = scan(&work);
    assert_eq!(findings(&report), of_commits(&[&old, &new[2], &new[3]]));
    let gaps = report["gaps"].as_array().expect("gaps");
    let said =
        |text: &str| gaps.iter().any(|gap| gap["message"].as_str().is_some_and(|message| message.contains(text)));
    assert!(said("only the newest 2 commits were held against the change policy"), "{gaps:?}");
    assert_eq!(report["scan"]["counts"]["unknown"], 1, "the old one is out of sight, and open");
}

#[test]
fn only_a_signature_with_a_key_of_ours_satisfies_a_policy_that_asks_for_one() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/signatures");
    let mut work = Workspace::new();
    commit(&mut work, 1, "Begin");
    let keys = |allowed: &Path, policy: &str| {
        let text = FIRST.replace("url: repository", &format!("url: repository, allowedSigners: {}", allowed.display()));
        work.file("driftledger.yaml", &format!("{text}    changePolicy: {policy}\n"));
    };
    let allowed = fixtures.join("allowed_signers");
    keys(&allowed, "{signatures: required}");
    scan(&work);
    let object = |name: &str| std::fs::read(fixtures.join(format!("{name}.commit"))).expect("a commit");
    let signed = work.push_object(&object("ssh-ed25519"));
    let report = scan(&work);
    assert_eq!(findings(&report).iter().filter(|f| f.starts_with("DL012")).count(), 0, "{signed} is signed: {report}");
    let stranger = work.push_object(&object("ssh-stranger"));
    let report = scan(&work);
    let found = |report: &Value| findings(report).into_iter().filter(|f| f.starts_with("DL012")).collect::<Vec<_>>();
    // The object has no parent: the line begins anew, and only what it does not share with the former one is new.
    assert_eq!(found(&report), of_commits(&[&stranger]));
    let of_stranger = report["findings"].as_array().and_then(|all| all.iter().find(|f| f["code"] == "DL012"));
    let of_stranger = of_stranger.expect("a finding");
    let note = of_stranger["note"].as_str().unwrap_or_default();
    assert!(note.contains("its signature is unverified: signed with key SHA256:"), "{note}");
    assert_eq!(of_stranger["declaredBy"]["signature"], "unverified");

    // A file of keys that is gone is told, and nothing is verified then.
    keys(Path::new("gone"), "{signatures: required}");
    let report = scan(&work);
    let gap = report["gaps"].as_array().and_then(|gaps| gaps.iter().find(|gap| gap["kind"] == "parse"));
    assert!(gap.is_some_and(|gap| gap["hides"]["what"] == "evidence"), "{report}");
}
