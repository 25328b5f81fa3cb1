//! A commit's files in a private folder, for the programs that render: exactly those files, links as copies of what they lead to, and nothing
//! that leads out.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::model::gap::{Gap, GapKind, Hides};
use crate::ports::SourceTree;

/// Bytes of files; a repository with more is not one of manifests.
const MOST_BYTES: u64 = 1 << 30;
/// Files.
const MOST_FILES: usize = 200_000;

/// The folder; it goes when this value does.
#[derive(Debug)]
pub struct Checkout {
    folder: tempfile::TempDir,
}

impl Checkout {
    /// Writes the files of a tree. What cannot be had of them is left out: a program that needs it fails and says so.
    ///
    /// # Errors
    /// A gap where there are too many of them, or where they cannot be written.
    pub fn of(tree: &dyn SourceTree) -> Result<Self, Gap> {
        let folder = tempfile::tempdir().map_err(|error| not_written(&error))?;
        let files = folder.path().join("files");
        fs::create_dir(&files).map_err(|error| not_written(&error))?;
        let (mut bytes, mut count, mut failed) = (0, 0, None);
        tree.walk("", &mut |file| {
            let (Ok(content), Some(path)) = (&file.content, below(&files, &file.path)) else { return };
            bytes += content.len() as u64;
            count += 1;
            if failed.is_some() || bytes > MOST_BYTES || count > MOST_FILES {
                return;
            }
            failed = write(&path, content).err();
        })?;
        if bytes > MOST_BYTES || count > MOST_FILES {
            let message =
                format!("the commit has {count} files with {} MiB: more than are written for a renderer", bytes >> 20);
            return Err(Gap::new(GapKind::Limit, message, Hides::Target));
        }
        match failed {
            Some(error) => Err(not_written(&error)),
            None => Ok(Self { folder }),
        }
    }

    /// The folder with the files.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// A new empty folder beside the files, for one run of a program.
    ///
    /// # Errors
    /// A gap where it cannot be made.
    pub fn private(&self) -> Result<tempfile::TempDir, Gap> {
        tempfile::tempdir_in(self.folder.path()).map_err(|error| not_written(&error))
    }
}

/// A path of the tree below a folder; `None` where a broken or hostile tree names none that is.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let relative = Path::new(path);
    let is_plain = !path.is_empty() && relative.components().all(|part| matches!(part, Component::Normal(_)));
    is_plain.then(|| folder.join(relative))
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)
}

fn not_written(error: &io::Error) -> Gap {
    let message = format!("the commit's files could not be written for a renderer: {error}");
    Gap::new(GapKind::Render, message, Hides::Target)
        .hint(format!("there must be room in the folder for temporary files, {}", std::env::temp_dir().display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_outside() {
        for (path, is_below) in
            [("a/b.yaml", true), ("../a", false), ("a/../../b", false), ("/etc/passwd", false), ("", false)]
        {
            assert_eq!(below(Path::new("/x"), path).is_some(), is_below, "{path}");
        }
    }
}
