//! DL011 as every output shows it.

use serde_json::{Value, json};

use super::deadline::Unconverged;
use crate::model::declared::DeclaredObject;
use crate::model::finding::{Code, Finding};
use crate::model::ids::ClusterName;
use crate::model::resource::ObjectId;
use crate::model::time::Timestamp;
use crate::stages::findings::{Evidence, of_object};

/// The finding on an object as a whole; it has no cause.
pub fn of_unconverged(
    cluster: &ClusterName,
    object: &DeclaredObject,
    unconverged: &Unconverged,
    evidence: &Evidence,
) -> Finding {
    let mut finding = of_object(cluster, object, Code::Unconverged, None, unconverged.method);
    finding.declared_by = evidence.history.object_by();
    let mut live = json!({
        "status": unconverged.status.as_str(),
        "reason": unconverged.reason,
        "message": unconverged.message,
        "since": unconverged.since,
    });
    if let Some(pods) = &unconverged.pods {
        live["pods"] = json!(pods);
    }
    finding.live = Some(live);
    finding.note = Some(note(&object.id, unconverged));
    finding
}

/// What of the live side makes it another finding's content. Counts and times in messages move all the time.
pub fn content(finding: &Finding) -> Option<Value> {
    let live = finding.live.as_ref()?;
    Some(json!({"status": live.get("status"), "reason": live.get("reason")}))
}

/// Since when an open finding of this kind said that its object had not converged.
pub fn since(finding: &Finding) -> Option<Timestamp> {
    Timestamp::parse(finding.live.as_ref()?.get("since")?.as_str()?)
}

/// `Failed: BackoffLimitExceeded`, where the finding is of this kind.
pub fn says(finding: &Finding) -> Option<String> {
    let live = finding.live.as_ref().filter(|_| finding.code == Code::Unconverged)?;
    Some(format!("{}: {}", live.get("status")?.as_str()?, live.get("reason")?.as_str()?))
}

fn note(id: &ObjectId, unconverged: &Unconverged) -> String {
    let deadline = unconverged.deadline.map(|seconds| {
        format!("longer on the way than the deadline of {:#}", jiff::SignedDuration::from_secs(seconds))
    });
    let unread = unconverged.pods_unread.as_ref().map(|why| format!("its Pods could not be read: {why}"));
    let parts = [deadline, unread, Some(format!("look at `{}`", look_at(id)))];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn look_at(id: &ObjectId) -> String {
    let kind = id.group_kind().to_string().to_lowercase();
    match &id.namespace {
        Some(namespace) => format!("kubectl --namespace {namespace} describe {kind} {}", id.name),
        None => format!("kubectl describe {kind} {}", id.name),
    }
}
