//! Users out of the audit log that a real API server writes.

use serde_json::{Value, json};

use crate::on_cluster::{Shop, variable};

/// A shop whose configuration names the cluster's own audit log.
fn shop(name: &str) -> Shop {
    let shop = Shop::new(name, &variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG"), true);
    let config = std::fs::read_to_string(shop.work.path().join("driftledger.yaml")).expect("the configuration");
    let log = format!("secrets: true, auditLog: {}}}", variable("DRIFTLEDGER_TEST_AUDIT_LOG"));
    shop.work.file("driftledger.yaml", &config.replace("secrets: true}", &log));
    shop
}

fn finding<'a>(report: &'a Value, name: &str, path: &str) -> &'a Value {
    let all = report["findings"].as_array().expect("findings");
    let found = all.iter().find(|f| f["name"] == name && f["path"].as_str().unwrap_or_default().ends_with(path));
    found.unwrap_or_else(|| panic!("{name} {path}: {report:#}"))
}

const ALICE: &[&str] = &["--as=alice@example.com", "--as-group=system:masters"];

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn every_way_to_write_is_matched_to_its_user_and_field() {
    let shop = shop("audit");
    shop.apply(&["--server-side", "--field-manager=argocd-controller"]);
    shop.scan(0);
    let by = |args: &[&str]| shop.kubectl(args, "");
    // A dry run and a write that is refused are nobody's.
    by(&["label", "deploy/web", "a=b", "--dry-run=server"]);
    by(&["set", "image", "deploy/api", "api=registry.example.com/shop/api:debug"]);
    by(&["scale", "deploy/web", "--replicas=3"]);
    by(&["label", "deploy/api", "owner=nobody"]);
    let rules = r#"[{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]"#;
    by(&["patch", "role/api", "--type=json", "-p", rules]);
    let env = r#"[{"op":"remove","path":"/spec/template/spec/containers/0/env/0"}]"#;
    by(&["patch", "deploy/api", "--field-manager=kubectl-edit", "--type=json", "-p", env]);
    by(&["patch", "configmap/api", "--type=merge", "-p", r#"{"data":{"api.toml":"port = 9999\n"}}"#]);
    by(&["patch", "secret/db", "--type=merge", "-p", r#"{"stringData":{"password":"CANARY-live"}}"#]);
    by(&[&["annotate", "service/api", "note=by-hand"], ALICE].concat());
    by(&["delete", "poddisruptionbudget/api"]);

    let said = shop.work.run(&["scan", "-o", "json"]);
    let report = said.json();
    assert_eq!(report["gaps"], json!([]), "{report:#}");
    for (name, path, matched, manager) in [
        ("api", ".image", "field", Some("kubectl-set")),
        ("web", ".spec.replicas", "field", Some("kubectl")),
        ("api", ".labels.owner", "field", Some("kubectl-label")),
        ("api", ".rules", "field", Some("kubectl-patch")),
        ("api", r#".env[name="LOG_LEVEL"]"#, "field", None),
        ("api", r#".data["api.toml"]"#, "field", Some("kubectl-patch")),
        ("db", ".data.password", "field", Some("kubectl-patch")),
        ("api", ".annotations.note", "field", Some("kubectl-annotate")),
        ("api", "", "object", None),
    ] {
        let finding = match path {
            "" => {
                report["findings"].as_array().expect("findings").iter().find(|f| f["code"] == "DL004").expect("DL004")
            }
            path => finding(&report, name, path),
        };
        let writes = finding["writes"].as_array().expect("writes");
        assert_eq!(writes.len(), 1, "{finding:#}");
        let (write, actor) = (&writes[0], &finding["actors"][0]);
        assert_eq!((&write["user"], &write["matched"]), (&json!("admin"), &json!(matched)), "{finding:#}");
        assert_eq!(write["sourceIPs"], Value::Null, "not configured");
        if let Some(manager) = manager {
            assert_eq!((&actor["manager"], &actor["user"]), (&json!(manager), &json!("admin")), "{finding:#}");
        }
    }
    assert_eq!(finding(&report, "api", ".annotations.note")["writes"][0]["impersonated"], "alice@example.com");
    assert!(!said.out.contains("CANARY-live") && !said.err.contains("CANARY-live"));

    // All is put back by the GitOps side: nothing is open, and what was done by hand meanwhile is told.
    by(&["scale", "deploy/web", "--replicas=9"]);
    by(&["label", "deploy/api", "owner-"]);
    by(&["annotate", "service/api", "note-"]);
    shop.apply(&["--server-side", "--force-conflicts", "--field-manager=argocd-controller"]);
    let undone = shop.scan(0);
    let reverted = undone["scan"]["reverted"].as_array().expect("a list");
    let web =
        reverted.iter().find(|r| r["kind"] == "Deployment" && r["name"] == "web").expect("the one that was scaled");
    // The user of these tests applies under the GitOps side's name, which no user of that tool is.
    assert!(web["writes"].as_array().expect("writes").iter().any(|write| write["subresource"] == "scale"), "{web:#}");
}

/// The log as a policy of the level Metadata writes it.
fn without_contents(log: &str) -> String {
    let event = |line: &str| {
        let mut event: Value = serde_json::from_str(line).ok()?;
        let map = event.as_object_mut()?;
        map.remove("requestObject");
        map.remove("responseObject");
        Some(format!("{event}\n"))
    };
    log.lines().filter_map(event).collect()
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn without_contents_a_write_is_a_candidate_and_manager_and_time_still_name_the_user() {
    let shop = shop("metadata");
    shop.apply(&["--server-side", "--field-manager=argocd-controller"]);
    shop.scan(0);
    shop.kubectl(&["label", "deploy/web", "owner=nobody"], "");
    shop.kubectl(&["scale", "deploy/web", "--replicas=3"], "");
    let log = std::fs::read_to_string(variable("DRIFTLEDGER_TEST_AUDIT_LOG")).expect("the log");
    shop.work.file("audit.log", &without_contents(&log));
    let config = std::fs::read_to_string(shop.work.path().join("driftledger.yaml")).expect("the configuration");
    shop.work.file("driftledger.yaml", &config.replace(&variable("DRIFTLEDGER_TEST_AUDIT_LOG"), "audit.log"));
    let report = shop.scan(1);
    for (path, manager, reason) in [
        // Entries of the scale subresource have no time.
        (".spec.replicas", "kubectl", "manager is that of the field's writer"),
        (".labels.owner", "kubectl-label", "manager and time are those of the field's writer"),
    ] {
        let finding = finding(&report, "web", path);
        let actor = &finding["actors"][0];
        assert_eq!((&actor["manager"], &actor["user"]), (&json!(manager), &json!("admin")), "{finding:#}");
        let writes = finding["writes"].as_array().expect("writes");
        assert_eq!(
            (writes.len(), &writes[0]["matched"], &writes[0]["manager"]),
            (1, &json!("candidate"), &json!(manager))
        );
        let why = writes[0]["why"].as_str().expect("a reason");
        assert!(why.contains(reason), "{why}");
    }
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn somebody_who_writes_under_the_gitops_sides_name_is_found_out() {
    let shop = shop("masked");
    shop.apply(&["--server-side", "--field-manager=argocd-controller"]);
    shop.scan(0);
    let patch = r#"{"spec":{"replicas":7}}"#;
    shop.kubectl(&["patch", "deploy/web", "--field-manager=argocd-controller", "--type=merge", "-p", patch], "");
    let report = shop.scan(1);
    let web = finding(&report, "web", ".spec.replicas");
    assert_eq!(web["severity"], "critical", "{web:#}");
    assert_eq!(web["cause"], "out-of-band");
    assert_eq!(
        (&web["actors"][0]["manager"], &web["actors"][0]["user"]),
        (&json!("argocd-controller"), &json!("admin"))
    );
    assert_eq!(web["writes"][0]["contradicts"], true);
    assert!(web["note"].as_str().expect("a note").contains("contradicts"), "{web:#}");
    let again = shop.scan(1);
    let still = finding(&again, "web", ".spec.replicas");
    assert_eq!(
        (&still["severity"], &still["writes"], &still["note"]),
        (&web["severity"], &web["writes"], &web["note"])
    );
    assert_eq!(again["scan"]["changes"]["changed"], json!([]));
}
