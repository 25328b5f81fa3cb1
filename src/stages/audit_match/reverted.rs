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
    by_somebody.take(MOST_LISTED).map(|write| listed(write, Matched::Candidate, why.as_str())).collect()
}

/// Whether a write is neither the GitOps side's nor a controller's, by the name of its manager and by its user.
fn is_somebody(write: &Write, table: &ActorTable) -> bool {
    let manager = write.manager.name().unwrap_or_default();
    let subresource = write.subresource.as_deref();
    // A log does not tell an apply from another patch; only for `kubectl` it matters, whose other patches have names of their own.
    let operation = if write.verb == Verb::Patch && subresource.is_none() { "Apply" } else { "Update" };
    if table.contradicts(manager, operation, subresource, &write.user) {
        return true;
    }
    match table.classify(manager, operation, subresource).kind {
        ActorKind::Interactive => true,
        ActorKind::Gitops | ActorKind::Controller => is_person(&write.user),
        ActorKind::Unknown => !is_machine(&write.user),
    }
}
