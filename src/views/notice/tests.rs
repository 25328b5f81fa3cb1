//! What holds for the messages of every notice, for every receiver.

use crate::config::delivery::{Fields, Links};
use crate::model::message::{Attachment, MailContent, SlackBlock, SlackMessage};
use crate::model::notice::Notice;
use crate::views::mail::{MOST_BYTES, MOST_ROWS};
use crate::views::sample::golden;
use crate::views::slack::{MOST_BLOCKS, MOST_CHARS, MOST_HEADER, MOST_SECTION, length};

use super::mail::Envelope;
use super::sample::{self, around, links, seal};
use super::{Around, mail, slack, webhook};

const KEY: &str = "b1946ac92492d2347c6235b4d2611184";

fn mail_of(notice: &Notice, around: &Around<'_>) -> MailContent {
    let files = [Attachment { name: "report.html".into(), media_type: "text/html", bytes: b"<p>report</p>".to_vec() }];
    let attachments = if notice.summary.is_some() { &files[..] } else { &[] };
    let envelope = Envelope { key: KEY, parent: Some("parent"), domain: "example.com", attachments, remarks: &[] };
    mail::content(notice, around, &envelope).expect("the templates render")
}

fn slack_text(message: &SlackMessage) -> String {
    let block = |block: &SlackBlock| match block {
        SlackBlock::Header(text) => format!("# {text}"),
        SlackBlock::Section(text) => text.clone(),
        SlackBlock::Context(text) => format!("({text})"),
        SlackBlock::Divider => "----".to_owned(),
        SlackBlock::Links(links) => {
            links.iter().map(|(label, url)| format!("[{label}] {url}")).collect::<Vec<_>>().join("\n")
        }
    };
    let blocks: Vec<String> = message.blocks.iter().map(block).collect();
    format!("text: {}\n\n{}\n", message.text, blocks.join("\n\n"))
}

fn each(of: impl Fn(&str, &Notice) -> String) -> String {
    sample::all().iter().map(|(name, notice)| format!("======== {name}\n{}\n", of(name, notice))).collect()
}

#[test]
fn slack_is_as_reviewed() {
    let (seal, links) = (seal(), links());
    let around = around(&seal, &links, Fields::Values);
    let shown = each(|_, notice| {
        let closed = match notice.thread.ends {
            true => format!("\n---- the parent becomes\n{}", slack_text(&slack::closed(notice, &around))),
            false => String::new(),
        };
        format!("{}{closed}", slack_text(&slack::message(notice, &around)))
    });
    golden("notice/slack.txt", &shown);
}

#[test]
fn mail_is_as_reviewed() {
    let (seal, links) = (seal(), links());
    let around = around(&seal, &links, Fields::Values);
    let shown = each(|_, notice| {
        let mail = mail_of(notice, &around);
        format!("Subject: {}\n\n{}", mail.subject, mail.text)
    });
    golden("notice/mail.txt", &shown);
}

#[test]
fn webhooks_are_as_reviewed() {
    let (seal, links) = (seal(), links());
    let around = around(&seal, &links, Fields::Values);
    golden("notice/webhook.txt", &each(|_, notice| webhook::body(notice, &around, KEY).body));
}

#[test]
fn names_only_reads_well() {
    let (seal, links) = (seal(), Links::default());
    let around = Around { repeat: true, standalone: true, ..around(&seal, &links, Fields::NamesOnly) };
    let wanted = ["behind", "out-of-band", "several", "resolved", "weekly"];
    let shown: String = sample::all()
        .iter()
        .filter(|(name, _)| wanted.contains(name))
        .map(|(name, notice)| {
            let mail = mail_of(notice, &around);
            let slack = slack_text(&slack::message(notice, &around));
            format!("======== {name}\n{slack}\n---- mail: {}\n{}\n", mail.subject, mail.text)
        })
        .collect();
    golden("notice/names-only.txt", &shown);
}

