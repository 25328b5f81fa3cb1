//! Findings joined to the users that an audit log names.

use serde_json::{Value, json};

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
    spec: {containers: [{name: api, image: 'api:1'}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: shop}
data: {a: '1', token: 'CANARY-declared'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: gone, namespace: shop}
data: {a: '1'}
";

/// What is live: `replicas` of the Deployment by `manager`, the first ConfigMap with this content, without the second.
fn live(replicas: u32, manager: &str, data: &Value) -> String {
    let (deployment, rest) = DECLARED.split_once("---\n").expect("several objects");
    let deployment = deployment.replace("replicas: 2", &format!("replicas: {replicas}")).replace(
        "labels: {app: api}}\nspec",
        &format!(
            "labels: {{app: api}}, managedFields: [{{manager: {manager}, operation: Update, apiVersion: apps/v1, \
             time: '2026-03-02T14:03:09Z', fieldsType: FieldsV1, fieldsV1: {{'f:spec': {{'f:replicas': {{}}}}}}}}]}}\nspec"
        ),
    );
    let (one, _) = rest.split_once("---\n").expect("several objects");
    format!("{deployment}---\n{}", one.replace("{a: '1', token: 'CANARY-declared'}", &data.to_string()))
}

fn event(time: &str, verb: &str, user: &str, manager: &str, object: (&str, &str, &str), sent: &Value) -> Value {
    let (group, resource, name) = object;
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": format!("{time} {verb} {user} {name}"),
        "stage": "ResponseComplete", "requestURI": format!("/x?fieldManager={manager}"), "verb": verb,
        "user": {"username": user, "groups": ["system:authenticated"]}, "sourceIPs": ["192.0.2.7"], "userAgent": "kubectl/v1.34.1",
        "objectRef": {"resource": resource, "namespace": "shop", "name": name, "apiGroup": group},
        "responseStatus": {"code": 200}, "requestObject": sent, "requestReceivedTimestamp": time, "stageTimestamp": time
    })
}

const API: (&str, &str, &str) = ("apps", "deployments", "api");

fn workspace(log: &str) -> Workspace {
    let mut work = Workspace::new();
    work.commit("Add the shop", [("shop/all.yaml".to_owned(), DECLARED.into())]);
    let config = format!(
        "ledger: ledger.sqlite\nclusters: [{{name: prod, dump: live.yaml, auditLog: {log}}}]\n\
         repositories: [{{name: shop, url: repository}}]\n\
         targets: [{{name: shop, repository: shop, revision: main, path: shop, cluster: prod}}]\n"
    );
    work.file("driftledger.yaml", &config);
    work
}

fn log(work: &Workspace, name: &str, events: &[Value]) {
    work.file(name, &events.iter().map(|event| format!("{event}\n")).collect::<String>());
}

fn finding<'a>(report: &'a Value, name: &str) -> &'a Value {
    let all = report["findings"].as_array().expect("findings");
    all.iter().find(|finding| finding["name"] == name).unwrap_or_else(|| panic!("{name}: {report:#}"))
}

