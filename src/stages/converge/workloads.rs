//! Deployment, StatefulSet, DaemonSet, ReplicaSet, Job and Pod, by the counts and conditions that their controllers write.

use serde::Deserialize;

use super::object::{CommonStatus, Condition, Object, Unreadable, or_default};
use super::reading::{Reading, Status};

/// A `progressDeadlineSeconds` that stands for none.
const NO_DEADLINE: i64 = i32::MAX as i64;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    replicas: Option<i64>,
    progress_deadline_seconds: Option<i64>,
    paused: bool,
    update_strategy: Option<Strategy>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Strategy {
    r#type: String,
    rolling_update: Option<RollingUpdate>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RollingUpdate {
    partition: Option<i64>,
}

impl Spec {
    fn replicas(&self) -> i64 {
        self.replicas.unwrap_or(1)
    }

    fn updates_on_delete(&self) -> bool {
        self.update_strategy.as_ref().is_some_and(|s| s.r#type == "OnDelete")
    }

    fn partition(&self) -> Option<i64> {
        self.update_strategy.as_ref()?.rolling_update.as_ref()?.partition
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Counts {
    replicas: i64,
    ready_replicas: i64,
    available_replicas: i64,
    current_replicas: i64,
    updated_replicas: i64,
    fully_labeled_replicas: i64,
    current_revision: String,
    update_revision: String,
    #[serde(deserialize_with = "or_default")]
    conditions: Vec<Condition>,
}

/// The first of these that holds says what is not there yet.
fn first(checks: &[(bool, &str, String)]) -> Option<Reading> {
    checks.iter().find(|(holds, _, _)| *holds).map(|(_, reason, message)| Reading::in_progress(reason, message))
}

/// A Deployment: Failed once its controller says that the progress deadline passed.
pub(super) fn deployment(object: &Object<'_>) -> Result<Reading, Unreadable> {
    let (spec, is): (Spec, Counts) = (object.spec()?, object.status()?);
    let condition = |r#type: &str| is.conditions.iter().find(|c| c.r#type == r#type);
    let progressing = condition("Progressing");
    let cannot_create = condition("ReplicaFailure").filter(|c| c.status == "True").map_or("", |c| c.message.as_str());
    if let Some(exceeded) = progressing.filter(|c| c.reason == "ProgressDeadlineExceeded") {
        return Ok(Reading::of_condition(Status::Failed, exceeded).adding(cannot_create));
    }
    let complete = progressing.is_some_and(|c| c.status == "True" && c.reason == "NewReplicaSetAvailable");
    let deadline = spec.progress_deadline_seconds.filter(|seconds| *seconds != NO_DEADLINE);
    let available = condition("Available");
    let want = spec.replicas();
    let waiting = first(&[
        (want > is.replicas, "LessReplicas", format!("Replicas: {}/{want}", is.replicas)),
        // Whoever pauses a rollout does not wait for it.
        (want > is.updated_replicas && !spec.paused, "LessUpdated", format!("Updated: {}/{want}", is.updated_replicas)),
        (is.replicas > want, "ExtraPods", format!("Pending termination: {}", is.replicas - want)),
        (
            is.updated_replicas > is.available_replicas,
            "LessAvailable",
            format!("Available: {}/{}", is.available_replicas, is.updated_replicas),
        ),
        (want > is.ready_replicas, "LessReady", format!("Ready: {}/{want}", is.ready_replicas)),
        (
            deadline.is_some() && !complete && !spec.paused,
            "ReplicaSetNotAvailable",
            "ReplicaSet not Available".to_owned(),
        ),
        (available.is_none_or(|c| c.status != "True"), "DeploymentNotAvailable", "Deployment not Available".to_owned()),
    ]);
    let Some(reading) = waiting.map(|reading| reading.adding(cannot_create)) else { return Ok(Reading::current()) };
    if complete || spec.paused {
        // The rollout is over, so that its deadline no longer counts: Pods were lost later.
        let since = available.filter(|c| c.status != "True").and_then(|c| c.last_transition_time);
        return Ok(reading.since(since));
    }
    let mut reading = reading.since(progressing.and_then(|c| c.last_update_time.or(c.last_transition_time)));
    reading.own_deadline = deadline;
    Ok(reading)
}

/// A StatefulSet has no conditions: only counts and revisions.
pub(super) fn stateful_set(object: &Object<'_>) -> Result<Reading, Unreadable> {
    let (spec, is): (Spec, Counts) = (object.spec()?, object.status()?);
    if spec.updates_on_delete() {
        return Ok(Reading::current());
    }
    let want = spec.replicas();
    let counts = first(&[
        (want > is.replicas, "LessReplicas", format!("Replicas: {}/{want}", is.replicas)),
        (want > is.ready_replicas, "LessReady", format!("Ready: {}/{want}", is.ready_replicas)),
        (is.replicas > want, "ExtraPods", format!("Pending termination: {}", is.replicas - want)),
    ]);
    if let Some(reading) = counts {
        return Ok(reading);
    }
    if let Some(partition) = spec.partition() {
        let message = format!("updated: {}/{}", is.updated_replicas, want - partition);
        let rollout = first(&[(is.updated_replicas < want - partition, "PartitionRollout", message)]);
        return Ok(rollout.unwrap_or_else(Reading::current));
    }
    let revisions = first(&[
        (want > is.current_replicas, "LessCurrent", format!("current: {}/{want}", is.current_replicas)),
        (
            is.current_revision != is.update_revision,
            "RevisionMismatch",
            "Waiting for updated revision to match current".to_owned(),
        ),
    ]);
    Ok(revisions.unwrap_or_else(Reading::current))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Scheduled {
    desired_number_scheduled: Option<i64>,
    current_number_scheduled: i64,
    updated_number_scheduled: i64,
    number_available: i64,
    number_ready: i64,
}

/// A DaemonSet. Its generations must be there: once its controller has acted, they are.
pub(super) fn daemon_set(object: &Object<'_>, status: &CommonStatus) -> Result<Reading, Unreadable> {
    if object.generation()?.is_none() {
        return Ok(Reading::in_progress("NoGeneration", "DaemonSet metadata.generation not found"));
    }
    if status.observed_generation.is_none() {
        return Ok(Reading::in_progress("NoObservedGeneration", "DaemonSet status.observedGeneration not found"));
    }
    let (spec, is): (Spec, Scheduled) = (object.spec()?, object.status()?);
    let Some(want) = is.desired_number_scheduled else {
        return Ok(Reading::in_progress("NoDesiredNumber", "Missing .status.desiredNumberScheduled"));
    };
    let waiting = first(&[
        (want > is.current_number_scheduled, "LessCurrent", format!("Current: {}/{want}", is.current_number_scheduled)),
        // Whoever deletes the Pods himself does not wait for them.
        (
            want > is.updated_number_scheduled && !spec.updates_on_delete(),
            "LessUpdated",
            format!("Updated: {}/{want}", is.updated_number_scheduled),
        ),
        (want > is.number_available, "LessAvailable", format!("Available: {}/{want}", is.number_available)),
        (want > is.number_ready, "LessReady", format!("Ready: {}/{want}", is.number_ready)),
    ]);
    Ok(waiting.unwrap_or_else(Reading::current))
}

/// A ReplicaSet.
pub(super) fn replica_set(object: &Object<'_>) -> Result<Reading, Unreadable> {
    let (spec, is): (Spec, Counts) = (object.spec()?, object.status()?);
    if let Some(failure) = is.conditions.iter().find(|c| c.is("ReplicaFailure", "True")) {
        let reading = Reading::in_progress("ReplicaFailure", &failure.message);
        return Ok(reading.since(failure.last_transition_time));
    }
    let want = spec.replicas();
    let waiting = first(&[
        (want > is.fully_labeled_replicas, "LessLabelled", format!("Labelled: {}/{want}", is.fully_labeled_replicas)),
        (want > is.available_replicas, "LessAvailable", format!("Available: {}/{want}", is.available_replicas)),
        (want > is.ready_replicas, "LessReady", format!("Ready: {}/{want}", is.ready_replicas)),
        (is.replicas > want, "ExtraPods", format!("Pending termination: {}", is.replicas - want)),
    ]);
    Ok(waiting.unwrap_or_else(Reading::current))
}

/// A Job: once it has started it is where it should be, until it says that it failed.
pub(super) fn job(object: &Object<'_>) -> Result<Reading, Unreadable> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct JobSpec {
        parallelism: Option<i64>,
        completions: Option<i64>,
        suspend: bool,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct JobStatus {
        failed: i64,
        start_time: Option<String>,
        #[serde(deserialize_with = "or_default")]
        conditions: Vec<Condition>,
    }
    let (spec, is): (JobSpec, JobStatus) = (object.spec()?, object.status()?);
    for condition in is.conditions.iter().filter(|c| c.status == "True") {
        match condition.r#type.as_str() {
            "Complete" => return Ok(Reading::current()),
            "Suspended" if spec.suspend => return Ok(Reading::current()),
            "Failed" => {
                let wanted = spec.completions.or(spec.parallelism).unwrap_or(1);
                let mut reading = Reading::of_condition(Status::Failed, condition);
                if reading.reason.is_empty() {
                    reading.reason = "JobFailed".to_owned();
                }
                return Ok(reading.adding(&format!("failed: {}/{wanted}", is.failed)));
            }
            _ => {}
        }
    }
    Ok(if is.start_time.is_none_or(|time| time.is_empty()) {
        Reading::in_progress("JobNotStarted", "Job not started")
    } else {
        Reading::current()
    })
}

/// How long after its creation a Pod may be unschedulable, in seconds.
const SCHEDULE_WINDOW: i64 = 15;

/// A Pod that is declared as one. A Pod that ended is where it should be, however it ended.
pub(super) fn pod(object: &Object<'_>) -> Result<Reading, Unreadable> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct PodStatus {
        phase: String,
        #[serde(deserialize_with = "or_default")]
        conditions: Vec<Condition>,
        #[serde(deserialize_with = "or_default")]
        container_statuses: Vec<super::pods::ContainerStatus>,
    }
    let is: PodStatus = object.status()?;
    let condition = |r#type: &str, status: &str| is.conditions.iter().find(|c| c.is(r#type, status));
    Ok(match is.phase.as_str() {
        "Succeeded" | "Failed" => Reading::current(),
        "Running" if condition("Ready", "True").is_some() => Reading::current(),
        "Running" => {
            let looping: Vec<&str> =
                is.container_statuses.iter().filter(|c| c.is_crash_looping()).map(|c| c.name.as_str()).collect();
            let reading = if looping.is_empty() {
                Reading::in_progress("PodRunningNotReady", "Pod is running but is not Ready")
            } else {
                let message = format!("Containers in CrashLoop state: {}", looping.join(","));
                Reading::failed("ContainerCrashLooping", message)
            };
            reading.since(condition("Ready", "False").and_then(|c| c.last_transition_time))
        }
        "Pending" => match condition("PodScheduled", "False").filter(|c| c.reason == "Unschedulable") {
            Some(unscheduled) => {
                let mut reading = Reading::failed("PodUnschedulable", "Pod could not be scheduled")
                    .adding(&unscheduled.message)
                    .since(object.created());
                reading.own_deadline = Some(SCHEDULE_WINDOW);
                reading
            }
            None => Reading::in_progress("PodPending", "Pod is in the Pending phase"),
        },
        "" => Reading::in_progress("PodNotObserved", "Pod phase not available"),
        _ => Reading::unknown(),
    })
}
