//! Snapshots: what a scan of one says, and that it is what a scan of the cluster said.

use std::sync::Arc;

use driftledger::adapters::cluster::{Covers, Header, Scope, SnapshotWriter};
use driftledger::adapters::git::Content;
use driftledger::model::discovery::{Discovery, ServedKind};
use driftledger::model::ids::ClusterName;
use driftledger::model::resource::Gvk;
use driftledger::model::secret::{RedactionKey, RedactionRules};
use driftledger::model::time::Timestamp;
use serde_json::{Value, json};

use crate::program::{Workspace, findings};

const DECLARED: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: CANARY-declared, user: shop}\n---\n\
    apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {k: v}\n---\n\
    apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gone}\ndata: {k: v}\n---\n\
    apiVersion: v1\nkind: Service\nmetadata: {name: api}\nspec: {ports: [{port: 80}]}\n---\n\
    apiVersion: v1beta9\nkind: ConfigMap\nmetadata: {name: nowhere}\n";

/// A repository that declares a little, and a snapshot of a cluster taken with a key.
fn workspace(key: [u8; 32], password: &str) -> Workspace {
    let mut work = Workspace::new();
    work.commit("Add the shop", [("shop/all.yaml".to_owned(), Content::from(DECLARED))]);
    work.file(
        "driftledger.yaml",
        "ledger: ledger.sqlite\nclusters:\n  - {name: prod, snapshot: prod.zst, secrets: true}\n\
         repositories:\n  - {name: shop, url: repository}\n\
         targets:\n  - {name: shop, repository: shop, revision: main, path: shop, cluster: prod, namespace: shop}\n",
    );
    let key = Arc::new(RedactionKey::from_bytes(key));
    let header = Header {
        schema: Header::SCHEMA.to_owned(),
        tool_version: "0.0.0".into(),
        taken_at: Timestamp::from_unix(1_770_000_000),
        cluster: ClusterName::new("prod"),
        version: Some("v1.34.1".into()),
        uid: Some("uid".into()),
        clock_skew_seconds: None,
        redaction_key: key.id().to_owned(),
        scope: Scope::default(),
    };
    let kind = |name: &str, plural: &str| ServedKind {
        gvk: Gvk::new("v1", name),
        plural: plural.into(),
        namespaced: true,
        listable: true,
    };
    let kinds = [kind("Secret", "secrets"), kind("ConfigMap", "configmaps"), kind("Service", "services")];
    let mut discovery = Discovery::default();
    discovery.whole = true;
    kinds.iter().cloned().for_each(|kind| discovery.insert(kind));
    let mut writer =
        SnapshotWriter::create(&work.path().join("prod.zst"), header, key, RedactionRules::default()).expect("a file");
    writer.discovery(&discovery, &[], &[]).expect("written");
    let object = |name: &str, data: Value| json!({"metadata": {"namespace": "shop", "name": name}, "data": data});
    // As the server has it: base64.
    let secret = object("db", json!({"password": password, "user": "c2hvcA=="}));
    for (kind, objects) in [(&kinds[0], vec![secret]), (&kinds[1], vec![object("one", json!({"k": "changed"}))])] {
        writer.begin_kind(kind).expect("written");
        writer.page(json!({"items": objects}).to_string().as_bytes()).expect("written");
        writer.end_kind(Covers::Everything {}, vec![]).expect("written");
    }
    writer.finish().expect("written");
    work
}

/// "CANARY-declared" and another value in base64.
const AS_DECLARED: &str = "Q0FOQVJZLWRlY2xhcmVk";
const OTHERWISE: &str = "Q0FOQVJZLW90aGVy";

fn key_file(work: &Workspace, byte: u8) {
    work.file("ledger.sqlite.key", &format!("driftledger redaction key v1\n{}\n", format!("{byte:02x}").repeat(32)));
}

