//! What the Pods of unconverged workloads say: images that cannot be pulled, containers that crash, Pods that fit nowhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::object::{Condition, or_default};
use super::reading::cut;
use crate::model::resource::ObjectId;
use crate::stages::hide::Hide;
use crate::stages::live::Page;

/// Most kinds of trouble that are named for one workload.
const MOST: usize = 3;
/// Longest piece of the cluster's text, in characters.
const PIECE: usize = 200;

/// A container's status.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// Its name.
    pub name: String,
    image: String,
    ready: bool,
    restart_count: i64,
    state: State,
    last_state: State,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    running: Option<IgnoredAny>,
    terminated: Option<Terminated>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: String,
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    reason: String,
    exit_code: i64,
}

impl ContainerStatus {
    /// Whether the kubelet waits before it starts the container once more.
    pub fn is_crash_looping(&self) -> bool {
        self.state.waiting.as_ref().is_some_and(|w| w.reason == "CrashLoopBackOff")
    }

    /// `ImagePullBackOff: registry.example.com/api:1.5`
    fn trouble(&self) -> Option<String> {
        let ended = |t: &Terminated| match t.reason.as_str() {
            "" => format!("exit code {}", t.exit_code),
            reason => format!("exit code {} ({reason})", t.exit_code),
        };
        if let Some(terminated) = self.state.terminated.as_ref().filter(|t| t.exit_code != 0) {
            // Between two starts a crashing container is for a moment not waiting.
            let word = if self.restart_count > 0 { "CrashLoopBackOff" } else { "ContainerFailed" };
            return Some(format!("{word}: {}", ended(terminated)));
        }
        if let (Some(_), Some(last), false) = (&self.state.running, &self.last_state.terminated, self.ready) {
            return (last.exit_code != 0).then(|| format!("Restarted: last {}", ended(last)));
        }
        let waiting = self.state.waiting.as_ref()?;
        Some(match waiting.reason.as_str() {
            "" | "ContainerCreating" | "PodInitializing" => return None,
            // The two take turns while the kubelet tries.
            "ImagePullBackOff" | "ErrImagePull" => format!("ImagePullBackOff: {}", self.image),
            reason @ ("ErrImageNeverPull" | "InvalidImageName" | "ImageInspectError") => {
                format!("{reason}: {}", self.image)
            }
            "CrashLoopBackOff" => match &self.last_state.terminated {
                Some(terminated) => format!("CrashLoopBackOff: {}", ended(terminated)),
                None => "CrashLoopBackOff".to_owned(),
            },
            reason if waiting.message.is_empty() => reason.to_owned(),
            reason => format!("{reason}: {}", waiting.message),
        })
    }
}

#[derive(Deserialize)]
struct Pod {
    metadata: PodMetadata,
    #[serde(default)]
    status: PodStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodMetadata {
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    owner_references: Vec<Owner>,
    #[serde(default)]
    deletion_timestamp: Option<String>,
}

#[derive(Default, Deserialize)]
struct Labels {
    #[serde(default, rename = "pod-template-hash")]
    template_hash: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    #[serde(default)]
    api_version: String,
    kind: String,
    name: String,
    #[serde(default)]
    controller: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    phase: String,
    reason: String,
    #[serde(deserialize_with = "or_default")]
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "or_default")]
    init_container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "or_default")]
    container_statuses: Vec<ContainerStatus>,
}

impl Pod {
    /// The workload that made it. A Deployment's Pods belong to ReplicaSets that are named after it and their template's hash.
    fn workload(&self) -> Option<ObjectId> {
        let owner = self.metadata.owner_references.iter().find(|o| o.controller)?;
        let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
        let (kind, name) = match (owner.kind.as_str(), &self.metadata.labels.template_hash) {
            ("ReplicaSet", Some(hash)) => {
                match owner.name.strip_suffix(hash.as_str()).and_then(|n| n.strip_suffix('-')) {
                    Some(deployment) => ("Deployment", deployment),
                    None => ("ReplicaSet", owner.name.as_str()),
                }
            }
            (kind, _) => (kind, owner.name.as_str()),
        };
        let namespace = self.metadata.namespace.clone();
        Some(ObjectId { group: group.to_owned(), kind: kind.to_owned(), namespace, name: name.to_owned() })
    }

