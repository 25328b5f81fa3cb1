use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::fixtures::{Home, begin, full_record, options};
use crate::adapters::ledger::Ledger;

const PATH: &str = "DRIFTLEDGER_TEST_KILL_LEDGER";
const KILLS: usize = 100;

/// The killed process's part: scans until it is killed, opening the ledger anew every few scans.
#[test]
#[ignore = "run by killing_a_scan_loses_nothing"]
fn child_scans_until_it_is_killed() {
    use std::io::Write as _;
    let path = PathBuf::from(std::env::var_os(PATH).expect("the ledger's path"));
    std::io::stdout().write_all(b"ready\n").unwrap();
    std::io::stdout().flush().unwrap();
    loop {
        let mut ledger = Ledger::open(&path, &options(), super::fixtures::at(0)).unwrap();
        for _ in 0..4 {
            let id = begin(&mut ledger, 0);
            let record = full_record(&ledger, id, id.0);
            ledger.record(record).unwrap();
        }
    }
}

#[test]
fn killing_a_scan_loses_nothing() {
    let exe = std::env::current_exe().unwrap();
    let mut home = Home::new();
    let (mut interrupted, mut seals) = (0, 0);
    for round in 0..KILLS {
        // A third of the kills hit a ledger in its first moments.
        if round % 12 == 0 || round % 4 == 1 {
            home = Home::new();
        }
        let sealed_before = if home.path.exists() { home.reader().last_seal().unwrap() } else { None };
        let mut child = Command::new(&exe)
            .args(["--exact", "adapters::ledger::tests::kill::child_scans_until_it_is_killed", "--ignored", "--nocapture"])
            .env(PATH, &home.path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut heard = Vec::new();
        let mut stdout = child.stdout.take().unwrap();
        while !heard.ends_with(b"ready\n") {
            let mut byte = [0];
            assert_eq!(stdout.read(&mut byte).unwrap(), 1, "the child must start");
            heard.push(byte[0]);
        }
        let mut random = [0; 2];
        getrandom::fill(&mut random).unwrap();
        std::thread::sleep(Duration::from_micros(u64::from(u16::from_be_bytes(random)) * 2));
        child.kill().unwrap();
        child.wait().unwrap();

        let mut ledger = home.open();
        let verification = ledger.verify(sealed_before.as_ref().map(|seal| seal.hash.as_str())).unwrap();
        assert_eq!(verification.problems, Vec::<String>::new(), "round {round}");
        interrupted += usize::from(verification.unsealed_rows > 0);
        seals += verification.seals;
        let id = begin(&mut ledger, 0);
        let record = full_record(&ledger, id, id.0);
        ledger.record(record).unwrap();
        let verification = ledger.verify(None).unwrap();
        assert_eq!((verification.problems, verification.unsealed_rows), (Vec::new(), 0), "round {round}");
    }
    // The kills hit scans at work, or this test shows nothing.
    assert!(interrupted >= 5 && seals > 50, "{interrupted} of {KILLS} kills interrupted a scan, {seals} seals seen");
}
