//! The outbox, and one message with everything that happened to it.

use std::fmt::Write as _;

use crate::model::notice::NoticeKind;
use crate::model::outbox::{DeliveryEvent, MessageState, MessageStory, Outbox, OutboxMessage, Plan};
use crate::views::escape::terminal;
use crate::views::words::counted;

use super::lines::{Ink, Style};

/// The messages that were not delivered, oldest first.
pub fn outbox(outbox: &Outbox, style: Style) -> String {
    if outbox.messages.is_empty() && outbox.problems.is_empty() {
        return "Every message was delivered or given up.\n".to_owned();
    }
    let mut out = String::new();
    for message in &outbox.messages {
        let (ink, state) = state(message);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{} {} to {}, planned {}: {}",
            style.paint(Ink::Bold, &message.id.to_string()),
            what(&message.plan),
            terminal(message.receiver.as_str()),
            message.planned_at.for_people(),
            style.paint(ink, &state),
        );
        if let MessageState::Dead { hint: Some(hint), .. } = &message.state {
            let _ = writeln!(out, "  hint: {}", terminal(hint));
        }
    }
    for problem in &outbox.problems {
        let _ = writeln!(out, "{} to {}: {}", problem.id, terminal(problem.receiver.as_str()), terminal(&problem.what));
    }
    out
}

/// One message: what it is about, and what happened to it, oldest first.
pub fn message(story: &MessageStory) -> String {
    let mut out = format!(
        "Message {}: {} to {}\nplanned {} by scan {}, key {}\n",
        story.id,
        what(&story.plan),
        terminal(story.receiver.as_str()),
        story.planned_at.for_people(),
        story.scan,
        terminal(&story.plan.key),
    );
    for step in &story.steps {
        let event = match &step.event {
            DeliveryEvent::Begun => "an attempt began".to_owned(),
            DeliveryEvent::Sent(receipt) => match receipt.refused.as_slice() {
                [] => "taken".to_owned(),
                refused => {
                    let all = refused.iter().map(|(address, why)| format!("{} ({})", terminal(address), terminal(why)));
                    format!("taken, but not for {}", all.collect::<Vec<_>>().join(", "))
                }
            },
            DeliveryEvent::Later { why, not_before, may_have_arrived } => {
                let doubt = if *may_have_arrived { "; it may have arrived" } else { "" };
                let again = not_before.map(|time| format!("; again after {}", time.for_people())).unwrap_or_default();
                format!("not taken: {}{doubt}{again}", terminal(why))
            }
            DeliveryEvent::Dead { why, hint } => {
                let hint = hint.as_ref().map(|hint| format!("; {}", terminal(hint))).unwrap_or_default();
                format!("refused for good: {}{hint}", terminal(why))
            }
            DeliveryEvent::Dropped { why } => format!("given up: {}", terminal(why)),
            DeliveryEvent::Retried => "put back".to_owned(),
        };
        let _ = writeln!(out, "  {} {event}", step.at.for_people());
    }
    out
}

fn state(message: &OutboxMessage) -> (Ink, String) {
    match &message.state {
        MessageState::Waiting { not_before } => {
            let tried = match message.attempts {
                0 => "waits".to_owned(),
                n => format!("waits after {}", counted(n, "attempt", "attempts")),
            };
            let again = not_before.map(|time| format!(", again after {}", time.for_people())).unwrap_or_default();
            let why = message.last_error.as_ref().map(|why| format!(": {}", terminal(why))).unwrap_or_default();
            (Ink::Doubtful, format!("{tried}{again}{why}"))
        }
        MessageState::Begun { at } => {
            (Ink::Doubtful, format!("an attempt began at {} and did not end: it may have arrived", at.for_people()))
        }
        MessageState::Dead { why, at, .. } => (Ink::Bad, format!("dead since {}: {}", at.for_people(), terminal(why))),
    }
}

