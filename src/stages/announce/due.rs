//! What of a route's findings is to be told now.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::told::{Told, TowardsRoute};
use super::{Ended, Scene, Seen};
use crate::config::delivery::{Notify, Route};
use crate::model::finding::{Cause, Code, Severity};
use crate::model::notice::ItemKind;
use crate::model::time::Timestamp;

/// The time within which openings and closings are counted: a day.
pub const FLAPPING_SECONDS: i64 = 86_400;

/// What is due.
#[derive(Debug, Default)]
pub(super) struct Due<'s, 'a> {
    /// What was there before the route could be told of it.
    pub existing: Vec<&'s Seen<'a>>,
    /// What is told for the first time, or anew.
    pub new: Vec<(ItemKind, &'s Seen<'a>)>,
    /// More about what was told.
    pub more: Vec<(ItemKind, &'s Seen<'a>, &'s Told)>,
    /// What is over.
    pub ended: Vec<(&'s Ended, &'s str, &'s Told)>,
    /// Told, over, and not told to be over: their marks are of no more use.
    pub forgotten: Vec<&'s str>,
    /// Fingerprints of what was told and is still open.
    pub open: BTreeSet<&'s str>,
}

pub(super) fn due<'s, 'a>(
    scene: &'s Scene<'a>,
    route: &'s Route,
    towards: &'s TowardsRoute,
    taken: &[&'s Seen<'a>],
) -> Due<'s, 'a> {
    let mut due = Due::default();
    for seen in taken {
        let print = seen.finding.fingerprint.as_str();
        let before = towards.findings.get(print);
        if before.is_some_and(|told| told.flapping) && flaps(scene, route, print) {
            continue;
        }
        match before {
            Some(told) if told.since >= seen.since => more(scene, route, seen, told, &mut due),
            // Opened anew since it was told: it was over in between, whether or not that was told.
            Some(_) => new(scene, route, seen, &mut due),
            None if towards.is_before_it(seen.since) => {
                if seen.finding.severity > Severity::Info {
                    due.existing.push(seen);
                }
            }
            None => new(scene, route, seen, &mut due),
        }
    }
    let found: BTreeMap<&str, Timestamp> =
        scene.found.iter().map(|seen| (seen.finding.fingerprint.as_str(), seen.since)).collect();
    for (print, told) in &towards.findings {
        let print = print.as_str();
        let is_open = scene.unknown.contains(print) || found.get(print).is_some_and(|since| told.since >= *since);
        match scene.ended.get(print) {
            _ if is_open => drop(due.open.insert(print)),
            _ if told.flapping && flaps(scene, route, print) => drop(due.open.insert(print)),
            // It is back already: that is told.
            _ if found.contains_key(print) => {}
            Some(ended) => due.ended.push((ended, print, told)),
            None => due.forgotten.push(print),
        }
    }
    due
}

/// A finding that the route was not told of since it is open.
fn new<'s, 'a>(scene: &Scene<'_>, route: &Route, seen: &'s Seen<'a>, due: &mut Due<'s, 'a>) {
    let kind = if flaps(scene, route, &seen.finding.fingerprint) && seen.finding.severity >= route.notify.least {
        ItemKind::Flapping
    } else if !is_due(&route.notify, seen, scene.now) {
        return;
    } else if seen.was_open_before {
        ItemKind::Reopened
    } else {
        ItemKind::New
    };
    due.new.push((kind, seen));
}

/// One that it was told of.
fn more<'s, 'a>(scene: &Scene<'_>, route: &Route, seen: &'s Seen<'a>, told: &'s Told, due: &mut Due<'s, 'a>) {
    let severity = seen.finding.severity;
    if severity < route.notify.least {
        return;
    }
    let settled = severity >= route.notify.at_once || seen.is_steady || route.notify.scans <= 1;
    let long_ago =
        |repeat: Duration| scene.now.unix() - told.at.unix() >= i64::try_from(repeat.as_secs()).unwrap_or(i64::MAX);
    let kind = if severity > told.severity && settled {
        ItemKind::Raised
    } else if seen.content != told.content && settled {
        ItemKind::Changed
    } else if severity == Severity::Critical && route.notify.repeat.is_some_and(long_ago) {
        ItemKind::Repeated
    } else {
        return;
    };
    due.more.push((kind, seen, told));
}

/// Whether it is bad enough, or stood long enough.
fn is_due(notify: &Notify, seen: &Seen<'_>, now: Timestamp) -> bool {
    let finding = seen.finding;
    if finding.severity < notify.least {
        return false;
    }
    if finding.severity >= notify.at_once {
        return true;
    }
    let is_late = finding.cause == Some(Cause::Behind) || finding.code == Code::Missing;
    if is_late && finding.severity <= Severity::Medium {
        let waited = now.unix() - seen.since.unix();
        return waited >= i64::try_from(notify.wait.as_secs()).unwrap_or(i64::MAX);
    }
    seen.scans >= notify.scans
}

/// Whether it comes and goes.
fn flaps(scene: &Scene<'_>, route: &Route, print: &str) -> bool {
    scene.flaps.get(print).is_some_and(|times| *times > route.notify.flapping)
}
