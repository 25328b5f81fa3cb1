//! Which object a text is, without reading the rest of it.

use std::borrow::Cow;

use serde::Deserialize;

use crate::model::discovery::ServedKind;
use crate::model::resource::ObjectId;

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    metadata: HeadMetadata<'a>,
}

#[derive(Deserialize)]
struct HeadMetadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Option<Cow<'a, str>>,
}

/// `None` if it is no object.
pub(super) fn identity(object: &[u8], kind: &ServedKind) -> Option<ObjectId> {
    let head: Head<'_> = serde_json::from_slice(object).ok()?;
    Some(ObjectId {
        group: kind.gvk.gv.group.clone(),
        kind: kind.gvk.kind.clone(),
        namespace: head.metadata.namespace.map(Cow::into_owned),
        name: head.metadata.name.into_owned(),
    })
}
