//! What an operator has besides scans: completions, manual, role, ledger and first configuration.

use std::process::Command;

use driftledger::adapters::git::Content;
use serde_json::{Value, json};

use crate::program::{Workspace, said};

/// Whether a program is here to hold something against; what needs it says so where it is not.
fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn every_shell_gets_completions_that_know_the_commands() {
    let work = Workspace::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = work.run(&["completions", shell]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{shell}");
        for command in ["scan", "snapshot", "completions"] {
            assert!(said.out.contains(command), "{shell} knows {command}");
        }
    }
    assert_eq!(work.run(&["completions", "tcsh"]).code, 2);
    if !has("bash") {
        eprintln!("not held against bash: there is none");
        return;
    }
    let script = work.file("completions.bash", &work.run(&["completions", "bash"]).out);
    let ask = "source \"$1\"; COMP_WORDS=(driftledger sn); COMP_CWORD=1; \
               _driftledger driftledger sn driftledger; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", ask, "bash"]).arg(script).output().expect("bash runs");
    assert_eq!(said(&output).out.trim(), "snapshot");
}

#[test]
fn the_manual_is_one_page_or_one_for_each_command() {
    let work = Workspace::new();
    let page = work.run(&["man"]);
    assert_eq!((page.code, page.err.as_str()), (0, ""));
    for there in [".TH driftledger 1", ".SH \"DRIFTLEDGER SCAN\"", ".SS OPTIONS", "another scan holds the ledger"] {
        assert!(page.out.contains(there), "{there}");
    }
    assert_eq!(work.run(&["man", "--out", "pages"]).code, 0);
    let there = |name: &str| std::fs::read_to_string(work.path().join("pages").join(name)).expect(name);
    assert!(there("driftledger.1").contains("driftledger\\-scan(1)"));
    assert!(there("driftledger-config-check.1").starts_with(".ie"));
    // Again: the pages of an earlier version are replaced.
    assert_eq!(work.run(&["man", "--out", "pages"]).code, 0);
}

/// A workspace with a target whose one object drifted.
fn drifted() -> Workspace {
    let mut work = Workspace::new();
    let config = "ledger: ledger.sqlite\nclusters:\n  - {name: prod, dump: live.json}\n\
                  repositories:\n  - {name: r, url: repository}\n\
                  targets:\n  - {name: shop, repository: r, revision: main, path: shop, cluster: prod, namespace: shop}\n";
    work.file("driftledger.yaml", config);
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n";
    work.commit("Add", [("shop/a.yaml".to_owned(), Content::from(text))]);
    let live = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}, "data": {"k": "w"}}]});
    work.file("live.json", &live.to_string());
    work
}

#[test]
fn a_scan_writes_what_other_programs_read() {
    let work = drifted();
    let said = work.run(&["scan", "-o", "sarif=out.sarif", "-o", "junit=out.xml", "-o", "metrics"]);
    assert_eq!(said.code, 1, "{}", said.err);
    for line in [
        "driftledger_open_findings{cluster=\"prod\"} 1",
        "driftledger_scan_complete 1",
        "driftledger_seal_sequence 1",
        "driftledger_messages{state=\"waiting\"} 0",
    ] {
        assert!(said.out.lines().any(|l| l == line), "{line} is not in\n{}", said.out);
    }
    let file = |name: &str| std::fs::read_to_string(work.path().join(name)).expect(name);
    let sarif: Value = serde_json::from_str(&file("out.sarif")).expect("JSON");
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["startLine"]), (&"shop/a.yaml".into(), &6.into()));
    assert!(file("out.xml").contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{}", file("out.xml"));
    // Out of the ledger they are the same.
    for format in ["sarif", "junit", "metrics"] {
        assert_eq!(work.run(&["report", "-o", format]).code, 0, "{format}");
    }
    assert_eq!(work.run(&["report", "-o", "metrics"]).out, said.out);
}

