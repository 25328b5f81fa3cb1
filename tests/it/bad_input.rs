//! Bad input gets a clear error or a gap that says where and what to do; the rest goes on.

use std::time::Duration;

use driftledger::adapters::git::Content;
use serde_json::Value;

use crate::program::{Said, Workspace, findings, said};

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: shop}\ndata: {k: v}\n";

/// A repository whose folder `shop` is compared with the dump `live.yaml`.
fn workspace(files: &[(&str, Content)], live: &str) -> Workspace {
    let mut work = Workspace::new();
    work.commit("Add the shop", files.iter().map(|(name, content)| (format!("shop/{name}"), content.clone())));
    work.file("live.yaml", live);
    work.file("driftledger.yaml", &config("repository", ""));
    work
}

fn config(url: &str, more: &str) -> String {
    format!(
        "ledger: state/ledger.sqlite\ncache: cache\nclusters:\n  - {{name: prod, dump: live.yaml, secrets: true}}\n\
         repositories:\n  - {{name: shop, url: '{url}'{more}}}\n\
         targets:\n  - {{name: shop, repository: shop, revision: main, path: shop, cluster: prod, namespace: shop}}\n"
    )
}

fn scan(work: &Workspace, code: i32) -> Value {
    std::fs::create_dir_all(work.path().join("state")).expect("a folder");
    let said = work.run(&["scan", "-o", "json"]);
    assert_eq!(said.code, code, "{}{}", said.out, said.err);
    said.json()
}

fn gaps(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let gaps = report["gaps"].as_array().expect("gaps").iter();
    gaps.map(|gap| format!("{} {}: {}", text(&gap["kind"]), text(&gap["place"]), text(&gap["message"]))).collect()
}

fn refuses(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, code, "{}{}", said.out, said.err);
    assert_eq!(said.out, "", "nothing but what was asked for goes to stdout");
    for word in words {
        assert!(said.err.contains(word), "`{word}` is not in:\n{}", said.err);
    }
}

#[test]
fn configuration_problems_are_told_at_once_with_lines() {
    let work = workspace(&[("a.yaml", CONFIG_MAP.into())], CONFIG_MAP);
    let bad =
        config("repository", "").replace("revision: main", "revison: main").replace("cache: cache", "cach: cache");
    work.file("driftledger.yaml", &bad);
    refuses(
        &work.run(&["scan"]),
        2,
        &[
            "driftledger.yaml:2:1: cach: unknown key; did you mean `cache`?",
            "driftledger.yaml:8:",
            "did you mean `revision`?",
        ],
    );
    refuses(
        &work.run(&["--config", "nowhere.yaml", "scan"]),
        2,
        &["cannot read the configuration nowhere.yaml", "hint:"],
    );
    refuses(&work.run(&["scan", "--target", "nothing"]), 2, &["driftledger.yaml"]);
}

#[test]
fn a_broken_document_is_a_gap_and_the_rest_is_compared() {
    let broken = format!("{CONFIG_MAP}---\nkind: [\n---\n{}", CONFIG_MAP.replace("one", "two"));
    let live = format!("{CONFIG_MAP}---\n{}", CONFIG_MAP.replace("one", "two").replace("k: v", "k: other"));
    let work = workspace(&[("a.yaml", broken.as_str().into()), ("half.yaml", "kind: Pod\n".into())], &live);
    let report = scan(&work, 1);
    assert_eq!(findings(&report), ["DL001 ConfigMap two .data.k"]);
    let gaps = gaps(&report);
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert!(gaps[0].starts_with("parse shop/a.yaml:6:") || gaps[0].starts_with("parse shop/a.yaml:7:"), "{gaps:?}");
    assert_eq!(gaps[1], "parse shop/half.yaml:1:1: the document has `kind` and no `apiVersion`");
    assert_eq!(report["scan"]["complete"], false);
}

#[test]
fn a_yaml_bomb_is_a_gap_and_stays_small() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let before = format!("*a{}", n - 1);
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", vec![before; 10].join(", ")));
    }
    let work = workspace(&[("a.yaml", CONFIG_MAP.into()), ("bomb.yaml", bomb.as_str().into())], CONFIG_MAP);
    let report = scan(&work, 3);
    let gaps = gaps(&report);
    assert!(gaps.len() == 1 && gaps[0].starts_with("limit shop/bomb.yaml:"), "{gaps:?}");
    assert_eq!(report["scan"]["counts"]["inSync"], 1);
}

