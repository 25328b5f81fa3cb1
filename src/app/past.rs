//! The declared side's past: what the targets' history at hand declared once.

use std::collections::HashSet;

use super::gather::TargetSource;
use super::merged_lines::MergedLines;
use crate::model::former::{Cut, FormerObject, Past};
use crate::model::history::CommitInfo;
use crate::model::ids::CommitId;
use crate::model::versions::{Ended, VersionIndex};
use crate::stages::timeline::Folder;

/// What a target declared once and does not declare now, out of the index of its revision.
pub fn of_target(
    source: &TargetSource,
    folder: &Folder,
    index: &VersionIndex,
    merged: Option<&MergedLines>,
    commit_info: impl Fn(&CommitId) -> Option<CommitInfo>,
) -> Past {
    let mut past = Past::default();
    if let Some(ended) = index.ended {
        past.cut = Some(Cut { back_to: index.commits.first().and_then(commit_info), why: ended.why() });
    }
    let namespace = |written: Option<&str>| written.unwrap_or(&source.config.namespace).to_owned();
    let name = |group: &str, kind: &str, ns: Option<&str>, name: &str| {
        (group.to_owned(), kind.to_owned(), namespace(ns), name.to_owned())
    };
    // What is declared now is no past; each object counts once, at its newest.
    let mut taken: HashSet<_> =
        source.objects.iter().map(|o| name(&o.gvk.gv.group, &o.gvk.kind, o.namespace.as_deref(), &o.name)).collect();
    let mut known = HashSet::new();
    let newest_first = index.changes.iter().enumerate().rev();
    for (commit, change) in newest_first.flat_map(|(commit, changes)| changes.iter().map(move |one| (commit, one))) {
        let file = index.path(change.path);
        let Some(blob) = change.before.filter(|blob| folder.holds(file) && known.insert(*blob)) else { continue };
        match index.named(blob) {
            Some(named) => past.unreadable += u64::from(!named.whole),
            None => past.cut = Some(Cut { back_to: None, why: "`limits.historyTime` is over" }),
        }
        for head in index.heads_of(blob) {
            if taken.insert(name(&head.gvk.gv.group, &head.gvk.kind, head.namespace.as_deref(), &head.name)) {
                past.objects.push(FormerObject {
                    gvk: head.gvk.clone(),
                    namespace: head.namespace.clone(),
                    name: head.name.clone(),
                    file: file.to_owned(),
                    commits_behind: index.behind(commit),
                });
            }
        }
    }
    let Some(merged) = merged else { return past };
    past.inside_cut = merged.ended;
    for line in &merged.lines {
        let names = &line.index;
        let newest_first = names.changes.iter().zip(&line.brought).rev();
        for (change, merge) in newest_first.flat_map(|(changes, merge)| changes.iter().map(move |one| (one, *merge))) {
            let file = names.path(change.path);
            let Some(blob) = change.now.filter(|blob| line.own.contains(&(change.path, *blob)) && folder.holds(file))
            else {
                continue;
            };
            match names.named(blob) {
                Some(named) => past.unreadable += u64::from(!named.whole),
                None => past.inside_cut = Some(Ended::Time.why()),
            }
            for head in names.heads_of(blob) {
                if taken.insert(name(&head.gvk.gv.group, &head.gvk.kind, head.namespace.as_deref(), &head.name)) {
                    past.objects.push(FormerObject {
                        gvk: head.gvk.clone(),
                        namespace: head.namespace.clone(),
                        name: head.name.clone(),
                        file: file.to_owned(),
                        commits_behind: index.behind(merge),
                    });
                }
            }
        }
    }
    past
}
