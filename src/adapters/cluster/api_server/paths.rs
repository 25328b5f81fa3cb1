//! URLs of the resource API.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::discovery::ServedKind;
use crate::model::resource::{GroupVersion, ObjectId};

/// Everything but RFC 3986's unreserved characters and the `:` of RBAC names.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `/api/v1` or `/apis/apps/v1`.
pub(super) fn group_version(gv: &GroupVersion) -> String {
    if gv.group.is_empty() { format!("/api/{}", gv.version) } else { format!("/apis/{}/{}", gv.group, gv.version) }
}

fn collection(kind: &ServedKind, namespace: Option<&str>) -> String {
    let root = group_version(&kind.gvk.gv);
    match namespace {
        Some(namespace) => format!("{root}/namespaces/{}/{}", utf8_percent_encode(namespace, SEGMENT), kind.plural),
        None => format!("{root}/{}", kind.plural),
    }
}

/// A page of a LIST, cluster-wide or of one namespace.
pub(super) fn page(kind: &ServedKind, namespace: Option<&str>, limit: u32, token: Option<&str>) -> String {
    let mut path = collection(kind, namespace);
    // Writing to a String cannot fail.
    let _ = write!(path, "?limit={limit}");
    if let Some(token) = token {
        let _ = write!(path, "&continue={}", utf8_percent_encode(token, VALUE));
    }
    path
}

/// One object; `None` where its identity does not fit its kind's scope.
pub(super) fn object(kind: &ServedKind, object: &ObjectId) -> Option<String> {
    if kind.namespaced != object.namespace.is_some() {
        return None;
    }
    let collection = collection(kind, object.namespace.as_deref());
    Some(format!("{collection}/{}", utf8_percent_encode(&object.name, SEGMENT)))
}

/// A kind and where, for people: `Deployment.apps in shop`.
pub(super) fn place(kind: &ServedKind, namespace: Option<&str>) -> String {
    let kind = kind.gvk.group_kind();
    namespace.map_or_else(|| kind.to_string(), |namespace| format!("{kind} in {namespace}"))
}
