//! Threads, updates, and the question after a crash, against a fake of Slack.

use driftledger::adapters::slack::{Found, Outcome, SlackSender};
use driftledger::model::delivery::{Attempt, SlackPlace};
use driftledger::model::time::Timestamp;

use crate::slack::{bot, message, webhook, word};
use crate::slack_fake::{Channel, Next, Rules, SlackFake};

fn place(outcome: &Outcome) -> SlackPlace {
    match outcome {
        Outcome::Attempt(Attempt::Taken(receipt)) | Outcome::Unthreaded(receipt) => {
            receipt.slack.clone().expect("a place")
        }
        other => panic!("{other:?}"),
    }
}

async fn parent(sender: &SlackSender) -> SlackPlace {
    place(&sender.post(&message("prod: DRIFTED"), None, false, "parent").await)
}

fn since() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Timestamp::from_unix(now.as_secs() as i64)
}

#[tokio::test]
async fn changes_are_replies_and_the_parent_is_marked_at_the_end() {
    let fake = SlackFake::start(Rules::default());
    let sender = bot(&fake, "#alerts");
    let parent = parent(&sender).await;
    let quiet = sender.post(&message("one more"), Some(&parent), false, "reply-1").await;
    let loud = sender.post(&message("critical"), Some(&parent), true, "reply-2").await;
    assert_eq!((word(&quiet).0, word(&loud).0), ("taken", "taken"));
    assert_eq!(word(&sender.update(&parent, &message("RESOLVED")).await).0, "taken");
    let stored = fake.messages();
    let threads: Vec<_> = stored.iter().map(|m| (m.thread_ts.as_deref(), m.broadcast)).collect();
    assert_eq!(threads, [(None, false), (Some(parent.ts.as_str()), false), (Some(parent.ts.as_str()), true)]);
    assert_eq!((stored[0].text.as_str(), stored[0].edits), ("RESOLVED", 1));
    assert_eq!(stored[0].key.as_deref(), Some("parent"), "an update keeps the key");
    assert_eq!(fake.complaints(), [""; 0]);
}

#[tokio::test]
async fn a_vanished_parent_is_told_however_slack_tells_it() {
    for refuse_vanished in [true, false] {
        let fake = SlackFake::start(Rules { refuse_vanished, ..Rules::default() });
        let sender = bot(&fake, "C0ALERTS00");
        let parent = parent(&sender).await;
        fake.delete(&parent.ts);
        let reply = sender.post(&message("one more"), Some(&parent), true, "reply").await;
        if refuse_vanished {
            assert_eq!(word(&reply).0, "gone");
            assert_eq!(fake.stored("reply"), 0, "to be posted afresh");
        } else {
            assert_eq!(word(&reply).0, "unthreaded");
            assert_eq!((fake.stored("reply"), fake.messages()[0].thread_ts.as_ref()), (1, None), "it is a parent now");
            let found = sender.find(Some(&parent), "reply", since()).await;
            assert_eq!(found, Found::Posted { place: place(&reply), threaded: false });
        }
    }
}

#[tokio::test]
async fn an_update_tells_what_is_gone_from_what_is_refused() {
    let fake = SlackFake::start(Rules::default());
    let sender = bot(&fake, "C0ALERTS00");
    let parent = parent(&sender).await;
    for (answer, outcome) in [
        (Next::Error("edit_window_closed"), "gone"),
        (Next::Error("message_not_found"), "gone"),
        (Next::Error("cant_update_message"), "gone"),
        (Next::Error("invalid_auth"), "refused"),
        (Next::Limited(60), "later, as asked"),
    ] {
        let fake = SlackFake::start(Rules::default());
        fake.next("chat.update", [answer.clone()]);
        let came = bot(&fake, "C0ALERTS00").update(&parent, &message("RESOLVED")).await;
        assert_eq!(word(&came).0, outcome, "{answer:?}");
    }
    fake.next("chat.update", [Next::ErrorAfterAll("internal_error")]);
    assert_eq!(word(&sender.update(&parent, &message("RESOLVED")).await).0, "taken", "twice does no harm");
    fake.disown(&parent.ts);
    assert_eq!(word(&sender.update(&parent, &message("RESOLVED")).await).0, "gone", "another bot's");
    fake.delete(&parent.ts);
    assert_eq!(word(&sender.update(&parent, &message("RESOLVED")).await).0, "gone", "deleted");
    let hook = webhook(&fake.webhook());
    assert!(!hook.has_threads());
    assert_eq!(word(&hook.update(&parent, &message("RESOLVED")).await).0, "gone");
}

