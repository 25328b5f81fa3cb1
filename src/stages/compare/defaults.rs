//! What a live field is that Git does not declare: the server's default, or something that somebody put there.

use serde_json::{Map, Value};

use super::absence::{is_empty, is_zero};
use super::place::Place;
use super::walk;
use crate::model::field_path::FieldPath;
use crate::model::schema::{Derived, Field, Scalar, SchemaRef, Shape};
use crate::stages::pick::lookup;

/// Where an undeclared live field comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The server would put it there; the name of the rule.
    Server(&'static str),
    /// It is there in any case: what is inside decides.
    Within,
    /// No default explains it.
    Unexplained,
}

/// What an object and its declaration have beside a field: some defaults hang on it.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    pub(super) live: &'a Map<String, Value>,
    /// `None` where Git declares nothing of the object.
    pub(super) declared: Option<&'a Map<String, Value>>,
}

/// All that a default may hang on.
#[derive(Clone, Copy)]
pub(super) struct Around<'p, 'a> {
    pub(super) beside: Beside<'a>,
    /// Where the field is.
    pub(super) place: &'p Place<'a>,
    /// The declared object and the live one.
    pub(super) roots: [&'a Value; 2],
}

pub(super) fn source_of(
    live: &Value,
    field: Option<&Field>,
    schema: Option<SchemaRef<'_>>,
    around: Around<'_, '_>,
) -> Source {
    if live.is_null() {
        return Source::Server("null-equals-absent");
    }
    let Some(field) = field else { return Source::Unexplained };
    if field.default.as_ref().is_some_and(|default| same(default, live, schema)) {
        return Source::Server("default");
    }
    if field.derived.is_some_and(|derived| is_derived(derived, live, schema, around)) {
        return Source::Server("derived-default");
    }
    // Go writes such a field whatever it holds, or cannot hold a value that differs from absence.
    let says_nothing = field.pointer == Some(false) && (field.omit_empty == Some(false) || is_empty(live));
    let zero_quantity = || matches!(schema.map(SchemaRef::shape), Some(Shape::Scalar(Scalar::Quantity))) && live == "0";
    if (is_zero(live) && says_nothing) || (field.pointer == Some(false) && zero_quantity()) {
        return Source::Server("zero-equals-absent");
    }
    let by_default = field.default.as_ref().is_some_and(Value::is_object)
        || matches!(field.derived, Some(Derived::OneOf(values)) if values.iter().any(|value| value.starts_with('{')));
    let go_struct = field.pointer == Some(false);
    let is_struct = matches!(schema.map(SchemaRef::shape), Some(Shape::Object { additional: None, .. }));
    if live.is_object() && is_struct && (by_default || go_struct) { Source::Within } else { Source::Unexplained }
}

/// Equal in meaning, nothing more and nothing less.
fn same(default: &Value, live: &Value, schema: Option<SchemaRef<'_>>) -> bool {
    default == live || walk::equal_exactly(default, live, schema)
}

/// The server decided when the object was written: what it went by may have changed since, and the value stayed. So both what is
/// beside the field now and what Git declares there explain it.
fn is_derived(derived: Derived, live: &Value, schema: Option<SchemaRef<'_>>, around: Around<'_, '_>) -> bool {
    let beside = around.beside;
    match derived {
        Derived::OneOf(values) => values.iter().any(|value| is_json(value, live, schema)),
        Derived::In(values) => {
            let of_parent = values.iter().find(|(parent, _)| around.place.around() == Some(parent));
            of_parent.is_some_and(|(_, value)| is_json(value, live, schema))
        }
        Derived::CopyOfDeclared(name) => beside.declared.and_then(|declared| declared.get(name)) == Some(live),
        Derived::HostPort => {
            beside.live.get("containerPort") == Some(live)
                && around
                    .place
                    .pod_spec()
                    .is_some_and(|pod| around.roots.iter().any(|root| on_host_network(root, &pod)))
        }
        _ => [Some(beside.live), beside.declared]
            .into_iter()
            .flatten()
            .any(|beside| follows_from(derived, live, schema, beside)),
    }
}

/// Whether a live value is this one, written in JSON.
fn is_json(value: &str, live: &Value, schema: Option<SchemaRef<'_>>) -> bool {
    serde_json::from_str(value).is_ok_and(|value| same(&value, live, schema))
}

fn on_host_network(object: &Value, pod_spec: &FieldPath) -> bool {
    lookup(object, pod_spec).and_then(|pod| pod.get("hostNetwork")) == Some(&Value::Bool(true))
}

fn follows_from(derived: Derived, live: &Value, schema: Option<SchemaRef<'_>>, beside: &Map<String, Value>) -> bool {
    let text = |name: &str| beside.get(name).and_then(Value::as_str);
    match derived {
        Derived::OneOf(_) | Derived::In(_) | Derived::HostPort | Derived::CopyOfDeclared(_) => false,
        Derived::Given { field, with, without } => {
            let is_set = beside.get(field).is_some_and(|value| !value.is_null());
            is_json(if is_set { with } else { without }, live, schema)
        }
        Derived::Alone(value, with) => {
            let alone =
                || beside.iter().all(|(name, other)| with.contains(&name.as_str()) || std::ptr::eq(other, live));
            is_json(value, live, schema) && alone()
        }
        Derived::CopyOf(path) => {
            let mut parts = path.split('.');
            let first = parts.next().and_then(|name| beside.get(name));
            parts.try_fold(first, |at, name| Some(at?.get(name))).flatten() == Some(live)
        }
        Derived::PullPolicyOf(image) => text(image).map(pull_policy).is_some_and(|policy| live == policy),
        Derived::PolicyTypes => {
            let egress = beside.get("egress").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty());
            let types: &[&str] = if egress { &["Ingress", "Egress"] } else { &["Ingress"] };
            live.as_array().is_some_and(|live| live.iter().map(Value::as_str).eq(types.iter().map(|t| Some(*t))))
        }
        Derived::ListKind => text("kind").is_some_and(|kind| live == &format!("{kind}List")),
        Derived::Singular => text("kind").is_some_and(|kind| live == &kind.to_lowercase()),
        Derived::Limits => beside.get("limits").is_some_and(|limits| same(limits, live, schema)),
    }
}

/// Source: `SetDefaults_Container` in `pkg/apis/core/v1/defaults.go`.
fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    // A colon before the last slash is a registry's port.
    let tag = name.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
    match (tag, digest) {
        (Some("latest"), _) | (None, None) => "Always",
        _ => "IfNotPresent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pull_policy_follows_the_tag() {
        for (image, policy) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("nginx:1.25", "IfNotPresent"),
            ("registry.example.com:5000/shop/api", "Always"),
            ("registry.example.com:5000/shop/api:1", "IfNotPresent"),
            ("nginx@sha256:0123", "IfNotPresent"),
            ("nginx:latest@sha256:0123", "Always"),
        ] {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }
}
