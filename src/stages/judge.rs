//! One declared object and the live text that stands for it: redact, normalise, compare, name the writers, ask for evidence.

use serde_json::Value;
use serde_json::value::RawValue;

use super::autoscale::Autoscalers;
use super::compare::{self, Compared, Difference};
use super::findings;
use super::hide::Hide;
use super::ignore::{self, Ignored, Ignores, Subject, Trees};
use super::live::{self, Head};
use super::managed_fields::{self, Entry};
use super::normalise::{Applied, Side, normalise};
use super::opt_outs;
use super::places;
use super::undeclared::{Witnesses, undeclared};
use crate::config::actors::ActorTable;
use crate::config::trust::TrustTable;
use crate::model::attribution::Actor;
use crate::model::declared::DeclaredObject;
use crate::model::field_path::FieldPath;
use crate::model::finding::Code;
use crate::model::redacted::{
    hidden_otherwise, holds_token_of, path_holds_token, path_holds_token_of, redact_again, redact_managed_fields,
};
use crate::model::resource::Gvk;
use crate::model::schema::{SchemaRef, Schemas, builtin_schemas, builtin_version};
use crate::model::secret::{LAST_APPLIED, NO_KEY, RedactionKey, RedactionRules, redact};

/// What comparing needs to know besides the two objects.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// The schemas of the cluster's kinds.
    pub schemas: &'a Schemas,
    /// Where they are from, for `method`: `OpenAPI v3 of the cluster`.
    pub schema_source: &'a str,
    /// Which writers are people.
    pub actors: &'a ActorTable,
    /// Which writes are trusted.
    pub trust: &'a TrustTable,
    /// Whether an undeclared entry of a declared map or list is a finding whoever wrote it.
    pub entries_count: bool,
    /// Who else decides about replicas.
    pub autoscalers: &'a Autoscalers,
    /// Hides what is secret.
    pub key: &'a RedactionKey,
    /// Names what else is secret.
    pub redaction: &'a RedactionRules,
    /// The id of the key under which the live side was redacted before it came here, as that of a snapshot.
    pub live_key: Option<&'a str>,
    /// What is known and accepted.
    pub ignores: &'a Ignores,
}

/// A difference with the writers of its path.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// What differs.
    pub difference: Difference,
    /// Who wrote the live value, newest first.
    pub actors: Vec<Actor>,
    /// Who wrote the object last, where nobody owns the path: a field that is not there.
    pub last_writer: Option<Actor>,
    /// Whether what is known of the writers does not suffice to name a cause.
    pub undetermined: bool,
}

/// The outcome for one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Empty: in sync.
    pub judgements: Vec<Judgement>,
    /// What was normalised away, explained or trusted.
    pub applied: Applied,
    /// What ignore rules did.
    pub ignored: Ignored,
    /// How the verdict was reached.
    pub method: String,
    /// The live object, redacted and normalised, kept only where something differs.
    pub live: Option<Box<str>>,
    /// Fields that could not be compared: their live values are hashed with a key that is not this ledger's, or hashed and the
    /// declared ones are not.
    pub foreign: Vec<FieldPath>,
}

/// A live object that is not one.
#[derive(Debug, thiserror::Error)]
#[error("not a Kubernetes object in JSON")]
pub struct Unreadable(#[from] serde_json::Error);

/// Both sides as they are compared, and what is known of the writers.
pub(super) struct Sides<'a> {
    pub(super) declared: Value,
    pub(super) live: Value,
    pub(super) schema: Option<SchemaRef<'a>>,
    pub(super) last_applied: Option<Value>,
}

impl<'a> Judge<'a> {
    /// Compares a declared object with the text of its live object.
    ///
    /// # Errors
    /// If the live text is no object.
    pub fn judge(&self, declared: &DeclaredObject, live_text: &str) -> Result<Verdict, Unreadable> {
        let live_tree = self.live_tree(declared, live_text)?;
        let managed_fields = || {
            let head: Head<'_> = serde_json::from_str(live_text)?;
            Ok(head.metadata.managed_fields.map(RawValue::get))
        };
        self.judge_tree(declared, live_tree, managed_fields)
    }

    /// The live object, parsed and redacted.
    pub(super) fn live_tree(&self, declared: &DeclaredObject, live_text: &str) -> Result<Value, serde_json::Error> {
        let mut tree = live::tree(live_text)?;
        self.hide().object(&mut tree, &declared.id);
        Ok(tree)
    }

