//! The mail adapter against a mail server on loopback: what each of its faults means for the message, and what it received.

use std::time::{Duration, Instant};

use base64::Engine as _;
use driftledger::config::delivery::Tls;
use driftledger::model::delivery::{Attempt, Receipt};
use driftledger::model::message::{Attachment, MailContent};
use driftledger::model::time::Timestamp;
use serde_json::json;

use crate::mail_server::{CLEAR, LOGIN, Server, USER, Way};

fn content() -> MailContent {
    MailContent {
        subject: "[Driftledger] prod: DRIFTED, 1 Änderung\r\nBcc: evil@example.com".into(),
        text: format!("größer\n.\n..\nFrom here\n{}\n", "x".repeat(3_000)),
        html: "<p>größer</p>\n.\n".into(),
        message_id: "<m-2.ab@example.com>".into(),
        date: Timestamp::parse("2026-03-02T14:03:41Z").expect("a time"),
        headers: vec![
            ("Auto-Submitted", "auto-generated".into()),
            ("List-Id", "Driftledger scans <scans.example.com>".into()),
        ],
        references: vec!["<m-0.ab@example.com>".into(), "<m-1.ab@example.com>".into()],
        attachments: vec![
            Attachment { name: "report.html".into(), media_type: "text/html", bytes: "<p>ä</p>\n\r\n.\n".into() },
            Attachment { name: "f.csv.gz".into(), media_type: "application/gzip", bytes: (0..=255).collect() },
        ],
    }
}

/// More than the buffers between two programs hold, so that a server that stops reading is noticed.
fn large() -> MailContent {
    let bytes = vec![7; 24 * 1024 * 1024];
    let attachment = Attachment { name: "large".into(), media_type: "application/octet-stream", bytes };
    MailContent { attachments: vec![attachment], ..content() }
}

/// The kind of an attempt, and all that it says.
fn said(attempt: &Attempt) -> (&'static str, String) {
    match attempt {
        Attempt::Taken(receipt) => ("taken", format!("{receipt:?}")),
        Attempt::Later { why, wait } => ("later", format!("{why} {wait:?}")),
        Attempt::Refused { why, hint } => ("refused", format!("{why} ({})", hint.as_deref().unwrap_or_default())),
        Attempt::Unanswered { why } => ("unanswered", why.clone()),
    }
}

fn assert_said(case: &str, attempt: &Attempt, kind: &str, words: &[&str]) {
    let (is, text) = said(attempt);
    assert_eq!(is, kind, "{case}: {text}");
    for word in words {
        assert!(text.contains(word), "{case}: {word:?} is not in {text:?}");
    }
    assert!(!text.contains("hunter2") && !text.chars().any(char::is_control), "{case}: {text:?}");
}

#[tokio::test]
#[ignore = "needs aiosmtpd: run tests/run"]
async fn each_fault_means_what_the_standard_says() {
    // What the server does, what that is, words of it, and how many messages the server has then.
    let cases: &[(&str, &str, &[&str], usize)] = &[
        ("slow", "taken", &["250 2.0.0 queued as 1"], 1),
        ("mute-at-quit", "taken", &["queued"], 1),
        ("greeting-554", "refused", &["554 5.7.1 nothing from you", "hello"], 0),
        ("mail-550", "refused", &["the sender: 550 told to say so at MAIL", "`from`"], 0),
        ("mail-451", "later", &["451 told"], 0),
        ("rcpt-550", "refused", &["every receiver", "ops@example.com: 550 told", "asa@example.com: 550", "`to`"], 0),
        ("rcpt-450", "later", &["every receiver", "450"], 0),
        ("rcpt-421", "later", &["421 4.3.2 shutting down"], 0),
        ("data-554", "refused", &["554 told"], 0),
        ("data-451", "later", &["451 told"], 0),
        ("data-250", "later", &["answers DATA with 250"], 0),
        ("end-554", "refused", &["the message: 554 told to say so at the end"], 0),
        ("end-451", "later", &["451 told"], 0),
        ("dies-after-end", "unanswered", &["had the whole message"], 1),
        ("garbage", "later", &["lost while connecting"], 0),
    ];
    for (fault, kind, words, stored) in cases {
        let server = Server::start(&["--fault", fault]);
        let attempt = CLEAR.of(&server).send(&content(), "m-2").await;
        assert_said(fault, &attempt, kind, words);
        assert_eq!(server.taken().len(), *stored, "{fault}");
    }
}