#[test]
fn names_only_tells_no_value() {
    let (seal, links) = (seal(), links());
    let around = around(&seal, &links, Fields::NamesOnly);
    for (name, mut notice) in sample::all() {
        for item in &mut notice.items {
            let finding = &mut item.finding;
            let value = |side: &str| Some(serde_json::json!({"k": [format!("{side}-S3CRET"), 987_654_321]}));
            (finding.declared, finding.live) = (value("git"), value("live"));
            finding.note = Some("it was git-S3CRET".to_owned());
            item.how = item.how.as_ref().map(|_| "live is 987654321 again".to_owned());
            if let Some(by) = &mut finding.declared_by {
                by.subject = "Set live-S3CRET".to_owned();
            }
            finding.path = finding.path.take().map(|path| {
                let step = crate::model::field_path::Step::Item("git-S3CRET".into());
                path.child(step)
            });
        }
        let mail = mail_of(&notice, &around);
        let slack = slack_text(&slack::message(&notice, &around)) + &slack_text(&slack::closed(&notice, &around));
        let json = webhook::body(&notice, &around, KEY).body;
        for text in [&mail.subject, &mail.text, &mail.html, &slack, &json] {
            assert!(!text.contains("S3CRET") && !text.contains("987654321"), "{name}: {text}");
        }
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["valuesWithheld"], true);
        for item in json["items"].as_array().expect("a list") {
            assert!(item["finding"]["declared"].is_null() && item["finding"]["live"].is_null());
        }
    }
}

#[test]
fn stays_inside_the_limits() {
    let (seal, links) = (seal(), links());
    let around = around(&seal, &links, Fields::Values);
    let small = sample::all().into_iter().map(|(_, notice)| notice);
    for notice in small.chain(sample::huge()).chain(sample::hostile()) {
        for message in [slack::message(&notice, &around), slack::closed(&notice, &around)] {
            let lengths: Vec<usize> = message.blocks.iter().map(length).collect();
            assert!(lengths.len() <= MOST_BLOCKS);
            assert!(lengths.iter().all(|n| *n <= MOST_SECTION), "{lengths:?}");
            assert!(lengths.iter().sum::<usize>() <= MOST_CHARS, "{lengths:?}");
            assert!(message.text.len() <= MOST_SECTION && !message.text.contains('\n'));
            for block in &message.blocks {
                match block {
                    SlackBlock::Header(text) => assert!(text.encode_utf16().count() <= MOST_HEADER),
                    SlackBlock::Links(links) => {
                        assert!(!links.is_empty() && links.len() <= 5);
                        assert!(links.iter().all(|(label, url)| !label.is_empty() && url.len() <= 3_000));
                    }
                    SlackBlock::Section(text) | SlackBlock::Context(text) => assert!(!text.trim().is_empty()),
                    SlackBlock::Divider => {}
                }
            }
        }
        let mail = mail_of(&notice, &around);
        assert!(mail.html.len() <= MOST_BYTES, "{}", mail.html.len());
        assert!(mail.html.matches("DL0").count() <= MOST_ROWS + 1);
        assert!(webhook::body(&notice, &around, KEY).body.len() <= 1_500_000);
    }
    for notice in sample::huge() {
        let slack = slack_text(&slack::message(&notice, &around));
        assert!(slack.contains("more findings*: <https://drift.example.com/scans/1204|see the report>"), "{slack}");
        assert!(slack.contains("more gaps*"), "{slack}");
        assert!(mail_of(&notice, &around).text.contains("more findings: see the report."));
    }
}

#[test]
fn hostile_text_does_nothing() {
    let (seal, links) = (seal(), links());
    for fields in [Fields::Values, Fields::NamesOnly] {
        let around = Around { standalone: true, ..around(&seal, &links, fields) };
        for notice in sample::hostile() {
            for message in [slack::message(&notice, &around), slack::closed(&notice, &around)] {
                let mut texts = vec![&message.text];
                for block in &message.blocks {
                    match block {
                        SlackBlock::Header(text) | SlackBlock::Section(text) | SlackBlock::Context(text) => {
                            texts.push(text)
                        }
                        SlackBlock::Links(links) => {
                            assert!(links.iter().all(|(_, url)| crate::views::words::link(Some(url)).is_some()));
                        }
                        SlackBlock::Divider => {}
                    }
                }
                for text in texts {
                    let own = text.replace("<https://drift.example.com/scans/1204|see the report>", "");
                    assert!(!own.contains(['<', '>']), "{text}");
                    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
                    assert!(!text.contains(['\u{202e}', '\u{2066}']), "{text}");
                    // Slack draws no pictures in code.
                    assert!(!text.split('`').step_by(2).any(|prose| prose.contains(":tada:")), "{text}");
                    assert!(text.lines().all(|line| line.matches('`').count() % 2 == 0), "{text}");
                }
            }
            let mail = mail_of(&notice, &around);
            for text in [&mail.text, &mail.html, &mail.subject] {
                assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
                assert!(!text.contains(['\u{202e}', '\u{2066}']));
            }
            assert!(!mail.subject.contains('\n'));
            for tag in ["<script", "<img", "href=\"javascript", "http-equiv", "src=\""] {
                assert!(!mail.html.contains(tag), "{tag}");
            }
            for (name, value) in &mail.headers {
                assert!(value.bytes().all(|b| b.is_ascii_graphic() || b == b' '), "{name}: {value}");
            }
            serde_json::from_str::<serde_json::Value>(&webhook::body(&notice, &around, KEY).body).expect("JSON");
        }
    }
}

