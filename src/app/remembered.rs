//! What scans found out about objects' pasts, kept beside the mirrors: as long as the same is asked of the same versions, the answer is the
//! same, and no old content has to be read for it again. How far behind something is, each scan says anew.
//!
//! Only what was found out with all versions readable and in time is kept. Values are kept as findings show them: redacted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::declarations::{Declarations, LinePlace};
use super::evidence::{Asked, Search, Told};
use super::pipeline::VERSION;
use super::{versions, wiring};
use crate::adapters::kept::{Kept, KeptKey};
use crate::model::canonical::{self, Canonical};
use crate::model::field_path::FieldPath;
use crate::model::history::CommitInfo;
use crate::model::ids::CommitId;
use crate::model::versions::VersionIndex;
use crate::stages::inside::Inside;
use crate::stages::object_history::{ObjectHistory, ObjectVersion};
use crate::stages::timeline::At;

/// Changes with the form of what is kept, and with what is kept in it.
const FORM: &str = "1";
/// Bytes of one object's answer above which it is not kept.
const MOST_BYTES_OF_ONE: usize = 1024 * 1024;
/// Bytes of all of a target's; the rest is found out anew by each scan.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The answers that are kept for one target.
pub struct Remembered<'a> {
    search: &'a Search<'a>,
    commits: Vec<Arc<CommitInfo>>,
    pages: BTreeMap<String, Option<Box<RawValue>>>,
}

/// The file.
#[derive(Default, Serialize, Deserialize)]
struct Book {
    /// The commits that the answers name.
    commits: Vec<CommitInfo>,
    /// By the names of what was asked; each a [`Page`], or nothing where that would be too large.
    pages: BTreeMap<String, Option<Box<RawValue>>>,
}

/// One object's history.
#[derive(Serialize, Deserialize)]
struct Page<V> {
    versions: Vec<PageVersion>,
    /// What the versions declare, where it is not what the one before declares.
    values: Vec<V>,
    matched: Vec<Option<usize>>,
    whole: bool,
    since: Option<usize>,
    last: Option<usize>,
    /// As [`ObjectHistory::authors`], with the numbers of the commits.
    authors: Vec<(usize, Option<FieldPath>, usize)>,
}

/// The numbers of a version's newest and oldest stretch, of its commit and of its value.
#[derive(Serialize, Deserialize)]
struct PageVersion(usize, usize, usize, usize);

impl<'a> Remembered<'a> {
    /// What is kept for a target, perhaps nothing.
    pub fn load(search: &'a Search<'a>) -> Self {
        let book: Option<Book> = with_place(search, |kept, key| kept.load(key)).flatten();
        let Book { commits, pages } = book.unwrap_or_default();
        Self { search, commits: commits.into_iter().map(Arc::new).collect(), pages }
    }

    /// What names a question: all that its answer follows from.
    pub fn name(&self, asked: &Asked<'_>, index: &VersionIndex) -> String {
        let Asked { question, stretches } = asked;
        let id = &question.object.id;
        let mut name = Canonical::new("driftledger/evidence/v1")
            .text(&id.group)
            .text(&id.kind)
            .optional(id.namespace.as_deref())
            .text(&id.name)
            .number(question.schema.map_or(0, |schema| schema.hash().cast_signed()))
            .optional(question.live)
            .text(&format!("{:?}", (question.whole, question.missing, question.removed, question.ignored)))
            .number(i64::try_from(question.judgements.len()).unwrap_or(i64::MAX));
        for judgement in question.judgements {
            let difference = &judgement.difference;
            let json = |value: &Option<Value>| value.as_ref().map(canonical::json);
            name = name
                .text(&difference.path.to_string())
                .optional(json(&difference.declared).as_deref())
                .optional(json(&difference.live).as_deref());
        }
        name = name.text(&format!("{:?}", (index.ended, index.base.is_empty())));
        for stretch in *stretches {
            let from = stretch.from.and_then(|from| index.commits.get(from)).map(CommitId::as_str);
            name = match stretch.at {
                At::In { path, blob } => {
                    let blob = index.blob(blob).map(|blob| blob.as_str()).unwrap_or_default();
                    name.optional(from).text(index.path(path)).text(blob)
                }
                At::Nowhere => name.optional(from).text(""),
                At::Unknown => name.optional(from).text("?"),
            };
        }
        name.finish_hex()
    }

