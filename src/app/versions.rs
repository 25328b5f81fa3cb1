//! The index of versions of each tracked revision: kept beside the mirrors, extended by what is new, and with the names of all objects in it.

use std::sync::Arc;
use std::time::Instant;

use super::gather::yaml_limits;
use super::pipeline::VERSION;
use super::wiring;
use crate::adapters::git::{HistoryBounds, OpenedRepository, VersionLine};
use crate::adapters::kept::{Kept, KeptKey};
use crate::adapters::render::heads::HeadReader;
use crate::adapters::render::is_manifest_name;
use crate::config::Config;
use crate::model::gap::Gap;
use crate::model::ids::{BlobId, CommitId, RepositoryName, Revision};
use crate::model::versions::{BlobNumber, Ended, Head, Named, Numbering, VersionIndex};
use crate::processors;

/// A revision whose history is asked for.
pub struct Tracked<'a> {
    /// Its repository, brought up to date.
    pub repository: &'a OpenedRepository,
    /// The repository's name.
    pub name: &'a RepositoryName,
    /// The revision.
    pub revision: &'a Revision,
    /// What it resolved to.
    pub commit: &'a CommitId,
    /// The folders that targets read, links followed.
    pub roots: Vec<String>,
    /// Whether objects are written in the files as they are: then their names are read, and only files that may hold any count.
    pub as_written: bool,
}

/// The index up to a revision's commit. Blocks.
///
/// # Errors
/// A gap that hides evidence where the history cannot be read.
pub fn of_revision(tracked: &Tracked<'_>, config: &Config) -> Result<Arc<VersionIndex>, Gap> {
    let deadline = Instant::now().checked_add(config.limits.history_time);
    let bounds = HistoryBounds { max_commits: config.limits.history_commits, deadline };
    let cache = Kept::new(&wiring::cache(config), "versions");
    let mut roots = tracked.roots.clone();
    roots.sort();
    roots.dedup();
    let rules = format!(
        "{VERSION} {} {} {} {}",
        config.limits.file_bytes, config.limits.yaml_bytes, config.limits.history_commits, tracked.as_written
    );
    let place = place(config, tracked.name, tracked.repository);
    let kept = KeptKey { repository: &place, revision: tracked.revision.as_str(), roots: &roots, rules: &rules };
    let known: VersionIndex = cache.load(kept).filter(VersionIndex::is_sound).unwrap_or_default();
    // More may be at hand now than there was time for, or than a shallow clone had.
    let known = if matches!(known.ended, Some(Ended::Time | Ended::Shallow)) { without_line(known) } else { known };
    let before = (known.tip().cloned(), known.named.iter().flatten().count());
    let line = VersionLine {
        tip: tracked.commit,
        roots: &roots,
        wanted: if tracked.as_written { is_manifest_name } else { |_| true },
        until: None,
    };
    let (mut index, extended) = tracked.repository.version_index(line, known, bounds)?;
    tracing::debug!(repository = %tracked.name, revision = %tracked.revision, ?extended, "versions indexed");
    if tracked.as_written {
        Names { repository: tracked.repository, config, deadline }.fill(&mut index);
    }
    if before != (index.tip().cloned(), index.named.iter().flatten().count())
        && let Err(error) = cache.save(kept, &index)
    {
        tracing::warn!("the index of versions cannot be kept, and is made anew by each scan: {error}");
    }
    Ok(Arc::new(index))
}

/// Where a repository is, as part of a key.
pub fn place(config: &Config, name: &RepositoryName, repository: &OpenedRepository) -> String {
    config
        .repositories
        .iter()
        .find(|known| known.name == *name)
        .map_or_else(|| repository.path().display().to_string(), |known| format!("{} {:?}", known.name, known.place))
}

/// What contents name stays true when the line is walked anew.
fn without_line(mut index: VersionIndex) -> VersionIndex {
    index.begin_anew(None);
    index
}

/// Reads what contents name.
pub struct Names<'a> {
    /// Where they are.
    pub repository: &'a OpenedRepository,
    /// Limits.
    pub config: &'a Config,
    /// When to stop; what is not read by then is read another time.
    pub deadline: Option<Instant>,
}

impl Names<'_> {
    /// Reads all contents of an index whose names are not known, on all processors; all versions of a path one after another, newest
    /// first: they are kept as differences from each other, and most of their documents are the same.
    pub fn fill(&self, index: &mut VersionIndex) {
        let mut of_path: Vec<Vec<BlobNumber>> = vec![Vec::new(); index.paths.len()];
        let mut taken = vec![false; index.blobs.len()];
        let newest_first = index
            .changes
            .iter()
            .rev()
            .flatten()
            .flat_map(|change| [change.now, change.before].into_iter().flatten().map(|blob| (change.path, blob)));
        for (path, blob) in newest_first.chain(index.base.iter().copied()) {
            let number = blob as usize;
            if index.named[number].is_none() && !std::mem::replace(&mut taken[number], true) {
                of_path[path as usize].push(blob);
            }
        }
        let workers = processors::count();
        let mut shares: Vec<Vec<BlobNumber>> = vec![Vec::new(); workers];
        for (n, versions) in of_path.into_iter().filter(|versions| !versions.is_empty()).enumerate() {
            shares[n % workers].extend(versions);
        }
        let blobs = &index.blobs;
        let read = processors::on_each(shares, |share| self.read(&share, blobs));
        let mut numbers = Numbering::of(&index.heads);
        for (blob, heads, whole) in read.into_iter().flatten() {
            let heads = heads.iter().map(|head| numbers.number(head, &mut index.heads)).collect();
            index.named[blob as usize] = Some(Named { heads, whole });
        }
    }

    fn read(&self, share: &[BlobNumber], ids: &[BlobId]) -> Vec<(BlobNumber, Vec<Head>, bool)> {
        let mut reader = HeadReader::new(yaml_limits(self.config));
        let blobs = self.repository.blobs();
        let late = || self.deadline.is_some_and(|deadline| Instant::now() > deadline);
        let in_time = share.iter().take_while(|_| !late());
        in_time
            .map(|number| {
                let content = blobs.read(&ids[*number as usize], self.config.limits.file_bytes);
                let (heads, whole) = content.map_or((Vec::new(), false), |content| reader.read(&content));
                (*number, heads, whole)
            })
            .collect()
    }
}
