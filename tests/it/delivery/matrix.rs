//! Each sort of receiver against each way in which it may fail: over several runs nothing is lost, and nothing is sent twice that was
//! recorded as sent.

use std::collections::VecDeque;
use std::sync::Mutex;

use driftledger::model::outbox::{DeliveryEvent, MessageState};

use super::world::{CHAT, HOOK_SIGNED, ROOM, World};
use crate::slack_fake::Next::{
    self, BrokenOff, Error, ErrorAfterAll, Limited, Mute, MuteAfterAll, Reset, ResetAfterAll, Status, StatusAfterAll,
    Work,
};
use crate::slack_fake::{HOOK, Rules};

/// What is configured, and what is asked of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    /// A bot of Slack, that can be asked what it posted.
    Chat,
    /// The same, without the right to ask.
    Blind,
    /// An incoming webhook of Slack.
    Room,
    /// A webhook.
    Hook,
}

struct Row {
    to: To,
    /// What the fake does before it works.
    answers: Vec<Next>,
    /// Runs that fail, the first included.
    failed: usize,
    /// Copies that the receiver has at the end, and how many of them say that they may not be the first.
    copies: (usize, usize),
}

fn rows() -> Vec<Row> {
    let row = |to, answers: &[Next], failed, copies| Row { to, answers: answers.to_vec(), failed, copies };
    let once = (1, 0);
    let mut rows = vec![
        // Asked to wait for long.
        row(To::Room, &[Limited(600)], 1, once),
        row(To::Hook, &[Limited(600)], 1, once),
        row(To::Hook, &[Limited(1)], 1, once),
        row(To::Hook, &[Limited(600), Limited(7_200), Limited(1)], 3, once),
        // Broken, for one run and for several.
        row(To::Room, &[Status(503, ""), Status(503, ""), Status(503, "")], 1, once),
        row(To::Hook, &[Status(503, "")], 1, once),
        row(To::Hook, &[Status(500, ""), Status(502, ""), Status(504, ""), Status(408, "")], 4, once),
        // Nothing was heard. Whether it arrived is not known, and cannot be asked: once more, and said.
        row(To::Room, &[Reset], 1, (1, 1)),
        row(To::Room, &[ResetAfterAll], 1, (2, 1)),
        row(To::Room, &[Mute], 1, (1, 1)),
        row(To::Room, &[MuteAfterAll], 1, (2, 1)),
        row(To::Room, &[BrokenOff], 1, (2, 1)),
        row(To::Hook, &[Reset], 1, (1, 1)),
        row(To::Hook, &[ResetAfterAll], 1, (2, 1)),
        row(To::Hook, &[Mute], 1, (1, 1)),
        row(To::Hook, &[MuteAfterAll], 1, (2, 1)),
        row(To::Hook, &[Reset, MuteAfterAll, Status(503, ""), ResetAfterAll], 4, (3, 3)),
        row(To::Blind, &[MuteAfterAll], 1, (2, 1)),
        row(To::Blind, &[ResetAfterAll], 1, (2, 1)),
        row(To::Blind, &[Reset], 1, (1, 1)),
    ];
    for to in [To::Chat, To::Blind] {
        rows.extend([
            row(to, &[Limited(1)], 0, once),
            row(to, &[Limited(600)], 1, once),
            row(to, &[Error("ratelimited"), Limited(600), Limited(600)], 2, once),
            row(to, &[Status(503, "")], 0, once),
            row(to, &[Status(503, ""), Status(500, ""), Status(502, "")], 1, once),
            row(to, &[Error("fatal_error"), Error("internal_error"), Status(500, "")], 1, once),
        ]);
    }
    rows.extend([
        // It can be asked, so nothing is doubled whatever happens.
        row(To::Chat, &[StatusAfterAll(500)], 0, once),
        row(To::Chat, &[ErrorAfterAll("internal_error")], 0, once),
        row(To::Chat, &[Reset], 1, once),
        row(To::Chat, &[ResetAfterAll], 1, once),
        row(To::Chat, &[Mute], 1, once),
        row(To::Chat, &[MuteAfterAll], 1, once),
        row(To::Chat, &[BrokenOff], 1, once),
        row(To::Chat, &[Reset, Mute, ResetAfterAll], 3, once),
    ]);
    rows
}

/// What became of a row: attempts, messages lost, messages doubled without a word.
type Count = (u64, u64, u64);

impl Row {
    fn name(&self) -> String {
        let to = match self.to {
            To::Chat => "Slack bot",
            To::Blind => "Slack bot that may not ask",
            To::Room => "Slack webhook",
            To::Hook => "webhook",
        };
        format!("{to}: {:?}", self.answers)
    }

