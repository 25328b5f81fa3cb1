//! Changes of a tree, as JSON Patch has them.

use serde_json::{Map, Value, json};

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// What stands there afterwards; `None`: it is removed.
    pub value: Option<Value>,
    /// Whether something stood there before.
    pub existed: bool,
    /// Keys and positions from the root.
    pub pointer: Vec<String>,
}

impl Op {
    pub fn set(at: &Value, pointer: Vec<String>, value: Value) -> Self {
        Self { existed: get(at, &pointer).is_some(), value: Some(value), pointer }
    }

    pub fn remove(pointer: Vec<String>) -> Self {
        Self { value: None, existed: true, pointer }
    }

    /// A new element of a list, before the one at this position.
    pub fn insert(pointer: Vec<String>, value: Value) -> Self {
        Self { value: Some(value), existed: false, pointer }
    }

    /// As an operation of JSON Patch.
    pub fn json(&self) -> Value {
        let escaped: Vec<String> = self.pointer.iter().map(|s| s.replace('~', "~0").replace('/', "~1")).collect();
        let path = format!("/{}", escaped.join("/"));
        match &self.value {
            None => json!({"op": "remove", "path": path}),
            Some(value) => json!({"op": if self.existed { "replace" } else { "add" }, "path": path, "value": value}),
        }
    }

    /// Does it to a tree.
    pub fn apply(&self, tree: &mut Value) {
        let Some((last, parents)) = self.pointer.split_last() else { return };
        let parent = parents.iter().try_fold(tree, |at, step| child(at, step));
        match (parent, &self.value) {
            (Some(Value::Object(map)), Some(value)) => drop(map.insert(last.clone(), value.clone())),
            (Some(Value::Object(map)), None) => drop(map.remove(last)),
            (Some(Value::Array(items)), value) => {
                let at: usize = last.parse().unwrap_or(items.len());
                match value {
                    Some(value) if self.existed => items[at] = value.clone(),
                    Some(value) => items.insert(at.min(items.len()), value.clone()),
                    None => drop(items.remove(at)),
                }
            }
            _ => {}
        }
    }
}

fn child<'a>(at: &'a mut Value, step: &str) -> Option<&'a mut Value> {
    match at {
        Value::Object(map) => map.get_mut(step),
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    }
}

/// What stands at a pointer.
pub fn get<'a>(tree: &'a Value, pointer: &[String]) -> Option<&'a Value> {
    pointer.iter().try_fold(tree, |at, step| match at {
        Value::Object(map) => map.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The merge patch (RFC 7386) from one tree to another.
pub fn merge_patch(before: &Map<String, Value>, after: &Map<String, Value>) -> Value {
    let mut patch = Map::new();
    for (name, value) in after {
        match (before.get(name), value) {
            (Some(b), a) if b == a => {}
            (Some(Value::Object(b)), Value::Object(a)) => drop(patch.insert(name.clone(), merge_patch(b, a))),
            _ => drop(patch.insert(name.clone(), value.clone())),
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    Value::Object(patch)
}