#[test]
fn links_out_of_the_tree_submodules_and_large_files_are_gaps() {
    let large = format!("# {}\n{CONFIG_MAP}", "x".repeat(5 << 20));
    let work = workspace(
        &[
            ("a.yaml", CONFIG_MAP.into()),
            ("out.yaml", Content::Link("../../../../../etc/passwd".into())),
            ("large.yaml", large.as_str().into()),
            ("lfs.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n".into()),
        ],
        CONFIG_MAP,
    );
    let report = scan(&work, 3);
    let gaps = gaps(&report).join("\n");
    for words in ["limit shop/large.yaml", "shop/lfs.yaml", "shop/out.yaml is a symbolic link out of the repository"] {
        assert!(gaps.contains(words), "{words}: {gaps}");
    }
    assert_eq!(report["scan"]["counts"]["inSync"], 1);
}

#[test]
fn a_repository_that_cannot_be_reached_resolves_nothing() {
    let work = workspace(&[("a.yaml", CONFIG_MAP.into())], &CONFIG_MAP.replace("k: v", "k: other"));
    assert_eq!(findings(&scan(&work, 1)), ["DL001 ConfigMap one .data.k"]);
    work.file(
        "driftledger.yaml",
        &config("https://ada:CANARY-password@127.0.0.1:9/shop.git", ", retries: 0, timeout: 5s"),
    );
    let said = work.run(&["scan", "-vvv", "-o", "json"]);
    let report = said.json();
    assert_eq!(said.code, 1, "the open finding is still open");
    assert!(gaps(&report)[0].starts_with("fetch "), "{:?}", gaps(&report));
    assert_eq!(report["scan"]["changes"]["resolved"].as_array().map(Vec::len), Some(0));
    assert_eq!(report["scan"]["counts"]["unknown"], 1);
    assert!(!said.out.contains("CANARY") && !said.err.contains("CANARY"), "{}{}", said.out, said.err);

    work.file("driftledger.yaml", &config("repository", "").replace("revision: main", "revision: mian"));
    let report = scan(&work, 1);
    assert!(gaps(&report)[0].starts_with("revision ") && gaps(&report)[0].contains("mian"), "{:?}", gaps(&report));
    assert!(report["gaps"][0].to_string().contains("main"), "the nearest branch is named: {}", report["gaps"][0]);
    work.file("driftledger.yaml", &config("elsewhere", ""));
    assert!(gaps(&scan(&work, 1))[0].starts_with("fetch "));
}

#[test]
fn a_dump_without_a_kind_says_nothing_about_it() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {ports: [{port: 80}]}\n";
    let work = workspace(&[("a.yaml", CONFIG_MAP.into()), ("s.yaml", service.into())], CONFIG_MAP);
    let report = scan(&work, 3);
    assert_eq!(findings(&report), [""; 0]);
    assert!(report["gaps"][0].to_string().contains("kubectl get services"), "{}", report["gaps"]);
}

#[test]
fn ledger_troubles_have_their_own_errors() {
    let work = workspace(&[("a.yaml", CONFIG_MAP.into())], CONFIG_MAP);
    // The ledger's folder does not exist: perhaps a volume is not mounted.
    refuses(&work.run(&["scan"]), 2, &["ledger", "hint:"]);
    work.file("state/ledger.sqlite", "this is no ledger, and somebody may need it");
    refuses(&work.run(&["scan"]), 2, &["ledger", "hint:"]);
    let kept = std::fs::read_to_string(work.path().join("state/ledger.sqlite")).expect("the file");
    assert_eq!(kept, "this is no ledger, and somebody may need it");
    std::fs::remove_file(work.path().join("state/ledger.sqlite")).expect("removed");
    scan(&work, 0);

    let key = work.path().join("state/ledger.sqlite.key");
    let own = std::fs::read_to_string(&key).expect("the key");
    std::fs::remove_file(&key).expect("removed");
    refuses(&work.run(&["scan"]), 2, &["key", "hint:"]);
    let last = own.trim_end().chars().last().expect("a digit");
    let foreign = format!("{}{}\n", &own.trim_end()[..own.trim_end().len() - 1], if last == '0' { '1' } else { '0' });
    std::fs::write(&key, foreign).expect("written");
    refuses(&work.run(&["scan"]), 2, &["key", "hint:"]);
    std::fs::write(&key, own).expect("written");
    scan(&work, 0);

    let config = std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("the configuration");
    let missing = config.replace("ledger: state/ledger.sqlite", "ledger: {path: state/other.sqlite, create: false}");
    work.file("driftledger.yaml", &missing);
    refuses(&work.run(&["scan"]), 2, &["other.sqlite", "hint:"]);
    assert!(!work.path().join("state/other.sqlite").exists());
}

