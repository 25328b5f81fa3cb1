//! Reading a cluster that is made up: what the LISTs and the second look hold is given.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::audit::Asked;
use super::super::live::{self, LiveContext};
use super::super::progress::Progress;
use super::super::reading::ClusterReading;
use super::by_the_clusters_clock;
use crate::config;
use crate::model::declared::RenderedObject;
use crate::model::discovery::{Discovery, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::{ClusterName, CommitId, RepositoryName, Revision, TargetName};
use crate::model::resource::{GroupVersion, Gvk, ObjectId};
use crate::model::schema::{Schemas, builtin_discovery};
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::ports::{ListEvent, ListOutcome, ListRequest, LiveSource};
use crate::stages::converge::Converge;
use crate::stages::declare::TargetPlace;
use crate::stages::ignore::Ignores;

const NOW: &str = "2026-03-02T12:00:00Z";

/// What a LIST of Deployments holds, what reading each anew gives, and what a LIST of Pods holds or why it cannot be had.
struct MadeUp {
    listed: Vec<Value>,
    anew: Option<Value>,
    pods: Result<Vec<Value>, &'static str>,
    asked_for_pods: Mutex<Vec<Vec<ObjectId>>>,
}

impl LiveSource for MadeUp {
    fn describe_schemas(&self) -> &'static str {
        "none"
    }

    fn describe(&self) -> &'static str {
        "kubernetes API"
    }

    async fn discover(&self) -> Result<(Discovery, Vec<Gap>), Gap> {
        Ok((builtin_discovery(), Vec::new()))
    }

    async fn schemas(&self, _: &[GroupVersion]) -> (Schemas, Vec<Gap>) {
        (Schemas::default(), Vec::new())
    }

    async fn list(&self, request: &ListRequest, each: &mut (dyn FnMut(ListEvent) + Send)) -> ListOutcome {
        let items = if request.kind.gvk.kind == "Pod" {
            self.asked_for_pods.lock().unwrap().push(request.wanted.clone());
            match &self.pods {
                Ok(pods) => pods,
                Err(why) => {
                    return ListOutcome {
                        gaps: vec![Gap::new(GapKind::Forbidden, *why, Hides::Cluster)],
                        everything: false,
                    };
                }
            }
        } else {
            &self.listed
        };
        each(ListEvent::Page(Bytes::from(json!({"items": items}).to_string())));
        ListOutcome::default()
    }

    async fn get(&self, _: &ServedKind, _: &ObjectId) -> Result<Option<Bytes>, Gap> {
        Ok(self.anew.as_ref().map(|object| Bytes::from(object.to_string())))
    }
}

fn deployment(reason: &str) -> Value {
    let counts = if reason == "NewReplicaSetAvailable" { 1 } else { 0 };
    json!({"metadata": {"name": "api", "namespace": "shop"}, "spec": {"replicas": 1}, "status": {
        "replicas": 1, "updatedReplicas": 1, "readyReplicas": counts, "availableReplicas": counts, "conditions": [
            {"type": "Progressing", "status": "True", "reason": reason, "message": "why", "lastTransitionTime": "2026-03-02T11:00:00Z"},
            {"type": "Available", "status": "True"}]}})
}

async fn read(source: &Arc<MadeUp>) -> ClusterReading {
    let config = "ledger: l\nclusters: [{name: prod, inCluster: true}]\nrepositories: [{name: r, url: r}]\n\
                  targets: [{name: shop, repository: r, cluster: prod}]\n";
    let context = LiveContext {
        asked: Asked { left_out: Some("a test"), ..Asked::default() },
        ignores: Arc::new(Ignores::none()),
        config: Arc::new(config::read(config, std::path::Path::new("/")).unwrap()),
        key: Arc::new(RedactionKey::from_bytes([7; 32])),
        cluster: ClusterName::new("prod"),
        secrets: false,
        known_uid: None,
        converge: Some(Converge { now: Timestamp::parse(NOW), deadline: 600, ..Converge::default() }),
        progress: Progress::new(true),
    };
    let place = TargetPlace {
        target: TargetName::new("shop"),
        repository: RepositoryName::new("r"),
        revision: Revision::new("main"),
        commit: CommitId::new("c"),
        namespace: "shop".to_owned(),
        renderer: None,
    };
    let declared = RenderedObject {
        gvk: Gvk::new("apps/v1", "Deployment"),
        namespace: None,
        name: "api".into(),
        json: json!({"metadata": {"name": "api"}, "spec": {"replicas": 1}}).to_string().into_boxed_str(),
        file: "a.yaml".into(),
        written: None,
    };
    live::read(source.clone(), source.discover().await, vec![(place, vec![declared])], context).await
}

