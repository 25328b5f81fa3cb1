use super::fixtures::{Home, Scan, at, begin, full_record, oncall, plan};
use crate::adapters::ledger::{Ledger, LedgerError};
use crate::model::delivery::{Attempt, Receipt, SlackPlace};
use crate::model::outbox::{DeliveryEvent, MessageCounts, MessageId, MessageState, OutboxMessage, ThreadParent};
use crate::model::report::Seal;

fn three_messages(home: &Home) -> (Ledger, Vec<Seal>) {
    let mut ledger = home.open();
    let mut seals = Vec::new();
    for minute in 1..=3 {
        let id = begin(&mut ledger, minute);
        let record = full_record(&ledger, id, minute);
        seals.push(ledger.record(record).unwrap());
    }
    (ledger, seals)
}

fn later(why: &str) -> Attempt {
    Attempt::Later { why: why.into(), wait: None }
}

fn dead() -> Attempt {
    Attempt::Refused { why: "channel_not_found".into(), hint: Some("invite the bot".into()) }
}

fn taken() -> Attempt {
    let slack = Some(SlackPlace { channel: "C1".into(), ts: "17.1".into() });
    Attempt::Taken(Receipt { slack, ..Receipt::default() })
}

fn only(ledger: &Ledger) -> OutboxMessage {
    let mut outbox = ledger.outbox().unwrap();
    assert_eq!((outbox.messages.len(), outbox.problems.len()), (1, 0));
    outbox.messages.remove(0)
}

fn assert_refused<T: std::fmt::Debug>(done: Result<T, LedgerError>, what: &str) {
    assert!(matches!(done, Err(LedgerError::Refused { .. })), "{what}: {done:?}");
}

#[test]
fn a_message_waits_until_it_is_sent_or_dropped() {
    let home = Home::new();
    let (mut ledger, seals) = three_messages(&home);
    let outbox = ledger.outbox().unwrap();
    assert!(outbox.problems.is_empty());
    for (n, message) in (1..).zip(&outbox.messages) {
        assert_eq!((message.id, message.scan.0), (MessageId(n), n));
        assert_eq!((&message.receiver, &message.plan), (&oncall(), &plan(&format!("new-{n}"), n)));
        assert_eq!((message.attempts, message.may_have_arrived, &message.last_error), (0, false, &None));
        assert_eq!(message.state, MessageState::Waiting { not_before: None });
    }
    assert_eq!(outbox.messages.iter().map(|m| m.seal.clone().unwrap()).collect::<Vec<_>>(), seals);
    let [first, second, third] = [1, 2, 3].map(MessageId);

    ledger.begin_attempt(first, at(4)).unwrap();
    ledger.record_attempt(first, at(4), &later("connection refused"), Some(at(9))).unwrap();
    ledger.begin_attempt(second, at(4)).unwrap();
    ledger.record_attempt(second, at(4), &taken(), None).unwrap();
    ledger.drop_message(third, at(5), "stale").unwrap();
    let left = only(&ledger);
    assert_eq!((left.id, left.attempts, left.may_have_arrived), (first, 1, false));
    assert_eq!(left.state, MessageState::Waiting { not_before: Some(at(9)) });
    assert_eq!(left.last_error.as_deref(), Some("connection refused"));
    for done in [second, third, MessageId(4), MessageId(99)] {
        assert_refused(ledger.begin_attempt(done, at(6)), "begin");
        assert_refused(ledger.record_attempt(done, at(6), &taken(), None), "record");
        assert_refused(ledger.drop_message(done, at(6), "again"), "drop");
        assert_refused(ledger.retry_message(done, at(6)), "retry");
    }
    assert_eq!(ledger.message_counts().unwrap(), MessageCounts { waiting: 1, dead: 0, sent: 1, dropped: 1 });
    let verification = ledger.verify(None).unwrap();
    assert_eq!((verification.problems, verification.unsealed_rows), (Vec::new(), 5));
    Scan::new(7).run(&mut ledger);
    let verification = ledger.verify(None).unwrap();
    assert_eq!((verification.problems, verification.unsealed_rows), (Vec::new(), 0));
}

