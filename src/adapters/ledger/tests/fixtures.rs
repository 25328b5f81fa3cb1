//! A ledger in a temporary folder, and scans to write into it.

use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::adapters::ledger::{Ledger, LedgerError, LedgerReader, OpenOptions};
use crate::model::attribution::Origin;
use crate::model::field_path::FieldPath;
use crate::model::finding::{Cause, Code, Finding, Severity};
use crate::model::fingerprint;
use crate::model::gap::{Exclusion, Gap, GapKind, Hides};
use crate::model::ids::{
    ClusterName, CommitId, LedgerId, ReceiverName, RepositoryName, Revision, RouteName, ScanId, TargetName,
};
use crate::model::notice::{Notice, NoticeKind, NoticeScan, Thread};
use crate::model::outbox::{Mark, Plan};
use crate::model::record::{
    ConfigEvent, FindingEvent, FindingEventKind, ObjectChange, ObjectState, PlannedMessage, ScanRecord, Sighting,
};
use crate::model::report::{
    Changes, ClusterSummary, Counts, SCAN_SCHEMA, ScanReport, ScanSummary, Seal, TargetSummary,
};
use crate::model::resource::ObjectId;
use crate::model::time::Timestamp;

pub(super) struct Home {
    pub(super) folder: TempDir,
    pub(super) path: PathBuf,
}

impl Home {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().canonicalize().unwrap().join("ledger.sqlite");
        Self { folder, path }
    }

    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        super::super::files::beside(&self.path, suffix)
    }

    pub(super) fn try_open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.path, &options(), at(0))
    }

    pub(super) fn open(&self) -> Ledger {
        self.try_open().unwrap()
    }

    pub(super) fn reader(&self) -> LedgerReader {
        Ledger::open_read_only(&self.path, None).unwrap()
    }

    /// The file as any other program sees it: without our pragmas.
    pub(super) fn raw(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }
}

pub(super) fn options() -> OpenOptions {
    // Long enough for a child that another test is just starting: until it is another program, it holds the lock, too.
    OpenOptions { wait: std::time::Duration::from_millis(300), ..OpenOptions::new("0.1.0-test") }
}

/// A minute after the ledger was made.
pub(super) fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix(1_772_000_000 + minute * 60)
}

pub(super) fn object(name: &str) -> ObjectId {
    ObjectId { group: "apps".into(), kind: "Deployment".into(), namespace: Some("shop".into()), name: name.into() }
}

/// `.spec.replicas` of a Deployment of target `web`: 3 declared, `live` live, as commit `aaaa` has it.
pub(super) fn finding(name: &str, live: i64) -> Finding {
    let path = FieldPath::of_fields(["spec", "replicas"]);
    let fingerprint = fingerprint::of_object(&ClusterName::new("prod"), &object(name), Some(&path));
    Finding {
        id: fingerprint::finding_id(&fingerprint),
        code: Code::Changed,
        class: Code::Changed.class().into(),
        cause: Some(Cause::OutOfBand),
        severity: Severity::High,
        fingerprint,
        cluster: ClusterName::new("prod"),
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: Some("shop".into()),
        name: name.into(),
        path: Some(path),
        declared: Some(json!(3)),
        live: Some(json!(live)),
        origin: Some(Origin {
            target: TargetName::new("web"),
            repository: RepositoryName::new("platform"),
            revision: Revision::new("main"),
            commit: CommitId::new("aaaa"),
            file: "web/api.yaml".into(),
            line: Some(7),
            renderer: None,
        }),
        declared_by: None,
        removed_by: None,
        live_matches: None,
        actors: Vec::new(),
        writes: None,
        first_seen: None,
        last_seen: None,
        scans: None,
        waiver: None,
        method: "schema".into(),
        note: None,
    }
}

/// An event of target `web`; the content goes by the live value.
pub(super) fn event(kind: FindingEventKind, finding: Finding) -> FindingEvent {
    let content = format!("content of {} with {:?}", finding.name, finding.live);
    let how = (!kind.leaves_open()).then(|| "now as declared".to_owned());
    FindingEvent { kind, finding, content, target: Some(TargetName::new("web")), how }
}

/// What a scan looked at and found; by default target `web` at commit `aaaa` in cluster `prod`, and nothing.
#[derive(Clone)]
pub(super) struct Scan {
    pub(super) minute: i64,
    pub(super) targets: Vec<(&'static str, &'static str)>,
    pub(super) clusters: Vec<&'static str>,
    pub(super) complete: bool,
    pub(super) events: Vec<FindingEvent>,
}

impl Scan {
    pub(super) fn new(minute: i64) -> Self {
        Self { minute, targets: vec![("web", "aaaa")], clusters: vec!["prod"], complete: true, events: Vec::new() }
    }

    pub(super) fn with(mut self, kind: FindingEventKind, finding: Finding) -> Self {
        self.events.push(event(kind, finding));
        self
    }

    pub(super) fn targets(mut self, targets: &[(&'static str, &'static str)]) -> Self {
        self.targets = targets.to_vec();
        self.complete = false;
        self
    }

