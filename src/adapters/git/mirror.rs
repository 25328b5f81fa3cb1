//! A mirror's folder: its lock, its generations, and what a killed run may leave in it.
//!
//! ```text
//! <cache>/git.example.com-acme-platform-1f0c…/
//!   lock        held exclusively while the mirror is brought up to date
//!   current     the number of the generation in use
//!   1/          a bare repository; `fetched` in it says when it was last good, `in-use` is held shared by its readers
//!   2/          the next one, made when the first is damaged or has too many packs
//! ```

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::model::time::Timestamp;

use super::deadline::Deadline;
use super::failure::Failure;
use super::fetch::replace;
use super::repository::open_isolated;
use super::source::CleanUrl;

/// A mirror's folder.
pub(super) struct Mirror {
    folder: PathBuf,
}

/// One repository of a mirror, kept from being removed as long as this lives.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) path: PathBuf,
    number: u64,
    _in_use: File,
}

impl Mirror {
    pub(super) fn at(cache: &Path, url: &CleanUrl) -> Self {
        Self { folder: cache.join(folder_name(url)) }
    }

    /// Makes the folder, readable by nobody else, and waits for its lock. The lock goes with the file, also if the process is killed.
    pub(super) fn lock(&self, deadline: Deadline) -> Result<File, Failure> {
        make_folder(&self.folder).map_err(|e| Failure::cache("folder", &e))?;
        let file = lock_file(&self.folder.join("lock")).map_err(|e| Failure::cache("lock", &e))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if deadline.left().is_zero() => return Err(Failure::Busy),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50).min(deadline.left())),
                Err(TryLockError::Error(e)) => return Err(Failure::cache("lock", &e)),
            }
        }
    }

    /// The generation in use, if there is one.
    pub(super) fn current(&self) -> Option<Generation> {
        let number = self.current_number()?;
        let generation = self.generation(number).ok()?;
        // Without the mirror's lock another process may have replaced and removed it meanwhile.
        (self.current_number() == Some(number) && generation.path.join("HEAD").exists()).then_some(generation)
    }

    /// Makes an empty generation, not yet the current one. Only under the lock.
    pub(super) fn begin(&self) -> Result<Generation, Failure> {
        let number = self.numbers().into_iter().max().unwrap_or(0) + 1;
        let path = self.folder.join(number.to_string());
        make_folder(&path).map_err(|e| Failure::cache("new mirror", &e))?;
        let options = gix::create::Options { destination_must_be_empty: Some(true), ..Default::default() };
        gix::ThreadSafeRepository::init_opts(&path, gix::create::Kind::Bare, options, gix::open::Options::isolated())
            .map_err(|_| Failure::Cache("a new mirror cannot be made".into()))?;
        self.generation(number).map_err(|e| Failure::cache("new mirror", &e))
    }

    /// Makes a generation the current one. Only under the lock.
    pub(super) fn publish(&self, generation: &Generation) -> Result<(), Failure> {
        replace(&self.folder, "current", format!("{}\n", generation.number).as_bytes())
            .map_err(|e| Failure::cache("current", &e))
    }

    /// Removes what killed runs and replaced generations left, except what somebody still reads. Only under the lock.
    pub(super) fn sweep(&self) {
        let current = self.current_number();
        for number in self.numbers() {
            let path = self.folder.join(number.to_string());
            if Some(number) == current {
                sweep_packs(&path.join("objects").join("pack"));
                let _ = fs::remove_file(path.join("shallow.lock"));
            } else if File::open(path.join("in-use")).is_ok_and(|file| file.try_lock().is_err()) {
                tracing::debug!(generation = number, "an old mirror is still read");
            } else if let Err(error) = fs::remove_dir_all(&path) {
                tracing::warn!(generation = number, %error, "an old mirror cannot be removed");
            }
        }
    }

    fn current_number(&self) -> Option<u64> {
        fs::read_to_string(self.folder.join("current")).ok()?.trim().parse().ok()
    }

    fn numbers(&self) -> Vec<u64> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    fn generation(&self, number: u64) -> io::Result<Generation> {
        let path = self.folder.join(number.to_string());
        let in_use = lock_file(&path.join("in-use"))?;
        in_use.lock_shared()?;
        Ok(Generation { path, number, _in_use: in_use })
    }
}

