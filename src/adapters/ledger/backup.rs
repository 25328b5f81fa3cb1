//! A copy of the ledger while a scan may be writing it (SQLite, "Online Backup API"), checked before it has its name.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::error::{Fault, LedgerError};
use super::open::{Ledger, LedgerReader, check_key};
use super::verify::Verification;
use super::{files, key};

/// How long it is waited for a scan that holds a ledger without a write-ahead log.
const WAIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

impl LedgerReader {
    /// Copies the ledger into a new file as it stands after the last transaction, verifies the copy, and gives what that found. The
    /// copy needs no other file to be read. With a key file, the key is copied beside it, as `<file>.key`; it gives that path.
    ///
    /// # Errors
    /// `Exists` if one of the files is there already; `Broken` if the copy does not verify. Whatever the error, no copy is left.
    pub fn backup(&self, to: &Path, key_file: Option<&Path>) -> Result<(Verification, Option<PathBuf>), LedgerError> {
        let to = std::path::absolute(to).map_err(|source| LedgerError::writing(to, "finding", source))?;
        let key_to = key_file.map(|_| files::beside(&to, ".key"));
        for path in [Some(&to), key_to.as_ref()].into_iter().flatten() {
            if std::fs::symlink_metadata(path).is_ok() {
                return Err(LedgerError::Exists { path: path.clone() });
            }
        }
        let key = key_file.map(|file| check_key(file, self.key_id())).transpose()?;
        let mut verified = None;
        files::publish(&to, |temporary| {
            if !self.copy_to(temporary).map_err(|fault| fault.writing(&to))? {
                return Err(LedgerError::Locked { path: self.path.clone(), holder: None });
            }
            let found = Ledger::open_read_only(temporary, None)?.verify(None)?;
            if let Some(problem) = found.problems.first() {
                let what = format!("a copy of it does not verify: {problem}");
                return Err(LedgerError::Broken { path: self.path.clone(), what });
            }
            verified = Some(found);
            Ok(())
        })?;
        if let (Some(key), Some(key_to)) = (&key, &key_to)
            && let Err(error) = key::write(key, key_to)
        {
            let _ = std::fs::remove_file(&to);
            return Err(error);
        }
        Ok((verified.expect("it was verified"), key_to))
    }

    /// False where a scan without a write-ahead log kept the ledger to itself for too long.
    fn copy_to(&self, temporary: &Path) -> Result<bool, Fault> {
        let mut copy = Connection::open(temporary)?;
        {
            let backup = Backup::new(&self.connection, &mut copy)?;
            let start = Instant::now();
            // All pages under one read lock, so that no scan in between makes it begin anew.
            while backup.step(-1)? != StepResult::Done {
                if start.elapsed() > WAIT {
                    return Ok(false);
                }
                std::thread::sleep(POLL);
            }
        }
        // Else the copy would want files of a write-ahead log beside it.
        copy.query_row("PRAGMA journal_mode=DELETE", [], |_| Ok(()))?;
        copy.close().map_err(|(_, error)| error)?;
        Ok(true)
    }
}
