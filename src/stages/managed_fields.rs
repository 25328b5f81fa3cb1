//! Who wrote which field, from `metadata.managedFields` (the `FieldsV1` format of structured-merge-diff).
//!
//! `f:name` is a field, `k:{…}` a list element by its keys, `v:…` a set element by value, `i:n` an element by position, `.` the
//! place itself. An empty map is a leaf: the writer owns everything there.

use std::cell::OnceCell;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::config::actors::ActorTable;
use crate::model::attribution::{Actor, ActorKind};
use crate::model::field_path::{FieldPath, Step};
use crate::model::schema::{ListKind, SchemaRef, Shape};
use crate::model::time::Timestamp;

/// One entry of `managedFields`. Its fields are read when they are first asked for: most objects have nothing to ask.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The writer, sorted by the actor table.
    pub actor: Actor,
    /// The version its fields are written in.
    pub api_version: String,
    /// True if this writer makes whole objects, so that server defaults are among its fields.
    pub owns_defaults: bool,
    raw: &'a str,
    fields: OnceCell<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<'a> {
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
    #[serde(default, borrow)]
    fields_v1: Option<&'a RawValue>,
}

/// Reads the entries; `None` if the text is not a list of them, or an empty one.
pub fn parse<'a>(managed_fields: &'a str, table: &ActorTable) -> Option<Vec<Entry<'a>>> {
    let raw: Vec<Raw<'a>> = serde_json::from_str(managed_fields).ok()?;
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
            raw: raw.fields_v1.map_or("{}", RawValue::get),
            fields: OnceCell::new(),
        }
    });
    let mut entries: Vec<Entry<'a>> = entries.collect();
    sort_in_operators(&mut entries);
    Some(entries).filter(|entries| !entries.is_empty())
}

/// A writer that no table knows and that writes the object's status, too, is its operator.
fn sort_in_operators(entries: &mut [Entry<'_>]) {
    let of_status = |entry: &&Entry<'_>| entry.actor.subresource.as_deref() == Some("status");
    let operators: Vec<String> = entries.iter().filter(of_status).map(|e| e.actor.manager.clone()).collect();
    for entry in entries {
        if entry.actor.kind == ActorKind::Unknown && operators.contains(&entry.actor.manager) {
            entry.actor.kind = ActorKind::Controller;
        }
    }
}

/// The writers of exactly this path, newest first: of the field itself, of an atomic value it is in, or, where the path is a
/// whole map or list, of anything in it.
pub fn writers(entries: &[Entry<'_>], path: &FieldPath, schema: Option<SchemaRef<'_>>) -> Vec<Actor> {
    newest_first(owners(entries.iter(), path, schema).into_iter())
}

/// The entries that own this path. Where one of them names it, a value around it is none that is owned as one whole, whatever the
/// schema leaves open: the server takes the maps of fields without a schema apart once they are written in parts.
pub fn owners<'e, 'a: 'e>(
    entries: impl Iterator<Item = &'e Entry<'a>>,
    path: &FieldPath,
    schema: Option<SchemaRef<'_>>,
) -> Vec<&'e Entry<'a>> {
    let found: Vec<_> = entries.map(|e| (e, e.reach(path, schema))).filter(|(_, r)| *r != Reach::Not).collect();
    let is_named = |version: &str| found.iter().any(|(e, reach)| *reach == Reach::Named && e.api_version == version);
    let stands = |(e, reach): &&(&Entry<'_>, Reach)| *reach == Reach::Named || !is_named(&e.api_version);
    found.iter().filter(stands).map(|(e, _)| *e).collect()
}

/// The writers that may have taken away what stood at this path, newest first: of an atomic value it was in. What an entry names at a
/// place that is not there, or below it, is stale: its manager applied an element whose other fields somebody took with it.
pub fn removers(entries: &[Entry<'_>], path: &FieldPath, schema: Option<SchemaRef<'_>>) -> Vec<Actor> {
    newest_first(entries.iter().filter(|e| e.reach(path, schema) == Reach::Around))
}

fn newest_first<'e, 'a: 'e>(entries: impl Iterator<Item = &'e Entry<'a>>) -> Vec<Actor> {
    let mut actors: Vec<Actor> = entries.map(|e| e.actor.clone()).collect();
    actors.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.manager.cmp(&b.manager)));
    actors
}