    /// How what the cluster says is redacted.
    pub fn hide(&self) -> Hide<'a> {
        Hide { key: self.key, rules: self.redaction, before: self.live_key }
    }

    /// Compares a declared object with a live one that is parsed and redacted already. Most objects are in sync: their managedFields
    /// are not asked for.
    ///
    /// # Errors
    /// If the declared content is not what this program wrote, or managedFields are asked for and cannot be read.
    pub fn judge_tree<'t>(
        &self,
        declared: &DeclaredObject,
        live_tree: Value,
        managed_fields: impl FnOnce() -> Result<Option<&'t str>, serde_json::Error>,
    ) -> Result<Verdict, Unreadable> {
        let mut verdict = Verdict::default();
        let sides = self.sides(declared, live_tree, &mut verdict.applied)?;
        let compared = compare::compare(&sides.declared, &sides.live, sides.schema, &mut verdict.applied);
        if compared.differences.is_empty() && compared.extras.is_empty() {
            return Ok(verdict);
        }
        let managed_fields = managed_fields()?;
        let hidden = self.hidden_writers(declared, &compared, managed_fields);
        let managed_fields = hidden.as_deref().or(managed_fields);
        let entries = managed_fields.and_then(|text| managed_fields::parse(text, self.actors));
        let witnesses = self.witnesses(declared, &sides, entries.as_deref());
        verdict.judgements = self.judgements(declared, &sides, compared, &witnesses, &mut verdict.applied);
        if let Some(by) = self.live_key {
            let judgements = std::mem::take(&mut verdict.judgements);
            let (foreign, judgements) = judgements.into_iter().partition(|j| self.is_foreign(&j.difference, by));
            let foreign: Vec<Judgement> = foreign;
            verdict.judgements = judgements;
            verdict.foreign = foreign.into_iter().map(|judgement| judgement.difference.path).collect();
        }
        let stands = |judgement: &Judgement| self.explained(declared, judgement, &witnesses).is_none();
        (verdict.judgements, verdict.ignored) =
            self.without_ignored(declared, &sides, std::mem::take(&mut verdict.judgements), &stands);
        if !verdict.judgements.is_empty() {
            verdict.method = self.method(&declared.gvk, &witnesses);
            drop(entries);
            let live = places::without(sides.live, &verdict.ignored.inside[1]);
            verdict.live = Some(live.to_string().into_boxed_str());
        }
        Ok(verdict)
    }

    /// The judgements that no ignore rule takes away, and what the rules did.
    pub(super) fn without_ignored(
        &self,
        declared: &DeclaredObject,
        sides: &Sides<'_>,
        judgements: Vec<Judgement>,
        stands: &dyn Fn(&Judgement) -> bool,
    ) -> (Vec<Judgement>, Ignored) {
        let labels = ignore::labels(&sides.declared).or_else(|| ignore::labels(&sides.live));
        let subject = Subject { id: &declared.id, origin: Some(&declared.origin), labels };
        let trees = Trees { declared: &sides.declared, live: &sides.live, schema: sides.schema };
        self.ignores.apply(subject, trees, judgements, stands)
    }

    /// Both sides, normalised.
    pub(super) fn sides(
        &self,
        declared: &DeclaredObject,
        mut live: Value,
        applied: &mut Applied,
    ) -> Result<Sides<'a>, serde_json::Error> {
        let kind = declared.id.group_kind();
        let mut tree = declared.tree()?;
        normalise(&mut tree, &kind, Side::Declared, applied);
        let last_applied = last_applied(&live).map(|mut value| {
            normalise(&mut value, &kind, Side::Live, &mut Applied::new());
            value
        });
        normalise(&mut live, &kind, Side::Live, applied);
        Ok(Sides { declared: tree, live, schema: self.schemas.kind_or_builtin(&declared.gvk), last_applied })
    }

    pub(super) fn witnesses<'w>(
        &'w self,
        declared: &'w DeclaredObject,
        sides: &'w Sides<'_>,
        entries: Option<&'w [Entry<'w>]>,
    ) -> Witnesses<'w> {
        Witnesses {
            object: &declared.id,
            version: &declared.gvk.gv,
            builtin: builtin_schemas().kind(&declared.gvk).is_some(),
            schema: sides.schema,
            entries,
            last_applied: sides.last_applied.as_ref(),
            live: &sides.live,
            trust: self.trust,
            entries_count: self.entries_count,
        }
    }

    /// The differences that stand, and the extras that evidence makes findings, with their writers.
    pub(super) fn judgements(
        &self,
        declared: &DeclaredObject,
        sides: &Sides<'_>,
        compared: Compared,
        witnesses: &Witnesses<'_>,
        applied: &mut Applied,
    ) -> Vec<Judgement> {
        let entries = witnesses.entries.unwrap_or_default();
        let last_writer = managed_fields::last_writer(entries);
        let judged = |mut difference: Difference, undetermined: bool| {
            let who = if difference.live.is_none() { managed_fields::removers } else { managed_fields::writers };
            let actors = who(entries, &difference.path, witnesses.schema);
            let last_writer = if actors.is_empty() { last_writer.cloned() } else { None };
            let by = last_writer.as_ref().map(last_writer_note);
            difference.note = findings::join(difference.note.as_deref(), by.as_deref());
            Judgement { difference, actors, last_writer, undetermined }
        };
        let mut judgements = Vec::new();
        for difference in compared.differences {
            let judgement = judged(difference, false);
            match self.explained(declared, &judgement, witnesses) {
                Some(rule) => *applied.entry(rule).or_default() += 1,
                None => judgements.push(judgement),
            }
        }
        let found = undeclared(compared.extras, witnesses, applied);
        judgements.extend(found.into_iter().map(|found| judged(found.difference, found.undetermined)));
        // An opt-out that anybody put there, whoever wrote it: nothing need be known of writers.
        for opt_out in opt_outs::live_only(&sides.declared, &sides.live) {
            judgements.retain(|judgement| judgement.difference.path != opt_out.path);
            judgements.push(judged(opt_out, false));
        }
        judgements
    }

    /// Why a difference is no finding; the name under which it is counted.
    pub(super) fn explained(
        &self,
        declared: &DeclaredObject,
        judgement: &Judgement,
        witnesses: &Witnesses<'_>,
    ) -> Option<&'static str> {
        let Judgement { difference, actors, .. } = judgement;
        if self.autoscalers.explain(&declared.id, difference) {
            return Some("autoscaled-replicas");
        }
        let is_live = matches!(difference.code, Code::Changed | Code::Absent);
        if is_live && actors.first().is_some_and(|actor| witnesses.is_trusted(actor, &difference.path, true)) {
            return Some("trusted-writer");
        }
        // What only the live elements of an atomic list have is the server's and the webhooks', unless somebody else wrote the list.
        if difference.additions_only && !actors.iter().any(|a| witnesses.is_evidence_of_additions(a, &difference.path))
        {
            return Some("additions-in-atomic-list");
        }
        None
    }

    /// Whether two values could not be compared: under another key the same value has another hash, and where no rule hides the
    /// declared value any more it stands there in clear.
    fn is_foreign(&self, difference: &Difference, by: &str) -> bool {
        let ours = self.key.id();
        let named_by = |key: &str| path_holds_token_of(&difference.path, key);
        if named_by(NO_KEY) || (by != ours && (named_by(by) || named_by(ours))) {
            return true;
        }
        match (difference.code, &difference.declared, &difference.live) {
            (Code::Changed, Some(declared), Some(live)) => {
                hidden_otherwise(live, by, declared) || (by != ours && holds_token_of(live, by))
            }
            _ => false,
        }
    }

    /// managedFields with the values in their paths hidden as they are in the object; only where a path at hand hides one.
    pub(super) fn hidden_writers(
        &self,
        declared: &DeclaredObject,
        compared: &Compared,
        managed_fields: Option<&str>,
    ) -> Option<String> {
        let mut paths = compared.differences.iter().map(|d| &d.path).chain(compared.extras.iter().map(|e| &e.path));
        if !paths.any(path_holds_token) {
            return None;
        }
        let mut entries: Value = serde_json::from_str(managed_fields?).ok()?;
        redact_managed_fields(&mut entries, &|object| match self.live_key {
            Some(by) => redact_again(object, &declared.id, self.key, self.redaction, by),
            None => redact(object, &declared.id, self.key, self.redaction),
        });
        Some(entries.to_string())
    }

    pub(super) fn method(&self, gvk: &Gvk, witnesses: &Witnesses<'_>) -> String {
        let schema = match (self.schemas.kind(gvk), witnesses.schema) {
            (Some(_), _) => self.schema_source.to_owned(),
            (None, Some(_)) => {
                format!("built-in schema of Kubernetes {}, for lack of the cluster's", builtin_version())
            }
            (None, None) => "no schema: values taken literally".to_owned(),
        };
        let writers = match (witnesses.entries, witnesses.last_applied) {
            (Some(_), _) => "writers from managedFields",
            (None, Some(_)) => {
                "no managedFields: writers unknown, undeclared fields only by the last-applied annotation"
            }
            (None, None) => "no managedFields: writers unknown, nothing is claimed of undeclared fields",
        };
        format!("{schema}; {writers}")
    }
}

/// What `kubectl apply` kept of the object that it applied last.
fn last_applied(live: &Value) -> Option<Value> {
    let text = live.get("metadata")?.get("annotations")?.get(LAST_APPLIED)?.as_str()?;
    serde_json::from_str(text).ok().filter(Value::is_object)
}

/// Nobody owns a field that is not there; who wrote the object last is the best hint there is.
fn last_writer_note(actor: &Actor) -> String {
    let time = actor.time.map_or_else(|| "an unknown time".to_owned(), |t| t.for_people());
    format!("no writer owns this path; the object's last writer was {} ({}) at {time}", actor.manager, actor.operation)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
