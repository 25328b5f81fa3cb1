//! What Pods say about the workload that made them.

use serde_json::{Value, json};

use crate::model::resource::ObjectId;
use crate::model::secret::{RedactionKey, RedactionRules};
use crate::stages::converge::PodTroubles;
use crate::stages::hide::Hide;

fn workload(kind: &str, name: &str) -> ObjectId {
    let group = if kind == "Job" { "batch" } else { "apps" };
    ObjectId { group: group.into(), kind: kind.into(), namespace: Some("n".into()), name: name.into() }
}

fn pod(owner: (&str, &str), hash: Option<&str>, status: Value) -> Value {
    let group = if owner.0 == "Job" { "batch/v1" } else { "apps/v1" };
    let labels = hash.map_or(json!({}), |hash| json!({"pod-template-hash": hash}));
    json!({"metadata": {"name": "p", "namespace": "n", "labels": labels, "ownerReferences": [
        {"apiVersion": group, "kind": owner.0, "name": owner.1, "controller": true}]}, "status": status})
}

fn container(name: &str, more: Value) -> Value {
    let mut container = json!({"name": name, "image": "registry.example.com/api:1.5"});
    container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    container
}

fn waiting(reason: &str) -> Value {
    json!({"state": {"waiting": {"reason": reason, "message": "why"}}})
}

fn page(pods: &[Value]) -> Vec<u8> {
    json!({"items": pods}).to_string().into_bytes()
}

fn take_in(troubles: &mut PodTroubles, page: &[u8]) {
    let key = RedactionKey::from_bytes([7; 32]);
    troubles.page(page, &Hide { key: &key, rules: &RedactionRules::default(), before: None });
}

fn words_of(id: &ObjectId, pods: &[Value]) -> Option<String> {
    let mut troubles = PodTroubles::of([id]);
    take_in(&mut troubles, &page(pods));
    troubles.words(id)
}

#[test]
fn troubles_are_named_with_container_and_count() {
    let status = |container: Value| json!({"phase": "Pending", "containerStatuses": [container]});
    let ended = |code: i64, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason}});
    let id = workload("StatefulSet", "db");
    for (name, status, expected) in [
        (
            "image",
            status(container("api", waiting("ImagePullBackOff"))),
            Some("ImagePullBackOff: registry.example.com/api:1.5 (container api, 1 of 1 Pods)"),
        ),
        (
            "image, while it tries",
            status(container("api", waiting("ErrImagePull"))),
            Some("ImagePullBackOff: registry.example.com/api:1.5 (container api, 1 of 1 Pods)"),
        ),
        (
            "no such name",
            status(container("api", waiting("InvalidImageName"))),
            Some("InvalidImageName: registry.example.com/api:1.5 (container api, 1 of 1 Pods)"),
        ),
        (
            "crash loop",
            status(container(
                "api",
                json!({"restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended(137, "OOMKilled")}),
            )),
            Some("CrashLoopBackOff: exit code 137 (OOMKilled) (container api, 1 of 1 Pods)"),
        ),
        (
            "between two crashes",
            status(container("api", json!({"restartCount": 7, "state": ended(137, "OOMKilled")}))),
            Some("CrashLoopBackOff: exit code 137 (OOMKilled) (container api, 1 of 1 Pods)"),
        ),
        (
            "running again, not ready",
            status(container(
                "api",
                json!({"restartCount": 7, "ready": false, "state": {"running": {}}, "lastState": ended(1, "Error")}),
            )),
            Some("Restarted: last exit code 1 (Error) (container api, 1 of 1 Pods)"),
        ),
        (
            "running again, ready",
            status(container(
                "api",
                json!({"restartCount": 7, "ready": true, "state": {"running": {}}, "lastState": ended(1, "Error")}),
            )),
            None,
        ),
        (
            "ended badly",
            status(container("api", json!({"state": ended(1, "")}))),
            Some("ContainerFailed: exit code 1 (container api, 1 of 1 Pods)"),
        ),
        ("ended well", status(container("api", json!({"state": ended(0, "Completed")}))), None),
        (
            "no such Secret",
            status(container("api", waiting("CreateContainerConfigError"))),
            Some("CreateContainerConfigError: why (container api, 1 of 1 Pods)"),
        ),
        ("being made", status(container("api", waiting("ContainerCreating"))), None),
        (
            "in an init container",
            json!({"initContainerStatuses": [container("init", waiting("ImagePullBackOff"))], "containerStatuses": [container("api", waiting("PodInitializing"))]}),
            Some("ImagePullBackOff: registry.example.com/api:1.5 (container init, 1 of 1 Pods)"),
        ),
        (
            "fits nowhere",
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}]}),
            Some("Unschedulable: 0/3 nodes are available (1 of 1 Pods)"),
        ),
        ("evicted", json!({"phase": "Failed", "reason": "Evicted"}), Some("Evicted (1 of 1 Pods)")),
        (
            "fine",
            json!({"phase": "Running", "containerStatuses": [container("api", json!({"state": {"running": {}}}))]}),
            None,
        ),
    ] {
        assert_eq!(words_of(&id, &[pod(("StatefulSet", "db"), None, status)]).as_deref(), expected, "{name}");
    }
}

