//! One write, in every envelope. See the format's files for where their documentation is.

use serde_json::{Value, json};

use super::*;
use crate::model::audit_event::{Body, ManagerHint, Operation, Request};

#[test]
fn the_same_write_is_found_in_every_envelope() {
    let text = event(3).to_string();
    let cloudwatch = |message: &str| {
        json!({"logStreamName": "kube-apiserver-audit-0a1b", "timestamp": 1_772_460_189_123_u64, "message": message,
               "ingestionTime": 1_772_460_190_000_u64, "eventId": "375"})
    };
    let subscription = json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "/aws/eks/prod/cluster",
        "logStream": "kube-apiserver-audit-0a1b", "subscriptionFilters": ["all"],
        "logEvents": [{"id": "375", "timestamp": 1_772_460_189_123_u64, "message": text},
                      {"id": "376", "timestamp": 1_772_460_189_123_u64, "message": "I0302 14:03:09 a line of another part"}]
    });
    let azure = json!({
        "time": "2026-03-02T14:03:10.0000000Z", "category": "kube-audit",
        "resourceId": "/SUBSCRIPTIONS/0/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/PROD",
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"log": format!("{text}\n"), "stream": "stdout", "pod": "kube-apiserver-0"}
    });
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {},
                      "items": [with(event(3), json!({"kind": null, "apiVersion": null})), ]});
    let list = list.to_string().replace("\"kind\":null,", "").replace("\"apiVersion\":null,", "");
    let cases: Vec<(&str, String)> = vec![
        ("a line", format!("{text}\n")),
        ("a line without its end", text.clone()),
        ("an EventList", list),
        ("a container's log", format!("2026-03-02T14:03:09.3Z stdout F {text}\n")),
        ("EKS, a message on a line", format!("{}\n", cloudwatch(&text))),
        (
            "EKS, filter-log-events",
            serde_json::to_string_pretty(&json!({"events": [cloudwatch(&text)], "searchedLogStreams": []})).unwrap(),
        ),
        ("EKS, a subscription", subscription.to_string()),
        ("EKS, subscriptions one after the other", format!("{subscription}{subscription}")),
        ("EKS, an export to S3", format!("2026-03-02T14:03:09.123Z {text}\n")),
        ("EKS, Logs Insights", json!({"@timestamp": "2026-03-02 14:03:09.123", "@message": text}).to_string()),
        (
            "EKS, results of Logs Insights",
            serde_json::to_string_pretty(&json!({"results": [[
                {"field": "@timestamp", "value": "2026-03-02 14:03:09.123"}, {"field": "@message", "value": text}]]}))
            .unwrap(),
        ),
        ("AKS, a line", format!("{azure}\n")),
        (
            "AKS, records",
            json!({"records": [azure, {"category": "kube-apiserver", "properties": {"log": "I0302 plain"}}]})
                .to_string(),
        ),
    ];
    for (case, text) in cases {
        let folder = Folder::new();
        folder.file("audit.log", text);
        let outcome = folder.read();
        assert_eq!(told(&outcome), ["03 alice@example.com patch"], "{case}");
        assert_eq!(gaps(&outcome), [""; 0], "{case}");
        let write = &outcome.writes[&api()][0];
        assert_eq!(write.manager, ManagerHint::Is("kubectl-edit".into()), "{case}");
        assert_eq!((write.code, write.groups.len(), write.source_ips.len()), (200, 2, 0), "{case}");
        let body = write.body.as_ref().unwrap();
        assert_eq!(body.request, Some(Request::Part(json!({"spec": {"replicas": 5}}))), "{case}");
    }
}

fn gke(verb: &str, resource_name: &str, more: Value) -> Value {
    let payload = json!({
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": "k8s.io",
        "methodName": format!("io.k8s.apps.v1.deployments.{verb}"), "resourceName": resource_name,
        "authenticationInfo": {"principalEmail": "alice@example.com"},
        "authorizationInfo": [{"granted": true, "permission": format!("io.k8s.apps.v1.deployments.{verb}"), "resource": resource_name}],
        "requestMetadata": {"callerIp": "192.0.2.7", "callerSuppliedUserAgent": "kubectl/v1.34.1 (linux/amd64)"}, "status": {"code": 0}
    });
    json!({
        "insertId": format!("insert-{verb}-{more}"), "logName": "projects/acme/logs/cloudaudit.googleapis.com%2Factivity",
        "protoPayload": with(payload, more), "timestamp": "2026-03-02T14:03:09.123456Z",
        "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "prod", "location": "europe-west1", "project_id": "acme"}},
        "operation": {"first": true, "last": true, "id": "0a1b", "producer": "k8s.io"}
    })
}