impl Generation {
    /// When it was last brought up to date.
    pub(super) fn fetched(&self) -> Option<Timestamp> {
        let text = fs::read_to_string(self.path.join("fetched")).ok()?;
        text.trim().parse().ok().map(Timestamp::from_unix)
    }

    pub(super) fn set_fetched(&self, now: Timestamp) -> Result<(), Failure> {
        replace(&self.path, "fetched", format!("{}\n", now.unix()).as_bytes())
            .map_err(|e| Failure::cache("fetched", &e))
    }

    /// Whether what references name is there: the packs are whole, and each tip and its tree can be read. Damage deeper in is
    /// noticed by readers, who leave a mark.
    pub(super) fn is_sound(&self) -> bool {
        !self.path.join(DAMAGED).exists()
            && packs(&self.path).is_ok_and(|packs| packs.iter().all(|p| is_whole(p)))
            && self.tips_are_there()
    }

    pub(super) fn pack_count(&self) -> usize {
        packs(&self.path).map_or(0, |packs| packs.len())
    }

    fn tips_are_there(&self) -> bool {
        let Ok(repository) = open_isolated(&self.path) else { return false };
        let repository = repository.to_thread_local();
        let Ok(platform) = repository.references() else { return false };
        let Ok(all) = platform.all() else { return false };
        for reference in all {
            let Ok(reference) = reference else { return false };
            let Some(id) = reference.try_id() else { continue };
            let Ok(object) = id.object().and_then(|object| object.peel_tags_to_end()) else { return false };
            if object.kind == gix::objs::Kind::Commit && object.into_commit().tree().is_err() {
                return false;
            }
        }
        true
    }
}

const DAMAGED: &str = "damaged";

/// Has the mirror at `path` made anew by the next run.
pub(super) fn mark_damaged(path: &Path) {
    if let Err(error) = fs::write(path.join(DAMAGED), b"") {
        tracing::warn!(%error, "a damaged mirror cannot be marked");
    }
}

fn packs(repository: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(repository.join("objects").join("pack"))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| has_extension(path, "pack")).collect())
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|e| e == extension)
}

/// A pack ends with its checksum, which its index repeats before its own (gitformat-pack): a cut-off file shows there.
fn is_whole(pack: &Path) -> bool {
    let tail = |path: &Path, from_end: i64| -> io::Result<[u8; 20]> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-from_end))?;
        let mut bytes = [0; 20];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    matches!((tail(pack, 20), tail(&pack.with_extension("idx"), 40)), (Ok(pack), Ok(index)) if pack == index)
}

/// Takes away temporary files, and packs and indices that have no counterpart.
fn sweep_packs(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let useful = (has_extension(&path, "pack") && path.with_extension("idx").exists())
            || (has_extension(&path, "idx") && path.with_extension("pack").exists());
        if !useful {
            let _ = fs::remove_file(path);
        }
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).read(true).write(true).open(path)
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// Host and path as far as they are readable, then a hash of the whole URL.
fn folder_name(url: &CleanUrl) -> String {
    let text = url.as_str();
    let readable = text.split_once("://").map_or(text, |(_, rest)| rest);
    let readable: String = readable
        .trim_end_matches('/')
        .trim_end_matches(".git")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .take(60)
        .collect();
    let hash: String = Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{readable}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::super::source::Location;
    use super::*;

    fn name(url: &str) -> String {
        match Location::from_url(url) {
            Ok((Location::Url(url), _)) => folder_name(&url),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn folders_are_readable_differ_by_url_and_hold_no_credentials() {
        let plain = name("https://git.example.com/acme/platform.git");
        assert!(plain.starts_with("git.example.com-acme-platform-"), "{plain}");
        assert_eq!(plain, name("https://ann:canary@git.example.com/acme/platform.git"));
        assert_ne!(plain, name("https://git.example.com/acme/platform"));
        assert_ne!(plain, name("http://git.example.com/acme/platform.git"));
        let long = name(&format!("https://git.example.com/../../{}/x%2f..%2f", "a".repeat(300)));
        assert!(long.len() < 90 && !long.contains('/'), "{long}");
    }
}