    fn play(&self) -> Count {
        let name = self.name();
        let (receiver, method) = match self.to {
            To::Chat | To::Blind => (CHAT, "chat.postMessage"),
            To::Room => (ROOM, "webhook"),
            To::Hook => (HOOK_SIGNED, "hook"),
        };
        let mut rules = Rules::default();
        if self.to == To::Blind {
            rules.scopes.retain(|scope| !scope.ends_with(":history"));
        }
        let to = receiver.trim_start_matches("  - {name: ").split(',').next().expect("a name");
        let world = World::with(rules, &[receiver], &format!("routes:\n  - {{name: rest, receivers: [{to}]}}\n"));
        world.fake.next(method, self.answers.iter().cloned().chain([Work]));

        for failed in 0..self.failed {
            let said = world.scan();
            assert_eq!(said.code, 4, "{name}: run {failed}: {}", said.err);
            let line = format!("not delivered: message 1 to {to}: not taken yet: ");
            assert!(said.err.lines().any(|l| l.starts_with(&line)), "{name}: run {failed}: {}", said.err);
            let [waits] = world.outbox().try_into().expect("one message waits");
            let MessageState::Waiting { not_before: Some(again) } = waits.state else {
                panic!("{name}: run {failed}: {:?}", waits.state)
            };
            let wait = again.unix() - world.now();
            let least = 60 << failed;
            assert!(wait >= least - 5 && wait <= (least * 5 / 4).max(7_201), "{name}: run {failed}: {wait} s");
            // Neither earlier than that, by a scan.
            world.later(wait - 10);
            let asked = world.fake.asked(method);
            let said = world.scan();
            assert_eq!((said.code, world.fake.asked(method)), (4, asked), "{name}: run {failed}: {}", said.err);
            assert!(said.err.contains("(tried again after "), "{name}: {}", said.err);
            world.later(12);
        }
        // Then it works, and later there is nothing left to do.
        let said = world.scan();
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{name}");
        let asked = world.fake.asked(method);
        world.later(86_400 * 2);
        assert_eq!((world.scan().code, world.fake.asked(method)), (0, asked), "{name}: it was sent");

        let stories = world.stories();
        assert_eq!(stories.len(), 1, "{name}");
        let key = stories[0].plan.key.as_str();
        let count = |wanted: fn(&DeliveryEvent) -> bool| {
            stories[0].steps.iter().filter(|step| wanted(&step.event)).count() as u64
        };
        assert_eq!(count(|event| matches!(event, DeliveryEvent::Sent(_))), 1, "{name}: {:?}", stories[0].steps);
        // Of each copy, whether it says that it may not be the first.
        let copies: Vec<bool> = if self.to == To::Hook {
            let all = world.fake.received(HOOK);
            let read = |request: &crate::slack_fake::Request| {
                assert_eq!(request.headers["x-driftledger-key"], key, "{name}");
                serde_json::from_slice::<serde_json::Value>(&request.body).expect("JSON")["repeat"] == true
            };
            all.iter().map(read).collect()
        } else {
            let marked = |blocks: &serde_json::Value| blocks.to_string().contains("Sent once more: ");
            let all = world.fake.messages();
            assert!(self.to == To::Room || all.iter().all(|one| one.key.as_deref() == Some(key)), "{name}");
            all.iter().map(|message| marked(&message.blocks)).collect()
        };
        let marked = copies.iter().filter(|marked| **marked).count();
        assert_eq!((copies.len(), marked), self.copies, "{name}: {:?}", stories[0].steps);
        world.assert_clean();
        let attempts = count(|event| *event == DeliveryEvent::Begun);
        (attempts, u64::from(copies.is_empty()), (copies.len() - marked).saturating_sub(1) as u64)
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_doubled_without_a_word() {
    let rows: Mutex<VecDeque<Row>> = Mutex::new(rows().into());
    let counts: Mutex<Vec<Count>> = Mutex::default();
    // Most of the time they wait for an answer that does not come.
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let Some(row) = rows.lock().expect("rows").pop_front() else { break };
                    let count = row.play();
                    counts.lock().expect("counts").push(count);
                }
            });
        }
    });
    let counts = counts.into_inner().expect("counts");
    let sum = |of: fn(&Count) -> u64| counts.iter().map(of).sum::<u64>();
    let (attempts, lost, doubled) = (sum(|one| one.0), sum(|one| one.1), sum(|one| one.2));
    eprintln!("{} messages, {attempts} attempts: {lost} lost, {doubled} doubled without a word", counts.len());
    assert_eq!((counts.len(), lost, doubled), (self::rows().len(), 0, 0));
}