#[test]
fn cloud_audit_logs_of_gke_are_read_from_lines_and_from_an_array() {
    let name = "apps/v1/namespaces/shop/deployments/api";
    let good = gke("patch", name, json!({"request": {"@type": "k8s.io/Patch", "spec": {"replicas": 5}}}));
    let others = [
        gke("patch", name, json!({"status": {"code": 7, "message": "PERMISSION_DENIED"}})),
        gke("patch", "apps/v1/namespaces/shop/deployments/api/status", json!({})),
        gke("list", "apps/v1/namespaces/shop/deployments", json!({})),
        gke("patch", name, json!({"serviceName": "compute.googleapis.com"})),
        json!({"textPayload": "a line of another part", "timestamp": "2026-03-02T14:03:09Z"}),
    ];
    let all: Vec<Value> = others.into_iter().chain([good]).collect();
    for (case, text) in [
        ("lines", lines(&all)),
        ("as gcloud prints them", serde_json::to_string_pretty(&Value::from(all.clone())).unwrap()),
    ] {
        let folder = Folder::new();
        let path = folder.file("export.json", text);
        let outcome = read_with(&path, |request| request.source_ips = true);
        assert_eq!(told(&outcome), ["03 alice@example.com patch"], "{case}");
        assert_eq!(gaps(&outcome), [""; 0], "{case}");
        let write = &outcome.writes[&api()][0];
        assert_eq!(write.manager, ManagerHint::BeginsWith("kubectl".into()), "the query is not in these logs");
        assert_eq!(write.source_ips, ["192.0.2.7"]);
        assert_eq!(write.body.as_ref().unwrap().request, Some(Request::Part(json!({"spec": {"replicas": 5}}))));
    }
}

#[test]
fn what_wrote_nothing_is_left_out() {
    for (case, changes) in [
        ("a read", json!({"verb": "get"})),
        ("refused", json!({"responseStatus": {"code": 403}})),
        ("a conflict", json!({"responseStatus": {"code": 409}})),
        ("without a status", json!({"responseStatus": null})),
        ("a dry run", json!({"requestURI": "/apis/apps/v1/namespaces/shop/deployments/api?dryRun=All&fieldManager=a"})),
        (
            "a dry run of a deletion",
            json!({"verb": "delete", "requestObject": {"kind": "DeleteOptions", "dryRun": ["All"]}}),
        ),
        ("the request's arrival", json!({"stage": "RequestReceived"})),
        (
            "the status",
            json!({"objectRef": {"resource": "deployments", "namespace": "shop", "name": "api", "apiGroup": "apps", "subresource": "status"}}),
        ),
        (
            "a kind that is not served",
            json!({"objectRef": {"resource": "gadgets", "namespace": "shop", "name": "api", "apiGroup": "apps"}}),
        ),
    ] {
        let folder = Folder::new();
        folder.file("audit.log", lines(&[with(event(3), changes)]));
        let outcome = folder.read();
        assert!(outcome.writes.is_empty(), "{case}");
        assert_eq!(gaps(&outcome), [""; 0], "{case}");
        assert!(outcome.span.is_some(), "{case}: an event all the same");
    }
}

#[test]
fn names_come_from_where_the_request_had_them() {
    let object = |kind: &str, group: &str, namespace: Option<&str>, name: &str| ObjectId {
        group: group.into(),
        kind: kind.into(),
        namespace: namespace.map(str::to_owned),
        name: name.into(),
    };
    for (case, changes, expected) in [
        (
            "a Namespace is its own namespace in the log",
            json!({"objectRef": {"resource": "namespaces", "namespace": "shop", "name": "shop"}}),
            object("Namespace", "", None, "shop"),
        ),
        (
            "a name that the server made",
            json!({"verb": "create", "objectRef": {"resource": "configmaps", "namespace": "shop"}, "responseStatus": {"code": 201},
                   "responseObject": {"kind": "ConfigMap", "metadata": {"name": "a-x7k2p"}}}),
            object("ConfigMap", "", Some("shop"), "a-x7k2p"),
        ),
        (
            "a collection has none",
            json!({"verb": "deletecollection", "objectRef": {"resource": "configmaps", "namespace": "shop"}}),
            object("ConfigMap", "", Some("shop"), ""),
        ),
        (
            "a kind without namespaces",
            json!({"objectRef": {"resource": "clusterroles", "apiGroup": "rbac.authorization.k8s.io", "name": "a"}}),
            object("ClusterRole", "rbac.authorization.k8s.io", None, "a"),
        ),
    ] {
        let folder = Folder::new();
        folder.file("audit.log", lines(&[with(event(3), changes)]));
        assert_eq!(folder.read().writes.into_keys().collect::<Vec<_>>(), [expected], "{case}");
    }
}

