//! What commits changed, out of the differences between their trees: only folders that changed are opened, and no file is read.

use std::cmp::Ordering;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::objs::tree::{EntryKind, EntryRef};

use crate::model::ids::CommitId;

use super::history::HistoryBounds;
use super::tree::DEEPEST_FOLDER;

/// What stands at a path.
type Entry = (EntryKind, ObjectId);

/// A file that differs: its content before and now.
pub(super) type Change = (BString, Option<ObjectId>, Option<ObjectId>);

/// An object that cannot be read is the error: the commit it belongs to.
pub(super) type Read<T> = Result<T, ObjectId>;

/// A commit on a line.
pub(super) struct Step {
    pub(super) name: CommitId,
    pub(super) id: ObjectId,
    pub(super) tree: ObjectId,
    /// The commit and the tree before it; `None` where there is none.
    pub(super) before: Option<(ObjectId, ObjectId)>,
}

/// Compares trees.
pub(super) struct Trees<'a> {
    pub(super) repository: &'a gix::Repository,
    /// Folders or files; the empty one is all.
    pub(super) roots: &'a [String],
    /// Which files below them.
    pub(super) wanted: fn(&str) -> bool,
}

impl Trees<'_> {
    /// What each of some commits changed that follow one another, the newest first; fewer of them where there is no more time.
    pub(super) fn changed_by(&self, steps: &[Step], bounds: HistoryBounds) -> Read<Vec<(CommitId, Vec<Change>)>> {
        let mut found = Vec::with_capacity(steps.len());
        let mut at: Option<(ObjectId, Vec<Option<Entry>>)> = None;
        for Step { name, id, tree, before } in steps.iter().take_while(|_| !bounds.is_late()) {
            if before.is_some_and(|(_, before)| before == *tree) {
                found.push((name.clone(), Vec::new()));
                continue;
            }
            let known = at.take().filter(|(known, _)| known == tree).map(|(_, entries)| entries);
            let now = known.or_else(|| self.at_roots(*tree)).ok_or(*id)?;
            let entries = match before {
                Some((parent, tree)) => self.at_roots(*tree).ok_or(*parent)?,
                None => vec![None; now.len()],
            };
            found.push((name.clone(), self.changes(&now, &entries).ok_or(*id)?));
            at = before.map(|(_, tree)| (tree, entries));
        }
        Ok(found)
    }

    /// All files of a tree; `None` where it cannot be read.
    pub(super) fn files(&self, tree: ObjectId) -> Option<Vec<Change>> {
        let now = self.at_roots(tree)?;
        self.changes(&now, &vec![None; now.len()])
    }

    /// What stands at each root in a tree.
    fn at_roots(&self, tree: ObjectId) -> Option<Vec<Option<Entry>>> {
        let at_root = |root: &String| {
            let mut at = Some((EntryKind::Tree, tree));
            for part in root.split('/').filter(|part| !part.is_empty()) {
                let Some((EntryKind::Tree, folder)) = at else { return Some(None) };
                let folder = self.repository.find_tree(folder).ok()?;
                let found = folder.iter().flatten().find(|entry| entry.filename() == part.as_bytes());
                at = found.map(|entry| (entry.kind(), entry.object_id()));
            }
            Some(at)
        };
        self.roots.iter().map(at_root).collect()
    }

    /// Each file that is not the same on both sides, in path order and once, however many roots it is below. `None`: a tree cannot be read.
    fn changes(&self, now: &[Option<Entry>], before: &[Option<Entry>]) -> Option<Vec<Change>> {
        let mut found = Vec::new();
        for ((root, now), before) in self.roots.iter().zip(now).zip(before) {
            self.differences(&mut BString::from(root.as_str()), *now, *before, DEEPEST_FOLDER, &mut found)?;
        }
        if self.roots.len() > 1 {
            found.sort();
            found.dedup();
        }
        Some(found)
    }

    fn differences(
        &self,
        path: &mut BString,
        now: Option<Entry>,
        before: Option<Entry>,
        depth: usize,
        found: &mut Vec<Change>,
    ) -> Option<()> {
        if file(now) != file(before) && path.to_str().is_ok_and(self.wanted) {
            found.push((path.clone(), file(before), file(now)));
        }
        let (now, before) = (folder(now), folder(before));
        let Some(depth) = depth.checked_sub(1).filter(|_| now != before) else { return Some(()) };
        let read = |id: Option<ObjectId>| id.map(|id| self.repository.find_tree(id)).transpose().ok();
        let (now, before) = (read(now)?, read(before)?);
        let (now, before) = (entries(now.as_ref())?, entries(before.as_ref())?);
        let (mut now, mut before) = (now.iter().peekable(), before.iter().peekable());
        loop {
            let order = match (now.peek(), before.peek()) {
                (None, None) => return Some(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(now), Some(before)) => in_order(now, before),
            };
            let here = now.next_if(|_| order.is_le());
            let there = before.next_if(|_| order.is_ge());
            if here.map(entry) != there.map(entry) {
                let length = path.len();
                if length > 0 {
                    path.push(b'/');
                }
                path.extend_from_slice(here.or(there)?.filename);
                self.differences(path, here.map(entry), there.map(entry), depth, found)?;
                path.truncate(length);
            }
        }
    }
}

/// The entries of a folder in Git's order and each name once, which a broken or hostile one does not have: there the last one counts.
/// `None`: it cannot be read.
fn entries<'t>(tree: Option<&'t gix::Tree<'_>>) -> Option<Vec<EntryRef<'t>>> {
    let Some(tree) = tree else { return Some(Vec::new()) };
    let mut entries = tree.iter().map(|entry| entry.map(|entry| entry.inner)).collect::<Result<Vec<_>, _>>().ok()?;
    if !entries.is_sorted_by(|left, right| in_order(left, right).is_lt()) {
        entries.reverse();
        entries.sort_by(in_order);
        entries.dedup_by(|later, earlier| in_order(later, earlier).is_eq());
    }
    Some(entries)
}

fn entry(entry: &EntryRef<'_>) -> Entry {
    (entry.mode.kind(), entry.oid.to_owned())
}

/// As Git orders the entries of a folder: one that is a folder itself as if its name ended with a slash.
fn in_order(left: &EntryRef<'_>, right: &EntryRef<'_>) -> Ordering {
    let key = |entry: &EntryRef<'_>| entry.mode.is_tree().then_some(b'/');
    left.filename.iter().copied().chain(key(left)).cmp(right.filename.iter().copied().chain(key(right)))
}

/// The content of a regular file; the executable bit makes no difference.
fn file(entry: Option<Entry>) -> Option<ObjectId> {
    entry.filter(|(kind, _)| matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable)).map(|(_, id)| id)
}

fn folder(entry: Option<Entry>) -> Option<ObjectId> {
    entry.filter(|(kind, _)| *kind == EntryKind::Tree).map(|(_, id)| id)
}