#[test]
fn pods_are_counted_for_the_workload_that_made_them() {
    let broken = || json!({"containerStatuses": [container("api", waiting("ImagePullBackOff"))]});
    let mut leaving = pod(("ReplicaSet", "api-5d4"), Some("5d4"), broken());
    leaving["metadata"]["deletionTimestamp"] = json!("2026-03-02T10:00:00Z");
    let mut elsewhere = pod(("ReplicaSet", "api-5d4"), Some("5d4"), broken());
    elsewhere["metadata"]["namespace"] = json!("other");
    let pods = [
        pod(("ReplicaSet", "api-5d4"), Some("5d4"), broken()),
        pod(("ReplicaSet", "api-5d4"), Some("5d4"), broken()),
        pod(("ReplicaSet", "api-77c"), Some("77c"), json!({"phase": "Running"})),
        pod(("ReplicaSet", "api-v2-5d4"), Some("5d4"), broken()),
        pod(("ReplicaSet", "api"), None, broken()),
        pod(("Job", "api"), None, broken()),
        json!({"metadata": {"name": "alone", "namespace": "n"}, "status": broken()}),
        json!({"metadata": 7}),
        leaving,
        elsewhere,
    ];
    let found = |kind: &str, name: &str| words_of(&workload(kind, name), &pods).unwrap_or_default();
    let said = |count: &str| format!("ImagePullBackOff: registry.example.com/api:1.5 (container api, {count} Pods)");
    assert_eq!(found("Deployment", "api"), said("2 of 3"));
    assert_eq!(found("Deployment", "api-v2"), said("1 of 1"));
    assert_eq!(found("ReplicaSet", "api"), said("1 of 1"));
    assert_eq!(found("Job", "api"), said("1 of 1"));
    assert_eq!(found("DaemonSet", "api"), "");
}

#[test]
fn a_restart_forgets() {
    let id = workload("StatefulSet", "db");
    let mut troubles = PodTroubles::of([&id]);
    take_in(&mut troubles, &page(&[pod(("StatefulSet", "db"), None, json!({"phase": "Failed", "reason": "Evicted"}))]));
    take_in(&mut troubles, b"no page");
    assert_eq!(troubles.words(&id).as_deref(), Some("Evicted (1 of 1 Pods)"));
    troubles.restart();
    assert_eq!(troubles.words(&id), None);
}

#[test]
fn many_troubles_are_cut_short() {
    let id = workload("DaemonSet", "agent");
    let broken = |n: usize, reason: &str| {
        let containers = json!([container(
            &format!("c{n}"),
            json!({"state": {"waiting": {"reason": reason, "message": "x".repeat(5_000)}}})
        )]);
        pod(("DaemonSet", "agent"), None, json!({"containerStatuses": containers}))
    };
    let pods: Vec<Value> = (0..6).map(|n| broken(n % 5, "RunContainerError")).collect();
    let words = words_of(&id, &pods).unwrap();
    assert!(words.ends_with("; and 2 more") && words.contains("(container c0, 2 of 6 Pods); "), "{words}");
    assert!(words.chars().count() < 800, "{}", words.len());
}