#[tokio::test]
#[ignore = "needs aiosmtpd: run tests/run"]
async fn no_silence_lasts_longer_than_the_time_that_is_given() {
    let short = Way { timeout: Duration::from_secs(2), ..CLEAR };
    for (fault, content, kind, words, stored) in [
        ("mute", content(), "later", "took longer than 2 s", 0),
        ("mute-after-end", content(), "unanswered", "said nothing for 2 s", 1),
        ("stalls-in-data", large(), "later", "took longer than 2 s", 0),
    ] {
        let server = Server::start(&["--fault", fault]);
        let mailer = short.of(&server);
        let start = Instant::now();
        assert_said(fault, &mailer.send(&content, "m-2").await, kind, &[words]);
        assert!(start.elapsed() < Duration::from_secs(15), "{fault}: {:?}", start.elapsed());
        assert_eq!(server.taken().len(), stored, "{fault}");
    }
    for tls in [Tls::Implicit, Tls::Starttls] {
        let server = Server::start(&["--fault", "mute"]);
        let attempt = Way { tls, ..short }.of(&server).send(&content(), "m-2").await;
        assert_said("mute", &attempt, "later", &["took longer than 2 s"]);
    }
}

#[tokio::test]
#[ignore = "needs aiosmtpd: run tests/run"]
async fn who_dies_in_the_middle_has_nothing() {
    let server = Server::start(&["--fault", "dies-in-data"]);
    let attempt = CLEAR.of(&server).send(&large(), "m-2").await;
    assert_said("dies-in-data", &attempt, "later", &["lost at the message"]);
    assert_eq!(server.taken().len(), 0);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    for tls in [Tls::None, Tls::Starttls, Tls::Implicit] {
        let attempt = Way { tls, ..CLEAR }.mailer(nobody, None, "").send(&content(), "m-2").await;
        assert_said("nobody listens", &attempt, "later", &[&format!("localhost:{nobody}"), "connection refused"]);
    }
}

#[tokio::test]
#[ignore = "needs aiosmtpd: run tests/run"]
async fn receivers_that_are_taken_get_it_once_and_the_others_are_named() {
    let to = &["refused@example.com", "ops@example.com"];
    for (fault, begins) in [("one-550", "550 5.1.1"), ("one-450", "temporary: 450 5.1.1")] {
        let server = Server::start(&["--fault", fault]);
        let attempt = Way { to, ..CLEAR }.of(&server).send(&content(), "m-2").await;
        let Attempt::Taken(Receipt { refused, says, .. }) = &attempt else { panic!("{fault}: {attempt:?}") };
        let [(address, words)] = refused.as_slice() else { panic!("{fault}: {refused:?}") };
        assert_eq!(address, "refused@example.com");
        assert_eq!(words, &format!("{begins} <refused@example.com> told [31m to say so"));
        assert_eq!(says.as_deref(), Some("250 2.0.0 queued as 1"));
        assert_eq!(server.taken()[0]["to"], json!(["ops@example.com"]));
    }
}

