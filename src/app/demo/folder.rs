//! The demo's folder: made anew each time, and never over somebody else's files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::app::error::AppError;

/// Says that a folder is an earlier demo's.
const MARKER: &str = ".driftledger-demo";
const MARKER_TEXT: &str =
    "Made by `driftledger demo`. Where this file is, the next demo replaces what an earlier one made.\n";

/// Names in the folder.
pub const CONFIG: &str = "driftledger.yaml";
/// The repository that is scanned.
pub const REPOSITORY: &str = "platform.git";
/// The index of the repository's history.
const CACHE: &str = "cache";
/// The dump that stands for the cluster.
pub const CLUSTER: &str = "cluster.json";
/// The record of both scans.
pub const LEDGER: &str = "ledger.sqlite";
/// The second scan's report.
pub const REPORT: &str = "report.html";
/// The second scan's e-mail.
pub const MAIL: &str = "report.eml";
/// The second scan's Slack message.
pub const SLACK: &str = "slack.json";

/// What a ledger has beside it.
const BESIDE_LEDGER: [&str; 5] = ["-wal", "-shm", "-journal", ".key", ".lock"];

/// Makes the folder, or takes out of an earlier demo's what that one made. What else is in it stays.
///
/// # Errors
/// It holds files and is no earlier demo's, or cannot be written.
pub fn prepare(folder: &Path) -> Result<(), AppError> {
    let failed = |error: std::io::Error| AppError::file("cannot use", folder, &error);
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => std::fs::create_dir_all(folder).map_err(failed)?,
        Err(error) => return Err(failed(error)),
        Ok(mut entries) => {
            if folder.join(MARKER).is_file() {
                clear(folder)?;
            } else if let Some(entry) = entries.next() {
                entry.map_err(failed)?;
                return Err(AppError::new(format!("{} is not empty and no earlier demo's", folder.display()))
                    .hint("name another folder with --out"));
            }
        }
    }
    // First of all, so that a demo that was broken off can be made anew.
    std::fs::write(folder.join(MARKER), MARKER_TEXT).map_err(failed)
}

fn clear(folder: &Path) -> Result<(), AppError> {
    let ledger = BESIDE_LEDGER.iter().map(|suffix| format!("{LEDGER}{suffix}"));
    let files = [CONFIG, CLUSTER, LEDGER, REPORT, MAIL, SLACK].into_iter().map(str::to_owned).chain(ledger);
    let gone = |path: PathBuf, removed: std::io::Result<()>| match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(AppError::file("cannot remove", &path, &error)),
        _ => Ok(()),
    };
    for name in files {
        let path = folder.join(name);
        let removed = std::fs::remove_file(&path);
        gone(path, removed)?;
    }
    for name in [REPOSITORY, CACHE] {
        let path = folder.join(name);
        let removed = std::fs::remove_dir_all(&path);
        gone(path, removed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_earlier_demo_is_replaced_and_only_what_it_made() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        prepare(&folder).unwrap();
        for name in [CONFIG, LEDGER, "ledger.sqlite-wal", "mine.txt"] {
            std::fs::write(folder.join(name), "x").unwrap();
        }
        std::fs::create_dir_all(folder.join(REPOSITORY).join("objects")).unwrap();
        std::fs::create_dir_all(folder.join(CACHE).join("versions")).unwrap();
        prepare(&folder).unwrap();
        let mut left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [MARKER, "mine.txt"]);

        std::fs::remove_file(folder.join(MARKER)).unwrap();
        let refused = prepare(&folder).unwrap_err().to_string();
        assert!(refused.contains("is not empty") && refused.contains("--out"), "{refused}");
        assert!(folder.join("mine.txt").exists());
        std::fs::remove_file(folder.join("mine.txt")).unwrap();
        prepare(&folder).unwrap();
        assert!(prepare(&folder.join(MARKER)).is_err(), "a file is no folder");
    }
}
