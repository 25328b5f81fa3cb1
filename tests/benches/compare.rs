//! The comparison alone, beside parsing the same bytes as JSON: `cargo bench --locked --bench compare`.
//!
//! Objects are a Deployment and a ConfigMap as an API server keeps them (managedFields included), half of each, in sync and with
//! every hundredth changed by hand. Each row is the best of several runs in one process; what counts are the ratios. The floor is
//! `serde_json` building a tree of every live object.

#![allow(clippy::print_stdout, reason = "a table on stdout is what it is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use driftledger::config::actors::ActorTable;
use driftledger::config::redaction::shipped_names;
use driftledger::config::trust::TrustTable;
use driftledger::model::attribution::Origin;
use driftledger::model::declared::DeclaredObject;
use driftledger::model::ids::{CommitId, RepositoryName, Revision, TargetName};
use driftledger::model::resource::{Gvk, ObjectId};
use driftledger::model::schema::builtin_schemas;
use driftledger::model::secret::{RedactionKey, RedactionRules};
use driftledger::stages::autoscale::Autoscalers;
use driftledger::stages::compare;
use driftledger::stages::ignore::Ignores;
use driftledger::stages::judge::Judge;
use driftledger::stages::live;
use driftledger::stages::normalise::{Applied, Side, normalise};
use serde_json::{Value, json};

const OBJECTS: usize = 10_000;
const RUNS: usize = 5;

struct Pair {
    declared: DeclaredObject,
    live: String,
}

fn deployment(n: usize, image: &str) -> (Value, Value) {
    let env: Vec<Value> =
        (0..12).map(|k| json!({"name": format!("OPTION_{k}"), "value": format!("{}", n * k)})).collect();
    let declared = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": format!("app-{n}"), "namespace": "bench", "labels": {"app.kubernetes.io/name": format!("app-{n}")}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": format!("app-{n}")}},
            "template": {"metadata": {"labels": {"app": format!("app-{n}")}}, "spec": {
                "serviceAccountName": "default",
                "containers": [{"name": "main", "image": "registry.example.com/app:1.4.2", "env": env,
                    "ports": [{"name": "http", "containerPort": 8080}],
                    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
                    "volumeMounts": [{"name": "config", "mountPath": "/etc/config", "readOnly": true}]}],
                "volumes": [{"name": "config", "configMap": {"name": format!("config-{n}")}}]}}}
    });
    let mut live = declared.clone();
    let spec = &mut live["spec"];
    spec["progressDeadlineSeconds"] = json!(600);
    spec["revisionHistoryLimit"] = json!(10);
    spec["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    let pod = &mut spec["template"]["spec"];
    pod["restartPolicy"] = json!("Always");
    pod["dnsPolicy"] = json!("ClusterFirst");
    pod["schedulerName"] = json!("default-scheduler");
    pod["terminationGracePeriodSeconds"] = json!(30);
    pod["securityContext"] = json!({});
    pod["serviceAccount"] = json!("default");
    pod["volumes"][0]["configMap"]["defaultMode"] = json!(420);
    let container = &mut pod["containers"][0];
    container["image"] = json!(image);
    container["imagePullPolicy"] = json!("IfNotPresent");
    container["terminationMessagePath"] = json!("/dev/termination-log");
    container["terminationMessagePolicy"] = json!("File");
    container["ports"][0]["protocol"] = json!("TCP");
    container["readinessProbe"]["httpGet"]["scheme"] = json!("HTTP");
    for (field, value) in [("timeoutSeconds", 1), ("successThreshold", 1), ("failureThreshold", 3)] {
        container["readinessProbe"][field] = json!(value);
    }
    live["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1"});
    let owned_env: serde_json::Map<String, Value> = (0..12)
        .map(|k| (format!("k:{{\"name\":\"OPTION_{k}\"}}"), json!({".": {}, "f:name": {}, "f:value": {}})))
        .collect();
    stamp(
        &mut live,
        n,
        &json!({"f:metadata": {"f:labels": {"f:app.kubernetes.io/name": {}}}, "f:spec": {"f:replicas": {}, "f:selector": {},
        "f:template": {"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:serviceAccountName": {}, "f:containers": {
            "k:{\"name\":\"main\"}": {".": {}, "f:name": {}, "f:image": {}, "f:env": owned_env, "f:ports": {}, "f:resources": {
                "f:requests": {"f:cpu": {}, "f:memory": {}}, "f:limits": {"f:memory": {}}}, "f:readinessProbe": {"f:httpGet": {}}}},
            "f:volumes": {"k:{\"name\":\"config\"}": {".": {}, "f:name": {}, "f:configMap": {"f:name": {}}}}}}}}),
    );
    live["status"] = json!({"observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "conditions": [
        {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": "Deployment has minimum availability."},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": "ReplicaSet has successfully progressed."}]});
    (declared, live)
}

fn config_map(n: usize, level: &str) -> (Value, Value) {
    let properties: String = (0..40).map(|k| format!("service.option.{k}=value-{n}-{k}\n")).collect();
    let declared = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": format!("config-{n}"), "namespace": "bench", "labels": {"app.kubernetes.io/part-of": "bench"}},
        "data": {"LOG_LEVEL": "info", "application.properties": properties, "SETTING": "1"}
    });
    let mut live = declared.clone();
    live["data"]["LOG_LEVEL"] = json!(level);
    stamp(
        &mut live,
        n,
        &json!({"f:data": {".": {}, "f:LOG_LEVEL": {}, "f:application.properties": {}, "f:SETTING": {}}}),
    );
    (declared, live)
}