#[test]
fn findings_name_the_user_who_wrote_the_value_or_deleted_the_object() {
    let work = workspace("{path: audit, sourceIPs: true}");
    work.file("live.yaml", &live(5, "kubectl-edit", &json!({"a": "2", "token": "CANARY-live"})));
    let one = ("", "configmaps", "one");
    log(
        &work,
        "audit/audit-2026-03-02T14-00-00.000.log",
        &[
            event(
                "2026-03-02T13:59:00Z",
                "patch",
                "bob@example.com",
                "kubectl-patch",
                API,
                &json!({"spec": {"paused": true}}),
            ),
            event(
                "2026-03-02T14:03:09Z",
                "patch",
                "alice@example.com",
                "kubectl-edit",
                API,
                &json!({"spec": {"replicas": 5}}),
            ),
        ],
    );
    log(
        &work,
        "audit/audit.log",
        &[
            event(
                "2026-03-02T14:05:00Z",
                "patch",
                "carol@example.com",
                "kubectl-edit",
                one,
                &json!({"data": {"a": "2", "token": "CANARY-live"}}),
            ),
            event(
                "2026-03-02T14:06:00Z",
                "delete",
                "dan@example.com",
                "",
                ("", "configmaps", "gone"),
                &json!({"kind": "DeleteOptions"}),
            ),
        ],
    );
    let said = work.run(&[
        "scan",
        "-vv",
        "-o",
        "json",
        "-o",
        "html=r.html",
        "-o",
        "table=r.txt",
        "-o",
        "eml=r.eml",
        "-o",
        "slack=r.json",
    ]);
    assert_eq!(said.code, 1, "{}", said.err);
    let report = said.json();
    let expected = [
        "DL001 ConfigMap one .data.a",
        "DL001 ConfigMap one .data.token",
        "DL001 Deployment api .spec.replicas",
        "DL004 ConfigMap gone",
    ];
    assert_eq!(findings(&report), expected);
    assert_eq!(report["gaps"], json!([]));

    let api = finding(&report, "api");
    assert_eq!(api["actors"][0]["user"], "alice@example.com", "{api:#}");
    let writes = api["writes"].as_array().expect("writes");
    assert_eq!(writes.len(), 1, "{api:#}");
    assert_eq!((&writes[0]["user"], &writes[0]["matched"]), (&json!("alice@example.com"), &json!("field")));
    assert_eq!((&writes[0]["sourceIPs"], &writes[0]["verb"]), (&json!(["192.0.2.7"]), &json!("patch")));
    assert_eq!(finding(&report, "one")["writes"][0]["user"], "carol@example.com");
    let gone = &finding(&report, "gone")["writes"][0];
    assert_eq!((&gone["user"], &gone["matched"]), (&json!("dan@example.com"), &json!("object")));
    for name in ["r.html", "r.txt", "r.eml", "r.json"] {
        let text =
            std::fs::read_to_string(work.path().join(name)).expect("written").replace("=40", "@").replace("=\r\n", "");
        assert!(text.contains("alice@example.com"), "{name}");
    }
    for entry in std::fs::read_dir(work.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() && !path.ends_with("live.yaml") {
            let bytes = std::fs::read(&path).expect("a file");
            assert!(!bytes.windows(7).any(|window| window == b"CANARY-"), "{}", path.display());
        }
    }
    assert!(!said.err.contains("CANARY-") && !said.out.contains("CANARY-"));

    // The log is rotated away, and the evidence stays.
    std::fs::remove_file(work.path().join("audit/audit-2026-03-02T14-00-00.000.log")).expect("removed");
    let again = work.run(&["scan", "-o", "json"]).json();
    assert_eq!(finding(&again, "api")["writes"], api["writes"]);
    assert_eq!(finding(&again, "api")["actors"], api["actors"]);
    assert_eq!(again["scan"]["changes"]["changed"], json!([]));
}

#[test]
fn a_user_behind_the_gitops_sides_name_is_critical() {
    for (case, user, cause, severity) in [
        ("a person", "alice@example.com", "out-of-band", "critical"),
        ("the tool", "system:serviceaccount:argocd:argocd-application-controller", "out-of-band", "high"),
    ] {
        let work = workspace("audit.log");
        work.file("live.yaml", &live(5, "argocd-controller", &json!({"a": "1", "token": "CANARY-declared"})));
        log(
            &work,
            "audit.log",
            &[event(
                "2026-03-02T14:03:08Z",
                "update",
                user,
                "argocd-controller",
                API,
                &json!({"spec": {"replicas": 5}}),
            )],
        );
        let report = work.run(&["scan", "-o", "json"]).json();
        let api = finding(&report, "api");
        assert_eq!((&api["cause"], &api["severity"]), (&json!(cause), &json!(severity)), "{case}: {api:#}");
        assert_eq!(api["actors"][0]["user"], user, "{case}");
        assert_eq!(api["writes"][0]["contradicts"], severity == "critical", "{case}");
        let note = api["note"].as_str().unwrap_or_default();
        assert_eq!(
            note.contains("the audit log contradicts the writer's name"),
            severity == "critical",
            "{case}: {note}"
        );
    }
}

