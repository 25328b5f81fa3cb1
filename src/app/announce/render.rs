//! A message as its receiver takes it.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::adapters::ledger::{LedgerError, LedgerReader};
use crate::config::Config;
use crate::config::delivery::{ReceiverConfig, ReceiverKind, SlackWay};
use crate::model::message::{Attachment, MailContent, SlackMessage, WebhookMessage};
use crate::model::outbox::Plan;
use crate::model::report::Seal;
use crate::views::notice::mail::Envelope;
use crate::views::notice::{self, Around};
use crate::views::{self, ViewError};

/// Files above this are compressed.
const COMPRESS_FROM: usize = 1_000_000;
/// All files of a mail together.
const MOST_BYTES: usize = 5_000_000;

/// What goes to a receiver.
pub struct Rendered {
    /// The message.
    pub body: Body,
    /// What the first message of its conversation becomes, where it ends one.
    pub closed: Option<SlackMessage>,
}

/// The message itself.
pub enum Body {
    /// For Slack.
    Slack {
        /// In its thread, or at the top.
        message: SlackMessage,
        /// The same, where the thread is no more.
        afresh: SlackMessage,
        /// Whether an answer in a thread is shown in the channel, too.
        broadcast: bool,
    },
    /// A mail.
    Mail(MailContent),
    /// For a webhook.
    Webhook(WebhookMessage),
}

/// What else decides about how a message looks.
pub struct Occasion<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The receiver.
    pub receiver: &'a ReceiverConfig,
    /// The seal of the message's scan.
    pub seal: Option<&'a Seal>,
    /// The key of the message that began the conversation.
    pub parent_key: Option<&'a str>,
    /// Whether that message can be answered.
    pub has_thread: bool,
    /// An earlier attempt may have arrived.
    pub may_be_there: bool,
    /// Files that go with it.
    pub files: &'a Files,
}

/// Files that go with a mail.
#[derive(Debug, Default)]
pub struct Files {
    /// The files.
    pub attachments: Vec<Attachment>,
    /// What is to be said of them, as that one was too large.
    pub remarks: Vec<String>,
}

impl Rendered {
    /// Renders a message.
    ///
    /// # Errors
    /// Only if a template is broken.
    pub fn of(plan: &Plan, occasion: &Occasion<'_>) -> Result<Self, ViewError> {
        let Occasion { config, receiver, seal, parent_key, .. } = *occasion;
        let notice = &plan.notice;
        let around = Around {
            seal,
            links: &config.delivery.links,
            fields: receiver.fields,
            repeat: occasion.may_be_there,
            standalone: !occasion.has_thread,
        };
        let body = match &receiver.kind {
            ReceiverKind::Slack(_) => Body::Slack {
                message: notice::slack::message(notice, &around),
                afresh: notice::slack::message(notice, &Around { standalone: true, ..around }),
                broadcast: notice.is_for_the_channel(),
            },
            ReceiverKind::Mail(mail) => Body::Mail(notice::mail::content(
                notice,
                &around,
                &Envelope {
                    domain: &mail.domain,
                    key: &plan.key,
                    parent: parent_key,
                    attachments: &occasion.files.attachments,
                    remarks: &occasion.files.remarks,
                },
            )?),
            ReceiverKind::Webhook(_) => Body::Webhook(notice::webhook::body(notice, &around, &plan.key)),
        };
        let can_close =
            matches!(&receiver.kind, ReceiverKind::Slack(slack) if matches!(slack.way, SlackWay::Bot { .. }));
        let closed = (can_close && notice.thread.ends).then(|| notice::slack::closed(notice, &around));
        Ok(Self { body, closed })
    }
}

/// The full report of the newest scan as a page, and what is open as CSV; compressed where they are large. What would make the mail too
/// large is left out.
///
/// # Errors
/// The ledger cannot be read.
pub fn files(ledger: &LedgerReader) -> Result<Files, LedgerError> {
    let Some(report) = ledger.report(None)? else { return Ok(Files::default()) };
    let page = views::html::scan(&report).map(|page| ("report.html", "text/html; charset=utf-8", page));
    let csv = ("findings.csv", "text/csv; charset=utf-8", views::csv::findings(&report.findings));
    let mut left = MOST_BYTES;
    let mut files = Files::default();
    for (name, media_type, text) in page.into_iter().chain([csv]) {
        let file = file(&format!("scan-{}-{name}", report.scan.id), media_type, text.into_bytes());
        if file.bytes.len() <= left {
            left -= file.bytes.len();
            files.attachments.push(file);
        } else {
            let command = format!("driftledger report --scan {} -o html=report.html", report.scan.id);
            files.remarks.push(format!("{} is too large to go with a mail: `{command}` writes it", file.name));
        }
    }
    Ok(files)
}

fn file(name: &str, media_type: &'static str, bytes: Vec<u8>) -> Attachment {
    if bytes.len() < COMPRESS_FROM {
        return Attachment { name: name.to_owned(), media_type, bytes };
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    match encoder.write_all(&bytes).and_then(|()| encoder.finish()) {
        Ok(compressed) => Attachment { name: format!("{name}.gz"), media_type: "application/gzip", bytes: compressed },
        Err(_) => Attachment { name: name.to_owned(), media_type, bytes },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_large_file_is_compressed_and_a_small_one_is_not() {
        let small = file("a.csv", "text/csv", b"a,b\n".to_vec());
        assert_eq!((small.name.as_str(), small.bytes.len()), ("a.csv", 4));
        let text = "all work and no play\n".repeat(100_000);
        let large = file("a.csv", "text/csv", text.clone().into_bytes());
        assert_eq!((large.name.as_str(), large.media_type), ("a.csv.gz", "application/gzip"));
        let mut back = String::new();
        flate2::read::GzDecoder::new(large.bytes.as_slice()).read_to_string(&mut back).expect("gzip");
        assert_eq!(back, text);
    }
}
