//! Parts of an object by their paths.

use serde_json::{Map, Value};

use crate::model::field_path::{FieldPath, Step};

/// The value at a path of a declared object.
pub fn lookup<'a>(object: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    path.steps().iter().try_fold(object, |at, step| match step {
        Step::Field(name) => at.get(name),
        // A key that the declaration leaves to its default is no reason to miss the element.
        Step::Key(keys) => at.as_array()?.iter().find(|element| has_keys(element, keys)),
        Step::Item(value) => at.as_array()?.iter().find(|element| *element == value),
        Step::Index(index) => at.as_array()?.get(*index),
    })
}

fn has_keys(element: &Value, keys: &[(String, Value)]) -> bool {
    keys.iter().any(|(name, value)| element.get(name) == Some(value))
        && keys.iter().all(|(name, value)| element.get(name).is_none_or(|v| v == value))
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
        (Step::Key(keys), Value::Array(elements)) => {
            let found = elements.iter().position(|element| has_keys(element, keys));
            if !kept.is_array() {
                *kept = Value::Array(elements.iter().map(empty_like).collect());
            }
            let kept = kept.as_array_mut().into_iter().flatten();
            for (n, (kept, element)) in kept.zip(elements).enumerate() {
                // By what is in them elements are found, the others are passed over.
                for (name, _) in keys {
                    keep(kept, element, &[Step::Field(name.clone())]);
                }
                if found == Some(n) {
                    keep(kept, element, rest);
                }
            }
        }
        // Elements are found by what they are, or by where they stand: such a list is kept whole.
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
            "spec": {"replicas": 3, "containers": [
                {"name": "x", "image": "i", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
                {"name": "y", "image": "i"},
                "no element",
            ]},
            "ports": [{"port": 80, "nodePort": 1}, {"port": 80, "protocol": "UDP", "nodePort": 2}],
        });
        let texts = [
            ".data.a",
            ".spec.containers[name=\"x\"].env[name=\"A\"].value",
            ".spec.containers[name=\"y\"]",
            ".spec.containers[name=\"z\"].image",
            ".ports[port=80,protocol=\"UDP\"].nodePort",
            ".ports[port=80,protocol=\"TCP\"].nodePort",
            ".spec",
            ".ports[1]",
            ".data.c",
            ".none.x",
        ];
        let paths: Vec<FieldPath> = texts.iter().map(|path| FieldPath::parse(path).unwrap()).collect();
        // Whatever else is asked about, and in which order.
        for first in 0..paths.len() {
            for last in first..paths.len() {
                for backwards in [false, true] {
                    let some = &paths[first..=last];
                    let kept = if backwards { only(&object, some.iter().rev()) } else { only(&object, some.iter()) };
                    for path in some {
                        assert_eq!(lookup(&kept, path), lookup(&object, path), "{path} of {some:?}");
                    }
                }
            }
        }
        let kept = only(&object, paths[..2].iter());
        assert_eq!(kept["data"], json!({"a": "1"}));
        let env = json!([{"name": "A", "value": "1"}, {"name": "B"}]);
        assert_eq!(kept["spec"], json!({"containers": [{"name": "x", "env": env}, {"name": "y"}, "no element"]}));
    }
}
