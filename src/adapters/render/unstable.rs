//! What differs between two runs of a renderer over the same files.

use std::collections::BTreeMap;

use serde_json::Value;

use super::renderer::Rendered;
use crate::model::declared::{RenderedObject, UnstablePlace};
use crate::model::gap::Exclusion;
use crate::model::ids::TargetName;

type Identity = (String, String, Option<String>, String);

/// Why what differs between two renderings of the same says nothing, and whether nothing may stand there.
pub const EACH_TIME: (&str, bool) = ("it is another value each time the target is rendered", false);

/// Notes the places of one run that another has another value at, and leaves out objects that the other does not have: their names differ
/// from run to run.
pub fn compare(rendered: &mut Rendered, other: &Rendered, target: &TargetName, (why, may_be_absent): (&str, bool)) {
    let others: BTreeMap<Identity, &RenderedObject> =
        other.objects.iter().map(|object| (identity(object), object)).collect();
    let mut unstable = Vec::new();
    let before = rendered.objects.len();
    rendered.objects.retain(|object| {
        let Some(other) = others.get(&identity(object)) else { return false };
        if other.json != object.json
            && let (Ok(one), Ok(other)) = (object.tree(), other.tree())
        {
            let mut pointers = Vec::new();
            differing(&one, &other, &mut String::new(), &mut pointers);
            let (group, kind) = (object.gvk.gv.group.clone(), object.gvk.kind.clone());
            unstable.extend(pointers.into_iter().map(|pointer| UnstablePlace {
                group: group.clone(),
                kind: kind.clone(),
                name: object.name.clone(),
                pointer,
                why: why.to_owned(),
                may_be_absent,
            }));
        }
        true
    });
    let unnamed = (before - rendered.objects.len()) as u64;
    if unnamed > 0 {
        rendered.left_out.push(Exclusion {
            scope: target.to_string(),
            what: "objects that only some renderings have".into(),
            reason: why.to_owned(),
            count: Some(unnamed),
        });
    }
    unstable.retain(|place| !rendered.unstable.contains(place));
    rendered.unstable.extend(unstable);
}

fn identity(object: &RenderedObject) -> Identity {
    (object.gvk.gv.group.clone(), object.gvk.kind.clone(), object.namespace.clone(), object.name.clone())
}

/// JSON pointers of what differs, as deep as both sides have the same shape.
fn differing(one: &Value, other: &Value, at: &mut String, found: &mut Vec<String>) {
    let mut below = |key: &str, one: &Value, other: &Value, at: &mut String| {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        differing(one, other, at, found);
        at.truncate(length);
    };
    match (one, other) {
        (Value::Object(one), Value::Object(other))
            if one.len() == other.len() && one.keys().all(|k| other.contains_key(k)) =>
        {
            for (key, value) in one {
                below(key, value, &other[key], at);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (n, (one, other)) in one.iter().zip(other).enumerate() {
                below(&n.to_string(), one, other, at);
            }
        }
        (one, other) if one == other => {}
        _ => found.push(at.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_as_deep_as_both_have_the_same_shape() {
        let found = |one: Value, other: Value| {
            let mut found = Vec::new();
            differing(&one, &other, &mut String::new(), &mut found);
            found
        };
        assert_eq!(found(json!({"a": {"b/c": 1, "d": 2}}), json!({"a": {"b/c": 3, "d": 2}})), ["/a/b~1c"]);
        assert_eq!(found(json!({"a": [{"x": 1}, {"x": 2}]}), json!({"a": [{"x": 1}, {"x": 3}]})), ["/a/1/x"]);
        assert_eq!(found(json!({"a": {"r1": 1}}), json!({"a": {"r2": 1}})), ["/a"]);
        assert_eq!(found(json!({"a": 1}), json!({"a": 1})), [""; 0]);
    }
}
