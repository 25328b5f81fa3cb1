//! Notices on findings: what is due, sorted into conversations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::due::Due;
use super::plan::target_of;
use super::told::{FIRST, Told, TowardsRoute};
use super::{Planned, Scene, Seen};
use crate::config::delivery::Route;
use crate::model::canonical::Canonical;
use crate::model::finding::{Finding, Severity};
use crate::model::ids::RouteName;
use crate::model::notice::{Group, ItemKind, MOST_ITEMS, Notice, NoticeItem, NoticeKind, NoticeScan, Thread};
use crate::model::outbox::Mark;
use crate::model::time::Timestamp;

/// What goes into one notice.
struct Letter {
    kind: NoticeKind,
    group: Option<Group>,
    thread: Thread,
    items: Vec<NoticeItem>,
    marks: Vec<Mark>,
}

/// The notices on a route's findings: what was there before, an incident, and one for each conversation.
pub(super) fn drift(scene: &Scene<'_>, route: &Route, towards: &TowardsRoute, due: Due<'_, '_>) -> Vec<Planned> {
    let mut letters = Vec::new();
    let is_last = scene.routes.last().is_some_and(|last| last.name == route.name);
    // That nothing deviates is said only where it is so, whoever would hear of it.
    let nothing = scene.found.iter().all(|seen| seen.finding.severity == Severity::Info);
    let begins = scene.previous.is_none() && is_last && nothing && !towards.others.contains_key(FIRST);
    if !due.existing.is_empty() || begins {
        letters.push(existing(scene, route, &due.existing));
    }
    let mut by_thread: BTreeMap<String, Letter> = BTreeMap::new();
    let is_incident = due.new.len() > route.notify.incident;
    if is_incident {
        let mut letter = Letter::begin(scene, &route.name, NoticeKind::Incident, None);
        due.new.iter().for_each(|(kind, seen)| letter.tell(scene, *kind, seen, None));
        letters.push(letter);
    }
    for (kind, seen) in due.new.iter().filter(|_| !is_incident) {
        let group = Group { cluster: seen.finding.cluster.clone(), target: target_of(seen.finding).cloned() };
        // One that only ends now goes on: a drift in the place of another is the same matter.
        let is_open = |print: &str| due.open.contains(print) || due.ended.iter().any(|(_, ended, _)| *ended == print);
        let thread = towards.thread_of(&group, is_open);
        let letter = match thread {
            Some(thread) => by_thread.entry(thread.key.clone()).or_insert_with(|| Letter::goes_on(thread, Some(group))),
            None => {
                let begun = Letter::begin(scene, &route.name, NoticeKind::Drift, Some(group));
                by_thread.entry(begun.thread.key.clone()).or_insert(begun)
            }
        };
        letter.tell(scene, *kind, seen, None);
    }
    for (kind, seen, told) in &due.more {
        Letter::of(&mut by_thread, told).tell(scene, *kind, seen, Some(told));
    }
    for (ended, print, told) in &due.ended {
        let letter = Letter::of(&mut by_thread, told);
        letter.items.push(NoticeItem {
            kind: if ended.resolved { ItemKind::Resolved } else { ItemKind::OutOfScope },
            finding: ended.finding.clone(),
            how: Some(ended.how.clone()),
            since: told.since,
            severity_before: None,
            times: None,
        });
        letter.marks.push(Mark { subject: (*print).to_owned(), state: None });
    }
    for letter in by_thread.values_mut().filter(|letter| !letter.thread.begins) {
        let of_thread =
            |print: &&str| towards.findings.get(*print).is_some_and(|told| told.thread == letter.thread.key);
        let tells_open =
            letter.items.iter().any(|item| !matches!(item.kind, ItemKind::Resolved | ItemKind::OutOfScope));
        letter.thread.ends = !tells_open && !due.open.iter().any(of_thread);
    }
    letters.extend(by_thread.into_values());
    if let Some(first) = letters.first_mut() {
        let forget = |print: &&str| Mark { subject: (*print).to_owned(), state: None };
        first.marks.extend(due.forgotten.iter().map(forget));
    }
    letters.into_iter().map(|letter| letter.seal(scene, route)).collect()
}

/// What was there before the route: one message, however much it is.
fn existing(scene: &Scene<'_>, route: &Route, found: &[&Seen<'_>]) -> Letter {
    let mut letter = Letter::begin(scene, &route.name, NoticeKind::FirstScan, None);
    for seen in found {
        letter.tell(scene, ItemKind::Existing, seen, None);
        if seen.finding.severity < route.notify.least {
            letter.marks.pop();
        }
    }
    letter.marks.push(Mark { subject: FIRST.to_owned(), state: Some(Value::String(scene.now.to_string())) });
    letter
}

impl Letter {
    fn begin(scene: &Scene<'_>, route: &RouteName, kind: NoticeKind, group: Option<Group>) -> Self {
        let thread = begin_thread(scene, route, kind, group.as_ref());
        Self { kind, group, thread, items: Vec::new(), marks: Vec::new() }
    }

    fn goes_on(thread: Thread, group: Option<Group>) -> Self {
        Self { kind: NoticeKind::Drift, group, thread, items: Vec::new(), marks: Vec::new() }
    }

