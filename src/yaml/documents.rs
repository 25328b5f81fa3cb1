//! Every document of a file, in order.

use super::chunks;
use super::compose;
use super::error::YamlError;
use super::node::{Node, Place};
use super::stream::{self, Ending};

/// How far into a file `kubectl` looks for the `{` that makes it a JSON stream, in bytes.
const JSON_GUESS_BYTES: usize = 4096;

/// Bounds on what a document may make of memory and stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that the copies made for anchors and aliases may take, for each document; 16 MiB
    /// unless set otherwise.
    pub max_bytes_expanded: usize,
    /// Levels of lists and mappings, aliases included; 128 unless set otherwise. `kubectl` allows
    /// 10,000, which no manifest needs.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes_expanded: 16 * 1024 * 1024, max_depth: 128 }
    }
}

/// One document that holds something.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The tree; never null.
    pub root: Node,
    /// Where its content starts.
    pub place: Place,
    /// What `kubectl` reads without a word and a person would want to know.
    pub notes: Vec<Note>,
}

/// Something odd that does not stop a document from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub kind: NoteKind,
}

/// What a [`Note`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteKind {
    /// A mapping holds a key twice; the one at the note's place replaced the earlier one.
    DuplicateKey {
        /// The key.
        key: String,
        /// Where the one that was replaced is.
        first: Place,
    },
    /// Text after `...`, which `kubectl` does not read.
    IgnoredText,
}

/// Every document of a file in order. A broken document is an error of its own; the others are
/// still read. Documents that are empty, null or only comments are left out.
///
/// `text` is a whole file, with or without a byte order mark. One document counts on its own
/// against `limits`.
pub fn read_documents(text: &str, limits: &Limits) -> Vec<Result<Document, YamlError>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let start = Place { line: 1, column: 1 };
    let mut documents = Vec::new();
    if !looks_like_json(text) {
        read_yaml(text, start, limits, &mut documents);
        return documents;
    }
    match stream::read(text, limits, &mut documents) {
        Ending::End => {}
        Ending::Broken { error, at } => {
            documents.push(Err(error));
            // The rest of a broken stream is read from the next separator on.
            if let Some((rest, place)) = next_separator(text, at) {
                read_yaml(rest, place, limits, &mut documents);
            }
        }
        Ending::PerhapsYaml { error, at, place } => {
            let first = documents.len();
            read_yaml(&text[at..], place, limits, &mut documents);
            // Both readers failed on the same text: the one that came further says more.
            if let Some(Err(yaml)) = documents.get_mut(first)
                && yaml.place < error.place
            {
                *yaml = error;
            }
        }
    }
    documents
}

fn read_yaml(text: &str, start: Place, limits: &Limits, documents: &mut Vec<Result<Document, YamlError>>) {
    for chunk in chunks::split(text, start) {
        match chunk.and_then(|chunk| compose::compose(&chunk, limits)) {
            Ok(Some((root, notes))) if !root.is_null() => {
                documents.push(Ok(Document { place: root.place, root, notes }))
            }
            Ok(_) => {}
            Err(error) => documents.push(Err(error)),
        }
    }
}

fn looks_like_json(text: &str) -> bool {
    text.char_indices()
        .take_while(|(at, _)| *at < JSON_GUESS_BYTES)
        .find(|(_, c)| !c.is_whitespace())
        .is_some_and(|(_, c)| c == '{')
}

/// The text from the first separator line after `at` on, and its place.
fn next_separator(text: &str, at: usize) -> Option<(&str, Place)> {
    let begin = at + text.get(at..)?.find("\n---")? + 1;
    let (before, rest) = text.split_at(begin);
    let lines = before.bytes().filter(|byte| *byte == b'\n').count();
    let line = u32::try_from(lines + 1).unwrap_or(u32::MAX);
    Some((rest, Place { line, column: 1 }))
}
