use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::super::open::choose_journal;
use super::super::schema;
use super::fixtures::{Home, Scan, at, begin, options};
use crate::adapters::ledger::{Journal, Ledger, LedgerError, OpenOptions};

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::MetadataExt::mode(&fs::metadata(path).unwrap()) & 0o777
}

fn error_of(home: &Home) -> LedgerError {
    let error = home.try_open().err().expect("the ledger must not open");
    assert!(error.hint().is_some(), "{error}");
    error
}

#[test]
fn a_new_ledger_has_an_id_a_key_and_says_that_it_is_new() {
    let home = Home::new();
    let ledger = home.open();
    assert!(ledger.created());
    assert_eq!(ledger.id().as_str().len(), 32);
    assert_eq!(ledger.journal(), Journal::Wal);
    let (id, key) = (ledger.id().clone(), ledger.key().clone());
    let pragma =
        |name: &str| -> i64 { ledger.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap() };
    assert_eq!([pragma("synchronous"), pragma("foreign_keys"), pragma("recursive_triggers")], [2, 1, 1]);
    drop(ledger);
    let again = home.open();
    assert!(!again.created());
    assert_eq!((again.id(), again.key().bytes(), again.key_id()), (&id, key.bytes(), key.id()));
    drop(again);
    let other = Home::new().open();
    assert_ne!(other.id(), &id);
    assert_ne!(other.key().bytes(), key.bytes());
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_its_files() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(1).run(&mut ledger);
    let mut found = 0;
    for entry in fs::read_dir(home.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        found += 1;
    }
    assert_eq!(found, 5, "ledger, key, lock, write-ahead log and its index");
}

#[test]
fn a_key_can_be_had_before_the_ledger_and_beside_a_scan() {
    let home = Home::new();
    let path = home.beside("");
    let refused = Ledger::redaction_key(&path, None, false);
    assert!(matches!(refused, Err(LedgerError::Missing { .. })) && !home.beside(".key").exists());
    let key = Ledger::redaction_key(&path, None, true).unwrap();
    assert!(home.beside(".key").exists() && !path.exists());
    let scanning = home.open();
    assert_eq!(scanning.key().bytes(), key.bytes(), "the first scan takes it");
    assert_eq!(Ledger::redaction_key(&path, None, false).unwrap().bytes(), key.bytes());
    let other = Home::new();
    drop(other.open());
    let foreign = Ledger::redaction_key(&path, Some(&other.beside(".key")), true);
    assert!(matches!(foreign, Err(LedgerError::ForeignKey { .. })));
}

#[test]
fn a_missing_ledger_is_not_made_where_that_is_not_wanted() {
    let home = Home::new();
    let refuse = OpenOptions { create: false, ..options() };
    let error = Ledger::open(&home.path, &refuse, at(0)).err().unwrap();
    assert!(matches!(error, LedgerError::Missing { .. }), "{error}");
    assert!(matches!(Ledger::open_read_only(&home.path, None), Err(LedgerError::Missing { .. })));
    assert_eq!(fs::read_dir(home.folder.path()).unwrap().count(), 0);
    let nowhere = home.folder.path().join("not-mounted/ledger.sqlite");
    assert!(matches!(Ledger::open(&nowhere, &options(), at(0)), Err(LedgerError::Missing { .. })));
    drop(home.open());
    Ledger::open(&home.path, &refuse, at(0)).unwrap();
}

