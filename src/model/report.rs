//! The report of one scan: what every view shows and the ledger keeps. Its serialised form is the JSON contract
//! `driftledger/scan/v1`; fields are only ever added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::audited::Reverted;
use super::finding::{Code, Finding, Severity};
use super::gap::{Exclusion, Gap};
use super::ids::{
    ClusterName, CommitId, FindingId, LedgerId, ReceiverName, RepositoryName, Revision, RouteName, ScanId, TargetName,
};
use super::outbox::MessageId;
use super::time::Timestamp;

/// The value of `schema` in a scan's JSON.
pub const SCAN_SCHEMA: &str = "driftledger/scan/v1";
/// The value of `schema` in the JSON of `compare`.
pub const COMPARE_SCHEMA: &str = "driftledger/compare/v1";

/// One scan, complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanReport {
    /// [`SCAN_SCHEMA`].
    pub schema: String,
    /// The scan itself.
    pub scan: ScanSummary,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// What was chosen not to be read.
    pub exclusions: Vec<Exclusion>,
    /// What is open after this scan, worst first: what it saw, and what earlier scans saw and this one could not look at
    /// (their `lastSeen` is then older than `scan.startedAt`).
    pub findings: Vec<Finding>,
}

/// When, over what, with what outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanSummary {
    /// Sequence number in the ledger.
    pub id: ScanId,
    /// The ledger it is in.
    pub ledger: LedgerId,
    /// When it started.
    pub started_at: Timestamp,
    /// When its last reading was done.
    pub finished_at: Timestamp,
    /// True if there is no gap and every configured target was in scope.
    pub complete: bool,
    /// The program's version.
    pub tool_version: String,
    /// The clusters that were read.
    pub clusters: Vec<ClusterSummary>,
    /// The targets that were audited.
    pub targets: Vec<TargetSummary>,
    /// Totals.
    pub counts: Counts,
    /// What this scan changed in the ledger.
    pub changes: Changes,
    /// What ignore rules did, rule by rule.
    #[serde(default)]
    pub ignored: Vec<IgnoreSummary>,
    /// Declared objects that are in sync and were written by somebody else than the GitOps side and controllers since they were looked at
    /// last, by the clusters' audit logs.
    #[serde(default)]
    pub reverted: Vec<Reverted>,
    /// Messages of earlier scans that did not reach their receivers.
    #[serde(default)]
    pub undelivered: Vec<UndeliveredMessage>,
    /// Start of the last scan before this one that was complete; `None` if there was none.
    pub last_complete: Option<Timestamp>,
    /// The ledger's state after this scan.
    pub seal: Option<Seal>,
}

/// A message that did not reach its receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UndeliveredMessage {
    /// Its number in the ledger.
    pub message: MessageId,
    /// To whom.
    pub receiver: ReceiverName,
    /// The route that it goes by.
    pub route: RouteName,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// Why, for people.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether it was refused for good: it is not tried again unless a person asks for it.
    pub dead: bool,
}

/// One cluster as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSummary {
    /// Configured name.
    pub name: ClusterName,
    /// UID of the namespace kube-system: the cluster's identity. `None` if it could not be read or a dump lacks it.
    pub uid: Option<String>,
    /// Kubernetes version, where known.
    pub version: Option<String>,
    /// `kubernetes API`, `snapshot` or `dump`.
    pub source: String,
    /// When a snapshot was taken; `None` where the cluster was read during the scan, and for dumps, which do not say.
    #[serde(default)]
    pub taken_at: Option<Timestamp>,
    /// Live objects read.
    pub live_objects: u64,
    /// The server's clock minus ours, in seconds, where its answers carry a date.
    pub clock_skew_seconds: Option<i64>,
    /// How much of what is live is declared; `None` where that was not counted.
    #[serde(default)]
    pub coverage: Option<Coverage>,
    /// The newest event of the cluster's audit log, by the server's clock; `None` where there is no log or no event in it.
    #[serde(default)]
    pub audit_log_until: Option<Timestamp>,
}

/// How much of what is live is declared in Git, among the kinds that were read as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Live objects that somebody could have declared.
    pub live: u64,
    /// Of these, declared by a target.
    pub declared: u64,
    /// Live objects besides: children of other objects, and what a cluster makes by itself.
    pub set_aside: u64,
    /// The kinds that were counted, as `Deployment.apps`, in order.
    pub kinds: Vec<String>,
}

impl Coverage {
    /// Takes another cluster's in.
    pub fn add(&mut self, other: &Self) {
        self.live += other.live;
        self.declared += other.declared;
        self.set_aside += other.set_aside;
        self.kinds.extend(other.kinds.iter().cloned());
        self.kinds.sort();
        self.kinds.dedup();
    }
}

