//! The files around a ledger: where they are, how they come into being, and the lock.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs4::fs_std::FileExt;

use super::error::LedgerError;

const POLL: Duration = Duration::from_millis(100);

/// The path with links resolved, so that two ways to one ledger meet at one lock. The file itself need not exist.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, LedgerError> {
    let failed = |source| LedgerError::reading(path, "resolving", source);
    if let Ok(whole) = fs::canonicalize(path) {
        return Ok(whole);
    }
    let name = path.file_name().ok_or_else(|| failed(std::io::ErrorKind::InvalidFilename.into()))?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match fs::canonicalize(folder) {
        Ok(folder) => Ok(folder.join(name)),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Err(LedgerError::Missing { path: path.to_owned() }),
        Err(source) => Err(failed(source)),
    }
}

/// The path with something appended to its name: `ledger.sqlite` and `.lock` give `ledger.sqlite.lock`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether there is a file; an unreadable folder is an error and not an absence.
pub(super) fn exists(path: &Path) -> Result<bool, LedgerError> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(LedgerError::NotALedger { path: path.to_owned(), what: "it is not a regular file" }),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(LedgerError::reading(path, "looking at", source)),
    }
}

/// Makes a file that appears complete or not at all: readable by its owner only, on the disk before it has its name, and
/// never in the place of another. `fill` gets a temporary path in the same folder.
pub(super) fn publish(path: &Path, fill: impl FnOnce(&Path) -> Result<(), LedgerError>) -> Result<(), LedgerError> {
    let failed = |source| LedgerError::writing(path, "creating", source);
    let folder = path.parent().unwrap_or(Path::new("/"));
    // Made with O_EXCL and mode 0600.
    let temporary = tempfile::Builder::new().prefix(".driftledger-").tempfile_in(folder).map_err(failed)?.into_temp_path();
    fill(&temporary)?;
    OpenOptions::new().write(true).open(&temporary).and_then(|file| file.sync_all()).map_err(failed)?;
    temporary.persist_noclobber(path).map_err(|error| failed(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Takes the exclusive lock `<ledger>.lock` and writes this process's id into it. The file stays behind when the lock goes:
/// removing it would let two processes lock two files of one name.
pub(super) fn lock(ledger: &Path, wait: Duration) -> Result<File, LedgerError> {
    let path = beside(ledger, ".lock");
    let failed = |source| LedgerError::writing(&path, "locking", source);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(failed)?;
    if !acquire(wait, || FileExt::try_lock_exclusive(&file)).map_err(|error| no_locks(ledger, error))? {
        let mut holder = String::new();
        let read = file.read_to_string(&mut holder);
        let holder = read.is_ok().then(|| holder.trim().to_owned()).filter(|pid| pid.parse::<u32>().is_ok());
        return Err(LedgerError::Locked { path: ledger.to_owned(), holder });
    }
    let pid = std::process::id();
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{pid}")).map_err(failed)?;
    Ok(file)
}

/// Shares the lock against scans where there is a lock file; a folder that cannot be written may have none.
pub(super) fn lock_shared(ledger: &Path, wait: Duration) -> Result<Option<File>, LedgerError> {
    let path = beside(ledger, ".lock");
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(LedgerError::reading(&path, "opening", source)),
    };
    if acquire(wait, || FileExt::try_lock_shared(&file)).map_err(|error| no_locks(ledger, error))? {
        Ok(Some(file))
    } else {
        Err(LedgerError::Locked { path: ledger.to_owned(), holder: None })
    }
}

fn acquire(wait: Duration, attempt: impl Fn() -> std::io::Result<bool>) -> std::io::Result<bool> {
    let start = Instant::now();
    loop {
        if attempt()? {
            return Ok(true);
        }
        let left = wait.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Ok(false);
        }
        std::thread::sleep(POLL.min(left));
    }
}

fn no_locks(ledger: &Path, error: std::io::Error) -> LedgerError {
    match error.kind() {
        std::io::ErrorKind::Unsupported => {
            LedgerError::FileSystem { path: ledger.to_owned(), what: "it has no file locks" }
        }
        _ => LedgerError::reading(ledger, "locking", error),
    }
}