#[test]
fn other_files_are_told_apart_and_left_alone() {
    type Fill = fn(&Path);
    let fill: [(&str, Fill); 4] = [
        ("empty", |path| fs::write(path, "").unwrap()),
        ("text", |path| fs::write(path, "kind: ConfigMap\n".repeat(100)).unwrap()),
        ("short text", |path| fs::write(path, "x").unwrap()),
        ("another database", |path| Connection::open(path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap()),
    ];
    for (name, fill) in fill {
        let home = Home::new();
        fill(&home.path);
        let before = fs::read(&home.path).unwrap();
        let error = error_of(&home);
        assert!(matches!(error, LedgerError::NotALedger { .. }), "{name}: {error}");
        let error = Ledger::open_read_only(&home.path, None).err().unwrap();
        assert!(matches!(error, LedgerError::NotALedger { .. }), "{name}, reading: {error}");
        assert_eq!(fs::read(&home.path).unwrap(), before, "{name}");
        assert!(!home.beside(".key").exists(), "{name}");
    }
    let home = Home::new();
    fs::create_dir(&home.path).unwrap();
    assert!(matches!(error_of(&home), LedgerError::NotALedger { .. }));
}

#[test]
fn a_truncated_ledger_is_broken_and_not_made_anew() {
    let home = Home::new();
    let mut ledger = home.open();
    for minute in 1..5 {
        Scan::new(minute).run(&mut ledger);
    }
    drop(ledger);
    let whole = fs::read(&home.path).unwrap();
    for keep in [100, 4096, 8192, whole.len() - 4096, whole.len() - 1] {
        fs::write(&home.path, &whole[..keep]).unwrap();
        match home.try_open() {
            Err(LedgerError::Broken { .. } | LedgerError::NotALedger { .. }) => {}
            Err(other) => panic!("{keep} bytes: {other:?}"),
            Ok(ledger) => assert!(!ledger.verify(None).unwrap().ok, "{keep} bytes"),
        }
        assert!(fs::metadata(&home.path).unwrap().len() <= whole.len() as u64);
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let home = Home::new();
    drop(home.open());
    home.raw().pragma_update(None, "user_version", 7).unwrap();
    for error in [error_of(&home), Ledger::open_read_only(&home.path, None).err().unwrap()] {
        assert!(matches!(error, LedgerError::NewerSchema { found: 7, known: 2, .. }), "{error}");
    }
    home.raw().pragma_update(None, "user_version", 0).unwrap();
    assert!(matches!(error_of(&home), LedgerError::Broken { .. }));
}

#[test]
fn migrations_go_forward_and_all_or_nothing() {
    let home = Home::new();
    drop(home.open());
    let mut raw = home.raw();
    let [first, second] = *schema::MIGRATIONS else { panic!("another number of migrations") };
    let steps = [first, second, "CREATE TABLE later (a INTEGER) STRICT;", "CREATE TABLE later (b INTEGER) STRICT;"];
    schema::migrate(&mut raw, &steps).unwrap_err();
    assert_eq!(schema::version(&raw).unwrap(), 2);
    assert!(raw.prepare("SELECT a FROM later").is_err());
    schema::migrate(&mut raw, &steps[..3]).unwrap();
    assert_eq!(schema::version(&raw).unwrap(), 3);
    assert!(raw.prepare("SELECT a FROM later").is_ok());
    assert!(matches!(error_of(&home), LedgerError::NewerSchema { found: 3, known: 2, .. }));
}

#[test]
fn the_key_must_be_the_ledgers_own() {
    let home = Home::new();
    drop(home.open());
    let key = home.beside(".key");
    let own = fs::read(&key).unwrap();

    let other = Home::new();
    drop(other.open());
    fs::copy(other.beside(".key"), &key).unwrap();
    let error = error_of(&home);
    let LedgerError::ForeignKey { expected, found, .. } = &error else { panic!("{error}") };
    assert_ne!(expected, found);
    assert!(matches!(Ledger::open_read_only(&home.path, Some(&key)), Err(LedgerError::ForeignKey { .. })));
    assert!(Ledger::open_read_only(&home.path, None).is_ok(), "reading needs no key");

    fs::remove_file(&key).unwrap();
    assert!(matches!(error_of(&home), LedgerError::KeyMissing { .. }));
    assert!(!key.exists(), "no key is made for a ledger that has one");
    for bad in ["", "driftledger redaction key v1\n", "driftledger redaction key v1\nabc\n", "ssh key\n00\n", "\u{0}"] {
        fs::write(&key, bad).unwrap();
        assert!(matches!(error_of(&home), LedgerError::KeyUnreadable { .. }), "{bad:?}");
    }
    let secret = String::from_utf8(own.clone()).unwrap().lines().nth(1).unwrap().to_owned();
    fs::write(&key, format!("driftledger redaction key v1\n{secret}0\n")).unwrap();
    let error = error_of(&home);
    assert!(!format!("{error} {error:?}").contains(&secret[..8]), "no part of the key is shown");

    let elsewhere = home.folder.path().join("elsewhere.key");
    fs::write(&elsewhere, &own).unwrap();
    fs::remove_file(&key).unwrap();
    let moved = OpenOptions { key_file: Some(elsewhere), ..options() };
    assert!(Ledger::open(&home.path, &moved, at(0)).is_ok());
}

#[test]
fn a_new_ledger_takes_a_key_that_was_put_there() {
    let other = Home::new();
    let key = other.open().key().clone();
    let home = Home::new();
    fs::copy(other.beside(".key"), home.beside(".key")).unwrap();
    assert_eq!(home.open().key().bytes(), key.bytes());
    let spoiled = Home::new();
    fs::write(spoiled.beside(".key"), "not a key").unwrap();
    assert!(matches!(error_of(&spoiled), LedgerError::KeyUnreadable { .. }));
    assert!(!spoiled.path.exists());
}

#[test]
fn a_journal_without_its_ledger_is_not_played_into_a_new_one() {
    for suffix in ["-wal", "-journal"] {
        let home = Home::new();
        fs::write(home.beside(suffix), "left by a ledger that was moved away").unwrap();
        assert!(matches!(error_of(&home), LedgerError::Broken { .. }), "{suffix}");
        assert!(!home.path.exists());
    }
}

#[cfg(unix)]
#[test]
fn two_ways_to_one_ledger_meet_at_one_lock() {
    let home = Home::new();
    let link = home.folder.path().join("link.sqlite");
    let _held = home.open();
    std::os::unix::fs::symlink(&home.path, &link).unwrap();
    assert!(matches!(Ledger::open(&link, &options(), at(0)), Err(LedgerError::Locked { .. })));
}

/// SQLite's `unix-none` file layer has no shared memory, like a file system that cannot carry a WAL.
#[cfg(unix)]
#[test]
fn without_shared_memory_a_rollback_journal_is_used() {
    let home = Home::new();
    drop(home.open());
    home.raw().query_row("PRAGMA journal_mode=DELETE", [], |_| Ok(())).unwrap();
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags_and_vfs(&home.path, flags, c"unix-none").unwrap();
    assert_eq!(choose_journal(&connection).unwrap(), Journal::Delete);
}

/// A ledger that lost its WAL mode (a copy, another file system) works all the same.
#[test]
fn a_reader_beside_a_rollback_journal_sees_whole_scans() {
    let home = Home::new();
    let mut ledger = home.open();
    ledger.connection.query_row("PRAGMA journal_mode=DELETE", [], |_| Ok(())).unwrap();
    Scan::new(1).run(&mut ledger);
    let reader = home.reader();
    assert_eq!(reader.journal(), Journal::Delete);
    begin(&mut ledger, 2);
    assert!(reader.verify(None).unwrap().ok);
    assert_eq!(reader.scans().unwrap().len(), 2);
}

/// The text of the first schema stands in ledgers: whatever becomes of this program, it makes the same one.
#[test]
fn the_first_schema_is_what_it_was() {
    use crate::model::canonical::Canonical;
    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(&mut connection, &schema::MIGRATIONS[..1]).unwrap();
    let mut hash = Canonical::new("the first schema");
    for (kind, name, sql) in schema::objects(&connection).unwrap() {
        hash = hash.text(&kind).text(&name).optional(sql.as_deref());
    }
    assert_eq!(hash.finish_hex(), "8b637b1419c6c750f57d29a9f0c403ea586c47324721001980ab97dd1a7e0290");
}
