//! Logs in every format, whole and damaged, made by hand after the formats' documentation.

mod damaged;
mod formats;
mod reading;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::{LogOutcome, LogRequest, Want, read};
use crate::model::audit_event::Write;
use crate::model::discovery::{Discovery, Resources, ServedKind};
use crate::model::resource::{Gvk, ObjectId};
use crate::model::secret::{RedactionKey, RedactionRules};
use crate::model::time::Timestamp;

/// A folder with logs in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn read(&self) -> LogOutcome {
        read_with(self.path(), |_| {})
    }
}

fn read_with(path: &Path, change: impl FnOnce(&mut LogRequest<'_>)) -> LogOutcome {
    let (key, redaction, resources) = (RedactionKey::from_bytes([7; 32]), RedactionRules::default(), resources());
    let mut request = LogRequest {
        path,
        source_ips: false,
        most_bytes: 1 << 30,
        most_time: Duration::from_secs(60),
        newer_than: None,
        resources: &resources,
        key: &key,
        redaction: &redaction,
        wants: &|_, _| Want::Body,
    };
    change(&mut request);
    read(&request)
}

fn resources() -> Resources {
    let mut discovery = Discovery::default();
    for (api_version, kind, plural, namespaced) in [
        ("apps/v1", "Deployment", "deployments", true),
        ("v1", "Secret", "secrets", true),
        ("v1", "ConfigMap", "configmaps", true),
        ("v1", "Namespace", "namespaces", false),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
    ] {
        discovery.insert(ServedKind {
            gvk: Gvk::new(api_version, kind),
            plural: plural.into(),
            namespaced,
            listable: true,
        });
    }
    Resources::of(&discovery)
}

fn api() -> ObjectId {
    ObjectId { group: "apps".into(), kind: "Deployment".into(), namespace: Some("shop".into()), name: "api".into() }
}

/// A patch of the Deployment `api` by alice, on a minute of 2026-03-02 14:00.
fn event(minute: u32) -> Value {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": format!("id-{minute}"),
        "stage": "ResponseComplete",
        "requestURI": "/apis/apps/v1/namespaces/shop/deployments/api?fieldManager=kubectl-edit&fieldValidation=Strict",
        "verb": "patch", "user": {"username": "alice@example.com", "groups": ["platform", "system:authenticated"]},
        "sourceIPs": ["192.0.2.7"], "userAgent": "kubectl/v1.34.1 (linux/amd64) kubernetes/93248f9",
        "objectRef": {"resource": "deployments", "namespace": "shop", "name": "api", "apiGroup": "apps", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 200}, "requestObject": {"spec": {"replicas": 5}},
        "responseObject": {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "api"}, "spec": {"replicas": 5}},
        "requestReceivedTimestamp": format!("2026-03-02T14:{minute:02}:09.123456Z"),
        "stageTimestamp": format!("2026-03-02T14:{minute:02}:09.223456Z"),
        "annotations": {"authorization.k8s.io/decision": "allow"}
    })
}

/// An event with some of its fields replaced.
fn with(mut event: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `MM user verb` of each write to the Deployment.
fn told(outcome: &LogOutcome) -> Vec<String> {
    let minute = |time: Timestamp| time.for_people()[14..16].to_owned();
    let line = |write: &Write| format!("{} {} {}", minute(write.time), write.user, write.verb.as_str());
    outcome.writes.get(&api()).into_iter().flatten().map(line).collect()
}

fn gaps(outcome: &LogOutcome) -> Vec<&str> {
    outcome.gaps.iter().map(|gap| gap.message.as_str()).collect()
}
