//! The files of an audit log.

use std::fs::{self, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders below folders: cloud storage nests them by account, cluster, year, month, day and hour.
const MOST_DEPTH: usize = 32;
/// Entries of all folders together that are looked at.
const MOST_ENTRIES: usize = 200_000;
/// What names of log files end with, rotation and compression set aside.
const ENDINGS: [&str; 6] = ["log", "json", "jsonl", "ndjson", "txt", "gz"];

/// How a gzipped file begins (RFC 1952, 2.3.1).
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A log file.
pub(super) struct LogFile {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    /// After this nothing was written to it.
    pub(super) modified: Option<SystemTime>,
}

/// What a path holds.
#[derive(Default)]
pub(super) struct Files {
    /// Newest first.
    pub(super) logs: Vec<LogFile>,
    /// Other files and links: not read.
    pub(super) passed_over: u64,
    /// What cannot be looked at, and why.
    pub(super) failed: Vec<(PathBuf, io::Error)>,
    /// Whether there is more than this program looks at.
    pub(super) cut_off: bool,
    entries: usize,
}

/// The file itself, or what is named like a log below a folder. Links in the folder are not followed: they may lead anywhere.
///
/// # Errors
/// If the path itself cannot be looked at.
pub(super) fn find(path: &Path) -> io::Result<Files> {
    let metadata = fs::metadata(path)?;
    let mut files = Files::default();
    if metadata.is_dir() {
        files.folder(path, 0);
    } else if metadata.is_file() {
        files.logs.push(LogFile::of(path.to_owned(), &metadata));
    } else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is neither a file nor a folder"));
    }
    // Of equally old files the one that sorts last is the newer: names hold times.
    files.logs.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| b.path.cmp(&a.path)));
    files.failed.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(files)
}

impl LogFile {
    fn of(path: PathBuf, metadata: &Metadata) -> Self {
        Self { path, bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl Files {
    fn folder(&mut self, folder: &Path, depth: usize) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.failed.push((folder.to_owned(), error)),
        };
        for entry in entries {
            self.entries += 1;
            if self.entries > MOST_ENTRIES || depth > MOST_DEPTH {
                self.cut_off = true;
                return;
            }
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => return self.failed.push((folder.to_owned(), error)),
            };
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => self.folder(&path, depth + 1),
                Ok(metadata) if metadata.is_file() && (is_log(&path) || begins_like_one(&path)) => {
                    self.logs.push(LogFile::of(path, &metadata))
                }
                Ok(_) => self.passed_over += 1,
                Err(error) => self.failed.push((path, error)),
            }
        }
    }
}

/// Whether a file without an ending, as Firehose writes them, begins with JSON or is gzipped.
fn begins_like_one(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.as_encoded_bytes()).unwrap_or_default();
    let begin = || {
        let mut begin = [0; 2];
        fs::File::open(path)?.read_exact(&mut begin)?;
        Ok::<_, io::Error>(begin)
    };
    !name.contains(&b'.') && begin().is_ok_and(|begin| matches!(begin[0], b'{' | b'[') || begin == GZIP)
}

/// `audit.log`, `audit-2026-03-02T14-03-09.123.log.gz`, `audit.log.1`, `000000.gz`, `PT1H.json`.
fn is_log(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else {
        return false;
    };
    let name = name.strip_suffix(".gz").map_or(name, |inner| if inner.contains('.') { inner } else { name });
    let rotated = |end: &str| !end.is_empty() && end.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let name = match name.rsplit_once('.') {
        Some((inner, end)) if rotated(end) => inner,
        _ => name,
    };
    let ending = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    // logrotate may put the date behind a dash.
    let ending = ending.split_once('-').filter(|(_, date)| rotated(date)).map_or(ending.as_str(), |(word, _)| word);
    ENDINGS.contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_known_by_their_names() {
        for (name, expected) in [
            ("audit.log", true),
            ("audit-2026-03-02T14-03-09.123.log", true),
            ("audit-2026-03-02T14-03-09.123.log.gz", true),
            ("audit.log.1", true),
            ("audit.log.2.gz", true),
            ("audit.log-20260302", true),
            ("audit.log-20260302.gz", true),
            ("audit.log-old", false),
            ("audit.log.20260302", true),
            ("000000.gz", true),
            ("PT1H.json", true),
            ("events.ndjson", true),
            ("README.md", false),
            ("audit", false),
            (".audit.log.swp", false),
            ("cluster.snapshot.json.zst", false),
        ] {
            assert_eq!(is_log(Path::new(name)), expected, "{name}");
        }
    }
}