#[test]
fn an_impersonated_user_is_told_beside_the_one_who_acts() {
    let folder = Folder::new();
    folder.file(
        "audit.log",
        lines(&[with(event(3), json!({"impersonatedUser": {"username": "root", "groups": ["system:masters"]}}))]),
    );
    let outcome = folder.read();
    let write = &outcome.writes[&api()][0];
    assert_eq!((write.user.as_str(), write.impersonated.as_deref()), ("alice@example.com", Some("root")));
}

#[test]
fn contents_are_read_by_the_sort_of_patch_and_never_hold_a_secret() {
    let secret = json!({"resource": "secrets", "namespace": "shop", "name": "db"});
    let deployment = event(3)["objectRef"].clone();
    let operations = json!([{"op": "replace", "path": "/metadata/labels/a~1b", "value": "x"}, {"op": "remove", "path": "/spec/paused"}]);
    let op = |op: &str, path: &[&str], value: Option<Value>| Operation {
        op: op.into(),
        path: path.iter().map(|part| (*part).to_owned()).collect(),
        value,
    };
    for (case, object, verb, sent, expected) in [
        (
            "a JSON patch",
            &deployment,
            "patch",
            operations.clone(),
            Some(Request::Operations(vec![
                op("replace", &["metadata", "labels", "a/b"], Some(json!("x"))),
                op("remove", &["spec", "paused"], None),
            ])),
        ),
        (
            "a JSON patch in Cloud Logging",
            &deployment,
            "patch",
            json!({"@type": "k8s.io/Patch", "value": [{"op": "remove", "path": "/spec/paused"}]}),
            Some(Request::Operations(vec![op("remove", &["spec", "paused"], None)])),
        ),
        (
            "an apply configuration as YAML",
            &deployment,
            "patch",
            json!("kind: Deployment\nspec: {replicas: 5}\n"),
            Some(Request::Part(json!({"kind": "Deployment", "spec": {"replicas": 5}}))),
        ),
        (
            "a whole object",
            &deployment,
            "update",
            json!({"spec": {"replicas": 5}}),
            Some(Request::Whole(json!({"spec": {"replicas": 5}}))),
        ),
        ("the options of a deletion", &deployment, "delete", json!({"propagationPolicy": "Background"}), None),
        ("a text that is none", &deployment, "patch", json!("CANARY: ["), None),
    ] {
        let folder = Folder::new();
        let changes = json!({"objectRef": object, "verb": verb, "requestObject": sent, "responseObject": null});
        folder.file("audit.log", lines(&[with(event(3), changes)]));
        let outcome = folder.read();
        let body = outcome.writes[&api()][0].body.clone();
        assert_eq!(body, expected.map(|request| Body { request: Some(request), response: None }), "{case}");
    }
    for (case, verb, sent) in [
        ("a Secret", "update", json!({"kind": "Secret", "metadata": {"name": "db"}, "data": {"password": "Q0FOQVJZ"}})),
        ("a patch with texts", "patch", json!({"stringData": {"password": "CANARY"}})),
        (
            "a JSON patch of one value",
            "patch",
            json!([{"op": "replace", "path": "/data/password", "value": "Q0FOQVJZ"}]),
        ),
        (
            "a JSON patch of texts",
            "patch",
            json!([{"op": "add", "path": "/stringData", "value": {"password": "CANARY"}}]),
        ),
        ("a JSON patch of a text", "patch", json!([{"op": "add", "path": "/stringData/password", "value": "CANARY"}])),
        (
            "a JSON patch of the whole object",
            "patch",
            json!([{"op": "replace", "path": "", "value": {"data": {"password": "Q0FOQVJZ"}}}]),
        ),
    ] {
        let folder = Folder::new();
        let response = json!({"kind": "Secret", "metadata": {"name": "db", "annotations":
            {"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"password\":\"Q0FOQVJZ\"}}"}}, "data": {"password": "Q0FOQVJZ"}});
        let changes = json!({"objectRef": secret, "verb": verb, "requestObject": sent, "responseObject": response});
        folder.file("audit.log", lines(&[with(event(3), changes)]));
        let text = format!("{:?}", folder.read());
        assert!(!text.contains("CANARY") && !text.contains("Q0FOQVJZ") && text.contains("redacted:"), "{case}: {text}");
    }
}
