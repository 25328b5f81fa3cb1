//! What a real cluster holds beyond the declared objects: nothing to say of a fresh one, and what people leave in it.

use std::process::Command;

use driftledger::adapters::git::Content;
use serde_json::Value;

use crate::converge_on_cluster::OPERATORS;
use crate::program::{Workspace, findings};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: start the test cluster and read its env file"))
}

fn kubectl(args: &[&str]) {
    let output = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL")).args(args).output().expect("kubectl runs");
    assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Removes what a test made, however it ends.
struct CleanUp(Vec<Vec<String>>);

impl Drop for CleanUp {
    fn drop(&mut self) {
        for what in &self.0 {
            let mut command = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL"));
            let _ = command.args(["delete", "--wait=false", "--ignore-not-found"]).args(what).output();
        }
    }
}

/// A repository that declares what the test cluster's own set-up applies, and whatever is added.
fn workspace(kubeconfig: &str, audit: &str) -> Workspace {
    let mut work = Workspace::new();
    let file = |name: &str, text: &str| (format!("all/{name}"), Content::from(text));
    work.commit(
        "Add the auditor",
        [
            file("namespace.yaml", include_str!("../../config/kubernetes/namespace.yaml")),
            file("serviceaccount.yaml", include_str!("../../config/kubernetes/serviceaccount.yaml")),
            file("clusterrole.yaml", include_str!("../../config/kubernetes/clusterrole.yaml")),
            file("clusterrolebinding.yaml", include_str!("../../config/kubernetes/clusterrolebinding.yaml")),
        ],
    );
    let config = format!(
        "ledger: ledger.sqlite\ngrace: 0s\nclusters:\n  - {{name: test, kubeconfig: {kubeconfig}}}\n\
         repositories:\n  - {{name: r, url: repository}}\n\
         targets:\n  - {{name: all, repository: r, revision: main, path: all, cluster: test}}\n{audit}"
    );
    work.file("driftledger.yaml", &config);
    work
}

fn scan(work: &Workspace) -> Value {
    work.run(&["scan", "-o", "json"]).json()
}

/// The findings without those on objects that other tests make: theirs have the number of a process in namespace or name, or define
/// the operators' kinds.
fn ours(report: &Value) -> Vec<String> {
    let theirs = |finding: &Value| {
        let ends_with_number = |text: &str| {
            let digits = text.rsplit('-').next().unwrap_or_default();
            text.contains('-') && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        };
        let namespace = finding["namespace"].as_str().unwrap_or_default();
        let name = finding["name"].as_str().unwrap_or_default();
        let group = name.split('.').nth(1).unwrap_or_default();
        if OPERATORS.contains(&name) {
            return true;
        }
        let own = name.contains(&format!("beyond-{}", std::process::id()));
        let namespaces = if finding["kind"] == "Namespace" { name } else { namespace };
        !own && !namespace.starts_with("beyond-") && (ends_with_number(namespaces) || ends_with_number(group))
    };
    let mut report = report.clone();
    if let Some(all) = report["findings"].as_array_mut() {
        all.retain(|finding| !theirs(finding));
    }
    findings(&report)
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn a_cluster_as_it_comes_up_has_nothing_undeclared() {
    for (case, kubeconfig, audit) in [
        ("by default, with the shipped role", "DRIFTLEDGER_TEST_AUDITOR_KUBECONFIG", ""),
        (
            "every kind",
            "DRIFTLEDGER_TEST_ADMIN_KUBECONFIG",
            "audit: {unmanaged: {kinds: ['*'], namespaces: ['kube-*', driftledger]}}\n",
        ),
    ] {
        let work = workspace(&variable(kubeconfig), audit);
        let report = scan(&work);
        assert_eq!(ours(&report), [""; 0], "{case}");
        // A definition that another test takes away while this one reads.
        let groups = [".example.com", ".fluxcd.io", "argoproj.io"];
        let going = |gap: &Value| {
            gap["kind"] == "discovery" && groups.iter().any(|group| gap["place"].to_string().contains(group))
        };
        let gaps: Vec<&Value> = report["gaps"].as_array().expect("gaps").iter().filter(|gap| !going(gap)).collect();
        assert_eq!(gaps, [&Value::Null; 0], "{case}: the role allows what is audited");
        let coverage = &report["scan"]["clusters"][0]["coverage"];
        assert!(coverage["declared"].as_u64() >= Some(4), "{coverage}");
        assert!(coverage["setAside"].as_u64() > Some(100), "{coverage}");
        let exclusions = report["exclusions"].to_string();
        assert!(exclusions.contains("Kubernetes' own roles"), "{exclusions}");
    }
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn rights_given_by_hand_and_objects_that_git_gave_up_are_found() {
    let name = format!("beyond-{}", std::process::id());
    let mut work = workspace(&variable("DRIFTLEDGER_TEST_AUDITOR_KUBECONFIG"), "");
    let _clean_up = CleanUp(vec![
        vec!["namespace".into(), name.clone()],
        vec!["clusterrolebinding".into(), name.clone(), format!("system:{name}")],
    ]);
    let manifest = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: stays, namespace: {name}}}\ndata: {{k: v}}\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {{name: gone, namespace: {name}}}\nspec: {{ports: [{{port: 80}}]}}\n"
    );
    let (kept, _) = manifest.split_at(manifest.find("---\napiVersion: v1\nkind: Service").expect("the service"));
    work.commit("Add things", [("all/things.yaml".to_owned(), Content::from(manifest.as_str()))]);
    let file = work.file("things.yaml", &manifest);
    let file = file.to_str().expect("a path");
    kubectl(&["apply", "--server-side", "--field-manager=argocd-controller", "-f", file]);
    assert_eq!(ours(&scan(&work)), [""; 0]);

    // A name like one of the system's hides nothing.
    for binding in [name.clone(), format!("system:{name}")] {
        kubectl(&["create", "clusterrolebinding", &binding, "--clusterrole=cluster-admin", "--user=eve"]);
    }
    let removal = work.commit("Give the service up", [("all/things.yaml".to_owned(), Content::from(kept))]);
    let report = scan(&work);
    let expected = [
        "DL005 Service gone".to_owned(),
        format!("DL006 ClusterRoleBinding {name}"),
        format!("DL006 ClusterRoleBinding system:{name}"),
    ];
    assert_eq!(ours(&report), expected);
    let by_code = |code: &str| {
        let all = report["findings"].as_array().expect("findings");
        let here = |f: &&Value| f["code"] == code && f.to_string().contains(&name);
        all.iter().find(here).expect("the finding").clone()
    };
    let (service, binding) = (by_code("DL005"), by_code("DL006"));
    assert_eq!((&service["severity"], &service["cause"]), (&"high".into(), &"behind".into()), "{service:#}");
    assert!(
        service["note"].as_str().is_some_and(|note| note.contains(removal.short()) && note.contains("all/things.yaml"))
    );
    assert_eq!(service["actors"][0]["manager"], "argocd-controller", "{service:#}");
    assert_eq!(binding["severity"], "high");
    assert_eq!(binding["actors"][0]["manager"], "kubectl-create", "{binding:#}");

    kubectl(&["delete", "service", "gone", "--namespace", &name]);
    kubectl(&["delete", "clusterrolebinding", &name, &format!("system:{name}")]);
    let undone = scan(&work);
    assert_eq!(ours(&undone), [""; 0]);
    let resolved = undone["scan"]["changes"]["resolved"].as_array().expect("changes").clone();
    let of_ours = resolved.iter().filter(|r| r["title"].as_str().is_some_and(|t| t.contains(&name)));
    assert_eq!(of_ours.count(), 3, "{resolved:?}");
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn an_old_name_of_a_kind_is_told_with_what_is_served_and_whether_it_lives_there() {
    let name = format!("beyond-moved-{}", std::process::id());
    let _clean_up = CleanUp(vec![vec!["namespace".into(), name.clone()]]);
    let audit = format!("audit: {{unmanaged: {{kinds: [Ingress], namespaces: ['{name}']}}}}\n");
    let mut work = workspace(&variable("DRIFTLEDGER_TEST_AUDITOR_KUBECONFIG"), &audit);
    let old = |object: &str| {
        format!(
            "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {{name: {object}, namespace: {name}}}\n\
             spec: {{backend: {{serviceName: a, servicePort: 80}}}}\n---\n"
        )
    };
    let text = format!("{}{}", old("there"), old("nowhere"));
    work.commit("Add ingresses", [("all/ingress.yaml".to_owned(), Content::from(text.as_str()))]);
    kubectl(&["create", "namespace", &name]);
    for ingress in ["there", "stray"] {
        kubectl(&["create", "ingress", ingress, "--namespace", &name, "--default-backend=a:80"]);
    }
    let report = scan(&work);
    assert_eq!(ours(&report), ["DL006 Ingress stray", "DL008 Ingress nowhere", "DL008 Ingress there"]);
    for (object, words) in [("there", "the object lives there"), ("nowhere", "the object does not live there")] {
        let all = report["findings"].as_array().expect("findings");
        let finding = all.iter().find(|f| f["name"] == object).expect("the finding");
        let note = finding["note"].as_str().unwrap_or_default();
        assert!(
            note.contains("serves Ingress.networking.k8s.io as networking.k8s.io/v1") && note.contains(words),
            "{note}"
        );
    }
}