    /// The answer that is kept under a name.
    pub fn recall<'q>(
        &self,
        name: &str,
        asked: Asked<'q>,
        index: &VersionIndex,
        read: &Declarations<'_>,
    ) -> Option<Told<'q>> {
        let page = self.pages.get(name)?.as_ref()?;
        let page: Page<Option<Value>> = serde_json::from_str(page.get()).ok()?;
        let commit = |number: &usize| self.commits.get(*number).cloned();
        let mut history = ObjectHistory {
            versions: Vec::with_capacity(page.versions.len()),
            matched: page.matched,
            whole: page.whole,
            object_since: page.since,
            object_last: page.last,
            authors: Vec::with_capacity(page.authors.len()),
            inside: Inside::default(),
        };
        let values: Vec<Option<Arc<Value>>> = page.values.into_iter().map(|value| value.map(Arc::new)).collect();
        let mut stretches_of = Vec::with_capacity(page.versions.len());
        let place = |n: usize| {
            let newer = n.checked_sub(1).and_then(|newer| asked.stretches.get(newer)?.from);
            read.place(index, *asked.stretches.get(n)?, newer)
        };
        for PageVersion(newest, oldest, number, value) in &page.versions {
            let LinePlace { last, .. } = place(*newest)?;
            let LinePlace { from, behind, .. } = place(*oldest)?;
            let commit = commit(number).filter(|commit| commit.id == from)?;
            let value = values.get(*value)?.clone();
            history.versions.push(ObjectVersion { commit, commits_behind: behind, last, value, readable: true });
            stretches_of.push((*newest, *oldest));
        }
        for (version, path, by) in page.authors {
            history.authors.push((version, path, commit(&by)?));
        }
        let is_version = |n: &usize| *n < history.versions.len();
        let named = page.since.iter().chain(&page.last).chain(history.authors.iter().map(|(n, _, _)| n));
        let mut named = named.chain(history.matched.iter().flatten());
        let is_sound = history.matched.len() == asked.question.judgements.len() && named.all(is_version);
        is_sound.then(|| Told { asked, history, stretches_of, name: Some(name.to_owned()), is_known: true })
    }

    /// Keeps answers in place of those that were kept before, if any of them is another.
    pub fn keep(&self, told: &[Told<'_>]) {
        let named: BTreeMap<&str, &Told<'_>> =
            told.iter().filter_map(|told| Some((told.name.as_deref()?, told))).collect();
        let pages = &self.pages;
        let is_kept = |(name, told): (&&str, &&Told<'_>)| told.is_known || matches!(pages.get(*name), Some(None));
        if pages.len() == named.len() && named.iter().all(is_kept) {
            return;
        }
        let mut writing = Writing::default();
        for (name, told) in named {
            writing.add(name, told);
        }
        if let Some(Err(error)) = with_place(self.search, |kept, key| kept.save(key, &writing.book)) {
            tracing::warn!(
                "what was found out about objects' pasts cannot be kept, and is read anew by each scan: {error}"
            );
        }
    }
}

/// A file on its way.
#[derive(Default)]
struct Writing<'a> {
    book: Book,
    bytes: usize,
    numbers: HashMap<&'a CommitId, usize>,
}

impl<'a> Writing<'a> {
    fn add(&mut self, name: &str, told: &'a Told<'_>) {
        let history = &told.history;
        let mut values: Vec<Option<&Value>> = Vec::new();
        let mut versions = Vec::with_capacity(history.versions.len());
        for (version, (newest, oldest)) in history.versions.iter().zip(&told.stretches_of) {
            let value = version.value.as_deref();
            if values.last() != Some(&value) {
                values.push(value);
            }
            versions.push(PageVersion(*newest, *oldest, self.number(&version.commit), values.len() - 1));
        }
        let authors = history.authors.iter().map(|(n, path, by)| (*n, path.clone(), self.number(by))).collect();
        let page = Page {
            versions,
            values,
            matched: history.matched.clone(),
            whole: history.whole,
            since: history.object_since,
            last: history.object_last,
            authors,
        };
        let Ok(page) = to_raw_value(&page) else { return };
        let bytes = self.bytes + page.get().len();
        let page = Some(page).filter(|page| page.get().len() <= MOST_BYTES_OF_ONE && bytes <= MOST_BYTES);
        self.bytes += page.as_ref().map_or(0, |page| page.get().len());
        self.book.pages.insert(name.to_owned(), page);
    }

    fn number(&mut self, commit: &'a CommitInfo) -> usize {
        let commits = &mut self.book.commits;
        *self.numbers.entry(&commit.id).or_insert_with(|| {
            commits.push(CommitInfo::clone(commit));
            commits.len() - 1
        })
    }
}

/// Where a target's answers are kept: whatever may change them besides what names a question is in the key.
fn with_place<T>(search: &Search<'_>, with: impl FnOnce(Kept, KeptKey<'_>) -> T) -> Option<T> {
    let Search { source, folders, config, key, .. } = search;
    let (_, repository, _) = source.commit.as_ref()?;
    let place = versions::place(config, &source.config.repository, repository);
    let roots: Vec<String> = folders.iter().map(|folder| format!("{} {}", folder.root, folder.namespace)).collect();
    let rules = format!("{VERSION} {FORM} {} {} {}", config.hash, key.id(), source.config.name);
    let key = KeptKey { repository: &place, revision: source.config.revision.as_str(), roots: &roots, rules: &rules };
    Some(with(Kept::new(&wiring::cache(config), "evidence"), key))
}
