//! One object's versions, newest first, as far as something is open about it.

use std::sync::Arc;

use super::evidence::Question;
use crate::model::field_path::{FieldPath, Step};
use crate::model::schema::{Scalar, SchemaRef, Shape};
use crate::model::secret::{inside_of, is_token};
use crate::stages::beside::Beside;
use crate::stages::compare;
use crate::stages::judge::Judgement;
use crate::stages::object_history::{ObjectHistory, ObjectVersion};
use crate::stages::pick;
use crate::stages::places;

/// Follows one object, newest version first, as far as something is open.
pub struct Followed<'a> {
    question: &'a Question<'a>,
    live: serde_json::Value,
    /// What was found out so far.
    pub history: ObjectHistory,
    /// For each of its versions the newest and the oldest stretch that it is of.
    pub stretches_of: Vec<(usize, usize)>,
    /// Whether all that was asked for could be read, and in time.
    pub all_read: bool,
    /// The differences of which the commit behind the declared value, or the one that once gave the live value, is not found yet.
    open: Vec<Open<'a>>,
    /// Whether a version differs from the present one.
    changed: bool,
}

struct Open<'a> {
    judgement: &'a Judgement,
    introduced: bool,
    /// Its position among all that was asked about.
    at: usize,
    /// Whether a version before that had another.
    given: bool,
    /// The live value, where a version that has it must have this text in it.
    needle: Option<&'a str>,
}

impl<'a> Followed<'a> {
    /// With nothing found out yet; `whole` is whether the index reaches back to the first commit of all.
    pub fn new(question: &'a Question<'a>, whole: bool) -> Self {
        let open = |(at, judgement)| {
            let needle =
                if question.object.id.group_kind().is_secret() { None } else { needle(judgement, question.schema) };
            Open { judgement, introduced: false, at, given: false, needle }
        };
        Self {
            question,
            live: question.live.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
            history: ObjectHistory {
                whole,
                matched: vec![None; question.judgements.len()],
                ..ObjectHistory::default()
            },
            open: question.judgements.iter().enumerate().map(open).collect(),
            changed: false,
            stretches_of: Vec::new(),
            all_read: true,
        }
    }

    /// Where all that is open is which version has a live value: the texts of which one must be in it.
    pub fn needles(&self) -> Option<Vec<&'a str>> {
        let question = self.question;
        if question.whole || question.missing || question.removed || self.history.versions.is_empty() {
            return None;
        }
        let needle =
            |open: &Open<'a>| open.needle.filter(|_| open.introduced && self.history.matched[open.at].is_none());
        self.open.iter().map(needle).collect()
    }

    /// Takes in the next older version, that of a stretch. One that declares what the version before does is the beginning of that one.
    pub fn push(&mut self, mut version: ObjectVersion, stretch: usize) {
        self.all_read &= version.readable;
        if !self.question.ignored.is_empty() {
            let without = |value| Arc::new(places::without(Arc::unwrap_or_clone(value), self.question.ignored));
            version.value = version.value.map(without);
        }
        let mut has_live_value = false;
        self.history.whole &= version.readable;
        // The present version differs from live, or nothing would be asked.
        if let Some(present) = self.history.versions.first() {
            let schema = self.question.schema;
            self.changed |= !version.is_like(present, None, schema);
            let beside = Beside::new(version.value.as_deref(), &self.live, schema);
            for open in &mut self.open {
                let path = Some(&open.judgement.difference.path);
                open.introduced |= !version.is_like(present, path, schema);
                match self.history.matched[open.at].and_then(|matched| self.history.versions.get(matched)) {
                    Some(matched) => open.given |= !version.is_like(matched, path, schema),
                    None if beside.has(open.judgement) => {
                        self.history.matched[open.at] = Some(self.history.versions.len());
                        has_live_value = true;
                    }
                    None => {}
                }
            }
            self.open.retain(|open| !(open.introduced && open.given));
        }
        // Hundreds of versions of a large object are held at a time: only what is asked about. Of one with a live value, the whole may be.
        let is_object = self.question.whole || self.question.missing || self.question.removed;
        if !is_object && !has_live_value {
            let paths = self.question.judgements.iter().map(|judgement| &judgement.difference.path);
            version.value = version.value.map(|value| Arc::new(pick::only(&value, paths)));
        }
        let newer = self.history.versions.last_mut().filter(|newer| newer.readable && version.readable);
        match newer.filter(|newer| !has_live_value && newer.value == version.value) {
            Some(newer) => {
                newer.commit = version.commit;
                newer.commits_behind = version.commits_behind;
                if let Some((_, oldest)) = self.stretches_of.last_mut() {
                    *oldest = stretch;
                }
            }
            None => {
                self.history.versions.push(version);
                self.stretches_of.push((stretch, stretch));
            }
        }
    }

    /// Whether every version so far is either after the object's end or as it was last declared.
    fn last_declared_until_here(&self) -> bool {
        let mut declared = self.history.versions.iter().skip_while(|version| version.value.is_none());
        let last = declared.next();
        last.is_none_or(|last| declared.all(|version| version.is_like(last, None, self.question.schema)))
    }

    /// Whether an older version could change what is said.
    pub fn wants_more(&self) -> bool {
        let declared_until_here = || self.history.versions.last().is_none_or(|version| version.value.is_some());
        self.history.versions.is_empty()
            || !self.open.is_empty()
            || (self.question.whole && !self.changed)
            || (self.question.missing && declared_until_here())
            || (self.question.removed && self.last_declared_until_here())
    }
}

