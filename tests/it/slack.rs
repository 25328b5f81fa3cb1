//! What comes of an attempt to post to Slack, for each answer that Slack may give, and what was stored then: against a fake.

use std::time::{Duration, Instant};

use driftledger::adapters::slack::{Outcome, SlackLimits, SlackSender};
use driftledger::config::SecretSource;
use driftledger::config::delivery::{SlackReceiver, SlackWay};
use driftledger::model::delivery::Attempt;
use driftledger::model::message::{SlackBlock, SlackMessage};

use crate::slack_fake::{BOT_TOKEN, Next, Rules, SlackFake};

/// So long that a busy machine does not look mute.
const REQUEST: Duration = Duration::from_millis(1_500);

pub fn limits() -> SlackLimits {
    let pause = Duration::from_millis(10);
    SlackLimits { request: REQUEST, apart: Duration::ZERO, patience: Duration::from_millis(1_800), pause }
}

fn nowhere() -> SecretSource {
    SecretSource::Environment("UNUSED".into())
}

pub fn bot(fake: &SlackFake, channel: &str) -> SlackSender {
    bot_with(fake, channel, BOT_TOKEN, limits())
}

fn bot_with(fake: &SlackFake, channel: &str, token: &str, limits: SlackLimits) -> SlackSender {
    let way = SlackWay::Bot { channel: channel.into(), token: nowhere(), url: fake.api() };
    SlackSender::new(&SlackReceiver { way, ca_file: None }, token, limits).expect("a sender")
}

pub fn webhook(address: &str) -> SlackSender {
    let receiver = SlackReceiver { way: SlackWay::Webhook(nowhere()), ca_file: None };
    SlackSender::new(&receiver, address, limits()).expect("a sender")
}

pub fn message(text: &str) -> SlackMessage {
    SlackMessage {
        text: text.into(),
        blocks: vec![
            SlackBlock::Header(text.into()),
            SlackBlock::Section("`.spec.replicas` Git `3` → live `5` &lt;!channel&gt;".into()),
            SlackBlock::Links(vec![
                ("Report".into(), "https://reports.example.com/1".into()),
                ("Commit".into(), "https://git.example.com/c/4be07d2".into()),
            ]),
            SlackBlock::Divider,
            SlackBlock::Context("seal #1".into()),
        ],
    }
}

/// The outcome in a word, and what is said.
pub fn word(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Attempt(Attempt::Taken(_)) => ("taken", String::new()),
        Outcome::Attempt(Attempt::Later { why, wait: None }) => ("later", why.clone()),
        Outcome::Attempt(Attempt::Later { why, wait: Some(_) }) => ("later, as asked", why.clone()),
        Outcome::Attempt(Attempt::Refused { why, hint }) => {
            ("refused", format!("{why} {}", hint.clone().unwrap_or_default()))
        }
        Outcome::Attempt(Attempt::Unanswered { why }) => ("unanswered", why.clone()),
        Outcome::Gone { why } => ("gone", why.clone()),
        Outcome::Unthreaded(_) => ("unthreaded", String::new()),
    }
}