#[test]
fn a_snapshot_serves_as_the_cluster_it_was_taken_of() {
    for (password, secret) in [(AS_DECLARED, None), (OTHERWISE, Some("DL001 Secret db .data.password"))] {
        let work = workspace([7; 32], password);
        key_file(&work, 7);
        let said =
            work.run(&["scan", "-o", "json", "-o", "table=report.txt", "-o", "html=report.html", "-o", "eml=mail.eml"]);
        let report = said.json();
        let mut expected = vec!["DL001 ConfigMap one .data.k", "DL004 ConfigMap gone", "DL008 ConfigMap nowhere"];
        expected.extend(secret);
        expected.sort_unstable();
        assert_eq!(findings(&report), expected, "{}", said.err);
        // The Service was not taken: unknown, not missing.
        assert_eq!(report["gaps"].as_array().map(Vec::len), Some(1), "{:#}", report["gaps"]);
        assert!(report["gaps"][0]["message"].as_str().is_some_and(|m| m.contains("taken without Service")));
        assert_eq!(report["scan"]["clusters"][0]["source"], "snapshot");
        assert_eq!(report["scan"]["clusters"][0]["takenAt"], "2026-02-02T02:40:00Z");
        for file in ["report.txt", "report.html", "mail.eml"] {
            let text = std::fs::read_to_string(work.path().join(file)).expect("a report");
            // A mail's lines are broken and its page is escaped; the date is neither.
            assert!(text.contains("snapshot") && text.contains("2026-02-02 02:40:00"), "{file} says how old it is");
        }
    }
}

#[test]
fn values_under_another_key_are_unknown_and_the_rest_is_compared() {
    let work = workspace([7; 32], AS_DECLARED);
    key_file(&work, 9);
    let said = work.run(&["scan", "-o", "json"]);
    let report = said.json();
    assert_eq!(
        findings(&report),
        ["DL001 ConfigMap one .data.k", "DL004 ConfigMap gone", "DL008 ConfigMap nowhere"],
        "{}",
        said.err
    );
    let gaps = report["gaps"].as_array().expect("gaps");
    let gap = gaps.iter().find(|gap| gap["place"] == "Secret").expect("a gap for the Secret");
    let message = gap["message"].as_str().expect("text");
    for part in ["hashed with the key", ".data.password of shop/db", ".data.user of shop/db"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(gap["hides"]["objects"], json!([{"group": "", "kind": "Secret", "namespace": "shop", "name": "db"}]));
    assert_eq!(report["scan"]["counts"]["inSync"], 0, "{:#}", report["scan"]["counts"]);
}

#[test]
fn a_key_that_was_lost_closes_nothing() {
    let work = workspace([7; 32], OTHERWISE);
    key_file(&work, 7);
    let first = work.run(&["scan", "-o", "json"]).json();
    let secret = |report: &Value| findings(report).contains(&"DL001 Secret db .data.password".to_owned());
    assert!(secret(&first));
    let other = workspace([9; 32], OTHERWISE);
    std::fs::copy(other.path().join("prod.zst"), work.path().join("prod.zst")).expect("copied");
    let second = work.run(&["scan", "-o", "json"]).json();
    assert!(secret(&second), "what cannot be compared is still open");
    assert_eq!(second["scan"]["counts"]["unknown"], 1);
    assert_eq!(second["scan"]["changes"]["resolved"], json!([]));
}

#[test]
fn a_damaged_snapshot_hides_its_cluster() {
    let work = workspace([7; 32], AS_DECLARED);
    let path = work.path().join("prod.zst");
    let bytes = std::fs::read(&path).expect("the snapshot");
    std::fs::write(&path, &bytes[..bytes.len() - 20]).expect("cut off");
    let said = work.run(&["scan", "-o", "json"]);
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    let report = said.json();
    assert_eq!(findings(&report), [""; 0]);
    assert_eq!(report["gaps"][0]["hides"]["what"], "cluster");
    assert!(report["gaps"][0]["message"].as_str().is_some_and(|m| m.contains("cut off")), "{report:#}");
    assert_eq!(report["scan"]["counts"]["compared"], 0);
}

#[test]
fn a_snapshot_is_taken_of_a_cluster_that_is_named_and_no_file() {
    let work = workspace([7; 32], AS_DECLARED);
    for (args, words) in [
        (&["snapshot"][..], "no cluster of the configuration is behind an API server"),
        (&["snapshot", "--cluster", "prod"], "cluster prod is a file already"),
        (&["snapshot", "--cluster", "dev"], "there is no cluster `dev`"),
    ] {
        let said = work.run(args);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}");
        assert!(said.err.contains(words) && said.err.contains("hint:"), "{args:?}: {}", said.err);
    }
    assert!(!work.path().join("ledger.sqlite.key").exists(), "and no key is made for nothing");
}

