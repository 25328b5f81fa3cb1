//! The shape of a value: fields, lists with their keys, scalars.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::derived::Derived;
use crate::model::resource::Gvk;

/// What sort of value stands in a place.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Shape {
    /// Named fields, or a map with keys of its own.
    Object {
        /// By name.
        fields: BTreeMap<String, Field>,
        /// The values of a map's keys, where it is one.
        additional: Option<NodeId>,
        /// `x-kubernetes-preserve-unknown-fields`: the server keeps what it does not know.
        preserve_unknown: bool,
        /// `x-kubernetes-map-type: atomic`: owned and replaced as a whole.
        atomic: bool,
    },
    /// A list.
    List {
        /// Its elements.
        item: NodeId,
        /// How elements are told apart.
        kind: ListKind,
    },
    /// A scalar.
    Scalar(Scalar),
    /// Nothing is known: compared as it stands.
    Any,
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Field {
    /// Its shape.
    pub node: NodeId,
    /// What the server puts where nothing is declared; zero values of Go structs are not defaults and left out.
    pub default: Option<Value>,
    /// Whether the schema requires it.
    pub required: bool,
    /// Go's `omitempty`, where the facts of built-in kinds say: a zero value is not written.
    pub omit_empty: Option<bool>,
    /// Whether the Go field is a pointer, where the facts say: a zero value then differs from absence.
    pub pointer: Option<bool>,
    /// By what the server decides a default that is not the same for all objects.
    pub derived: Option<Derived>,
}

/// How the elements of a list are told apart (`x-kubernetes-list-type`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// Replaced as a whole; order has a meaning.
    Atomic,
    /// Scalars without order.
    Set,
    /// Elements with keys; the keys in the schema's order.
    Map(Vec<String>),
}

/// A scalar's type, as far as it decides when two texts are one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// `true`, `false`.
    Boolean,
    /// Whole number.
    Integer,
    /// Any number.
    Number,
    /// Text.
    String,
    /// `resource.Quantity`.
    Quantity,
    /// `intstr.IntOrString`: `80` and `"80"` differ.
    IntOrString,
    /// `metav1.Time` or `MicroTime`.
    Time,
    /// `metav1.Duration`.
    Duration,
    /// Base64 of bytes.
    Bytes,
}

/// Index of a shape in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub(super) u32);

/// The shapes of one OpenAPI document.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) shapes: Vec<Shape>,
    pub(super) names: HashMap<String, NodeId>,
    pub(super) kinds: Vec<(Gvk, NodeId)>,
    /// Of all shapes, once it was asked for.
    pub(super) hash: OnceLock<u64>,
}

/// The schemas of a cluster's kinds.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    kinds: HashMap<Gvk, (Arc<Document>, NodeId)>,
}

/// A shape with the document it is in.
#[derive(Clone, Copy, Debug)]
pub struct SchemaRef<'a> {
    document: &'a Document,
    node: NodeId,
}

impl Schemas {
    /// The schema of a kind at a version.
    pub fn kind(&self, gvk: &Gvk) -> Option<SchemaRef<'_>> {
        let (document, node) = self.kinds.get(gvk)?;
        Some(SchemaRef { document, node: *node })
    }

    /// Takes over the kinds of another set; what both have is taken from `other`.
    pub fn extend(&mut self, other: Schemas) {
        self.kinds.extend(other.kinds);
    }

    /// Number of kinds.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// True if no kind is known.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    pub(super) fn from_document(document: Document) -> Self {
        let mut schemas = Self::default();
        schemas.insert(document);
        schemas
    }

    pub(super) fn insert(&mut self, document: Document) {
        let document = Arc::new(document);
        for (gvk, node) in &document.kinds {
            self.kinds.insert(gvk.clone(), (Arc::clone(&document), *node));
        }
    }
}

impl<'a> SchemaRef<'a> {
    /// Differs where anything in the schema does: what was found out under another one may be wrong now. The same for the same document
    /// as long as the program is the same.
    pub fn hash(self) -> u64 {
        let of_all = || {
            let mut hasher = DefaultHasher::new();
            self.document.shapes.hash(&mut hasher);
            hasher.finish()
        };
        let mut hasher = DefaultHasher::new();
        (self.document.hash.get_or_init(of_all), self.node).hash(&mut hasher);
        hasher.finish()
    }

    /// The shape.
    pub fn shape(self) -> &'a Shape {
        self.document.shapes.get(self.node.0 as usize).unwrap_or(&Shape::Any)
    }

    /// The shape of another node of the same document.
    pub fn at(self, node: NodeId) -> SchemaRef<'a> {
        SchemaRef { document: self.document, node }
    }

    /// A named field.
    pub fn field(self, name: &str) -> Option<&'a Field> {
        match self.shape() {
            Shape::Object { fields, .. } => fields.get(name),
            _ => None,
        }
    }

    /// The shape of a field or of a map's values.
    pub fn child(self, name: &str) -> Option<SchemaRef<'a>> {
        match self.shape() {
            Shape::Object { fields, additional, .. } => {
                fields.get(name).map(|f| f.node).or(*additional).map(|node| self.at(node))
            }
            _ => None,
        }
    }

    /// Whether the place holds entries that come and go one by one, each under a key of its own: a map, not a struct.
    pub fn is_map(self) -> bool {
        matches!(self.shape(), Shape::Object { fields, additional: Some(_), .. } if fields.is_empty())
    }

    /// The shape of a list's elements.
    pub fn item(self) -> Option<SchemaRef<'a>> {
        match self.shape() {
            Shape::List { item, .. } => Some(self.at(*item)),
            _ => None,
        }
    }
}
