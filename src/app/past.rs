//! The declared side's past: what the targets' history at hand declared once. One walk for all targets of a commit, and only the
//! names of what left it are read.
//!
//! This is a question of its own ("what is gone?"), answered anew by each scan. An index of all versions can take its place behind
//! the same type, [`Past`].

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use super::gather::{self, TargetSource};
use crate::adapters::git::{Departed, Departures, HistoryBounds};
use crate::adapters::render::heads::{Head, HeadReader};
use crate::adapters::render::plain::is_manifest_name;
use crate::config::Config;
use crate::model::former::{Cut, FormerObject, Past};
use crate::model::gap::Hides;
use crate::model::ids::{BlobId, CommitId};
use crate::model::secret::RedactionKey;

/// Fills in the pasts of targets of one repository. What cannot be walked is a gap of its targets that hides evidence. Blocks.
pub fn look_back(sources: &mut [&mut TargetSource], config: &Config, key: &RedactionKey) {
    let deadline = Instant::now().checked_add(config.limits.history_time);
    let mut by_commit: BTreeMap<CommitId, Vec<usize>> = BTreeMap::new();
    for (n, source) in sources.iter().enumerate() {
        if let Some((commit, _, _)) = &source.commit {
            by_commit.entry(commit.clone()).or_default().push(n);
        }
    }
    for (commit, members) in by_commit {
        let Some((_, repository, _)) = members.first().and_then(|n| sources[*n].commit.clone()) else { continue };
        let roots: Vec<String> = members.iter().map(|n| root(sources[*n])).collect();
        let bounds = HistoryBounds { max_commits: config.limits.history_commits, deadline, ..HistoryBounds::default() };
        match repository.departures(&commit, &roots, bounds) {
            Ok(all) => {
                for (n, departures) in members.into_iter().zip(all) {
                    sources[n].past = of_target(sources[n], departures, config, key, deadline);
                }
            }
            Err(gap) => {
                for n in members {
                    let source = &mut *sources[n];
                    let mut gap = gap.clone().of_target(&source.config.name).of_cluster(&source.config.cluster);
                    gap.hides = Hides::Evidence;
                    source.gaps.push(gap);
                    source.past.cut = Some(Cut { back_to: None, why: "the history cannot be read" });
                }
            }
        }
    }
}

/// A target's path with its links followed: the history of that is walked.
fn root(source: &TargetSource) -> String {
    let path = &source.config.path;
    let real = source.commit.as_ref().and_then(|(_, _, tree)| tree.real_path(path));
    real.unwrap_or_else(|| path.clone())
}

fn of_target(
    source: &TargetSource,
    departures: Departures,
    config: &Config,
    key: &RedactionKey,
    deadline: Option<Instant>,
) -> Past {
    let mut past = Past { cut: departures.cut, ..Past::default() };
    let Some((_, repository, _)) = &source.commit else { return past };
    let namespace = |written: Option<&str>| written.unwrap_or(&source.config.namespace).to_owned();
    let name = |group: &str, kind: &str, ns: Option<&str>, name: &str| {
        (group.to_owned(), kind.to_owned(), namespace(ns), name.to_owned())
    };
    // What is declared now is no past; each object counts once, at its newest.
    let mut taken: HashSet<_> =
        source.objects.iter().map(|o| name(&o.gvk.gv.group, &o.gvk.kind, o.namespace.as_deref(), &o.name)).collect();
    let mut known: HashSet<BlobId> = HashSet::new();
    let files: Vec<Departed> = departures
        .files
        .into_iter()
        .filter(|file| is_manifest_name(&file.path) && known.insert(file.blob.clone()))
        .collect();
    let read = |files: Vec<(usize, &Departed)>| {
        let mut reader = HeadReader::new(gather::reading(config, &source.config, key));
        let blobs = repository.blobs();
        let late = || deadline.is_some_and(|deadline| Instant::now() > deadline);
        let read = files.into_iter().take_while(|_| !late()).map(|(n, file)| {
            let content = blobs.read(&file.blob, config.limits.file_bytes);
            (n, content.map_or((Vec::new(), false), |content| reader.read(&file.path, &content)))
        });
        read.collect::<Vec<_>>()
    };
    let read = on_all_processors(&files, read);
    if read.len() < files.len() {
        past.cut = Some(Cut { back_to: None, why: "`limits.historyTime` is over" });
    }
    for (n, (heads, readable)) in read {
        let Some(file) = files.get(n) else { continue };
        past.unreadable += u64::from(!readable);
        for Head { gvk, namespace, name: object } in heads {
            if taken.insert(name(&gvk.gv.group, &gvk.kind, namespace.as_deref(), &object)) {
                let (file, commits_behind) = (file.path.clone(), file.commits_behind);
                past.objects.push(FormerObject { gvk, namespace, name: object, file, commits_behind });
            }
        }
    }
    past
}

/// Reads files on all processors, all versions of a path on the same one; what comes back is in the order of the files.
fn on_all_processors<T: Send>(
    files: &[Departed],
    read: impl Fn(Vec<(usize, &Departed)>) -> Vec<(usize, T)> + Sync,
) -> Vec<(usize, T)> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut of_path: HashMap<&str, usize> = HashMap::new();
    let mut shares: Vec<Vec<(usize, &Departed)>> = vec![Vec::new(); workers];
    for (n, file) in files.iter().enumerate() {
        let next = of_path.len() % workers;
        shares[*of_path.entry(file.path.as_str()).or_insert(next)].push((n, file));
    }
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let read = &read;
        let running: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || read(share))).collect();
        let joined = running.into_iter().map(|worker| worker.join());
        joined.flat_map(|read| read.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    all.sort_by_key(|(n, _)| *n);
    all
}
