//! Where objects were declared, commit after commit: followed by what they are, whatever file they moved to.
//!
//! The objects of a cluster come from the folders of its targets, and move from one to another. Where an object's own target declares it,
//! that counts, else the first other target that does; of one target's files the last by name, as a scan has it (see
//! [`declare`](super::declare)).

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::moves;
use crate::model::resource::ObjectId;
use crate::model::versions::{BlobNumber, Head, PathNumber, VersionIndex};

/// A target's folder in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its path with links followed; empty for the whole repository.
    pub root: String,
    /// For objects of namespaced kinds that name no namespace.
    pub namespace: String,
}

impl Folder {
    /// Whether a file is in it.
    pub fn holds(&self, path: &str) -> bool {
        let root = self.root.trim_matches('/');
        root.is_empty() || path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Where an object is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// In this content of this file.
    In {
        /// The file.
        path: PathNumber,
        /// Its content.
        blob: BlobNumber,
    },
    /// Nowhere.
    Nowhere,
    /// Perhaps in a content that cannot be read.
    Unknown,
}

/// From one commit on until the next stretch begins, an object is declared at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The commit that it begins with, counted from the oldest; `None`: it began before the oldest at hand.
    pub from: Option<usize>,
    /// The place.
    pub at: At,
}

/// The stretches of each of the wanted objects, newest first. An object that no commit at hand declares has one, nowhere. The first of
/// the folders is that of the objects' own target.
pub fn timelines<'w>(
    index: &VersionIndex,
    folders: &[Folder],
    wanted: impl IntoIterator<Item = &'w ObjectId>,
) -> BTreeMap<ObjectId, Vec<Stretch>> {
    let mut line = Line::new(index, folders, wanted.into_iter().collect());
    for (path, blob) in &index.base {
        line.file(*path, Some(*blob));
    }
    line.settle(None);
    for (commit, changes) in index.changes.iter().enumerate() {
        for change in changes {
            line.file(change.path, change.now);
        }
        line.settle(Some(commit));
    }
    line.objects.into_iter().map(Followed::done).collect()
}

struct Followed<'a> {
    id: &'a ObjectId,
    /// The places that declare it now: the folder, the file, its content; `None`: a content that cannot be read.
    places: Vec<(usize, PathNumber, BlobNumber, bool)>,
    /// Oldest first.
    stretches: Vec<Stretch>,
}

struct Line<'a> {
    index: &'a VersionIndex,
    folders: &'a [Folder],
    objects: Vec<Followed<'a>>,
    by_name: HashMap<(&'a str, &'a str), Vec<usize>>,
    /// The objects that a file declares now.
    of_file: HashMap<PathNumber, Vec<usize>>,
    /// Files whose content now, or before the commit that is looked at, cannot be read.
    unreadable: HashSet<PathNumber>,
    touched: Vec<usize>,
    was_unreadable: HashSet<PathNumber>,
}

impl<'a> Line<'a> {
    fn new(index: &'a VersionIndex, folders: &'a [Folder], wanted: Vec<&'a ObjectId>) -> Self {
        let mut by_name: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for (n, id) in wanted.iter().enumerate() {
            by_name.entry((id.kind.as_str(), id.name.as_str())).or_default().push(n);
        }
        let followed = |id| Followed { id, places: Vec::new(), stretches: Vec::new() };
        Self {
            index,
            folders,
            objects: wanted.into_iter().map(followed).collect(),
            by_name,
            of_file: HashMap::new(),
            unreadable: HashSet::new(),
            touched: Vec::new(),
            was_unreadable: HashSet::new(),
        }
    }

    /// A file has another content from now on, or none.
    fn file(&mut self, path: PathNumber, content: Option<BlobNumber>) {
        let before = self.of_file.remove(&path).unwrap_or_default();
        for n in &before {
            self.objects[*n].places.retain(|(_, file, _, _)| *file != path);
        }
        self.touched.extend(&before);
        if self.unreadable.remove(&path) {
            self.was_unreadable.insert(path);
        }
        let Some(blob) = content else { return };
        let folders: Vec<usize> =
            (0..).zip(self.folders).filter(|(_, folder)| folder.holds(self.index.path(path))).map(|(n, _)| n).collect();
        if folders.is_empty() {
            return;
        }
        let mut here = Vec::new();
        for head in self.index.heads_of(blob) {
            for n in self.by_name.get(&(head.gvk.kind.as_str(), head.name.as_str())).into_iter().flatten() {
                for folder in &folders {
                    if is(head, self.objects[*n].id, &self.folders[*folder].namespace) {
                        self.objects[*n].places.push((*folder, path, blob, true));
                        here.push(*n);
                    }
                }
            }
        }
        if !self.index.named(blob).is_some_and(|named| named.whole) {
            self.unreadable.insert(path);
            // What stood here may stand here still.
            for n in before.into_iter().filter(|n| !here.contains(n)).collect::<Vec<_>>() {
                self.objects[n].places.push((folders[0], path, blob, false));
                here.push(n);
            }
        }
        here.sort_unstable();
        here.dedup();
        self.touched.extend(&here);
        if !here.is_empty() {
            self.of_file.insert(path, here);
        }
    }

    /// The commit is looked at as a whole: an object that left one file for another has moved.
    fn settle(&mut self, commit: Option<usize>) {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        if commit.is_none() {
            touched = (0..self.objects.len()).collect();
        }
        for n in touched {
            let object = &mut self.objects[n];
            let last =
                object.places.iter().max_by_key(|(folder, path, _, _)| (Reverse(*folder), self.index.path(*path)));
            let at = match last {
                Some((_, path, blob, true)) => At::In { path: *path, blob: *blob },
                Some(_) => At::Unknown,
                None => At::Nowhere,
            };
            // It comes up in a file that could not be read before: it may have stood there.
            if let (At::In { path, .. }, Some(before)) = (at, object.stretches.last_mut())
                && before.at == At::Nowhere
                && self.was_unreadable.contains(&path)
            {
                before.at = At::Unknown;
            }
            if object.stretches.last().is_none_or(|stretch| stretch.at != at) {
                object.stretches.push(Stretch { from: commit, at });
            }
        }
        self.was_unreadable.clear();
    }
}

impl Followed<'_> {
    fn done(mut self) -> (ObjectId, Vec<Stretch>) {
        self.stretches.reverse();
        (self.id.clone(), self.stretches)
    }
}

/// Whether a head names an object: under any version, and under an old name of its kind's group.
fn is(head: &Head, id: &ObjectId, namespace: &str) -> bool {
    let group = |group: &str| moves::group_now(group, &id.kind).to_owned();
    let here = || head.namespace.as_deref().unwrap_or(namespace);
    (head.gvk.gv.group == id.group || group(&head.gvk.gv.group) == group(&id.group))
        && id.namespace.as_deref().is_none_or(|namespace| namespace == here())
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
