//! The writes behind a finding that is an object as a whole.

use super::log::{MOST_LISTED, ObjectLog, listed};
use crate::model::audit_event::{Verb, Write};
use crate::model::audited::{AuditedWrite, Matched};
use crate::model::finding::{Code, Finding};

/// The writes behind a whole object's finding: those that match first, newest first. `collections` are deletions of whole collections that
/// it may have been in; `earlier` is the finding as an earlier scan saw it.
pub fn of_object(
    code: Code,
    log: &ObjectLog<'_>,
    collections: &[Write],
    earlier: Option<&Finding>,
) -> Vec<AuditedWrite> {
    let mut writes = by_verb(code, log, collections);
    let earlier = earlier.filter(|earlier| earlier.code == code).and_then(|earlier| earlier.writes.as_ref());
    let gone = earlier.into_iter().flatten().filter(|write| log.is_gone(write));
    let (matched, candidates): (Vec<_>, Vec<_>) = gone.cloned().partition(|write| write.matched == Matched::Object);
    if !writes.iter().any(|write| write.matched == Matched::Object) {
        writes.splice(0..0, matched);
    }
    if writes.is_empty() { candidates } else { writes }
}

fn by_verb(code: Code, log: &ObjectLog<'_>, collections: &[Write]) -> Vec<AuditedWrite> {
    let last = |verb: Verb| log.writes.iter().rfind(|write| write.verb == verb);
    match code {
        Code::Missing => {
            if let Some(write) = last(Verb::Delete) {
                return vec![listed(write, Matched::Object, "it deleted the object")];
            }
            let why = "it deleted a collection that the object may have been in";
            let collections = collections.iter().rev().take(MOST_LISTED);
            collections.map(|write| listed(write, Matched::Candidate, why)).collect()
        }
        Code::RemovedButLive | Code::Unmanaged => {
            let creation = last(Verb::Create).map(|write| listed(write, Matched::Object, "it made the object"));
            creation.into_iter().chain(recent(log, |write| write.verb != Verb::Create)).collect()
        }
        Code::Unconverged => recent(log, |_| true).collect(),
        _ => Vec::new(),
    }
}

fn recent<'a>(log: &'a ObjectLog<'_>, keep: impl Fn(&Write) -> bool + 'a) -> impl Iterator<Item = AuditedWrite> + 'a {
    let why = format!("a write to the object {}", log.since());
    let writes = log.writes.iter().rev().filter(move |write| !write.verb.deletes() && keep(write));
    writes.take(MOST_LISTED).map(move |write| listed(write, Matched::Candidate, why.as_str()))
}