#[test]
fn what_was_changed_and_changed_back_between_scans_is_listed_and_no_finding() {
    let work = workspace("audit.log");
    let in_sync = live(2, "argocd-controller", &json!({"a": "1", "token": "CANARY-declared"}));
    work.file("live.yaml", &format!("{in_sync}---\n{}", DECLARED.rsplit("---\n").next().expect("the last object")));
    log(
        &work,
        "audit.log",
        &[event(
            "2026-03-02T14:03:09Z",
            "patch",
            "alice@example.com",
            "kubectl-scale",
            API,
            &json!({"spec": {"replicas": 5}}),
        )],
    );
    let first = work.run(&["scan", "-o", "json"]);
    assert_eq!(first.code, 0, "{}{}", first.out, first.err);
    assert_eq!(first.json()["scan"]["reverted"], json!([]), "before the first scan is not between scans");

    let soon = |seconds: i64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
        driftledger::model::time::Timestamp::from_unix(i64::try_from(now).expect("seconds") + seconds).to_string()
    };
    let tool = "system:serviceaccount:argocd:argocd-application-controller";
    let more = [
        event(&soon(1), "patch", "alice@example.com", "kubectl-scale", API, &json!({"spec": {"replicas": 5}})),
        event(&soon(2), "patch", tool, "argocd-controller", API, &json!({"spec": {"replicas": 2}})),
        event(
            &soon(3),
            "patch",
            "alice@example.com",
            "kubectl-edit",
            ("", "configmaps", "nobody-declares-it"),
            &json!({"data": {}}),
        ),
    ];
    log(&work, "audit.log", &more);
    let said = work.run(&["scan", "-o", "json", "-o", "table=r.txt", "-o", "html=r.html", "-o", "markdown=r.md"]);
    let second = said.json();
    assert_eq!((said.code, findings(&second).len()), (0, 0), "{}", said.out);
    let reverted = second["scan"]["reverted"].as_array().expect("a list");
    assert_eq!(reverted.len(), 1, "{reverted:#?}");
    assert_eq!((&reverted[0]["kind"], &reverted[0]["name"]), (&json!("Deployment"), &json!("api")));
    let users: Vec<&Value> =
        reverted[0]["writes"].as_array().expect("writes").iter().map(|write| &write["user"]).collect();
    assert_eq!(users, ["alice@example.com"]);
    for name in ["r.txt", "r.html", "r.md"] {
        let text = std::fs::read_to_string(work.path().join(name)).expect("written");
        assert!(text.contains("alice@example.com") && text.contains("ritten meanwhile"), "{name}");
    }
    let stored = work.run(&["report", "-o", "json"]).json();
    assert_eq!(stored["scan"]["reverted"], second["scan"]["reverted"], "the ledger keeps it");
}

#[test]
fn a_log_that_cannot_be_read_is_a_gap_and_hides_evidence_only() {
    let work = workspace("audit.log");
    work.file("live.yaml", &live(5, "kubectl-edit", &json!({"a": "1", "token": "CANARY-declared"})));
    let gaps = |work: &Workspace| {
        let report = work.run(&["scan", "-o", "json"]).json();
        assert_eq!(findings(&report).len(), 2, "the findings are there all the same");
        report["gaps"].as_array().expect("gaps").clone()
    };
    let found = gaps(&work);
    assert_eq!((found.len(), &found[0]["hides"]["what"]), (1, &json!("evidence")), "{found:#?}");
    work.file("audit.log", "{\"kind\":\"Event\"\nnonsense\n");
    assert!(gaps(&work)[0]["message"].as_str().expect("a message").contains("no line of it is an event"));
    let good = event(
        "2026-03-02T14:03:09Z",
        "patch",
        "alice@example.com",
        "kubectl-edit",
        API,
        &json!({"spec": {"replicas": 5}}),
    );
    work.file("audit.log", &format!("{good}\nnonsense\n{good}\nnonsense\n"));
    let found = gaps(&work);
    assert_eq!(found[0]["message"], "2 lines could not be read, the first is line 2");
    assert!(found[0]["place"].as_str().expect("a place").ends_with("audit.log") && found[0]["cluster"] == "prod");
}

#[test]
fn without_an_audit_log_nothing_is_said_of_writes() {
    let work = workspace("audit.log");
    let config = std::fs::read_to_string(work.path().join("driftledger.yaml")).expect("the configuration");
    work.file("driftledger.yaml", &config.replace(", auditLog: audit.log", ""));
    work.file("live.yaml", &live(5, "kubectl-edit", &json!({"a": "1", "token": "CANARY-declared"})));
    let report = work.run(&["scan", "-o", "json"]).json();
    assert_eq!(finding(&report, "api")["writes"], Value::Null);
    assert_eq!(finding(&report, "api")["actors"][0]["user"], Value::Null);
}