#[tokio::test]
async fn a_message_is_found_by_its_key_after_a_crash() {
    let fake = SlackFake::start(Rules { page: 2, ..Rules::default() });
    for channel in ["C0ALERTS00", "#alerts"] {
        let sender = bot(&fake, channel);
        let begun = since();
        assert_eq!(sender.find(None, "lost", begun).await, Found::Nowhere, "{channel}");
        fake.next("chat.postMessage", [Next::ResetAfterAll]);
        assert_eq!(word(&sender.post(&message("x"), None, false, "lost").await).0, "unanswered");
        // Messages since then push it to another page.
        for n in 0..5 {
            assert_eq!(word(&sender.post(&message("x"), None, false, &format!("other-{n}")).await).0, "taken");
        }
        let Found::Posted { place: parent, threaded: false } = sender.find(None, "lost", begun).await else {
            panic!("{channel}: it is there")
        };
        assert_eq!(parent.channel, "C0ALERTS00");

        assert_eq!(sender.find(Some(&parent), "reply", begun).await, Found::Nowhere);
        fake.next("chat.postMessage", [Next::MuteAfterAll]);
        assert_eq!(word(&sender.post(&message("x"), Some(&parent), false, "reply").await).0, "unanswered");
        let Found::Posted { threaded: true, .. } = sender.find(Some(&parent), "reply", begun).await else {
            panic!("{channel}: it is there")
        };
        assert_eq!((fake.stored("lost"), fake.stored("reply")), (1, 1));
        for stored in fake.messages() {
            fake.delete(&stored.ts);
        }
    }
}

#[tokio::test]
async fn it_is_said_where_slack_cannot_be_asked() {
    let fake = SlackFake::start(Rules::default());
    let sender = bot(&fake, "C0ALERTS00");
    fake.next("conversations.history", [Next::Limited(60)]);
    assert!(matches!(sender.find(None, "k", since()).await, Found::NotNow { .. }));
    let fake = SlackFake::start(Rules { scopes: vec!["chat:write"], ..Rules::default() });
    let Found::CannotBeAsked { hint, .. } = bot(&fake, "C0ALERTS00").find(None, "k", since()).await else { panic!() };
    assert!(hint.unwrap_or_default().contains("channels:history"));
    let Found::CannotBeAsked { hint, .. } = bot(&fake, "#alerts").find(None, "k", since()).await else { panic!() };
    assert!(hint.unwrap_or_default().contains("the channel's id"));
    // What may have been done is then done once more.
    fake.next("chat.postMessage", [Next::Status(500, "")]);
    assert_eq!(word(&bot(&fake, "C0ALERTS00").post(&message("x"), None, false, "k").await).0, "taken");

    fake.rules(|rules| {
        rules.scopes.push("channels:history");
        rules.channels[0].member = false;
    });
    let Found::CannotBeAsked { hint, .. } = bot(&fake, "C0ALERTS00").find(None, "k", since()).await else { panic!() };
    assert!(hint.unwrap_or_default().contains("/invite"));
    let hook = webhook(&fake.webhook()).find(None, "k", since()).await;
    assert!(matches!(hook, Found::CannotBeAsked { .. }));
}

#[tokio::test]
async fn while_slack_is_out_of_order_what_may_be_there_is_not_sent_again() {
    let fake = SlackFake::start(Rules::default());
    fake.next("chat.postMessage", [Next::StatusAfterAll(500)]);
    fake.next("conversations.history", vec![Next::Status(500, ""); 3]);
    let sender = bot(&fake, "C0ALERTS00");
    let begun = since();
    assert_eq!(word(&sender.post(&message("x"), None, false, "k").await).0, "unanswered");
    assert!(matches!(sender.find(None, "k", begun).await, Found::Posted { .. }));
    assert_eq!(fake.stored("k"), 1);
}

