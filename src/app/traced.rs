//! Where rendered values stem from, proved by rendering changed files: see [`trace`]. What was found out is kept for the same files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::files::Files;
use super::gather::TargetSource;
use super::rendering::{KEPT_FOR, RenderedAt, Rendering};
use super::{named_then, rendered_past, wiring};
use crate::adapters::kept::{Kept, KeptKey};
use crate::adapters::render::{Inputs, Toolbox};
use crate::config::{Config, NamedBy, NamingObject, TargetConfig};
use crate::model::declared::RenderedObject;
use crate::model::field_path::FieldPath;
use crate::model::finding::Finding;
use crate::model::ids::TargetName;
use crate::model::resource::ObjectId;
use crate::model::secret::RedactionKey;
use crate::ports::SourceTree as _;
use crate::processors;
use crate::stages::pick::lookup;
use crate::stages::trace::{self, Place};

/// Renderings of one target in one scan; what is open then is asked by the next one.
const MOST_RENDERINGS: usize = 60;
/// Values of one target that are traced in one scan.
const MOST_VALUES: usize = 1_000;
/// What is kept changes with the way of tracing.
const FORM: &str = "1";

/// A value to trace.
pub struct Asked<'a> {
    /// Its object.
    pub id: &'a ObjectId,
    /// Its place.
    pub path: &'a FieldPath,
    /// What is live there.
    pub live: Option<&'a Value>,
}

/// The line that a value stems from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stem {
    /// Whether it is in the file with the object that names the target, and so in that one's repository.
    pub in_naming: bool,
    /// From the repository's root.
    pub file: String,
    /// One-based.
    pub line: u32,
}

/// Gives findings on rendered targets the file and line that their declared value stems from, all of them together within
/// `limits.historyTime`. Blocks.
pub fn tell(found: &mut [Finding], sources: &[TargetSource], config: &Config, key: &RedactionKey) {
    let deadline = Instant::now().checked_add(config.limits.history_time);
    let mut by_target: BTreeMap<&TargetName, Vec<(usize, ObjectId)>> = BTreeMap::new();
    for (n, finding) in found.iter().enumerate() {
        let origin = finding.origin.as_ref().filter(|_| finding.declared.is_some() && finding.path.is_some());
        if let Some(origin) = origin {
            by_target.entry(&origin.target).or_default().push((n, finding.object()));
        }
    }
    let rendered = sources.iter().filter(|source| source.toolbox.is_some());
    let jobs: Vec<_> = rendered.filter_map(|source| Some((source, by_target.get(&source.config.name)?))).collect();
    let all: &[Finding] = found;
    let jobs = Mutex::new(jobs.into_iter());
    let next = || jobs.lock().ok().and_then(|mut jobs| jobs.next());
    let stems_of = |(source, findings): (_, &Vec<(usize, ObjectId)>)| {
        let asked = findings.iter().filter_map(|(n, id)| {
            let finding = &all[*n];
            Some(Asked { id, path: finding.path.as_ref()?, live: finding.live.as_ref() })
        });
        let stems = of_values(source, sources, (config, key), &asked.collect::<Vec<_>>(), deadline);
        findings.iter().map(|(n, _)| *n).zip(stems).map(|(n, stem)| (n, source, stem)).collect::<Vec<_>>()
    };
    let stems = processors::on_each(0..processors::count(), |_| {
        std::iter::from_fn(next).flat_map(stems_of).collect::<Vec<_>>()
    });
    for (n, source, stem) in stems.into_iter().flatten() {
        let (Some(origin), Some(stem)) = (&mut found[n].origin, stem) else { continue };
        origin.line = Some(stem.line);
        if let Some((beside, file)) = source.beside_at(&stem.file) {
            origin.file = file.to_owned();
            origin.repository = beside.of.repository.clone();
            origin.revision = beside.of.revision.clone();
            origin.commit = beside.commit.0.clone();
            continue;
        }
        origin.file = stem.file;
        if let Some(naming) = rendered_past::naming(source, sources).filter(|_| stem.in_naming) {
            origin.repository = naming.config.repository.clone();
            origin.revision = naming.config.revision.clone();
            origin.commit = naming.commit.as_ref().map_or(origin.commit.clone(), |(commit, _, _)| commit.clone());
        }
    }
}