    /// The one in which something is told of what was told before.
    fn of<'l>(letters: &'l mut BTreeMap<String, Self>, told: &Told) -> &'l mut Self {
        letters.entry(told.thread.clone()).or_insert_with(|| Self::goes_on(told.conversation(), told.group.clone()))
    }

    fn tell(&mut self, scene: &Scene<'_>, kind: ItemKind, seen: &Seen<'_>, before: Option<&Told>) {
        let before = before.filter(|_| kind == ItemKind::Raised);
        let times = scene.flaps.get(&seen.finding.fingerprint).filter(|_| kind == ItemKind::Flapping);
        self.items.push(NoticeItem {
            kind,
            finding: seen.finding.clone(),
            how: None,
            since: seen.since,
            severity_before: before.map(|told| told.severity),
            times: times.copied(),
        });
        let told = Told {
            content: seen.content.to_owned(),
            severity: seen.finding.severity,
            at: scene.now,
            since: seen.since,
            thread: self.thread.key.clone(),
            thread_since: self.thread.since,
            group: self.group.clone(),
            flapping: kind == ItemKind::Flapping,
        };
        let state = serde_json::to_value(told).ok();
        self.marks.push(Mark { subject: seen.finding.fingerprint.clone(), state });
    }

    fn seal(mut self, scene: &Scene<'_>, route: &Route) -> Planned {
        self.items.sort_by_cached_key(|item| {
            let finding = &item.finding;
            (
                item.kind,
                std::cmp::Reverse(finding.severity),
                finding.object(),
                finding.path.as_ref().map(ToString::to_string),
            )
        });
        let is_over = |kind: ItemKind| matches!(kind, ItemKind::Resolved | ItemKind::OutOfScope);
        let open = self.items.iter().filter(|item| !is_over(item.kind)).map(|item| &item.finding);
        let mut by_severity: BTreeMap<Severity, u64> = BTreeMap::new();
        open.clone().for_each(|finding| *by_severity.entry(finding.severity).or_default() += 1);
        let by_target = count_by_target(open);
        let more = self.items.len().saturating_sub(MOST_ITEMS);
        self.items.truncate(MOST_ITEMS);
        let notice = Notice {
            route: route.name.clone(),
            kind: self.kind,
            scan: scan_of(scene, self.group.as_ref()),
            group: self.group,
            thread: self.thread,
            items: self.items,
            more: more as u64,
            by_severity,
            by_target,
            gaps: Vec::new(),
            summary: None,
            stands_for: None,
        };
        Planned { receivers: route.receivers.clone(), notice, marks: self.marks }
    }
}

/// A new conversation.
pub(super) fn begin_thread(scene: &Scene<'_>, route: &RouteName, kind: NoticeKind, group: Option<&Group>) -> Thread {
    let key = Canonical::new("driftledger/thread/v1")
        .text(scene.ledger.as_str())
        .number(scene.scan.0)
        .text(route.as_str())
        .text(&format!("{kind:?}"))
        .optional(group.map(|group| group.cluster.as_str()))
        .optional(group.and_then(|group| group.target.as_ref()).map(|target| target.as_str()))
        .finish_hex();
    Thread { key: key[..24].to_owned(), begins: true, ends: false, since: scene.now }
}

/// What stands below a notice.
pub(super) fn scan_of(scene: &Scene<'_>, group: Option<&Group>) -> NoticeScan {
    let target = group.and_then(|group| group.target.as_ref());
    let of_group = |name| target.is_none_or(|target| target == name);
    let summary = scene.targets.iter().find(|known| Some(&known.name) == target);
    let here = || scene.targets.iter().filter(|known| of_group(&known.name));
    let concerns = |gap: &crate::model::gap::Gap| match group {
        None => true,
        Some(group) => {
            gap.cluster.as_ref().is_none_or(|cluster| *cluster == group.cluster)
                && (gap.target.is_none() || target.is_none() || gap.target.as_ref() == target)
        }
    };
    NoticeScan {
        id: scene.scan,
        ledger: scene.ledger.clone(),
        started_at: scene.now,
        previous_started_at: scene.previous,
        declared: here().map(|known| known.declared).sum(),
        compared: here().map(|known| known.compared).sum(),
        gaps: scene.gaps.iter().filter(|(gap, _)| concerns(gap)).count() as u64,
        revision: summary.map(|known| known.revision.clone()),
        commit: summary.and_then(|known| known.commit.clone()),
        runs: summary.and_then(|known| known.runs.clone()),
    }
}

/// By target, or by cluster for what no target declares; those with the worst findings first, then those with the most.
pub(super) fn count_by_target<'f>(findings: impl Iterator<Item = &'f Finding>) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, (Severity, u64)> = BTreeMap::new();
    for finding in findings {
        let name = target_of(finding).map_or_else(|| finding.cluster.to_string(), ToString::to_string);
        let (worst, count) = counts.entry(name).or_insert((finding.severity, 0));
        *worst = finding.severity.max(*worst);
        *count += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(_, one), (_, other)| other.cmp(one));
    counts.into_iter().map(|(name, (_, count))| (name, count)).collect()
}

/// Seconds between two times; none if the clock went back.
pub(super) fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.unix() - from.unix()).unwrap_or_default()
}
