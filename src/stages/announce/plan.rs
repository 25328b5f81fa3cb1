//! The notices on a scan.

use std::collections::BTreeMap;

use serde_json::Value;

use super::scene::{Planned, Scene};
use super::told::{self, TowardsRoute};
use super::{due, gaps, notices, routing, summaries};
use crate::config::delivery::{Route, SummaryConfig};
use crate::model::finding::Finding;
use crate::model::ids::{RouteName, TargetName};
use crate::model::outbox::Mark;
use crate::model::time::Timestamp;

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
pub(super) fn target_of(finding: &Finding) -> Option<&TargetName> {
    finding.origin.as_ref().map(|origin| &origin.target)
}
