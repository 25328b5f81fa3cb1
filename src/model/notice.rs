//! Notices: what is to be told to the receivers of a route, as data.
//!
//! A notice is planned with its scan and written with it; it is rendered after the seal, so that it carries it, and perhaps much later,
//! when a receiver is reached again. It holds all that a view needs, so that nothing has to be looked up then. Its values are redacted as
//! the report's are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Severity};
use super::gap::Gap;
use super::ids::{ClusterName, CommitId, LedgerId, Revision, RouteName, ScanId, TargetName};
use super::report::{Coverage, Runs};
use super::time::Timestamp;

/// Items of one notice; what is left out is counted.
pub const MOST_ITEMS: usize = 50;

/// One notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The route that it goes by.
    pub route: RouteName,
    /// What sort of notice.
    pub kind: NoticeKind,
    /// What it is about; `None`: everything that the route takes.
    pub group: Option<Group>,
    /// The conversation that it belongs to.
    pub thread: Thread,
    /// The scan that planned it.
    pub scan: NoticeScan,
    /// What happened, worst first: new, changed, and so on as [`ItemKind`] has it, and by severity.
    pub items: Vec<NoticeItem>,
    /// Items left out from the end.
    pub more: u64,
    /// All of the notice's findings by severity, those left out included; the resolved ones do not count.
    pub by_severity: BTreeMap<Severity, u64>,
    /// The same by target, worst first; what no target declares stands under its cluster.
    pub by_target: Vec<(String, u64)>,
    /// Gaps that are to be told, or that are over.
    pub gaps: Vec<NoticeGap>,
    /// Only of summaries.
    pub summary: Option<Summary>,
    /// For how long nothing could be delivered to the receiver, where this stands for messages that were dropped for it.
    pub stands_for: Option<Dropped>,
}

impl Notice {
    /// Whether it is shown to everybody in a channel, though it follows on something: it tells of something new that is bad.
    pub fn is_for_the_channel(&self) -> bool {
        self.items.iter().any(|item| {
            matches!(item.kind, ItemKind::New | ItemKind::Reopened | ItemKind::Raised)
                && item.finding.severity >= Severity::High
        })
    }
}

/// What sort of notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// Findings of a group that are new, changed, resolved or still there.
    Drift,
    /// The first scan of a ledger: what was there already.
    FirstScan,
    /// More new findings in one scan than are told one by one.
    Incident,
    /// Gaps that stand, or are over.
    Gaps,
    /// What a period brought, at its end.
    Summary,
    /// In place of messages that became too old to be sent one by one.
    CaughtUp,
    /// Sent by `notify test`.
    Test,
}

/// A cluster, and a target of it; `None` as target: what no target declares.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    /// The cluster.
    pub cluster: ClusterName,
    /// The target.
    pub target: Option<TargetName>,
}

/// A conversation: a parent, and what follows it, for one route and group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// What its messages have in common; unique in the ledger, ASCII letters, digits and `-`.
    pub key: String,
    /// Whether this one is the parent.
    pub begins: bool,
    /// Whether with this one nothing is left open: the parent is then marked as resolved.
    pub ends: bool,
    /// When it began.
    pub since: Timestamp,
}

/// Of the scan, what stands below a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeScan {
    /// Its number.
    pub id: ScanId,
    /// The ledger.
    pub ledger: LedgerId,
    /// When it started.
    pub started_at: Timestamp,
    /// When the finished scan before it started.
    pub previous_started_at: Option<Timestamp>,
    /// Objects that the group's target declares (without a group: all targets).
    pub declared: u64,
    /// Of these, compared.
    pub compared: u64,
    /// Gaps of the group's target or cluster (without a group: all).
    pub gaps: u64,
    /// The group's tracked revision.
    pub revision: Option<Revision>,
    /// What it resolved to.
    pub commit: Option<CommitId>,
    /// What of it runs.
    pub runs: Option<Runs>,
}

/// What happened to a finding. In the order in which a notice tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// Told for the first time.
    New,
    /// Told before, resolved, and back.
    Reopened,
    /// Its severity is higher than when it was told.
    Raised,
    /// Its values, class or cause are others than when it was told.
    Changed,
    /// Still there after the time after which the route repeats.
    Repeated,
    /// Comes and goes: told once, and from now on in summaries only.
    Flapping,
    /// It was there before anybody could be told.
    Existing,
    /// Its object was looked at and the difference is gone.
    Resolved,
    /// The configuration no longer covers it: not resolved.
    OutOfScope,
}

/// One finding of a notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticeItem {
    /// What happened.
    pub kind: ItemKind,
    /// The finding, as this scan saw it or as last seen.
    pub finding: Finding,
    /// How it ended, for people; only for the two last kinds.
    pub how: Option<String>,
    /// When a scan of this ledger first saw it since it was last opened.
    pub since: Timestamp,
    /// The severity that was told before; only of raised ones.
    #[serde(default)]
    pub severity_before: Option<Severity>,
    /// How often it opened and closed within a day; only of flapping ones.
    #[serde(default)]
    pub times: Option<u64>,
}

/// A gap of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeGap {
    /// The gap.
    pub gap: Gap,
    /// The start of the first scan in a row that had it.
    pub since: Timestamp,
    /// True if it is no more.
    pub over: bool,
}

/// What a period brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Its name in the configuration.
    pub name: String,
    /// The period's start.
    pub from: Timestamp,
    /// Its end, not part of it.
    pub to: Timestamp,
    /// Scans that started in it.
    pub scans: u64,
    /// Of these, those that saw everything.
    pub complete: u64,
    /// Findings that were opened or reopened in it.
    pub opened: u64,
    /// Findings that were resolved in it.
    pub resolved: u64,
    /// Findings that left the scope in it.
    pub out_of_scope: u64,
    /// Open findings at its end; the notice's items are the worst of them.
    pub open: u64,
    /// The longest time in it for which no scan saw everything, in seconds.
    pub longest_unseen_seconds: u64,
    /// At its end.
    pub coverage: Option<Coverage>,
}

/// Messages that one notice stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// How many.
    pub messages: u64,
    /// When the oldest was planned.
    pub since: Timestamp,
}
