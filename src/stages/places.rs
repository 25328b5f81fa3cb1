//! Places in the tree of an object: which ones a rule names, where a field path leads, and a value without them.

use serde_json::Value;

use super::compare::element_keys;
use crate::config::ignore::Inside;
use crate::config::ignore::jq::{JqOutcome, JqPath, PlainStep};
use crate::config::ignore::place::{PatternStep, PlacePattern};
use crate::model::field_path::{FieldPath, Step};
use crate::model::resource::ObjectId;
use crate::model::schema::{ListKind, SchemaRef, Shape, object_meta};

/// A place, from the root of the tree it is in.
pub type Place = Vec<PlainStep>;

/// The places in a tree that a rule names, and what kept it from naming all.
pub fn of_rule(
    inside: &Inside,
    id: &ObjectId,
    tree: &Value,
    schema: Option<SchemaRef<'_>>,
) -> (Vec<Place>, Vec<String>) {
    let mut places = Vec::new();
    let mut troubles = Vec::new();
    for pattern in &inside.places {
        of_pattern(pattern, tree, schema, &mut places);
    }
    if !inside.jq.is_empty() {
        let named = with_identity(tree, id);
        for expression in &inside.jq {
            match expression.run(&named) {
                JqOutcome::Places(found) => places.extend(found),
                JqOutcome::Failed(found, error) => {
                    places.extend(found);
                    troubles.push(format!("`{}` stopped: {error}", expression.text()));
                }
                JqOutcome::TooLong => {
                    let most = JqPath::MOST_STEPS;
                    troubles
                        .push(format!("`{}` did not end within {most} steps, and ignores nothing", expression.text()));
                }
            }
        }
    }
    // The whole object is no place: a rule without places is for that.
    places.retain(|place: &Place| !place.is_empty());
    (places, troubles)
}

/// Expressions may ask for what the comparison leaves out because it is the object's identity.
fn with_identity(tree: &Value, id: &ObjectId) -> Value {
    let mut named = tree.clone();
    if let Some(root) = named.as_object_mut() {
        root.insert("kind".into(), Value::from(id.kind.as_str()));
        let metadata = root.entry("metadata").or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("name".into(), Value::from(id.name.as_str()));
            if let Some(namespace) = &id.namespace {
                metadata.insert("namespace".into(), Value::from(namespace.as_str()));
            }
        }
    }
    named
}

fn of_pattern(pattern: &PlacePattern, tree: &Value, schema: Option<SchemaRef<'_>>, found: &mut Vec<Place>) {
    let start = Found { value: tree, schema, place: Vec::new() };
    let mut at = vec![start];
    for step in &pattern.0 {
        at = at.iter().flat_map(|found| found.matching(step)).collect();
    }
    found.extend(at.into_iter().map(|found| found.place));
}

struct Found<'v, 's> {
    value: &'v Value,
    schema: Option<SchemaRef<'s>>,
    place: Place,
}

impl<'v, 's> Found<'v, 's> {
    fn matching(&self, step: &PatternStep) -> Vec<Self> {
        match (self.value, step) {
            (Value::Object(map), PatternStep::Any) => map.keys().filter_map(|name| self.field(name)).collect(),
            (Value::Object(_), PatternStep::Token(name) | PatternStep::Field(name)) => {
                self.field(name).into_iter().collect()
            }
            (Value::Array(items), step) => {
                let fits = |(n, item): (usize, &Value)| self.fits(step, n, item).then(|| self.element(n)).flatten();
                items.iter().enumerate().filter_map(fits).collect()
            }
            _ => Vec::new(),
        }
    }

    fn fits(&self, step: &PatternStep, n: usize, item: &Value) -> bool {
        match step {
            PatternStep::Any => true,
            PatternStep::Index(index) => *index == n,
            // RFC 6901: no leading zeros.
            PatternStep::Token(token) => *token == n.to_string(),
            PatternStep::Item(value) => value == item,
            PatternStep::Key(keys) => {
                let names: Vec<String> = keys.iter().map(|(name, _)| name.clone()).collect();
                element_keys(item, &names, self.schema.and_then(SchemaRef::item)) == *keys
            }
            PatternStep::Field(_) => false,
        }
    }

    fn field(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name)?;
        let schema = schema_of_field(self.schema, name, self.place.is_empty());
        Some(Self { value, schema, place: longer(&self.place, PlainStep::Field(name.to_owned())) })
    }

    fn element(&self, n: usize) -> Option<Self> {
        let value = self.value.get(n)?;
        Some(Self {
            value,
            schema: self.schema.and_then(SchemaRef::item),
            place: longer(&self.place, PlainStep::Index(n)),
        })
    }
}

fn longer(place: &Place, step: PlainStep) -> Place {
    let mut place = place.clone();
    place.push(step);
    place
}

/// Every kind has the same metadata, also where its own schema is silent.
fn schema_of_field<'s>(schema: Option<SchemaRef<'s>>, name: &str, root: bool) -> Option<SchemaRef<'s>> {
    let child = schema.and_then(|schema| schema.child(name));
    if root && name == "metadata" && child.is_none_or(|child| *child.shape() == Shape::Any) {
        object_meta()
    } else {
        child
    }
}

/// Where a field path leads in a tree; `None` if it leads nowhere.
pub fn resolve(path: &FieldPath, tree: &Value, schema: Option<SchemaRef<'_>>) -> Option<Place> {
    let mut at = Found { value: tree, schema, place: Vec::new() };
    for step in path.steps() {
        let index = match step {
            Step::Field(name) => {
                at = at.field(name)?;
                continue;
            }
            Step::Index(index) => *index,
            // Of several elements with one key the last is in force.
            Step::Key(wanted) => {
                let item = at.schema.and_then(SchemaRef::item);
                let keys: Vec<String> = match at.schema.map(SchemaRef::shape) {
                    Some(Shape::List { kind: ListKind::Map(keys), .. }) => keys.clone(),
                    _ => wanted.iter().map(|(name, _)| name.clone()).collect(),
                };
                at.value.as_array()?.iter().rposition(|element| element_keys(element, &keys, item) == *wanted)?
            }
            Step::Item(wanted) => at.value.as_array()?.iter().position(|element| element == wanted)?,
        };
        at = at.element(index)?;
    }
    Some(at.place)
}

/// What is at a place.
pub fn at<'v>(value: &'v Value, place: &[PlainStep]) -> Option<&'v Value> {
    place.iter().try_fold(value, |at, step| match step {
        PlainStep::Field(name) => at.get(name),
        PlainStep::Index(index) => at.get(*index),
    })
}

/// A value without these places in it.
pub fn without(mut value: Value, places: &[Place]) -> Value {
    // The later elements of a list first: the positions of the earlier ones stay what they are.
    let mut places: Vec<&Place> = places.iter().collect();
    places.sort_unstable();
    places.dedup();
    for place in places.into_iter().rev() {
        remove(&mut value, place);
    }
    value
}

fn remove(value: &mut Value, place: &[PlainStep]) {
    let Some((last, parents)) = place.split_last() else { return };
    let parent = parents.iter().try_fold(value, |at, step| match step {
        PlainStep::Field(name) => at.get_mut(name),
        PlainStep::Index(index) => at.get_mut(*index),
    });
    match (parent, last) {
        (Some(Value::Object(map)), PlainStep::Field(name)) => drop(map.remove(name)),
        (Some(Value::Array(items)), PlainStep::Index(index)) if *index < items.len() => drop(items.remove(*index)),
        _ => {}
    }
}