/// The entry that was written last, whatever it wrote, leaving status aside.
pub fn last_writer<'e>(entries: &'e [Entry<'_>]) -> Option<&'e Actor> {
    entries.iter().map(|e| &e.actor).filter(|a| a.subresource.as_deref() != Some("status")).max_by_key(|a| a.time)
}

/// How an entry comes to own a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Not at all.
    Not,
    /// It owns a value around it as one whole.
    Around,
    /// It names the path, or something below.
    Named,
}

impl Entry<'_> {
    /// Whether this writer owns the path, or something below it. Below a leaf, only what the schema calls one whole is owned with it: an
    /// empty leaf on a map or a keyed list is the place itself, its entries having been taken over by others.
    fn reach(&self, path: &FieldPath, schema: Option<SchemaRef<'_>>) -> Reach {
        if !self.may_own(path) {
            return Reach::Not;
        }
        let mut at = self.fields();
        let mut schema = schema;
        for step in path.steps() {
            let Some(map) = at.as_object() else {
                return Reach::Not;
            };
            if map.is_empty() {
                return if schema.is_none_or(is_whole) { Reach::Around } else { Reach::Not };
            }
            schema = schema.and_then(|schema| match step {
                Step::Field(name) => schema.child(name),
                Step::Key(_) | Step::Item(_) | Step::Index(_) => schema.item(),
            });
            let direct = match step {
                Step::Field(name) => map.get(&format!("f:{name}")),
                _ => map.iter().find(|(key, _)| key_is(key, step)).map(|(_, below)| below),
            };
            match direct {
                Some(below) => at = below,
                None => return Reach::Not,
            }
        }
        Reach::Named
    }

    /// A cheap look at the text: nothing in an object's metadata is owned as part of a larger whole.
    fn may_own(&self, path: &FieldPath) -> bool {
        match path.steps() {
            [Step::Field(metadata), _, .., Step::Field(name)] if metadata == "metadata" => {
                let quoted = Value::from(name.as_str()).to_string();
                self.raw.contains(quoted.trim_matches('"'))
            }
            _ => true,
        }
    }

    fn fields(&self) -> &Value {
        self.fields.get_or_init(|| serde_json::from_str(self.raw).unwrap_or_default())
    }
}

