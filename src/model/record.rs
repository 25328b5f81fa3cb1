//! What passes between a scan and its ledger.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::ids::{
    ClusterName, CommitId, LedgerId, ReceiverName, RepositoryName, Revision, RouteName, ScanId, TargetName,
};
use super::outbox::{Mark, Plan};
use super::report::ScanReport;
use super::resource::ObjectId;
use super::time::Timestamp;

/// What happened to a finding in a scan. Append-only: a finding's story is the list of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingEventKind {
    /// Seen for the first time.
    Opened,
    /// Still there with another class, cause or value.
    Changed,
    /// Still there with the same content and other evidence.
    Updated,
    /// Seen again after it had been resolved or out of scope.
    Reopened,
    /// Its object was looked at and the difference is gone.
    Resolved,
    /// The configuration no longer covers it.
    OutOfScope,
    /// Still open, but a gap hid its object.
    Unknown,
    /// Seen again after it had been unknown, unchanged.
    Known,
}

impl FindingEventKind {
    /// Whether the finding is open after this event.
    pub fn leaves_open(self) -> bool {
        !matches!(self, Self::Resolved | Self::OutOfScope)
    }
}

/// One event of one finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingEvent {
    /// What happened.
    pub kind: FindingEventKind,
    /// The finding as the scan saw it, or as last seen where it did not; `firstSeen`, `lastSeen` and `scans` are left to the
    /// ledger, which counts them.
    pub finding: Finding,
    /// Content fingerprint. See [`super::fingerprint::of_content`].
    pub content: String,
    /// The target that it belongs to; `None` where no target declares the object.
    pub target: Option<TargetName>,
    /// How it ended, for people; only for the two closing kinds.
    pub how: Option<String>,
}

/// A finding that is open in the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenFinding {
    /// As last seen, with `firstSeen`, `lastSeen` and `scans` filled in.
    pub finding: Finding,
    /// Content fingerprint.
    pub content: String,
    /// Its target.
    pub target: Option<TargetName>,
    /// False while a gap hides its object.
    pub known: bool,
    /// The start of the scan that opened it, or reopened it last.
    pub opened_at: Timestamp,
}

/// How an object stood when it was last looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectState {
    /// Compared, no finding.
    InSync,
    /// Compared, with findings.
    Drifted,
    /// Declared and not live.
    Missing,
    /// Declared, and a gap hid it.
    Unknown,
    /// No longer declared.
    Undeclared,
}

/// A change of an object's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// Where it is.
    pub cluster: ClusterName,
    /// Which it is.
    pub object: ObjectId,
    /// What it is from now on.
    pub state: ObjectState,
    /// The target that declares it.
    pub target: Option<TargetName>,
}

/// The first time this ledger saw a commit on a tracked revision: our own sighting, because commit dates lie.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sighting {
    /// Repository.
    pub repository: RepositoryName,
    /// Revision.
    pub revision: Revision,
    /// Commit.
    pub commit: CommitId,
}

/// A change of configuration, scope or rules, as an event of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEvent {
    /// What changed: `configuration`, `actor table`, `cluster prod`.
    pub subject: String,
    /// SHA-256 of the new state in canonical form, 64 hex digits, or the state itself where it is short.
    pub state: String,
}

/// A message planned in the scan's transaction, to be sent after it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedMessage {
    /// To whom.
    pub receiver: ReceiverName,
    /// What it says.
    pub plan: Plan,
}

/// What the ledger knows before a scan.
#[derive(Clone, Debug)]
pub struct PriorState {
    /// The ledger.
    pub ledger: LedgerId,
    /// Its newest finished scan.
    pub last_scan: Option<ScanId>,
    /// Start of its newest complete scan.
    pub last_complete: Option<Timestamp>,
    /// What is open, by fingerprint.
    pub open: BTreeMap<String, OpenFinding>,
    /// What was open once and is not now: fingerprint and when it was first seen.
    pub closed: BTreeMap<String, Timestamp>,
    /// The commits that findings of it are about which were open once and are not now (DL012): with an ignore rule's end, say, they are
    /// findings again.
    pub closed_commits: BTreeSet<Sighting>,
    /// The newest state of every object ever declared.
    pub objects: HashMap<(ClusterName, ObjectId), ObjectState>,
    /// Objects that a scan saw live since they were last undeclared: if one of them is missing, it was deleted.
    pub seen_live: HashSet<(ClusterName, ObjectId)>,
    /// The newest state of each configuration subject.
    pub config: BTreeMap<String, String>,
    /// What each target's revision resolved to in its newest finished scan.
    pub tips: BTreeMap<TargetName, CommitId>,
    /// When each commit was first seen on its revision.
    pub sightings: BTreeMap<Sighting, Timestamp>,
}

impl PriorState {
    /// Of a ledger without a scan.
    pub fn of_new(ledger: LedgerId) -> Self {
        Self {
            ledger,
            last_scan: None,
            last_complete: None,
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            closed_commits: BTreeSet::new(),
            objects: HashMap::new(),
            seen_live: HashSet::new(),
            config: BTreeMap::new(),
            tips: BTreeMap::new(),
            sightings: BTreeMap::new(),
        }
    }
}

/// Everything a scan writes, in one transaction.
#[derive(Clone, Debug)]
pub struct ScanRecord {
    /// The report; its seal is still empty, and its findings are written as `events`.
    pub report: ScanReport,
    /// What happened to findings.
    pub events: Vec<FindingEvent>,
    /// Objects whose state changed.
    pub objects: Vec<ObjectChange>,
    /// Commits seen for the first time.
    pub sightings: Vec<Sighting>,
    /// Configuration changes.
    pub config: Vec<ConfigEvent>,
    /// Messages to send, with what counts as told by them.
    pub messages: Vec<PlannedMessage>,
    /// What routes know from now on without a message.
    pub marks: Vec<(RouteName, Mark)>,
}