/// What is shown of an HTML mail, without its tags.
fn shown_of(html: &str) -> String {
    let body = html.split_once("<body").expect("a body").1;
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        text.push_str(part.split_once('>').map_or("", |(_, shown)| shown));
        text.push(' ');
    }
    let text = text.replace("&#x27;", "'").replace("&#39;", "'").replace("&quot;", "\"").replace("&#x2F;", "/");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&")
}

#[test]
fn the_twins_say_the_same() {
    let (seal, links) = (seal(), links());
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    for fields in [Fields::Values, Fields::NamesOnly] {
        let around = around(&seal, &links, fields);
        for (name, notice) in sample::all() {
            let mail = mail_of(&notice, &around);
            let html = letters(&shown_of(&mail.html));
            for line in mail.text.lines().filter(|line| !line.contains("https://")) {
                // Labels stand in cells of their own.
                for part in line.split("  ").flat_map(|part| part.split("] ")) {
                    assert!(html.contains(&letters(part)), "{name}: {part}");
                }
            }
            for (_, url) in super::link::buttons(&notice, &around) {
                assert!(mail.text.contains(&url) && mail.html.replace("&#x2F;", "/").contains(&url), "{url}");
            }
        }
    }
}

#[test]
fn a_conversation_has_one_subject_and_one_root() {
    let (seal, links) = (seal(), links());
    let around = around(&seal, &links, Fields::Values);
    let all = sample::all();
    let of = |name: &str| all.iter().find(|(known, _)| *known == name).expect("a sample").1.clone();
    let mut parent = of("out-of-band");
    parent.thread.since = of("resolved").thread.since;
    let envelope = |key, parent| Envelope { key, parent, domain: "example.com", attachments: &[], remarks: &[] };
    let first = mail::content(&parent, &around, &envelope("first", None)).expect("a mail");
    let second = mail::content(&of("resolved"), &around, &envelope("second", Some("first"))).expect("a mail");
    assert_eq!(first.subject, "[Driftledger] prod-eu · checkout: drift, 2026-03-02 13:21 UTC");
    assert_eq!(second.subject, format!("Re: {}", first.subject));
    assert_eq!(first.message_id, "<first@example.com>");
    let root = "<thread-8f1c03d2a97b4e5566aa01ff@example.com>".to_owned();
    assert_eq!(first.references, std::slice::from_ref(&root));
    assert_eq!(second.references, [root, first.message_id]);
    assert_eq!(
        first.headers,
        [
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("List-Id", "Driftledger platform <platform.routes.example.com>".to_owned()),
            ("X-Driftledger-Severity", "critical".to_owned()),
            ("Importance", "high".to_owned()),
        ]
    );
    // What is no part of a Message-ID is not taken into one.
    assert_eq!(mail::message_id("a b", "x.y").len(), "<@x.y>".len() + 64);
}

#[test]
fn values_too_large_for_a_webhook_are_left_out_and_said_to_be() {
    let (seal, links) = (seal(), links());
    let mut notice = sample::all().swap_remove(1).1;
    notice.items[0].finding.live = Some("x".repeat(9_000).into());
    let message = webhook::body(&notice, &around(&seal, &links, Fields::Values), KEY);
    let json: serde_json::Value = serde_json::from_str(&message.body).expect("JSON");
    assert_eq!(message.key, KEY);
    assert_eq!(json["items"][0]["leftOut"], serde_json::json!(["live"]));
    assert_eq!(json["items"][0]["finding"]["declared"], "checkout:1.8.2");
    assert!(json["items"][0]["finding"]["live"].is_null());
}
