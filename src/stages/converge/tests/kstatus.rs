//! What kstatus's own tests hold it to, case by case, and the edges around them.

use serde_json::{Value, json};

use super::{check, read, words};
use crate::model::time::Timestamp;
use crate::stages::converge::reading::Since;

fn live(spec: Value, status: Value) -> Value {
    json!({"metadata": {"name": "a", "generation": 1}, "spec": spec, "status": status})
}

fn with(mut status: Value, more: Value) -> Value {
    status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    status
}

fn condition(r#type: &str, status: &str, reason: &str) -> Value {
    json!({"type": r#type, "status": status, "reason": reason, "message": "why", "lastTransitionTime": "2026-03-02T10:00:00Z"})
}

#[test]
fn deployments() {
    let ok = || json!({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1});
    let done = condition("Progressing", "True", "NewReplicaSetAvailable");
    let available = condition("Available", "True", "");
    let both = json!({"conditions": [done, available]});
    check(
        "apps/v1 Deployment",
        &[
            ("no status", live(json!({}), json!(null)), "InProgress LessReplicas"),
            ("complete", live(json!({}), with(ok(), both.clone())), "Current"),
            (
                "not progressing",
                live(
                    json!({"progressDeadlineSeconds": 45}),
                    with(ok(), json!({"conditions": [condition("Progressing", "False", "Some"), available]})),
                ),
                "InProgress ReplicaSetNotAvailable",
            ),
            ("no deadline, no condition", live(json!({}), with(ok(), json!({"conditions": [available]}))), "Current"),
            (
                "the deadline that stands for none",
                live(json!({"progressDeadlineSeconds": 2_147_483_647}), with(ok(), json!({"conditions": [available]}))),
                "Current",
            ),
            (
                "not available",
                live(json!({}), with(ok(), json!({"conditions": [done, condition("Available", "False", "")]}))),
                "InProgress DeploymentNotAvailable",
            ),
            (
                "deadline exceeded",
                live(
                    json!({"progressDeadlineSeconds": 1}),
                    json!({"observedGeneration": 1, "conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded")]}),
                ),
                "Failed ProgressDeadlineExceeded",
            ),
            (
                "not updated",
                live(json!({"replicas": 2}), with(with(ok(), both.clone()), json!({"replicas": 2}))),
                "InProgress LessUpdated",
            ),
            (
                "not updated by choice",
                live(
                    json!({"replicas": 2, "paused": true}),
                    with(with(ok(), both.clone()), json!({"replicas": 2, "readyReplicas": 2})),
                ),
                "Current",
            ),
            (
                "old Pods",
                live(json!({}), with(with(ok(), both.clone()), json!({"replicas": 2}))),
                "InProgress ExtraPods",
            ),
            (
                "updated, not available",
                live(json!({}), with(with(ok(), both.clone()), json!({"availableReplicas": 0}))),
                "InProgress LessAvailable",
            ),
            (
                "not ready",
                live(json!({}), with(with(ok(), both.clone()), json!({"readyReplicas": 0}))),
                "InProgress LessReady",
            ),
            (
                "scaled to none",
                live(json!({"replicas": 0}), json!({"observedGeneration": 1, "conditions": [done, available]})),
                "Current",
            ),
            (
                "spec not observed",
                json!({"metadata": {"generation": 2}, "status": with(ok(), both)}),
                "InProgress LatestGenerationNotObserved",
            ),
        ],
    );
}

