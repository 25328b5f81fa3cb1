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

const APPLICATIONS: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: applications.argoproj.io}
spec:
  group: argoproj.io
  scope: Namespaced
  names: {kind: Application, plural: applications}
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
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
fn the_rules_of_declared_applications_are_honoured_where_they_deploy() {
    let mut work = workspace();
    let application = |name: &str, source: &str, destination: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\n\
             spec:\n  source: {source}\n  destination: {destination}\n  ignoreDifferences:\n  \
             - {{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}}\n  \
             - {{group: '', kind: ConfigMap, jqPathExpressions: ['.data.a', 'repeat(.)']}}\n"
        )
    };
    let here = "{server: 'https://kubernetes.default.svc', namespace: shop}";
    let folder = format!("{{repoURL: 'file://{}', path: shop}}", work.path().join("repository").display());
    let elsewhere = "{server: 'https://10.0.0.1', namespace: shop}";
    let all = [
        application("by-folder", &folder, here),
        application("other-namespace", "{repoURL: x, chart: y}", &here.replace("shop", "other")),
        application("elsewhere", &folder, elsewhere),
    ]
    .join("---\n");
    work.commit("Add the applications", [("shop/apps.yaml".to_owned(), all.as_str().into())]);
    work.file("live.yaml", &format!("{}---\n{all}---\n{APPLICATIONS}", live()));

    let report = scan(&work, "audit: {unmanaged: {defaults: false}}\n");
    let left: Vec<&str> = ALL.into_iter().filter(|f| !f.ends_with(".data.a") && !f.ends_with(".replicas")).collect();
    assert_eq!(report["gaps"].to_string(), "[]");
    assert_eq!(findings(&report), left);
    assert_eq!(
        rules(&report),
        [
            "Application argocd/by-folder ignoreDifferences[0] used 1",
            "Application argocd/by-folder ignoreDifferences[1] used 1",
            "Application argocd/other-namespace ignoreDifferences[0] unused 0",
            "Application argocd/other-namespace ignoreDifferences[1] unused 0",
            "Application argocd/elsewhere ignoreDifferences[0] unused 0",
            "Application argocd/elsewhere ignoreDifferences[1] unused 0",
        ]
    );
    let ignored = &report["scan"]["ignored"];
    assert_eq!(ignored[0]["reason"], "declared in Application argocd/by-folder");
    assert!(ignored[1]["note"].as_str().is_some_and(|note| note.contains("`repeat`")), "{ignored}");
    assert!(
        ignored[4]["note"].as_str().is_some_and(|note| note.contains("none of the configured clusters")),
        "{ignored}"
    );

    let report = scan(&work, "argocd: {ignoreDifferences: false}\naudit: {unmanaged: {defaults: false}}\n");
    assert_eq!(findings(&report), ALL);
    assert_eq!(rules(&report), [""; 0]);
}

#[test]
fn a_jq_expression_that_takes_too_long_is_told_and_hides_nothing() {
    let mut work = workspace();
    let data: String = (0..400).map(|n| format!("k{n}: '1', ")).collect();
    let long = DECLARED.replace("data: {a: '1', b", &format!("data: {{{data}a: '1', b"));
    work.commit("Add many keys", [("shop/all.yaml".to_owned(), long.as_str().into())]);
    let slow = ".data as $d | .data[] | select([$d[]] | length > 0)";
    let report = scan(&work, &format!("ignore:\n  - {{id: slow, names: [one], jq: ['{slow}'], reason: r}}\n"));
    assert!(findings(&report).contains(&"DL001 ConfigMap one .data.a".to_owned()));
    let note = report["scan"]["ignored"][0]["note"].as_str().unwrap_or_default();
    assert!(note.contains("did not end within 50000 steps, and ignores nothing"), "{note}");
}

#[test]
fn what_is_left_of_a_difference_is_looked_for_in_git_without_the_ignored_parts() {
    let mut work = workspace();
    // Git moves on to another port; the cluster still has the old one, and a host that a rule ignores.
    work.commit(
        "Move the port",
        [("shop/all.yaml".to_owned(), DECLARED.replace("number: 80", "number: 90").as_str().into())],
    );
    work.file("live.yaml", &live().replace("number: 81", "number: 80").replace("a.example.com", "b.example.com"));
    let without = scan(&work, "grace: 0s\n");
    let of = |report: &Value| {
        let found = report["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .find(|f| f["kind"] == "Ingress")
            .expect("it")
            .clone();
        (found["liveMatches"]["commitsBehind"].clone(), found["note"].to_string(), found["live"].to_string())
    };
    assert_eq!(of(&without).0, Value::Null);
    let with = scan(
        &work,
        "grace: 0s\nignore: [{id: hosts, kinds: [Ingress], jsonPointers: [/spec/rules/0/host], reason: r}]\n",
    );
    let (behind, note, live) = of(&with);
    assert_eq!(behind, 1, "{with}");
    assert!(note.contains("an ignore rule covers them (hosts)") && !live.contains("example.com"), "{note} {live}");
    assert_eq!(rules(&with), ["hosts used 0"]);
}

#[test]
fn compare_honours_the_rules_of_a_configuration() {
    let work = workspace();
    scan(
        &work,
        "ignore:\n  - {id: scaled, kinds: [Deployment], paths: [.spec.replicas], reason: autoscaled}\n  - {kinds: [ConfigMap], names: [gone], reason: on demand}\n",
    );
    work.file("declared.yaml", DECLARED);
    let said = work.run(&["compare", "declared.yaml", "live.yaml", "-o", "json"]);
    let report = said.json();
    let found = findings(&report);
    assert!(!found.iter().any(|f| f.contains(".spec.replicas") || f.contains("gone")), "{found:?}");
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("DL001 Deployment.apps shop/api .spec.replicas is left out: ignore rule scaled (autoscaled)"),
        "{notes}"
    );
    assert!(notes.contains("DL004 ConfigMap shop/gone is left out"), "{notes}");
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
