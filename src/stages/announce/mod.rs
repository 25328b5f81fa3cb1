//! What is to be told to whom: people hear of a drift once, soon, in the channel they read, and hear when it is over.
//!
//! ```text
//!  findings, gaps ──► routing ──► per route: due ──► threads ──► notices, and marks of what was told
//!                    who takes it          new, changed,   one conversation
//!                                          over, repeated  a group
//! ```
//!
//! What a route was told is known from the marks of its earlier notices ([`Told`]), which the ledger keeps: no scan remembers anything
//! by itself. Nothing here reads a clock or sends anything.

mod backoff;
mod caught_up;
mod due;
mod gaps;
mod notices;
mod routing;
mod summaries;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::config::delivery::{Route, SummaryConfig};
use crate::model::finding::Finding;
use crate::model::gap::Gap;
use crate::model::ids::{ClusterName, LedgerId, ReceiverName, RouteName, ScanId, TargetName};
use crate::model::notice::Notice;
use crate::model::outbox::Mark;
use crate::model::report::TargetSummary;
use crate::model::time::Timestamp;

pub use backoff::not_before;
pub use caught_up::caught_up;
pub use due::FLAPPING_SECONDS;
pub use gaps::subject as gap_subject;
pub use summaries::{Due, due, summary};
pub use told::{Told, TowardsRoute, of_route};

/// Everything that decides about what is told.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The ledger.
    pub ledger: &'a LedgerId,
    /// The scan.
    pub scan: ScanId,
    /// Its start: what counts as now.
    pub now: Timestamp,
    /// Start of the finished scan before; `None`: this is the ledger's first.
    pub previous: Option<Timestamp>,
    /// The routes, in order.
    pub routes: &'a [Route],
    /// What the scan found.
    pub found: Vec<Seen<'a>>,
    /// Fingerprints of what is open and could not be looked at.
    pub unknown: BTreeSet<&'a str>,
    /// Of everything that a route was told and that is open no more: how it ended, by fingerprint.
    pub ended: BTreeMap<String, Ended>,
    /// Targets as audited.
    pub targets: &'a [TargetSummary],
    /// Clusters in the scan's scope.
    pub clusters: BTreeSet<&'a ClusterName>,
    /// What could not be read, and since when that is so at least.
    pub gaps: Vec<(&'a Gap, Timestamp)>,
    /// How often each finding opened and closed within [`FLAPPING_SECONDS`], by fingerprint.
    pub flaps: BTreeMap<String, u64>,
    /// What routes were told: by route and subject, as the ledger keeps it.
    pub told: &'a BTreeMap<(RouteName, String), Value>,
}

/// A finding that the scan saw.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// Its content fingerprint.
    pub content: &'a str,
    /// The start of the scan that opened or reopened it.
    pub since: Timestamp,
    /// Whether it was open before.
    pub was_open_before: bool,
    /// Scans in a row that saw it, this one included.
    pub scans: u64,
    /// Whether the scan before saw it with the same content.
    pub is_steady: bool,
    /// The declared object's labels.
    pub labels: Option<&'a Map<String, Value>>,
    /// Its owners.
    pub owners: &'a [String],
}

/// A finding that is no longer open.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// As last seen.
    pub finding: Finding,
    /// How it ended, for people.
    pub how: String,
    /// False where the configuration no longer covers it.
    pub resolved: bool,
}

/// A notice with its receivers.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Who gets it.
    pub receivers: Vec<ReceiverName>,
    /// The notice.
    pub notice: Notice,
    /// What the route has been told with it.
    pub marks: Vec<Mark>,
}

/// The notices on a scan, in the order of the routes.
pub fn plan(scene: &Scene<'_>) -> Vec<Planned> {
    let taken = routing::by_route(scene);
    let mut planned = Vec::new();
    for (route, seen) in scene.routes.iter().zip(taken) {
        if route.receivers.is_empty() || route.is_muted(scene.now) {
            continue;
        }
        let towards = TowardsRoute::of(scene.told, route);
        let due = due::due(scene, route, &towards, &seen);
        planned.extend(notices::drift(scene, route, &towards, due));
        planned.extend(gaps::plan(scene, route, &towards));
    }
    planned
}

/// What is to be kept of routes and summaries that the ledger does not know yet: since when it does.
pub fn first_seen(
    routes: &[Route],
    summaries: &[SummaryConfig],
    told: &BTreeMap<(RouteName, String), Value>,
    now: Timestamp,
) -> Vec<(RouteName, Mark)> {
    let routes = routes.iter().map(|route| (route.name.clone(), told::SINCE));
    let summaries = summaries.iter().map(|summary| (RouteName::new(&summary.name), summaries::UNTIL));
    let unknown =
        routes.chain(summaries).filter(|(name, subject)| !told.contains_key(&(name.clone(), (*subject).to_owned())));
    unknown
        .map(|(name, subject)| {
            (name, Mark { subject: subject.to_owned(), state: Some(Value::String(now.to_string())) })
        })
        .collect()
}

/// The target that a finding belongs to.
fn target_of(finding: &Finding) -> Option<&TargetName> {
    finding.origin.as_ref().map(|origin| &origin.target)
}

#[cfg(test)]
mod tests;
