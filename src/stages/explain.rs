//! Why an object is in sync or not, field by field: declared, live, what the schema says, which rule decided, and who wrote it.

use serde_json::value::RawValue;

use super::compare::{self, Decision, Extra, Outcome, schema_at};
use super::judge::{Judge, Judgement, Unreadable};
use super::live::Head;
use super::managed_fields;
use super::normalise::Applied;
use super::undeclared::Witnesses;
use crate::model::declared::DeclaredObject;
use crate::model::explanation::{EXPLAIN_SCHEMA, ExplainedField, Explanation};
use crate::model::field_path::{FieldPath, Step};
use crate::model::finding::Code;
use crate::model::schema::{ListKind, Scalar, SchemaRef, Shape};

impl Judge<'_> {
    /// Compares as [`Judge::judge`] does, and tells about every field.
    ///
    /// # Errors
    /// If the live text is no object.
    pub fn explain(&self, declared: &DeclaredObject, live_text: &str) -> Result<Explanation, Unreadable> {
        let tree = self.live_tree(declared, live_text)?;
        let head: Head<'_> = serde_json::from_str(live_text)?;
        let mut applied = Applied::new();
        let sides = self.sides(declared, tree, &mut applied)?;
        let (compared, decisions) = compare::explain(&sides.declared, &sides.live, sides.schema);
        let managed = head.metadata.managed_fields.map(RawValue::get);
        let entries = managed.and_then(|text| managed_fields::parse(text, self.actors));
        let witnesses = self.witnesses(declared, &sides, entries.as_deref());
        let method = self.method(&declared.gvk, &witnesses);
        let mut counted = Applied::new();
        let judgements = self.judgements(declared, &sides, compared.clone(), &witnesses, &mut counted);
        let stands = |judgement: &Judgement| self.explained(declared, judgement, &witnesses).is_none();
        let (standing, ignored) = self.without_ignored(declared, &sides, judgements, &stands);
        let rows = decisions.into_iter().map(|decision| {
            // An undeclared place may be told by its parts.
            let part = |path: &FieldPath| path.starts_with(&decision.path);
            let stands = standing.iter().any(|judgement| part(&judgement.difference.path));
            let by_rule = ignored.suppressed.iter().find(|gone| gone.path.as_ref().is_some_and(part));
            let ignored_by =
                by_rule.and_then(|gone| self.ignores.rules().get(gone.rule)).map(|rule| rule.reason.as_str());
            let extra = compared.extras.iter().find(|extra| extra.path == decision.path);
            row(decision, stands, ignored_by, extra, &witnesses)
        });
        let fields = rows.collect();
        let applied = applied.into_iter().map(|(rule, count)| (rule.to_owned(), count)).collect();
        Ok(Explanation {
            schema: EXPLAIN_SCHEMA.to_owned(),
            object: declared.id.clone(),
            api_version: declared.gvk.gv.api_version(),
            origin: declared.origin.clone(),
            fields,
            applied,
            method,
        })
    }
}

fn row(
    decision: Decision,
    stands: bool,
    ignored_by: Option<&str>,
    extra: Option<&Extra>,
    witnesses: &Witnesses<'_>,
) -> ExplainedField {
    let (finding, why) = match (decision.outcome, extra) {
        (Outcome::Same, _) => (None, "the same".to_owned()),
        (Outcome::Normalised(rule), _) => (None, format!("equal in meaning: {}", in_words(rule))),
        (Outcome::Server(rule), _) => (None, format!("not declared: {}", in_words(rule))),
        (Outcome::Differs(code), _) if stands => (Some(code), format!("differs: {}", code.class())),
        (Outcome::Differs(_) | Outcome::Undeclared, _) if !stands && ignored_by.is_some() => {
            (None, format!("differs, and an ignore rule covers it: {}", ignored_by.unwrap_or_default()))
        }
        (Outcome::Differs(_), _) => (None, "differs, and is left to its trusted writer".to_owned()),
        (Outcome::Undeclared, Some(extra)) => match witnesses.left_out(extra) {
            Some(rule) => (None, format!("not declared: {}", in_words(rule))),
            None => (Some(Code::Undeclared), "not declared, and somebody put it there".to_owned()),
        },
        (Outcome::Undeclared, None) => (None, "not declared".to_owned()),
    };
    let writers = managed_fields::writers(witnesses.entries.unwrap_or_default(), &decision.path, witnesses.schema);
    ExplainedField {
        schema: describe(witnesses.schema, &decision.path),
        path: decision.path,
        declared: decision.declared,
        live: decision.live,
        finding,
        why,
        writers,
    }
}

/// What a rule's name stands for; one that is not here speaks for itself.
fn in_words(rule: &str) -> &str {
    match rule {
        "declared-null" => "a declared null leaves the field to the server",
        "zero-equals-absent" => "the zero value of this field is the same as its absence",
        "null-equals-empty" => "the server writes nothing as null",
        "null-equals-absent" => "null is as good as nothing",
        "number" => "one number in two writings",
        "quantity" => "one quantity in two writings",
        "time" => "one point in time in two writings",
        "duration" => "one duration in two writings",
        "base64" => "the same bytes",
        "sops-encrypted" => "encrypted by SOPS: only that it is there can be compared",
        "default" => "the server's default",
        "derived-default" => "the server's default, given what stands beside it",
        "allocated" => "chosen by the server",
        "no-evidence" => "nothing shows who put it there",
        "trusted-writer" => "its writer is trusted with it",
        "controllers-and-defaults" => {
            "written by a controller, or by the GitOps side in an update that covers defaults"
        }
        other => other,
    }
}

/// What the schema says of a place.
fn describe(schema: Option<SchemaRef<'_>>, path: &FieldPath) -> Option<String> {
    let at = schema_at(schema, path)?;
    let default = match path.steps().split_last() {
        Some((Step::Field(name), parents)) => {
            let parent = schema_at(schema, &FieldPath::from(parents.to_vec()));
            parent.and_then(|parent| parent.field(name)).and_then(|field| field.default.as_ref())
        }
        _ => None,
    };
    let kind = match at.shape() {
        Shape::Object { .. } if at.is_map() => "map".to_owned(),
        Shape::Object { .. } => "object".to_owned(),
        Shape::List { kind: ListKind::Map(keys), .. } => format!("list by {}", keys.join(" and ")),
        Shape::List { kind: ListKind::Set, .. } => "set".to_owned(),
        Shape::List { kind: ListKind::Atomic, .. } => "list, replaced as a whole".to_owned(),
        Shape::Scalar(scalar) => word(*scalar).to_owned(),
        Shape::Any => "anything".to_owned(),
    };
    Some(match default {
        Some(default) if !default.is_object() && !default.is_array() => format!("{kind}, default {default}"),
        _ => kind,
    })
}

fn word(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Boolean => "boolean",
        Scalar::Integer => "integer",
        Scalar::Number => "number",
        Scalar::String => "text",
        Scalar::Quantity => "quantity",
        Scalar::IntOrString => "number or text",
        Scalar::Time => "time",
        Scalar::Duration => "duration",
        Scalar::Bytes => "bytes",
    }
}