/// A channel, what is changed, what is said, what is to be done, and whether messages cannot be delivered.
type Row = (&'static str, fn(&mut Rules), &'static str, &'static str, bool);

#[tokio::test]
async fn a_check_says_what_works_and_what_to_do() {
    let fake = SlackFake::start(Rules::default());
    let check = bot(&fake, "#alerts").check().await;
    assert_eq!(
        check.works,
        ["the token is driftledger's, of Fake Team", "#alerts is a channel that the bot can post to"]
    );
    assert_eq!(check.problems, []);
    assert_eq!(fake.messages().len(), 0, "nothing is posted");

    let private = Channel { id: "C0SECRET00", name: "secret", private: true, member: false, archived: false };
    let table: [Row; 6] = [
        ("C0ALERTS00", |r| r.channels[0].member = false, "the bot is not in #alerts", "/invite", true),
        ("C0ALERTS00", |r| r.channels[0].archived = true, "#alerts is archived", "unarchive", true),
        ("C0NOWHERE0", |_| (), "channel_not_found", "check `channel`", true),
        ("#nowhere", |_| (), "no channel of the configured name", "the channel's id", true),
        (
            "C0ALERTS00",
            |r| r.scopes = vec!["chat:write", "channels:history"],
            "cannot be asked",
            "channels:read",
            false,
        ),
        ("C0ALERTS00", |r| r.scopes = vec!["chat:write", "channels:read"], "sent once more", "channels:history", false),
    ];
    for (channel, change, what, hint, stops) in table {
        let fake = SlackFake::start(Rules::default());
        fake.rules(|rules| {
            rules.channels.push(private.clone());
            change(rules);
        });
        let check = bot(&fake, channel).check().await;
        let problem =
            check.problems.iter().find(|p| p.what.contains(what)).unwrap_or_else(|| panic!("{what}: {check:?}"));
        assert!(problem.hint.clone().unwrap_or_default().contains(hint), "{problem:?}");
        assert_eq!(problem.stops, stops, "{problem:?}");
    }
    fake.next("auth.test", [Next::Error("invalid_auth")]);
    let check = bot(&fake, "#alerts").check().await;
    assert!(check.works.is_empty() && check.problems[0].stops, "{check:?}");
    let check = webhook(&fake.webhook()).check().await;
    assert!(check.problems[0].what.contains("cannot be asked") && !check.problems[0].stops);
}

/// Hands over as an outbox does: again after `later`, and after no answer only if Slack does not have it.
async fn deliver(sender: &SlackSender, key: &str) {
    let begun = since();
    loop {
        match sender.post(&message(key), None, false, key).await {
            Outcome::Attempt(Attempt::Taken(_)) => return,
            Outcome::Attempt(Attempt::Later { .. }) => {}
            Outcome::Attempt(Attempt::Unanswered { .. }) => loop {
                match sender.find(None, key, begun).await {
                    Found::Posted { .. } => return,
                    Found::Nowhere => break,
                    Found::NotNow { .. } => {}
                    found @ Found::CannotBeAsked { .. } => panic!("{found:?}"),
                }
            },
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn whatever_slack_answers_nothing_is_lost_and_nothing_doubled() {
    let fake = SlackFake::start(Rules { page: 7, ..Rules::default() });
    let answers = [
        Next::Work,
        Next::Error("internal_error"),
        Next::ErrorAfterAll("fatal_error"),
        Next::Status(500, ""),
        Next::StatusAfterAll(502),
        Next::Status(503, ""),
        Next::Error("ratelimited"),
        Next::Reset,
        Next::ResetAfterAll,
        Next::BrokenOff,
    ];
    let mut number = 5_u64;
    let mut any = |count| {
        let pick = |_| {
            // Knuth's MMIX generator: the same answers in every run.
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            answers[(number >> 33) as usize % answers.len()].clone()
        };
        (0..count).map(pick).collect::<Vec<_>>()
    };
    fake.next("chat.postMessage", any(60));
    fake.next("conversations.history", any(40));
    let sender = bot(&fake, "C0ALERTS00");
    let keys: Vec<String> = (0..30).map(|n| format!("key-{n}")).collect();
    for key in &keys {
        deliver(&sender, key).await;
    }
    let stored: Vec<_> = fake.messages().into_iter().filter_map(|message| message.key).collect();
    assert_eq!(stored, keys, "each once, and in order");
    assert_eq!(fake.complaints(), [""; 0]);
}
