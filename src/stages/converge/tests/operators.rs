//! What Argo CD's and Flux's objects say of themselves.

use serde_json::{Value, json};

use super::{check, declared, read, read_as, words};
use crate::model::time::Timestamp;
use crate::stages::converge::reading::Since;

const T: &str = "2026-03-02T10:00:00Z";

fn at() -> Since {
    Since::At(Timestamp::parse(T).unwrap())
}

fn flux(status: Value) -> Value {
    json!({"metadata": {"generation": 1}, "spec": {}, "status": status})
}

fn condition(r#type: &str, status: &str, reason: &str) -> Value {
    json!({"type": r#type, "status": status, "reason": reason, "message": "why", "lastTransitionTime": T})
}

#[test]
fn flux_appliers() {
    for kind in ["kustomize.toolkit.fluxcd.io/v1 Kustomization", "helm.toolkit.fluxcd.io/v2 HelmRelease"] {
        let conditions = |conditions: Value| flux(json!({"observedGeneration": 1, "conditions": conditions}));
        check(
            kind,
            &[
                ("ready", conditions(json!([condition("Ready", "True", "ReconciliationSucceeded")])), "Current"),
                ("never looked at", flux(json!({"observedGeneration": -1})), "InProgress LatestGenerationNotObserved"),
                (
                    "at work",
                    conditions(json!([
                        condition("Reconciling", "True", "Progressing"),
                        condition("Ready", "Unknown", "Progressing")
                    ])),
                    "InProgress Progressing",
                ),
                (
                    "failed and trying again",
                    conditions(json!([
                        condition("Reconciling", "True", "ProgressingWithRetry"),
                        condition("Ready", "False", "HealthCheckFailed")
                    ])),
                    "Failed HealthCheckFailed",
                ),
                ("failed", conditions(json!([condition("Ready", "False", "BuildFailed")])), "Failed BuildFailed"),
                (
                    "given up",
                    conditions(json!([
                        condition("Ready", "False", "x"),
                        condition("Stalled", "True", "RetriesExceeded")
                    ])),
                    "Failed RetriesExceeded",
                ),
                (
                    "waits for another",
                    conditions(json!([condition("Ready", "False", "DependencyNotReady")])),
                    "InProgress DependencyNotReady",
                ),
            ],
        );
    }
}

#[test]
fn flux_tells_the_revisions_that_it_applied_and_tried() {
    for (name, revisions, expected) in [
        (
            "both",
            json!({"lastAppliedRevision": "main@sha1:a", "lastAttemptedRevision": "main@sha1:b"}),
            "why; last applied main@sha1:a, last attempted main@sha1:b",
        ),
        (
            "never applied",
            json!({"lastAttemptedRevision": "main@sha1:b"}),
            "why; nothing applied yet, last attempted main@sha1:b",
        ),
        ("the same", json!({"lastAppliedRevision": "r", "lastAttemptedRevision": "r"}), "why"),
        ("none", json!({}), "why"),
    ] {
        let mut status = json!({"conditions": [condition("Ready", "False", "BuildFailed")]});
        status.as_object_mut().unwrap().extend(revisions.as_object().unwrap().clone());
        let reading = read("kustomize.toolkit.fluxcd.io/v1 Kustomization", &flux(status));
        assert_eq!((reading.message.as_str(), reading.since), (expected, at()), "{name}");
    }
}

#[test]
fn flux_sources_are_read_as_every_kind() {
    for kind in ["GitRepository", "HelmRepository", "OCIRepository", "Bucket", "HelmChart"] {
        let kind = format!("source.toolkit.fluxcd.io/v1 {kind}");
        let failing =
            flux(json!({"observedGeneration": 1, "conditions": [condition("Ready", "False", "GitOperationFailed")]}));
        check(
            &kind,
            &[
                ("cannot fetch", failing, "InProgress GitOperationFailed"),
                ("nothing to say", flux(json!({})), "Current"),
            ],
        );
    }
}

#[test]
fn suspension_is_a_choice_only_where_git_declares_it() {
    let live = json!({"metadata": {"generation": 2}, "spec": {"suspend": true},
        "status": {"observedGeneration": 1, "conditions": [condition("Ready", "False", "BuildFailed")]}});
    for kind in ["kustomize.toolkit.fluxcd.io/v1 Kustomization", "source.toolkit.fluxcd.io/v1 GitRepository"] {
        for (spec, expected) in [
            (json!({"suspend": true}), "Current"),
            (json!({"suspend": false}), "Failed Suspended"),
            (json!({}), "Failed Suspended"),
        ] {
            let reading = read_as(&declared(kind, &spec), &live);
            assert_eq!(words(&reading), expected, "{kind} {spec}");
        }
    }
}

#[test]
fn argo_cd_applications() {
    let live = |status: Value| json!({"metadata": {"generation": 7}, "status": status});
    let healthy = json!({"status": "Healthy"});
    let operation = |phase: &str, revision: &str| json!({"phase": phase, "message": "why", "startedAt": T, "finishedAt": T, "syncResult": {"revision": revision}});
    let out = json!({"status": "OutOfSync", "revision": "b"});
    let synced = json!({"status": "Synced", "revision": "b"});
    let cases = [
        ("healthy and synced", json!({"health": healthy, "sync": synced}), "Current"),
        ("never looked at", json!({}), "Current"),
        (
            "cannot compare",
            json!({"health": healthy, "sync": {"status": "Unknown"}, "conditions": [{"type": "ComparisonError", "message": "why", "lastTransitionTime": T}]}),
            "Failed ComparisonError",
        ),
        (
            "warned",
            json!({"health": healthy, "sync": synced, "conditions": [{"type": "OrphanedResourceWarning", "message": "why"}]}),
            "Current",
        ),
        (
            "sync failed",
            json!({"health": healthy, "sync": out, "operationState": operation("Failed", "b")}),
            "Failed OperationFailed",
        ),
        (
            "sync broke",
            json!({"health": healthy, "sync": out, "operationState": operation("Error", "b")}),
            "Failed OperationError",
        ),
        (
            "failed once, synced since",
            json!({"health": healthy, "sync": synced, "operationState": operation("Failed", "a")}),
            "Current",
        ),
        (
            "degraded",
            json!({"health": {"status": "Degraded", "message": "why", "lastTransitionTime": T}, "sync": synced}),
            "Failed Degraded",
        ),
        (
            "at work",
            json!({"health": healthy, "sync": out, "operationState": operation("Running", "b")}),
            "InProgress OperationRunning",
        ),
        (
            "progressing",
            json!({"health": {"status": "Progressing", "lastTransitionTime": T}, "sync": synced}),
            "InProgress Progressing",
        ),
        ("suspended", json!({"health": {"status": "Suspended"}, "sync": synced}), "Current"),
        (
            "out of sync after its sync",
            json!({"health": healthy, "sync": out, "operationState": operation("Succeeded", "b")}),
            "InProgress OutOfSync",
        ),
    ];
    for (name, status, expected) in &cases {
        let reading = read("argoproj.io/v1alpha1 Application", &live(status.clone()));
        assert_eq!(words(&reading), *expected, "{name}");
        if *expected != "Current" {
            assert_eq!(reading.since, at(), "{name}");
        }
    }
    // The controller writes to it all the time: its last write says nothing about since when.
    for (name, status, expected) in [
        (
            "a revision waits",
            json!({"health": healthy, "sync": out, "operationState": operation("Succeeded", "a")}),
            "InProgress OutOfSync",
        ),
        ("nothing ever synced", json!({"health": {"status": "Missing"}, "sync": out}), "InProgress Missing"),
        ("sync unknown", json!({"health": healthy, "sync": {"status": "Unknown"}}), "InProgress SyncUnknown"),
    ] {
        let reading = read("argoproj.io/v1alpha1 Application", &live(status));
        assert_eq!((words(&reading).as_str(), reading.since), (expected, Since::Untold), "{name}");
    }
}
