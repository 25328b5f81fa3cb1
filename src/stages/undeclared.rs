//! DL003: live fields that Git does not declare and no default explains, where evidence says that somebody put them there.
//!
//! Evidence for a field is, in this order:
//!
//! | who | counts |
//! |---|---|
//! | a trusted (manager, subresource, path) | no; counted |
//! | an interactive client, an unknown writer | yes |
//! | the GitOps side, by an `Apply` entry | yes: Git declared it once. An `Update` entry also covers defaults and what webhooks add: no |
//! | a controller | in what Kubernetes' own kinds declare, yes; in custom resources and under keys of a domain, its places to write, no |
//! | last-applied holds it | yes: it was applied once |
//! | it is an entry of a map or list that Git declares | yes, whoever wrote it (can be switched off) |
//!
//! Without managedFields and last-applied nothing is claimed. An entry written at another version of the kind names its fields
//! otherwise; a field that only such an entry can explain is undetermined.

use serde_json::Value;

use super::allocation::is_allocated;
use super::compare::{Difference, Extra, element_keys, schema_at};
use super::managed_fields::{self, Entry};
use super::normalise::Applied;
use super::pick::lookup;
use crate::config::trust::TrustTable;
use crate::model::attribution::{Actor, ActorKind};
use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::Code;
use crate::model::resource::{GroupVersion, ObjectId};
use crate::model::schema::{ListKind, SchemaRef, Shape};

/// What can be known about who wrote an object.
pub struct Witnesses<'a> {
    /// The object.
    pub object: &'a ObjectId,
    /// The version it is declared in.
    pub version: &'a GroupVersion,
    /// Whether it is one of Kubernetes' own kinds.
    pub builtin: bool,
    /// Its schema.
    pub schema: Option<SchemaRef<'a>>,
    /// `managedFields`, where the live object has them.
    pub entries: Option<&'a [Entry<'a>]>,
    /// The live object.
    pub live: &'a Value,
    /// The content of the last-applied annotation, where there is one.
    pub last_applied: Option<&'a Value>,
    /// Trusted writes.
    pub trust: &'a TrustTable,
    /// Whether an undeclared entry of a declared map or list is a finding whoever wrote it.
    pub entries_count: bool,
}

/// A field that somebody put there.
#[derive(Debug, PartialEq)]
pub struct Undeclared {
    /// DL003.
    pub difference: Difference,
    /// Whether only an entry of another version tells of it.
    pub undetermined: bool,
}

/// The extras that evidence makes findings. What is left out, and why, is counted in `applied`.
pub fn undeclared(extras: Vec<Extra>, witnesses: &Witnesses<'_>, applied: &mut Applied) -> Vec<Undeclared> {
    let mut found = Vec::new();
    for extra in extras {
        match witnesses.of(&extra) {
            Testimony::Put(places) => found.extend(places.into_iter().map(|(path, live)| finding(path, live, false))),
            Testimony::OtherVersion => found.push(finding(extra.path, extra.live, true)),
            Testimony::None(rule) => *applied.entry(rule).or_default() += 1,
        }
    }
    found
}

fn finding(path: FieldPath, live: Value, undetermined: bool) -> Undeclared {
    let note = undetermined.then(|| "only a writer at another version of the kind can have put it there".to_owned());
    let difference =
        Difference { code: Code::Undeclared, path, declared: None, live: Some(live), additions_only: false, note };
    Undeclared { difference, undetermined }
}

