use super::fixtures::{Home, Scan, at, begin, full_record};
use crate::adapters::ledger::{LedgerError, MessageEventKind, MessageId};

#[test]
fn a_message_waits_until_it_is_sent_or_dropped() {
    let home = Home::new();
    let mut ledger = home.open();
    let mut seals = Vec::new();
    for minute in 1..=3 {
        let id = begin(&mut ledger, minute);
        let record = full_record(&ledger, id, minute);
        seals.push(ledger.record(record).unwrap());
    }
    let unsent = ledger.unsent_messages().unwrap();
    assert_eq!(unsent.iter().map(|m| m.seal.clone().unwrap()).collect::<Vec<_>>(), seals);
    assert!(unsent.iter().all(|m| m.receiver == "oncall" && m.plan == "{\"new\":1}" && m.failures == 0));

    ledger.message_event(unsent[0].id, MessageEventKind::Failed, at(4), Some("connection refused")).unwrap();
    ledger.message_event(unsent[0].id, MessageEventKind::Failed, at(5), None).unwrap();
    ledger.message_event(unsent[1].id, MessageEventKind::Sent, at(5), None).unwrap();
    ledger.message_event(unsent[2].id, MessageEventKind::Dropped, at(5), None).unwrap();
    let left = ledger.unsent_messages().unwrap();
    assert_eq!(left.iter().map(|m| (m.id, m.failures)).collect::<Vec<_>>(), [(unsent[0].id, 2)]);
    for done in [unsent[1].id, unsent[2].id, MessageId(99), MessageId(4)] {
        let error = ledger.message_event(done, MessageEventKind::Sent, at(6), None).unwrap_err();
        assert!(matches!(error, LedgerError::Refused { .. }), "{done:?}: {error}");
    }
    let verification = ledger.verify(None).unwrap();
    assert_eq!((verification.problems, verification.unsealed_rows), (Vec::new(), 4));
    Scan::new(7).run(&mut ledger);
    let verification = ledger.verify(None).unwrap();
    assert_eq!((verification.problems, verification.unsealed_rows), (Vec::new(), 0));
}
