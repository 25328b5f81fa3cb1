//! Parts of an object by their paths.

use serde_json::{Map, Value};

use crate::model::field_path::{FieldPath, Step};

/// The value at a path of a declared object.
pub fn lookup<'a>(object: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.steps().iter().try_fold(object, |at, step| match step {
        Step::Field(name) => at.get(name),
        // A key that the declaration leaves to its default is no reason to miss the element.
        Step::Key(keys) => at.as_array()?.iter().find(|element| {
            keys.iter().any(|(name, value)| element.get(name) == Some(value))
                && keys.iter().all(|(name, value)| element.get(name).is_none_or(|v| v == value))
        }),
        Step::Item(value) => at.as_array()?.iter().find(|element| *element == value),
        Step::Index(index) => at.as_array()?.get(*index),
    })
}

/// An object with nothing in it but what stands at some paths, where [`lookup`] finds it as before.
pub fn only<'p>(object: &Value, paths: impl Iterator<Item = &'p FieldPath>) -> Value {
    let mut kept = Value::Object(Map::new());
    for path in paths {
        keep(&mut kept, object, path.steps());
    }
    kept
}

fn keep(kept: &mut Value, from: &Value, steps: &[Step]) {
    let Some((step, rest)) = steps.split_first() else {
        kept.clone_from(from);
        return;
    };
    match (step, from) {
        (Step::Field(name), Value::Object(from)) => {
            if let (Some(below), Value::Object(kept)) = (from.get(name), &mut *kept) {
                keep(kept.entry(name.clone()).or_insert_with(|| empty_like(below)), below, rest);
            }
        }
        // Elements are found by what is in them, and by where they stand: lists are kept whole.
        _ => kept.clone_from(from),
    }
}

fn empty_like(value: &Value) -> Value {
    if value.is_object() { Value::Object(Map::new()) } else { Value::Null }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_kept_of_an_object_is_found_as_before() {
        let object = json!({
            "data": {"a": "1", "b": "2"},
            "spec": {"replicas": 3, "containers": [{"name": "x", "env": [{"name": "A", "value": "1"}]}, {"name": "y"}]},
        });
        let paths: Vec<FieldPath> =
            [".data.a", ".spec.containers[name=\"x\"].env[name=\"A\"].value", ".spec", ".data.c", ".none.x"]
                .iter()
                .map(|path| FieldPath::parse(path).unwrap())
                .collect();
        let kept = only(&object, paths.iter());
        for path in &paths {
            assert_eq!(lookup(&kept, path), lookup(&object, path), "{path}");
        }
        assert_eq!(kept["data"], json!({"a": "1"}));
        let both = only(&object, paths[..2].iter());
        assert_eq!(both["spec"].get("replicas"), None);
        assert_eq!(lookup(&both, &paths[1]), Some(&json!("1")));
    }
}