fn made_up(anew: &str, pods: Result<Vec<Value>, &'static str>) -> Arc<MadeUp> {
    let listed = vec![deployment("ProgressDeadlineExceeded")];
    Arc::new(MadeUp { listed, anew: Some(deployment(anew)), pods, asked_for_pods: Mutex::default() })
}

#[tokio::test]
async fn what_has_converged_at_the_second_look_is_no_finding() {
    let source = made_up("NewReplicaSetAvailable", Ok(Vec::new()));
    let reading = read(&source).await;
    assert!(reading.unconverged.is_empty() && reading.in_question().next().is_none());
    assert!(source.asked_for_pods.lock().unwrap().is_empty(), "nobody asks for Pods without need");
}

#[tokio::test]
async fn pods_are_asked_once_and_tell_why() {
    let pod = json!({"metadata": {"namespace": "shop", "labels": {"pod-template-hash": "5d4"}, "ownerReferences": [
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-5d4", "controller": true}]},
        "status": {"phase": "Failed", "reason": "Evicted"}});
    let source = made_up("ProgressDeadlineExceeded", Ok(vec![pod]));
    let reading = read(&source).await;
    let found = reading.unconverged.values().next().expect("unconverged");
    assert_eq!(
        (found.reason.as_str(), found.pods.as_deref()),
        ("ProgressDeadlineExceeded", Some("Evicted (1 of 1 Pods)"))
    );
    assert_eq!(reading.in_question().count(), 1);
    let asked = source.asked_for_pods.lock().unwrap();
    let namespaces: Vec<_> = asked.iter().flatten().map(|pod| pod.namespace.as_deref()).collect();
    assert_eq!((asked.len(), namespaces), (1, vec![Some("shop")]));
}

#[tokio::test]
async fn pods_that_cannot_be_read_are_said_and_no_gap() {
    let source = made_up("ProgressDeadlineExceeded", Err("pods is forbidden"));
    let reading = read(&source).await;
    let found = reading.unconverged.values().next().expect("unconverged");
    assert_eq!((&found.pods, found.pods_unread.as_deref()), (&None, Some("pods is forbidden")));
    assert_eq!(reading.gaps, []);
}

#[tokio::test]
async fn what_looks_like_a_credential_in_their_words_is_hidden_before_it_is_cut() {
    let canary = "c4narY-9f2K7qLx";
    let message = format!("{} https://robot:{canary}@registry.example.com/ and --password={canary}", "x".repeat(170));
    let pod = json!({"metadata": {"namespace": "shop", "labels": {"pod-template-hash": "5d4"}, "ownerReferences": [
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-5d4", "controller": true}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "api", "image": "api",
            "state": {"waiting": {"reason": "CreateContainerError", "message": message}}}]}});
    let mut broken = deployment("ProgressDeadlineExceeded");
    broken["status"]["conditions"][0]["message"] = json!(message);
    let listed = vec![broken.clone()];
    let source = Arc::new(MadeUp { listed, anew: Some(broken), pods: Ok(vec![pod]), asked_for_pods: Mutex::default() });
    let reading = read(&source).await;
    let found = reading.unconverged.values().next().expect("unconverged");
    let said = format!("{} {}", found.message, found.pods.as_deref().expect("a Pod's words"));
    assert_eq!(found.reason, "ProgressDeadlineExceeded");
    assert!(!said.contains(&canary[..4]), "{said}");
    assert!(said.contains("CreateContainerError: xxx") && found.message.contains("redacted:"), "{said}");
}

#[test]
fn time_is_the_clusters_and_a_dumps_is_unknown() {
    let mut context = LiveContext {
        asked: Asked { left_out: Some("a test"), ..Asked::default() },
        ignores: Arc::new(Ignores::none()),
        config: Arc::new(config::read(config::EXAMPLE, std::path::Path::new("/")).unwrap()),
        key: Arc::new(RedactionKey::from_bytes([7; 32])),
        cluster: ClusterName::new("prod"),
        secrets: false,
        known_uid: None,
        converge: None,
        progress: Progress::new(true),
    };
    for (name, source, taken, skew, expected) in [
        ("no answer carried a date", "kubernetes API", None, None, Some("2026-03-02T12:00:00Z")),
        ("the cluster's clock is ahead", "kubernetes API", None, Some(60), Some("2026-03-02T12:01:00Z")),
        ("a snapshot", "snapshot", Some("2026-02-01T00:00:00Z"), Some(60), Some("2026-02-01T00:01:00Z")),
        ("a dump", "dump", None, None, None),
    ] {
        context.converge = Some(Converge { now: Timestamp::parse(NOW), ..Converge::default() });
        by_the_clusters_clock(&mut context, source, taken.and_then(Timestamp::parse), skew);
        let now = context.converge.as_ref().and_then(|converge| converge.now);
        assert_eq!(now, expected.and_then(Timestamp::parse), "{name}");
    }
}