    /// What is wrong with it: text and, where one is to blame, its container.
    fn troubles(&self) -> Vec<(String, Option<&str>)> {
        let status = &self.status;
        if let Some(condition) = status.conditions.iter().find(|c| c.is("PodScheduled", "False")) {
            return vec![(format!("{}: {}", condition.reason, condition.message), None)];
        }
        let containers = status.init_container_statuses.iter().chain(&status.container_statuses);
        let found: Vec<_> = containers.filter_map(|c| Some((c.trouble()?, Some(c.name.as_str())))).collect();
        if found.is_empty() && status.phase == "Failed" && !status.reason.is_empty() {
            return vec![(status.reason.clone(), None)];
        }
        found
    }
}

/// The troubles of some workloads' Pods.
#[derive(Debug, Default)]
pub struct PodTroubles {
    workloads: BTreeMap<ObjectId, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    pods: u64,
    /// Text and container, and how many Pods have it.
    troubles: BTreeMap<(String, Option<String>), u64>,
}

impl PodTroubles {
    /// Whether an object is a workload that makes Pods.
    pub fn concerns(id: &ObjectId) -> bool {
        matches!(
            (id.group.as_str(), id.kind.as_str()),
            ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job")
        )
    }

    /// Of these workloads, before any Pod was seen.
    pub fn of<'a>(workloads: impl IntoIterator<Item = &'a ObjectId>) -> Self {
        Self { workloads: workloads.into_iter().map(|id| (id.clone(), Seen::default())).collect() }
    }

    /// Forgets every Pod.
    pub fn restart(&mut self) {
        self.workloads.values_mut().for_each(|seen| *seen = Seen::default());
    }

    /// Takes in a page of a LIST of Pods. What is no Pod is passed over: this is evidence, not a verdict.
    pub fn page(&mut self, page: &[u8], hide: &Hide<'_>) {
        let Ok(page) = serde_json::from_slice::<Page<'_>>(page) else { return };
        page.items.iter().for_each(|item| self.pod(item, hide));
    }

    fn pod(&mut self, item: &RawValue, hide: &Hide<'_>) {
        let Ok(pod) = serde_json::from_str::<Pod>(item.get()) else { return };
        let Some(id) = pod.workload() else { return };
        let Some(seen) = self.workloads.get_mut(&id) else { return };
        if pod.metadata.deletion_timestamp.is_some() || pod.status.phase == "Succeeded" {
            return;
        }
        seen.pods += 1;
        let troubles: BTreeSet<_> = pod
            .troubles()
            .into_iter()
            .map(|(text, at)| (cut(&hide.text(&text, &id), PIECE), at.map(str::to_owned)))
            .collect();
        for trouble in troubles {
            *seen.troubles.entry(trouble).or_default() += 1;
        }
    }

    /// `ImagePullBackOff: registry.example.com/api:1.5 (container api, 3 of 3 Pods)`; `None` where its Pods say nothing.
    pub fn words(&self, id: &ObjectId) -> Option<String> {
        let seen = self.workloads.get(id)?;
        let mut troubles: Vec<_> = seen.troubles.iter().collect();
        troubles.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let mut words: Vec<String> = troubles
            .iter()
            .take(MOST)
            .map(|((text, container), count)| {
                let container = container.as_ref().map(|name| format!("container {name}, ")).unwrap_or_default();
                format!("{text} ({container}{count} of {} Pods)", seen.pods)
            })
            .collect();
        if troubles.len() > MOST {
            words.push(format!("and {} more", troubles.len() - MOST));
        }
        (!words.is_empty()).then(|| words.join("; "))
    }
}
