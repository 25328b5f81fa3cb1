//! One declared object against one live object, under a schema.
//!
//! Declared fields decide: another value is DL001, nothing there is DL002, a field that the schema does not know is DL007. What only
//! the live side has is the server's and the controllers' until a writer says otherwise: see [`super::undeclared`].

use serde_json::{Map, Value};

use super::equality::{self, Equality};
use super::normalise::Applied;
use crate::model::canonical;
use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::Code;
use crate::model::schema::{Field, ListKind, SchemaRef, Shape, object_meta};

/// A difference in one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// DL001, DL002, DL003 or DL007.
    pub code: Code,
    /// Where.
    pub path: FieldPath,
    /// Git's value.
    pub declared: Option<Value>,
    /// The live value.
    pub live: Option<Value>,
    /// True if the only difference is what the live elements of an atomic list have besides the declared: the server's
    /// defaults, unless the list's writer is somebody else.
    pub additions_only: bool,
    /// What a reader should know.
    pub note: Option<String>,
}

/// Compares what is declared with what is live. Both are normalised and redacted.
pub fn compare(
    declared: &Value,
    live: &Value,
    schema: Option<SchemaRef<'_>>,
    applied: &mut Applied,
) -> Vec<Difference> {
    let mut walk = Walk { differences: Vec::new(), applied, path: FieldPath::root() };
    walk.value(declared, live, schema);
    walk.differences
}

/// Whether two values of one field are equal in meaning, as [`compare`] sees it.
pub fn equal(declared: &Value, live: &Value, schema: Option<SchemaRef<'_>>) -> bool {
    compare(declared, live, schema, &mut Applied::new()).is_empty()
}

/// Follows a path through a schema.
pub fn schema_at<'a>(schema: Option<SchemaRef<'a>>, path: &FieldPath) -> Option<SchemaRef<'a>> {
    path.steps().iter().try_fold(schema?, |at, step| match step {
        Step::Field(name) => at.child(name),
        Step::Key(_) | Step::Item(_) | Step::Index(_) => at.item(),
    })
}

struct Walk<'a> {
    differences: Vec<Difference>,
    applied: &'a mut Applied,
    path: FieldPath,
}

impl Walk<'_> {
    fn value(&mut self, declared: &Value, live: &Value, schema: Option<SchemaRef<'_>>) {
        match (declared, live) {
            // A declared null means "unset": whatever the server has there is its own.
            (Value::Null, _) => self.note_rule("declared-null"),
            (Value::Object(declared), Value::Object(live)) => self.object(declared, live, schema),
            (Value::Array(d), Value::Array(l)) => self.list(d, l, schema),
            _ => {
                let scalar = match schema.map(SchemaRef::shape) {
                    Some(Shape::Scalar(scalar)) => Some(*scalar),
                    _ => None,
                };
                match equality::scalars(declared, live, scalar) {
                    Equality::Same => {}
                    Equality::Normalised(rule) => self.note_rule(rule),
                    Equality::Different => self.changed(declared, live),
                }
            }
        }
    }

    fn object(&mut self, declared: &Map<String, Value>, live: &Map<String, Value>, schema: Option<SchemaRef<'_>>) {
        for (name, value) in declared {
            let field = schema.and_then(|s| s.field(name));
            let mut child = schema.and_then(|s| s.child(name));
            if name == "metadata" && self.path.is_root() && child.is_none_or(|c| *c.shape() == Shape::Any) {
                // Every kind has the same metadata, also where its own schema is silent or not at hand.
                child = object_meta();
            }
            self.path.push(Step::Field(name.clone()));
            match live.get(name) {
                Some(live) => self.value(value, live, child),
                None if value.is_null() => self.note_rule("declared-null"),
                None if is_unknown_field(schema, name) => self.push(Code::UnknownField, Some(value), None),
                None if means_absence(value, field, child) => self.note_rule("zero-equals-absent"),
                None => self.push(Code::Absent, Some(value), None),
            }
            self.path.pop();
        }
    }

    fn list(&mut self, declared: &[Value], live: &[Value], schema: Option<SchemaRef<'_>>) {
        let item = schema.and_then(SchemaRef::item);
        match schema.map(SchemaRef::shape) {
            Some(Shape::List { kind: ListKind::Map(keys), .. }) => self.keyed(declared, live, keys, item),
            Some(Shape::List { kind: ListKind::Set, .. }) => self.set(declared, live),
            _ => self.atomic(declared, live, item),
        }
    }

    /// Elements are matched by key, whatever their order.
    fn keyed(&mut self, declared: &[Value], live: &[Value], keys: &[String], item: Option<SchemaRef<'_>>) {
        let live_keys: Vec<_> = live.iter().map(|element| element_keys(element, keys, item)).collect();
        let declared_keys: Vec<_> = declared.iter().map(|element| element_keys(element, keys, item)).collect();
        for (n, (element, key)) in declared.iter().zip(&declared_keys).enumerate() {
            if declared_keys[n + 1..].contains(key) {
                self.note_rule("duplicate-list-key");
                continue;
            }
            self.path.push(Step::Key(key.clone()));
            // The server keeps all duplicates of some lists; the last one is in force.
            match live_keys.iter().rposition(|k| k == key) {
                Some(at) => self.value(element, &live[at], item),
                None => self.push(Code::Absent, Some(element), None),
            }
            self.path.pop();
        }
        if declared_keys != live_keys
            && declared_keys.iter().all(|k| live_keys.contains(k))
            && declared.len() == live.len()
        {
            self.note_rule("keyed-list-order");
        }
    }

    fn set(&mut self, declared: &[Value], live: &[Value]) {
        for element in declared.iter().filter(|element| !live.contains(element)) {
            self.path.push(Step::Item(element.clone()));
            self.push(Code::Absent, Some(element), None);
            self.path.pop();
        }
    }

    /// Owned as a whole: any difference is one finding at the list's own path.
    fn atomic(&mut self, declared: &[Value], live: &[Value], item: Option<SchemaRef<'_>>) {
        let mut extra = false;
        let mut same = declared.len() == live.len();
        for (declared, live) in declared.iter().zip(live) {
            same = same && equal(declared, live, item);
            extra = extra || has_more(declared, live, item);
        }
        if !same || extra {
            let (d, l) = (Value::from(declared.to_vec()), Value::from(live.to_vec()));
            self.push(Code::Changed, Some(&d), Some(&l));
            if let Some(last) = self.differences.last_mut() {
                last.additions_only = same;
            }
        }
    }

    fn changed(&mut self, declared: &Value, live: &Value) {
        // Go writes a nil list or map as null: nothing is there.
        if live.is_null() && is_empty(declared) {
            return self.note_rule("null-equals-empty");
        }
        let code = if live.is_null() { Code::Absent } else { Code::Changed };
        self.push(code, Some(declared), Some(live).filter(|live| !live.is_null()));
    }

    fn push(&mut self, code: Code, declared: Option<&Value>, live: Option<&Value>) {
        self.differences.push(Difference {
            code,
            path: self.path.clone(),
            declared: declared.cloned(),
            live: live.cloned(),
            additions_only: false,
            note: None,
        });
    }

    fn note_rule(&mut self, rule: &'static str) {
        *self.applied.entry(rule).or_default() += 1;
    }
}

