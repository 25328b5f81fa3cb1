//! Writes to objects that are in sync all the same: somebody changed them and they were changed back, or were brought back by hand.

use super::log::{MOST_LISTED, ObjectLog, listed};
use crate::config::actors::{ActorTable, is_machine, is_person};
use crate::model::attribution::ActorKind;
use crate::model::audit_event::{Verb, Write};
use crate::model::audited::{AuditedWrite, Matched};

/// The writes by somebody else than the GitOps side and controllers, newest first.
pub fn of_synced(log: &ObjectLog<'_>, table: &ActorTable) -> Vec<AuditedWrite> {
    let why = match log.in_sync {
        Some(looked) => format!("the object was last looked at {}, and is in sync now", looked.for_people()),
        None => "the object is in sync now".to_owned(),
    };
    let by_somebody = log.writes.iter().rev().filter(|write| is_somebody(write, table));
    let listed = by_somebody.take(MOST_LISTED).map(|write| AuditedWrite {
        contradicts: is_masked(write, table),
        ..listed(write, Matched::Candidate, why.as_str())
    });
    listed.collect()
}

/// Whether a write stands under a name whose user it is not.
fn is_masked(write: &Write, table: &ActorTable) -> bool {
    let manager = write.manager.name().unwrap_or_default();
    table.contradicts(manager, operation(write), write.subresource.as_deref(), &write.user)
}

/// A log does not tell an apply from another patch; only for `kubectl` it matters, whose other patches have names of their own.
fn operation(write: &Write) -> &'static str {
    if write.verb == Verb::Patch && write.subresource.is_none() { "Apply" } else { "Update" }
}

/// Whether a write is neither the GitOps side's nor a controller's, by the name of its manager and by its user.
fn is_somebody(write: &Write, table: &ActorTable) -> bool {
    let manager = write.manager.name().unwrap_or_default();
    if is_masked(write, table) {
        return true;
    }
    match table.classify(manager, operation(write), write.subresource.as_deref()).kind {
        ActorKind::Interactive => true,
        ActorKind::Gitops | ActorKind::Controller => is_person(&write.user),
        ActorKind::Unknown => !is_machine(&write.user),
    }
}
