//! Evidence on the declared side: what Git's history says of the objects that something is to be said about.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Instant;

use super::gather::{self, TargetSource};
use crate::adapters::git::HistoryBounds;
use crate::adapters::render::heads::pieces_of;
use crate::adapters::render::manifest::{self, Reading};
use crate::config::Config;
use crate::model::declared::{DeclaredObject, RenderedObject};
use crate::model::field_path::FieldPath;
use crate::model::gap::{Gap, Hides};
use crate::model::history::FileVersion;
use crate::model::ids::TargetName;
use crate::model::resource::ObjectId;
use crate::model::schema::SchemaRef;
use crate::model::secret::RedactionKey;
use crate::ports::SourceTree as _;
use crate::stages::attribute::{self, ObjectHistory, ObjectVersion};
use crate::stages::findings::Evidence;
use crate::stages::judge::Judgement;
use crate::stages::normalise::{Applied, Side, normalise};
use crate::stages::places::{self, Place};

/// Versions of one file that are looked at; a file with more is not followed to its beginning.
const MOST_VERSIONS: usize = 1_000;

/// An object that something is to be said about.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The object.
    pub object: &'a DeclaredObject,
    /// What differs: each live value is looked for in earlier versions.
    pub judgements: &'a [Judgement],
    /// The schema of its kind.
    pub schema: Option<SchemaRef<'a>>,
    /// Places that ignore rules take out of what differs.
    pub ignored: &'a [Place],
    /// Whether it is not live: then it matters since when it is declared.
    pub missing: bool,
    /// Whether it is declared no more: then it matters which commit took it away, and which declared it last.
    pub removed: bool,
}

impl<'a> Question<'a> {
    /// About an object that is declared no more.
    pub fn of_former(object: &'a DeclaredObject) -> Self {
        Self { object, judgements: &[], schema: None, ignored: &[], missing: false, removed: true }
    }
}

/// The evidence for objects of one target, from one walk over its history. Blocks.
pub fn of_target(
    source: &TargetSource,
    questions: &[Question<'_>],
    config: &Config,
    key: &RedactionKey,
) -> (BTreeMap<ObjectId, Evidence>, Vec<Gap>) {
    let Some((commit, repository, tree)) = &source.commit else { return Default::default() };
    let mut by_file: BTreeMap<String, Vec<Question<'_>>> = BTreeMap::new();
    for question in questions {
        let file = &question.object.origin.file;
        let file = tree.real_path(file).unwrap_or_else(|| file.clone());
        by_file.entry(file).or_default().push(*question);
    }
    let files: Vec<String> = by_file.keys().cloned().collect();
    let deadline = Instant::now().checked_add(config.limits.history_time);
    let bounds = HistoryBounds { max_commits: config.limits.history_commits, max_versions: MOST_VERSIONS, deadline };
    let histories = match repository.file_histories(commit, &files, bounds) {
        Ok(histories) => histories,
        Err(mut gap) => {
            gap.hides = Hides::Evidence;
            return (BTreeMap::new(), vec![gap.of_target(&source.config.name)]);
        }
    };
    let mut evidence = BTreeMap::new();
    for (file, questions) in by_file {
        let Some(history) = histories.get(&file) else { continue };
        let mut follower = Follower::new(&questions, history.whole, gather::reading(config, &source.config, key));
        for version in &history.versions {
            let late = deadline.is_some_and(|deadline| Instant::now() > deadline);
            if late || !follower.wants_more() {
                follower.cut_off();
                break;
            }
            let content = version.blob.as_ref().map(|blob| repository.blob(blob, config.limits.file_bytes));
            follower.follow(version, content, &file);
        }
        evidence.extend(follower.done());
    }
    (evidence, Vec::new())
}

/// Follows the objects of one file through its versions, newest first.
struct Follower<'a> {
    reading: Reading<'a>,
    objects: Vec<Followed<'a>>,
    /// The pieces of the version before, as read: most pieces of a file stay the same from version to version.
    pieces: HashMap<Vec<u8>, Piece>,
}

struct Followed<'a> {
    question: Question<'a>,
    history: ObjectHistory,
    /// The differences whose live value no version had so far.
    unmatched: Vec<&'a Judgement>,
    /// Whether a version differs from the present one.
    changed: bool,
}

#[derive(Clone, Default)]
struct Piece {
    objects: Rc<Vec<RenderedObject>>,
    readable: bool,
}

