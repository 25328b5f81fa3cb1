//! What an Argo CD Application says of itself: errors, the last operation, health and sync (argo-cd.readthedocs.io, `Application`
//! types in `pkg/apis/application/v1alpha1`).
//!
//! Its controller writes to it at every look, so that the time of the last write tells nothing: only the times in its status count.

use serde::Deserialize;

use super::object::{Condition, Object, Unreadable, or_default, time};
use super::reading::{Reading, Since};
use crate::model::time::Timestamp;

const METHOD: &str = "what the Application says of its errors, operation, health and sync";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ApplicationStatus {
    #[serde(deserialize_with = "or_default")]
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "or_default")]
    health: Health,
    #[serde(deserialize_with = "or_default")]
    sync: Sync,
    operation_state: Option<Operation>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Health {
    status: String,
    message: String,
    #[serde(deserialize_with = "time")]
    last_transition_time: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sync {
    status: String,
    revision: String,
    #[serde(deserialize_with = "or_default")]
    revisions: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Operation {
    phase: String,
    message: String,
    #[serde(deserialize_with = "time")]
    started_at: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    finished_at: Option<Timestamp>,
    #[serde(deserialize_with = "or_default")]
    sync_result: SyncResult,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SyncResult {
    revision: String,
    #[serde(deserialize_with = "or_default")]
    revisions: Vec<String>,
}

/// An Application.
pub(super) fn application(object: &Object<'_>) -> Result<Reading, Unreadable> {
    let is: ApplicationStatus = object.status()?;
    Ok(read(&is).by(METHOD))
}

fn read(is: &ApplicationStatus) -> Reading {
    let untold = |mut reading: Reading, time: Option<Timestamp>| {
        reading.since = Since::Untold;
        reading.since(time)
    };
    // Its other conditions are warnings.
    if let Some(error) = is.conditions.iter().find(|c| c.r#type.ends_with("Error")) {
        return untold(Reading::failed(&error.r#type, &error.message), error.last_transition_time);
    }
    let synced = is.sync.status == "Synced";
    let operation = is.operation_state.as_ref();
    if let Some(failed) = operation.filter(|o| !synced && matches!(o.phase.as_str(), "Failed" | "Error")) {
        return untold(Reading::failed(&format!("Operation{}", failed.phase), &failed.message), failed.finished_at);
    }
    let health = &is.health;
    if health.status == "Degraded" {
        return untold(Reading::failed("Degraded", &health.message), health.last_transition_time);
    }
    if let Some(running) = operation.filter(|o| o.phase == "Running") {
        return untold(Reading::in_progress("OperationRunning", &running.message), running.started_at);
    }
    if matches!(health.status.as_str(), "Progressing" | "Missing" | "Unknown") {
        return untold(Reading::in_progress(&health.status, &health.message), health.last_transition_time);
    }
    match is.sync.status.as_str() {
        // A revision that was never tried waits for somebody; the objects themselves tell since when they are behind.
        "OutOfSync" => match operation.filter(|o| o.finished_at.is_some() && was_for(&o.sync_result, &is.sync)) {
            Some(tried) => {
                let message = format!("out of sync at {} after it was synchronised", told(&is.sync));
                untold(Reading::in_progress("OutOfSync", message), tried.finished_at)
            }
            None => untold(Reading::in_progress("OutOfSync", told(&is.sync)), None),
        },
        "Unknown" => untold(Reading::in_progress("SyncUnknown", "the comparison with Git failed"), None),
        _ => Reading::current(),
    }
}

fn was_for(result: &SyncResult, sync: &Sync) -> bool {
    (!sync.revision.is_empty() || !sync.revisions.is_empty())
        && result.revision == sync.revision
        && result.revisions == sync.revisions
}

fn told(sync: &Sync) -> String {
    if sync.revision.is_empty() { sync.revisions.join(", ") } else { sync.revision.clone() }
}
