use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::fixtures::{Home, at, begin, full_record, oncall, options, plan};
use crate::adapters::ledger::Ledger;
use crate::model::delivery::{Attempt, Receipt};
use crate::model::outbox::{DeliveryEvent, MessageId, MessageState};
use crate::model::record::PlannedMessage;

const PATH: &str = "DRIFTLEDGER_TEST_KILL_LEDGER";
const KILLS: usize = 100;

/// The killed process's part: scans until it is killed, opening the ledger anew every few scans.
#[test]
#[ignore = "run by killing_a_scan_loses_nothing"]
fn child_scans_until_it_is_killed() {
    let path = ready();
    loop {
        let mut ledger = Ledger::open(&path, &options(), super::fixtures::at(0)).unwrap();
        for _ in 0..4 {
            let id = begin(&mut ledger, 0);
            let record = full_record(&ledger, id, id.0);
            ledger.record(record).unwrap();
        }
    }
}

/// Runs a child of these tests and kills it some time in the 130 ms after it has begun.
fn killed(child: &str, ledger: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("adapters::ledger::tests::{child}"), "--ignored", "--nocapture"])
        .env(PATH, ledger)
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
}

/// In a child: the ledger's path, and the word to the parent.
fn ready() -> PathBuf {
    let path = PathBuf::from(std::env::var_os(PATH).expect("the ledger's path"));
    std::io::stdout().write_all(b"ready\n").unwrap();
    std::io::stdout().flush().unwrap();
    path
}

#[test]
fn killing_a_scan_loses_nothing() {
    let mut home = Home::new();
    let (mut interrupted, mut seals) = (0, 0);
    for round in 0..KILLS {
        // A third of the kills hit a ledger in its first moments.
        if round % 12 == 0 || round % 4 == 1 {
            home = Home::new();
        }
        let sealed_before = if home.path.exists() { home.reader().last_seal().unwrap() } else { None };
        killed("kill::child_scans_until_it_is_killed", &home.path);

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

/// What a receiver got, message by message: a line each.
fn inbox(ledger: &Path) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(ledger.with_extension("inbox")).unwrap_or_default();
    text.lines().fold(BTreeMap::new(), |mut got, key| {
        *got.entry(key.to_owned()).or_default() += 1;
        got
    })
}

/// Sends what the outbox holds. The receiver can be asked: what it has is not sent again.
fn send(ledger: &mut Ledger) {
    let taken = || Attempt::Taken(Receipt::default());
    let path = ledger.path().to_owned();
    for message in ledger.outbox().unwrap().messages {
        let (id, key) = (message.id, message.plan.key);
        if matches!(message.state, MessageState::Begun { .. }) {
            if inbox(&path).contains_key(&key) {
                ledger.record_attempt(id, at(1), &taken(), None).unwrap();
                continue;
            }
            let later = Attempt::Later { why: "it has none".into(), wait: None };
            ledger.record_attempt(id, at(1), &later, None).unwrap();
        }
        ledger.begin_attempt(id, at(1)).unwrap();
        let mut file = OpenOptions::new().create(true).append(true).open(path.with_extension("inbox")).unwrap();
        file.write_all(format!("{key}\n").as_bytes()).unwrap();
        ledger.record_attempt(id, at(1), &taken(), None).unwrap();
    }
}

/// The killed process's part: scans with three messages each, sent at once.
#[test]
#[ignore = "run by killing_a_sender_loses_no_message_and_sends_none_twice"]
fn child_sends_until_it_is_killed() {
    let path = ready();
    let mut ledger = Ledger::open(&path, &options(), at(0)).unwrap();
    loop {
        send(&mut ledger);
        let id = begin(&mut ledger, 0);
        let mut record = full_record(&ledger, id, id.0);
        let more = |n| PlannedMessage { receiver: oncall(), plan: plan(&format!("{n}-{id}"), id.0) };
        record.messages.extend([more("more"), more("even-more")]);
        ledger.record(record).unwrap();
    }
}

#[test]
fn killing_a_sender_loses_no_message_and_sends_none_twice() {
    let mut home = Home::new();
    let (mut cut_off, mut sent) = (0, 0);
    for round in 0..KILLS {
        if round % 10 == 0 {
            home = Home::new();
        }
        killed("kill::child_sends_until_it_is_killed", &home.path);
        let mut ledger = home.open();
        assert_eq!(ledger.verify(None).unwrap().problems, Vec::<String>::new(), "round {round}");
        let messages = ledger.outbox().unwrap().messages;
        cut_off += messages.iter().filter(|m| matches!(m.state, MessageState::Begun { .. })).count();
        // Whatever the receiver has was begun before.
        let got = inbox(&home.path);
        for message in &messages {
            assert!(!got.contains_key(&message.plan.key) || message.may_have_arrived, "round {round}");
        }
        if round % 10 == 9 {
            send(&mut ledger);
            let got = inbox(&home.path);
            let count = ledger.message_counts().unwrap().sent;
            for id in (1..).take(usize::try_from(count).unwrap()).map(MessageId) {
                let story = ledger.message(id).unwrap().unwrap();
                assert!(matches!(story.steps.last().unwrap().event, DeliveryEvent::Sent(_)), "message {id}");
                assert_eq!(got.get(&story.plan.key), Some(&1), "message {id}");
            }
            assert_eq!(got.len() as u64, count);
            sent += count;
            assert!(ledger.verify(None).unwrap().ok);
        }
    }
    assert!(cut_off >= 5 && sent > 100, "{cut_off} of {KILLS} kills cut an attempt off, {sent} messages sent");
}
