//! From events to state, purely: the same events give the same state, whether they come from a table or a scan at hand.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Fault;
use crate::model::ids::{ClusterName, CommitId, TargetName};
use crate::model::record::FindingEventKind;
use crate::model::report::ScanSummary;

/// What a finished scan looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScanScope {
    pub(super) scan: i64,
    pub(super) targets: BTreeMap<TargetName, Option<CommitId>>,
    pub(super) clusters: BTreeSet<ClusterName>,
}

impl ScanScope {
    pub(super) fn of(summary: &ScanSummary) -> Self {
        Self {
            scan: summary.id.0,
            targets: summary.targets.iter().map(|t| (t.name.clone(), t.commit.clone())).collect(),
            clusters: summary.clusters.iter().map(|c| c.name.clone()).collect(),
        }
    }
}

/// A finding event without the finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EventFacts {
    pub(super) seq: i64,
    pub(super) fingerprint: String,
    pub(super) kind: FindingEventKind,
    pub(super) cluster: ClusterName,
    pub(super) target: Option<TargetName>,
}

/// Where a finding stands. Scans are by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FindingState {
    /// Its newest event, which holds it as last seen.
    pub(super) event: i64,
    /// The scan of that event.
    pub(super) event_scan: i64,
    pub(super) open: bool,
    /// False while a gap hides its object.
    pub(super) known: bool,
    /// The scan that first saw it, ever.
    pub(super) first_scan: i64,
    /// The last scan that saw it.
    pub(super) last_scan: i64,
    /// How many scans saw it since it was last opened or reopened.
    pub(super) scans: i64,
    pub(super) cluster: ClusterName,
    pub(super) target: Option<TargetName>,
}

impl FindingState {
    fn seen(&mut self, scan: i64) {
        self.known = true;
        if self.last_scan != scan {
            self.last_scan = scan;
            self.scans += 1;
        }
    }

    fn in_scope(&self, scope: &ScanScope) -> bool {
        match &self.target {
            Some(target) => scope.targets.contains_key(target),
            None => scope.clusters.contains(&self.cluster),
        }
    }
}

/// The state of every finding that ever was, by fingerprint.
pub(super) type States = BTreeMap<String, FindingState>;

/// Brings the states from before a finished scan to after it.
///
/// An open finding without an event was seen again unchanged if the scan looked at its target (or at its cluster, where no
/// target declares it) and no gap hides it; otherwise it stays as last seen.
///
/// # Errors
/// `Broken` for an event that cannot follow: one that opens what is open, or goes on with what is not.
pub(super) fn apply(states: &mut States, scope: &ScanScope, events: &[EventFacts]) -> Result<(), Fault> {
    let scan = scope.scan;
    let mut touched = BTreeSet::new();
    for event in events {
        use FindingEventKind::{Changed, Known, Opened, OutOfScope, Reopened, Resolved, Unknown, Updated};
        let before = states.get(&event.fingerprint).map(|state| state.open);
        let follows = match event.kind {
            Opened => before.is_none(),
            Reopened => before == Some(false),
            Changed | Updated | Known | Unknown | Resolved | OutOfScope => before == Some(true),
        };
        if !follows {
            return Err(Fault::out_of_order(&event.fingerprint, event.kind, before));
        }
        let state = states.entry(event.fingerprint.clone()).or_insert_with(|| FindingState {
            event: event.seq,
            event_scan: scan,
            open: true,
            known: true,
            first_scan: scan,
            last_scan: scan,
            scans: 1,
            cluster: event.cluster.clone(),
            target: None,
        });
        match event.kind {
            Opened => {}
            Reopened => {
                state.open = true;
                state.known = true;
                state.last_scan = scan;
                state.scans = 1;
            }
            Changed | Updated | Known => state.seen(scan),
            Unknown => state.known = false,
            Resolved | OutOfScope => state.open = false,
        }
        state.event = event.seq;
        state.event_scan = scan;
        state.cluster.clone_from(&event.cluster);
        state.target.clone_from(&event.target);
        touched.insert(event.fingerprint.as_str());
    }
    for (fingerprint, state) in states.iter_mut() {
        if state.open && state.known && !touched.contains(fingerprint.as_str()) && state.in_scope(scope) {
            state.seen(scan);
        }
    }
    Ok(())
}
