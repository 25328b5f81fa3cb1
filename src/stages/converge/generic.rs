//! What is read on every kind, before and after the rules of its own: deletion, generations, the conditions `Reconciling`, `Stalled` and
//! `Ready`.

use super::object::{CommonStatus, Object, Unreadable};
use super::reading::{Reading, Since, Status};
use super::{argo, cluster, flux, workloads};
use crate::model::declared::DeclaredObject;
use crate::model::resource::ObjectId;

/// Reads a live object's own words.
pub fn read(declared: &DeclaredObject, object: &Object<'_>) -> Reading {
    try_read(declared, object).unwrap_or_else(|_| Reading::unknown())
}

fn try_read(declared: &DeclaredObject, object: &Object<'_>) -> Result<Reading, Unreadable> {
    if let Some(reading) = terminating(object) {
        return Ok(reading);
    }
    let id = &declared.id;
    if has_no_status(id) {
        return Ok(Reading::current());
    }
    let status: CommonStatus = object.status()?;
    if flux::is_flux(id)
        && let Some(reading) = flux::read(declared, object, &status)?
    {
        return Ok(reading);
    }
    if let Some(reading) = not_observed(&id.kind, object, &status)?.or_else(|| standard(&status)) {
        return Ok(reading);
    }
    match (id.group.as_str(), id.kind.as_str()) {
        ("apps" | "extensions", "Deployment") => workloads::deployment(object),
        ("apps", "StatefulSet") => workloads::stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => workloads::daemon_set(object, &status),
        ("apps" | "extensions", "ReplicaSet") => workloads::replica_set(object),
        ("batch", "Job") => workloads::job(object),
        ("batch", "CronJob") | ("policy", "PodDisruptionBudget") => Ok(Reading::current()),
        ("", "Pod") => workloads::pod(object),
        ("", "PersistentVolumeClaim") => cluster::claim(object),
        ("", "Service") => cluster::service(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Ok(cluster::definition(&status)),
        ("apiregistration.k8s.io", "APIService") => Ok(cluster::api_service(&status)),
        ("argoproj.io", "Application") => argo::application(object),
        _ => Ok(ready(&status)),
    }
}

/// Kinds of the cluster itself that have no status: only their deletion can hang.
fn has_no_status(id: &ObjectId) -> bool {
    match id.group.as_str() {
        "" => matches!(
            id.kind.as_str(),
            "ConfigMap" | "Secret" | "ServiceAccount" | "Endpoints" | "LimitRange" | "Event" | "PodTemplate"
        ),
        "rbac.authorization.k8s.io"
        | "scheduling.k8s.io"
        | "storage.k8s.io"
        | "discovery.k8s.io"
        | "node.k8s.io"
        | "coordination.k8s.io" => true,
        "admissionregistration.k8s.io" => id.kind.ends_with("WebhookConfiguration"),
        "networking.k8s.io" => matches!(id.kind.as_str(), "IngressClass" | "NetworkPolicy"),
        "apps" => id.kind == "ControllerRevision",
        _ => false,
    }
}

fn terminating(object: &Object<'_>) -> Option<Reading> {
    let time = object.deleted()?;
    let held_by = match object.finalizers().as_slice() {
        [] => String::new(),
        finalizers => format!("held by the finalizers {}", finalizers.join(", ")),
    };
    Some(
        Reading::new(Status::Terminating, "Terminating", "scheduled for deletion, and still there")
            .adding(&held_by)
            .since(Some(time)),
    )
}

/// The controller has not acted on the newest spec yet.
pub(super) fn not_observed(
    kind: &str,
    object: &Object<'_>,
    status: &CommonStatus,
) -> Result<Option<Reading>, Unreadable> {
    let (Some(generation), Some(observed)) = (object.generation()?, status.observed_generation) else {
        return Ok(None);
    };
    if generation == observed {
        return Ok(None);
    }
    let message = format!("{kind} generation is {generation}, but latest observed generation is {observed}");
    let mut reading = Reading::in_progress("LatestGenerationNotObserved", message);
    reading.since = Since::LastSpecWrite;
    Ok(Some(reading))
}

/// The conditions that are true only where something is amiss, the first one in the object's order.
pub(super) fn standard(status: &CommonStatus) -> Option<Reading> {
    status.conditions.iter().find_map(|condition| {
        if condition.is("Reconciling", "True") {
            Some(Reading::of_condition(Status::InProgress, condition))
        } else if condition.is("Stalled", "True") {
            Some(Reading::of_condition(Status::Failed, condition))
        } else {
            None
        }
    })
}

/// `Ready` is no standard and widely used. A kind without it is taken to be where it should be.
pub(super) fn ready(status: &CommonStatus) -> Reading {
    let ready = status.conditions.iter().find(|c| c.r#type == "Ready" && !c.status.is_empty());
    match ready.map(|c| (c, c.status.as_str())) {
        Some((condition, "False" | "Unknown")) => Reading::of_condition(Status::InProgress, condition),
        _ => Reading::current(),
    }
}
