//! Opening: a ledger for a scan, under the lock, or a reader beside it.

use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, params};

use super::error::{Fault, LedgerError};
use super::schema::{self, APPLICATION_ID, MIGRATIONS};
use super::{files, key};
use crate::model::canonical::hex;
use crate::model::ids::LedgerId;
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;

/// How long a statement waits for another connection's; only a DELETE journal makes readers and writers wait for one another.
const BUSY: Duration = Duration::from_secs(5);

/// How a ledger is opened for a scan.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Make a new ledger where there is none.
    pub create: bool,
    /// How long to wait for another scan's lock.
    pub wait: Duration,
    /// The key file; `None`: `<ledger>.key`, beside the ledger.
    pub key_file: Option<PathBuf>,
    /// The program's version, as it goes into rows and seals.
    pub tool_version: String,
}

impl OpenOptions {
    /// Create, wait five seconds, the key beside the ledger.
    pub fn new(tool_version: impl Into<String>) -> Self {
        Self { create: true, wait: Duration::from_secs(5), key_file: None, tool_version: tool_version.into() }
    }
}

/// How SQLite makes a ledger's transactions durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal {
    /// Write-ahead log: readers and the scan do not wait for one another.
    Wal,
    /// Rollback journal, where the file system cannot carry a write-ahead log: they do.
    Delete,
}

/// A ledger opened for reading; a scan may write it meanwhile.
pub struct LedgerReader {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    id: LedgerId,
    key_id: String,
    journal: Journal,
    /// Shared with other readers, against scans; only where the file is read as immutable.
    _lock: Option<File>,
}

impl LedgerReader {
    /// The ledger's id.
    pub fn id(&self) -> &LedgerId {
        &self.id
    }

    /// The id of the key that the ledger was made with.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The ledger's file, links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which journal is in use.
    pub fn journal(&self) -> Journal {
        self.journal
    }

    pub(super) fn fault(&self, fault: impl Into<Fault>) -> LedgerError {
        fault.into().at(&self.path)
    }
}

/// A ledger opened for a scan: nobody else scans until it is dropped. It reads all that a [`LedgerReader`] does.
pub struct Ledger {
    pub(super) reader: LedgerReader,
    pub(super) tool_version: String,
    key: RedactionKey,
    created: bool,
    /// Declared last, so that it is let go after the connection is closed.
    _lock: File,
}

impl Deref for Ledger {
    type Target = LedgerReader;

    fn deref(&self) -> &LedgerReader {
        &self.reader
    }
}

impl Ledger {
    /// Opens the ledger for a scan, or makes it; `now` is kept as the time of its making.
    ///
    /// # Errors
    /// Every [`LedgerError`] but `Refused`. Whatever the error, an existing file is left as it is, except that a ledger with an
    /// older schema may have been migrated.
    pub fn open(path: &Path, options: &OpenOptions, now: Timestamp) -> Result<Self, LedgerError> {
        let path = files::resolve(path)?;
        if !options.create && !files::exists(&path)? {
            return Err(LedgerError::Missing { path });
        }
        let lock = files::lock(&path, options.wait)?;
        let key_file = options.key_file.clone().unwrap_or_else(|| files::beside(&path, ".key"));
        let created = !files::exists(&path)?;
        if created {
            if !options.create {
                return Err(LedgerError::Missing { path });
            }
            create(&path, &key_file, &options.tool_version, now)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags).map_err(|e| Fault::from(e).writing(&path))?;
        prepare(&connection).map_err(|e| Fault::from(e).writing(&path))?;
        let found = match recognise(&connection, &path) {
            Err(LedgerError::Sqlite { source, path }) => return Err(Fault::from(source).writing(&path)),
            other => other?,
        };
        if found < schema::newest(MIGRATIONS) {
            schema::migrate(&mut connection, MIGRATIONS).map_err(|e| e.at(&path))?;
        }
        let (id, key_id) = identity(&connection).map_err(|e| e.at(&path))?;
        let key = check_key(&key_file, &key_id)?;
        let journal = choose_journal(&connection).map_err(|e| Fault::from(e).writing(&path))?;
        let reader = LedgerReader { connection, path, id, key_id, journal, _lock: None };
        Ok(Self { reader, tool_version: options.tool_version.clone(), key, created, _lock: lock })
    }