/// Answers, the outcome, a part of what is said, how many messages are stored then, and how many were posted.
type Row = (&'static str, Vec<Next>, &'static str, &'static str, usize, usize);

async fn check(way: &'static str, rows: Vec<Row>) {
    let mut running = Vec::new();
    for (name, answers, outcome, part, stored, posted) in rows {
        running.push(tokio::spawn(async move {
            let fake = SlackFake::start(Rules::default());
            fake.next(way, answers);
            let sender = if way == "webhook" { webhook(&fake.webhook()) } else { bot(&fake, "C0ALERTS00") };
            let came = sender.post(&message("prod: DRIFTED"), None, false, "key-1").await;
            let (said, why) = word(&came);
            assert_eq!(said, outcome, "{name}: {why}");
            assert!(why.contains(part), "{name}: {why}");
            assert!(!format!("{came:?} {sender:?}").contains("FakeFake"), "{name}: {came:?} {sender:?}");
            assert_eq!(fake.messages().len(), stored, "{name}: stored");
            assert_eq!(fake.asked(way), posted, "{name}: posted");
            assert_eq!(fake.complaints(), [""; 0], "{name}");
        }));
    }
    for row in running {
        row.await.expect("the row holds");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bots_attempt_for_each_answer() {
    use Next::{
        BrokenOff, Error, ErrorAfterAll, Limited, Mute, MuteAfterAll, Reset, ResetAfterAll, Slow, Status,
        StatusAfterAll,
    };
    let method = "chat.postMessage";
    check(
        method,
        vec![
            ("ok", vec![], "taken", "", 1, 1),
            ("slow", vec![Slow(Duration::from_millis(200))], "taken", "", 1, 1),
            ("429, a second", vec![Limited(1)], "taken", "", 1, 2),
            ("429, a minute", vec![Limited(60)], "later, as asked", "429", 0, 1),
            ("429, twice", vec![Limited(1), Limited(1)], "later, as asked", "429", 0, 2),
            ("ratelimited", vec![Error("ratelimited")], "taken", "", 1, 2),
            ("500 once", vec![Status(500, "")], "taken", "", 1, 2),
            ("500 after all", vec![StatusAfterAll(500)], "taken", "", 1, 1),
            (
                "502 after all, at the last",
                vec![Status(502, ""), Status(502, ""), StatusAfterAll(504)],
                "taken",
                "",
                1,
                3,
            ),
            ("500 for ever", vec![Status(500, ""); 9], "later", "500", 0, 3),
            ("503 once", vec![Status(503, "<html>")], "taken", "", 1, 2),
            ("503 for ever", vec![Status(503, ""); 9], "later", "503", 0, 3),
            ("internal_error once", vec![Error("internal_error")], "taken", "", 1, 2),
            ("internal_error after all", vec![ErrorAfterAll("internal_error")], "taken", "", 1, 1),
            ("fatal_error for ever", vec![Error("fatal_error"); 9], "later", "fatal_error", 0, 3),
            ("service_unavailable", vec![Error("service_unavailable"); 9], "later", "service_unavailable", 0, 3),
            ("request_timeout", vec![Error("request_timeout"); 9], "later", "request_timeout", 0, 3),
            ("team_added_to_org", vec![Error("team_added_to_org"); 9], "later", "team_added", 0, 3),
            ("no answer", vec![Mute], "unanswered", "timed out", 0, 1),
            ("no answer after all", vec![MuteAfterAll], "unanswered", "timed out", 1, 1),
            ("slower than the limit", vec![Slow(2 * REQUEST)], "unanswered", "timed out", 0, 0),
            ("reset", vec![Reset], "unanswered", "no answer", 0, 1),
            ("reset after all", vec![ResetAfterAll], "unanswered", "no answer", 1, 1),
            ("broken off", vec![BrokenOff], "unanswered", "broke off", 1, 1),
            ("not Slack", vec![Status(200, "<html>FakeFake</html>"); 9], "later", "not as Slack does", 0, 3),
            ("404", vec![Status(404, "<html>FakeFake</html>")], "refused", "404", 0, 1),
            ("302", vec![Status(302, "")], "refused", "leads elsewhere", 0, 1),
            ("channel_not_found", vec![Error("channel_not_found")], "refused", "check `channel`", 0, 1),
            ("not_in_channel", vec![Error("not_in_channel")], "refused", "/invite", 0, 1),
            ("is_archived", vec![Error("is_archived")], "refused", "unarchive", 0, 1),
            ("invalid_auth", vec![Error("invalid_auth")], "refused", "tokenFile", 0, 1),
            ("token_revoked", vec![Error("token_revoked")], "refused", "tokenFile", 0, 1),
            ("account_inactive", vec![Error("account_inactive")], "refused", "tokenFile", 0, 1),
            ("missing_scope", vec![Error("missing_scope")], "refused", "add the scope", 0, 1),
            ("msg_too_long", vec![Error("msg_too_long")], "refused", "defect", 0, 1),
            ("msg_blocks_too_long", vec![Error("msg_blocks_too_long")], "refused", "defect", 0, 1),
            ("invalid_blocks", vec![Error("invalid_blocks")], "refused", "defect", 0, 1),
            ("no_text", vec![Error("no_text")], "refused", "defect", 0, 1),
            ("unheard of", vec![Error("a_new_word")], "refused", "a_new_word", 0, 1),
            ("no word", vec![Error("FakeFakeFake")], "refused", "Slack answers 200", 0, 1),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhooks_attempt_for_each_answer() {
    use Next::{Limited, Mute, MuteAfterAll, Reset, ResetAfterAll, Status, Work};
    check(
        "webhook",
        vec![
            ("ok", vec![], "taken", "", 1, 1),
            ("429, a second", vec![Limited(1)], "taken", "", 1, 2),
            ("429, a minute", vec![Limited(60)], "later, as asked", "429", 0, 1),
            ("500 once", vec![Status(500, "rollup_error"), Work], "taken", "", 1, 2),
            ("503 for ever", vec![Status(503, ""); 9], "later", "503", 0, 3),
            ("no answer", vec![Mute], "unanswered", "timed out", 0, 1),
            ("no answer after all", vec![MuteAfterAll], "unanswered", "timed out", 1, 1),
            ("reset", vec![Reset], "unanswered", "no answer", 0, 1),
            ("reset after all", vec![ResetAfterAll], "unanswered", "no answer", 1, 1),
            ("not Slack", vec![Status(200, "<html>"); 9], "later", "not as Slack does", 0, 3),
            ("invalid_payload", vec![Status(400, "invalid_payload")], "refused", "defect", 0, 1),
            ("action_prohibited", vec![Status(403, "action_prohibited")], "refused", "administrators", 0, 1),
            ("no_service", vec![Status(404, "no_service")], "refused", "webhookFile", 0, 1),
            ("channel_is_archived", vec![Status(410, "channel_is_archived")], "refused", "unarchive", 0, 1),
            ("an echo", vec![Status(404, "/services/T0FAKE0000/FakeFakeFake")], "refused", "404", 0, 1),
        ],
    )
    .await;
}

#[tokio::test]
async fn nobody_there_is_later_and_surely_nothing_was_given() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let came =
        webhook(&format!("http://127.0.0.1:{port}/services/FakeFake")).post(&message("x"), None, false, "k").await;
    let (said, why) = word(&came);
    assert_eq!((said, why.contains("FakeFake")), ("later", false), "{why}");
    assert!(why.contains("no connection: connection refused"), "{why}");
}

#[tokio::test]
async fn what_is_posted_is_what_slack_documents() {
    let fake = SlackFake::start(Rules::default());
    let came = bot(&fake, "#alerts").post(&message("prod &amp; co: DRIFTED"), None, false, "3f2a-17").await;
    let Outcome::Attempt(Attempt::Taken(receipt)) = came else { panic!("{came:?}") };
    let stored = &fake.messages()[0];
    let place = receipt.slack.expect("a place");
    assert_eq!((place.channel.as_str(), &place.ts), ("C0ALERTS00", &stored.ts), "the id, whatever was configured");
    assert_eq!(stored.key.as_deref(), Some("3f2a-17"));
    assert_eq!(stored.text, "prod &amp; co: DRIFTED");
    assert_eq!(stored.blocks.as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn a_message_beyond_the_limits_is_never_sent() {
    let fake = SlackFake::start(Rules::default());
    let sender = bot(&fake, "C0ALERTS00");
    let long = SlackMessage { text: "x".into(), blocks: vec![SlackBlock::Section("s".repeat(3_001))] };
    let place = driftledger::model::delivery::SlackPlace { channel: "C0ALERTS00".into(), ts: "1.000000".into() };
    for came in [sender.post(&long, None, false, "k").await, sender.update(&place, &long).await] {
        let (said, why) = word(&came);
        assert!(said == "refused" && why.contains("not sent: block 1: a section has 3001"), "{said} {why}");
    }
    assert_eq!(fake.asked("chat.postMessage") + fake.asked("chat.update"), 0);
}

#[tokio::test]
async fn a_token_that_may_post_no_metadata_posts_without() {
    let fake = SlackFake::start(Rules { refuse_metadata: true, ..Rules::default() });
    assert_eq!(word(&bot(&fake, "C0ALERTS00").post(&message("x"), None, false, "k").await).0, "taken");
    assert_eq!((fake.messages().len(), fake.messages()[0].metadata.clone()), (1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_a_second_goes_to_a_channel_whoever_posts_it() {
    let fake = SlackFake::start(Rules { apart: Duration::from_secs(1), ..Rules::default() });
    let limits = SlackLimits { apart: Duration::from_secs(1), patience: Duration::from_secs(20), ..limits() };
    // Two receivers share a channel: the pace is the process's.
    let (one, two) =
        (bot_with(&fake, "C0ALERTS00", BOT_TOKEN, limits), bot_with(&fake, "C0ALERTS00", BOT_TOKEN, limits));
    let started = Instant::now();
    let message = message("x");
    let (a, b, c) = tokio::join!(
        one.post(&message, None, false, "a"),
        two.post(&message, None, false, "b"),
        one.post(&message, None, false, "c"),
    );
    assert!([a, b, c].iter().all(|came| word(came).0 == "taken"));
    assert!(started.elapsed() >= Duration::from_secs(2));
    assert!(["a", "b", "c"].iter().all(|key| fake.stored(key) == 1));
    assert_eq!(fake.complaints(), [""; 0]);
}

#[tokio::test]
async fn slack_is_waited_for_by_everybody_who_posts_to_the_channel() {
    let fake = SlackFake::start(Rules::default());
    fake.next("chat.postMessage", [Next::Limited(600)]);
    for asked in [1, 1] {
        let came = bot(&fake, "C0ALERTS00").post(&message("x"), None, false, "k").await;
        let Outcome::Attempt(Attempt::Later { wait: Some(wait), .. }) = came else { panic!("{came:?}") };
        assert!(wait > Duration::from_secs(590) && wait <= Duration::from_secs(600), "{wait:?}");
        assert_eq!(fake.asked("chat.postMessage"), asked, "the second does not ask");
    }
    let other = bot(&fake, "C0OTHER000").post(&message("x"), None, false, "k").await;
    assert_eq!(word(&other).0, "taken");
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_it_is_configured_only() {
    let fake = SlackFake::start_tls(Rules::default());
    let way = SlackWay::Bot { channel: "C0ALERTS00".into(), token: nowhere(), url: fake.api() };
    for (ca_file, outcome, part) in
        [(Some(fake.ca_file()), "taken", ""), (None, "later", "the server's certificate is not accepted")]
    {
        let receiver = SlackReceiver { way: way.clone(), ca_file };
        let sender = SlackSender::new(&receiver, BOT_TOKEN, limits()).expect("a sender");
        let (said, why) = word(&sender.post(&message("x"), None, false, "k").await);
        assert!(said == outcome && why.contains(part), "{said} {why}");
    }
    assert_eq!(fake.messages().len(), 1);
}

#[test]
fn what_cannot_work_is_said_before_and_without_the_secret() {
    let way = |url: &str| SlackWay::Bot { channel: "C0ALERTS00".into(), token: nowhere(), url: url.into() };
    let hook = || SlackWay::Webhook(nowhere());
    let https = "https://slack.test/api/";
    let table = [
        (way(https), "", None, "the token is none"),
        (way(https), "xoxb-FakeFake\nxoxb-FakeFake", None, "the token is none"),
        (way("http://slack.test/api/"), "xoxb-FakeFake", None, "no https address"),
        (hook(), "FakeFake", None, "the webhook's address is no https address"),
        (hook(), "http://hooks.slack.test/services/FakeFake", None, "the webhook's address is no https address"),
        (way(https), "xoxb-FakeFake", Some("Cargo.toml"), "it holds no certificate"),
        (way(https), "xoxb-FakeFake", Some("no/such/file"), "entity not found"),
    ];
    for (way, secret, ca_file, part) in table {
        let receiver = SlackReceiver { way, ca_file: ca_file.map(Into::into) };
        let error = SlackSender::new(&receiver, secret, limits()).map(|_| ()).expect_err(part);
        let text = format!("{error} {error:?}");
        assert!(text.contains(part) && !text.contains("FakeFake"), "{part}: {text}");
    }
}