mod on_cluster {
    use std::io::Read as _;

    use super::*;
    use crate::on_cluster::{Shop, variable};

    const ODD: &str = "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: old}\n---\n\
        apiVersion: v1\nkind: Service\nmetadata: {name: typo}\nspec: {ports: [{port: 80}], sessionAfinity: ClientIP}\n---\n\
        apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: older}\n\
        spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: none}, maxReplicas: 5, targetCPUUtilizationPercentage: 80}\n";

    /// What a report says, without what must differ: times, the ledger, and that one source is a file.
    fn said(report: &Value) -> Value {
        let mut findings = report["findings"].clone();
        for finding in findings.as_array_mut().expect("findings") {
            let finding = finding.as_object_mut().expect("a finding");
            ["firstSeen", "lastSeen"].iter().for_each(|key| drop(finding.remove(*key)));
        }
        let mut exclusions = report["exclusions"].as_array().expect("exclusions").clone();
        // API groups that other tests define, break and take away meanwhile.
        let theirs = ["driftledger-test.example", "Argo CD says", "Flux"];
        exclusions.retain(|exclusion| !theirs.iter().any(|words| exclusion.to_string().contains(words)));
        let cluster = &report["scan"]["clusters"][0];
        // What other tests make in the same cluster comes between the two readings.
        exclusions.retain(|exclusion| exclusion["what"] != "live objects of the cluster's own");
        let mut counts = report["scan"]["counts"].clone();
        counts.as_object_mut().expect("counts").remove("coverage");
        json!({"findings": findings, "gaps": report["gaps"], "exclusions": exclusions, "counts": counts,
             "uid": cluster["uid"], "version": cluster["version"]})
    }

    /// Scans the cluster, takes a snapshot of it, and scans that into a ledger of its own with the same key.
    fn both(shop: &Shop, code: i32, taken: i32) -> (Value, Value) {
        let config = std::fs::read_to_string(shop.work.path().join("driftledger.yaml")).expect("the configuration");
        let (before, rest) = config.split_once("kubeconfig: ").expect("a kubeconfig");
        let (_, after) = rest.split_once(',').expect("more");
        let offline = format!("{before}snapshot: test.snapshot.json.zst,{after}")
            .replace("ledger: ledger.sqlite", "ledger: {path: offline.sqlite, keyFile: ledger.sqlite.key}");
        shop.work.file("offline.yaml", &offline);
        let live = shop.scan(code);
        let snapshot = shop.work.run(&["snapshot"]);
        assert_eq!(snapshot.code, taken, "{}{}", snapshot.out, snapshot.err);
        let offline = shop.work.run(&["--config", "offline.yaml", "scan", "-o", "json"]);
        assert_eq!(offline.code, code, "{}{}", offline.out, offline.err);
        (live, offline.json())
    }

