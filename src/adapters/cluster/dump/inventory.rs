//! The objects of a dump by kind, kept as JSON text.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::resource::{GroupKind, GroupVersion, ObjectId};

/// Namespace and name.
type Key = (Option<String>, String);

/// The objects of a dump. Not `Debug`: it holds Secrets.
#[derive(Default)]
pub(super) struct Inventory {
    kinds: BTreeMap<GroupKind, KindInventory>,
}

/// The objects of one kind. That there is one of these says that the dump was made of this kind, too.
#[derive(Default)]
pub(super) struct KindInventory {
    objects: BTreeMap<Key, BTreeMap<String, Box<RawValue>>>,
    /// In the dump twice with different content: which one is current is not known.
    ambiguous: BTreeSet<Key>,
}

/// What the dump has of one object.
pub(super) enum Held<'a> {
    /// The object at the version asked for.
    Object(&'a RawValue),
    /// Only other versions of it; the first.
    OtherVersion(&'a str),
    /// Two contents.
    Ambiguous,
    /// Nothing.
    Nothing,
}

/// Why a document is no part of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DocumentError {
    /// No `apiVersion`, `kind` or `metadata.name`, or of another type.
    #[error("not a Kubernetes object: apiVersion, kind or metadata.name is missing")]
    NoObject,
    /// One page of a LIST, with `metadata.continue`.
    #[error("one page of a longer list: the rest is not in it")]
    OnePage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow, default)]
    api_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    metadata: Option<Meta<'a>>,
}

#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "continue")]
    token: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Items<'a> {
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

impl Inventory {
    /// Takes in an object or a list of objects.
    ///
    /// # Errors
    /// One for each object that could not be taken in, and for a list that is not whole.
    pub(super) fn add(&mut self, document: &RawValue) -> Vec<DocumentError> {
        let Ok(head) = serde_json::from_str::<Head<'_>>(document.get()) else { return vec![DocumentError::NoObject] };
        let (Some(api_version), Some(kind)) = (&head.api_version, &head.kind) else {
            return vec![DocumentError::NoObject];
        };
        let of_list = kind.strip_suffix("List").and_then(|item_kind| {
            let items = serde_json::from_str::<Items<'_>>(document.get()).ok()?.items;
            // An empty typed list may be written without items; a custom kind called `…List` has a name of its own.
            let unnamed = head.metadata.as_ref().is_none_or(|meta| meta.name.is_none());
            (items.is_some() || unnamed).then_some((item_kind, items.unwrap_or_default()))
        });
        let Some((item_kind, items)) = of_list else {
            return self.add_object(document, &head, None).err().into_iter().collect();
        };
        let typed = (!item_kind.is_empty()).then_some((api_version.as_ref(), item_kind));
        if let Some((api_version, kind)) = typed {
            self.kinds.entry(GroupKind::new(GroupVersion::parse(api_version).group, kind)).or_default();
        }
        let mut errors = Vec::new();
        for item in items {
            let head = serde_json::from_str::<Head<'_>>(item.get()).map_err(|_| DocumentError::NoObject);
            errors.extend(head.and_then(|head| self.add_object(item, &head, typed)).err());
        }
        let token = head.metadata.and_then(|meta| meta.token);
        if token.is_some_and(|token| !token.is_empty()) {
            errors.push(DocumentError::OnePage);
        }
        errors
    }

    /// `typed`: apiVersion and kind of the list around it, which its items may leave out.
    fn add_object(
        &mut self,
        raw: &RawValue,
        head: &Head<'_>,
        typed: Option<(&str, &str)>,
    ) -> Result<(), DocumentError> {
        let api_version = head.api_version.as_deref().or(typed.map(|t| t.0)).ok_or(DocumentError::NoObject)?;
        let kind = head.kind.as_deref().or(typed.map(|t| t.1)).ok_or(DocumentError::NoObject)?;
        let meta = head.metadata.as_ref().ok_or(DocumentError::NoObject)?;
        let name = meta.name.as_deref().filter(|name| !name.is_empty()).ok_or(DocumentError::NoObject)?;
        let namespace = meta.namespace.as_deref().filter(|namespace| !namespace.is_empty());
        let GroupVersion { group, version } = GroupVersion::parse(api_version);
        let known = self.kinds.entry(GroupKind::new(group, kind)).or_default();
        let key = (namespace.map(str::to_owned), name.to_owned());
        match known.objects.entry(key.clone()).or_default().entry(version) {
            Entry::Vacant(free) => {
                free.insert(raw.to_owned());
            }
            Entry::Occupied(earlier) if !same(earlier.get(), raw) => {
                known.ambiguous.insert(key);
            }
            Entry::Occupied(_) => {}
        }
        Ok(())
    }

    /// The objects of a kind; `None` if the dump has nothing of it, not even an empty list.
    pub(super) fn kind(&self, kind: &GroupKind) -> Option<&KindInventory> {
        self.kinds.get(kind)
    }

    /// All kinds in order.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (&GroupKind, &KindInventory)> {
        self.kinds.iter()
    }
}

impl KindInventory {
    /// What is held of an object, by namespace and name.
    pub(super) fn find(&self, namespace: Option<&str>, name: &str, version: &str) -> Held<'_> {
        let key = (namespace.map(str::to_owned), name.to_owned());
        self.held(&key, version)
    }

    fn held(&self, key: &Key, version: &str) -> Held<'_> {
        if self.ambiguous.contains(key) {
            return Held::Ambiguous;
        }
        let Some(versions) = self.objects.get(key) else { return Held::Nothing };
        match (versions.get(version), versions.keys().next()) {
            (Some(object), _) => Held::Object(object),
            (None, Some(other)) => Held::OtherVersion(other),
            (None, None) => Held::Nothing,
        }
    }

    /// All objects in order of namespace and name, and what is held of each at a version.
    pub(super) fn all<'a>(
        &'a self,
        kind: &'a GroupKind,
        version: &'a str,
    ) -> impl Iterator<Item = (ObjectId, Held<'a>)> {
        self.objects.keys().map(move |key| {
            let (namespace, name) = key.clone();
            let id = ObjectId { group: kind.group.clone(), kind: kind.kind.clone(), namespace, name };
            (id, self.held(key, version))
        })
    }

    /// The versions at which there are objects.
    pub(super) fn versions(&self) -> BTreeSet<&str> {
        self.objects.values().flat_map(BTreeMap::keys).map(String::as_str).collect()
    }

    /// Whether any of its objects is in a namespace.
    pub(super) fn namespaced(&self) -> bool {
        self.objects.keys().any(|(namespace, _)| namespace.is_some())
    }
}

/// Whether two texts are one object; a dump may hold it once as YAML and once as JSON.
fn same(one: &RawValue, other: &RawValue) -> bool {
    one.get() == other.get()
        || matches!(
            (serde_json::from_str::<Value>(one.get()), serde_json::from_str::<Value>(other.get())),
            (Ok(one), Ok(other)) if one == other
        )
}
