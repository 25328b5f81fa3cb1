//! The files of a dump and the documents in them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::value::{RawValue, to_raw_value};

use crate::model::gap::{Gap, GapKind, Hides};
use crate::yaml::{Limits, read_documents, to_json};

/// A dump file of more bytes than this is not read: 1 GiB.
const FILE_BYTES: u64 = 1024 * 1024 * 1024;

/// The file itself, or the `.yaml`, `.yml` and `.json` files below a folder in path order. Names that start with a dot are
/// passed over, and with them the folders that a mounted ConfigMap keeps its versions in.
///
/// # Errors
/// The first path that cannot be looked at.
pub(super) fn find(path: &Path) -> Result<Vec<PathBuf>, (PathBuf, std::io::Error)> {
    let failed = |error| (path.to_owned(), error);
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if entry.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        let kind = fs::symlink_metadata(&entry).map_err(|error| (entry.clone(), error))?;
        // A link to a folder could lead back here.
        if kind.is_dir() {
            files.extend(find(&entry)?);
        } else if entry.is_file() && is_dump(&entry) {
            files.push(entry);
        }
    }
    Ok(files)
}

fn is_dump(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
}

/// Calls `each` for every document with its place (`file:line:column`), or with the gap that it leaves.
pub(super) fn read(path: &Path, each: &mut dyn FnMut(&str, Result<&RawValue, Gap>)) {
    let file = path.display().to_string();
    let broken = |kind, message: String| Gap::new(kind, message, nothing_in_particular()).at(file.clone());
    match fs::metadata(path).map(|metadata| metadata.len()) {
        Ok(size) if size > FILE_BYTES => {
            let message = format!("the dump file is larger than {FILE_BYTES} bytes");
            return each(&file, Err(broken(GapKind::Limit, message).hint("write one file for each kind")));
        }
        Ok(_) => {}
        Err(error) => return each(&file, Err(broken(GapKind::Parse, format!("cannot be read: {}", error.kind())))),
    }
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return each(&file, Err(broken(GapKind::Parse, format!("cannot be read: {}", error.kind())))),
    };
    if let Some(documents) = json_stream(&text) {
        for (at, document) in documents {
            each(&place(&file, &text, at), Ok(document));
        }
        return;
    }
    for document in read_documents(&text, &Limits::default()) {
        match document {
            Ok(document) => {
                let place = format!("{file}:{}:{}", document.place.line, document.place.column);
                match to_raw_value(&to_json(&document.root)) {
                    Ok(raw) => each(&place, Ok(&raw)),
                    Err(_) => each(&place, Err(broken(GapKind::Parse, "cannot be written as JSON".to_owned()))),
                }
            }
            Err(error) => {
                let place = format!("{file}:{}:{}", error.place.line, error.place.column);
                each(&place, Err(broken(GapKind::Parse, error.kind.to_string()).at(place.clone())));
            }
        }
    }
}

/// What a broken document hides is said for each kind when it is listed: the objects that are looked for and not found.
pub(super) fn nothing_in_particular() -> Hides {
    Hides::Objects { objects: Vec::new() }
}

/// The documents of a text that is JSON and nothing else, without building trees; large dumps are written this way.
fn json_stream(text: &str) -> Option<Vec<(usize, &RawValue)>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let mut documents = Vec::new();
    loop {
        let at = stream.byte_offset();
        match stream.next() {
            Some(Ok(document)) => documents.push((at, document)),
            Some(Err(_)) => return None,
            None => return Some(documents),
        }
    }
}

/// `file:line:column` of the first character after white space.
fn place(file: &str, text: &str, at: usize) -> String {
    let rest = text.get(at..).unwrap_or_default();
    let start = at + (rest.len() - rest.trim_start().len());
    let before = text.get(..start).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{file}:{line}:{column}")
}