fn stamp(live: &mut Value, n: usize, fields: &Value) {
    let version = live["apiVersion"].clone();
    let metadata = &mut live["metadata"];
    metadata["uid"] = json!(format!("00000000-0000-4000-8000-{n:012}"));
    metadata["resourceVersion"] = json!(n.to_string());
    metadata["creationTimestamp"] = json!("2026-01-02T03:04:05Z");
    metadata["managedFields"] = json!([
        {"manager": "kustomize-controller", "operation": "Apply", "apiVersion": version, "time": "2026-01-02T03:04:05Z",
            "fieldsType": "FieldsV1", "fieldsV1": fields},
        {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": version, "time": "2026-01-02T03:04:06Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:annotations": {".": {}, "f:deployment.kubernetes.io/revision": {}}}}}]);
}

fn pair(n: usize, drifted: bool) -> Pair {
    let (tree, live) = if n.is_multiple_of(2) {
        deployment(n, if drifted { "registry.example.com/app:1.4.3-debug" } else { "registry.example.com/app:1.4.2" })
    } else {
        config_map(n, if drifted { "debug" } else { "info" })
    };
    let text = |pointer: &str| tree.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let gvk = Gvk::new(&text("/apiVersion"), text("/kind"));
    let declared = DeclaredObject {
        id: ObjectId {
            group: gvk.gv.group.clone(),
            kind: gvk.kind.clone(),
            namespace: Some("bench".into()),
            name: text("/metadata/name"),
        },
        gvk,
        origin: Origin {
            target: TargetName::new("bench"),
            repository: RepositoryName::new("bench"),
            revision: Revision::new("main"),
            commit: CommitId::new("0".repeat(40)),
            file: "bench.yaml".into(),
            line: Some(1),
            renderer: None,
        },
        written: None,
        json: tree.to_string().into_boxed_str(),
    };
    Pair { declared, live: live.to_string() }
}

/// The best of several runs: what the machine does besides only ever adds.
fn best(mut run: impl FnMut()) -> Duration {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn main() {
    let (actors, trust) = (ActorTable::default(), TrustTable::default());
    let redaction = RedactionRules { names: Some(shipped_names()), ..RedactionRules::default() };
    let (key, autoscalers) = (RedactionKey::from_bytes([7; 32]), Autoscalers::default());
    let judge = Judge {
        schemas: builtin_schemas(),
        schema_source: "bench",
        actors: &actors,
        trust: &trust,
        entries_count: true,
        autoscalers: &autoscalers,
        key: &key,
        redaction: &redaction,
        live_key: None,
        ignores: &Ignores::none(),
    };
    println!(
        "{:<9} {:<44} {:>9} {:>11} {:>7} {:>9} {:>9}",
        "state", "what", "ms", "objects/s", "MB/s", "x parse", "findings"
    );
    for (state, every) in [("in sync", usize::MAX), ("drifted", 100)] {
        let pairs: Vec<Pair> = (0..OBJECTS).map(|n| pair(n, n % every == 0 && every != usize::MAX)).collect();
        let bytes: usize = pairs.iter().map(|pair| pair.live.len()).sum();
        let parse = best(|| {
            for pair in &pairs {
                let tree: Value = serde_json::from_str(&pair.live).expect("JSON");
                black_box(tree);
            }
        });
        let row = |what: &str, took: Duration, findings: usize| {
            let seconds = took.as_secs_f64();
            println!(
                "{state:<9} {what:<44} {:>9.1} {:>11.0} {:>7.0} {:>9.2} {:>9}",
                seconds * 1e3,
                OBJECTS as f64 / seconds,
                bytes as f64 / seconds / 1e6,
                seconds / parse.as_secs_f64(),
                findings
            );
        };
        row("parse every live object as JSON (the floor)", parse, 0);

        // Both trees are there, as after parsing: what is measured is what this program adds.
        let trees: Vec<(Value, Value)> = pairs
            .iter()
            .map(|pair| (pair.declared.tree().expect("JSON"), live::tree(&pair.live).expect("JSON")))
            .collect();
        let mut found = 0;
        let mut took = Duration::MAX;
        for _ in 0..RUNS {
            let mut trees = trees.clone();
            found = 0;
            let start = Instant::now();
            for (pair, (declared, live)) in pairs.iter().zip(&mut trees) {
                let (kind, mut applied) = (pair.declared.id.group_kind(), Applied::new());
                normalise(declared, &kind, Side::Declared, &mut applied);
                normalise(live, &kind, Side::Live, &mut applied);
                let schema = builtin_schemas().kind(&pair.declared.gvk);
                found += compare::compare(declared, live, schema, &mut applied).differences.len();
            }
            took = took.min(start.elapsed());
        }
        row("normalise and compare, both trees at hand", took, found);

        let mut found = 0;
        let took = best(|| {
            found = 0;
            for pair in &pairs {
                found += judge.judge(&pair.declared, &pair.live).expect("an object").judgements.len();
            }
        });
        row("judge: parse both, redact, compare, writers", took, found);
    }
}
