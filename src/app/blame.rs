//! Joins an explained object to its history: one commit for each declared field, and for each live value the commit that had it.

use std::collections::BTreeMap;
use std::time::Instant;

use super::evidence::{self, LineQuestions, Question, Search};
use super::gather::TargetSource;
use super::traced::{self, Asked, Stem};
use crate::config::Config;
use crate::model::blame::{Blame, BlamedField};
use crate::model::declared::DeclaredObject;
use crate::model::explanation::{ExplainedField, Explanation};
use crate::model::field_path::FieldPath;
use crate::model::finding::Code;
use crate::model::schema::SchemaRef;
use crate::model::secret::RedactionKey;
use crate::stages::attribute::{self, Circumstances};
use crate::stages::beside::Past;
use crate::stages::compare::Difference;
use crate::stages::judge::Judgement;
use crate::stages::object_history::ObjectHistory;

/// What joining needs besides the object.
pub struct Blaming<'a> {
    /// The declared side, with its histories.
    pub sources: &'a [TargetSource],
    /// The configuration.
    pub config: &'a Config,
    /// For secret values.
    pub key: &'a RedactionKey,
}

impl Blaming<'_> {
    /// The commits and writers behind an object's fields. Blocks.
    pub fn of(&self, object: &DeclaredObject, explained: Explanation, schema: Option<SchemaRef<'_>>) -> Blame {
        let judgements: Vec<Judgement> = explained.fields.iter().map(asked).collect();
        let history = self.history(object, &judgements, schema);
        let lines = self.places(object, &explained.fields);
        let around = Circumstances {
            revision: &object.origin.revision,
            sightings: &[],
            now: crate::model::time::Timestamp::from_unix(0),
            grace_seconds: 0,
            seen_live: true,
            applied: &[],
        };
        let live = serde_json::Value::Null;
        let past = Past::new(&history, &live, schema);
        let fields = explained.fields.into_iter().zip(&judgements).zip(lines).enumerate().map(
            |(at, ((field, judgement), line))| {
                let told = attribute::difference(judgement, at, &past, &[], &around);
                let differs = field.finding.is_some();
                let (file, line) =
                    line.filter(|_| field.declared.is_some()).map_or((None, None), |(file, line)| (file, Some(line)));
                BlamedField {
                    line,
                    file,
                    path: field.path,
                    declared: field.declared,
                    live: field.live,
                    declared_by: told.declared_by,
                    live_matches: told.live_matches.filter(|_| differs),
                    actors: field.writers,
                    finding: field.finding,
                }
            },
        );
        Blame {
            object: explained.object,
            api_version: explained.api_version,
            origin: explained.origin,
            declared_by: history.declared_by(None, schema),
            fields: fields.collect(),
            whole_history: history.whole,
            method: explained.method,
        }
    }

    fn history(
        &self,
        object: &DeclaredObject,
        judgements: &[Judgement],
        schema: Option<SchemaRef<'_>>,
    ) -> ObjectHistory {
        let Some(source) = self.source(object) else { return ObjectHistory::default() };
        let question = Question {
            object,
            judgements,
            schema,
            live: None,
            ignored: &[],
            whole: true,
            missing: false,
            removed: false,
        };
        let folders = source.folders(self.sources);
        let search = Search { source, sources: self.sources, folders: &folders, config: self.config, key: self.key };
        let found = search.anew(&[question]);
        found.into_values().next().map(|evidence| evidence.history).unwrap_or_default()
    }

    fn source(&self, object: &DeclaredObject) -> Option<&TargetSource> {
        self.sources.iter().find(|source| source.config.name == object.origin.target)
    }

    /// The line of each field, and its file where that is another than the object's.
    fn places(&self, object: &DeclaredObject, fields: &[ExplainedField]) -> Vec<Option<(Option<String>, u32)>> {
        let rendered = self.source(object).filter(|source| source.toolbox.is_some());
        let Some(source) = rendered else {
            return self.lines(object, fields).into_iter().map(|line| Some((None, line?))).collect();
        };
        let asked = fields.iter().map(|field| Asked { id: &object.id, path: &field.path, live: field.live.as_ref() });
        let asked: Vec<Asked<'_>> = asked.collect();
        let deadline = Instant::now().checked_add(self.config.limits.history_time);
        let stems = traced::of_values(source, self.sources, (self.config, self.key), &asked, deadline);
        let file = |stem: &Stem| source.beside_at(&stem.file).map_or(stem.file.as_str(), |(_, file)| file).to_owned();
        stems.into_iter().map(|stem| stem.map(|stem| (Some(file(&stem)), stem.line))).collect()
    }

    fn lines(&self, object: &DeclaredObject, fields: &[ExplainedField]) -> Vec<Option<u32>> {
        let Some(written) = object.written else { return vec![None; fields.len()] };
        let key = (object.origin.target.clone(), object.origin.file.clone());
        let paths = fields.iter().map(|field| (written.index, field.path.clone())).collect();
        let questions: LineQuestions = BTreeMap::from([(key.clone(), paths)]);
        let found = evidence::lines(self.sources, &questions, self.config).remove(&key);
        found.unwrap_or_else(|| vec![None; fields.len()])
    }
}

/// A field as a question about its history.
fn asked(field: &ExplainedField) -> Judgement {
    let code = match (&field.declared, &field.live) {
        (Some(_), Some(_)) => Code::Changed,
        (Some(_), None) => Code::Absent,
        (None, _) => Code::Undeclared,
    };
    let difference = Difference {
        code: field.finding.unwrap_or(code),
        path: FieldPath::from(field.path.steps().to_vec()),
        declared: field.declared.clone(),
        live: field.live.clone(),
        additions_only: false,
        note: None,
    };
    Judgement { difference, actors: field.writers.clone(), last_writer: None, undetermined: false }
}
