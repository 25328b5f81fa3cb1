//! Versions of an object beside what is live: which of them has which live value.

use std::cell::OnceCell;

use serde_json::Value;

use super::attribute::Circumstances;
use super::compare::{self, Difference};
use super::inside::InsideVersion;
use super::judge::Judgement;
use super::object_history::{ObjectHistory, ObjectVersion};
use super::pick::lookup;
use crate::model::attribution::LiveMatch;
use crate::model::field_path::FieldPath;
use crate::model::ids::Revision;
use crate::model::schema::SchemaRef;

/// One declaration of an object beside what is live.
pub struct Beside<'a> {
    declared: Option<&'a Value>,
    live: &'a Value,
    schema: Option<SchemaRef<'a>>,
    /// Where the two differ, once that was asked: it is the same for all fields.
    differing: OnceCell<Vec<FieldPath>>,
}

impl<'a> Beside<'a> {
    /// `declared` is `None` where nothing declares the object.
    pub fn new(declared: Option<&'a Value>, live: &'a Value, schema: Option<SchemaRef<'a>>) -> Self {
        Self { declared, live, schema, differing: OnceCell::new() }
    }

    /// Whether the declaration has the live value of a difference: the same value in the same place, nothing there where nothing is
    /// live, or nothing there where the server's default is live.
    pub fn has(&self, judgement: &Judgement) -> bool {
        let Difference { path, declared: today, live: value, .. } = &judgement.difference;
        let Some(declared) = self.declared else { return false };
        match (lookup(declared, path), value) {
            (None | Some(Value::Null), None) => true,
            // Left to the server, which may have had anything there.
            (Some(Value::Null), Some(_)) => false,
            (Some(declared), Some(value)) => compare::equal(declared, value, compare::schema_at(self.schema, path)),
            (Some(_), None) => false,
            // Of a field that is not declared now, absence is the present state and not an earlier one.
            (None, Some(_)) => today.is_some() && self.explains(declared, path),
        }
    }

    /// Whether the declaration explains what is live at a place that it does not declare: it is the server's default.
    fn explains(&self, declared: &Value, path: &FieldPath) -> bool {
        let differing = self.differing.get_or_init(|| compare::differing(declared, self.live, self.schema));
        !differing.iter().any(|told| told.starts_with(path) || path.starts_with(told))
    }
}

/// An object's history beside what is live.
pub struct Past<'a> {
    /// The history.
    pub history: &'a ObjectHistory,
    /// The live object, normalised.
    pub live: &'a Value,
    /// The schema of its kind.
    pub schema: Option<SchemaRef<'a>>,
    /// One for each version that stood only inside of what merges brought.
    inside: Vec<Beside<'a>>,
}

impl<'a> Past<'a> {
    /// Nothing is compared before it is asked.
    pub fn new(history: &'a ObjectHistory, live: &'a Value, schema: Option<SchemaRef<'a>>) -> Self {
        let beside = |version: &'a ObjectVersion| Beside::new(version.value.as_deref(), live, schema);
        let inside = history.inside.versions.iter().map(|inside| beside(&inside.version)).collect();
        Self { history, live, schema, inside }
    }

    /// The newest version before the present one that has the live value of a difference, with its position. `at` is the position of the
    /// difference among those that were asked about.
    pub(super) fn matched(&self, at: usize) -> Option<(usize, &'a ObjectVersion)> {
        let n = self.history.matched.get(at).copied().flatten()?;
        Some((n, self.history.versions.get(n)?))
    }

    /// The version that stood only inside of what merges brought, has the live value, and was brought by the newest merge.
    pub(super) fn newest_inside(&self, judgement: &Judgement) -> Option<&'a InsideVersion> {
        self.history.inside.newest(|n, _| self.inside.get(n).is_some_and(|beside| beside.has(judgement)))
    }

    /// Whether operators say that they last applied a commit that declares a field as a version does. The present version is no evidence:
    /// live has something else.
    pub(super) fn was_applied(&self, version: &ObjectVersion, path: &FieldPath, around: &Circumstances<'_>) -> bool {
        let alike = |other: &&ObjectVersion| other.is_like(version, Some(path), self.schema);
        let mut earlier = self.history.versions.iter().skip(1).filter(alike);
        earlier.any(|of| around.applied.iter().any(|behind| (of.last.1..=of.commits_behind).contains(behind)))
    }

    /// The version at a position, as evidence for a difference.
    pub(super) fn live_match(
        &self,
        n: usize,
        version: &ObjectVersion,
        judgement: &Judgement,
        revision: &Revision,
    ) -> LiveMatch {
        let path = Some(&judgement.difference.path);
        let older = self.history.versions.get(n..).unwrap_or_default();
        let alike = older.iter().take_while(|older| older.is_like(version, path, self.schema)).count();
        let began = alike < older.len() || self.history.whole;
        let given_by = alike.checked_sub(1).filter(|_| began).and_then(|last| older.get(last));
        LiveMatch {
            commits_behind: Some(version.last.1),
            since: n.checked_sub(1).and_then(|after| self.history.versions.get(after)).map(|after| after.commit.time),
            given_by: given_by.map(|version| version.commit.id.clone()),
            ..LiveMatch::of(version.last.0.clone(), revision)
        }
    }
}
