//! Who else decides about replicas: HorizontalPodAutoscalers and KEDA's ScaledObjects that Git declares.

use std::collections::BTreeMap;

use serde_json::Value;

use super::compare::Difference;
use crate::model::declared::DeclaredObject;
use crate::model::field_path::FieldPath;
use crate::model::finding::Code;
use crate::model::resource::{GroupVersion, ObjectId};

/// What an autoscaler may set a workload's replicas to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bounds {
    least: i64,
    most: i64,
}

/// The workloads of a cluster that an autoscaler owns.
#[derive(Clone, Debug, Default)]
pub struct Autoscalers(BTreeMap<ObjectId, Bounds>);

impl Autoscalers {
    /// Of the declared objects of a cluster.
    pub fn of<'a>(declared: impl IntoIterator<Item = &'a DeclaredObject>) -> Self {
        let bounds = |object: &DeclaredObject| {
            let read: fn(&Value) -> Option<Bounds> = match (object.id.group.as_str(), object.id.kind.as_str()) {
                ("autoscaling", "HorizontalPodAutoscaler") => of_horizontal,
                ("keda.sh", "ScaledObject") => of_keda,
                _ => return None,
            };
            let tree = object.tree().ok()?;
            let spec = tree.get("spec")?;
            Some((target(spec.get("scaleTargetRef")?, &object.id), read(spec)?))
        };
        Self(declared.into_iter().filter_map(bounds).collect())
    }

    /// Whether a difference is an autoscaler's doing: its workload's replicas, inside its bounds.
    pub fn explain(&self, object: &ObjectId, difference: &Difference) -> bool {
        let bounds = match self.0.get(object) {
            Some(bounds) if difference.code == Code::Changed && is_replicas(&difference.path) => bounds,
            _ => return false,
        };
        let live = difference.live.as_ref().and_then(Value::as_i64);
        live.is_some_and(|live| (bounds.least..=bounds.most).contains(&live))
    }

    /// Whether an autoscaler owns the object's replicas.
    pub fn own(&self, object: &ObjectId) -> bool {
        self.0.contains_key(object)
    }
}

fn is_replicas(path: &FieldPath) -> bool {
    *path == FieldPath::of_fields(["spec", "replicas"])
}

/// Without an apiVersion, KEDA means a Deployment of apps.
fn target(reference: &Value, scaler: &ObjectId) -> ObjectId {
    let text = |name: &str| reference.get(name).and_then(Value::as_str);
    ObjectId {
        group: text("apiVersion").map_or_else(|| "apps".to_owned(), |v| GroupVersion::parse(v).group),
        kind: text("kind").unwrap_or("Deployment").to_owned(),
        namespace: scaler.namespace.clone(),
        name: text("name").unwrap_or_default().to_owned(),
    }
}

fn of_horizontal(spec: &Value) -> Option<Bounds> {
    let least = spec.get("minReplicas").and_then(Value::as_i64).unwrap_or(1);
    Some(Bounds { least, most: spec.get("maxReplicas")?.as_i64()? })
}

fn of_keda(spec: &Value) -> Option<Bounds> {
    let number = |name: &str| spec.get(name).and_then(Value::as_i64);
    let least = number("minReplicaCount").unwrap_or(0);
    Some(Bounds {
        least: number("idleReplicaCount").map_or(least, |idle| idle.min(least)),
        most: number("maxReplicaCount").unwrap_or(100),
    })
}