/// The live value as it must be written where it is declared: a word that is nothing but a text, and no server's default.
fn needle<'a>(judgement: &'a Judgement, schema: Option<SchemaRef<'_>>) -> Option<&'a str> {
    let live = judgement.difference.live.as_ref().filter(|live| !is_token(live))?;
    let text = live.as_str()?;
    let (last, parents) = judgement.difference.path.steps().split_last()?;
    let Step::Field(name) = last else { return None };
    let parent = compare::schema_at(schema, &FieldPath::from(parents.to_vec()));
    let may_default = match parent.and_then(|parent| parent.field(name)) {
        Some(field) => field.default.is_some() || field.derived.is_some(),
        None => false,
    };
    let at = compare::schema_at(schema, &judgement.difference.path);
    let is_text = at.is_none_or(|at| matches!(at.shape(), Shape::Scalar(Scalar::String) | Shape::Any));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'@' | b':');
    let is_word = !text.is_empty() && text.bytes().all(is_plain) && inside_of(text).next().is_none();
    (is_word && is_text && !may_default).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::finding::Code;
    use crate::model::resource::Gvk;
    use crate::model::schema::builtin_schemas;
    use crate::stages::compare::Difference;

    #[test]
    fn only_a_plain_text_that_is_no_default_must_be_written_where_it_is_declared() {
        let schema = builtin_schemas().kind(&Gvk::new("apps/v1", "Deployment"));
        let container = ".spec.template.spec.containers[name=\"api\"]";
        for (case, path, live, expected) in [
            ("an image", format!("{container}.image"), json!("registry.example.com/api:1.5"), true),
            ("a text with a space may be folded", format!("{container}.workingDir"), json!("/a b"), false),
            ("a default", format!("{container}.imagePullPolicy"), json!("Always"), false),
            ("a quantity has other writings", format!("{container}.resources.limits[\"cpu\"]"), json!("250m"), false),
            ("a number", ".spec.replicas".to_owned(), json!(3), false),
            (
                "a hidden value",
                format!("{container}.workingDir"),
                json!(format!("redacted:{}:{}", "0".repeat(8), "a".repeat(32))),
                false,
            ),
            ("nothing live", format!("{container}.image"), Value::Null, false),
            ("an element", container.to_owned(), json!({"name": "api"}), false),
        ] {
            let difference = Difference {
                code: Code::Changed,
                path: FieldPath::parse(&path).expect(case),
                declared: Some(json!("x")),
                live: Some(live).filter(|live| !live.is_null()),
                additions_only: false,
                note: None,
            };
            let judgement = Judgement { difference, actors: Vec::new(), last_writer: None, undetermined: false };
            assert_eq!(needle(&judgement, schema).is_some(), expected, "{case}");
        }
    }
}
