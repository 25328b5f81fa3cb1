//! Evidence on the declared side: what Git's history says of the objects that something is to be said about.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::declarations::Declarations;
use super::followed::Followed;
use super::gather::{self, TargetSource};
use super::inside;
use super::merged::Merges;
use super::reading::ClusterReading;
use super::remembered::Remembered;
use super::rendered_past;
use crate::adapters::git::OpenedRepository;
use crate::adapters::render::manifest;
use crate::config::Config;
use crate::model::declared::DeclaredObject;
use crate::model::field_path::FieldPath;
use crate::model::ids::{ClusterName, TargetName};
use crate::model::resource::ObjectId;
use crate::model::schema::SchemaRef;
use crate::model::secret::RedactionKey;
use crate::model::versions::VersionIndex;
use crate::ports::SourceTree as _;
use crate::processors;
use crate::stages::attribute::Elsewhere;
use crate::stages::findings::Evidence;
use crate::stages::judge::Judgement;
use crate::stages::normalise::{Applied, Side, normalise};
use crate::stages::object_history::ObjectHistory;
use crate::stages::places::Place;
use crate::stages::timeline::{self, Folder, Stretch};

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

/// Where evidence is looked for.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// The target, its repository and the index of its revision.
    pub source: &'a TargetSource,
    /// All targets at hand.
    pub sources: &'a [TargetSource],
    /// Its own folder first, then those among which its objects may have moved.
    pub folders: &'a [Folder],
    /// Limits and rules.
    pub config: &'a Config,
    /// Hides what is secret.
    pub key: &'a RedactionKey,
}

/// A question with the stretches of the object that it is about, newest first.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What is asked.
    pub question: &'a Question<'a>,
    /// Where the object was declared.
    pub stretches: &'a [Stretch],
}

/// What was found out about one object.
pub struct Told<'a> {
    /// What was asked.
    pub asked: Asked<'a>,
    /// The answer.
    pub history: ObjectHistory,
    /// For each of its versions the newest and the oldest stretch that it is of.
    pub stretches_of: Vec<(usize, usize)>,
    /// Under which name it may be kept for other scans; `None`: not at all.
    pub name: Option<String>,
    /// Whether it was kept by an earlier scan.
    pub is_known: bool,
}

