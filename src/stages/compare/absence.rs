//! When a declared value that is not live says the same as its absence.

use serde_json::Value;

use crate::model::canonical;
use crate::model::schema::{Field, SchemaRef, Shape};

/// True for a Go field that is omitempty and no pointer, has no default, and holds its zero value; for what equals the schema's
/// default; and for a struct of which that is true field by field. Custom resources are literal.
pub(super) fn means_absence(declared: &Value, field: Option<&Field>, schema: Option<SchemaRef<'_>>) -> bool {
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

/// Nothing in it: an empty list, map or text.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// The zero value of some Go type.
pub(super) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        other => is_empty(other),
    }
}
