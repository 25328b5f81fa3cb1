//! From an object's own words to a finding: being on the way is none until a deadline has passed.

use std::collections::{BTreeMap, BTreeSet};

use super::generic;
use super::object::Object;
use super::reading::{Reading, Since, Status};
use crate::model::declared::DeclaredObject;
use crate::model::ids::TargetName;
use crate::model::resource::ObjectId;
use crate::model::time::Timestamp;

/// What judging convergence needs to know besides the object.
#[derive(Clone, Debug, Default)]
pub struct Converge {
    /// The cluster's clock. `None` where what is read was written at an unknown time: then only what failed counts.
    pub now: Option<Timestamp>,
    /// How long an object may be on the way, in seconds, unless it grants a time itself.
    pub deadline: i64,
    /// Targets whose objects are not looked at.
    pub off: BTreeSet<TargetName>,
    /// Objects that were reported before and have not converged since, with what was said of since when. They stay reported while
    /// they are on the way: a Pod that starts and dies again is no progress.
    pub open: BTreeMap<ObjectId, Option<Timestamp>>,
}

/// An object that does not get where its spec wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconverged {
    /// InProgress, Failed or Terminating.
    pub status: Status,
    /// One word.
    pub reason: String,
    /// The object's own text, cut.
    pub message: String,
    /// Since when, as far as known.
    pub since: Option<Timestamp>,
    /// The deadline that passed, in seconds; `None` where it failed without one.
    pub deadline: Option<i64>,
    /// How it was read.
    pub method: &'static str,
    /// What its Pods say, for people.
    pub pods: Option<String>,
    /// Why nobody knows what its Pods say.
    pub pods_unread: Option<String>,
}

impl Converge {
    /// What is to be said about a live object.
    pub fn look(&self, declared: &DeclaredObject, live: &Object<'_>) -> Option<Unconverged> {
        if self.off.contains(&declared.origin.target) {
            return None;
        }
        let reading = generic::read(declared, live);
        if matches!(reading.status, Status::Current | Status::Unknown) {
            return None;
        }
        let since = since(&reading, live);
        self.judge(&declared.id, reading, since)
    }

    fn judge(&self, id: &ObjectId, reading: Reading, since: Option<Timestamp>) -> Option<Unconverged> {
        let open = self.open.get(id);
        let passed = |deadline: i64| {
            let age = self.now.zip(since).map(|(now, since)| now.unix().saturating_sub(since.unix()));
            age.map(|age| age > deadline)
        };
        let deadline = match (reading.status, reading.own_deadline) {
            (Status::Failed, None) => None,
            // What failed is said to have failed where nobody can tell the time.
            (Status::Failed, Some(own)) if passed(own) == Some(false) && open.is_none() => return None,
            (Status::Failed, Some(_)) => None,
            (_, own) => {
                let deadline = own.unwrap_or(self.deadline);
                if passed(deadline) != Some(true) && open.is_none() {
                    return None;
                }
                Some(deadline)
            }
        };
        let before = open.copied().flatten();
        Some(Unconverged {
            status: reading.status,
            reason: reading.reason,
            message: reading.message,
            since: before.into_iter().chain(since).min(),
            deadline,
            method: reading.method,
            pods: None,
            pods_unread: None,
        })
    }
}

fn since(reading: &Reading, live: &Object<'_>) -> Option<Timestamp> {
    let spec_only = match reading.since {
        Since::At(time) => return Some(time),
        Since::Untold => return None,
        Since::LastWrite => false,
        Since::LastSpecWrite => true,
    };
    live.last_write(spec_only)
}