#[test]
fn a_ledger_tells_what_it_is_and_is_backed_up() {
    let work = drifted();
    assert_eq!(work.run(&["ledger", "info"]).code, 2, "there is none");
    work.run(&["scan", "--quiet"]);
    let info = work.run(&["ledger", "info"]);
    assert_eq!(info.code, 0, "{}", info.err);
    for line in ["scans     1\n", "findings  1, 1 open\n", "messages  0 waiting, 0 dead, 0 sent, 0 dropped\n"] {
        assert!(info.out.contains(line), "{line}: {}", info.out);
    }
    let backup = work.run(&["ledger", "backup", "copy.sqlite"]);
    assert_eq!(backup.code, 0, "{}", backup.err);
    assert!(
        backup.out.contains("1 scan and 1 seal, verified") && backup.out.contains("NOT in it: the key"),
        "{}",
        backup.out
    );
    let again = work.run(&["ledger", "backup", "copy.sqlite"]);
    assert!(again.code == 2 && again.err.contains("is there already"), "{}", again.err);
    assert_eq!(work.run(&["ledger", "backup", "other.sqlite", "--with-key"]).code, 0);
    assert!(work.path().join("other.sqlite.key").exists() && !work.path().join("copy.sqlite.key").exists());
    // The copy with its key is a ledger to go on with.
    let config = std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("the configuration");
    work.file("driftledger.yaml", &config.replace("ledger.sqlite", "other.sqlite"));
    assert_eq!(work.run(&["verify"]).code, 0);
    assert_eq!(work.run(&["scan"]).code, 1);
    assert!(work.run(&["ledger", "info"]).out.contains("scans     2\n"));
}

const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\n\
    clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n\
    users: [{name: u, user: {token: hunter2}}, {name: e, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}}}]\n\
    contexts: [{name: admin@prod, context: {cluster: c, user: u}}, {name: eks, context: {cluster: c, user: e}}]\n\
    current-context: admin@prod\n";

#[test]
fn a_first_configuration_is_found_is_valid_and_overwrites_nothing() {
    let mut work = Workspace::new();
    let object = |namespace: &str| {
        Content::from(
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {namespace}}}\n").as_str(),
        )
    };
    let files = ["clusters/prod/shop/a.yaml", "clusters/prod/mon/b.yaml", "clusters/dev/shop/a.yaml"];
    work.commit("Add", files.map(|file| (file.to_owned(), object("shop"))));
    work.file(".kube/config", KUBECONFIG);
    let said = work.run(&["init", "--repository", "repository"]);
    assert_eq!(said.code, 3, "the cluster is not there: {}{}", said.out, said.err);
    assert!(
        said.out.contains("NOT yet: ") && said.out.contains("2 targets proposed, 1 folder in comments"),
        "{}",
        said.out
    );
    let written = std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("a file");
    for line in [
        "  - name: prod\n    context: \"admin@prod\"\n",
        "    revision: main   # the branch that HEAD names\n    path: clusters/prod/shop\n    cluster: prod\n    namespace: shop",
        "  # - name: clusters-dev-shop   # 1 object\n",
    ] {
        assert!(written.contains(line), "{line}: {written}");
    }
    assert!(!written.contains("hunter2"));
    assert!(work.run(&["config", "check"]).out.contains("valid; 1 clusters, 1 repositories, 2 targets"));
    let again = work.run(&["init", "--repository", "repository"]);
    assert!(again.code == 2 && again.err.contains("is there already"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("a file"), written);
    let printed = work.run(&["init", "--repository", "repository", "--path", "clusters/dev", "-o", "-"]);
    assert!(
        printed.out.contains("path: clusters/dev/shop") && !printed.out.contains("clusters/prod"),
        "{}",
        printed.out
    );
}

#[test]
fn a_first_configuration_keeps_no_credentials_and_runs_no_program_unasked() {
    let work = Workspace::new();
    work.file(".kube/config", KUBECONFIG);
    let url = "https://ann:hunter2@127.0.0.1:1/acme/platform.git";
    let said = work.run(&["init", "--context", "eks", "--repository", url]);
    assert_eq!(said.code, 3, "{}", said.err);
    let written = std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("a file");
    assert!(written.contains("url: \"https://127.0.0.1:1/acme/platform.git\""), "{written}");
    assert!(written.contains("# allowExecPlugins: true"), "{written}");
    for text in [&written, &said.out, &said.err] {
        assert!(!text.contains("hunter2") && !text.contains("ann"), "{text}");
    }
    assert_eq!(work.run(&["config", "check"]).code, 0);
    let unknown = work.run(&["init", "--context", "nowhere", "--repository", url, "-o", "x.yaml"]);
    assert!(unknown.code == 2 && unknown.err.contains("known: admin@prod, eks"), "{}", unknown.err);
    let nothing = work.run(&["init", "-o", "x.yaml"]);
    assert!(nothing.code == 2 && nothing.err.contains("--repository"), "{}", nothing.err);
    assert!(!work.path().join("x.yaml").exists());
    // Without a kubeconfig it is written for a Pod.
    std::fs::remove_file(work.path().join(".kube/config")).expect("removed");
    assert!(work.run(&["init", "--repository", url, "-o", "-"]).out.contains("inCluster: true"));
}