impl Search<'_> {
    /// The evidence for objects of the target. What an earlier scan found out counts where the same is asked of the same versions, and
    /// all of it is kept for the next one. Blocks.
    pub fn with_memory(&self, questions: &[Question<'_>]) -> BTreeMap<ObjectId, Evidence> {
        self.search(questions, Some(&Remembered::load(self)))
    }

    /// The evidence for objects of the target, all of it found out now. Blocks.
    pub fn anew(&self, questions: &[Question<'_>]) -> BTreeMap<ObjectId, Evidence> {
        self.search(questions, None)
    }

    fn search(&self, questions: &[Question<'_>], remembered: Option<&Remembered<'_>>) -> BTreeMap<ObjectId, Evidence> {
        let (Some((_, repository, _)), Some(index)) = (&self.source.commit, &self.source.versions) else {
            return BTreeMap::new();
        };
        let deadline = Instant::now().checked_add(self.config.limits.history_time);
        if let Some(toolbox) = &self.source.toolbox {
            return rendered_past::of_target(self, toolbox, questions, deadline);
        }
        let ids = questions.iter().map(|question| &question.object.id);
        let timelines = timeline::timelines(index, self.folders, ids);
        // What stands in one file now mostly stood in one file before: its objects ask for the same contents.
        let mut files: BTreeMap<&str, Vec<Asked<'_>>> = BTreeMap::new();
        for question in questions {
            let stretches = timelines.get(&question.object.id).map(Vec::as_slice).unwrap_or_default();
            files.entry(question.object.origin.file.as_str()).or_default().push(Asked { question, stretches });
        }
        let workers = processors::count();
        let jobs = Mutex::new(jobs(files.into_values(), workers));
        let next = || jobs.lock().ok().and_then(|mut jobs| jobs.pop());
        let told = processors::on_each(0..workers, |_| {
            let mut worker = Worker::new(self, repository, index, remembered, deadline);
            let mut told = Vec::new();
            while let Some(asked) = next() {
                told.extend(worker.answer(asked));
            }
            told
        });
        let told: Vec<Told<'_>> = told.into_iter().flatten().collect();
        if let Some(remembered) = remembered {
            remembered.keep(&told);
        }
        let evidence = |history| Evidence { history, elsewhere: Vec::new() };
        told.into_iter().map(|told| (told.asked.question.object.id.clone(), evidence(told.history))).collect()
    }
}

/// What the workers take one after another, from the end: what has most to read first, so that none of them is left alone with it. The
/// objects of one file stay together, unless that were more than one worker's share.
fn jobs<'q>(files: impl Iterator<Item = Vec<Asked<'q>>>, workers: usize) -> Vec<Vec<Asked<'q>>> {
    let weight = |asked: &Asked<'_>| asked.stretches.len() * asked.question.object.json.len();
    let files: Vec<Vec<Asked<'q>>> = files.collect();
    let most = files.iter().flatten().map(weight).sum::<usize>() / workers.max(1);
    let mut jobs: Vec<(usize, Vec<Asked<'q>>)> = Vec::new();
    for file in files {
        jobs.push((0, Vec::new()));
        for asked in file {
            match jobs.last_mut().filter(|(sum, job)| job.is_empty() || sum + weight(&asked) <= most) {
                Some((sum, job)) => {
                    *sum += weight(&asked);
                    job.push(asked);
                }
                None => jobs.push((weight(&asked), vec![asked])),
            }
        }
    }
    jobs.sort_by_key(|(sum, _)| *sum);
    jobs.into_iter().map(|(_, job)| job).collect()
}

/// Answers questions on one thread.
struct Worker<'a> {
    search: &'a Search<'a>,
    index: &'a VersionIndex,
    remembered: Option<&'a Remembered<'a>>,
    deadline: Option<Instant>,
    declarations: Declarations<'a>,
    merges: Merges<'a>,
}

impl<'a> Worker<'a> {
    fn new(
        search: &'a Search<'a>,
        repository: &'a OpenedRepository,
        index: &'a VersionIndex,
        remembered: Option<&'a Remembered<'a>>,
        deadline: Option<Instant>,
    ) -> Self {
        let &Search { source, folders, config, key, .. } = search;
        let reading = gather::reading(config, &source.config, key);
        Self {
            search,
            index,
            remembered,
            deadline,
            declarations: Declarations::new(repository, reading, config.limits.file_bytes),
            merges: Merges::new(repository, folders, index, config, deadline),
        }
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() > deadline)
    }

    fn answer<'q>(&mut self, asked: Vec<Asked<'q>>) -> Vec<Told<'q>> {
        let (mut told, mut open) = (Vec::new(), Vec::new());
        for asked in asked {
            let name = self.remembered.map(|remembered| remembered.name(&asked, self.index));
            let known =
                name.as_ref().and_then(|name| self.remembered?.recall(name, asked, self.index, &self.declarations));
            match known {
                Some(known) => told.push(known),
                None => open.push((asked, name)),
            }
        }
        told.extend(self.follow(open));
        if let Some(lines) = &self.search.source.merged {
            let asked = told.iter_mut().map(|told| (told.asked.question, &mut told.history));
            inside::tell(lines, self.index, self.search.folders, asked, &mut self.declarations, self.deadline);
        }
        told
    }

    /// Follows all objects side by side, the newest commit first: those of one file ask for the same contents.
    fn follow<'q>(&mut self, open: Vec<(Asked<'q>, Option<String>)>) -> Vec<Told<'q>> {
        let index = self.index;
        let whole = index.ended.is_none();
        let mut followed: Vec<Followed<'q>> =
            open.iter().map(|(asked, _)| Followed::new(asked.question, whole)).collect();
        // By the commit that an object's next version begins with.
        let mut next: BinaryHeap<(Option<usize>, usize, usize)> = BinaryHeap::new();
        let begin = |of: usize, n: usize| open[of].0.stretches.get(n).map(|stretch| (stretch.from, of, n));
        next.extend((0..open.len()).filter_map(|of| begin(of, 0)));
        while let Some((from, of, n)) = next.pop() {
            let Asked { question, stretches } = open[of].0;
            let followed = &mut followed[of];
            if self.is_late() {
                followed.history.whole = false;
                followed.all_read = false;
                continue;
            }
            let newer = n.checked_sub(1).and_then(|newer| stretches[newer].from);
            let needles = followed.needles();
            let id = &question.object.id;
            let Some(version) = self.declarations.version(index, id, stretches[n], newer, needles.as_deref()) else {
                // Before the first commit of all there is nothing to read.
                followed.all_read &= from.is_none();
                continue;
            };
            followed.push(version, n);
            if followed.wants_more() {
                next.extend(begin(of, n + 1));
            }
        }
        let settle = |((asked, name), followed): ((Asked<'q>, Option<String>), Followed<'q>)| {
            let Followed { mut history, stretches_of, all_read, .. } = followed;
            history.settle(asked.question.schema);
            self.merges.tell_authors(asked.question, &mut history, &mut self.declarations);
            // What there was no time for is looked for another time.
            let name = name.filter(|_| all_read && !self.is_late());
            Told { asked, history, stretches_of, name, is_known: false }
        };
        open.into_iter().zip(followed).map(settle).collect()
    }
}

