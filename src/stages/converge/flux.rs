//! What Flux's objects say of themselves (fluxcd.io, "Working with Kustomizations", "HelmReleases", `Status`).
//!
//! They keep kstatus's conditions, with two habits that a deadline cannot judge: a suspended object keeps the conditions of the day it
//! was suspended, and a Kustomization or HelmRelease that fails goes `Ready: Unknown` and back at every retry, so that its
//! `lastTransitionTime` is always young. An attempt of theirs that ended in failure therefore counts at once.

use serde::Deserialize;
use serde_json::Value;

use super::generic;
use super::object::{CommonStatus, Object, Unreadable};
use super::reading::{Reading, Since, Status};
use crate::model::declared::DeclaredObject;
use crate::model::resource::ObjectId;

const METHOD: &str = "what Flux says in the object's conditions and revisions";

/// Reasons of a `Ready: False` that is no failed attempt: it waits for something else.
const WAITING: &[&str] = &["DependencyNotReady", "Progressing", "Suspended"];

/// Whether it is one of Flux's kinds.
pub(super) fn is_flux(id: &ObjectId) -> bool {
    id.group.ends_with(".toolkit.fluxcd.io")
}

/// `None` where nothing but the rules of every kind apply.
pub(super) fn read(
    declared: &DeclaredObject,
    object: &Object<'_>,
    status: &CommonStatus,
) -> Result<Option<Reading>, Unreadable> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Spec {
        suspend: Option<bool>,
    }
    if object.spec::<Spec>()?.suspend == Some(true) {
        return Ok(Some(suspended(declared)));
    }
    let applies = matches!(
        (declared.id.group.as_str(), declared.id.kind.as_str()),
        ("kustomize.toolkit.fluxcd.io", "Kustomization") | ("helm.toolkit.fluxcd.io", "HelmRelease")
    );
    if !applies {
        return Ok(None);
    }
    let revisions = revisions(object)?;
    if let Some(reading) = generic::not_observed(&declared.id.kind, object, status)? {
        return Ok(Some(reading.adding(&revisions)));
    }
    let has = |r#type: &str, value: &str| status.conditions.iter().find(|c| c.is(r#type, value));
    let failed = has("Stalled", "True")
        .or_else(|| has("Ready", "False").filter(|c| !WAITING.contains(&c.reason.as_str())))
        .map(|condition| Reading::of_condition(Status::Failed, condition).by(METHOD));
    let reading = failed.or_else(|| generic::standard(status)).unwrap_or_else(|| generic::ready(status));
    Ok(Some(if reading.status == Status::Current { reading } else { reading.adding(&revisions) }))
}

/// Suspended in Git is a choice; suspended on the live object alone, what Git declares goes nowhere.
fn suspended(declared: &DeclaredObject) -> Reading {
    let by_git = declared.tree().is_ok_and(|tree| tree.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true));
    if by_git {
        return Reading::current();
    }
    let mut reading = Reading::failed(
        "Suspended",
        "suspended on the live object, which Git does not declare: Flux applies nothing of it",
    );
    reading.since = Since::LastSpecWrite;
    reading.by("spec.suspend, declared and live")
}

/// `last applied main@sha1:1a2b, last attempted main@sha1:3c4d`, where both are told and differ.
fn revisions(object: &Object<'_>) -> Result<String, Unreadable> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Revisions {
        last_applied_revision: Option<String>,
        last_attempted_revision: Option<String>,
    }
    let is: Revisions = object.status()?;
    let applied = is.last_applied_revision.filter(|revision| !revision.is_empty());
    let attempted = is.last_attempted_revision.filter(|revision| !revision.is_empty());
    Ok(match (applied, attempted) {
        (Some(applied), Some(attempted)) if applied != attempted => {
            format!("last applied {applied}, last attempted {attempted}")
        }
        (None, Some(attempted)) => format!("nothing applied yet, last attempted {attempted}"),
        _ => String::new(),
    })
}