/// `alert on prod · checkout`, for one line.
fn what(plan: &Plan) -> String {
    let notice = &plan.notice;
    let kind = match notice.kind {
        NoticeKind::Drift => "alert",
        NoticeKind::FirstScan => "first message",
        NoticeKind::Incident => "incident",
        NoticeKind::Gaps => "gaps",
        NoticeKind::Summary => "summary",
        NoticeKind::CaughtUp => "catch-up",
        NoticeKind::Test => "test",
    };
    match &notice.group {
        Some(group) => {
            let target = group.target.as_ref().map(|target| format!(" · {}", terminal(target.as_str())));
            format!("{kind} on {}{}", terminal(group.cluster.as_str()), target.unwrap_or_default())
        }
        None => format!("{kind} of route {}", terminal(notice.route.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::delivery::Receipt;
    use crate::model::ids::{ReceiverName, ScanId};
    use crate::model::outbox::{DeliveryStep, MessageId};
    use crate::model::time::Timestamp;

    fn plan() -> Plan {
        let notice = serde_json::json!({
            "route": "rest", "kind": "drift", "group": {"cluster": "prod", "target": "checkout"}, "items": [], "more": 0, "bySeverity": {},
            "byTarget": [], "gaps": [], "summary": null, "standsFor": null,
            "thread": {"key": "t", "begins": true, "ends": false, "since": "2026-03-01T00:00:00Z"},
            "scan": {"id": 1, "ledger": "l", "startedAt": "2026-03-01T00:00:00Z", "previousStartedAt": null, "declared": 1, "compared": 1,
                "gaps": 0, "revision": null, "commit": null, "runs": null}
        });
        Plan { key: "k".into(), notice: serde_json::from_value(notice).expect("a notice"), marks: Vec::new() }
    }

    #[test]
    fn a_message_says_where_it_stands_and_what_happened() {
        let at = Timestamp::from_unix(0);
        let message = |state| OutboxMessage {
            id: MessageId(7),
            scan: ScanId(1),
            receiver: ReceiverName::new("chat"),
            plan: plan(),
            planned_at: at,
            attempts: 2,
            state,
            may_have_arrived: false,
            seal: None,
            last_error: Some("busy\u{1b}[2J".into()),
        };
        let style = Style { colour: false, width: 80 };
        let shown = |state| outbox(&Outbox { messages: vec![message(state)], problems: Vec::new() }, style);
        let head = "7 alert on prod · checkout to chat, planned 1970-01-01 00:00:00 UTC:";
        let waits = shown(MessageState::Waiting { not_before: Some(at) });
        assert!(
            waits.starts_with(&format!("{head} waits after 2 attempts, again after 1970-01-01 00:00:00 UTC: busy")),
            "{waits}"
        );
        assert!(!waits.contains('\u{1b}'));
        let dead =
            shown(MessageState::Dead { why: "channel_not_found".into(), hint: Some("invite the bot".into()), at });
        assert_eq!(
            dead,
            format!("{head} dead since 1970-01-01 00:00:00 UTC: channel_not_found\n  hint: invite the bot\n")
        );
        assert_eq!(outbox(&Outbox::default(), style), "Every message was delivered or given up.\n");
        let steps = [
            DeliveryEvent::Begun,
            DeliveryEvent::Later { why: "busy".into(), not_before: None, may_have_arrived: true },
            DeliveryEvent::Sent(Receipt { refused: vec![("a@b".into(), "550 no".into())], ..Receipt::default() }),
        ];
        let story = MessageStory {
            id: MessageId(7),
            scan: ScanId(1),
            receiver: ReceiverName::new("chat"),
            plan: plan(),
            planned_at: at,
            seal: None,
            steps: steps.map(|event| DeliveryStep { at, event }).into(),
        };
        let text = super::message(&story);
        for part in ["an attempt began", "not taken: busy; it may have arrived", "taken, but not for a@b (550 no)"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