#[test]
fn a_rollout_counts_from_its_last_progress_and_a_loss_of_pods_from_the_loss() {
    let progressing = |reason: &str| {
        json!({"type": "Progressing", "status": "True", "reason": reason,
            "lastTransitionTime": "2026-03-02T10:00:00Z", "lastUpdateTime": "2026-03-02T10:05:00Z"})
    };
    let lost = condition("Available", "False", "MinimumReplicasUnavailable");
    for (name, conditions, since, own) in [
        ("rollout", json!([progressing("ReplicaSetUpdated"), lost]), Some("2026-03-02T10:05:00Z"), Some(600)),
        ("loss", json!([progressing("NewReplicaSetAvailable"), lost]), Some("2026-03-02T10:00:00Z"), None),
        (
            "partial loss",
            json!([progressing("NewReplicaSetAvailable"), condition("Available", "True", "")]),
            None,
            None,
        ),
    ] {
        let status = json!({"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2, "readyReplicas": 2, "conditions": conditions});
        let reading = read("apps/v1 Deployment", &live(json!({"replicas": 3, "progressDeadlineSeconds": 600}), status));
        let since = since.map_or(Since::LastWrite, |time| Since::At(Timestamp::parse(time).unwrap()));
        assert_eq!(
            (words(&reading).as_str(), reading.since, reading.own_deadline),
            ("InProgress LessAvailable", since, own),
            "{name}"
        );
    }
}

#[test]
fn why_a_deployment_has_no_pods_is_told_with_it() {
    let quota =
        json!({"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: q"});
    let status = json!({"conditions": [condition("Progressing", "False", "ProgressDeadlineExceeded"), quota]});
    let reading = read("apps/v1 Deployment", &live(json!({}), status));
    assert_eq!(reading.message, "why; exceeded quota: q");
}

#[test]
fn stateful_sets() {
    let ok = || {
        json!({"observedGeneration": 1, "replicas": 4, "readyReplicas": 4, "currentReplicas": 4, "updatedReplicas": 4,
            "currentRevision": "r1", "updateRevision": "r1"})
    };
    let four = || json!({"replicas": 4});
    let partition = json!({"replicas": 4, "updateStrategy": {"rollingUpdate": {"partition": 3}}});
    check(
        "apps/v1 StatefulSet",
        &[
            ("no status", live(json!({}), json!(null)), "InProgress LessReplicas"),
            (
                "counts missing",
                live(json!({}), json!({"observedGeneration": 1, "currentReplicas": 1})),
                "InProgress LessReplicas",
            ),
            ("all there", live(four(), ok()), "Current"),
            ("not ready", live(four(), with(ok(), json!({"readyReplicas": 2}))), "InProgress LessReady"),
            ("not current", live(four(), with(ok(), json!({"currentReplicas": 2}))), "InProgress LessCurrent"),
            ("old Pods", live(four(), with(ok(), json!({"replicas": 8}))), "InProgress ExtraPods"),
            ("two revisions", live(four(), with(ok(), json!({"updateRevision": "r2"}))), "InProgress RevisionMismatch"),
            ("partition reached", live(partition.clone(), with(ok(), json!({"updatedReplicas": 1}))), "Current"),
            (
                "partition not reached",
                live(partition, with(ok(), json!({"updatedReplicas": 0}))),
                "InProgress PartitionRollout",
            ),
            ("on delete", live(json!({"updateStrategy": {"type": "OnDelete"}}), json!({"replicas": 0})), "Current"),
        ],
    );
}

#[test]
fn daemon_sets() {
    let ok = || {
        json!({"observedGeneration": 1, "desiredNumberScheduled": 4, "currentNumberScheduled": 4, "updatedNumberScheduled": 4,
            "numberAvailable": 4, "numberReady": 4})
    };
    check(
        "apps/v1 DaemonSet",
        &[
            ("no status", live(json!({}), json!(null)), "InProgress NoObservedGeneration"),
            ("no generation", json!({"metadata": {}, "status": ok()}), "InProgress NoGeneration"),
            ("counts missing", live(json!({}), json!({"observedGeneration": 1})), "InProgress NoDesiredNumber"),
            ("all there", live(json!({}), ok()), "Current"),
            ("no nodes", live(json!({}), json!({"observedGeneration": 1, "desiredNumberScheduled": 0})), "Current"),
            (
                "not observed",
                live(json!({}), with(ok(), json!({"observedGeneration": 0}))),
                "InProgress LatestGenerationNotObserved",
            ),
            (
                "not scheduled",
                live(json!({}), with(ok(), json!({"currentNumberScheduled": 3}))),
                "InProgress LessCurrent",
            ),
            (
                "not updated",
                live(json!({}), with(ok(), json!({"updatedNumberScheduled": 3}))),
                "InProgress LessUpdated",
            ),
            (
                "not updated by choice",
                live(json!({"updateStrategy": {"type": "OnDelete"}}), with(ok(), json!({"updatedNumberScheduled": 3}))),
                "Current",
            ),
            ("not available", live(json!({}), with(ok(), json!({"numberAvailable": 2}))), "InProgress LessAvailable"),
            ("not ready", live(json!({}), with(ok(), json!({"numberReady": 2}))), "InProgress LessReady"),
        ],
    );
}

#[test]
fn replica_sets() {
    let ok = || json!({"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "fullyLabeledReplicas": 2});
    let two = || json!({"replicas": 2});
    check(
        "apps/v1 ReplicaSet",
        &[
            ("no status", live(json!({}), json!(null)), "InProgress LessLabelled"),
            ("all there", live(two(), ok()), "Current"),
            (
                "no failure",
                live(two(), with(ok(), json!({"conditions": [condition("ReplicaFailure", "False", "")]}))),
                "Current",
            ),
            (
                "failure",
                live(two(), with(ok(), json!({"conditions": [condition("ReplicaFailure", "True", "")]}))),
                "InProgress ReplicaFailure",
            ),
            ("not available", live(two(), with(ok(), json!({"availableReplicas": 1}))), "InProgress LessAvailable"),
            ("not ready", live(two(), with(ok(), json!({"readyReplicas": 1}))), "InProgress LessReady"),
            ("too many", live(two(), with(ok(), json!({"replicas": 3}))), "InProgress ExtraPods"),
        ],
    );
}

#[test]
fn jobs() {
    let started = json!({"startTime": "2026-03-02T10:00:00Z", "succeeded": 3, "failed": 1, "active": 2});
    check(
        "batch/v1 Job",
        &[
            ("no status", live(json!({}), json!(null)), "InProgress JobNotStarted"),
            (
                "complete",
                live(json!({}), json!({"succeeded": 1, "conditions": [condition("Complete", "True", "")]})),
                "Current",
            ),
            (
                "failed",
                live(
                    json!({"completions": 4}),
                    json!({"failed": 1, "conditions": [condition("Failed", "True", "BackoffLimitExceeded")]}),
                ),
                "Failed BackoffLimitExceeded",
            ),
            (
                "failed without a reason",
                live(json!({}), json!({"conditions": [condition("Failed", "True", "")]})),
                "Failed JobFailed",
            ),
            (
                "running",
                live(
                    json!({}),
                    with(
                        started,
                        json!({"conditions": [condition("Failed", "False", ""), condition("Complete", "False", "")]}),
                    ),
                ),
                "Current",
            ),
            (
                "suspended by choice",
                live(json!({"suspend": true}), json!({"conditions": [condition("Suspended", "True", "")]})),
                "Current",
            ),
        ],
    );
}

#[test]
fn pods() {
    let phase = |phase: &str, conditions: Value| live(json!({}), json!({"phase": phase, "conditions": conditions}));
    let looping = json!({"phase": "Running", "conditions": [condition("Ready", "False", "")],
        "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]});
    check(
        "v1 Pod",
        &[
            ("no status", live(json!({}), json!(null)), "InProgress PodNotObserved"),
            ("ready", phase("Running", json!([condition("Ready", "True", "")])), "Current"),
            ("succeeded", phase("Succeeded", json!([condition("Ready", "False", "PodCompleted")])), "Current"),
            ("failed", phase("Failed", json!([condition("Ready", "False", "PodCompleted")])), "Current"),
            ("pending", phase("Pending", json!([])), "InProgress PodPending"),
            (
                "unschedulable",
                phase("Pending", json!([condition("PodScheduled", "False", "Unschedulable")])),
                "Failed PodUnschedulable",
            ),
            ("not ready", phase("Running", json!([condition("Ready", "False", "")])), "InProgress PodRunningNotReady"),
            ("crash loop", live(json!({}), looping), "Failed ContainerCrashLooping"),
            ("a phase of its own", phase("Dreaming", json!([])), "Unknown"),
        ],
    );
}

#[test]
fn what_else_a_cluster_holds() {
    let status = |status: Value| live(json!({}), status);
    check(
        "v1 PersistentVolumeClaim",
        &[
            ("no status", status(json!(null)), "InProgress NotBound"),
            ("bound", status(json!({"phase": "Bound"})), "Current"),
            ("lost", status(json!({"phase": "Lost"})), "InProgress NotBound"),
        ],
    );
    let balancer = |ip: &str, status: Value| live(json!({"type": "LoadBalancer", "clusterIP": ip}), status);
    check(
        "v1 Service",
        &[
            ("ClusterIP", status(json!(null)), "Current"),
            ("NodePort", live(json!({"type": "NodePort"}), json!(null)), "Current"),
            ("LoadBalancer without an IP", balancer("", json!(null)), "InProgress NoIPAssigned"),
            (
                "LoadBalancer without an address",
                balancer("10.0.0.1", json!({"loadBalancer": {}})),
                "InProgress NoAddress",
            ),
            (
                "LoadBalancer",
                balancer("10.0.0.1", json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}})),
                "Current",
            ),
        ],
    );
    let conditions = |conditions: Value| status(json!({"conditions": conditions}));
    check(
        "apiextensions.k8s.io/v1 CustomResourceDefinition",
        &[
            ("no status", status(json!(null)), "InProgress Installing"),
            (
                "installing",
                conditions(json!([
                    condition("NamesAccepted", "True", ""),
                    condition("Established", "False", "Installing")
                ])),
                "InProgress Installing",
            ),
            (
                "names refused",
                conditions(json!([condition("NamesAccepted", "False", "ListKindConflict")])),
                "Failed ListKindConflict",
            ),
            (
                "not established",
                conditions(json!([condition("Established", "False", "NotAccepted")])),
                "Failed NotAccepted",
            ),
            (
                "established",
                conditions(json!([condition("NamesAccepted", "True", ""), condition("Established", "True", "")])),
                "Current",
            ),
        ],
    );
    check(
        "apiregistration.k8s.io/v1 APIService",
        &[
            ("local", conditions(json!([condition("Available", "True", "Local")])), "Current"),
            (
                "no answer",
                conditions(json!([condition("Available", "False", "FailedDiscoveryCheck")])),
                "InProgress FailedDiscoveryCheck",
            ),
        ],
    );
    check("batch/v1 CronJob", &[("no status", status(json!(null)), "Current")]);
    check(
        "policy/v1 PodDisruptionBudget",
        &[
            ("observed", status(json!({"observedGeneration": 1})), "Current"),
            ("not observed", status(json!({"observedGeneration": 0})), "InProgress LatestGenerationNotObserved"),
        ],
    );
    check(
        "v1 ConfigMap",
        &[("what looks like a status", status(json!({"conditions": [condition("Ready", "False", "")]})), "Current")],
    );
}

#[test]
fn custom_resources() {
    let conditions = |conditions: Value| live(json!({}), json!({"observedGeneration": 1, "conditions": conditions}));
    check(
        "something/v1 MyCR",
        &[
            ("no status", live(json!({}), json!(null)), "Current"),
            ("ready", conditions(json!([condition("Ready", "True", "")])), "Current"),
            ("not ready", conditions(json!([condition("Ready", "False", "Broken")])), "InProgress Broken"),
            ("perhaps ready", conditions(json!([condition("Ready", "Unknown", "Asking")])), "InProgress Asking"),
            ("another condition", conditions(json!([condition("SomeCondition", "False", "")])), "Current"),
            (
                "reconciling",
                conditions(json!([condition("Ready", "True", ""), condition("Reconciling", "True", "Working")])),
                "InProgress Working",
            ),
            (
                "stalled",
                conditions(json!([condition("Stalled", "True", "Stuck"), condition("Ready", "False", "x")])),
                "Failed Stuck",
            ),
            ("no longer stalled", conditions(json!([condition("Stalled", "False", "")])), "Current"),
            (
                "not observed comes first",
                json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1, "conditions": [condition("Ready", "True", "")]}}),
                "InProgress LatestGenerationNotObserved",
            ),
            ("no generation", json!({"metadata": {}, "status": {"observedGeneration": 1}}), "Current"),
            ("null for a list", conditions(json!(null)), "Current"),
            (
                "null for a text",
                conditions(json!([{"type": "Ready", "status": "False", "reason": null, "message": null}])),
                "InProgress",
            ),
            ("conditions of another form", conditions(json!({"Ready": true})), "Unknown"),
            ("status of another form", live(json!({}), json!("fine")), "Unknown"),
            (
                "times of another form",
                conditions(json!([{"type": "Ready", "status": "False", "reason": "R", "lastTransitionTime": "soon"}])),
                "InProgress R",
            ),
        ],
    );
    let reading = read("something/v1 MyCR", &conditions(json!([condition("Ready", "False", "Broken")])));
    assert_eq!(
        (reading.message.as_str(), reading.since),
        ("why", Since::At(Timestamp::parse("2026-03-02T10:00:00Z").unwrap()))
    );
}

