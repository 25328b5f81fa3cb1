//! What the logged content of a write does to one field.

use serde_json::Value;

use crate::model::audit_event::{Operation, Request};
use crate::model::field_path::{FieldPath, Step};

/// What a content does to a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Touch<'a> {
    /// Nothing.
    No,
    /// Gives it this value, or a part of it.
    Sets(&'a Value),
    /// Takes it away.
    Removes,
    /// Changes something in it.
    Within,
    /// Names an element of a list by its position, which may be the one that it is in.
    Position,
}

/// What the content of a patch does to a field. `merged` is whether a patch of a list may be one of its elements by their keys, as
/// strategic merge patches and apply configurations have it, and not the list as a whole, as RFC 7386 has it.
pub(super) fn of_patch<'a>(request: &'a Request, path: &FieldPath, merged: bool) -> Touch<'a> {
    match request {
        Request::Whole(tree) => lookup(tree, path).map_or(Touch::Removes, Touch::Sets),
        Request::Part(tree) => of_part(tree, path.steps(), merged),
        Request::Operations(operations) => {
            let touches = operations.iter().map(|operation| of_operation(operation, path.steps()));
            touches.rev().find(|touch| *touch != Touch::No).unwrap_or(Touch::No)
        }
    }
}

fn of_part<'a>(tree: &'a Value, steps: &[Step], merged: bool) -> Touch<'a> {
    let directive = tree.get("$patch").and_then(Value::as_str);
    let Some((step, rest)) = steps.split_first() else {
        return if tree.is_null() || directive == Some("delete") { Touch::Removes } else { Touch::Sets(tree) };
    };
    match directive {
        Some("delete") => return Touch::Removes,
        Some("replace") => return value_at(tree, steps).map_or(Touch::Removes, Touch::Sets),
        _ => {}
    }
    match (step, tree) {
        (_, Value::Null) => Touch::Removes,
        (Step::Field(name), Value::Object(map)) => match map.get(name) {
            Some(below) => of_part(below, rest, merged),
            // `$deleteFromPrimitiveList/name` takes away elements of a list of plain values.
            None if map.contains_key(&format!("$deleteFromPrimitiveList/{name}")) => Touch::Within,
            None => Touch::No,
        },
        (Step::Index(_), Value::Array(_)) => value_at(tree, steps).map_or(Touch::Removes, Touch::Sets),
        (_, Value::Array(items)) => match items.iter().find(|item| is_element(item, step)) {
            Some(item) => of_part(item, rest, merged),
            None if merged => Touch::No,
            None => Touch::Removes,
        },
        // A scalar stands where something larger is looked for.
        (Step::Field(_), _) => Touch::Removes,
        _ => Touch::No,
    }
}

fn of_operation<'a>(operation: &'a Operation, steps: &[Step]) -> Touch<'a> {
    if operation.op == "test" {
        return Touch::No;
    }
    let mut position = false;
    for (n, (part, step)) in operation.path.iter().zip(steps).enumerate() {
        let by_position = part == "-" || part.parse::<usize>().is_ok();
        match step {
            Step::Field(name) if name == part => {}
            Step::Index(index) if part.parse() == Ok(*index) => {}
            Step::Field(_) => return Touch::No,
            _ if !by_position => return Touch::No,
            // A new element says itself which one it is.
            _ if n + 1 == operation.path.len() && operation.value.is_some() => {
                let Some(value) = operation.value.as_ref().filter(|value| is_element(value, step)) else {
                    return Touch::No;
                };
                return value_at(value, &steps[n + 1..]).map_or(Touch::Removes, Touch::Sets);
            }
            _ => position = true,
        }
    }
    if position {
        return Touch::Position;
    }
    if operation.path.len() > steps.len() {
        return Touch::Within;
    }
    match (&operation.value, operation.op.as_str()) {
        (Some(value), _) => value_at(value, &steps[operation.path.len()..]).map_or(Touch::Removes, Touch::Sets),
        (None, "remove") => Touch::Removes,
        // What is moved or copied there the log does not show.
        (None, _) => Touch::Within,
    }
}

fn is_element(item: &Value, step: &Step) -> bool {
    match step {
        // A key may be left to its default, as the protocol of a port.
        Step::Key(keys) => {
            keys.iter().any(|(name, value)| item.get(name) == Some(value))
                && keys.iter().all(|(name, value)| item.get(name).is_none_or(|given| given == value))
        }
        Step::Item(value) => item == value,
        Step::Field(_) | Step::Index(_) => false,
    }
}

/// The value at a field of an object.
pub(super) fn lookup<'a>(tree: &'a Value, path: &FieldPath) -> Option<&'a Value> {
    value_at(tree, path.steps())
}

