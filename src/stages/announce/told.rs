//! What a route was told before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::delivery::Route;
use crate::model::finding::Severity;
use crate::model::ids::RouteName;
use crate::model::notice::{Group, Thread};
use crate::model::time::Timestamp;

/// What a route was told of a finding, and in which conversation. Kept in the ledger as JSON under the finding's fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The content fingerprint as told.
    pub content: String,
    /// The severity as told.
    pub severity: Severity,
    /// When it was told last.
    pub at: Timestamp,
    /// The start of the scan that had opened it. One that was opened anew since is told anew.
    pub since: Timestamp,
    /// The conversation.
    pub thread: String,
    /// When that began.
    pub thread_since: Timestamp,
    /// What the conversation is about; `None`: many targets.
    pub group: Option<Group>,
    /// Whether it was told as one that comes and goes: no more is told of it until it is calm.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flapping: bool,
}

/// The subject under which it is kept since when the ledger knows a route.
pub(super) const SINCE: &str = "route:since";
/// The subject under which it is kept that a route was told what had been there before it.
pub(super) const FIRST: &str = "route:first";

/// Everything that one route was told, by subject.
#[derive(Debug)]
pub struct TowardsRoute {
    /// Since when the ledger knows the route; `None`: since this scan.
    since: Option<Timestamp>,
    /// Findings by fingerprint.
    pub findings: BTreeMap<String, Told>,
    /// Other subjects.
    pub others: BTreeMap<String, Value>,
}

impl TowardsRoute {
    /// Out of the ledger's marks. One that does not read back was written by a newer program: what it is about is told anew.
    pub fn of(told: &BTreeMap<(RouteName, String), Value>, route: &Route) -> Self {
        let mut towards = Self { since: None, findings: BTreeMap::new(), others: BTreeMap::new() };
        for (subject, state) in of_route(told, &route.name) {
            match (subject.contains(':'), Told::deserialize(state)) {
                (false, Ok(told)) => drop(towards.findings.insert(subject.to_owned(), told)),
                _ => drop(towards.others.insert(subject.to_owned(), state.clone())),
            }
        }
        towards.since = towards.others.get(SINCE).and_then(Value::as_str).and_then(Timestamp::parse);
        towards
    }

    /// Whether a finding that was opened at a time is no younger than the route, which was not told yet what had been there before it:
    /// its first scan may have fallen into a mute window.
    pub(super) fn is_before_it(&self, opened: Timestamp) -> bool {
        !self.others.contains_key(FIRST) && self.since.is_none_or(|since| opened <= since)
    }

    /// The conversation about a group that still has something open, if there is one.
    pub fn thread_of(&self, group: &Group, is_open: impl Fn(&str) -> bool) -> Option<Thread> {
        let here = self.findings.iter().filter(|(print, told)| told.group.as_ref() == Some(group) && is_open(print));
        let newest = here.map(|(_, told)| told).max_by_key(|told| (told.thread_since, &told.thread))?;
        Some(newest.conversation())
    }
}

/// The marks of one route or summary.
pub fn of_route<'t>(
    told: &'t BTreeMap<(RouteName, String), Value>,
    route: &RouteName,
) -> impl Iterator<Item = (&'t str, &'t Value)> {
    let here = told.range((route.clone(), String::new())..).take_while(move |((name, _), _)| name == route);
    here.map(|((_, subject), state)| (subject.as_str(), state)).collect::<Vec<_>>().into_iter()
}

impl Told {
    /// The conversation it was told in, for what follows.
    pub fn conversation(&self) -> Thread {
        Thread { key: self.thread.clone(), begins: false, ends: false, since: self.thread_since }
    }
}
