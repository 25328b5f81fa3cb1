//! Version indexes are kept in the cache folder, each in a file of its own. One that is not there, cannot be read or was written by another
//! version of the program is made anew: everything in it follows from the repository.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::versions::VersionIndex;

/// Where indexes are kept.
#[derive(Clone, Debug)]
pub struct VersionsCache {
    folder: PathBuf,
}

/// What an index is of: all that it depends on besides the commits, each as a text.
#[derive(Clone, Copy, Debug)]
pub struct VersionsKey<'a> {
    /// Where the repository is.
    pub repository: &'a str,
    /// The tracked revision.
    pub revision: &'a str,
    /// The folders and files that are indexed.
    pub roots: &'a [String],
    /// What else decides about the content: the program's version, limits.
    pub rules: &'a str,
}

#[derive(Serialize)]
struct Written<'a> {
    of: &'a str,
    index: &'a VersionIndex,
}

#[derive(Deserialize)]
struct Kept {
    of: String,
    index: VersionIndex,
}

impl VersionsCache {
    /// Below the cache folder, which is made when it is needed.
    pub fn new(cache: &Path) -> Self {
        Self { folder: cache.join("versions") }
    }

    /// The index that was kept, or an empty one.
    pub fn load(&self, key: VersionsKey<'_>) -> VersionIndex {
        let (hash, path) = self.place(key);
        let read = || -> Result<Kept, Box<dyn std::error::Error>> { Ok(serde_json::from_slice(&fs::read(&path)?)?) };
        match read() {
            Ok(kept) if kept.of == hash && kept.index.is_sound() => kept.index,
            Ok(_) => VersionIndex::default(),
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "no index of versions is kept");
                VersionIndex::default()
            }
        }
    }

    /// Keeps an index, in place of an older one.
    ///
    /// # Errors
    /// The cache folder cannot be written.
    pub fn save(&self, key: VersionsKey<'_>, index: &VersionIndex) -> io::Result<()> {
        let (hash, path) = self.place(key);
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let bytes = serde_json::to_vec(&Written { of: &hash, index })?;
        file.write_all(&bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// The key's hash, and the file. The key itself is not kept: a repository's URL may hold a password.
    fn place(&self, key: VersionsKey<'_>) -> (String, PathBuf) {
        let VersionsKey { repository, revision, roots, rules } = key;
        let text = format!("{rules}\n{repository}\n{revision}\n{}", roots.join("\n"));
        let hash: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = self.folder.join(format!("{}.json", hash.get(..32).unwrap_or(&hash)));
        (hash, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::CommitId;

    #[test]
    fn an_index_is_kept_for_its_key_alone_and_a_broken_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let cache = VersionsCache::new(folder.path());
        let roots = ["apps".to_owned()];
        let key = VersionsKey { repository: "r", revision: "main", roots: &roots, rules: "1" };
        assert_eq!(cache.load(key), VersionIndex::default());
        let index = VersionIndex {
            commits: vec![CommitId::new("a".repeat(40))],
            changes: vec![Vec::new()],
            ..VersionIndex::default()
        };
        cache.save(key, &index).unwrap();
        assert_eq!(cache.load(key), index);
        for other in [
            VersionsKey { revision: "next", ..key },
            VersionsKey { rules: "2", ..key },
            VersionsKey { roots: &[], ..key },
        ] {
            assert_eq!(cache.load(other), VersionIndex::default());
        }
        let unsound = VersionIndex { commits: Vec::new(), ..index };
        cache.save(key, &unsound).unwrap();
        assert_eq!(cache.load(key), VersionIndex::default());
        fs::write(cache.place(key).1, b"{").unwrap();
        assert_eq!(cache.load(key), VersionIndex::default());
    }
}