/// Where values of a rendered target stem from, as far as that can be proved. Blocks.
pub fn of_values(
    source: &TargetSource,
    sources: &[TargetSource],
    (config, key): (&Config, &RedactionKey),
    asked: &[Asked<'_>],
    deadline: Option<Instant>,
) -> Vec<Option<Stem>> {
    let nothing = || vec![None; asked.len()];
    let (Some(toolbox), Some(files)) = (&source.toolbox, source.files()) else { return nothing() };
    // What comes over the network may be another thing each time.
    if source.config.render.network {
        return nothing();
    }
    let Some(bench) = Bench::new(source, sources, (config, key, toolbox), &files) else { return nothing() };
    let Some(rules) = bench.rendering.rules_of(&source.config, &files) else { return nothing() };
    let kept = Kept::new(&wiring::cache(config), "traced");
    let hashes = [bench.own.hash(), bench.naming.as_ref().map_or_else(String::new, |naming| naming.text.clone())];
    let rules = format!("{FORM} {rules}");
    let kept_key = KeptKey { repository: "", revision: "", roots: &hashes, rules: &rules };
    let known: BTreeMap<String, Option<Stem>> = kept.load(kept_key).unwrap_or_default();

    let mut open = Vec::new();
    let now = bench.now();
    let names: Vec<String> =
        asked.iter().map(|asked| format!("{} {} {:?}", asked.id, asked.path, asked.live)).collect();
    for (n, asked) in asked.iter().enumerate().filter(|(n, _)| !known.contains_key(&names[*n])).take(MOST_VALUES) {
        let Some(before) = bench.value(&now, asked) else { continue };
        let texts = trace::texts(&before, asked.live);
        open.push(Open { n, before, texts, tried: Vec::new(), stem: None, undecided: false });
    }
    let mut tracing = Tracing { bench: &bench, asked, open, left: MOST_RENDERINGS, deadline };
    tracing.run();
    let mut found = known.clone();
    for open in tracing.open.into_iter().filter(|open| open.stem.is_some() || !open.undecided) {
        found.insert(names[open.n].clone(), open.stem);
    }
    if found != known {
        if let Err(error) = kept.save(kept_key, &found) {
            tracing::warn!("where values stem from cannot be kept, and is traced anew by each scan: {error}");
        }
        kept.sweep(KEPT_FOR);
    }
    names.iter().map(|name| found.get(name).cloned().flatten()).collect()
}

/// A target whose files can be changed.
struct Bench<'a> {
    rendering: Rendering<'a>,
    target: &'a TargetConfig,
    tree: &'a Files,
    own: Inputs,
    naming: Option<NamingFile<'a>>,
}

/// The file with the object that names the target.
struct NamingFile<'a> {
    target: &'a TargetConfig,
    by: &'a NamingObject,
    text: String,
}

impl<'a> Bench<'a> {
    fn new(
        source: &'a TargetSource,
        sources: &'a [TargetSource],
        (config, key, toolbox): (&'a Config, &'a RedactionKey, &'a Toolbox),
        tree: &'a Files,
    ) -> Option<Self> {
        let rendering = Rendering { config, key, toolbox };
        let own = rendering.inputs(&source.config, tree)?;
        let naming = match &source.config.named_by {
            NamedBy::Declared(by) => rendered_past::naming(source, sources).and_then(|naming| {
                let content = naming.commit.as_ref()?.2.read(&by.file).filter(|_| by.is_written)?;
                let text = String::from_utf8(content.to_vec()).ok()?;
                Some(NamingFile { target: &naming.config, by, text })
            }),
            NamedBy::Configuration | NamedBy::Live => None,
        };
        Some(Self { rendering, target: &source.config, tree, own, naming })
    }

    /// The files that are searched: those of the target, then the one with the object that names it.
    fn files(&self) -> Vec<(&str, &str)> {
        let naming = self.naming.iter().map(|naming| (naming.by.file.as_str(), naming.text.as_str()));
        self.own.texts().chain(naming).collect()
    }

    /// What is rendered of other files and, where that is another, of what the object that names the target says.
    fn objects(&self, own: &Inputs, naming: Option<&str>) -> Option<Vec<RenderedObject>> {
        let rendered = match (naming, &self.naming) {
            (Some(text), Some(file)) => {
                let then =
                    named_then::in_file(&self.rendering, self.target, (file.target, file.by), text.as_bytes(), true)?
                        .ok()??;
                self.rendering.of_other_files(&then, self.tree, own)
            }
            _ => self.rendering.of_other_files(self.target, self.tree, own),
        };
        rendered.ok().map(|rendered| rendered.objects)
    }

    /// What is rendered as it is.
    fn now(&self) -> Vec<RenderedObject> {
        let RenderedAt { result, .. } = self.rendering.of(self.target, self.tree);
        result.map(|rendered| rendered.objects).unwrap_or_default()
    }

    fn is_naming(&self, file: usize) -> bool {
        self.naming.is_some() && file + 1 == self.files().len()
    }

    fn value(&self, objects: &[RenderedObject], asked: &Asked<'_>) -> Option<Value> {
        let object = rendered_past::find(objects, asked.id, &self.target.namespace)?;
        lookup(&object.tree().ok()?, asked.path).cloned()
    }
}

/// A value that is being traced.
struct Open {
    /// Its position among those that were asked.
    n: usize,
    before: Value,
    texts: Vec<String>,
    /// The trials of its present text.
    tried: Vec<usize>,
    stem: Option<Stem>,
    /// Whether there was no time for all of it.
    undecided: bool,
}

/// A text that is changed.
struct Trial {
    place: Place,
    text: String,
    instead: String,
}

struct Tracing<'a> {
    bench: &'a Bench<'a>,
    asked: &'a [Asked<'a>],
    open: Vec<Open>,
    /// Renderings that may be asked for.
    left: usize,
    deadline: Option<Instant>,
}