    /// Opens the ledger for reading beside a scan. The key is only looked at where its file is named: reading needs none.
    ///
    /// # Errors
    /// As [`Ledger::open`]; `Locked` only if the folder cannot be written and a scan holds the ledger.
    pub fn open_read_only(path: &Path, key_file: Option<&Path>) -> Result<LedgerReader, LedgerError> {
        let path = files::resolve(path)?;
        if !files::exists(&path)? {
            return Err(LedgerError::Missing { path });
        }
        let (connection, lock) = connect_read_only(&path)?;
        let found = recognise(&connection, &path)?;
        let known = schema::newest(MIGRATIONS);
        if found < known {
            return Err(LedgerError::OlderSchema { path, found, known });
        }
        let (id, key_id) = identity(&connection).map_err(|e| e.at(&path))?;
        if let Some(key_file) = key_file {
            check_key(key_file, &key_id)?;
        }
        let journal = journal(&connection).map_err(|e| Fault::from(e).at(&path))?;
        Ok(LedgerReader { connection, path, id, key_id, journal, _lock: lock })
    }

    /// The key of a ledger, without opening it for a scan: one may be running. Where there is no ledger yet and one may be made, the
    /// key file is made as the first scan would make it, and that scan takes it.
    ///
    /// # Errors
    /// As [`Ledger::open_read_only`]; and the key cannot be read, made, or is another ledger's.
    pub fn redaction_key(path: &Path, key_file: Option<&Path>, create: bool) -> Result<RedactionKey, LedgerError> {
        let path = files::resolve(path)?;
        let key_file = key_file.map_or_else(|| files::beside(&path, ".key"), Path::to_owned);
        if files::exists(&path)? {
            return check_key(&key_file, &Self::open_read_only(&path, None)?.key_id);
        }
        match key::read(&key_file)? {
            Some(key) => Ok(key),
            None if create => key::create(&key_file),
            None => Err(LedgerError::Missing { path }),
        }
    }

    /// The key under which secret values are hashed.
    pub fn key(&self) -> &RedactionKey {
        &self.key
    }

    /// True if this opening made the ledger.
    pub fn created(&self) -> bool {
        self.created
    }
}

/// Makes the key, unless one was put there before, and then the ledger: complete under its name or not there at all.
fn create(path: &Path, key_file: &Path, tool_version: &str, now: Timestamp) -> Result<(), LedgerError> {
    // SQLite would play another database's journal into the new file.
    for suffix in ["-wal", "-journal"] {
        if std::fs::metadata(files::beside(path, suffix)).is_ok_and(|found| found.len() > 0) {
            let what = format!("its file is gone, but its journal {suffix} is still there");
            return Err(LedgerError::Broken { path: path.to_owned(), what });
        }
    }
    let key = match key::read(key_file)? {
        Some(key) => key,
        None => key::create(key_file)?,
    };
    let id = hex(&key::random::<16>(path)?);
    files::publish(path, |temporary| {
        let fill = || -> Result<(), Fault> {
            let mut connection = Connection::open(temporary)?;
            prepare(&connection)?;
            schema::migrate(&mut connection, MIGRATIONS)?;
            let facts = [
                ("ledger", id.as_str()),
                ("key", key.id()),
                ("created_at", &now.to_string()),
                ("created_by", tool_version),
            ];
            let transaction = connection.transaction()?;
            for (seq, (name, value)) in (1_i64..).zip(facts) {
                transaction
                    .execute("INSERT INTO meta (seq, name, value) VALUES (?1, ?2, ?3)", params![seq, name, value])?;
            }
            transaction.commit()?;
            choose_journal(&connection)?;
            connection.close().map_err(|(_, error)| error)?;
            Ok(())
        };
        fill().map_err(|fault| fault.at(path))
    })
}