/// The keys of an element, defaults filled in, in the schema's order; keys without value or default are left out.
pub fn element_keys(element: &Value, keys: &[String], item: Option<SchemaRef<'_>>) -> Vec<(String, Value)> {
    let value = |key: &String| {
        let given = element.get(key).filter(|v| !v.is_null()).cloned();
        given.or_else(|| item.and_then(|i| i.field(key)).and_then(|f| f.default.clone()))
    };
    keys.iter().filter_map(|key| Some((key.clone(), value(key)?))).collect()
}

/// Whether the schema names the fields of this place and `name` is not among them.
fn is_unknown_field(schema: Option<SchemaRef<'_>>, name: &str) -> bool {
    match schema.map(SchemaRef::shape) {
        Some(Shape::Object { fields, additional: None, preserve_unknown: false, .. }) => !fields.contains_key(name),
        _ => false,
    }
}

/// Whether a declared value that is not live says the same as its absence.
///
/// True for a Go field that is omitempty and no pointer, has no default, and holds its zero value; for what equals the schema's
/// default; and for a struct of which that is true field by field. Custom resources are literal.
fn means_absence(declared: &Value, field: Option<&Field>, schema: Option<SchemaRef<'_>>) -> bool {
    if declared.is_null() {
        return true;
    }
    let Some(field) = field else { return false };
    if let Some(default) = &field.default {
        return canonical::json(default) == canonical::json(declared);
    }
    let omitted = field.omit_empty == Some(true) && field.pointer == Some(false);
    match declared {
        Value::Object(map) => {
            let is_struct = matches!(schema.map(SchemaRef::shape), Some(Shape::Object { additional: None, .. }));
            let hollow = map.iter().all(|(name, value)| {
                means_absence(value, schema.and_then(|s| s.field(name)), schema.and_then(|s| s.child(name)))
            });
            hollow && (if map.is_empty() { omitted } else { omitted && is_struct })
        }
        Value::Array(items) => items.is_empty() && omitted,
        Value::Bool(false) => omitted,
        Value::Number(number) => number.as_f64() == Some(0.0) && omitted,
        Value::String(text) => text.is_empty() && omitted,
        _ => false,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Whether a live element has something that neither Git nor a default put there.
fn has_more(declared: &Value, live: &Value, schema: Option<SchemaRef<'_>>) -> bool {
    match (declared, live) {
        (Value::Object(declared), Value::Object(live)) => live.iter().any(|(name, value)| {
            let field = schema.and_then(|s| s.field(name));
            match declared.get(name) {
                Some(declared) => has_more(declared, value, schema.and_then(|s| s.child(name))),
                None => !value.is_null() && !is_empty(value) && field.and_then(|f| f.default.as_ref()) != Some(value),
            }
        }),
        (Value::Array(declared), Value::Array(live)) => {
            let item = schema.and_then(SchemaRef::item);
            match schema.map(SchemaRef::shape) {
                Some(Shape::List { kind: ListKind::Map(keys), .. }) => {
                    let known: Vec<_> = declared.iter().map(|d| (element_keys(d, keys, item), d)).collect();
                    live.iter().any(|element| {
                        let key = element_keys(element, keys, item);
                        known.iter().find(|(k, _)| *k == key).is_none_or(|(_, d)| has_more(d, element, item))
                    })
                }
                _ => live.len() > declared.len() || declared.iter().zip(live).any(|(d, l)| has_more(d, l, item)),
            }
        }
        _ => false,
    }
}
