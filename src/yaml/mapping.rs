//! Building a mapping: keys that appear twice, and merges.

use std::collections::{HashMap, HashSet};

use super::documents::{Note, NoteKind};
use super::node::{Entry, Node, Place};

/// From this many entries on, keys are looked up in a table.
const TABLE_FROM: usize = 16;

/// The entries of a mapping while it is read.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    entries: Vec<Entry>,
    /// Where each key is in `entries`, once there are many.
    table: HashMap<String, usize>,
    /// The keys that came from a merge and that no key of the mapping itself has set since.
    merged: HashSet<usize>,
}

impl Mapping {
    /// Sets a key that the mapping itself holds. The last one wins; an earlier one is noted.
    pub(super) fn set(&mut self, key: String, key_place: Place, value: Node, notes: &mut Vec<Note>) {
        let found = self.position(&key);
        let entry = Entry { key, key_place, value };
        let Some(at) = found else {
            self.push(entry);
            return;
        };
        if !self.merged.remove(&at) {
            notes.push(Note {
                place: key_place,
                kind: NoteKind::DuplicateKey { key: entry.key.clone(), first: self.entries[at].key_place },
            });
        }
        self.entries[at] = entry;
    }

    /// Sets the keys of a merged mapping, which overwrite those before the `<<`.
    pub(super) fn merge(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let at = match self.position(&entry.key) {
                Some(at) => {
                    self.entries[at] = entry;
                    at
                }
                None => {
                    self.push(entry);
                    self.entries.len() - 1
                }
            };
            self.merged.insert(at);
        }
    }

    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.table.is_empty() {
            self.entries.iter().position(|entry| entry.key == key)
        } else {
            self.table.get(key).copied()
        }
    }

    fn push(&mut self, entry: Entry) {
        let at = self.entries.len();
        if !self.table.is_empty() {
            self.table.insert(entry.key.clone(), at);
        }
        self.entries.push(entry);
        if at + 1 == TABLE_FROM {
            self.table = (self.entries.iter().enumerate()).map(|(at, entry)| (entry.key.clone(), at)).collect();
        }
    }
}

/// A key that waits for its value.
#[derive(Debug)]
pub(super) enum Key {
    /// An ordinary key.
    Plain(String, Place),
    /// `<<`.
    Merge,
}
