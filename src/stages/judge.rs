//! One declared object and the live text that stands for it: redact, normalise, compare, name the writers.

use serde_json::Value;
use serde_json::value::RawValue;

use super::compare::{self, Difference};
use super::findings;
use super::live::{self, Head};
use super::managed_fields;
use super::normalise::{Applied, Side, normalise};
use super::opt_outs;
use super::undeclared::undeclared;
use crate::config::actors::ActorTable;
use crate::model::attribution::{Actor, ActorKind};
use crate::model::declared::DeclaredObject;
use crate::model::resource::Gvk;
use crate::model::schema::{SchemaRef, Schemas, builtin_version};
use crate::model::secret::{RedactionKey, RedactionRules, redact};

/// What comparing needs to know besides the two objects.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// The schemas of the cluster's kinds.
    pub schemas: &'a Schemas,
    /// Where they are from, for `method`: `OpenAPI v3 of the cluster`.
    pub schema_source: &'a str,
    /// Which writers are people.
    pub actors: &'a ActorTable,
    /// Hides what is secret.
    pub key: &'a RedactionKey,
    /// Names what else is secret.
    pub redaction: &'a RedactionRules,
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
}

/// The outcome for one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Empty: in sync.
    pub judgements: Vec<Judgement>,
    /// What was normalised away.
    pub applied: Applied,
    /// How the verdict was reached.
    pub method: String,
    /// The live object, redacted and normalised, kept only where something differs.
    pub live: Option<Box<str>>,
}

/// A live object that is not one.
#[derive(Debug, thiserror::Error)]
#[error("not a Kubernetes object in JSON")]
pub struct Unreadable(#[from] serde_json::Error);

impl Judge<'_> {
    /// Compares a declared object with the text of its live object.
    ///
    /// # Errors
    /// If the live text is no object.
    pub fn judge(&self, declared: &DeclaredObject, live_text: &str) -> Result<Verdict, Unreadable> {
        let mut live_tree = live::tree(live_text)?;
        redact(&mut live_tree, &declared.id, self.key, self.redaction);
        let head: Head<'_> = serde_json::from_str(live_text)?;
        self.judge_tree(declared, live_tree, head.metadata.managed_fields.map(RawValue::get))
    }

    /// Compares a declared object with a live one that is parsed and redacted already.
    ///
    /// # Errors
    /// If the declared content is not what this program wrote.
    pub fn judge_tree(
        &self,
        declared: &DeclaredObject,
        mut live_tree: Value,
        managed_fields: Option<&str>,
    ) -> Result<Verdict, Unreadable> {
        let mut verdict = Verdict::default();
        let declared_tree = self.declared_tree(declared, &mut verdict.applied)?;
        normalise(&mut live_tree, &declared.id.group_kind(), Side::Live, &mut verdict.applied);

        let schema = self.schemas.kind_or_builtin(&declared.gvk);
        let mut differences = compare::compare(&declared_tree, &live_tree, schema, &mut verdict.applied);
        let entries = managed_fields.and_then(|text| managed_fields::parse(text, self.actors));
        if let Some(entries) = &entries {
            let api_version = declared.gvk.gv.api_version();
            differences.extend(undeclared(&declared_tree, &live_tree, schema, entries, &api_version));
        }
        // One that anybody put there, whoever wrote it: nothing need be known of writers.
        for opt_out in opt_outs::live_only(&declared_tree, &live_tree) {
            differences.retain(|difference| difference.path != opt_out.path);
            differences.push(opt_out);
        }
        let last_writer = entries.as_deref().and_then(managed_fields::last_writer);
        let with_writers = differences.into_iter().map(|difference| {
            let actors = managed_fields::writers(entries.as_deref().unwrap_or_default(), &difference.path);
            let last_writer = if actors.is_empty() { last_writer.cloned() } else { None };
            Judgement { difference, actors, last_writer }
        });
        verdict.judgements = with_writers.filter(|j| !is_server_default(j)).collect();
        for judgement in &mut verdict.judgements {
            if let Some(writer) = &judgement.last_writer {
                judgement.difference.note =
                    findings::join(judgement.difference.note.as_deref(), Some(&last_writer_note(writer)));
            }
        }
        verdict.method = self.method(&declared.gvk, schema, entries.is_some());
        if !verdict.judgements.is_empty() {
            verdict.live = Some(live_tree.to_string().into_boxed_str());
        }
        Ok(verdict)
    }

    /// The declared content as it is compared.
    fn declared_tree(&self, declared: &DeclaredObject, applied: &mut Applied) -> Result<Value, serde_json::Error> {
        let mut tree = declared.tree()?;
        normalise(&mut tree, &declared.id.group_kind(), Side::Declared, applied);
        Ok(tree)
    }

    fn method(&self, gvk: &Gvk, schema: Option<SchemaRef<'_>>, writers: bool) -> String {
        let schema = match (self.schemas.kind(gvk), schema) {
            (Some(_), _) => self.schema_source.to_owned(),
            (None, Some(_)) => {
                format!("built-in schema of Kubernetes {}, for lack of the cluster's", builtin_version())
            }
            (None, None) => "no schema: values taken literally".to_owned(),
        };
        let writers = if writers { "writers from managedFields" } else { "no managedFields: writers unknown" };
        format!("{schema}; {writers}")
    }
}

/// What only the live elements of an atomic list have is the server's, unless somebody other than the GitOps side wrote the list.
fn is_server_default(judgement: &Judgement) -> bool {
    let by_somebody = judgement.actors.iter().any(|a| matches!(a.kind, ActorKind::Interactive | ActorKind::Unknown));
    judgement.difference.additions_only && !by_somebody
}

/// Nobody owns a field that is not there; who wrote the object last is the best hint there is.
fn last_writer_note(actor: &Actor) -> String {
    let time = actor.time.map_or_else(|| "an unknown time".to_owned(), |t| t.for_people());
    format!("no writer owns this path; the object's last writer was {} ({}) at {time}", actor.manager, actor.operation)
}
