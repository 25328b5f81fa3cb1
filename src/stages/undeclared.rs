//! DL003: live fields that Git does not declare, where the writer of exactly that path says that a person put them there.

use serde_json::Value;

use super::compare::{Difference, element_keys};
use super::managed_fields::Entry;
use crate::model::attribution::ActorKind;
use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::Code;
use crate::model::schema::{ListKind, SchemaRef, Shape};

/// The undeclared fields that a known interactive client wrote, each at the highest place that Git does not declare.
///
/// Clients that make whole objects own the server's defaults too and prove nothing; nor does what the GitOps side wrote as well.
pub fn undeclared(
    declared: &Value,
    live: &Value,
    schema: Option<SchemaRef<'_>>,
    entries: &[Entry],
    api_version: &str,
) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    let by_hand = entries.iter().filter(|entry| {
        entry.actor.kind == ActorKind::Interactive
            && !entry.owns_defaults
            && entry.api_version == api_version
            && entry.actor.subresource.as_deref() != Some("status")
    });
    for entry in by_hand {
        for leaf in entry.leaves() {
            let Some((path, value)) = highest_undeclared(declared, live, schema, &leaf) else {
                continue;
            };
            let known = found.iter().any(|f| path.starts_with(&f.path));
            let by_gitops = entries
                .iter()
                .any(|e| e.actor.kind == ActorKind::Gitops && e.owns(&path));
            let is_default = default_at(schema, &path).is_some_and(|default| default == *value);
            if !known && !by_gitops && !is_default {
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
    }
    found
}

/// Follows a live path and stops where the declared side has nothing; `None` if all of it is declared or nothing is live there.
fn highest_undeclared<'a>(
    declared: &Value,
    live: &'a Value,
    schema: Option<SchemaRef<'_>>,
    leaf: &FieldPath,
) -> Option<(FieldPath, &'a Value)> {
    let mut path = FieldPath::root();
    let (mut declared, mut live, mut schema) = (declared, live, schema);
    for step in leaf.steps() {
        let keys = match schema.map(SchemaRef::shape) {
            Some(Shape::List {
                kind: ListKind::Map(keys),
                ..
            }) => keys.as_slice(),
            _ => &[],
        };
        let item = schema.and_then(SchemaRef::item);
        let step = in_schema_order(step, keys);
        live = child(live, &step, keys, item)?;
        path.push(step.clone());
        match child(declared, &step, keys, item) {
            // A declared null says that the field should not be set.
            Some(value) if !value.is_null() => declared = value,
            _ => return Some((path, live)),
        }
        schema = match &step {
            Step::Field(name) => schema.and_then(|s| s.child(name)),
            _ => item,
        };
    }
    None
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

fn child<'a>(
    value: &'a Value,
    step: &Step,
    keys: &[String],
    item: Option<SchemaRef<'_>>,
) -> Option<&'a Value> {
    match step {
        Step::Field(name) => value.get(name),
        Step::Key(wanted) => value
            .as_array()?
            .iter()
            .find(|element| element_keys(element, keys, item) == *wanted),
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
