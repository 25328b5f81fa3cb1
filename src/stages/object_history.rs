//! Versions of an object: what a revision declared of it, commit after commit.

use std::sync::Arc;

use serde_json::Value;

use super::compare;
use super::inside::Inside;
use super::pick::lookup;
use crate::model::attribution::DeclaredBy;
use crate::model::field_path::FieldPath;
use crate::model::history::CommitInfo;
use crate::model::ids::CommitId;
use crate::model::schema::SchemaRef;

/// From one commit on until the next version: what a revision declares of an object, as far as it was asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectVersion {
    /// The commit that brought it to the revision; of one that began before the history at hand, the last commit before that.
    pub commit: Arc<CommitInfo>,
    /// First-parent commits between it and the tracked commit.
    pub commits_behind: u64,
    /// The newest commit that still declares it so, and how far that is behind.
    pub last: (CommitId, u64),
    /// Normalised and redacted; `None` where nothing declares the object.
    pub value: Option<Arc<Value>>,
    /// False where a content cannot be read that may declare it.
    pub readable: bool,
}

/// An object's versions, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectHistory {
    /// Newest first; the first is the present one.
    pub versions: Vec<ObjectVersion>,
    /// For each difference that was asked about, in order: the newest version before the present one that has the live value.
    pub matched: Vec<Option<usize>>,
    /// True if it reaches back to where the object, or the revision, began.
    pub whole: bool,
    /// The version that gave the object as a whole its present content, or took it away; see [`Self::settle`].
    pub object_since: Option<usize>,
    /// Of an object that is declared no more: the version that gave it its last content. `None` where that was before the history at hand.
    pub object_last: Option<usize>,
    /// Where merges brought versions: who changed a field (`None`: the object) in what they merged.
    pub authors: Vec<(usize, Option<FieldPath>, Arc<CommitInfo>)>,
    /// What stood only inside of what merges brought, where that was asked for.
    pub inside: Inside,
}

/// What a version has at a place.
#[derive(Clone, Copy)]
enum State<'a> {
    NoObject,
    Absent,
    Value(&'a Value),
    Unknown,
}

impl ObjectVersion {
    /// A field, or for `None` the object itself.
    fn state(&self, path: Option<&FieldPath>) -> State<'_> {
        match (&self.value, path) {
            _ if !self.readable => State::Unknown,
            (None, _) => State::NoObject,
            (Some(value), None) => State::Value(value),
            (Some(value), Some(path)) => match lookup(value, path) {
                None | Some(Value::Null) => State::Absent,
                Some(value) => State::Value(value),
            },
        }
    }

    /// Whether both declare a field (for `None`: the object) alike.
    pub fn is_like(&self, other: &Self, path: Option<&FieldPath>, schema: Option<SchemaRef<'_>>) -> bool {
        match (self.state(path), other.state(path)) {
            (State::NoObject, State::NoObject) | (State::Absent, State::Absent) => true,
            (State::Value(one), State::Value(other)) => {
                std::ptr::eq(one, other) || one == other || {
                    let schema = path.map_or(schema, |path| compare::schema_at(schema, path));
                    compare::same(one, other, schema)
                }
            }
            _ => false,
        }
    }
}

impl ObjectHistory {
    /// The version that gave a field (for `None`: the object) its present state: the oldest of the newest that declare it alike. For a
    /// field that is not declared: the one that gave it up. `None` where it always was so, or began before the history at hand.
    pub fn introduced(&self, path: Option<&FieldPath>, schema: Option<SchemaRef<'_>>) -> Option<usize> {
        let present = self.versions.first()?;
        let alike = self.versions.iter().take_while(|version| version.is_like(present, path, schema)).count();
        let before = self.versions.get(alike).map(|version| version.state(path));
        let known = match (present.state(path), before) {
            (State::Unknown, _) | (_, Some(State::Unknown)) => false,
            // All that is at hand is alike: an older version may be where it began.
            (State::Value(_), None) => self.whole,
            (State::Value(_), Some(_)) => true,
            (State::Absent | State::NoObject, before) => matches!(before, Some(State::Value(_))),
        };
        alike.checked_sub(1).filter(|_| known)
    }

    /// The commit behind a field's (for `None`: the object's) present state. See [`Self::introduced`].
    pub fn declared_by(&self, path: Option<&FieldPath>, schema: Option<SchemaRef<'_>>) -> Option<DeclaredBy> {
        self.by(self.introduced(path, schema)?, path)
    }

    /// The commit behind a version: of a field that a merge brought, who changed it in what was merged.
    pub fn by(&self, version: usize, path: Option<&FieldPath>) -> Option<DeclaredBy> {
        let reached = &self.versions.get(version)?.commit;
        let inside = self.authors.iter().find(|(n, of, _)| *n == version && of.as_ref() == path).map(|(_, _, by)| by);
        Some(DeclaredBy::of(inside.unwrap_or(reached), inside.map(|_| reached.as_ref())))
    }

    /// Finds out about the object as a whole, once all versions that are needed are there.
    pub fn settle(&mut self, schema: Option<SchemaRef<'_>>) {
        self.object_since = self.introduced(None, schema);
        self.object_last = self.last_declared(schema);
    }

    /// The commit behind the object's present content.
    pub fn object_by(&self) -> Option<DeclaredBy> {
        self.by(self.object_since?, None)
    }

    fn last_declared(&self, schema: Option<SchemaRef<'_>>) -> Option<usize> {
        let gone = self.versions.iter().take_while(|version| version.value.is_none()).count();
        let last = self.versions.get(gone)?;
        let alike = self.versions.iter().skip(gone).take_while(|version| version.is_like(last, None, schema)).count();
        let began = self.whole || self.versions.get(gone + alike).is_some_and(|before| before.readable);
        (gone + alike).checked_sub(1).filter(|_| began)
    }
}
