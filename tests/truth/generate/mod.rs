//! Makes objects of the built-in kinds and of kinds of our own, valid and varied, written as people write: units at whim, defaults
//! left out or written out, nulls, empty maps and lists, zero values that the server will not keep.

mod access;
mod cluster_wide;
mod config;
mod custom;
mod network;
mod pods;
mod scaling;
mod storage;
mod workloads;

use serde_json::{Map, Value, json};

use crate::random::Random;
use crate::ways::Way;

/// A declared object, as the parsed manifest has it.
#[derive(Clone, Debug)]
pub struct Object {
    pub value: Value,
    /// Whether its kind lives in a namespace.
    pub namespaced: bool,
    /// What must be said of it although it was applied unchanged: a typo is DL007.
    pub honest: Vec<(&'static str, String)>,
}

impl Object {
    pub fn api_version(&self) -> &str {
        self.value["apiVersion"].as_str().unwrap_or_default()
    }

    pub fn kind(&self) -> &str {
        self.value["kind"].as_str().unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }
}

/// Where and how a set of objects is to live.
pub struct Place {
    pub namespace: String,
    pub way: Way,
}

impl Place {
    /// The group of the custom resources of this set.
    pub fn group(&self) -> String {
        format!("{}.truth.example.com", self.namespace)
    }
}

/// Makes objects.
pub struct Maker<'a> {
    pub random: &'a mut Random,
    pub place: &'a Place,
    objects: Vec<Object>,
}

/// The objects of a set: those that others need first (the namespace and the definitions), then the rest in any order.
pub struct Generated {
    pub first: Vec<Object>,
    pub rest: Vec<Object>,
}

pub fn generate(place: &Place, random: &mut Random) -> Generated {
    let mut maker = Maker { random, place, objects: Vec::new() };
    maker.namespace();
    maker.custom_definitions();
    let mut first = std::mem::take(&mut maker.objects);
    maker.config();
    maker.access();
    maker.storage();
    maker.network();
    maker.workloads();
    maker.scaling();
    maker.cluster_wide();
    maker.custom_resources();
    let mut rest = maker.objects;
    for object in first.iter_mut().chain(&mut rest) {
        careless_metadata(object, place, random);
    }
    random.shuffle(&mut rest);
    Generated { first, rest }
}

impl Maker<'_> {
    fn add(&mut self, value: Value, namespaced: bool) {
        self.objects.push(Object { value, namespaced, honest: Vec::new() });
    }

    fn namespaced(&mut self, value: Value) {
        self.add(value, true);
    }

    fn cluster_wide_object(&mut self, value: Value) {
        self.add(value, false);
    }

    /// A field in `percent` of a hundred cases.
    fn maybe(&mut self, percent: usize, at: &mut Value, field: &str, value: Value) {
        if self.random.chance(percent) {
            at[field] = value;
        }
    }

    /// One of these values, or the field is left out.
    fn one_or_none(&mut self, at: &mut Value, field: &str, values: &[Value]) {
        let choice = self.random.below(values.len() + 1);
        if let Some(value) = values.get(choice) {
            at[field] = value.clone();
        }
    }

    fn one(&mut self, values: &[Value]) -> Value {
        self.random.pick(values).clone()
    }

    fn cpu(&mut self) -> Value {
        let values = [
            json!("100m"),
            json!("0.1"),
            json!("1000m"),
            json!(1),
            json!("1"),
            json!("2000m"),
            json!(0.5),
            json!("1.5"),
            json!("0.25"),
            json!("250m"),
            json!("1e0"),
            json!("0.10"),
            json!("+1"),
        ];
        self.one(&values)
    }

    fn memory(&mut self) -> Value {
        let values = [
            json!("3072Mi"),
            json!("1000M"),
            json!("1.25G"),
            json!("1Gi"),
            json!(1_073_741_824),
            json!("128974848"),
            json!("129e6"),
            json!("0.5Gi"),
            json!("1024Ki"),
            json!("1500M"),
            json!("64Mi"),
            json!("1e9"),
            json!("0.1Gi"),
        ];
        self.one(&values)
    }

    fn labels(&mut self, name: &str) -> Value {
        let mut labels = json!({"app.kubernetes.io/name": name});
        self.maybe(40, &mut labels, "app.kubernetes.io/version", json!("1.0"));
        self.maybe(30, &mut labels, "tier", json!("back"));
        self.maybe(20, &mut labels, "enabled", json!("true"));
        self.maybe(10, &mut labels, "empty", json!(""));
        labels
    }

    fn metadata(&mut self, name: &str) -> Value {
        let mut metadata = json!({"name": name});
        if self.random.chance(80) {
            metadata["labels"] = self.labels(name);
        }
        if self.random.chance(40) {
            metadata["annotations"] =
                json!({"example.com/owner": "platform", "example.com/note": "line one\nline two\n"});
            self.maybe(30, &mut metadata["annotations"], "example.com/json", json!("{\"a\": [1, 2]}"));
        }
        metadata
    }
}

/// What people leave in metadata, and what exports put there.
fn careless_metadata(object: &mut Object, place: &Place, random: &mut Random) {
    let namespaced = object.namespaced;
    let has_status =
        !matches!(object.kind(), "ConfigMap" | "Secret" | "Role" | "ClusterRole" | "StorageClass" | "PriorityClass");
    let built_in = !object.api_version().contains("truth.example.com");
    let value = &mut object.value;
    let metadata = &mut value["metadata"];
    if namespaced && random.chance(60) || !namespaced && random.chance(5) {
        metadata["namespace"] = json!(place.namespace);
    }
    if random.chance(20) {
        metadata["creationTimestamp"] = Value::Null;
    }
    for (field, percent) in [("labels", 10), ("annotations", 15)] {
        if metadata.get(field).is_none() && random.chance(percent) {
            metadata[field] = if random.chance(50) { json!({}) } else { Value::Null };
        }
    }
    if metadata.get("finalizers").is_none() && random.chance(5) {
        metadata["finalizers"] = json!([]);
    }
    if built_in
        && has_status
        && random.chance(10)
        && value["kind"] != "CustomResourceDefinition"
        && value["kind"].as_str().is_some_and(|k| STATUS.contains(&k))
    {
        value["status"] = json!({});
    }
}

/// Kinds with a status.
const STATUS: &[&str] =
    &["Deployment", "StatefulSet", "Service", "Ingress", "PersistentVolumeClaim", "Namespace", "CronJob", "Job"];

/// Adds fields to a map.
fn extend(at: &mut Value, more: Value) {
    if let (Value::Object(at), Value::Object(more)) = (at, more) {
        at.extend::<Map<String, Value>>(more);
    }
}
