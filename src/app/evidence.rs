//! Evidence on the declared side: what Git's history says of the objects that something is to be said about.

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Instant;

use super::declarations::Declarations;
use super::gather::{self, TargetSource};
use super::inside;
use super::merged::Merges;
use super::reading::ClusterReading;
use crate::adapters::render::manifest;
use crate::config::Config;
use crate::model::declared::DeclaredObject;
use crate::model::field_path::{FieldPath, Step};
use crate::model::ids::TargetName;
use crate::model::resource::ObjectId;
use crate::model::schema::{Scalar, SchemaRef, Shape};
use crate::model::secret::{RedactionKey, inside_of, is_token};
use crate::ports::SourceTree as _;
use crate::stages::attribute::{self, Elsewhere, ObjectHistory, ObjectVersion};
use crate::stages::compare;
use crate::stages::findings::Evidence;
use crate::stages::judge::Judgement;
use crate::stages::normalise::{Applied, Side, normalise};
use crate::stages::places::{self, Place};
use crate::stages::timeline::{self, Folder};

/// An object that something is to be said about.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The object.
    pub object: &'a DeclaredObject,
    /// What differs: the commits behind its declared values are looked for, and each live value in earlier versions.
    pub judgements: &'a [Judgement],
    /// The schema of its kind.
    pub schema: Option<SchemaRef<'a>>,
    /// The live object, normalised, where something differs.
    pub live: Option<&'a str>,
    /// Places that ignore rules take out of what differs.
    pub ignored: &'a [Place],
    /// Whether the object itself is the finding: then it matters which commit gave it its present content.
    pub whole: bool,
    /// Whether it is not live: then it matters since when it is declared.
    pub missing: bool,
    /// Whether it is declared no more: then it matters which commit took it away, and which declared it last.
    pub removed: bool,
}

impl<'a> Question<'a> {
    /// About an object that is declared no more.
    pub fn of_former(object: &'a DeclaredObject) -> Self {
        Self {
            object,
            judgements: &[],
            schema: None,
            live: None,
            ignored: &[],
            whole: false,
            missing: false,
            removed: true,
        }
    }
}

