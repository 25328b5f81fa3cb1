//! Where the walk is. Steps borrow from the objects: a path is only built where there is something to say.

use serde_json::Value;

use super::lists::element_keys;
use crate::model::field_path::{FieldPath, Step};
use crate::model::schema::SchemaRef;

/// One step, borrowed.
#[derive(Clone, Copy)]
pub(super) enum Here<'a> {
    Field(&'a str),
    /// An element of a list that is matched by key.
    Element {
        element: &'a Value,
        keys: &'a [String],
        item: Option<SchemaRef<'a>>,
    },
    Item(&'a Value),
    Index(usize),
}

/// The steps from the object's root.
#[derive(Default)]
pub(super) struct Place<'a>(Vec<Here<'a>>);

impl<'a> Place<'a> {
    pub(super) fn push(&mut self, step: Here<'a>) {
        self.0.push(step);
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    /// One step from the object's root.
    pub(super) fn is_top(&self) -> bool {
        self.0.len() == 1
    }

    /// The name of the field that the walk is at, if the last step is one.
    pub(super) fn field(&self) -> Option<&'a str> {
        match self.0.last() {
            Some(Here::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// The name of the field that the object around the walk's place stands in.
    pub(super) fn around(&self) -> Option<&'a str> {
        match self.0.iter().rev().nth(1) {
            Some(Here::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// Where the spec of the Pod is, if the walk is in one of its containers.
    pub(super) fn pod_spec(&self) -> Option<FieldPath> {
        let containers = ["containers", "initContainers", "ephemeralContainers"];
        let at = self.0.iter().rposition(|here| matches!(here, Here::Field(name) if containers.contains(name)))?;
        Some(FieldPath::from(self.0.iter().take(at).map(Here::step).collect::<Vec<_>>()))
    }

    pub(super) fn path(&self) -> FieldPath {
        FieldPath::from(self.0.iter().map(Here::step).collect::<Vec<_>>())
    }
}

impl Here<'_> {
    fn step(&self) -> Step {
        match self {
            Self::Field(name) => Step::Field((*name).to_owned()),
            Self::Element { element, keys, item } => Step::Key(element_keys(element, keys, *item)),
            Self::Item(value) => Step::Item((*value).clone()),
            Self::Index(index) => Step::Index(*index),
        }
    }
}
