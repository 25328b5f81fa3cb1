//! Who wrote which field, from `metadata.managedFields` (the `FieldsV1` format of structured-merge-diff).
//!
//! `f:name` is a field, `k:{…}` a list element by its keys, `v:…` a set element by value, `i:n` an element by position, `.` the
//! place itself. An empty map is a leaf: the writer owns everything there.

use serde::Deserialize;
use serde_json::Value;

use crate::config::actors::ActorTable;
use crate::model::attribution::Actor;
use crate::model::field_path::{FieldPath, Step};
use crate::model::time::Timestamp;

/// One entry of `managedFields`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The writer, sorted by the actor table.
    pub actor: Actor,
    /// The version its fields are written in.
    pub api_version: String,
    /// True if this writer makes whole objects, so that server defaults are among its fields.
    pub owns_defaults: bool,
    fields: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    #[serde(default)]
    manager: String,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    subresource: Option<String>,
    #[serde(default)]
    time: Option<String>,
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    fields_v1: Value,
}

/// Reads the entries; `None` if the text is not a list of them.
pub fn parse(managed_fields: &str, table: &ActorTable) -> Option<Vec<Entry>> {
    let raw: Vec<Raw> = serde_json::from_str(managed_fields).ok()?;
    let entries = raw.into_iter().map(|raw| {
        let subresource = raw.subresource.filter(|s| !s.is_empty());
        let class = table.classify(&raw.manager, &raw.operation, subresource.as_deref());
        Entry {
            actor: Actor {
                manager: raw.manager,
                operation: raw.operation,
                subresource,
                time: raw.time.as_deref().and_then(Timestamp::parse),
                kind: class.kind,
                user: None,
            },
            api_version: raw.api_version,
            owns_defaults: class.creates,
            fields: raw.fields_v1,
        }
    });
    Some(entries.collect())
}

/// The writers of exactly this path, newest first: of the field itself, of an atomic value it is in, or, where the path is a
/// whole map or list, of anything in it.
pub fn writers(entries: &[Entry], path: &FieldPath) -> Vec<Actor> {
    let mut actors: Vec<Actor> = entries.iter().filter(|e| e.owns(path)).map(|e| e.actor.clone()).collect();
    actors.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.manager.cmp(&b.manager)));
    actors
}

/// The entry that was written last, whatever it wrote, leaving status aside.
pub fn last_writer(entries: &[Entry]) -> Option<&Actor> {
    entries.iter().map(|e| &e.actor).filter(|a| a.subresource.as_deref() != Some("status")).max_by_key(|a| a.time)
}

impl Entry {
    /// Whether this writer owns the path.
    pub fn owns(&self, path: &FieldPath) -> bool {
        let mut at = &self.fields;
        for step in path.steps() {
            let Some(map) = at.as_object() else {
                return false;
            };
            if map.is_empty() {
                return true;
            }
            match map.iter().find(|(key, _)| key_is(key, step)) {
                Some((_, below)) => at = below,
                None => return false,
            }
        }
        true
    }

    /// The leaves this writer owns, as paths.
    pub fn leaves(&self) -> Vec<FieldPath> {
        let mut paths = Vec::new();
        collect(&self.fields, &mut FieldPath::root(), &mut paths);
        paths
    }
}

fn collect(fields: &Value, at: &mut FieldPath, paths: &mut Vec<FieldPath>) {
    let Some(map) = fields.as_object() else {
        return;
    };
    if map.is_empty() && !at.is_root() {
        paths.push(at.clone());
        return;
    }
    for (key, below) in map {
        match read_key(key) {
            Some(step) => {
                at.push(step);
                collect(below, at, paths);
                at.pop();
            }
            // `.`: the place itself; counts only where nothing below it is owned.
            None if key == "." && map.len() == 1 => paths.push(at.clone()),
            None => {}
        }
    }
}

fn read_key(key: &str) -> Option<Step> {
    let (kind, rest) = key.split_once(':')?;
    match kind {
        "f" => Some(Step::Field(rest.to_owned())),
        "k" => {
            let keys = serde_json::from_str::<serde_json::Map<String, Value>>(rest).ok()?;
            Some(Step::Key(keys.into_iter().collect()))
        }
        "v" => serde_json::from_str(rest).ok().map(Step::Item),
        "i" => rest.parse().ok().map(Step::Index),
        _ => None,
    }
}

fn key_is(key: &str, step: &Step) -> bool {
    match (read_key(key), step) {
        // The order of keys is the schema's on our side and the alphabet's on the server's.
        (Some(Step::Key(have)), Step::Key(want)) => {
            have.len() == want.len()
                && want.iter().all(|(name, value)| have.iter().any(|(n, v)| n == name && v == value))
        }
        (Some(have), want) => have == *want,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entries() -> Vec<Entry> {
        let text = json!([
            {"manager": "argocd-controller", "operation": "Apply", "apiVersion": "apps/v1", "time": "2026-03-01T10:00:00Z",
             "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"api\"}": {".": {}, "f:name": {}, "f:image": {}, "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}}},
                "f:args": {}}}}}}}},
            {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-03-02T10:00:00Z",
             "fieldsV1": {"f:spec": {"f:replicas": {}}, "f:metadata": {"f:finalizers": {"v:\"x/y\"": {}}, "f:labels": {"f:a.b/c": {}}}}},
        ]);
        parse(&text.to_string(), &ActorTable::default()).unwrap()
    }

    #[test]
    fn writers_of_the_exact_path_newest_first() {
        let names = |path: &str| -> Vec<String> {
            writers(&entries(), &FieldPath::parse(path).unwrap()).into_iter().map(|a| a.manager).collect()
        };
        assert_eq!(names(".spec.replicas"), ["kubectl-edit", "argocd-controller"]);
        assert_eq!(names(r#".spec.template.spec.containers[name="api"].image"#), ["argocd-controller"]);
        assert_eq!(names(r#".spec.template.spec.containers[name="web"].image"#), [""; 0]);
        assert_eq!(
            names(r#".spec.template.spec.containers[name="api"].ports[containerPort=80,protocol="TCP"]"#),
            ["argocd-controller"]
        );
        assert_eq!(
            names(r#".spec.template.spec.containers[name="api"].ports[protocol="TCP",containerPort=80]"#),
            ["argocd-controller"]
        );
        assert_eq!(names(r#".metadata.finalizers[="x/y"]"#), ["kubectl-edit"]);
        assert_eq!(names(r#".metadata.labels["a.b/c"]"#), ["kubectl-edit"]);
        assert_eq!(names(".spec.paused"), [""; 0]);
        assert_eq!(
            names(r#".spec.template.spec.containers[name="api"].args[1]"#),
            ["argocd-controller"],
            "an atomic list is owned whole"
        );
    }

    #[test]
    fn leaves_are_paths() {
        let leaves: Vec<String> = entries()[1].leaves().iter().map(FieldPath::to_string).collect();
        assert_eq!(leaves, [r#".metadata.finalizers[="x/y"]"#, r#".metadata.labels["a.b/c"]"#, ".spec.replicas"]);
    }

    #[test]
    fn what_is_no_list_of_entries_is_none() {
        assert!(parse("{}", &ActorTable::default()).is_none());
        assert!(parse(r#"[{"fieldsV1": 3, "time": "x"}]"#, &ActorTable::default()).is_some());
    }
}
