//! How a finding of this kind changes and ends.

use serde_json::{Value, json};

use super::{declared, with_words};
use crate::model::finding::Finding;
use crate::model::ids::{ClusterName, LedgerId, TargetName};
use crate::model::record::{FindingEventKind, ObjectState, OpenFinding, PriorState};
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::stages::converge::Converge;
use crate::stages::converge::finding::of_unconverged;
use crate::stages::findings::Evidence;
use crate::stages::lifecycle::{Lifecycle, Looked, lifecycle};

fn finding(kind: &str, reason: &str, message: &str) -> Finding {
    let condition = json!({"type": kind, "status": "True", "reason": reason, "message": message});
    let live = json!({"metadata": {}, "status": {"conditions": [condition]}});
    let object = declared("x/v1 X", &Value::Null);
    let open = Converge { open: [(object.id.clone(), None)].into(), ..Converge::default() };
    let found = with_words(&live, |words| open.look(&object, words)).expect("unconverged");
    of_unconverged(&ClusterName::new("prod"), &object, &found, &Evidence::default())
}

fn prior(open: Option<OpenFinding>) -> PriorState {
    PriorState {
        open: open.map(|open| (open.finding.fingerprint.clone(), open)).into_iter().collect(),
        ..PriorState::of_new(LedgerId::new("l"))
    }
}

/// What a scan makes of what the one before it found.
fn after(before: &Finding, now: &[Finding], state: ObjectState, off: bool) -> Lifecycle {
    let key = RedactionKey::from_bytes([7; 32]);
    let target = TargetName::new("shop");
    let cluster = ClusterName::new("prod");
    let looked = Looked {
        targets: [target.clone()].into(),
        configured_targets: [target.clone()].into(),
        configured_clusters: [cluster.clone()].into(),
        convergence_off: off.then(|| target.clone()).into_iter().collect(),
        objects: [((cluster, before.object()), (state, target))].into(),
        ..Looked::default()
    };
    let first = lifecycle(std::slice::from_ref(before), &looked, &prior(None), &key).events.remove(0);
    let open = OpenFinding {
        finding: first.finding,
        content: first.content,
        target: first.target,
        known: true,
        opened_at: Timestamp::from_unix(0),
    };
    lifecycle(now, &looked, &prior(Some(open)), &key)
}

#[test]
fn a_message_that_moves_is_evidence_and_another_reason_a_change() {
    let before = finding("Reconciling", "Working", "1 of 3");
    for (name, now, expected) in [
        ("the same", finding("Reconciling", "Working", "1 of 3"), None),
        ("another message", finding("Reconciling", "Working", "2 of 3"), Some(FindingEventKind::Updated)),
        ("another reason", finding("Reconciling", "Waiting", "1 of 3"), Some(FindingEventKind::Changed)),
        ("another status", finding("Stalled", "Working", "1 of 3"), Some(FindingEventKind::Changed)),
    ] {
        let out = after(&before, &[now], ObjectState::Drifted, false);
        assert_eq!(out.events.first().map(|event| event.kind), expected, "{name}");
    }
}

#[test]
fn it_ends_when_the_object_has_converged_and_is_not_resolved_by_looking_away() {
    let before = finding("Stalled", "Stuck", "why");
    for (name, state, off, kind, how) in [
        ("converged", ObjectState::InSync, false, FindingEventKind::Resolved, "the object has converged"),
        ("converged and drifted", ObjectState::Drifted, false, FindingEventKind::Resolved, "the object has converged"),
        ("gone", ObjectState::Missing, false, FindingEventKind::Resolved, "the object no longer exists live"),
        (
            "not asked",
            ObjectState::InSync,
            true,
            FindingEventKind::OutOfScope,
            "its convergence is no longer looked at",
        ),
    ] {
        let out = after(&before, &[], state, off);
        let event = out.events.first().map(|event| (event.kind, event.how.as_deref()));
        assert_eq!(event, Some((kind, Some(how))), "{name}");
    }
    let unknown = after(&before, &[], ObjectState::Unknown, true);
    assert_eq!(unknown.unknown.len(), 1);
}
