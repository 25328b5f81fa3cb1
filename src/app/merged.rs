//! Who made what a merge brought: the merged line is followed as the revision itself is, down to where it left the revision.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::declarations::Declarations;
use super::evidence::Question;
use super::versions::Names;
use crate::adapters::git::{HistoryBounds, OpenedRepository, VersionLine};
use crate::adapters::render::is_manifest_name;
use crate::config::Config;
use crate::model::field_path::FieldPath;
use crate::model::history::CommitInfo;
use crate::model::ids::{BlobId, CommitId};
use crate::model::resource::ObjectId;
use crate::model::schema::SchemaRef;
use crate::model::versions::{BlobNumber, VersionIndex};
use crate::stages::object_history::{ObjectHistory, ObjectVersion};
use crate::stages::timeline::{self, Folder, Stretch};

/// Merges inside merges that are followed.
const DEEPEST: usize = 16;
/// Commits of one merged line that are looked at.
const MOST_COMMITS: u64 = 2_000;

/// Merged lines, each walked once.
pub struct Merges<'a> {
    repository: &'a OpenedRepository,
    folders: &'a [Folder],
    roots: Vec<String>,
    config: &'a Config,
    deadline: Option<Instant>,
    main: &'a VersionIndex,
    on_main: HashSet<&'a CommitId>,
    /// The contents of the main line: most of what is merged is there, too.
    contents: HashMap<&'a BlobId, BlobNumber>,
    lines: HashMap<CommitId, Option<Rc<VersionIndex>>>,
    stretches: HashMap<(CommitId, ObjectId), Rc<Vec<Stretch>>>,
}

/// Whose change is looked for.
struct Sought<'a> {
    id: &'a ObjectId,
    path: Option<&'a FieldPath>,
    schema: Option<SchemaRef<'a>>,
}

impl<'a> Merges<'a> {
    /// For merges on the line of an index.
    pub fn new(
        repository: &'a OpenedRepository,
        folders: &'a [Folder],
        main: &'a VersionIndex,
        config: &'a Config,
        deadline: Option<Instant>,
    ) -> Self {
        let mut roots: Vec<String> = folders.iter().map(|folder| folder.root.clone()).collect();
        roots.sort();
        roots.dedup();
        Self {
            repository,
            folders,
            roots,
            config,
            deadline,
            main,
            on_main: main.commits.iter().collect(),
            contents: main.blobs.iter().zip(0..).collect(),
            lines: HashMap::new(),
            stretches: HashMap::new(),
        }
    }

    /// Fills in who changed what is asked about, where a merge brought it.
    pub fn tell_authors(&mut self, question: &Question<'_>, history: &mut ObjectHistory, read: &mut Declarations<'_>) {
        let schema = question.schema;
        let mut places: Vec<(usize, Option<FieldPath>)> = Vec::new();
        for judgement in question.judgements {
            let path = &judgement.difference.path;
            places.extend(history.introduced(Some(path), schema).map(|n| (n, Some(path.clone()))));
        }
        if question.whole || question.missing {
            places.extend(history.object_since.map(|n| (n, None)));
        }
        if question.removed {
            let gone = history.versions.iter().take_while(|version| version.value.is_none()).count();
            places.extend(gone.checked_sub(1).map(|n| (n, None)));
            places.extend(history.object_last.map(|n| (n, None)));
        }
        for (n, path) in places {
            let sought = Sought { id: &question.object.id, path: path.as_ref(), schema };
            let Some(version) = history.versions.get(n).filter(|version| version.commit.parents > 1) else { continue };
            let is_known = history.authors.iter().any(|(known, of, _)| *known == n && *of == path);
            if !is_known && let Some(author) = self.author(version, &sought, read, DEEPEST) {
                history.authors.push((n, path, author));
            }
        }
    }

    /// Who made a version of an object, where a merge brought it.
    pub fn author_of(
        &mut self,
        version: &ObjectVersion,
        id: &ObjectId,
        schema: Option<SchemaRef<'_>>,
        read: &mut Declarations<'_>,
    ) -> Option<Arc<CommitInfo>> {
        let is_merge = version.commit.parents > 1;
        is_merge.then(|| self.author(version, &Sought { id, path: None, schema }, read, DEEPEST)).flatten()
    }

    /// The commit in what a merge brought that made its version what it is; `None` where the merge itself did, or it cannot be told.
    fn author(
        &mut self,
        version: &ObjectVersion,
        sought: &Sought<'_>,
        read: &mut Declarations<'_>,
        depth: usize,
    ) -> Option<Arc<CommitInfo>> {
        let parents = self.repository.parents(&version.commit.id);
        parents.iter().skip(1).find_map(|parent| self.on_line(parent, version, sought, read, depth.checked_sub(1)?))
    }

    /// The same on one merged line, if its newest commit has the version.
    fn on_line(
        &mut self,
        tip: &CommitId,
        merged: &ObjectVersion,
        sought: &Sought<'_>,
        read: &mut Declarations<'_>,
        depth: usize,
    ) -> Option<Arc<CommitInfo>> {
        let index = self.line(tip)?;
        let stretches = self.stretches(tip, &index, sought.id);
        let mut oldest: Option<ObjectVersion> = None;
        let mut began = false;
        for (n, stretch) in stretches.iter().enumerate() {
            let newer = n.checked_sub(1).and_then(|newer| stretches[newer].from);
            let Some(version) = read.version(&index, sought.id, *stretch, newer, None) else { break };
            if !version.is_like(merged, sought.path, sought.schema) {
                began = true;
                break;
            }
            // Before the line left the revision: whoever made it so did it there.
            if stretch.from.is_none() && !index.base.is_empty() {
                return None;
            }
            oldest = Some(version);
        }
        let oldest = oldest.filter(|_| began || (index.ended.is_none() && index.base.is_empty()))?;
        if oldest.commit.parents > 1 {
            return self.author(&oldest, sought, read, depth).or(Some(oldest.commit));
        }
        Some(oldest.commit)
    }

    fn line(&mut self, tip: &CommitId) -> Option<Rc<VersionIndex>> {
        if let Some(known) = self.lines.get(tip) {
            return known.clone();
        }
        let until = |commit: &CommitId| self.on_main.contains(commit);
        let line = VersionLine { tip, roots: &self.roots, wanted: is_manifest_name, until: Some(&until) };
        let bounds = HistoryBounds { max_commits: MOST_COMMITS, deadline: self.deadline };
        let walked = self.repository.version_index(line, VersionIndex::default(), bounds).ok();
        let index = walked.map(|(mut index, _)| {
            index.learn_names(self.main, &self.contents);
            let names = Names { repository: self.repository, config: self.config, deadline: self.deadline };
            names.fill(&mut index);
            Rc::new(index)
        });
        self.lines.insert(tip.clone(), index.clone());
        index
    }

    fn stretches(&mut self, tip: &CommitId, index: &VersionIndex, id: &ObjectId) -> Rc<Vec<Stretch>> {
        let folders = self.folders;
        let found = self
            .stretches
            .entry((tip.clone(), id.clone()))
            .or_insert_with(|| Rc::new(timeline::timelines(index, folders, [id]).remove(id).unwrap_or_default()));
        found.clone()
    }
}