/// One target as audited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetSummary {
    /// Configured name.
    pub name: TargetName,
    /// Cluster.
    pub cluster: ClusterName,
    /// Repository.
    pub repository: RepositoryName,
    /// Tracked revision.
    pub revision: Revision,
    /// What it resolved to; `None` where it did not.
    pub commit: Option<CommitId>,
    /// The tag that it came out as, where it is a range of versions.
    #[serde(default)]
    pub tag: Option<String>,
    /// Folder in the repository.
    pub path: String,
    /// Objects it declares.
    pub declared: u64,
    /// Of these, compared (or found missing) this time.
    pub compared: u64,
    /// Findings on its objects.
    pub findings: u64,
    /// Files without manifests that were passed over.
    pub files_passed_over: u64,
    /// True if an old mirror was used because fetching failed and the configuration allows it.
    pub stale: bool,
    /// Set where the revision does not go on from the commit that the scan before saw.
    #[serde(default)]
    pub rewritten: Option<Rewritten>,
    /// What of the revision runs, as far as can be told; `None` where nothing shows it.
    #[serde(default)]
    pub runs: Option<Runs>,
    /// Where Argo CD or Flux says something else of it than what was found; for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disagreement: Option<String>,
    /// The repository's URL without credentials; `None` for one in a folder.
    #[serde(default)]
    pub repository_url: Option<String>,
}

/// A revision that left its line of first parents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rewritten {
    /// The commit that the scan before saw.
    pub from: CommitId,
    /// True if it is no longer part of the revision: a forced push. False if it was merged into another line.
    pub forced: bool,
}

/// How far a target is behind its revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Runs {
    /// The newest commit that everything of the target may come from; `None` where no one commit explains all of it.
    pub commit: Option<CommitId>,
    /// First-parent commits from it to the tracked commit.
    pub commits_behind: Option<u64>,
    /// What shows it, for people.
    pub evidence: String,
}

/// Totals of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Declared objects.
    pub declared: u64,
    /// Of these, compared with their live object, or known to be missing.
    pub compared: u64,
    /// Of these, without a finding.
    pub in_sync: u64,
    /// Findings that this scan saw.
    pub findings: u64,
    /// Findings still open from before whose objects could not be looked at.
    pub unknown: u64,
    /// Findings by severity.
    pub by_severity: BTreeMap<Severity, u64>,
    /// Findings by code's class.
    pub by_class: BTreeMap<String, u64>,
    /// Gaps.
    pub gaps: u64,
    /// Normalisations that were applied, by rule.
    pub normalised: BTreeMap<String, u64>,
    /// Of all clusters together; `None` where it was counted in none.
    #[serde(default)]
    pub coverage: Option<Coverage>,
}

/// What an ignore rule did in a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IgnoreSummary {
    /// What the configuration calls it; else its position.
    pub id: String,
    /// `configuration`, or the object that states the rule: `Application argocd/shop`.
    pub source: String,
    /// Why these differences are accepted.
    pub reason: String,
    /// The last day on which it works; `None`: for ever.
    pub expires: Option<String>,
    /// Findings that are not there because of it.
    pub suppressed: u64,
    /// Findings that are still there and that it made smaller.
    pub narrowed: u64,
    /// The suppressed ones by code.
    pub by_code: BTreeMap<Code, u64>,
    /// Whether it is of use.
    pub state: IgnoreState,
    /// What kept it from working as written, with an example.
    pub note: Option<String>,
}

/// Whether an ignore rule is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IgnoreState {
    /// It suppressed something, or made it smaller.
    Used,
    /// It did nothing, and the scan saw everything.
    Unused,
    /// Its last day is over: it does nothing.
    Expired,
    /// It did nothing, but the scan did not see everything.
    Undetermined,
}

impl IgnoreState {
    /// As written in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Unused => "unused",
            Self::Expired => "expired",
            Self::Undetermined => "undetermined",
        }
    }
}

/// What a scan changed in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// True for a ledger's first scan: nothing is new in comparison with anything.
    pub first_scan: bool,
    /// Never seen before by this ledger.
    pub new: Vec<FindingId>,
    /// Seen before, resolved since, and back.
    pub reopened: Vec<FindingId>,
    /// Open before with other content.
    pub changed: Vec<FindingId>,
    /// Gone, their objects having been looked at.
    pub resolved: Vec<ClosedFinding>,
    /// No longer looked at because the configuration changed; not resolved.
    pub out_of_scope: Vec<ClosedFinding>,
}

/// A finding that is no longer open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosedFinding {
    /// Its id.
    pub id: FindingId,
    /// `prod Deployment.apps shop/api .spec.replicas`.
    pub title: String,
    /// How it ended, for people.
    pub how: String,
}

/// A seal: the hash that chains a stretch of the ledger to what came before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seal {
    /// Its number in the chain; the first is 1.
    pub sequence: i64,
    /// SHA-256 in 64 hex digits.
    pub hash: String,
}