/// What every connection is set to.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "recursive_triggers", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Tells a ledger from other files and gives its schema's version. SQLite itself reads the header: closing another handle to
/// the file would drop this process's locks on it (SQLite, "How To Corrupt An SQLite Database File", 2.2).
fn recognise(connection: &Connection, path: &Path) -> Result<i64, LedgerError> {
    let read = |pragma: &str| connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
    let fault = |error| Fault::Sqlite(error).at(path);
    if read("application_id").map_err(fault)? != i64::from(APPLICATION_ID) {
        let empty = std::fs::metadata(path).is_ok_and(|found| found.len() == 0);
        let what = if empty { "the file is empty" } else { "it is another program's SQLite database" };
        return Err(LedgerError::NotALedger { path: path.to_owned(), what });
    }
    let found = schema::version(connection).map_err(fault)?;
    let known = schema::newest(MIGRATIONS);
    if found > known {
        return Err(LedgerError::NewerSchema { path: path.to_owned(), found, known });
    }
    if found < 1 {
        return Err(LedgerError::Broken { path: path.to_owned(), what: format!("its schema has version {found}") });
    }
    Ok(found)
}

/// The ledger's id and its key's.
fn identity(connection: &Connection) -> Result<(LedgerId, String), Fault> {
    let read = |name: &str| {
        connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get::<_, String>(0)).map_err(
            |error| match error {
                rusqlite::Error::QueryReturnedNoRows => Fault::Broken(format!("it has no {name} in its meta table")),
                other => other.into(),
            },
        )
    };
    Ok((LedgerId::new(read("ledger")?), read("key")?))
}

pub(super) fn check_key(key_file: &Path, expected: &str) -> Result<RedactionKey, LedgerError> {
    let path = key_file.to_owned();
    match key::read(key_file)? {
        None => Err(LedgerError::KeyMissing { path }),
        Some(key) if key.id() == expected => Ok(key),
        Some(key) => Err(LedgerError::ForeignKey { path, expected: expected.to_owned(), found: key.id().to_owned() }),
    }
}

/// WAL where the file system carries it, else a rollback journal.
pub(super) fn choose_journal(connection: &Connection) -> rusqlite::Result<Journal> {
    let set =
        |mode: &str| connection.query_row(&format!("PRAGMA journal_mode={mode}"), [], |row| row.get::<_, String>(0));
    match set("WAL") {
        Ok(mode) if mode == "wal" => Ok(Journal::Wal),
        Err(error) if !no_shared_memory(&error) => Err(error),
        _ => {
            set("DELETE")?;
            Ok(Journal::Delete)
        }
    }
}

/// What SQLite says where it cannot map or lock the WAL's index.
fn no_shared_memory(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, FileLockingProtocolFailed, SystemIoFailure};
    matches!(error.sqlite_error_code(), Some(CannotOpen | FileLockingProtocolFailed | SystemIoFailure))
}

fn journal(connection: &Connection) -> rusqlite::Result<Journal> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    Ok(if mode == "wal" { Journal::Wal } else { Journal::Delete })
}

/// Opens for reading, also where the folder cannot be written.
///
/// A WAL's reader needs the `-shm` file and makes it where it is missing. In a folder that cannot be written the file may be
/// read as immutable instead, which is sound only while nobody writes it: the scan's lock is shared for as long as the reader
/// lives, and no log may be left to be played in.
fn connect_read_only(path: &Path) -> Result<(Connection, Option<File>), LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let attempt = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        prepare(&connection)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    let refused = match attempt() {
        Ok(connection) => return Ok((connection, None)),
        Err(error) => error,
    };
    if !matches!(refused.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)) {
        return Err(Fault::Sqlite(refused).at(path));
    }
    let lock = files::lock_shared(path, BUSY)?;
    if std::fs::metadata(files::beside(path, "-wal")).is_ok_and(|found| found.len() > 0) {
        let what = "a scan that was killed left a log to be played in, and the folder cannot be written";
        return Err(LedgerError::FileSystem { path: path.to_owned(), what });
    }
    let connection = Connection::open_with_flags(immutable_uri(path), flags | OpenFlags::SQLITE_OPEN_URI)
        .and_then(|connection| prepare(&connection).map(|()| connection))
        .map_err(|error| Fault::Sqlite(error).at(path))?;
    Ok((connection, lock))
}

fn immutable_uri(path: &Path) -> PathBuf {
    use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
    let path = path.as_os_str().as_encoded_bytes();
    format!("file:{}?immutable=1", percent_encode(path, NON_ALPHANUMERIC)).into()
}
