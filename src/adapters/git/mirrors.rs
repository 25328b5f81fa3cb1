//! Opening repositories: local ones where they are, others as mirrors in the cache folder.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::gap::Gap;
use crate::model::time::Timestamp;

use super::deadline::Deadline;
use super::failure::Failure;
use super::fetch::fetch;
use super::mirror::{Generation, Mirror};
use super::repository::{OpenedRepository, StaleMirror, open_isolated};
use super::source::{CleanUrl, Location, RepositorySource};

/// First pause before another attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Each fetch that brings something leaves a pack, and nothing joins them: at this many the mirror is made anew.
const MANY_PACKS: usize = 100;

/// The folder in which mirrors are kept. Several processes and threads may use it at a time.
#[derive(Clone, Debug)]
pub struct Mirrors {
    cache: PathBuf,
    many_packs: usize,
}

impl Mirrors {
    /// Mirrors below `cache`, which is made when it is needed.
    pub fn new(cache: PathBuf) -> Self {
        Self { cache, many_packs: MANY_PACKS }
    }

    /// Opens a local repository, or brings a mirror up to date (all branches and tags, forced pushes and removals too) and opens it.
    /// It blocks, and must not be called from asynchronous code but from a thread for blocking work.
    ///
    /// # Errors
    /// A `fetch` gap that hides the target. If the repository cannot be fetched, there is a last good mirror and the source allows it,
    /// that mirror is returned with the gap in its `stale`.
    pub fn open(&self, source: &RepositorySource, now: Timestamp) -> Result<OpenedRepository, Gap> {
        let url = match &source.location {
            Location::Path(path) => return OpenedRepository::at_path(&source.name, path),
            Location::Url(url) => url,
        };
        let mirror = Mirror::at(&self.cache, url);
        let opened = |generation: Generation, stale| {
            OpenedRepository::of_mirror(&source.name, generation, stale)
                .map_err(|failure| failure.gap(source, url, None))
        };
        let failure = match self.refresh(&mirror, source, url, now) {
            Ok(generation) => return opened(generation, None),
            Err(failure) => failure,
        };
        let last_good = mirror.current().filter(Generation::is_sound);
        let age_seconds = last_good
            .as_ref()
            .and_then(Generation::fetched)
            .map(|fetched| u64::try_from(now.unix() - fetched.unix()).unwrap_or(0));
        let gap = failure.gap(source, url, age_seconds);
        match (last_good, age_seconds) {
            (Some(generation), Some(age_seconds)) if source.allow_stale => {
                opened(generation, Some(StaleMirror { age_seconds, gap }))
            }
            _ => Err(gap),
        }
    }

    fn refresh(
        &self,
        mirror: &Mirror,
        source: &RepositorySource,
        url: &CleanUrl,
        now: Timestamp,
    ) -> Result<Generation, Failure> {
        let deadline = Deadline::after(source.timeout);
        let _lock = mirror.lock(deadline)?;
        mirror.sweep();
        let mut pause = PAUSE;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failure = match self.attempt(mirror, source, url, deadline, now) {
                Ok(generation) => return Ok(generation),
                Err(failure) => failure,
            };
            if !failure.may_pass() || attempts > source.retries || deadline.left() <= pause {
                return Err(failure);
            }
            tracing::debug!(repository = %source.name, attempts, "the fetch failed and is tried again");
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn attempt(
        &self,
        mirror: &Mirror,
        source: &RepositorySource,
        url: &CleanUrl,
        deadline: Deadline,
        now: Timestamp,
    ) -> Result<Generation, Failure> {
        if let Some(current) = mirror.current().filter(Generation::is_sound) {
            match update(&current, source, url, deadline, now) {
                Ok(()) if current.pack_count() < self.many_packs => return Ok(current),
                Ok(()) => {
                    return Ok(anew(mirror, source, url, deadline, now).unwrap_or(current));
                }
                // What is stored may be at fault: see whether it works from nothing.
                Err(Failure::Protocol(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        anew(mirror, source, url, deadline, now)
    }
}

fn update(
    generation: &Generation,
    source: &RepositorySource,
    url: &CleanUrl,
    deadline: Deadline,
    now: Timestamp,
) -> Result<(), Failure> {
    let repository =
        open_isolated(&generation.path).map_err(|_| Failure::Protocol("the mirror cannot be opened".into()))?;
    fetch(&repository.to_thread_local(), source, url, deadline)?;
    if !generation.is_sound() {
        return Err(Failure::Protocol("what the server sent is not complete".into()));
    }
    generation.set_fetched(now)
}

/// Fetches into a new generation; the old one stays the current one until the new one is whole.
fn anew(
    mirror: &Mirror,
    source: &RepositorySource,
    url: &CleanUrl,
    deadline: Deadline,
    now: Timestamp,
) -> Result<Generation, Failure> {
    let generation = mirror.begin()?;
    let outcome = update(&generation, source, url, deadline, now).and_then(|()| mirror.publish(&generation));
    match outcome {
        Ok(()) => {
            mirror.sweep();
            Ok(generation)
        }
        Err(failure) => {
            drop(generation);
            mirror.sweep();
            Err(failure)
        }
    }
}

#[cfg(test)]
#[path = "mirrors_tests.rs"]
mod tests;