fn value_at<'a>(tree: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    let found = steps.iter().try_fold(tree, |at, step| match step {
        Step::Field(name) => at.get(name),
        Step::Index(index) => at.as_array()?.get(*index),
        Step::Key(_) | Step::Item(_) => at.as_array()?.iter().find(|item| is_element(item, step)),
    });
    found.filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operations(list: Value) -> Request {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let operation = |op: &Value| Operation {
            op: text(&op["op"]),
            path: text(&op["path"]).split('/').skip(1).map(str::to_owned).collect(),
            value: op.get("value").cloned(),
        };
        Request::Operations(list.as_array().unwrap().iter().map(operation).collect())
    }

    #[test]
    fn a_patch_touches_a_field_or_it_does_not() {
        let image = r#".spec.template.spec.containers[name="api"].image"#;
        let container = r#".spec.template.spec.containers[name="api"]"#;
        let containers = |list: Value| Request::Part(json!({"spec": {"template": {"spec": {"containers": list}}}}));
        let (one, gone) = (json!("x:1"), json!(null));
        for (case, path, request, merged, expected) in [
            (
                "a merge patch",
                ".spec.replicas",
                Request::Part(json!({"spec": {"replicas": "x:1"}})),
                true,
                Touch::Sets(&one),
            ),
            ("of another field", ".spec.paused", Request::Part(json!({"spec": {"replicas": 5}})), true, Touch::No),
            (
                "a null takes away",
                ".spec.paused",
                Request::Part(json!({"spec": {"paused": gone}})),
                true,
                Touch::Removes,
            ),
            (
                "a null above it",
                ".spec.strategy.type",
                Request::Part(json!({"spec": {"strategy": null}})),
                true,
                Touch::Removes,
            ),
            (
                "an element by its key",
                image,
                containers(json!([{"name": "api", "image": "x:1"}])),
                true,
                Touch::Sets(&one),
            ),
            ("another element", image, containers(json!([{"name": "web", "image": "x:1"}])), true, Touch::No),
            (
                "a list that is replaced",
                image,
                containers(json!([{"name": "web", "image": "x:1"}])),
                false,
                Touch::Removes,
            ),
            (
                "an element that is deleted",
                image,
                containers(json!([{"$patch": "delete", "name": "api"}])),
                true,
                Touch::Removes,
            ),
            (
                "the whole element is deleted",
                container,
                containers(json!([{"$patch": "delete", "name": "api"}])),
                true,
                Touch::Removes,
            ),
            (
                "a map that is replaced",
                ".spec.selector.app",
                Request::Part(json!({"spec": {"selector": {"$patch": "replace", "tier": "a"}}})),
                true,
                Touch::Removes,
            ),
            (
                "elements of plain values",
                ".metadata.finalizers[=\"a\"]",
                Request::Part(json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}})),
                true,
                Touch::Within,
            ),
            (
                "a JSON patch",
                ".spec.replicas",
                operations(json!([{"op": "replace", "path": "/spec/replicas", "value": "x:1"}])),
                true,
                Touch::Sets(&one),
            ),
            (
                "of another field",
                ".spec.paused",
                operations(json!([{"op": "replace", "path": "/spec/replicas", "value": 5}])),
                true,
                Touch::No,
            ),
            (
                "a test changes nothing",
                ".spec.replicas",
                operations(json!([{"op": "test", "path": "/spec/replicas", "value": 5}])),
                true,
                Touch::No,
            ),
            (
                "of what is around it",
                ".spec.replicas",
                operations(json!([{"op": "add", "path": "/spec", "value": {"replicas": "x:1"}}])),
                true,
                Touch::Sets(&one),
            ),
            (
                "of what is in it",
                ".rules",
                operations(json!([{"op": "add", "path": "/rules/0/verbs/-", "value": "delete"}])),
                true,
                Touch::Within,
            ),
            (
                "by a position",
                image,
                operations(
                    json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "x:1"}]),
                ),
                true,
                Touch::Position,
            ),
            (
                "by the position of a list of values",
                ".spec.args[0]",
                operations(json!([{"op": "replace", "path": "/spec/args/0", "value": "x:1"}])),
                true,
                Touch::Sets(&one),
            ),
            (
                "a new element",
                image,
                operations(
                    json!([{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "api", "image": "x:1"}}]),
                ),
                true,
                Touch::Sets(&one),
            ),
            (
                "another new element",
                image,
                operations(json!([{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "b"}}])),
                true,
                Touch::No,
            ),
            (
                "removed",
                ".spec.paused",
                operations(json!([{"op": "remove", "path": "/spec/paused"}])),
                true,
                Touch::Removes,
            ),
            (
                "the last operation counts",
                ".spec.a",
                operations(
                    json!([{"op": "remove", "path": "/spec/a"}, {"op": "add", "path": "/spec/a", "value": "x:1"}]),
                ),
                true,
                Touch::Sets(&one),
            ),
            ("moved there", ".spec.a", operations(json!([{"op": "move", "path": "/spec/a"}])), true, Touch::Within),
            (
                "a whole object",
                ".spec.replicas",
                Request::Whole(json!({"spec": {"replicas": "x:1"}})),
                true,
                Touch::Sets(&one),
            ),
            ("a whole object without it", ".spec.paused", Request::Whole(json!({"spec": {}})), true, Touch::Removes),
        ] {
            let path = FieldPath::parse(path).unwrap();
            assert_eq!(of_patch(&request, &path, merged), expected, "{case}");
        }
    }
}