#[tokio::test]
#[ignore = "needs aiosmtpd: run tests/run"]
async fn arrives_as_it_was_meant() {
    let server = Server::start(&[]);
    let mailer = CLEAR.of(&server);
    for _ in 0..2 {
        assert_said("plain", &mailer.send(&content(), "m-2").await, "taken", &[]);
    }
    assert_eq!(server.raw(1), server.raw(2), "the same mail twice");
    assert!(server.raw(1).is_ascii() && server.raw(1).split("\r\n").all(|line| line.len() <= 998));
    let mail = &server.taken()[0];
    assert_eq!((&mail["from"], &mail["hello"]), (&json!("drift@example.com"), &json!("client.test")));
    assert_eq!(mail["to"], json!(["ops@example.com", "asa@example.com"]));
    assert_eq!(mail["defects"], json!([]));
    let header = |name: &str| -> Vec<&str> {
        let all = mail["headers"].as_array().expect("a list").iter();
        all.filter(|pair| pair[0] == name).map(|pair| pair[1].as_str().expect("text")).collect()
    };
    for (name, value) in [
        ("From", "Driftledger <drift@example.com>"),
        ("To", "ops@example.com, Åsa <asa@example.com>"),
        ("Reply-To", "team@example.com"),
        ("Subject", "[Driftledger] prod: DRIFTED, 1 Änderung  Bcc: evil@example.com"),
        ("Date", "Mon, 02 Mar 2026 14:03:41 +0000"),
        ("Message-ID", "<m-2.ab@example.com>"),
        ("In-Reply-To", "<m-1.ab@example.com>"),
        ("References", "<m-0.ab@example.com> <m-1.ab@example.com>"),
        ("Auto-Submitted", "auto-generated"),
        ("List-Id", "Driftledger scans <scans.example.com>"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(header(name), [value], "{name}");
    }
    assert_eq!(header("Bcc"), [""; 0]);
    let structure =
        ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/html", "application/gzip"];
    assert_eq!(mail["structure"], json!(structure));
    let part = |n: usize| {
        let text = mail["parts"][n]["base64"].as_str().expect("text");
        base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
    };
    let sent = content();
    let text = |n: usize| String::from_utf8(part(n)).expect("UTF-8").replace("\r\n", "\n");
    assert_eq!((text(0).trim_end(), text(1).trim_end()), (sent.text.trim_end(), sent.html.trim_end()));
    for (n, attachment) in sent.attachments.iter().enumerate() {
        let about = &mail["parts"][n + 2];
        assert_eq!(about["name"], attachment.name.as_str());
        assert_eq!((about["encoding"].as_str(), part(n + 2)), (Some("base64"), attachment.bytes.clone()));
    }
}

#[tokio::test]
#[ignore = "needs aiosmtpd: run tests/run"]
async fn logs_in_where_the_connection_is_private_or_told_to_be_open() {
    for (tls, option) in [(Tls::Starttls, "starttls"), (Tls::Implicit, "implicit"), (Tls::None, "none")] {
        for mechanism in ["PLAIN", "LOGIN"] {
            let options = ["--tls", option, "--login", LOGIN, "--mechanism", mechanism];
            let server = Server::start(&options);
            let way = Way { tls, login: true, ..CLEAR };
            assert_said(option, &way.of(&server).send(&content(), "m-2").await, "taken", &[]);
            let mail = &server.taken()[0];
            assert_eq!((&mail["user"], &mail["private"]), (&json!(USER), &json!(tls != Tls::None)), "{option}");
            let wrong = way.mailer(server.port, Some(server.ca()), "hunter2").send(&content(), "m-2").await;
            assert_said(option, &wrong, "refused", &["the login: 535", "check `username` and the password"]);
            let nobody = Way { tls, ..CLEAR }.of(&server).send(&content(), "m-2").await;
            assert_said(option, &nobody, "refused", &["the sender: 530", "set `username`"]);
            assert_eq!(server.taken().len(), 1);
        }
    }
    let way = Way { tls: Tls::Starttls, login: true, ..CLEAR };
    for (fault, kind, words) in [
        ("auth-454", "later", ["for now: 454", "the login"]),
        ("auth-echo", "refused", ["535 5.7.8 drift:(secret) is not right", "password"]),
    ] {
        let server = Server::start(&["--tls", "starttls", "--login", LOGIN, "--utf8", "--fault", fault]);
        assert_said(fault, &way.of(&server).send(&content(), "m-2").await, kind, &words);
    }
    // It offers none in the clear.
    let server = Server::start(&[]);
    let attempt = Way { tls: Tls::None, ..way }.of(&server).send(&content(), "m-2").await;
    assert_said("no AUTH", &attempt, "refused", &["offers no login", "leave out `username`"]);
}

#[tokio::test]
#[ignore = "needs aiosmtpd: run tests/run"]
async fn only_a_server_that_proves_its_name_gets_anything() {
    for (tls, option) in [(Tls::Starttls, "starttls"), (Tls::Implicit, "implicit")] {
        let way = Way { tls, login: true, ..CLEAR };
        let options = ["--tls", option, "--login", LOGIN];
        let server = Server::start(&options);
        let unknown = Way { ca: false, ..way }.of(&server).send(&content(), "m-2").await;
        assert_said(option, &unknown, "refused", &["authority that is not trusted", "`caFile`"]);
        let other = Server::start_as("mail.example.com", &options);
        let attempt = way.of(&other).send(&content(), "m-2").await;
        assert_said(option, &attempt, "refused", &["for another name", "`host`"]);
        for server in [&server, &other] {
            assert!(!server.commands().iter().any(|verb| verb == "AUTH" || verb == "MAIL"), "{:?}", server.commands());
        }
    }
    // The wrong port: each waits for the other's first word, or does not understand it.
    let server = Server::start(&[]);
    let attempt = Way { tls: Tls::Implicit, ..CLEAR }.of(&server).send(&content(), "m-2").await;
    assert_said("no TLS", &attempt, "refused", &["does not speak TLS", "starttls"]);
    let server = Server::start(&["--tls", "implicit"]);
    let short = Way { timeout: Duration::from_secs(2), tls: Tls::Starttls, ..CLEAR };
    assert_said("TLS", &short.of(&server).send(&content(), "m-2").await, "later", &["`tls: implicit`"]);
}

#[tokio::test]
#[ignore = "needs aiosmtpd: run tests/run"]
async fn starttls_is_never_given_up() {
    let way = Way { tls: Tls::Starttls, login: true, ..CLEAR };
    for (fault, kind, words) in [
        ("hides-starttls", "refused", ["does not offer STARTTLS", "tls: implicit"]),
        ("starttls-502", "refused", ["502 told", "private"]),
        ("starttls-454", "later", ["454 told", "private"]),
        ("starttls-closes", "later", ["was lost", "made private"]),
        ("starttls-injects", "later", ["something else than TLS", "STARTTLS"]),
    ] {
        let server = Server::start(&["--tls", "starttls", "--fault", fault]);
        assert_said(fault, &way.of(&server).send(&content(), "m-2").await, kind, &words);
        assert!(!server.commands().iter().any(|verb| verb == "AUTH" || verb == "MAIL"), "{fault}");
        assert_eq!(server.taken().len(), 0, "{fault}");
    }
}

#[tokio::test]
#[ignore = "needs aiosmtpd: run tests/run"]
async fn addresses_that_are_not_ascii_go_where_they_are_taken() {
    let way = Way { to: &["åsa@example.com"], ..CLEAR };
    let server = Server::start(&["--utf8"]);
    assert_said("UTF-8", &way.of(&server).send(&content(), "m-2").await, "taken", &[]);
    assert_eq!(server.taken()[0]["to"], json!(["åsa@example.com"]));
    let server = Server::start(&[]);
    assert_said("ASCII", &way.of(&server).send(&content(), "m-2").await, "refused", &["SMTPUTF8"]);
}

#[tokio::test]
#[ignore = "needs aiosmtpd: run tests/run"]
async fn a_checkup_says_how_far_it_came_and_sends_nothing() {
    let way = Way { tls: Tls::Starttls, login: true, ..CLEAR };
    let server = Server::start(&["--tls", "starttls", "--login", LOGIN]);
    let good = way.of(&server).check().await;
    assert_eq!(good.problem, None);
    let name = format!("localhost:{} answers", server.port);
    assert_eq!(good.works, [name.as_str(), "the connection is private (STARTTLS)", "the login as drift works"]);
    assert_eq!(server.commands(), ["EHLO", "STARTTLS", "EHLO", "AUTH", "NOOP", "QUIT"]);
    let bad = way.mailer(server.port, Some(server.ca()), "hunter2").check().await;
    assert_eq!(bad.works, [name.as_str(), "the connection is private (STARTTLS)"]);
    assert_said("check", &bad.problem.expect("a wrong password"), "refused", &["535", "password"]);
    let mute = Server::start(&["--fault", "mute"]);
    let mute = Way { timeout: Duration::from_secs(1), ..CLEAR }.of(&mute).check().await;
    assert_said("check", &mute.problem.expect("no answer"), "later", &["took longer than 1 s"]);
    assert_eq!((mute.works.len(), server.taken().len()), (0, 0));
}