impl<'a> Follower<'a> {
    fn new(questions: &[Question<'a>], whole: bool, reading: Reading<'a>) -> Self {
        let followed = |question: &Question<'a>| Followed {
            question: *question,
            history: ObjectHistory { versions: Vec::new(), whole },
            unmatched: question.judgements.iter().collect(),
            changed: false,
        };
        Self { reading, objects: questions.iter().map(followed).collect(), pieces: HashMap::new() }
    }

    fn wants_more(&self) -> bool {
        self.objects.iter().any(Followed::wants_more)
    }

    /// Older versions are not looked at.
    fn cut_off(&mut self) {
        for followed in &mut self.objects {
            followed.history.whole = false;
        }
    }

    /// `content`: `None` where the file was not there, `Some(None)` where it cannot be read.
    fn follow(&mut self, version: &FileVersion, content: Option<Option<Vec<u8>>>, file: &str) {
        let readable = !matches!(content, Some(None));
        let pieces = self.read(&content.flatten().unwrap_or_default(), file);
        for followed in self.objects.iter_mut().filter(|followed| followed.wants_more()) {
            let id = &followed.question.object.id;
            let value = pieces.iter().rev().find_map(|piece| {
                let object = piece.objects.iter().rev().find(|object| is(object, id, self.reading.namespace))?;
                let mut value = object.tree().ok()?;
                normalise(&mut value, &id.group_kind(), Side::Declared, &mut Applied::new());
                Some(places::without(value, followed.question.ignored))
            });
            // A version that cannot be read may have declared anything.
            followed.history.whole &= value.is_some() || (readable && pieces.iter().all(|piece| piece.readable));
            followed.push(ObjectVersion {
                commit: version.commit.clone(),
                authored: version.authored.clone(),
                commits_behind: version.commits_behind,
                value,
            });
        }
    }

    /// Reads the pieces of a file that name one of the objects. A file is split where `kubectl` splits it.
    fn read(&mut self, content: &[u8], file: &str) -> Vec<Piece> {
        let mut known = std::mem::take(&mut self.pieces);
        let mut pieces = Vec::new();
        for text in pieces_of(content) {
            if !self
                .objects
                .iter()
                .any(|followed| memchr::memmem::find(text, followed.question.object.id.name.as_bytes()).is_some())
            {
                continue;
            }
            let piece = known.remove(text).unwrap_or_else(|| {
                let manifests = manifest::read(file, text, &self.reading);
                Piece { readable: manifests.gaps.is_empty(), objects: Rc::new(manifests.objects) }
            });
            self.pieces.insert(text.to_vec(), piece.clone());
            pieces.push(piece);
        }
        pieces
    }

    fn done(self) -> impl Iterator<Item = (ObjectId, Evidence)> {
        self.objects
            .into_iter()
            .map(|followed| (followed.question.object.id.clone(), Evidence { history: followed.history }))
    }
}

impl Followed<'_> {
    fn push(&mut self, version: ObjectVersion) {
        let (value, schema) = (version.value.as_ref(), self.question.schema);
        match self.history.versions.first() {
            // The present version differs from live, or nothing would be asked.
            None => {}
            Some(present) => {
                self.changed |= version.value != present.value;
                self.unmatched.retain(|judgement| !attribute::matches(judgement, value, schema));
            }
        }
        self.history.versions.push(version);
    }

    /// Whether every version so far is either after the object's end or as it was last declared.
    fn last_declared_until_here(&self) -> bool {
        let mut declared = self.history.versions.iter().skip_while(|version| version.value.is_none());
        let last = declared.next();
        last.is_none_or(|last| declared.all(|version| version.value == last.value))
    }

    /// Whether an older version could change what is said.
    fn wants_more(&self) -> bool {
        let declared_until_here = || self.history.versions.last().is_none_or(|version| version.value.is_some());
        !self.changed
            || !self.unmatched.is_empty()
            || (self.question.missing && declared_until_here())
            || (self.question.removed && self.last_declared_until_here())
    }
}

fn is(object: &RenderedObject, id: &ObjectId, namespace: &str) -> bool {
    let same_namespace =
        id.namespace.as_deref().is_none_or(|wanted| object.namespace.as_deref().unwrap_or(namespace) == wanted);
    object.name == id.name && object.gvk.kind == id.kind && object.gvk.gv.group == id.group && same_namespace
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
