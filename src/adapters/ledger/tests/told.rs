use serde_json::{Value, json};

use super::fixtures::{Home, Scan, at, begin, full_record, oncall, plan};
use crate::adapters::ledger::Ledger;
use crate::model::ids::RouteName;
use crate::model::outbox::{Mark, Plan};
use crate::model::record::PlannedMessage;

fn told(ledger: &Ledger) -> Vec<(String, String, Value)> {
    let told = ledger.told().unwrap();
    told.into_iter().map(|((route, subject), state)| (route.as_str().to_owned(), subject, state)).collect()
}

fn mark(subject: &str, state: Option<Value>) -> Mark {
    Mark { subject: subject.into(), state }
}

fn marking(key: &str, route: &str, marks: Vec<Mark>) -> PlannedMessage {
    let mut plan = Plan { marks, ..plan(key, 1) };
    plan.notice.route = RouteName::new(route);
    PlannedMessage { receiver: oncall(), plan }
}

fn entry(route: &str, subject: &str, state: Value) -> (String, String, Value) {
    (route.into(), subject.into(), state)
}

#[test]
fn what_was_told_is_what_the_newest_marks_say() {
    let home = Home::new();
    let mut ledger = home.open();
    let id = begin(&mut ledger, 1);
    let mut record = Scan::new(1).record(&ledger, id);
    record.messages = vec![
        marking("1", "night", vec![mark("a", Some(json!({"since": 1}))), mark("gap:x", Some(Value::Null))]),
        marking("2", "day", vec![mark("a", Some(json!(1))), mark("a", Some(json!(2))), mark("never", None)]),
    ];
    record.marks = vec![(RouteName::new("day"), mark("quiet", Some(json!("seen"))))];
    ledger.record(record).unwrap();
    let after_first = [
        entry("day", "a", json!(2)),
        entry("day", "quiet", json!("seen")),
        entry("night", "a", json!({"since": 1})),
        entry("night", "gap:x", Value::Null),
    ];
    assert_eq!(told(&ledger), after_first);
    let read = ledger.outbox().unwrap().messages.remove(0).plan;
    assert_eq!(read.marks, [mark("a", Some(json!({"since": 1}))), mark("gap:x", Some(Value::Null))]);

    // A scan that failed changes nothing; one that forgets does, and so does a message after it.
    let failed = begin(&mut ledger, 2);
    ledger.fail_scan(failed, at(2), "no").unwrap();
    assert_eq!(told(&ledger), after_first);
    let id = begin(&mut ledger, 3);
    let mut record = Scan::new(3).record(&ledger, id);
    record.messages = vec![marking("3", "night", vec![mark("a", None), mark("gap:x", None)])];
    record.marks = vec![(RouteName::new("day"), mark("quiet", None))];
    ledger.record(record).unwrap();
    assert_eq!(told(&ledger), [entry("day", "a", json!(2))]);
    let late = marking("4", "day", vec![mark("a", Some(json!(3)))]).plan;
    ledger.plan_message(id, &late, &oncall(), at(4)).unwrap();
    assert_eq!(told(&ledger), [entry("day", "a", json!(3))]);
    let verification = ledger.verify(None).unwrap();
    assert_eq!((verification.problems, verification.unsealed_rows), (Vec::new(), 2));
    // What is told does not wait for the sending: a dropped message stays told.
    ledger.drop_message(ledger.outbox().unwrap().messages[3].id, at(5), "stale").unwrap();
    assert_eq!(told(&ledger), [entry("day", "a", json!(3))]);
}

#[test]
fn it_can_be_rebuilt() {
    let home = Home::new();
    let mut ledger = home.open();
    for minute in 1..=3 {
        let id = begin(&mut ledger, minute);
        let record = full_record(&ledger, id, minute);
        ledger.record(record).unwrap();
    }
    let before = told(&ledger);
    assert_eq!(before.len(), 4);
    for damage in [
        "DELETE FROM told_state WHERE subject = 'summary:weekly'",
        "UPDATE told_state SET state = '2' WHERE subject = 'summary:weekly'",
        "INSERT INTO told_state VALUES ('all', 'more', 'null')",
    ] {
        home.raw().execute_batch(damage).unwrap();
        let problems = ledger.verify(None).unwrap().problems;
        assert!(problems.len() == 1 && problems[0].starts_with("told_state"), "{damage}: {problems:?}");
        ledger.rebuild_projection().unwrap();
        assert_eq!(ledger.verify(None).unwrap().problems, Vec::<String>::new(), "{damage}");
        assert_eq!(told(&ledger), before, "{damage}");
    }
}
