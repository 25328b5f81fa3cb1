//! kubectl's own commands that change one thing, the GitOps side's second apply, deletions, and decoys.

use serde_json::{Value, json};

use super::tree::{Op, get};
use super::{Mutation, Subject, additions};
use crate::oracle::Writer;
use crate::random::Random;

const WORKLOADS: &[&str] = &["Deployment", "StatefulSet", "DaemonSet", "CronJob"];

fn arguments(words: &[&str], subject: &Subject<'_>, more: &[String]) -> Vec<String> {
    let words = words.iter().map(|word| (*word).to_owned());
    words.chain(subject.named()).chain(more.iter().cloned()).collect()
}

/// `kubectl set`, `scale`, `label`, `annotate`, `rollout`.
pub fn command(subject: &Subject<'_>, random: &mut Random) -> Option<Mutation> {
    let kind = subject.kind();
    let workload = WORKLOADS.contains(&kind);
    let make = |words: &[&str], manager: &'static str, more: &[String]| {
        let what = format!("{} {}", words.join(" "), more.join(" "));
        Some(Mutation::new(what, Writer::Somebody(manager), arguments(words, subject, more)))
    };
    let text = str::to_owned;
    match random.below(10) {
        0 if workload => make(&["set", "image"], "kubectl-set", &[text("api=registry.example.com/shop/api:debug")]),
        1 if workload => make(
            &["set", "env"],
            "kubectl-set",
            &[text("--containers=api"), text(random.one_of(&["LOG_LEVEL=trace", "ADDED=1", "PORT-"]))],
        ),
        2 if workload => make(
            &["set", "resources"],
            "kubectl-set",
            &[
                text("--containers=api"),
                text(random.one_of(&["--limits=cpu=7", "--limits=memory=9Gi,cpu=8", "--requests=cpu=9m"])),
            ],
        ),
        3 if kind == "Deployment" || kind == "StatefulSet" => {
            let replicas = subject.live["spec"]["replicas"].as_i64().unwrap_or(1);
            let mut mutation = make(&["scale"], "kubectl", &[format!("--replicas={}", replicas + 2)])?;
            if random.chance(40) {
                mutation.arguments.push(text("--subresource=scale"));
                mutation.arguments[0] = text("patch");
                mutation.arguments.retain(|a| !a.starts_with("--replicas"));
                mutation.arguments.push(text("--type=merge"));
                mutation.arguments.push(format!("--patch={}", json!({"spec": {"replicas": replicas + 2}})));
                mutation.writer = Writer::Somebody("kubectl-patch");
            }
            Some(mutation)
        }
        4 | 5 => {
            let mut more = vec![text(random.one_of(&[
                "by-hand=yes",
                "example.com/team=b",
                "app.kubernetes.io/name=other",
                "team=other",
                "part=x",
            ]))];
            more.push(text("--overwrite"));
            make(&["label"], "kubectl-label", &more)
        }
        6 | 7 => {
            let change = random.one_of(&[
                "example.com/by=hand",
                "example.com/owner=eve",
                "example.com/note-",
                "plain=text here",
            ]);
            let mut mutation = make(&["annotate"], "kubectl-annotate", &[text(change), text("--overwrite")])?;
            if random.chance(30) {
                mutation.arguments.push(text("--field-manager=k9s"));
                mutation.writer = Writer::Somebody("k9s");
            }
            Some(mutation)
        }
        8 if ["Deployment", "StatefulSet", "DaemonSet"].contains(&kind) => {
            let (words, manager) = if kind == "Deployment" && random.chance(40) {
                (["rollout", "pause"], "kubectl-rollout")
            } else {
                (["rollout", "restart"], "kubectl-rollout")
            };
            make(&words, manager, &[])
        }
        9 if workload => make(&["set", "serviceaccount"], "kubectl-set", &[text("eve")]),
        9 if kind == "RoleBinding" || kind == "ClusterRoleBinding" => {
            make(&["set", "subject"], "kubectl-set", &[text("--user=eve")])
        }
        9 if kind == "Service" => {
            let mut mutation = make(&["set", "selector"], "kubectl-set", &[text("app=other")])?;
            // It also removes what was there.
            mutation.meant = None;
            Some(mutation)
        }
        _ => None,
    }
}

