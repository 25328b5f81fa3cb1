//! The demo as a newcomer runs it: the built binary, with nothing to find on the PATH.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Code, cause, severity, object, path; worst first.
const EXPECTED: [[&str; 5]; 15] = [
    ["DL001", "out-of-band", "critical", "Deployment shop/api", r#".spec.template.spec.containers[name="api"].image"#],
    ["DL001", "out-of-band", "critical", "NetworkPolicy shop/api", ".spec.ingress"],
    ["DL001", "out-of-band", "critical", "RoleBinding shop/operators", ".subjects"],
    ["DL001", "out-of-band", "critical", "Secret shop/api-db", ".data.password"],
    ["DL001", "out-of-band", "high", "ConfigMap shop/api", r#".data["api.toml"]"#],
    ["DL001", "out-of-band", "high", "Deployment shop/api", ".spec.replicas"],
    [
        "DL001",
        "out-of-band",
        "high",
        "Deployment shop/web",
        r#".spec.template.spec.containers[name="web"].env[name="CSP_REPORT_ONLY"].value"#,
    ],
    [
        "DL002",
        "out-of-band",
        "high",
        "Deployment shop/web",
        r#".spec.template.spec.containers[name="web"].env[name="SESSION_COOKIE_SECURE"]"#,
    ],
    ["DL001", "hand-rollback", "high", "Deployment shop/worker", ".spec.replicas"],
    ["DL004", "out-of-band", "high", "PodDisruptionBudget shop/api", ""],
    ["DL001", "behind", "medium", "Deployment shop/web", r#".spec.template.spec.containers[name="web"].image"#],
    ["DL010", "", "low", "ConfigMap shop/feature-flags", ""],
    [
        "DL003",
        "out-of-band",
        "low",
        "Deployment shop/worker",
        r#".spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]"#,
    ],
    ["DL003", "out-of-band", "low", "Service shop/api", r#".metadata.labels["debug-session"]"#],
    ["DL004", "pending", "info", "CronJob shop/price-import", ""],
];

/// What the Secret holds in Git and live, and how the API writes it.
const SECRET: [&str; 4] = [
    "demo-only-not-a-real-password",
    "demo-only-changed-by-hand",
    "ZGVtby1vbmx5LW5vdC1hLXJlYWwtcGFzc3dvcmQ=",
    "ZGVtby1vbmx5LWNoYW5nZWQtYnktaGFuZA==",
];

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftledger"));
    command.current_dir(folder).env_clear().env("PATH", "").env("HOME", folder).args(arguments);
    command.output().expect("the binary runs")
}

fn stdout_of(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
    assert_eq!(errors, "", "{arguments:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn report_of(folder: &Path, scan: &str) -> Value {
    let config = ["--config", "out/driftledger.yaml", "report", "-o", "json", "--scan", scan];
    serde_json::from_str(&stdout_of(folder, &config)).expect("a report in JSON")
}

fn findings_of(report: &Value) -> Vec<[String; 5]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_one = |finding: &Value| {
        let object = format!("{} {}/{}", text(&finding["kind"]), text(&finding["namespace"]), text(&finding["name"]));
        [text(&finding["code"]), text(&finding["cause"]), text(&finding["severity"]), object, text(&finding["path"])]
    };
    report["findings"].as_array().expect("findings").iter().map(of_one).collect()
}

fn finding<'a>(report: &'a Value, kind: &str, name: &str, path_ends: &str) -> &'a Value {
    let of_it = |finding: &&Value| {
        let path = finding["path"].as_str().unwrap_or_default();
        finding["kind"] == kind && finding["name"] == name && path.ends_with(path_ends)
    };
    report["findings"].as_array().expect("findings").iter().find(of_it).expect("such a finding")
}

#[test]
fn the_demo_finds_every_sort_of_drift_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let shown = stdout_of(folder, &["demo", "--out", "out"]);

    let names: BTreeSet<String> =
        fs::read_dir(folder.join("out")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    for name in
        ["driftledger.yaml", "platform.git", "cluster.json", "ledger.sqlite", "report.html", "report.eml", "slack.json"]
    {
        assert!(names.contains(name), "{name} of {names:?}");
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing is written elsewhere");

    let evening = report_of(folder, "1");
    let ingress = r#".metadata.annotations["nginx.ingress.kubernetes.io/proxy-body-size"]"#;
    let image = r#".spec.template.spec.containers[name="web"].image"#;
    assert_eq!(
        findings_of(&evening),
        [
            ["DL001", "out-of-band", "low", "Ingress shop/shop", ingress],
            ["DL001", "pending", "info", "Deployment shop/web", image],
        ]
    );
    assert_eq!((&evening["scan"]["complete"], &evening["gaps"]), (&Value::from(true), &Value::Array(Vec::new())));

    let report = report_of(folder, "2");
    assert_eq!(findings_of(&report), EXPECTED);
    let changes = &report["scan"]["changes"];
    assert_eq!(changes["resolved"].as_array().unwrap().len(), 1);
    assert_eq!(changes["resolved"][0]["id"], finding(&evening, "Ingress", "shop", "")["id"]);
    assert_eq!(changes["changed"][0], finding(&report, "Deployment", "web", ".image")["id"], "pending became behind");
    let gaps = report["gaps"].as_array().unwrap();
    assert_eq!((gaps.len(), &gaps[0]["kind"]), (1, &Value::from("parse")), "{gaps:?}");
    assert_eq!(gaps[0]["place"], "clusters/prod/shop/worker.yaml:34:6");

    let behind = finding(&report, "Deployment", "web", ".image");
    assert_eq!(behind["liveMatches"]["commitsBehind"], 5);
    assert_eq!(behind["declaredBy"]["subject"], "Release web 2.9.0");
    assert_eq!(behind["actors"][0]["manager"], "argocd-controller");
    let runs = &report["scan"]["targets"][0]["runs"];
    let mixed = runs["evidence"].as_str().unwrap();
    assert!(mixed.starts_with("mixed: 1 field") && mixed.contains("is in sync"), "newer commits were applied: {runs}");
    assert_eq!(runs["commit"], Value::Null);
    let rollback = finding(&report, "Deployment", "worker", ".replicas");
    assert_eq!(rollback["liveMatches"]["since"], "2026-02-19T15:30:48Z");
    let merged = &finding(&report, "CronJob", "price-import", "")["declaredBy"];
    assert_eq!(merged["author"], "Priya Raman");
    assert!(merged["reachedBy"].is_string(), "{merged}");
    for (kind, name, path, manager) in [
        ("Deployment", "api", ".image", "kubectl-set"),
        ("Deployment", "api", ".replicas", "kubectl"),
        ("Deployment", "worker", ".replicas", "k9s"),
        ("ConfigMap", "api", "", "node-fetch"),
        ("NetworkPolicy", "api", "", "kubectl-patch"),
        ("RoleBinding", "operators", "", "kubectl-edit"),
        ("Secret", "api-db", "", "kubectl-edit"),
    ] {
        assert_eq!(finding(&report, kind, name, path)["actors"][0]["manager"], manager, "{kind} {name} {path}");
    }

    // What it says to try next works as it is said.
    let next: Vec<&str> =
        shown.lines().filter_map(|line| line.trim().split_once(" --config ")).map(|(_, rest)| rest).collect();
    assert_eq!(next.len(), 2, "{shown}");
    for (arguments, expected) in next.into_iter().zip(["kubectl-set", "the anchor is in the chain"]) {
        let arguments: Vec<&str> = ["--config"].into_iter().chain(arguments.split(' ')).collect();
        let said = stdout_of(folder, &arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert!(stdout_of(folder, &["--config", "out/driftledger.yaml", "verify"]).contains("the ledger is whole"));
    let after_table = shown.split_once("\nThis is a sample").unwrap().1;
    assert!(after_table.lines().count() <= 12, "{after_table}");
}

#[test]
fn an_object_of_the_demo_is_explained_field_by_field() {
    let folder = tempfile::tempdir().expect("a folder");
    stdout_of(folder.path(), &["demo"]);
    let config = "driftledger-demo/driftledger.yaml";
    let explained = run(folder.path(), &["explain", "deployment/api", "-o", "json", "--config", config]);
    assert_eq!(explained.status.code(), Some(1), "{}", String::from_utf8_lossy(&explained.stderr));
    let told: Value = serde_json::from_slice(&explained.stdout).expect("JSON");
    assert_eq!(told["schema"], "driftledger/explain/v1");
    let field = |path: &str| {
        let fields = told["fields"].as_array().expect("fields");
        fields.iter().find(|field| field["path"] == path).unwrap_or_else(|| panic!("{path}: {told:#}")).clone()
    };
    let replicas = field(".spec.replicas");
    assert_eq!(
        (&replicas["declared"], &replicas["live"], &replicas["finding"]),
        (&3.into(), &6.into(), &"DL001".into())
    );
    assert_eq!(replicas["writers"][0]["manager"], "kubectl");
    assert_eq!(replicas["schema"], "integer, default 1");
    let policy = field(r#".spec.template.spec.containers[name="api"].imagePullPolicy"#);
    assert_eq!((&policy["declared"], &policy["finding"]), (&Value::Null, &Value::Null));
    assert!(policy["why"].as_str().expect("a reason").contains("the server's default"), "{policy}");
    // The same findings as the scan's.
    let findings = told["fields"].as_array().expect("fields").iter().filter(|f| !f["finding"].is_null()).count();
    assert_eq!(findings, EXPECTED.iter().filter(|row| row[3] == "Deployment shop/api").count());

    let table = run(folder.path(), &["explain", "Deployment.apps shop/api", "--config", config]);
    let text = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(text.starts_with("DRIFTED: Deployment.apps shop/api, "), "{text}");
    let nothing = run(folder.path(), &["explain", "Deployment/shop/none", "--config", config]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("no target declares"));
    let secret = run(folder.path(), &["explain", "secret/api-db", "--config", config]);
    assert!(SECRET.iter().all(|text| !String::from_utf8_lossy(&secret.stdout).contains(text)));
}

#[test]
fn no_output_of_the_demo_holds_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let shown = stdout_of(folder.path(), &["demo", "--out", "out"]);
    let out = folder.path().join("out");
    let dump = fs::read_to_string(out.join("cluster.json")).unwrap();
    assert!(dump.contains(SECRET[3]), "the dump itself holds it, so it could have leaked");

    let mut outputs = vec![("stdout".to_owned(), shown.into_bytes())];
    for folder in [out.clone(), out.join("cache/versions")] {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if !["cluster.json", "platform.git", "cache"].contains(&name.as_str()) {
                outputs.push((name, fs::read(entry.path()).unwrap()));
            }
        }
    }
    for arguments in [["report", "-o", "json"], ["report", "-o", "csv"], ["report", "-o", "markdown"]] {
        let arguments = [&["--config", "out/driftledger.yaml"], arguments.as_slice()].concat();
        outputs.push((arguments.join(" "), stdout_of(folder.path(), &arguments).into_bytes()));
    }
    assert!(outputs.len() >= 11, "{}", outputs.len());
    for (name, content) in outputs {
        for secret in SECRET {
            let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds {secret}");
        }
    }
}

#[test]
fn a_second_demo_makes_the_same_report_and_spares_what_is_not_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let once = || {
        stdout_of(folder, &["demo", "--out", "out"]);
        let report = report_of(folder, "2");
        let secret = finding(&report, "Secret", "api-db", "");
        let html = fs::read_to_string(folder.join("out/report.html")).unwrap();
        // Made anew with each ledger: its id, its seals, and the key of the hashes of secret values.
        let of_hash = |value: &Value| value.as_str().unwrap().rsplit(':').next().unwrap()[..6].to_owned();
        let seal = report["scan"]["seal"]["hash"].as_str().unwrap().to_owned();
        let ledger = report["scan"]["ledger"].as_str().unwrap().to_owned();
        let masked = [
            seal.clone(),
            seal[..12].to_owned(),
            ledger.clone(),
            of_hash(&secret["declared"]),
            of_hash(&secret["live"]),
        ]
        .iter()
        .fold(html, |html, random| {
            assert!(html.contains(random.as_str()), "{random}");
            html.replace(random.as_str(), "*")
        });
        (ledger, masked)
    };
    let (first_ledger, first) = once();
    fs::write(folder.join("out/mine.txt"), "kept").unwrap();
    let (second_ledger, second) = once();
    assert_ne!(first_ledger, second_ledger, "made anew");
    assert_eq!(first, second);
    assert!(!first.contains(folder.to_str().unwrap()), "the report names no place on this machine");
    assert_eq!(fs::read_to_string(folder.join("out/mine.txt")).unwrap(), "kept");

    fs::create_dir(folder.join("other")).unwrap();
    fs::write(folder.join("other/mine.txt"), "kept").unwrap();
    let refused = run(folder, &["demo", "--out", "other"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is not empty"), "{refused:?}");
    assert_eq!(fs::read_dir(folder.join("other")).unwrap().count(), 1);
}
