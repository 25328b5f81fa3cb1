//! The files of a commit that something is rendered from, in a private folder for the programs that render: links as copies of what they
//! lead to, and nothing that leads out.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::model::canonical::Canonical;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::ports::SourceTree;

/// Bytes that may go into one target; what has more is no chart and no kustomization.
const MOST_BYTES: u64 = 256 << 20;
/// Files that may.
const MOST_FILES: usize = 50_000;

/// Files that something is rendered from.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// By their paths in the tree; `None` where a file cannot be had: a program that needs it fails and says so.
    files: Vec<(String, Option<Vec<u8>>)>,
}

/// A folder with files; it goes when this value does.
#[derive(Debug)]
pub struct Checkout {
    folder: tempfile::TempDir,
}

impl Inputs {
    /// All files of a tree at or below some paths; a path that is not there has none.
    ///
    /// # Errors
    /// A gap where there are too many of them.
    pub fn of(tree: &dyn SourceTree, paths: &[String]) -> Result<Self, Gap> {
        let mut files = BTreeMap::new();
        let mut bytes = 0;
        for path in paths {
            // What is not there is for the renderer to tell.
            let _ = tree.walk(path, &mut |file| {
                let content = file.content.ok().filter(|_| bytes <= MOST_BYTES && files.len() <= MOST_FILES);
                bytes += content.as_ref().map_or(0, |content| content.len() as u64);
                files.insert(file.path, content);
            });
        }
        if bytes > MOST_BYTES || files.len() > MOST_FILES {
            let message =
                format!("more than {MOST_FILES} files or {} MiB would go into what is rendered", MOST_BYTES >> 20);
            return Err(Gap::new(GapKind::Limit, message, Hides::Target));
        }
        Ok(Self { files: files.into_iter().collect() })
    }

    /// Those that are texts, by their paths.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter_map(|(path, content)| Some((path.as_str(), std::str::from_utf8(content.as_ref()?).ok()?)))
    }

    /// With another content of a file.
    pub fn put(&mut self, path: &str, content: String) {
        if let Some((_, old)) = self.files.iter_mut().find(|(known, _)| known == path) {
            *old = Some(content.into_bytes());
        }
    }

    /// The same for the same files with the same content.
    pub fn hash(&self) -> String {
        let mut hash = Canonical::new("driftledger/inputs/v1");
        for (path, content) in &self.files {
            hash = hash.text(path);
            hash = match content {
                Some(content) => hash.number(1).bytes(content),
                None => hash.number(0),
            };
        }
        hash.finish_hex()
    }
}

impl Checkout {
    /// Writes files down.
    ///
    /// # Errors
    /// A gap where they cannot be written.
    pub fn of(inputs: &Inputs) -> Result<Self, Gap> {
        let folder = tempfile::tempdir().map_err(|error| not_written(&error))?;
        let files = folder.path().join("files");
        fs::create_dir(&files).map_err(|error| not_written(&error))?;
        for (path, content) in &inputs.files {
            if let (Some(content), Some(path)) = (content, below(&files, path)) {
                write(&path, content).map_err(|error| not_written(&error))?;
            }
        }
        Ok(Self { folder })
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
