//! Asks the lines that merges brought, where the revision's own line does not explain what is live.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::declarations::Declarations;
use super::evidence::Question;
use super::merged_lines::{MergedLine, MergedLines};
use crate::model::versions::VersionIndex;
use crate::stages::beside::Beside;
use crate::stages::inside::InsideVersion;
use crate::stages::object_history::ObjectHistory;
use crate::stages::pick;
use crate::stages::timeline::{self, At, Folder, Stretch};

/// Adds to the evidence what only merged lines declared, for objects of which the revision's own line leaves something open.
pub fn tell<'a>(
    lines: &MergedLines,
    main: &VersionIndex,
    folders: &[Folder],
    asked: impl Iterator<Item = (&'a Question<'a>, &'a mut ObjectHistory)>,
    read: &mut Declarations<'_>,
    deadline: Option<Instant>,
) {
    let mut open: Vec<Open<'_>> = asked.filter_map(|(question, history)| Open::of(question, history)).collect();
    for open in &mut open {
        open.history.inside.unread = lines.ended.is_some();
    }
    let late = || deadline.is_some_and(|deadline| Instant::now() > deadline);
    for (n, line) in lines.lines.iter().enumerate() {
        let mut timelines = timeline::timelines(&line.index, folders, open.iter().map(|open| &open.question.object.id));
        for open in &mut open {
            let stretches = timelines.remove(&open.question.object.id).unwrap_or_default();
            for of in 0..stretches.len() {
                if late() {
                    open.history.inside.unread = true;
                    break;
                }
                open.take(n, line, main, &stretches, of, read);
            }
        }
    }
}

/// An object, the live value and what is found out about it.
struct Open<'a> {
    question: &'a Question<'a>,
    live: Value,
    history: &'a mut ObjectHistory,
}

impl<'a> Open<'a> {
    fn of(question: &'a Question<'a>, history: &'a mut ObjectHistory) -> Option<Self> {
        let live: Value = question.live.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let unmatched = || {
            let mut judgements = question.judgements.iter().zip(&history.matched);
            judgements.any(|(judgement, matched)| judgement.difference.code.has_cause() && matched.is_none())
        };
        let never_declared = || history.versions.iter().all(|version| version.value.is_none());
        let is_open = if question.removed { never_declared() } else { unmatched() };
        is_open.then_some(Self { question, live, history })
    }

    /// Takes in what a stretch of a line declares, if the revision's own line never did at that place.
    fn take(
        &mut self,
        n: usize,
        line: &MergedLine,
        main: &VersionIndex,
        stretches: &[Stretch],
        of: usize,
        read: &mut Declarations<'_>,
    ) {
        let (index, stretch, question) = (&line.index, stretches[of], self.question);
        match stretch.at {
            At::Unknown => self.history.inside.unread = true,
            At::In { path, blob } if stretch.from.is_some() && line.own.contains(&(path, blob)) => {}
            At::In { .. } | At::Nowhere => return,
        }
        let newer = of.checked_sub(1).and_then(|newer| stretches[newer].from);
        let last = newer.unwrap_or(index.commits.len()).checked_sub(1);
        let Some(merge) = last.and_then(|last| line.brought.get(last)).copied() else { return };
        let found = read.version(index, &question.object.id, stretch, newer, None);
        let (Some(mut version), Some(merge_commit)) =
            (found, main.commits.get(merge).and_then(|merge| read.commit(merge)))
        else {
            self.history.inside.unread = true;
            return;
        };
        self.history.inside.unread |= !version.readable;
        let behind = main.behind(merge);
        (version.commits_behind, version.last.1) = (behind, behind);
        // Of one with a live value, the whole may be asked about.
        let beside = Beside::new(version.value.as_deref(), &self.live, question.schema);
        let has_live_value = question.judgements.iter().any(|judgement| beside.has(judgement));
        if !question.removed && !has_live_value {
            let paths = question.judgements.iter().map(|judgement| &judgement.difference.path);
            version.value = version.value.map(|value| Arc::new(pick::only(&value, paths)));
        }
        let next = newer.and_then(|newer| index.commits.get(newer)).and_then(|next| read.commit(next));
        self.history.inside.versions.push(InsideVersion { version, merge: merge_commit, next, line: n });
    }
}
