//! The printed role is enough on a real API server: a scan that has nothing else reads everything.

use std::process::Command;

use crate::on_cluster::{Shop, variable};

fn kubectl(args: &[&str]) -> String {
    let output = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL")).args(args).output().expect("kubectl runs");
    assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Taken away again, for the other tests' sake.
struct Roles(String);

impl Drop for Roles {
    fn drop(&mut self) {
        for role in [self.0.clone(), format!("{}-secrets", self.0)] {
            let what = ["delete", "clusterrole,clusterrolebinding", &role, "--ignore-not-found"];
            let _ = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL")).args(what).output();
        }
    }
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn a_scan_with_the_printed_role_has_no_gap_and_with_less_it_has() {
    let shop = Shop::new("rbac", &variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG"), true);
    shop.apply(&[]);
    // Doors are watched, too; what other tests open there is not looked at here.
    let config = std::fs::read_to_string(shop.work.path().join("driftledger.yaml")).expect("the configuration");
    let (config, _) = config.split_once("audit:").expect("an audit");
    shop.work.file("driftledger.yaml", config);
    let account = format!("reader-{}", std::process::id());
    let said = shop.work.run(&["rbac", "--service-account", &format!("default/{account}")]);
    assert_eq!(said.code, 0, "{}", said.err);
    for line in ["      - deployments # declared by shop", "      - secrets # declared by shop", "as the cluster (v1."]
    {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    assert!(!said.out.contains("guess"), "{}", said.out);

    let roles = Roles(account.clone());
    let manifest = shop.work.file("role.yaml", &said.out);
    kubectl(&["apply", "-f", manifest.to_str().expect("text")]);
    kubectl(&["create", "serviceaccount", &account, "--namespace=default"]);
    let token = kubectl(&["create", "token", &account, "--namespace=default"]);
    let admin = std::fs::read_to_string(variable("DRIFTLEDGER_TEST_AUDITOR_KUBECONFIG")).expect("a kubeconfig");
    let before = admin.split("token: ").nth(1).and_then(|rest| rest.split('}').next()).expect("a token");
    shop.work.file("reader.kubeconfig", &admin.replace(before, &token));
    let admin = variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG");
    shop.work.file("driftledger.yaml", &config.replace(&admin, "reader.kubeconfig"));

    let report = shop.work.run(&["scan", "-o", "json"]).json();
    assert_eq!(report["gaps"], serde_json::json!([]));
    assert_eq!(report["scan"]["complete"], true);
    assert_eq!(report["scan"]["counts"]["compared"], report["scan"]["counts"]["declared"]);

    let doctor = shop.work.run(&["doctor"]);
    assert!(doctor.code == 0 && doctor.out.contains("live objects read"), "{}{}", doctor.out, doctor.err);

    kubectl(&["delete", "clusterrole", &format!("{account}-secrets")]);
    let doctor = shop.work.run(&["doctor"]);
    assert!(doctor.code == 3 && doctor.out.contains("rbac --cluster"), "{}{}", doctor.out, doctor.err);
    assert!(doctor.out.contains("NO    ") && doctor.out.contains("missing RBAC rule"), "{}", doctor.out);
    let report = shop.work.run(&["scan", "-o", "json"]).json();
    assert_eq!(report["gaps"].as_array().map(Vec::len), Some(1), "Secrets are hidden: {}", report["gaps"]);
    drop(roles);
    kubectl(&["delete", "serviceaccount", &account, "--namespace=default"]);
}
