//! Rights bind nobody who is root, so the reading is done by a child without root's rights.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use super::fixtures::{Home, Scan, at, begin, finding, options};
use crate::adapters::ledger::{Ledger, LedgerError};
use crate::model::record::FindingEventKind::Opened;

const PATH: &str = "DRIFTLEDGER_TEST_READ_ONLY_LEDGER";
const NOBODY: u32 = 65534;

/// The child's part: prints what opening for reading and for a scan give.
#[test]
#[ignore = "run by the tests of this file"]
fn child_opens_the_ledger() {
    use std::io::Write as _;
    let path = PathBuf::from(std::env::var_os(PATH).expect("the ledger's path"));
    let reading = match Ledger::open_read_only(&path, None) {
        Ok(reader) => {
            let open = reader.open_findings().unwrap().len();
            format!("ok {} open {open}", reader.verify(None).unwrap().ok)
        }
        Err(error) => error.to_string(),
    };
    let scanning = match Ledger::open(&path, &options(), at(0)) {
        Ok(_) => "opened".to_owned(),
        Err(error @ LedgerError::ReadOnly { .. }) => format!("read-only, {}", error.hint().is_some()),
        Err(error) => error.to_string(),
    };
    writeln!(std::io::stdout(), "\nreading: {reading}\nscanning: {scanning}").unwrap();
}

/// What the child says, run in the folder made read-only.
fn child(home: &Home) -> (String, String) {
    let folder = home.folder.path();
    let root = fs::metadata(&home.path).unwrap().uid() == 0;
    let stage = tempfile::tempdir().unwrap();
    let mut exe = std::env::current_exe().unwrap();
    if root {
        // The test's own binary may lie where only root can go.
        let reachable = stage.path().join("child");
        fs::hard_link(&exe, &reachable).or_else(|_| fs::copy(&exe, &reachable).map(|_| ())).unwrap();
        fs::set_permissions(stage.path(), Permissions::from_mode(0o755)).unwrap();
        exe = reachable;
        for entry in fs::read_dir(folder).unwrap() {
            chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap();
    let mut command = Command::new(exe);
    command
        .args(["--exact", "adapters::ledger::tests::read_only_folder::child_opens_the_ledger", "--ignored", "--nocapture"])
        .env(PATH, &home.path)
        .current_dir("/");
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start)).unwrap().to_owned();
    (line("reading: "), line("scanning: "))
}

#[test]
fn a_ledger_at_rest_is_read_and_a_scan_is_refused() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(1).with(Opened, finding("api", 5)).run(&mut ledger);
    drop(ledger);
    fs::remove_file(home.beside(".lock")).unwrap();
    let (reading, scanning) = child(&home);
    assert_eq!((reading.as_str(), scanning.as_str()), ("ok true open 1", "read-only, true"));
    // With the lock file of an earlier scan there.
    drop(home.open());
    assert_eq!(child(&home).0, "ok true open 1");
}

#[test]
fn a_running_scan_is_seen_through_its_log() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(1).with(Opened, finding("api", 5)).run(&mut ledger);
    begin(&mut ledger, 2);
    assert_eq!(child(&home).0, "ok true open 1");
}

#[test]
fn a_killed_scans_log_is_read_or_refused_but_never_passed_over() {
    let home = Home::new();
    let mut ledger = home.open();
    Scan::new(1).with(Opened, finding("api", 5)).run(&mut ledger);
    let killed = Home::new();
    for suffix in ["", "-wal"] {
        fs::copy(home.beside(suffix), killed.beside(suffix)).unwrap();
    }
    let (reading, _) = child(&killed);
    assert!(reading.contains("a scan that was killed left a log") || reading == "ok true open 1", "{reading}");
}
