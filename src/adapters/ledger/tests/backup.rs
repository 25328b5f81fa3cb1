use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fixtures::{Home, Scan, finding};
use crate::adapters::ledger::{Ledger, LedgerError, OpenOptions};
use crate::model::record::FindingEventKind::{Changed, Opened};

fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn copies_taken_while_scans_are_recorded_are_whole_and_scans_go_on() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(0).with(Opened, finding("api", 0)).run(&mut ledger);
    let out = tempfile::tempdir().unwrap();
    let done = AtomicBool::new(false);
    let mut copies = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for minute in 1..=60 {
                Scan::new(minute).with(Changed, finding("api", minute)).run(&mut ledger);
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) || copies == 0 {
            let to = out.path().join(format!("{copies}.sqlite"));
            let (found, key) = home.reader().backup(&to, None).unwrap();
            assert!(found.ok && found.scans > 0 && key.is_none());
            copies += 1;
        }
    });
    assert_eq!(files(out.path()).len(), copies, "nothing beside them: {:?}", files(out.path()));
}

#[test]
fn a_copy_with_its_key_is_a_ledger_to_go_on_with() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(0).with(Opened, finding("api", 0)).run(&mut ledger);
    let out = tempfile::tempdir().unwrap();
    let to = out.path().join("copy.sqlite");
    let (found, key) = home.reader().backup(&to, Some(&home.beside(".key"))).unwrap();
    assert_eq!(
        (found.last_seal.clone(), key.as_deref()),
        (ledger.last_seal().unwrap(), Some(&*out.path().join("copy.sqlite.key")))
    );
    #[cfg(unix)]
    for file in [&to, &key.unwrap()] {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
    let mut copy =
        Ledger::open(&to, &OpenOptions { create: false, ..OpenOptions::new("0.1.0-test") }, super::fixtures::at(1))
            .unwrap();
    assert_eq!((copy.id(), copy.key().id()), (ledger.id(), ledger.key().id()));
    Scan::new(2).with(Changed, finding("api", 2)).run(&mut copy);
    assert!(copy.verify(found.last_seal.as_ref().map(|seal| seal.hash.as_str())).unwrap().ok);
}

#[test]
fn nothing_is_overwritten_and_a_foreign_key_is_not_copied() {
    let home = Home::new();
    drop(home.open());
    let out = tempfile::tempdir().unwrap();
    let to = out.path().join("copy.sqlite");
    for taken in ["copy.sqlite", "copy.sqlite.key"] {
        std::fs::write(out.path().join(taken), "here").unwrap();
        let error = home.reader().backup(&to, Some(&home.beside(".key"))).err().unwrap();
        assert!(matches!(&error, LedgerError::Exists { path } if path.ends_with(taken)), "{error}");
        assert_eq!(files(out.path()), [taken]);
        std::fs::remove_file(out.path().join(taken)).unwrap();
    }
    let error = home.reader().backup(&home.path, None).err().unwrap();
    assert!(matches!(error, LedgerError::Exists { .. }), "the ledger is no copy of itself: {error}");
    let other = Home::new();
    drop(other.open());
    let error = home.reader().backup(&to, Some(&other.beside(".key"))).err().unwrap();
    assert!(matches!(error, LedgerError::ForeignKey { .. }), "{error}");
    assert_eq!(files(out.path()), [""; 0]);
}

#[test]
fn a_damaged_ledger_is_not_called_a_backup() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(0).with(Opened, finding("api", 0)).run(&mut ledger);
    drop(ledger);
    let raw = home.raw();
    raw.execute_batch("DROP TRIGGER seal_no_update; UPDATE seal SET hash = 'x';").unwrap();
    drop(raw);
    let out = tempfile::tempdir().unwrap();
    let error = home.reader().backup(&out.path().join("copy.sqlite"), None).err().unwrap();
    assert!(matches!(error, LedgerError::Broken { .. }), "{error}");
    assert_eq!(files(out.path()), [""; 0]);
}

#[test]
fn info_counts_what_is_there() {
    let home = Home::new();
    let mut ledger = home.open();
    let empty = ledger.info().unwrap();
    assert_eq!((empty.scans, empty.oldest, empty.last_seal), (0, None, None));
    Scan::new(0).with(Opened, finding("api", 0)).with(Opened, finding("web", 0)).run(&mut ledger);
    Scan::new(1).run(&mut ledger);
    let info = home.reader().info().unwrap();
    assert_eq!((info.scans, info.scans_ended_early, info.findings, info.open_findings), (2, 0, 2, 2));
    assert_eq!(info.oldest.map(|scan| scan.id.0), Some(1));
    assert_eq!(info.last_seal.map(|seal| seal.sequence), Some(2));
    assert!(info.bytes > 0 && info.free_bytes.is_some());
    assert_eq!((info.created_by.as_str(), info.key_id.as_str()), ("0.1.0-test", ledger.key().id()));
}