/// Whether a place is owned and replaced as a whole.
fn is_whole(schema: SchemaRef<'_>) -> bool {
    match schema.shape() {
        Shape::Object { atomic, .. } => *atomic,
        Shape::List { kind, .. } => *kind == ListKind::Atomic,
        Shape::Scalar(_) | Shape::Any => true,
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
    use crate::model::resource::Gvk;
    use crate::model::schema::builtin_schemas;

    fn text() -> String {
        json!([
            {"manager": "argocd-controller", "operation": "Apply", "apiVersion": "apps/v1", "time": "2026-03-01T10:00:00Z",
             "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"api\"}": {".": {}, "f:name": {}, "f:image": {}, "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}}},
                "f:args": {}}}}}}}},
            {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-03-02T10:00:00Z",
             "fieldsV1": {"f:spec": {"f:replicas": {}}, "f:metadata": {"f:finalizers": {"v:\"x/y\"": {}}, "f:labels": {"f:a.b/c": {}}}}},
        ])
        .to_string()
    }

    #[test]
    fn writers_of_the_exact_path_newest_first() {
        let text = text();
        let entries = parse(&text, &ActorTable::default()).unwrap();
        let names = |path: &str| -> Vec<String> {
            writers(&entries, &FieldPath::parse(path).unwrap(), None).into_iter().map(|a| a.manager).collect()
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
    fn an_empty_leaf_owns_what_is_below_only_where_the_schema_calls_it_one_whole() {
        let text = json!([{"manager": "argocd-controller", "operation": "Update", "apiVersion": "v1",
            "fieldsV1": {"f:spec": {"f:ports": {}, "f:selector": {}, "f:ipFamilies": {}}}}])
        .to_string();
        let entries = parse(&text, &ActorTable::default()).unwrap();
        let schema = builtin_schemas().kind(&Gvk::new("v1", "Service"));
        let owned = |path: &str| !writers(&entries, &FieldPath::parse(path).unwrap(), schema).is_empty();
        assert!(owned(".spec.ports") && !owned(r#".spec.ports[port=80,protocol="TCP"]"#));
        assert!(owned(".spec.selector.app") && owned(".spec.ipFamilies[0]"), "atomic");
    }

    #[test]
    fn a_field_without_a_schema_that_is_written_in_parts_is_owned_in_parts() {
        let text = json!([
            {"manager": "kubectl", "operation": "Apply", "apiVersion": "example.com/v1", "fieldsV1": {"f:spec": {"f:free": {}}}},
            {"manager": "kube-controller-manager", "operation": "Apply", "apiVersion": "example.com/v1",
             "fieldsV1": {"f:spec": {"f:free": {"f:added": {".": {}, "f:x": {}}}}}},
        ])
        .to_string();
        let entries = parse(&text, &ActorTable::default()).unwrap();
        let names = |path: &str| -> Vec<String> {
            writers(&entries, &FieldPath::parse(path).unwrap(), None).into_iter().map(|a| a.manager).collect()
        };
        assert_eq!(names(".spec.free.added.x"), ["kube-controller-manager"]);
        assert_eq!(names(".spec.free.other"), ["kubectl"], "as far as anybody can tell");
        assert_eq!(names(".spec.free"), ["kube-controller-manager", "kubectl"]);
    }

    #[test]
    fn what_is_named_below_a_place_that_is_gone_says_nothing_of_who_took_it() {
        let text = json!([{"manager": "kustomize-controller", "operation": "Apply", "apiVersion": "apps/v1",
            "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {
                "f:args": {}, "f:env": {"k:{\"name\":\"EMPTY\"}": {"f:value": {}}}}}}}}}}])
        .to_string();
        let entries = parse(&text, &ActorTable::default()).unwrap();
        let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
        let names = |path: &str| removers(&entries, &FieldPath::parse(path).unwrap(), schema).len();
        assert_eq!(names(r#".spec.template.spec.containers[name="api"].env[name="EMPTY"]"#), 0);
        assert_eq!(
            names(r#".spec.template.spec.containers[name="api"].args[1]"#),
            1,
            "an atomic list is written whole"
        );
    }

    #[test]
    fn an_unknown_writer_of_the_status_is_the_objects_operator() {
        let text = json!([
            {"manager": "acme-operator", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
            {"manager": "acme-operator", "operation": "Update", "fieldsV1": {"f:spec": {"f:size": {}}}},
            {"manager": "acme-tool", "operation": "Update", "fieldsV1": {"f:spec": {"f:mode": {}}}},
        ])
        .to_string();
        let entries = parse(&text, &ActorTable::default()).unwrap();
        let kinds: Vec<_> = entries.iter().map(|entry| entry.actor.kind).collect();
        assert_eq!(kinds, [ActorKind::Controller, ActorKind::Controller, ActorKind::Unknown]);
    }

    #[test]
    fn what_is_no_list_of_entries_is_none() {
        assert!(parse("{}", &ActorTable::default()).is_none());
        assert!(parse(r#"[{"fieldsV1": 3, "time": "x"}]"#, &ActorTable::default()).is_some());
    }
}