    #[test]
    #[ignore = "needs the test cluster: run tests/run"]
    fn a_scan_of_a_snapshot_says_what_a_scan_of_the_cluster_says() {
        let mut shop = Shop::new("offline", &variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG"), true);
        shop.apply(&["--server-side", "--field-manager=argocd-controller"]);
        // The key comes into being with the snapshot; the scan after it takes it.
        let first = shop.work.run(&["snapshot", "-o", "first.zst"]);
        assert_eq!(first.code, 0, "{}{}", first.out, first.err);
        assert!(
            shop.work.path().join("ledger.sqlite.key").exists() && !shop.work.path().join("ledger.sqlite").exists()
        );
        let (live, offline) = both(&shop, 0, 0);
        assert_eq!(findings(&live), [""; 0]);
        assert_eq!(said(&offline), said(&live));

        for change in [
            &["set", "image", "deploy/api", "api=registry.example.com/shop/api:debug"][..],
            &["scale", "deploy/web", "--replicas=3"],
            &["label", "deploy/api", "owner=nobody"],
            &["patch", "role/api", "--type=json", "-p", r#"[{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]"#],
            &["patch", "secret/db", "--type=merge", "-p", r#"{"stringData":{"password":"CANARY-live"}}"#],
            &["delete", "poddisruptionbudget/api"],
        ] {
            shop.kubectl(change, "");
        }
        let typo = ODD.split_once("---\n").expect("two documents").1;
        shop.kubectl(&["apply", "--validate=false", "-f", "-"], typo);
        // The server prefers v2; declared and so compared is v1.
        shop.kubectl(&["patch", "hpa/older", "--type=merge", "-p", r#"{"spec":{"maxReplicas":6}}"#], "");
        shop.work.commit("Add odd things", [("shop/zodd.yaml".to_owned(), Content::from(ODD))]);
        let (live, offline) = both(&shop, 1, 0);
        assert!(findings(&live).len() > 7, "{:?}", findings(&live));
        for expected in [
            "DL001 Secret db .data.password",
            "DL001 HorizontalPodAutoscaler older .spec.maxReplicas",
            "DL007 Service typo .spec.sessionAfinity",
            "DL008 HorizontalPodAutoscaler old",
        ] {
            assert!(findings(&live).contains(&expected.to_owned()), "{expected} in {:#?}", findings(&live));
        }
        assert_eq!(said(&offline), said(&live));

        let mut text = Vec::new();
        let file = std::fs::File::open(shop.work.path().join("test.snapshot.json.zst")).expect("the snapshot");
        zstd::stream::read::Decoder::new(file).expect("zstd").read_to_end(&mut text).expect("zstd");
        for canary in ["CANARY-", "Q0FOQVJZ"] {
            let found = text.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "{canary} is in the snapshot");
        }

        // Narrowed: what is outside is unknown, and nothing is missing that was not looked for.
        let narrow = shop.work.run(&["snapshot", "--kinds", "deployments,ConfigMap", "-o", "test.snapshot.json.zst"]);
        assert_eq!(narrow.code, 0, "{}{}", narrow.out, narrow.err);
        let report = shop.work.run(&["--config", "offline.yaml", "scan", "-o", "json"]).json();
        assert!(findings(&report).iter().any(|finding| finding.starts_with("DL001 Deployment api")));
        assert!(report["scan"]["changes"]["resolved"].as_array().is_some_and(Vec::is_empty), "{report:#}");
        assert!(report["gaps"].as_array().is_some_and(|gaps| gaps.len() > 5));
        let other = shop.work.run(&["snapshot", "--namespace", "default", "-o", "test.snapshot.json.zst"]);
        assert_eq!(other.code, 0, "{}{}", other.out, other.err);
        let report = shop.work.run(&["--config", "offline.yaml", "scan", "-o", "json"]).json();
        assert_eq!(report["scan"]["counts"]["byClass"]["missing"], Value::Null, "{report:#}");
    }

    #[test]
    #[ignore = "needs the test cluster: run tests/run"]
    fn what_the_role_forbids_is_the_same_gap_from_a_snapshot() {
        let shop = Shop::new("forbidden", &variable("DRIFTLEDGER_TEST_AUDITOR_KUBECONFIG"), false);
        shop.apply(&[]);
        shop.kubectl(&["scale", "deploy/web", "--replicas=3"], "");
        let (live, offline) = both(&shop, 1, 3);
        assert_eq!(live["gaps"][0]["kind"], "forbidden");
        assert_eq!(said(&offline), said(&live));
        let none = shop.work.run(&["snapshot", "--kinds", "secrets"]);
        assert_eq!(none.code, 2);
        assert!(none.err.contains("Secrets are not read"), "{}", none.err);
    }
}
