//! What was sent and what came of it, redacted as it is read.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::model::audit_event::{Body, Operation, Request, Verb};
use crate::model::resource::ObjectId;
use crate::model::secret::{RedactionKey, RedactionRules, redact};
use crate::yaml;

/// Largest content that is looked at.
const MOST_BYTES: usize = 4 << 20;

/// What hides secrets.
#[derive(Clone, Copy)]
pub(super) struct Hide<'a> {
    pub(super) key: &'a RedactionKey,
    pub(super) rules: &'a RedactionRules,
}

/// The content of a write; `None` if the log holds none that can be read.
pub(super) fn body(
    verb: Verb,
    request: Option<&RawValue>,
    response: Option<&RawValue>,
    object: &ObjectId,
    hide: Hide<'_>,
) -> Option<Body> {
    let response =
        response.and_then(value).filter(|tree| is_object_of(tree, object)).map(|tree| hide.whole(tree, object));
    let request = request.and_then(value).and_then(|tree| sent(verb, tree, object, hide));
    (request.is_some() || response.is_some()).then_some(Body { request, response })
}

/// The name of the object that a write made, where the URL has none.
pub(super) fn name_of(raw: Option<&RawValue>) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        name: String,
    }
    let named: Named = serde_json::from_str(raw?.get()).ok()?;
    Some(named.metadata.name).filter(|name| !name.is_empty())
}

fn value(raw: &RawValue) -> Option<Value> {
    if raw.get().len() > MOST_BYTES {
        return None;
    }
    let value: Value = serde_json::from_str(raw.get()).ok()?;
    match value {
        // An apply configuration may have been sent as YAML.
        Value::String(text) => {
            let document = yaml::read_documents(&text, &yaml::Limits::default()).into_iter().next()?.ok()?;
            Some(yaml::to_json(&document.root)).filter(Value::is_object)
        }
        value => Some(value),
    }
}

/// A response may be a `Status`, or the `Scale` of a scale subresource.
fn is_object_of(tree: &Value, object: &ObjectId) -> bool {
    tree.get("kind").and_then(Value::as_str).is_none_or(|kind| kind == object.kind) && tree.get("metadata").is_some()
}

fn sent(verb: Verb, mut tree: Value, object: &ObjectId, hide: Hide<'_>) -> Option<Request> {
    if let Some(map) = tree.as_object_mut() {
        // Cloud Logging names the message type, and puts what is no object under `value`.
        map.remove("@type");
        if map.len() == 1 && map.get("value").is_some_and(Value::is_array) {
            tree = tree["value"].take();
        }
    }
    match (verb, tree) {
        (Verb::Patch, Value::Array(operations)) => {
            Some(Request::Operations(operations.into_iter().filter_map(|op| operation(op, object, hide)).collect()))
        }
        (Verb::Patch, tree @ Value::Object(_)) => Some(Request::Part(hide.whole(tree, object))),
        (Verb::Create | Verb::Update, tree @ Value::Object(_)) => Some(Request::Whole(hide.whole(tree, object))),
        _ => None,
    }
}

fn operation(tree: Value, object: &ObjectId, hide: Hide<'_>) -> Option<Operation> {
    let path: Vec<String> =
        tree.get("path")?.as_str()?.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    let op = tree.get("op")?.as_str()?.to_owned();
    let value = tree.get("value").map(|value| hide.at(&path, value.clone(), object));
    Some(Operation { op, path, value })
}

impl Hide<'_> {
    fn whole(self, mut tree: Value, object: &ObjectId) -> Value {
        // Large, and never compared.
        if let Some(map) = tree.as_object_mut() {
            map.remove("status");
        }
        if let Some(metadata) = tree.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        redact(&mut tree, object, self.key, self.rules);
        tree
    }

    /// A value at a place, redacted as it would be in its object.
    fn at(self, path: &[String], value: Value, object: &ObjectId) -> Value {
        let in_place = path.iter().rev().fold(value, |below, part| {
            if is_position(part) { Value::Array(vec![below]) } else { json!({part.as_str(): below}) }
        });
        let mut tree = self.whole(in_place, object);
        for part in path {
            tree = match &mut tree {
                Value::Array(items) if !items.is_empty() => items.swap_remove(0),
                Value::Object(map) => match map.remove(part.as_str()) {
                    Some(below) => below,
                    // Redaction folds `stringData` of a Secret into `data`.
                    None if part == "stringData" => map.remove("data").unwrap_or_default(),
                    None => return Value::Null,
                },
                // Something above it is hidden as a whole, and this with it.
                _ => return tree,
            };
        }
        tree
    }
}

fn is_position(part: &str) -> bool {
    part == "-" || (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}
