//! DL003: live fields that Git does not declare, where the writer of exactly that path says that a person put them there.

use serde_json::Value;

use super::compare::{Difference, element_keys};
use super::managed_fields::Entry;
use crate::model::attribution::ActorKind;
use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::Code;
use crate::model::schema::{ListKind, SchemaRef, Shape};

/// The undeclared fields that a known interactive client wrote, each at the highest place that Git does not declare and that nobody
/// else has a part in; an entry of a map or of a keyed list stands for itself, however many there are.
///
/// Clients that make whole objects own the server's defaults too and prove nothing; nor does what the GitOps side wrote as well.
pub fn undeclared(
    declared: &Value,
    live: &Value,
    schema: Option<SchemaRef<'_>>,
    entries: &[Entry],
    api_version: &str,
) -> Vec<Difference> {
    let by_hand = |entry: &Entry| {
        entry.actor.kind == ActorKind::Interactive
            && !entry.owns_defaults
            && entry.api_version == api_version
            && entry.actor.subresource.as_deref() != Some("status")
    };
    let others: Vec<&Entry> = entries.iter().filter(|entry| !by_hand(entry)).collect();
    let mut found: Vec<Difference> = Vec::new();
    for leaf in entries.iter().filter(|entry| by_hand(entry)).flat_map(Entry::leaves) {
        let Some((path, value)) = highest_undeclared(declared, live, schema, &leaf, &others) else { continue };
        let known = found.iter().any(|f| path.starts_with(&f.path));
        let is_default = default_at(schema, &path).is_some_and(|default| default == *value);
        if !known && !is_default {
            found.push(Difference {
                code: Code::Undeclared,
                path,
                declared: None,
                live: Some(value.clone()),
                additions_only: false,
                note: None,
            });
        }
    }
    found
}

/// Follows a live path to the first place that Git does not declare and that no other writer has a part in; `None` if there is none,
/// or nothing is live there.
fn highest_undeclared<'a>(
    declared: &Value,
    live: &'a Value,
    schema: Option<SchemaRef<'_>>,
    leaf: &FieldPath,
    others: &[&Entry],
) -> Option<(FieldPath, &'a Value)> {
    let mut path = FieldPath::root();
    let (mut declared, mut live, mut schema) = (Some(declared), live, schema);
    for step in leaf.steps() {
        let keys = match schema.map(SchemaRef::shape) {
            Some(Shape::List { kind: ListKind::Map(keys), .. }) => keys.as_slice(),
            _ => &[],
        };
        let item = schema.and_then(SchemaRef::item);
        let step = in_schema_order(step, keys);
        live = child(live, &step, keys, item)?;
        // A declared null says that the field should not be set.
        declared = declared.and_then(|d| child(d, &step, keys, item)).filter(|value| !value.is_null());
        schema = match &step {
            Step::Field(name) => schema.and_then(|s| s.child(name)),
            _ => item,
        };
        path.push(step);
        let whole = path.steps().len() == leaf.steps().len();
        if declared.is_none() && (whole || !has_entries(schema)) && !others.iter().any(|entry| entry.owns(&path)) {
            return Some((path, live));
        }
    }
    None
}

/// Whether a place holds entries that come and go one by one: a map, a keyed list, a set.
fn has_entries(schema: Option<SchemaRef<'_>>) -> bool {
    match schema.map(SchemaRef::shape) {
        Some(Shape::Object { fields, additional, atomic, .. }) => fields.is_empty() && additional.is_some() && !atomic,
        Some(Shape::List { kind, .. }) => *kind != ListKind::Atomic,
        _ => false,
    }
}

/// managedFields writes an element's keys in the alphabet's order, our paths in the schema's.
fn in_schema_order(step: &Step, keys: &[String]) -> Step {
    match step {
        Step::Key(pairs) => {
            let mut pairs = pairs.clone();
            pairs.sort_by_key(|(name, _)| keys.iter().position(|k| k == name));
            Step::Key(pairs)
        }
        other => other.clone(),
    }
}