#[test]
fn the_waiver_that_show_prints_covers_its_finding_and_no_other() {
    let mut work = Workspace::new();
    let config = "ledger: ledger.sqlite\nclusters:\n  - {name: prod, dump: live.json}\n\
                  repositories:\n  - {name: r, url: repository}\n\
                  targets:\n  - {name: shop, repository: r, revision: main, path: shop, cluster: prod, namespace: shop}\n";
    work.file("driftledger.yaml", config);
    let deployment = |replicas: u32, image: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api, namespace: shop}}\nspec:\n  replicas: {replicas}\n  \
             selector: {{matchLabels: {{app: api}}}}\n  template:\n    metadata: {{labels: {{app: api}}}}\n    spec:\n      \
             containers: [{{name: api, image: \"{image}\"}}]\n"
        )
    };
    let missing = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gone, namespace: shop}\ndata: {a: b}\n";
    work.commit(
        "Add",
        [
            ("shop/api.yaml".to_owned(), deployment(3, "api:1").as_str().into()),
            ("shop/gone.yaml".to_owned(), missing.into()),
        ],
    );
    let other = missing.replace("gone", "kept");
    work.file("live.json", &format!("{}---\n{other}", deployment(5, "api:debug")));
    let open = |work: &Workspace| -> Vec<String> {
        let report = work.run(&["scan", "-o", "json"]).json();
        let ids = report["findings"].as_array().expect("findings").iter();
        ids.map(|finding| finding["id"].as_str().expect("an id").to_owned()).collect()
    };
    let all = open(&work);
    assert_eq!(all.len(), 3, "{}", work.run(&["report"]).out);
    for id in &all {
        let shown = work.run(&["show", id]).out;
        let (_, rule) = shown.split_once("`ignore:` of the configuration\n").unwrap_or_else(|| panic!("{shown}"));
        work.file("driftledger.yaml", &format!("{config}ignore:\n{rule}"));
        let left = open(&work);
        assert!(!left.contains(id) && left.len() == 2, "{rule} leaves {left:?}");
        assert!(!work.run(&["show", id]).out.contains("To accept it"), "it is no longer open");
        work.file("driftledger.yaml", config);
        assert_eq!(open(&work), all);
    }
}

#[test]
fn the_doctor_tells_what_works_and_what_does_not() {
    let work = drifted();
    let config = std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("the configuration");
    let well = work.run(&["doctor"]);
    assert_eq!(well.code, 0, "{}{}", well.out, well.err);
    for line in
        ["not there yet", "can be written to", "target shop: main is ", "nobody is told", "that was tried works"]
    {
        assert!(well.out.contains(line), "{line}: {}", well.out);
    }
    assert!(!work.path().join("ledger.sqlite").exists(), "it records nothing");

    work.run(&["scan", "--quiet"]);
    let ill = format!(
        "{config}  - {{name: gone, repository: r, revision: nowhere, cluster: prod}}\n\
         receivers:\n  - {{name: chat, slack: {{channel: C1, tokenEnv: NO_SUCH_TOKEN}}}}\n  \
         - {{name: post, mail: {{from: a@example.com, to: [b@example.com], folder: post}}}}\n  \
         - {{name: hook, webhook: {{url: 'https://hooks.example.com/x'}}}}\n\
         routes:\n  - {{name: all, receivers: [chat, post, hook]}}\n"
    )
    .replace("dump: live.json", "dump: not-there.json");
    work.file("driftledger.yaml", &ill);
    work.file("post/.keep", "");
    let said = work.run(&["doctor"]);
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    for line in [
        "whole: 1 scan and 1 seal verified",
        "its key is there",
        "NO_SUCH_TOKEN",
        "not-there.json",
        "nowhere",
        "notify test --route all",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let json = work.run(&["doctor", "-o", "json"]).json();
    assert_eq!(json["schema"], "driftledger/doctor/v1");
    let of = |name: &str| json["checked"].as_array().expect("a list").iter().find(|c| c["name"] == name).cloned();
    let post = of("post").expect("the mail receiver");
    assert_eq!((post["works"].as_array().map(Vec::len), &post["problems"]), (Some(1), &json!([])));
    assert_eq!(of("chat").expect("the channel")["problems"][0]["stops"], true);
    assert_eq!(work.run(&["verify"]).out.lines().next(), Some("1 scans, 1 seals checked"), "it recorded nothing");
}
