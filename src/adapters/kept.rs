//! What scans keep in the cache folder for the next ones, each in a file of its own that only its owner may read. One that is not there,
//! cannot be read or was written by another version of the program counts for nothing: everything in it can be found out anew.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// One sort of what is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
}

/// What something kept is of: all that it depends on, each as a text.
#[derive(Clone, Copy, Debug)]
pub struct KeptKey<'a> {
    /// Where the repository is.
    pub repository: &'a str,
    /// The tracked revision.
    pub revision: &'a str,
    /// The folders and files that are looked at.
    pub roots: &'a [String],
    /// What else decides about the content: the program's version, limits.
    pub rules: &'a str,
}

#[derive(Serialize)]
struct Written<'a, T> {
    of: &'a str,
    what: &'a T,
}

#[derive(Deserialize)]
struct Read<T> {
    of: String,
    what: T,
}

impl Kept {
    /// Below the cache folder, in a folder that is made when it is needed.
    pub fn new(cache: &Path, folder: &str) -> Self {
        Self { folder: cache.join(folder) }
    }

    /// What was kept under a key. That it can be read does not mean that it makes sense.
    pub fn load<T: DeserializeOwned>(&self, key: KeptKey<'_>) -> Option<T> {
        let (hash, path) = self.place(key);
        let read = || -> Result<Read<T>, Box<dyn std::error::Error>> { Ok(serde_json::from_slice(&fs::read(&path)?)?) };
        match read() {
            Ok(kept) => Some(kept.what).filter(|_| kept.of == hash),
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "nothing is kept");
                None
            }
        }
    }

    /// Keeps something, in place of what was kept before.
    ///
    /// # Errors
    /// The cache folder cannot be written.
    pub fn save<T: Serialize>(&self, key: KeptKey<'_>, what: &T) -> io::Result<()> {
        let (hash, path) = self.place(key);
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let bytes = serde_json::to_vec(&Written { of: &hash, what })?;
        file.write_all(&bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Takes away what was not written for so long. A process looks for that once an hour.
    pub fn sweep(&self, age: Duration) {
        static SWEPT: Mutex<BTreeMap<PathBuf, Instant>> = Mutex::new(BTreeMap::new());
        let Ok(mut swept) = SWEPT.lock() else { return };
        if swept.get(&self.folder).is_some_and(|last| last.elapsed() < SWEEP_EVERY) {
            return;
        }
        swept.insert(self.folder.clone(), Instant::now());
        drop(swept);
        let Ok(files) = fs::read_dir(&self.folder) else { return };
        for file in files.flatten() {
            let written = file.metadata().and_then(|meta| meta.modified());
            if written.is_ok_and(|written| written.elapsed().is_ok_and(|since| since > age)) {
                // Another scan may have taken it away already.
                let _ = fs::remove_file(file.path());
            }
        }
    }

    /// The key's hash, and the file. The key itself is not kept: a repository's URL may hold a password.
    fn place(&self, key: KeptKey<'_>) -> (String, PathBuf) {
        let KeptKey { repository, revision, roots, rules } = key;
        let text = format!("{rules}\n{repository}\n{revision}\n{}", roots.join("\n"));
        let hash: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = self.folder.join(format!("{}.json", hash.get(..32).unwrap_or(&hash)));
        (hash, file)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_kept_is_found_under_its_key_alone_and_a_broken_file_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path(), "numbers");
        let roots = ["apps".to_owned()];
        let key = KeptKey { repository: "r", revision: "main", roots: &roots, rules: "1" };
        assert_eq!(kept.load::<Vec<u32>>(key), None);
        kept.save(key, &vec![1, 2]).unwrap();
        assert_eq!(kept.load(key), Some(vec![1, 2]));
        for other in [KeptKey { revision: "next", ..key }, KeptKey { rules: "2", ..key }, KeptKey { roots: &[], ..key }]
        {
            assert_eq!(kept.load::<Vec<u32>>(other), None);
        }
        let file = kept.place(key).1;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(kept.load::<Vec<String>>(key), None, "of another form");
        fs::write(file, b"{").unwrap();
        assert_eq!(kept.load::<Vec<u32>>(key), None);
    }
}
