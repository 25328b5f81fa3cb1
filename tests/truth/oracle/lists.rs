//! What the elements of lists are told apart by, and which objects are maps whose entries come and go one by one: known here from
//! Kubernetes' documentation, not asked of the program or of the server's schema.

/// How a list's elements are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By these fields, in this order, with what stands for a missing one.
    Keys(&'static [(&'static str, Option<Default>)]),
    /// By value; order means nothing.
    Set,
    /// Not at all: the list is one value.
    Atomic,
}

/// What stands for a key that is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    Text(&'static str),
    Number(i64),
}

const NAME: Kind = Kind::Keys(&[("name", None)]);

/// The kind of the list at a path of field names (`*` for an element).
pub fn kind(object: &str, fields: &[&str]) -> Kind {
    let (last, parents) = match fields.split_last() {
        Some((last, parents)) => (*last, parents),
        None => return Kind::Atomic,
    };
    let parent = parents.iter().rev().find(|field| **field != "*").copied().unwrap_or_default();
    let in_element_of = |lists: &[&str]| parents.last() == Some(&"*") && lists.contains(&parent);
    match last {
        "finalizers" if parents == ["metadata"] => Kind::Set,
        "ownerReferences" => Kind::Keys(&[("uid", None)]),
        "webhooks" if object.ends_with("WebhookConfiguration") => NAME,
        "matchConditions" => NAME,
        "ports" if object == "Service" => Kind::Keys(&[("port", None), ("protocol", Some(Default::Text("TCP")))]),
        "secrets" if object == "ServiceAccount" => NAME,
        "servers" if object == "Gadget" => Kind::Keys(&[("name", None), ("port", Some(Default::Number(80)))]),
        "modes" if object == "Gadget" => Kind::Set,
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "imagePullSecrets"
        | "schedulingGates"
        | "resourceClaims"
            if parent == "spec" && is_pod(object, parents) =>
        {
            NAME
        }
        "hostAliases" if parent == "spec" => Kind::Keys(&[("ip", None)]),
        "topologySpreadConstraints" if parent == "spec" => {
            Kind::Keys(&[("topologyKey", None), ("whenUnsatisfiable", None)])
        }
        "env" if in_element_of(CONTAINERS) => NAME,
        "ports" if in_element_of(CONTAINERS) => {
            Kind::Keys(&[("containerPort", None), ("protocol", Some(Default::Text("TCP")))])
        }
        "volumeMounts" if in_element_of(CONTAINERS) => Kind::Keys(&[("mountPath", None)]),
        "volumeDevices" if in_element_of(CONTAINERS) => Kind::Keys(&[("devicePath", None)]),
        "claims" if parent == "resources" => NAME,
        "values" if parent == "onExitCodes" => Kind::Set,
        _ => Kind::Atomic,
    }
}

const CONTAINERS: &[&str] = &["containers", "initContainers", "ephemeralContainers"];

fn is_pod(object: &str, parents: &[&str]) -> bool {
    object == "Pod" || parents.contains(&"template")
}

/// Whether the object at this path is a map with keys of its own, and not a struct.
pub fn is_map(object: &str, fields: &[&str]) -> bool {
    let Some((last, parents)) = fields.split_last() else { return false };
    let parent = parents.iter().rev().find(|field| **field != "*").copied().unwrap_or_default();
    match *last {
        "labels" | "annotations" => parent == "metadata",
        "matchLabels" | "nodeSelector" => true,
        "data" | "stringData" | "binaryData" => parents.is_empty(),
        "selector" => object == "Service" && parent == "spec",
        "limits" | "requests" => parent == "resources" || object == "Gadget" && parent == "spec",
        "hard" => object == "ResourceQuota",
        "parameters" => object == "StorageClass",
        "capacity" => object == "PersistentVolume",
        "podFixed" => true,
        "settings" => object == "Gadget",
        _ => false,
    }
}

/// Whether the order of a list whose elements have keys means something.
pub fn ordered(fields: &[&str], elements: &[serde_json::Value]) -> bool {
    match fields.last() {
        Some(&"initContainers") => true,
        Some(&"env") => elements.iter().any(|e| e["value"].as_str().is_some_and(|value| value.contains("$("))),
        _ => false,
    }
}
