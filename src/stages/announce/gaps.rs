//! Notices on gaps: what cannot be seen for too long, and that it can be seen again.

use serde::{Deserialize, Serialize};

use super::notices::{begin_thread, scan_of, seconds};
use super::told::TowardsRoute;
use super::{Planned, Scene};
use crate::config::delivery::Route;
use crate::model::canonical::{self, Canonical};
use crate::model::gap::Gap;
use crate::model::notice::{MOST_ITEMS, Notice, NoticeGap, NoticeKind, Thread};
use crate::model::outbox::Mark;
use crate::model::time::Timestamp;

/// What a route was told of a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldGap {
    gap: Gap,
    since: Timestamp,
    thread: String,
    thread_since: Timestamp,
}

/// What a gap is recognised by from scan to scan; the words for it may change.
pub fn subject(gap: &Gap) -> String {
    let hides = serde_json::to_value(&gap.hides).unwrap_or_default();
    let hash = Canonical::new("driftledger/gap/v1")
        .text(gap.kind.as_str())
        .optional(gap.cluster.as_ref().map(|cluster| cluster.as_str()))
        .optional(gap.target.as_ref().map(|target| target.as_str()))
        .optional(gap.place.as_deref())
        .text(&canonical::json(&hides))
        .finish_hex();
    format!("gap:{}", &hash[..32])
}

/// The notice on gaps that a route has not been told of and that stand, and on those that are over.
pub(super) fn plan(scene: &Scene<'_>, route: &Route, towards: &TowardsRoute) -> Option<Planned> {
    let wait = route.notify.gaps?.as_secs();
    let told: Vec<(&String, ToldGap)> = towards
        .others
        .iter()
        .filter(|(subject, _)| subject.starts_with("gap:"))
        .filter_map(|(subject, state)| Some((subject, ToldGap::deserialize(state).ok()?)))
        .collect();
    let here: Vec<(String, &Gap, Timestamp)> =
        scene.gaps.iter().map(|(gap, since)| (subject(gap), *gap, *since)).collect();
    let stands = |subject: &String| here.iter().any(|(known, _, _)| known == subject);
    let (open, gone): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|(subject, told)| stands(subject) || !was_in_scope(scene, &told.gap));
    let new = here.iter().filter(|(subject, gap, since)| {
        route.takes.gap(gap) && seconds(*since, scene.now) >= wait && !towards.others.contains_key(subject)
    });
    let mut new: Vec<&(String, &Gap, Timestamp)> = new.collect();
    new.sort_by_key(|(_, _, since)| *since);
    if new.is_empty() && gone.is_empty() {
        return None;
    }
    let known = open.first().or(gone.first()).map(|(_, told)| told);
    let mut thread = known.map_or_else(
        || begin_thread(scene, &route.name, NoticeKind::Gaps, None),
        |told| Thread { key: told.thread.clone(), begins: false, ends: false, since: told.thread_since },
    );
    thread.ends = new.is_empty() && open.is_empty();
    let mut marks: Vec<Mark> =
        gone.iter().map(|(subject, _)| Mark { subject: (*subject).clone(), state: None }).collect();
    let mut gaps = Vec::new();
    for (subject, gap, since) in &new {
        let told =
            ToldGap { gap: (*gap).clone(), since: *since, thread: thread.key.clone(), thread_since: thread.since };
        marks.push(Mark { subject: subject.clone(), state: serde_json::to_value(&told).ok() });
        gaps.push(NoticeGap { gap: told.gap, since: *since, over: false });
    }
    gaps.extend(gone.into_iter().map(|(_, told)| NoticeGap { gap: told.gap, since: told.since, over: true }));
    let more = gaps.len().saturating_sub(MOST_ITEMS) as u64;
    gaps.truncate(MOST_ITEMS);
    let notice = Notice {
        route: route.name.clone(),
        kind: NoticeKind::Gaps,
        group: None,
        thread,
        scan: scan_of(scene, None),
        items: Vec::new(),
        more,
        by_severity: Default::default(),
        by_target: Vec::new(),
        gaps,
        summary: None,
        stands_for: None,
    };
    Some(Planned { receivers: route.receivers.clone(), notice, marks })
}

/// Whether the scan would have met the gap if it were still there.
fn was_in_scope(scene: &Scene<'_>, gap: &Gap) -> bool {
    let target = gap.target.as_ref().is_none_or(|target| scene.targets.iter().any(|known| known.name == *target));
    target && gap.cluster.as_ref().is_none_or(|cluster| scene.clusters.contains(cluster))
}