impl Tracing<'_> {
    fn run(&mut self) {
        let rounds = self.open.iter().map(|open| open.texts.len()).max().unwrap_or_default();
        for round in 0..rounds {
            let trials = self.trials(round);
            for batch in batches(&trials) {
                self.prove(&trials, batch);
            }
        }
    }

    /// What may be changed for those texts that are the values' next ones.
    fn trials(&mut self, round: usize) -> Vec<Trial> {
        let files = self.bench.files();
        let contents: Vec<&str> = files.iter().map(|(_, content)| *content).collect();
        let mut trials: Vec<Trial> = Vec::new();
        let mut known: BTreeMap<(Place, String), usize> = BTreeMap::new();
        for open in &mut self.open {
            open.tried.clear();
            let Some(text) = open.texts.get(round).filter(|_| open.stem.is_none()) else { continue };
            for place in trace::places(text, self.asked[open.n].path, &contents) {
                let next = trials.len();
                let trial = *known.entry((place.clone(), text.clone())).or_insert(next);
                if trial == next {
                    let alike = trials.iter().filter(|trial| trial.text == *text).count();
                    trials.push(Trial { place, text: text.clone(), instead: trace::instead(text, alike) });
                }
                open.tried.push(trial);
            }
        }
        trials
    }

    /// Changes all of a batch at once. Where that breaks a rendering, or moves a value in another way than it must, each half is tried alone.
    fn prove(&mut self, trials: &[Trial], batch: Vec<usize>) {
        let batch: BTreeSet<usize> = batch.into_iter().collect();
        let concerned = |open: &Open| open.stem.is_none() && open.tried.iter().any(|trial| batch.contains(trial));
        if !self.open.iter().any(concerned) {
            return;
        }
        if self.left == 0 || self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
            self.open.iter_mut().filter(|open| concerned(open)).for_each(|open| open.undecided = true);
            return;
        }
        self.left -= 1;
        let files = self.bench.files();
        let objects = self.rendered(trials, &batch, &files);
        let mut disturbed: BTreeSet<usize> = BTreeSet::new();
        for open in self.open.iter_mut().filter(|open| concerned(open)) {
            let asked = &self.asked[open.n];
            let after = objects.as_ref().and_then(|objects| self.bench.value(objects, asked));
            if after.as_ref() == Some(&open.before) {
                continue;
            }
            let follows = |trial: &&usize| {
                let Trial { text, instead, .. } = &trials[**trial];
                after.as_ref().is_some_and(|after| trace::follows(&open.before, after, text, instead))
            };
            let tried = || open.tried.iter().filter(|trial| batch.contains(trial));
            match tried().find(follows) {
                Some(proved) => {
                    let place = &trials[*proved].place;
                    let (file, in_naming) = (files[place.file].0.to_owned(), self.bench.is_naming(place.file));
                    open.stem = Some(Stem { in_naming, file, line: place.line });
                }
                None => disturbed.extend(tried()),
            }
        }
        if batch.len() > 1 && !disturbed.is_empty() {
            let mut first: Vec<usize> = disturbed.into_iter().collect();
            // One that disturbs others alone: without those that it disturbs.
            let second = first.split_off(first.len().div_ceil(2));
            self.prove(trials, first);
            self.prove(trials, second);
        }
    }

    fn rendered(
        &self,
        trials: &[Trial],
        batch: &BTreeSet<usize>,
        files: &[(&str, &str)],
    ) -> Option<Vec<RenderedObject>> {
        let mut edits: BTreeMap<usize, Vec<&Trial>> = BTreeMap::new();
        for trial in batch.iter().map(|trial| &trials[*trial]) {
            edits.entry(trial.place.file).or_default().push(trial);
        }
        let (mut own, mut naming) = (self.bench.own.clone(), None);
        for (file, mut edits) in edits {
            let (path, content) = files[file];
            // From the end, so that the places before stay where they are.
            edits.sort_by_key(|trial| std::cmp::Reverse(trial.place.start));
            let mut content = content.to_owned();
            for Trial { place, text, instead } in edits {
                content.replace_range(place.start..place.start + text.len(), instead);
            }
            if self.bench.is_naming(file) { naming = Some(content) } else { own.put(path, content) }
        }
        self.bench.objects(&own, naming.as_deref())
    }
}

/// Trials that may be made at once: those at places apart from one another. What is yes or no decides about more than itself, and is tried
/// alone.
fn batches(trials: &[Trial]) -> Vec<Vec<usize>> {
    let is_alone = |trial: &Trial| matches!(trial.text.as_str(), "true" | "false");
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let together = |one: &Trial, other: &Trial| {
        let (end, other_end) = (one.place.start + one.text.len(), other.place.start + other.text.len());
        one.place.file != other.place.file || end <= other.place.start || other_end <= one.place.start
    };
    for (n, trial) in trials.iter().enumerate() {
        let fits = |batch: &&mut Vec<usize>| {
            !is_alone(trial) && batch.iter().all(|other| !is_alone(&trials[*other]) && together(trial, &trials[*other]))
        };
        match batches.iter_mut().find(fits) {
            Some(batch) => batch.push(n),
            None => batches.push(vec![n]),
        }
    }
    batches
}