enum Testimony {
    /// Somebody put these there: the whole, or parts of it.
    Put(Vec<(FieldPath, Value)>),
    /// Only a writer at another version can have.
    OtherVersion,
    /// Nothing is claimed; the name under which it is counted.
    None(&'static str),
}

impl Witnesses<'_> {
    /// Why an extra is no finding; the name under which it is counted. `None` if it is one.
    pub fn left_out(&self, extra: &Extra) -> Option<&'static str> {
        match self.of(extra) {
            Testimony::None(rule) => Some(rule),
            Testimony::Put(_) | Testimony::OtherVersion => None,
        }
    }

    fn of(&self, extra: &Extra) -> Testimony {
        let allocated = is_allocated(self.object, &extra.path, self.live);
        let was_applied =
            is_content(&extra.path) && self.last_applied.is_some_and(|applied| lookup(applied, &extra.path).is_some());
        let Some(entries) = self.entries else {
            let known = || self.trust.is_known_field(&self.object.group_kind(), &extra.path);
            return match allocated {
                true => Testimony::None("allocated"),
                false if was_applied && !known() => whole(extra),
                false => Testimony::None("no-evidence"),
            };
        };
        let version = self.version.api_version();
        let (here, elsewhere): (Vec<&Entry<'_>>, Vec<&Entry<'_>>) =
            entries.iter().partition(|e| e.api_version == version);
        let owners = managed_fields::owners(here.into_iter(), &extra.path, self.schema);
        let here: Vec<&Entry<'_>> = owners.iter().copied().filter(|e| is_intent(e)).collect();
        if allocated {
            // In metadata it is the status in another dress, which whoever replaces the whole object writes back.
            let by_hand = !is_metadata(&extra.path) && here.iter().any(|e| set_by_hand(e));
            return if by_hand { whole(extra) } else { Testimony::None("allocated") };
        }
        if !owners.is_empty() && owners.iter().all(|e| self.is_trusted(&e.actor, &extra.path, false)) {
            return Testimony::None("trusted-writer");
        }
        if was_applied || (extra.entry && self.entries_count) {
            return whole(extra);
        }
        let mut places = Vec::new();
        self.places(&mut extra.path.clone(), &extra.live, &here, &mut places);
        if !places.is_empty() {
            return Testimony::Put(places);
        }
        let by_other_version =
            |e: &&Entry<'_>| is_intent(e) && matches!(e.actor.kind, ActorKind::Interactive | ActorKind::Unknown);
        if here.is_empty() && elsewhere.iter().any(by_other_version) {
            return Testimony::OtherVersion;
        }
        Testimony::None(if here.is_empty() { "no-evidence" } else { "controllers-and-defaults" })
    }

    /// Collects the highest places below `path` in which only evident writers have a part.
    fn places(&self, path: &mut FieldPath, live: &Value, owners: &[&Entry<'_>], found: &mut Vec<(FieldPath, Value)>) {
        let here = managed_fields::owners(owners.iter().copied(), path, self.schema);
        let evident = here.iter().filter(|e| self.is_evidence(&e.actor, path)).count();
        if evident == 0 {
            return;
        }
        if evident == here.len() {
            found.push((path.clone(), live.clone()));
            return;
        }
        let before = found.len();
        let schema = schema_at(self.schema, path);
        let mut descended = false;
        let mut step_in = |step: Step, below: &Value| {
            descended = true;
            path.push(step);
            self.places(path, below, &here, found);
            path.pop();
        };
        match (live, schema.map(SchemaRef::shape)) {
            (Value::Object(map), _) => {
                map.iter().for_each(|(name, below)| step_in(Step::Field(name.clone()), below));
            }
            (Value::Array(items), Some(Shape::List { kind: ListKind::Map(keys), .. })) => {
                let item = schema.and_then(SchemaRef::item);
                items.iter().for_each(|below| step_in(Step::Key(element_keys(below, keys, item)), below));
            }
            _ => {}
        }
        // A value that several wrote alike, or that is owned as a whole.
        if !descended || found.len() == before {
            found.push((path.clone(), live.clone()));
        }
    }

    /// Whether the table trusts this writer with this field, `declared` or not.
    pub fn is_trusted(&self, actor: &Actor, path: &FieldPath, declared: bool) -> bool {
        self.trust.reason(actor, &self.object.group_kind(), path, declared).is_some()
    }

    /// Whether a writer of an atomic list put in what its elements have besides the declared: the GitOps side wrote what Git has.
    pub fn is_evidence_of_additions(&self, actor: &Actor, path: &FieldPath) -> bool {
        actor.kind != ActorKind::Gitops && self.is_evidence(actor, path)
    }

    fn is_evidence(&self, actor: &Actor, path: &FieldPath) -> bool {
        let evident = match actor.kind {
            ActorKind::Interactive | ActorKind::Unknown => true,
            ActorKind::Gitops => actor.operation == "Apply",
            ActorKind::Controller if is_metadata(path) => !is_controllers_own(path),
            ActorKind::Controller => self.builtin,
        };
        evident && !self.is_trusted(actor, path, false)
    }
}

/// What a controller may keep in an object's metadata: keys under a domain. Labels that open doors are nobody's own.
fn is_controllers_own(path: &FieldPath) -> bool {
    match path.steps() {
        [_, Step::Field(_), Step::Field(key)] => key.contains('/') && !key.starts_with("pod-security.kubernetes.io/"),
        _ => true,
    }
}

fn is_metadata(path: &FieldPath) -> bool {
    matches!(path.steps().first(), Some(Step::Field(first)) if first == "metadata")
}

/// Of metadata, only labels and annotations are content: an annotation made from a whole live object also holds its bookkeeping.
fn is_content(path: &FieldPath) -> bool {
    let of_content = |step: &Step| matches!(step, Step::Field(name) if name == "labels" || name == "annotations");
    !is_metadata(path) || path.steps().get(1).is_some_and(of_content)
}

/// Whether a person set exactly this. An apply of what is there already sets nothing.
fn set_by_hand(entry: &Entry<'_>) -> bool {
    entry.actor.kind == ActorKind::Interactive && !entry.owns_defaults && entry.actor.operation == "Update"
}

fn is_intent(entry: &Entry<'_>) -> bool {
    entry.actor.subresource.as_deref() != Some("status")
}

fn whole(extra: &Extra) -> Testimony {
    Testimony::Put(vec![(extra.path.clone(), extra.live.clone())])
}

#[cfg(test)]
#[path = "undeclared_tests.rs"]
mod tests;