/// The GitOps side applies another version than the one that is audited.
pub fn again(subject: &Subject<'_>, random: &mut Random) -> Option<Mutation> {
    let how = subject.way.again()?;
    let declared = &subject.declared.value;
    if !subject.declared.honest.is_empty() {
        return None;
    }
    let op = if random.chance(50) {
        additions::add(subject.kind(), declared, true, random)?
    } else {
        let maps = [
            vec!["metadata", "labels"],
            vec!["metadata", "annotations"],
            vec!["data"],
            vec!["spec"],
            vec!["spec", "template", "spec"],
            vec!["spec", "template", "spec", "containers", "0"],
        ];
        let mut candidates = Vec::new();
        for map in maps {
            let pointer: Vec<String> = map.into_iter().map(str::to_owned).collect();
            for name in get(declared, &pointer).and_then(Value::as_object).into_iter().flat_map(|m| m.keys()) {
                if ![
                    "selector",
                    "template",
                    "containers",
                    "name",
                    "labels",
                    "serviceName",
                    "scaleTargetRef",
                    "volumeClaimTemplates",
                ]
                .contains(&name.as_str())
                {
                    candidates.push([pointer.as_slice(), std::slice::from_ref(name)].concat());
                }
            }
        }
        Op::remove(random.take(&mut candidates)?)
    };
    let mut other = declared.clone();
    op.apply(&mut other);
    let mut arguments: Vec<String> = how.iter().map(|word| (*word).to_owned()).collect();
    arguments.extend(["-f", "-"].map(str::to_owned));
    arguments.push(format!("--namespace={}", subject.namespace));
    let manager = subject.way.manager();
    let what = format!("apply another version: {}", op.json());
    let mut mutation =
        Mutation::new(what, Writer::GitopsIntent(manager), arguments).meaning(subject.kind(), declared, &other);
    mutation.leaves_defaults = op.value.is_none();
    mutation.input = other.to_string();
    Some(mutation)
}

/// The object goes.
pub fn delete(subject: &Subject<'_>, random: &mut Random) -> Option<Mutation> {
    // What others need, or what a finalizer keeps.
    let kept = ["Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"];
    if kept.contains(&subject.kind()) || random.chance(60) {
        return None;
    }
    Some(Mutation::new("delete".to_owned(), Writer::Somebody("kubectl"), arguments(&["delete"], subject, &[])))
}

/// A write that is no drift.
pub fn decoy(subject: &Subject<'_>, random: &mut Random) -> Option<Mutation> {
    let manager = random.one_of(&["acme-tool", "k9s", "kube-controller-manager"]);
    let manager_flag = format!("--field-manager={manager}");
    let kind = subject.kind();
    if random.chance(50)
        && let Some(status) = status_of(kind)
    {
        let patch = format!("--patch={}", json!({"status": status}));
        let more = ["--subresource=status".to_owned(), "--type=merge".to_owned(), patch, manager_flag];
        return Some(Mutation::new(
            format!("status {status}"),
            Writer::Somebody(manager),
            arguments(&["patch"], subject, &more),
        ));
    }
    if kind == "Namespace" || kind == "CustomResourceDefinition" {
        return None;
    }
    // Somebody else claims what is there already, with the same values: a default, or what Git says.
    let mut partial = json!({"apiVersion": subject.declared.api_version(), "kind": kind, "metadata": {"name": subject.declared.name()}});
    if subject.declared.namespaced {
        partial["metadata"]["namespace"] = json!(subject.namespace);
    }
    let scalar = |value: &Value| !value.is_object() && !value.is_array();
    let spec = subject.live["spec"].as_object()?.iter().filter(|(_, value)| scalar(value));
    for (name, value) in spec {
        partial["spec"][name] = value.clone();
    }
    if let Some(labels) = subject.live["metadata"].get("labels") {
        partial["metadata"]["labels"] = labels.clone();
    }
    let mut arguments: Vec<String> =
        ["apply", "--server-side", "--force-conflicts", "-f", "-"].map(str::to_owned).to_vec();
    arguments.push(manager_flag);
    let mut mutation = Mutation::new("claim what is there".to_owned(), Writer::Somebody(manager), arguments);
    mutation.input = partial.to_string();
    // Whatever changes all the same (kubectl hands a client-side applier's fields over, and those not named go), is not its value.
    mutation.meant = Some(Vec::new());
    Some(mutation)
}

fn status_of(kind: &str) -> Option<Value> {
    Some(match kind {
        "Deployment" | "StatefulSet" => json!({"replicas": 7}),
        "DaemonSet" => json!({"numberReady": 3}),
        "Service" | "Ingress" => json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}),
        "Gadget" => json!({"phase": "Odd", "conditions": [{"type": "Ready"}]}),
        "PodDisruptionBudget" => json!({"currentHealthy": 9}),
        "ResourceQuota" => json!({"used": {"pods": "3"}}),
        "HorizontalPodAutoscaler" => json!({"currentReplicas": 9}),
        "CronJob" => json!({"lastScheduleTime": "2026-01-01T00:00:00Z"}),
        _ => return None,
    })
}
