//! Splitting a text into the pieces that `kubectl` reads one at a time.
//!
//! Source: `YAMLReader` in `k8s.io/apimachinery/pkg/util/yaml/decoder.go`. A line that starts with
//! `---` ends a piece, whatever the YAML around it is; only a comment may follow on that line.

use std::borrow::Cow;

use super::error::{ErrorKind, YamlError};
use super::node::Place;

const SEPARATOR: &str = "---";

/// A piece of a file.
#[derive(Debug)]
pub(super) struct Chunk<'a> {
    /// The text, always with a line break at its end, as `kubectl` passes it on.
    pub(super) text: Cow<'a, str>,
    /// Where the first character is.
    start: Place,
}

impl<'a> Chunk<'a> {
    fn new(text: &'a str, start: Place) -> Self {
        // Only the file's first bytes may be a mark of byte order, but go-yaml drops one before
        // any piece.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = if text.ends_with('\n') { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}\n")) };
        Self { text, start }
    }

    /// The place in the file of a one-based line and a zero-based column of this chunk.
    pub(super) fn place(&self, line: usize, column: usize) -> Place {
        let line = u32::try_from(line.saturating_sub(1)).unwrap_or(u32::MAX);
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        Place {
            line: self.start.line.saturating_add(line),
            column: if line == 0 { self.start.column.saturating_add(column) } else { column.saturating_add(1) },
        }
    }

    /// The place in the file of a byte offset in this chunk.
    pub(super) fn place_of(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count());
        self.place(line + 1, column)
    }
}

/// Splits what follows `start` in the file. A separator with text behind it is an error, and the
/// lines up to the next separator belong to it.
pub(super) fn split(text: &str, start: Place) -> Vec<Result<Chunk<'_>, YamlError>> {
    let mut chunks = Vec::new();
    let mut begin = 0;
    let mut begin_place = start;
    let mut at = 0;
    let mut here = start;
    let mut broken = false;
    for line in text.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix(SEPARATOR) {
            let rest = rest.trim();
            let bad = !rest.is_empty() && !rest.starts_with('#');
            // A separator with nothing before it is the start of the piece that follows.
            if at > begin || bad {
                if at > begin && !broken {
                    chunks.push(Ok(Chunk::new(&text[begin..at], begin_place)));
                }
                begin = at + line.len();
                begin_place = next_line(here);
            }
            broken = bad;
            if bad {
                chunks.push(Err(YamlError::new(here, ErrorKind::Separator)));
            }
        }
        at += line.len();
        here = next_line(here);
    }
    if begin < text.len() && !broken {
        chunks.push(Ok(Chunk::new(&text[begin..], begin_place)));
    }
    chunks
}

fn next_line(place: Place) -> Place {
    Place { line: place.line.saturating_add(1), column: 1 }
}
