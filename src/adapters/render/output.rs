//! What programs that render write: manifests, of each of which it is said what it was made from.

use serde_json::Value;

use super::heads::pieces_of;
use super::manifest::{self, Reading};
use super::renderer::Rendered;
use crate::model::gap::{Gap, Hides};

/// Reads manifests; `file_of` gives the file of each document, where its text says so.
pub fn read(
    output: &[u8],
    reading: &Reading<'_>,
    whole: &str,
    mut file_of: impl FnMut(&[u8]) -> Option<String>,
) -> Rendered {
    let mut rendered = Rendered::default();
    for piece in pieces_of(output) {
        let file = file_of(piece).unwrap_or_else(|| whole.to_owned());
        let read = manifest::read(&file, piece, reading);
        rendered.duplicate_keys += read.duplicate_keys;
        rendered.gaps.extend(read.gaps.into_iter().map(|gap| not_in_the_file(gap, &file)));
        rendered.objects.extend(read.objects.into_iter().map(|mut object| {
            object.written = None;
            object
        }));
    }
    rendered
}

/// A place in the output is none in the file.
fn not_in_the_file(mut gap: Gap, file: &str) -> Gap {
    gap.place = Some(file.to_owned());
    gap.message = format!("what is rendered of it: {}", gap.message);
    gap.hides = Hides::Target;
    gap
}

/// An annotation of an object.
pub fn annotation<'o>(object: &'o Value, name: &str) -> Option<&'o str> {
    object.get("metadata")?.get("annotations")?.get(name)?.as_str()
}