    pub(super) fn record(self, ledger: &Ledger, id: ScanId) -> ScanRecord {
        let target = |(name, commit): &(&str, &str)| TargetSummary {
            disagreement: None,
            name: TargetName::new(*name),
            cluster: ClusterName::new("prod"),
            repository: RepositoryName::new("platform"),
            revision: Revision::new("main"),
            commit: Some(CommitId::new(*commit)),
            tag: None,
            path: "web".into(),
            declared: 1,
            compared: 1,
            findings: 0,
            files_passed_over: 0,
            stale: false,
            rewritten: None,
            runs: None,
            repository_url: None,
        };
        let cluster = |name: &&str| ClusterSummary {
            name: ClusterName::new(*name),
            uid: Some("0c8b".into()),
            version: None,
            source: "dump".into(),
            taken_at: None,
            live_objects: 4,
            clock_skew_seconds: None,
            coverage: None,
            audit_log_until: Some(Timestamp::from_unix(at(self.minute).unix() - 30)),
        };
        let scan = ScanSummary {
            id,
            ledger: ledger.id().clone(),
            started_at: at(self.minute),
            finished_at: Timestamp::from_unix(at(self.minute).unix() + 5),
            complete: self.complete,
            tool_version: "0.1.0-test".into(),
            clusters: self.clusters.iter().map(cluster).collect(),
            targets: self.targets.iter().map(target).collect(),
            counts: Counts::default(),
            changes: Changes::default(),
            ignored: Vec::new(),
            reverted: Vec::new(),
            undelivered: Vec::new(),
            last_complete: None,
            seal: None,
        };
        ScanRecord {
            report: ScanReport {
                schema: SCAN_SCHEMA.into(),
                scan,
                gaps: Vec::new(),
                exclusions: Vec::new(),
                findings: Vec::new(),
            },
            events: self.events,
            objects: Vec::new(),
            sightings: Vec::new(),
            config: Vec::new(),
            messages: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Begins and records the scan.
    pub(super) fn run(self, ledger: &mut Ledger) -> (ScanId, Seal) {
        let id = begin(ledger, self.minute);
        let record = self.record(ledger, id);
        (id, ledger.record(record).unwrap())
    }
}

pub(super) fn begin(ledger: &mut Ledger, minute: i64) -> ScanId {
    ledger.begin_scan(at(minute), &json!({"targets": ["web"]})).unwrap()
}

pub(super) fn oncall() -> ReceiverName {
    ReceiverName::new("oncall")
}

/// Of route `all`: it begins the conversation `t-<key>`, and tells a finding.
pub(super) fn plan(key: &str, minute: i64) -> Plan {
    let notice = Notice {
        route: RouteName::new("all"),
        kind: NoticeKind::Drift,
        group: None,
        thread: Thread { key: format!("t-{key}"), begins: true, ends: false, since: at(minute) },
        scan: NoticeScan {
            id: ScanId(minute),
            ledger: LedgerId::new("l"),
            started_at: at(minute),
            previous_started_at: None,
            declared: 1,
            compared: 1,
            gaps: 0,
            revision: None,
            commit: None,
            runs: None,
        },
        items: Vec::new(),
        more: 0,
        by_severity: std::collections::BTreeMap::new(),
        by_target: Vec::new(),
        gaps: Vec::new(),
        summary: None,
        stands_for: None,
    };
    let mark = Mark { subject: finding(key, 5).fingerprint, state: Some(json!({"severity": "high"})) };
    Plan { key: key.into(), notice, marks: vec![mark] }
}

/// A record with something in every table that a scan writes.
pub(super) fn full_record(ledger: &Ledger, id: ScanId, minute: i64) -> ScanRecord {
    let cluster_scoped =
        ObjectId { group: String::new(), kind: "Namespace".into(), namespace: None, name: "shop".into() };
    let mut unmanaged = finding(&format!("stray-{minute}"), 1);
    unmanaged.code = Code::Unmanaged;
    unmanaged.origin = None;
    let mut scan = Scan::new(minute).with(FindingEventKind::Opened, finding(&format!("api-{minute}"), 5));
    scan.events.push(FindingEvent { target: None, ..event(FindingEventKind::Opened, unmanaged) });
    let change = |object, state, target: Option<&str>| ObjectChange {
        cluster: ClusterName::new("prod"),
        object,
        state,
        target: target.map(TargetName::new),
    };
    let mut record = scan.record(ledger, id);
    record.report.gaps =
        vec![Gap::new(GapKind::Forbidden, "secrets cannot be listed", Hides::Evidence).at("Secret in shop")];
    record.report.exclusions =
        vec![Exclusion { scope: "web".into(), what: "Secret".into(), reason: "not opted in".into(), count: Some(2) }];
    record.objects = vec![
        change(object("api"), ObjectState::Drifted, Some("web")),
        change(cluster_scoped, ObjectState::InSync, None),
    ];
    record.sightings = vec![Sighting {
        repository: RepositoryName::new("platform"),
        revision: Revision::new("main"),
        commit: CommitId::new(format!("{minute:04}")),
    }];
    record.config = vec![ConfigEvent { subject: "configuration".into(), state: format!("state {minute}") }];
    record.messages = vec![PlannedMessage { receiver: oncall(), plan: plan(&format!("new-{minute}"), minute) }];
    record.marks = vec![(RouteName::new("all"), Mark { subject: "summary:weekly".into(), state: Some(json!(minute)) })];
    record
}