#[test]
fn a_conversation_is_found_again_with_what_its_receiver_said() {
    let home = Home::new();
    let (mut ledger, _) = three_messages(&home);
    let parent = |ledger: &Ledger| ledger.thread_parent(&oncall(), "t-new-1").unwrap();
    let expected = ThreadParent { id: MessageId(1), key: "new-1".into(), receipt: None };
    assert_eq!(parent(&ledger), Some(expected.clone()));
    ledger.begin_attempt(MessageId(1), at(4)).unwrap();
    assert_eq!(parent(&ledger), Some(expected.clone()));
    ledger.record_attempt(MessageId(1), at(4), &taken(), None).unwrap();
    let Attempt::Taken(receipt) = taken() else { unreachable!() };
    assert_eq!(parent(&ledger), Some(ThreadParent { receipt: Some(receipt.clone()), ..expected }));
    let story = ledger.message(MessageId(1)).unwrap().unwrap();
    assert_eq!(
        story.steps.iter().map(|s| s.event.clone()).collect::<Vec<_>>(),
        [DeliveryEvent::Begun, DeliveryEvent::Sent(receipt)]
    );
    let other = crate::model::ids::ReceiverName::new("mail");
    assert_eq!(ledger.thread_parent(&other, "t-new-1").unwrap(), None);
    assert_eq!(ledger.thread_parent(&oncall(), "t-new").unwrap(), None);
    // A reply is no parent; one that was posted afresh takes the place of the old, and one that was dropped is none.
    let scan = ledger.message(MessageId(3)).unwrap().unwrap().scan;
    let mut reply = plan("reply", 4);
    reply.notice.thread.key = "t-new-1".into();
    reply.notice.thread.begins = false;
    ledger.plan_message(scan, &reply, &oncall(), at(5)).unwrap();
    assert_eq!(parent(&ledger).unwrap().id, MessageId(1));
    reply.key = "afresh".into();
    reply.notice.thread.begins = true;
    let afresh = ledger.plan_message(scan, &reply, &oncall(), at(5)).unwrap();
    assert_eq!(parent(&ledger), Some(ThreadParent { id: afresh, key: "afresh".into(), receipt: None }));
    ledger.drop_message(afresh, at(6), "no").unwrap();
    assert_eq!(parent(&ledger).unwrap().id, MessageId(1));
}

#[test]
fn a_message_that_is_not_accepted_is_dead_until_a_person_acts() {
    let home = Home::new();
    let (mut ledger, _) = three_messages(&home);
    for id in [1, 2].map(MessageId) {
        ledger.begin_attempt(id, at(4)).unwrap();
        ledger.record_attempt(id, at(5), &dead(), Some(at(6))).unwrap();
    }
    let letters = ledger.dead_letters().unwrap();
    assert_eq!(letters.messages.iter().map(|m| m.id.0).collect::<Vec<_>>(), [1, 2]);
    let (why, hint) = ("channel_not_found".to_owned(), Some("invite the bot".to_owned()));
    assert_eq!(letters.messages[0].state, MessageState::Dead { why: why.clone(), hint, at: at(5) });
    assert_eq!(letters.messages[0].last_error, Some(why));
    assert_eq!(ledger.outbox().unwrap().messages.len(), 3, "it stays in the outbox, so that it is told");
    assert_eq!(ledger.message_counts().unwrap(), MessageCounts { waiting: 1, dead: 2, ..MessageCounts::default() });
    assert_refused(ledger.begin_attempt(MessageId(1), at(6)), "begin");
    assert_refused(ledger.record_attempt(MessageId(1), at(6), &taken(), None), "record");
    assert_refused(ledger.retry_message(MessageId(3), at(6)), "one that waits");

    ledger.retry_message(MessageId(1), at(6)).unwrap();
    assert_refused(ledger.retry_message(MessageId(1), at(6)), "twice");
    ledger.drop_message(MessageId(2), at(6), "the channel is gone").unwrap();
    let back = ledger.outbox().unwrap().messages.remove(0);
    assert_eq!((back.id, back.attempts, back.state), (MessageId(1), 0, MessageState::Waiting { not_before: None }));
    assert!(ledger.dead_letters().unwrap().messages.is_empty());
    let steps = ledger.message(MessageId(2)).unwrap().unwrap().steps;
    let dropped = DeliveryEvent::Dropped { why: "the channel is gone".into() };
    assert_eq!((steps.len(), &steps[2].event, steps[2].at), (3, &dropped, at(6)));
    assert!(ledger.verify(None).unwrap().ok);
}