/// What other tracked revisions of a target's repository, and other environments on the same one, declare of an object now. Another
/// environment has it in the namespace of its own target, or in another cluster.
pub fn elsewhere(
    source: &TargetSource,
    sources: &[TargetSource],
    readings: &[ClusterReading],
    id: &ObjectId,
) -> Vec<Elsewhere> {
    let own = &source.config;
    let others = sources.iter().map(|other| &other.config);
    let others = others.filter(|other| other.repository == own.repository && other.name != own.name);
    let mut places = BTreeSet::new();
    for other in others {
        let namespace = id
            .namespace
            .as_ref()
            .map(|namespace| if *namespace == own.namespace { other.namespace.clone() } else { namespace.clone() });
        places.insert((&other.cluster, ObjectId { namespace, ..id.clone() }));
    }
    let object = |(cluster, id): &(&ClusterName, ObjectId)| {
        readings.iter().find(|reading| reading.summary.name == **cluster)?.objects.get(id)
    };
    let others = places
        .iter()
        .filter_map(object)
        .filter(|object| object.origin.repository == own.repository && object.origin.target != own.name);
    let of = |object: &Arc<DeclaredObject>| {
        let mut value = object.tree().ok()?;
        normalise(&mut value, &id.group_kind(), Side::Declared, &mut Applied::new());
        let (revision, commit) = (object.origin.revision.clone(), object.origin.commit.clone());
        let environment = (revision == own.revision).then(|| object.origin.target.clone());
        Some(Elsewhere { environment, revision, commit, value })
    };
    let mut found: Vec<Elsewhere> = others.filter_map(of).collect();
    // Another revision is brought here; another environment only may be.
    found.sort_by_key(|there| there.environment.is_some());
    found
}

/// Where the lines of fields are asked for: by target and file, the object's position in the file and the field.
pub type LineQuestions = BTreeMap<(TargetName, String), Vec<(usize, FieldPath)>>;

/// The lines of fields in the files they are declared in, in the order of the questions. Each file is read and parsed once, on all
/// processors.
pub fn lines(
    sources: &[TargetSource],
    questions: &LineQuestions,
    config: &Config,
) -> BTreeMap<(TargetName, String), Vec<Option<u32>>> {
    let lines_in = |(target, file): &(TargetName, String), fields: &[(usize, FieldPath)]| {
        let source = sources.iter().find(|source| source.config.name == *target);
        match source.and_then(|source| source.commit.as_ref()?.2.read(file)) {
            Some(content) => manifest::lines_of(&content, fields, &gather::yaml_limits(config)),
            None => vec![None; fields.len()],
        }
    };
    let questions: Vec<_> = questions.iter().collect();
    let share = questions.len().div_ceil(processors::count()).max(1);
    let lines = processors::on_each(questions.chunks(share), |share| {
        share.iter().map(|(place, fields)| ((*place).clone(), lines_in(place, fields))).collect::<Vec<_>>()
    });
    lines.into_iter().flatten().collect()
}
