//! Which URLs the guard lets through: path shapes and, for each, query keys.
//!
//! Source of the shapes: "Kubernetes API Concepts", resource URIs, and `k8s.io/apiserver` `endpoints/request` for the
//! verbs that hide in paths (`watch`, `proxy`).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What a path reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// Discovery, version or health.
    Server,
    /// One OpenAPI v3 document.
    Schema,
    /// A collection of objects.
    List,
    /// One object, itself and no subresource.
    Object,
}

/// Last segments that are verbs or subresources where a resource name could stand, as in `/api/v1/namespaces/shop/finalize`
/// and `/api/v1/watch/pods`. A custom resource of such a name cannot be read.
const NOT_RESOURCES: [&str; 19] = [
    "approval",
    "attach",
    "binding",
    "ephemeralcontainers",
    "eviction",
    "exec",
    "finalize",
    "log",
    "portforward",
    "proxy",
    "redirect",
    "resize",
    "rollback",
    "scale",
    "status",
    "token",
    "tokens",
    "watch",
    "instantiate",
];

/// What an absolute path reads; `None` where it is none of the shapes that only read.
pub(super) fn path(path: &str) -> Option<Reads> {
    let segments: Vec<Cow<'_, str>> = path.strip_prefix('/')?.split('/').map(segment).collect::<Option<_>>()?;
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    match segments.as_slice() {
        ["version" | "healthz" | "livez" | "readyz" | "api" | "apis"] | ["openapi", "v3"] => Some(Reads::Server),
        ["openapi", "v3", "api" | "apis"] => Some(Reads::Schema),
        ["openapi", "v3", "api", version] => label(version).then_some(Reads::Schema),
        ["openapi", "v3", "apis", group] => api_group(group).then_some(Reads::Schema),
        ["openapi", "v3", "apis", group, version] => (api_group(group) && label(version)).then_some(Reads::Schema),
        ["api", version] => label(version).then_some(Reads::Server),
        ["apis", group] => api_group(group).then_some(Reads::Server),
        ["apis", group, version] => (api_group(group) && label(version)).then_some(Reads::Server),
        ["api", version, rest @ ..] if label(version) => resource_path(rest),
        ["apis", group, version, rest @ ..] if api_group(group) && label(version) => resource_path(rest),
        _ => None,
    }
}

fn resource_path(segments: &[&str]) -> Option<Reads> {
    match segments {
        [plural] => resource(plural).then_some(Reads::List),
        [plural, _name] => resource(plural).then_some(Reads::Object),
        ["namespaces", namespace, plural] => (label(namespace) && resource(plural)).then_some(Reads::List),
        ["namespaces", namespace, plural, _name] => (label(namespace) && resource(plural)).then_some(Reads::Object),
        _ => None,
    }
}

/// Whether a query, as it stands in the URL, has only keys that narrow or page what such a path reads.
pub(super) fn query(reads: Reads, query: &str) -> bool {
    let mut seen = Vec::new();
    query.split('&').all(|pair| {
        let Some((key, raw)) = pair.split_once('=') else { return false };
        let Ok(value) = percent_decode_str(raw).decode_utf8() else { return false };
        let number = !value.is_empty() && value.len() <= 10 && value.bytes().all(|b| b.is_ascii_digit());
        let known = match (reads, key) {
            (Reads::Schema, "hash") => true,
            (Reads::List, "limit" | "timeoutSeconds") => number,
            (Reads::List, "resourceVersionMatch") => matches!(value.as_ref(), "Exact" | "NotOlderThan"),
            (Reads::List, "continue" | "labelSelector" | "fieldSelector") => true,
            (Reads::List | Reads::Object, "resourceVersion") => true,
            _ => false,
        };
        // The server takes the first of two equal keys, a proxy before it perhaps the last.
        let first = !seen.contains(&key);
        seen.push(key);
        known && first && !value.chars().any(char::is_control)
    })
}

/// A decoded segment. What a proxy or a second decoding could read as another path is refused.
fn segment(raw: &str) -> Option<Cow<'_, str>> {
    let text = percent_decode_str(raw).decode_utf8().ok()?;
    let ambiguous = |c: char| c.is_control() || matches!(c, '/' | '\\' | '%' | '?' | '#' | ';');
    (!text.is_empty() && text != "." && text != ".." && !text.contains(ambiguous)).then_some(text)
}

/// A DNS label: versions, namespaces, resources.
fn label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// An API group. KubeVirt and others put actions that answer to GET in groups called `subresources.…`.
fn api_group(text: &str) -> bool {
    let named = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    named && !text.starts_with("subresources.")
}

fn resource(text: &str) -> bool {
    label(text) && !NOT_RESOURCES.contains(&text)
}
