//! Messages as `.eml` files (RFC 5322, CRLF lines).

use std::io::Write as _;
use std::path::{Path, PathBuf};

use lettre::Message;

use crate::model::canonical::Canonical;
use crate::model::delivery::{Attempt, Receipt};

use super::message::MailError;

/// Characters of a file name, without its ending; a file system takes 255 bytes.
const MOST: usize = 150;

/// Writes a message as an `.eml` file: whole or not at all, in place of an older one.
///
/// # Errors
/// Where the folder does not exist or cannot be written.
pub fn write_eml(message: &Message, path: &Path) -> Result<(), MailError> {
    write(&message.formatted(), path).map_err(|source| MailError::Write { path: path.display().to_string(), source })
}

fn write(bytes: &[u8], path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A hidden name: whoever sends what lies here must not take a half of it.
    let mut file = tempfile::Builder::new().prefix(".driftledger-").suffix(".part").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Puts a message into a folder under the name that its key gives it: the same key twice is one file. Blocks.
pub(super) fn put(bytes: &[u8], folder: &Path, key: &str) -> Attempt {
    let path = folder.join(file_name(key));
    let says = Some(path.display().to_string());
    if std::fs::read(&path).is_ok_and(|there| there == bytes) {
        return Attempt::Taken(Receipt { says, ..Receipt::default() });
    }
    match write(bytes, &path) {
        Ok(()) => Attempt::Taken(Receipt { says, ..Receipt::default() }),
        Err(error) => failed(folder, &error),
    }
}

/// Whether files can be put into a folder. Blocks.
pub(super) fn check(folder: &Path) -> Result<(), Attempt> {
    tempfile::tempfile_in(folder).map(drop).map_err(|error| failed(folder, &error))
}

fn failed(folder: &Path, error: &std::io::Error) -> Attempt {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
    let why = format!("no mail can be written into {}: {}", folder.display(), error.kind());
    let hint = match error.kind() {
        NotFound | NotADirectory => "create the folder, or correct `mail.folder`",
        PermissionDenied | ReadOnlyFilesystem => "let this user write into the folder",
        _ => return Attempt::Later { why, wait: None },
    };
    Attempt::Refused { why, hint: Some(hint.into()) }
}

/// A key as a file's name. Two keys never share one: where a key cannot stand as it is, its hash goes with it.
fn file_name(key: &str) -> PathBuf {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !key.is_empty() && !key.starts_with('.') && key.len() <= MOST && key.chars().all(plain) {
        return format!("{key}.eml").into();
    }
    let hash = Canonical::new("driftledger/eml/v1").text(key).finish_hex();
    let name: String = key.chars().map(|c| if plain(c) { c } else { '-' }).take(MOST - 20).collect();
    format!("{}-{}.eml", name.trim_start_matches('.'), &hash[..16]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_same_key_is_the_same_file() {
        let folder = tempfile::tempdir().expect("a folder");
        for bytes in [b"one", b"one", b"two"] {
            assert!(matches!(put(bytes, folder.path(), "m-1"), Attempt::Taken(receipt) if receipt.says.is_some()));
            assert_eq!(std::fs::read(folder.path().join("m-1.eml")).expect("the file"), bytes);
        }
        assert_eq!(names(folder.path()), ["m-1.eml"]);
    }

    #[test]
    fn no_key_leaves_the_folder_or_meets_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("mail");
        std::fs::create_dir(&below).expect("a folder");
        let long = "x".repeat(400);
        let keys = ["../a", "..-a", "/a", "", ".", "a/b", "a-b", "a\u{0}b", "ä", long.as_str()];
        for key in keys {
            assert!(matches!(put(b"mail", &below, key), Attempt::Taken(_)), "{key:?}");
        }
        assert_eq!(names(&below).len(), keys.len());
        assert_eq!(names(folder.path()), ["mail"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_said_with_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing");
        for attempt in [put(b"mail", &missing, "m-1"), check(&missing).expect_err("no folder")] {
            let Attempt::Refused { why, hint } = attempt else { panic!("{attempt:?}") };
            assert!(why.contains("missing") && hint.is_some_and(|hint| hint.contains("create")), "{why}");
        }
        assert!(check(folder.path()).is_ok());
        assert_eq!(names(folder.path()), [""; 0]);
    }
}