fn child<'a>(value: &'a Value, step: &Step, keys: &[String], item: Option<SchemaRef<'_>>) -> Option<&'a Value> {
    match step {
        Step::Field(name) => value.get(name),
        Step::Key(wanted) => value.as_array()?.iter().find(|element| element_keys(element, keys, item) == *wanted),
        Step::Item(wanted) => value.as_array()?.iter().find(|element| *element == wanted),
        Step::Index(index) => value.as_array()?.get(*index),
    }
}

fn default_at(schema: Option<SchemaRef<'_>>, path: &FieldPath) -> Option<Value> {
    let (last, parents) = path.steps().split_last()?;
    let parent = super::compare::schema_at(schema, &FieldPath::from(parents.to_vec()))?;
    match last {
        Step::Field(name) => parent.field(name)?.default.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::actors::ActorTable;
    use crate::model::resource::Gvk;
    use crate::model::schema::builtin_schemas;
    use crate::stages::managed_fields;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "apps/v1", "time": "2026-03-02T10:00:00Z", "fieldsV1": fields})
    }

    fn found(declared: Value, live: Value, managers: &[Value]) -> Vec<String> {
        let entries =
            managed_fields::parse(&Value::from(managers.to_vec()).to_string(), &ActorTable::default()).unwrap();
        let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
        undeclared(&declared, &live, schema, &entries, "apps/v1").into_iter().map(|d| d.path.to_string()).collect()
    }

    #[test]
    fn an_entry_of_a_map_stands_for_itself_beside_a_controllers() {
        let live = json!({"metadata": {"annotations": {"note": "hi", "deployment.kubernetes.io/revision": "2"}}});
        let managers = [
            entry(
                "kube-controller-manager",
                "Update",
                json!({"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}}),
            ),
            entry("kubectl-annotate", "Update", json!({"f:metadata": {"f:annotations": {"f:note": {}}}})),
        ];
        assert_eq!(found(json!({"metadata": {}}), live, &managers), [".metadata.annotations.note"]);
    }

    #[test]
    fn a_field_by_hand_inside_a_struct_of_defaults_is_found() {
        let live = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 7}}}});
        let managers = [
            entry("kubectl-client-side-apply", "Update", json!({"f:spec": {"f:strategy": {"f:type": {}}}})),
            entry("kubectl-edit", "Update", json!({"f:spec": {"f:strategy": {"f:rollingUpdate": {"f:maxSurge": {}}}}})),
        ];
        assert_eq!(found(json!({"spec": {}}), live, &managers), [".spec.strategy.rollingUpdate"]);
    }

    #[test]
    fn what_the_gitops_side_wrote_too_or_a_creating_client_owns_proves_nothing() {
        let live = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"paused": true}});
        let label = || json!({"f:metadata": {"f:labels": {"f:a": {}}}});
        let both = [entry("argocd-controller", "Apply", label()), entry("kubectl-label", "Update", label())];
        assert_eq!(found(json!({}), live.clone(), &both), [""; 0]);
        let created = [entry("kubectl-create", "Update", json!({"f:spec": {"f:paused": {}}}))];
        assert_eq!(found(json!({}), live, &created), [""; 0]);
    }

    #[test]
    fn a_container_by_hand_is_one_finding() {
        let live =
            json!({"spec": {"template": {"spec": {"containers": [{"name": "api"}, {"name": "miner", "image": "x"}]}}}});
        let declared = json!({"spec": {"template": {"spec": {"containers": [{"name": "api"}]}}}});
        let fields = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"miner\"}": {".": {}, "f:name": {}, "f:image": {}}}}}}});
        assert_eq!(
            found(declared, live, &[entry("k9s", "Update", fields)]),
            [r#".spec.template.spec.containers[name="miner"]"#]
        );
    }
}