/// The evidence for objects of one target. `folders` are its own and those among which its objects may have moved. Blocks.
pub fn of_target(
    source: &TargetSource,
    folders: &[Folder],
    questions: &[Question<'_>],
    config: &Config,
    key: &RedactionKey,
) -> BTreeMap<ObjectId, Evidence> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    // What stands in one file now mostly stood in one file before.
    let mut shares: Vec<Vec<Question<'_>>> = vec![Vec::new(); workers];
    let mut of_file: BTreeMap<&str, usize> = BTreeMap::new();
    for question in questions {
        let next = of_file.len() % workers;
        let share = *of_file.entry(question.object.origin.file.as_str()).or_insert(next);
        shares[share].push(*question);
    }
    shares.retain(|share| !share.is_empty());
    let asked = |share: Vec<Question<'_>>| of_some(source, folders, &share, config, key);
    std::thread::scope(|scope| {
        let asked = &asked;
        let running: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || asked(share))).collect();
        let joined = running.into_iter().map(|worker| worker.join());
        joined.flat_map(|found| found.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// The same for some of the objects, on one thread. All objects are followed side by side, the newest commit first: those of one file
/// ask for the same contents.
fn of_some(
    source: &TargetSource,
    folders: &[Folder],
    questions: &[Question<'_>],
    config: &Config,
    key: &RedactionKey,
) -> Vec<(ObjectId, Evidence)> {
    let (Some((_, repository, _)), Some(index)) = (&source.commit, &source.versions) else { return Vec::new() };
    let deadline = Instant::now().checked_add(config.limits.history_time);
    let late = || deadline.is_some_and(|deadline| Instant::now() > deadline);
    let timelines = timeline::timelines(index, folders, questions.iter().map(|question| &question.object.id));
    let reading = gather::reading(config, &source.config, key);
    let mut declarations = Declarations::new(repository, reading, config.limits.file_bytes);
    let mut all: Vec<Followed<'_>> =
        questions.iter().map(|question| Followed::new(question, index.ended.is_none())).collect();
    // By the commit that an object's next version begins with.
    let mut next: BinaryHeap<(Option<usize>, usize, usize)> = BinaryHeap::new();
    let stretches_of = |of: usize| timelines.get(&questions[of].object.id).map(Vec::as_slice).unwrap_or_default();
    let begin = |of: usize, n: usize| stretches_of(of).get(n).map(|stretch| (stretch.from, of, n));
    next.extend((0..questions.len()).filter_map(|of| begin(of, 0)));
    while let Some((_, of, n)) = next.pop() {
        let (stretches, followed) = (stretches_of(of), &mut all[of]);
        if late() {
            followed.history.whole = false;
            continue;
        }
        let newer = n.checked_sub(1).and_then(|newer| stretches[newer].from);
        let id = &questions[of].object.id;
        let needles = followed.needles();
        let Some(version) = declarations.version(index, id, stretches[n], newer, needles.as_deref()) else { continue };
        followed.push(version);
        if followed.wants_more() {
            next.extend(begin(of, n + 1));
        }
    }
    let mut merges = Merges::new(repository, folders, index, config, key, deadline);
    let mut evidence = Vec::new();
    for (question, mut followed) in questions.iter().zip(all) {
        followed.history.settle(question.schema);
        merges.tell_authors(question, &mut followed.history, &mut declarations);
        let evidence_of_one = Evidence { history: followed.history, elsewhere: Vec::new() };
        evidence.push((question.object.id.clone(), evidence_of_one));
    }
    if let Some(lines) = &source.merged {
        inside::tell(lines, index, folders, questions, &mut evidence, &mut declarations, deadline);
    }
    evidence
}

/// What other tracked revisions of a target's repository declare of an object now.
pub fn elsewhere(source: &TargetSource, readings: &[ClusterReading], id: &ObjectId) -> Vec<Elsewhere> {
    let objects = readings.iter().filter_map(|reading| reading.objects.get(id));
    let others = objects.filter(|object| {
        object.origin.repository == source.config.repository && object.origin.revision != source.config.revision
    });
    let of = |object: &Arc<DeclaredObject>| {
        let mut value = object.tree().ok()?;
        normalise(&mut value, &id.group_kind(), Side::Declared, &mut Applied::new());
        let (revision, commit) = (object.origin.revision.clone(), object.origin.commit.clone());
        Some(Elsewhere { revision, commit, value })
    };
    others.filter_map(of).collect()
}

/// Follows one object, newest version first, as far as something is open.
struct Followed<'a> {
    question: &'a Question<'a>,
    live: serde_json::Value,
    history: ObjectHistory,
    /// The differences of which the commit behind the declared value, or the one that once gave the live value, is not found yet.
    open: Vec<Open<'a>>,
    /// Whether a version differs from the present one.
    changed: bool,
}

struct Open<'a> {
    judgement: &'a Judgement,
    introduced: bool,
    /// The version with the live value.
    matched: Option<usize>,
    /// Whether a version before that had another.
    given: bool,
    /// The live value, where a version that has it must have this text in it.
    needle: Option<&'a str>,
}

impl<'a> Followed<'a> {
    fn new(question: &'a Question<'a>, whole: bool) -> Self {
        let open = |judgement| {
            let needle =
                if question.object.id.group_kind().is_secret() { None } else { needle(judgement, question.schema) };
            Open { judgement, introduced: false, matched: None, given: false, needle }
        };
        Self {
            question,
            live: question.live.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
            history: ObjectHistory { whole, ..ObjectHistory::default() },
            open: question.judgements.iter().map(open).collect(),
            changed: false,
        }
    }

    /// Where all that is open is which version has a live value: the texts of which one must be in it.
    fn needles(&self) -> Option<Vec<&'a str>> {
        let question = self.question;
        if question.whole || question.missing || question.removed || self.history.versions.is_empty() {
            return None;
        }
        let needle = |open: &Open<'a>| open.needle.filter(|_| open.introduced && open.matched.is_none());
        self.open.iter().map(needle).collect()
    }

    fn push(&mut self, mut version: ObjectVersion) {
        version.value = version.value.map(|value| places::without(value, self.question.ignored));
        let mut has_live_value = false;
        self.history.whole &= version.readable;
        // The present version differs from live, or nothing would be asked.
        if let Some(present) = self.history.versions.first() {
            let schema = self.question.schema;
            self.changed |= !version.is_like(present, None, schema);
            for open in &mut self.open {
                let path = Some(&open.judgement.difference.path);
                open.introduced |= !version.is_like(present, path, schema);
                match open.matched.and_then(|matched| self.history.versions.get(matched)) {
                    Some(matched) => open.given |= !version.is_like(matched, path, schema),
                    None if attribute::matches(open.judgement, version.value.as_ref(), &self.live, schema) => {
                        open.matched = Some(self.history.versions.len());
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
            version.value = version.value.map(|value| attribute::only(&value, paths));
        }
        self.history.versions.push(version);
    }

    /// Whether every version so far is either after the object's end or as it was last declared.
    fn last_declared_until_here(&self) -> bool {
        let mut declared = self.history.versions.iter().skip_while(|version| version.value.is_none());
        let last = declared.next();
        last.is_none_or(|last| declared.all(|version| version.is_like(last, None, self.question.schema)))
    }

    /// Whether an older version could change what is said.
    fn wants_more(&self) -> bool {
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

/// Where the lines of fields are asked for: by target and file, the object's position in the file and the field.
pub type LineQuestions = BTreeMap<(TargetName, String), Vec<(usize, FieldPath)>>;

/// The lines of fields in the files they are declared in, in the order of the questions. Each file is read and parsed once.
pub fn lines(
    sources: &[TargetSource],
    questions: &LineQuestions,
    config: &Config,
) -> BTreeMap<(TargetName, String), Vec<Option<u32>>> {
    let mut found = BTreeMap::new();
    for ((target, file), fields) in questions {
        let source = sources.iter().find(|source| source.config.name == *target);
        let content = source.and_then(|source| source.commit.as_ref()?.2.read(file));
        let lines = match content {
            Some(content) => manifest::lines_of(&content, fields, &gather::yaml_limits(config)),
            None => vec![None; fields.len()],
        };
        found.insert((target.clone(), file.clone()), lines);
    }
    found
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
