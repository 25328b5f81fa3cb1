//! What can go wrong with a ledger, said so that a person can act on it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::model::record::FindingEventKind;

/// A ledger could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no ledger and none is to be made.
    #[error("there is no ledger at {}", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Another process holds the ledger.
    #[error("another scan holds the ledger {}{}", path.display(), of_process(holder.as_deref()))]
    Locked {
        /// The ledger.
        path: PathBuf,
        /// The holder's process id as it wrote it, where it could be read.
        holder: Option<String>,
    },
    /// The file is something else.
    #[error("{} is not a ledger: {what}", path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// A newer program has written the ledger.
    #[error("the ledger {} has schema {found}, this program knows {known}", path.display())]
    NewerSchema {
        /// The ledger.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// An older program has written the ledger, and a reader may not migrate it.
    #[error("the ledger {} has the older schema {found}, this program reads {known}", path.display())]
    OlderSchema {
        /// The ledger.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The schema that this program reads.
        known: i64,
    },
    /// What is to be made is there already. It was left as it is.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The key file holds another ledger's key.
    #[error("the key file {} holds key {found}, but the ledger was made with key {expected}", path.display())]
    ForeignKey {
        /// The key file.
        path: PathBuf,
        /// Id of the ledger's key.
        expected: String,
        /// Id of the key in the file.
        found: String,
    },
    /// The ledger exists and its key file does not.
    #[error("the ledger's key file {} is missing", path.display())]
    KeyMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The key file cannot be read or holds no key.
    #[error("the key file {} cannot be used: {what}", path.display())]
    KeyUnreadable {
        /// The key file.
        path: PathBuf,
        /// What is wrong; nothing of the content.
        what: &'static str,
        /// The read's error, if it was that.
        source: Option<std::io::Error>,
    },
    /// The file or its folder cannot be written.
    #[error("{} cannot be written", path.display())]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
    },
    /// No space is left. What was being written is not there, not even in part.
    #[error("no space is left for the ledger {}", path.display())]
    DiskFull {
        /// The ledger.
        path: PathBuf,
    },
    /// The file system does not do what a ledger needs.
    #[error("the file system under {} cannot carry a ledger: {what}", path.display())]
    FileSystem {
        /// The ledger.
        path: PathBuf,
        /// What failed.
        what: &'static str,
    },
    /// The ledger's content contradicts itself.
    #[error("the ledger {} is damaged: {what}", path.display())]
    Broken {
        /// The ledger.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// What was to be written does not follow from what the ledger holds. Nothing was written.
    #[error("the ledger {} refuses the record: {what}", path.display())]
    Refused {
        /// The ledger.
        path: PathBuf,
        /// What does not follow.
        what: String,
    },
    /// SQLite reports something else.
    #[error("the database of the ledger {} reports an error", path.display())]
    Sqlite {
        /// The ledger.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// A file operation failed.
    #[error("{what} {} failed", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `creating`, `reading`…
        what: &'static str,
        /// The operation's error.
        source: std::io::Error,
    },
}

fn of_process(holder: Option<&str>) -> String {
    holder.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

impl LedgerError {
    /// What the person can do.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Missing { .. } => {
                "check the path and that the volume is mounted; to begin a new ledger set `ledger: {create: true}`"
            }
            Self::Locked { .. } => "wait until the other scan is done; a scan that was killed holds nothing",
            Self::NotALedger { .. } => "give the ledger a path of its own; the file was left as it is",
            Self::Exists { .. } => "give the copy a path of its own, with the date in its name for example",
            Self::NewerSchema { .. } => "use the program version that wrote it, or a newer one",
            Self::OlderSchema { .. } => "run a scan with this version once: it brings the ledger to the new schema",
            Self::ForeignKey { .. } => "put the ledger's own key file back, or say where it is",
            Self::KeyMissing { .. } => {
                "restore the key file from where it was kept, or say where it is; without it earlier secret values cannot be \
                 compared, and a new ledger is needed"
            }
            Self::KeyUnreadable { .. } => "check the file's rights, or restore it from where it was kept",
            Self::ReadOnly { .. } => "make the ledger and its folder writable for the user that scans",
            Self::DiskFull { .. } => "make space; the ledger holds what it held before",
            Self::FileSystem { .. } => {
                "keep the ledger on a local file system with locking, such as ext4, xfs or a block volume"
            }
            Self::Broken { .. } => "keep the file as evidence, run `driftledger verify`, and go on from a backup",
            Self::Refused { .. } => {
                "nothing was written; unless it was you who named the message, this is a defect in the program: please report it"
            }
            Self::Sqlite { .. } | Self::Io { .. } => return None,
        })
    }

    /// A reading operation's error.
    pub(super) fn reading(path: &Path, what: &'static str, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), what, source }
    }

    /// A writing operation's error.
    pub(super) fn writing(path: &Path, what: &'static str, source: std::io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io { path, what, source },
        }
    }
}

/// An error inside the ledger, before it is known as which file's.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Broken(String),
    Refused(String),
}

impl Fault {
    /// A stored text that does not read back.
    pub(super) fn unreadable(what: &str, row: i64, error: impl std::fmt::Display) -> Self {
        Self::Broken(format!("{what} {row} cannot be read back: {error}"))
    }

    /// An event that cannot follow what its finding went through before.
    pub(super) fn out_of_order(fingerprint: &str, kind: FindingEventKind, open: Option<bool>) -> Self {
        let before = match open {
            None => "was never seen",
            Some(true) => "is open",
            Some(false) => "is closed",
        };
        Self::Broken(format!("event {kind:?} for finding {fingerprint}, which {before}"))
    }

    /// As [`Fault::at`], of a connection that writes: what SQLite cannot open then, though it is there, is the file itself or
    /// the journal beside it, for want of rights.
    pub(super) fn writing(self, path: &Path) -> LedgerError {
        match self {
            Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
                LedgerError::ReadOnly { path: path.to_owned() }
            }
            other => other.at(path),
        }
    }

    pub(super) fn at(self, path: &Path) -> LedgerError {
        let path = path.to_owned();
        match self {
            Self::Broken(what) => LedgerError::Broken { path, what },
            Self::Refused(what) => LedgerError::Refused { path, what },
            // A column that does not hold what the schema promises.
            Self::Sqlite(
                rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..),
            ) => LedgerError::Broken { path, what: "a column holds a value of another type".into() },
            Self::Sqlite(source) => match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => LedgerError::DiskFull { path },
                Some(ErrorCode::NotADatabase) => LedgerError::NotALedger { path, what: "it is not an SQLite database" },
                Some(ErrorCode::DatabaseCorrupt) => {
                    LedgerError::Broken { path, what: "SQLite finds the file malformed".into() }
                }
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => LedgerError::ReadOnly { path },
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Locked { path, holder: None },
                Some(ErrorCode::FileLockingProtocolFailed | ErrorCode::NoLargeFileSupport) => {
                    LedgerError::FileSystem { path, what: "locking does not work" }
                }
                Some(ErrorCode::SystemIoFailure) => LedgerError::FileSystem { path, what: "reading or writing failed" },
                _ => LedgerError::Sqlite { path, source },
            },
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}
