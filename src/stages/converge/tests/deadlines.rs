//! When being on the way becomes a finding, and what the finding says.

use serde_json::{Value, json};

use super::{declared, with_words};
use crate::config::severity::SeverityRules;
use crate::model::finding::{Code, Finding, Severity};
use crate::model::ids::{ClusterName, TargetName};
use crate::model::time::Timestamp;
use crate::stages::assess::assess;
use crate::stages::converge::finding::{of_unconverged, since};
use crate::stages::converge::{Converge, Unconverged};
use crate::stages::findings::{Evidence, one_each};

const START: &str = "2026-03-02T10:00:00Z";

fn start() -> Timestamp {
    Timestamp::parse(START).unwrap()
}

/// Ten minutes of deadline, asked so many seconds after the start.
fn asked_after(seconds: i64) -> Converge {
    Converge { now: Some(Timestamp::from_unix(start().unix() + seconds)), deadline: 600, ..Converge::default() }
}

fn look(converge: &Converge, kind: &str, live: &Value) -> Option<Unconverged> {
    with_words(live, |object| converge.look(&declared(kind, &live["spec"]), object))
}

fn ready_false() -> Value {
    json!({"metadata": {}, "status": {"conditions": [
        {"type": "Ready", "status": "False", "reason": "Broken", "message": "why", "lastTransitionTime": START}]}})
}

fn rollout(own: i64) -> Value {
    json!({"metadata": {}, "spec": {"progressDeadlineSeconds": own}, "status": {"conditions": [
        {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "lastUpdateTime": START}]}})
}

fn stateful_set() -> Value {
    let entry = |manager: &str, time: &str, more: Value| {
        let mut entry = json!({"manager": manager, "operation": "Update", "time": time});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    };
    json!({"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z", "managedFields": [
        entry("flux", "2026-02-02T10:00:00Z", json!({})),
        entry("kube-controller-manager", START, json!({"subresource": "status"}))]}})
}

#[test]
fn in_progress_counts_past_the_deadline_only() {
    let service = json!({"metadata": {}, "spec": {"type": "LoadBalancer", "clusterIP": "10.0.0.1"}});
    let failed =
        json!({"metadata": {}, "status": {"conditions": [{"type": "Stalled", "status": "True", "reason": "Stuck"}]}});
    let going = json!({"metadata": {"deletionTimestamp": START}});
    let unscheduled = json!({"metadata": {"creationTimestamp": START}, "status": {"phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}});
    for (name, kind, live, seconds, expected) in [
        ("within", "x/v1 X", ready_false(), 600, false),
        ("past", "x/v1 X", ready_false(), 601, true),
        ("a clock that is behind", "x/v1 X", ready_false(), -30, false),
        ("within its own, longer one", "apps/v1 Deployment", rollout(3600), 3600, false),
        ("past its own, longer one", "apps/v1 Deployment", rollout(3600), 3601, true),
        ("within its own, shorter one", "apps/v1 Deployment", rollout(60), 60, false),
        ("past its own, shorter one", "apps/v1 Deployment", rollout(60), 61, true),
        ("within, since its status was written", "apps/v1 StatefulSet", stateful_set(), 600, false),
        ("past, since its status was written", "apps/v1 StatefulSet", stateful_set(), 601, true),
        ("no time told", "v1 Service", service, 1_000_000, false),
        ("failed, no time told", "x/v1 X", failed, 0, true),
        ("being deleted", "v1 ConfigMap", going.clone(), 600, false),
        ("deletion hangs", "v1 ConfigMap", going, 601, true),
        ("just not scheduled yet", "v1 Pod", unscheduled.clone(), 15, false),
        ("unschedulable", "v1 Pod", unscheduled, 16, true),
    ] {
        assert_eq!(look(&asked_after(seconds), kind, &live).is_some(), expected, "{name}");
    }
}

#[test]
fn a_generation_that_is_not_observed_counts_from_the_last_write_to_the_spec() {
    let mut live = stateful_set();
    live["metadata"]["generation"] = json!(2);
    live["status"] = json!({"observedGeneration": 1});
    let found = look(&asked_after(0), "apps/v1 StatefulSet", &live).expect("a month old");
    assert_eq!(
        (found.reason.as_str(), found.since),
        ("LatestGenerationNotObserved", Timestamp::parse("2026-02-02T10:00:00Z"))
    );
}

#[test]
fn where_nobody_tells_the_time_only_failure_counts() {
    let dump = Converge { now: None, deadline: 600, ..Converge::default() };
    assert_eq!(look(&dump, "x/v1 X", &ready_false()), None);
    let failed = json!({"metadata": {}, "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}});
    assert!(look(&dump, "batch/v1 Job", &failed).is_some());
}

#[test]
fn a_target_that_is_switched_off_is_not_looked_at() {
    let off = Converge { off: [TargetName::new("shop")].into(), ..asked_after(10_000) };
    assert_eq!(look(&off, "x/v1 X", &ready_false()), None);
    let other = Converge { off: [TargetName::new("other")].into(), ..asked_after(10_000) };
    assert!(look(&other, "x/v1 X", &ready_false()).is_some());
}

#[test]
fn what_was_reported_stays_reported_until_it_has_converged() {
    let long_ago = Timestamp::parse("2026-03-01T00:00:00Z");
    let id = declared("x/v1 X", &json!({})).id;
    let open = Converge { open: [(id, long_ago)].into(), ..asked_after(1) };
    let found = look(&open, "x/v1 X", &ready_false()).expect("still there");
    assert_eq!(found.since, long_ago);
    assert_eq!(look(&open, "x/v1 X", &json!({"metadata": {}})), None);
}

fn finding(live: &Value) -> Finding {
    let found = look(&asked_after(10_000), "x/v1 X", live).expect("unconverged");
    of_unconverged(&ClusterName::new("prod"), &declared("x/v1 X", &json!({})), &found, &Evidence::default())
}

#[test]
fn the_finding_is_on_the_object_without_a_cause_and_of_low_severity() {
    let mut found = vec![finding(&ready_false())];
    assess(&mut found, &SeverityRules::default());
    let found = &found[0];
    assert_eq!((found.code, found.cause, found.severity, &found.path), (Code::Unconverged, None, Severity::Low, &None));
    assert_eq!(found.live, Some(json!({"status": "InProgress", "reason": "Broken", "message": "why", "since": START})));
    assert_eq!(found.declared, None);
    assert_eq!(since(found), Some(start()));
    assert_eq!(found.method, "conditions and generations as kstatus reads them");
    assert_eq!(
        found.note.as_deref(),
        Some("longer on the way than the deadline of 10m; look at `kubectl --namespace n describe x.x a`")
    );
}

#[test]
fn with_another_finding_on_the_whole_object_it_is_one_finding() {
    let unconverged = finding(&ready_false());
    let conflict = Finding {
        code: Code::Conflict,
        class: Code::Conflict.class().to_owned(),
        note: Some("twice".into()),
        ..unconverged.clone()
    };
    let mut both = vec![unconverged, conflict];
    assess(&mut both, &SeverityRules::default());
    let folded = one_each(both);
    assert_eq!((folded.len(), folded[0].code), (1, Code::Conflict));
    assert!(
        folded[0]
            .note
            .as_deref()
            .unwrap()
            .contains("also DL011 (unconverged, InProgress: Broken) on X.x n/a: longer on the way")
    );
}