#[test]
fn a_second_scan_waits_and_then_leaves_with_6() {
    let work = workspace(&[("a.yaml", CONFIG_MAP.into())], CONFIG_MAP);
    scan(&work, 0);
    let ledger = work.path().join("state/ledger.sqlite");
    let options = driftledger::adapters::ledger::OpenOptions {
        wait: Duration::from_millis(10),
        ..driftledger::adapters::ledger::OpenOptions::new("test")
    };
    let now = driftledger::model::time::Timestamp::from_unix(1_780_000_000);
    let held = driftledger::adapters::ledger::Ledger::open(&ledger, &options, now).expect("the ledger");
    refuses(&work.run(&["scan"]), 6, &["ledger", "hint:"]);
    // Reading goes on meanwhile.
    assert_eq!(work.run(&["verify"]).code, 0);
    assert_eq!(work.run(&["findings"]).code, 0);
    drop(held);
    scan(&work, 0);
}

#[test]
fn a_ledger_that_was_tampered_with_is_broken() {
    let work = workspace(&[("a.yaml", CONFIG_MAP.into())], CONFIG_MAP);
    let report = scan(&work, 0);
    let seal = report["scan"]["seal"]["hash"].as_str().expect("a seal").to_owned();
    assert_eq!(work.run(&["verify", "--anchor", &seal]).code, 0);
    let other = if seal.starts_with('0') { seal.replacen('0', "1", 1) } else { format!("0{}", &seal[1..]) };
    let said = work.run(&["verify", "--anchor", &other]);
    assert_eq!(said.code, 5, "{}", said.out);
    assert!(said.out.contains("NOT in the chain"));
}

#[test]
fn text_from_a_repository_reaches_no_terminal_and_no_page_raw() {
    let hostile = "\u{1b}[31mred\u{1b}[0m<script>alert(1)</script>\u{202e}gnp.exe <!channel>";
    let declared = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "one", "namespace": "shop"}, "data": {"k": hostile, "=1+1": "x"}});
    let live = CONFIG_MAP.replace("k: v", "k: v, '=1+1': y");
    let work = workspace(&[("a.json", declared.to_string().as_str().into())], &live);
    std::fs::create_dir_all(work.path().join("state")).expect("a folder");
    for (format, forbidden) in [
        ("table", &["\u{1b}", "\u{202e}"][..]),
        ("html", &["<script>", "\u{202e}"]),
        // Inside a code span, where Markdown knows no markup.
        ("markdown", &["\u{202e}", "\u{1b}"]),
        ("csv", &["\n=1", ",=1"]),
        ("slack", &["<!channel>"]),
        // The text twin is plain text; the HTML twin has its own tests.
        ("eml", &["\u{202e}", "\u{1b}"]),
    ] {
        let said = said(&work.command(&["scan", "-o", format]).output().expect("it runs"));
        assert_eq!(said.code, 1, "{format}: {}", said.err);
        assert!(said.out.contains("one"), "{format}");
        for raw in forbidden {
            assert!(!said.out.contains(raw), "{format} has {raw:?}: {}", said.out);
        }
    }
}

#[test]
fn a_gap_in_between_does_not_make_a_deleted_object_a_never_applied_one() {
    let two = CONFIG_MAP.replace("one", "two");
    let both = format!("{CONFIG_MAP}---\n{two}");
    let work = workspace(&[("a.yaml", both.as_str().into())], &both);
    scan(&work, 0);
    work.file("live.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\n");
    assert_eq!(scan(&work, 3)["scan"]["counts"]["compared"], 0);
    work.file("live.yaml", CONFIG_MAP);
    for _ in 0..2 {
        let report = scan(&work, 1);
        assert_eq!(findings(&report), ["DL004 ConfigMap two"]);
        assert_eq!(report["findings"][0]["cause"], "out-of-band", "{}", report["findings"][0]);
    }
    work.file("live.yaml", &both);
    assert_eq!(scan(&work, 0)["scan"]["changes"]["resolved"].as_array().map(Vec::len), Some(1));
}