#[test]
fn deletion_comes_before_everything_and_names_what_holds_it_up() {
    let metadata = json!({"deletionTimestamp": "2026-03-02T10:00:00Z", "finalizers": ["example.com/a", "b"]});
    for kind in [
        "v1 ConfigMap",
        "v1 Namespace",
        "apps/v1 Deployment",
        "something/v1 MyCR",
        "kustomize.toolkit.fluxcd.io/v1 Kustomization",
    ] {
        let reading =
            read(kind, &json!({"metadata": metadata, "status": {"conditions": [condition("Stalled", "True", "x")]}}));
        assert_eq!(words(&reading), "Terminating Terminating", "{kind}");
        assert!(reading.message.ends_with("held by the finalizers example.com/a, b"), "{}", reading.message);
        assert_eq!(reading.since, Since::At(Timestamp::parse("2026-03-02T10:00:00Z").unwrap()));
    }
    let label = json!({"metadata": {"labels": {"deletionTimestamp": "no"}}});
    assert_eq!(words(&read("v1 ConfigMap", &label)), "Current");
}

#[test]
fn what_is_not_in_the_form_of_its_kind_is_unknown() {
    for live in [
        json!({"metadata": {"generation": "1"}, "status": {"observedGeneration": 1}}),
        json!({"metadata": {"generation": 1}, "status": {"observedGeneration": "1"}}),
        json!({"metadata": {}, "spec": {"replicas": "many"}, "status": {}}),
        json!({"metadata": {}, "spec": [], "status": {}}),
        json!({"metadata": {}, "spec": {}, "status": []}),
    ] {
        assert_eq!(words(&read("apps/v1 Deployment", &live)), "Unknown", "{live}");
    }
    let soon = json!({"metadata": {"deletionTimestamp": "soon", "finalizers": 7, "creationTimestamp": {}}});
    assert_eq!(words(&read("v1 ConfigMap", &soon)), "Current");
}
