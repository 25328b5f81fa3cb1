//! Ignore rules, from the configuration to the report and the ledger.

use serde_json::Value;

use crate::program::{Workspace, findings};

const DECLARED: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop, labels: {app: api}}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: 'api:1', args: [--port, '80']}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: shop}
data: {a: '1', b: '1', c/d: '1'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: gone, namespace: shop}
data: {a: '1'}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  rules:
  - {host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}
";

fn live() -> String {
    let gone = DECLARED.find("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: gone").expect("the object");
    let ingress = DECLARED.find("---\napiVersion: networking").expect("the object");
    format!("{}{}", &DECLARED[..gone], &DECLARED[ingress..])
        .replace("replicas: 2", "replicas: 7")
        .replace("image: 'api:1'", "image: 'api:2'")
        .replace("{a: '1', b: '1', c/d: '1'}", "{a: '2', b: '2', c/d: '2'}")
        .replace("number: 80", "number: 81")
}

fn workspace() -> Workspace {
    let mut work = Workspace::new();
    work.commit("Add the shop", [("shop/all.yaml".to_owned(), DECLARED.into())]);
    work.file("live.yaml", &live());
    std::fs::create_dir_all(work.path().join("state")).expect("a folder");
    work
}

fn scan(work: &Workspace, more: &str) -> Value {
    work.file(
        "driftledger.yaml",
        &format!(
            "ledger: state/ledger.sqlite\ncache: cache\nclusters:\n  - {{name: prod, dump: live.yaml}}\n\
             repositories:\n  - {{name: shop, url: repository}}\n\
             targets:\n  - {{name: shop, repository: shop, revision: main, path: shop, cluster: prod, namespace: shop}}\n{more}"
        ),
    );
    let said = work.run(&["scan", "-o", "json"]);
    assert!(said.code <= 1, "{}{}", said.out, said.err);
    said.json()
}

/// `id state suppressed` of each rule.
fn rules(report: &Value) -> Vec<String> {
    let rules = report["scan"]["ignored"].as_array().expect("rules").iter();
    rules
        .map(|r| {
            format!(
                "{} {} {}",
                r["id"].as_str().unwrap_or_default(),
                r["state"].as_str().unwrap_or_default(),
                r["suppressed"]
            )
        })
        .collect()
}

const ALL: [&str; 7] = [
    "DL001 ConfigMap one .data.a",
    "DL001 ConfigMap one .data.b",
    "DL001 ConfigMap one .data[\"c/d\"]",
    "DL001 Deployment api .spec.replicas",
    "DL001 Deployment api .spec.template.spec.containers[name=\"api\"].image",
    "DL001 Ingress web .spec.rules",
    "DL004 ConfigMap gone",
];

#[test]
fn what_rules_suppress_is_counted_and_out_of_scope_and_comes_back_with_the_end_of_the_rule() {
    let work = workspace();
    assert_eq!(findings(&scan(&work, "")), ALL);

    let report = scan(
        &work,
        "ignore:
  - {id: scaled, kinds: [Deployment], paths: [.spec.replicas], reason: the autoscaler's}
  - {jsonPointers: [/data/c~1d], kinds: ['Config*'], namespaces: [shop], reason: pointer}
  - {kinds: [Ingress.networking.k8s.io], jsonPointers: ['/spec/rules/*/http/paths/0/backend'], reason: inside an atomic list}
  - {names: [gone], codes: [DL004], expires: '2999-12-31', reason: made on demand}
  - {jq: ['.spec.template.spec.containers[] | select(.name == \"api\").image'], labels: app in (api), reason: image automation}
  - {targets: [shop], paths: [.spec.paused], reason: nobody pauses}
  - {id: old, paths: [.data.a], expires: '2020-01-01', reason: expired long ago}
",
    );
    assert_eq!(findings(&report), ["DL001 ConfigMap one .data.a", "DL001 ConfigMap one .data.b"]);
    assert_eq!(
        rules(&report),
        [
            "scaled used 1",
            "ignore[1] used 1",
            "ignore[2] used 1",
            "ignore[3] used 1",
            "ignore[4] used 1",
            "ignore[5] unused 0",
            "old expired 0",
        ]
    );
    let changes = &report["scan"]["changes"];
    assert_eq!(changes["resolved"].as_array().map(Vec::len), Some(0), "{changes}");
    let closed = changes["outOfScope"].as_array().expect("closed");
    assert_eq!(closed.len(), 5, "{changes}");
    let how: Vec<&str> = closed.iter().filter_map(|c| c["how"].as_str()).collect();
    assert!(how.contains(&"an ignore rule covers it: made on demand"), "{how:?}");
    assert_eq!(report["scan"]["counts"]["findings"], 2);

    let report = scan(&work, "");
    assert_eq!(findings(&report), ALL);
    assert_eq!(report["scan"]["changes"]["reopened"].as_array().map(Vec::len), Some(5));
    assert_eq!(report["scan"]["ignored"].as_array().map(Vec::len), Some(0));
    let verified = work.run(&["verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}

#[test]
fn problems_of_rules_are_told_with_their_lines() {
    let work = workspace();
    let rules = "ignore:
  - {reason: ' ', paths: [spec.replicas]}
  - reason: all
  - {reason: r, jq: ['.a', 'until(false; .)'], jsonPointers: [spec]}
  - reason: r
    labels: a in b
    codes: [DL999]
    expires: soon
    targets: [shpo]
  - {paths: [.a]}
";
    work.file(
        "driftledger.yaml",
        &format!(
            "ledger: l\nclusters:\n  - {{name: prod, dump: live.yaml}}\nrepositories:\n  - {{name: shop, url: repository}}\n\
             targets:\n  - {{name: shop, repository: shop, cluster: prod}}\n{rules}"
        ),
    );
    let said = work.run(&["scan"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("driftledger.yaml:17:5: ignore[4]: `reason` is missing"), "{}", said.err);
    work.file(
        "driftledger.yaml",
        &std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("it").replace("  - {paths: [.a]}\n", ""),
    );
    let said = work.run(&["scan"]);
    for words in [
        ":9:14: ignore[0].reason: is empty",
        ":9:27: ignore[0].paths[0]: not a field path",
        ":10:5: ignore[1]: would ignore every finding",
        ":11:28: ignore[2].jq[1]: `until` cannot be used here",
        ":11:63: ignore[2].jsonPointers[0]: is no JSON pointer",
        ":13:13: ignore[3].labels: `a in b` is no label",
        ":14:13: ignore[3].codes[0]: `DL999` is no code",
        ":15:14: ignore[3].expires: is no date",
        ":16:15: ignore[3].targets[0]: `shpo` fits none; known: shop",
    ] {
        assert!(said.err.contains(words), "`{words}` is not in:\n{}", said.err);
    }
}
