//! What decides about what is told, and what comes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::config::delivery::Route;
use crate::model::finding::Finding;
use crate::model::gap::Gap;
use crate::model::ids::{ClusterName, LedgerId, ReceiverName, RouteName, ScanId};
use crate::model::notice::Notice;
use crate::model::outbox::Mark;
use crate::model::report::TargetSummary;
use crate::model::time::Timestamp;

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
    /// How often each finding opened and closed within [`FLAPPING_SECONDS`](super::FLAPPING_SECONDS), by fingerprint.
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
