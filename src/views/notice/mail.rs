//! A notice as mail: text and HTML that say the same.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::canonical::hex;
use crate::model::finding::Severity;
use crate::model::message::{Attachment, MailContent};
use crate::model::notice::Notice;
use crate::views::escape::terminal;
use crate::views::mail::{ANCHOR_NOTE, MOST_BYTES, MOST_ROWS, id_part};
use crate::views::value::cut;
use crate::views::words::counted;
use crate::views::{ViewError, severity, shown, templates};

use super::gap::ToldGap;
use super::letter::{self, Letter, Next, ToldItem};
use super::line::Line;
use super::summary::Fact;
use super::{Around, headline, withheld};

/// What a mail is told besides.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The outbox's key of the message: its Message-ID comes of it, so that a mail sent twice can be told.
    pub key: &'a str,
    /// The outbox's key of the message that began the conversation; `None` for that one itself, and where it is not known.
    pub parent: Option<&'a str>,
    /// The domain of Message-ID and List-Id.
    pub domain: &'a str,
    /// Files that go with it, as they are sent: each is listed in the body with its size and SHA-256.
    pub attachments: &'a [Attachment],
    /// What is said below that list, as that a file was too large.
    pub remarks: &'a [String],
}

#[derive(Serialize)]
struct Page<'l> {
    subject: String,
    headline: &'l str,
    /// The colour of the line at its top.
    ink: &'static str,
    lead: &'l [Line],
    lead_text: Vec<String>,
    facts: &'l [Fact],
    title: &'static str,
    items: Vec<Item<'l>>,
    in_full: bool,
    more: Option<String>,
    gaps: Vec<Gap<'l>>,
    more_gaps: Option<String>,
    next: &'l [Next],
    next_text: Vec<String>,
    buttons: Vec<Button<'l>>,
    files: Vec<String>,
    remarks: Vec<String>,
    proof: String,
    seal: Option<String>,
    ledger: Option<String>,
    anchor_note: &'static str,
}

#[derive(Serialize)]
struct Item<'l> {
    #[serde(flatten)]
    told: &'l ToldItem,
    git: Option<&'l str>,
    live: Option<&'l str>,
    evidence_text: Vec<String>,
    /// Its object's page, where no button leads there.
    page: Option<&'l str>,
}

#[derive(Serialize)]
struct Gap<'l> {
    #[serde(flatten)]
    told: &'l ToldGap,
    what_text: String,
    more_text: Vec<String>,
}

#[derive(Serialize)]
struct Button<'l> {
    label: &'l str,
    url: &'l str,
}

/// The mail of a notice. It stays under [`MOST_BYTES`] and [`MOST_ROWS`]: whole findings are left out from the end, and said to be.
/// The files of the envelope are listed, and attached.
///
/// # Errors
/// Only if an embedded template is broken.
pub fn content(notice: &Notice, around: &Around<'_>, envelope: &Envelope<'_>) -> Result<MailContent, ViewError> {
    let withheld;
    let notice = if around.withholds() {
        withheld = withheld::without_values(notice);
        &withheld
    } else {
        notice
    };
    let mut letter = letter::of(notice, around);
    let most = |count: usize, told: &mut u64, most: usize| {
        let kept = count.min(most);
        *told += (count - kept) as u64;
        kept
    };
    loop {
        let kept = most(letter.items.len(), &mut letter.more, MOST_ROWS);
        letter.items.truncate(kept);
        let kept = most(letter.gaps.len(), &mut letter.more_gaps, MOST_ROWS);
        letter.gaps.truncate(kept);
        let page = page(notice, around, envelope, &letter);
        let html = templates::render("mail/notice.html", &page)?;
        let (items, gaps) = (letter.items.len(), letter.gaps.len());
        if html.len() > MOST_BYTES && items + gaps > 0 {
            letter.more += (items - items * 4 / 5) as u64;
            letter.items.truncate(items * 4 / 5);
            letter.more_gaps += (gaps - gaps * 4 / 5) as u64;
            letter.gaps.truncate(gaps * 4 / 5);
            continue;
        }
        let text = templates::render("mail/notice.txt", &page)?;
        return Ok(MailContent {
            subject: page.subject,
            text,
            html,
            message_id: message_id(envelope.key, envelope.domain),
            date: notice.scan.started_at,
            headers: headers(notice, envelope.domain),
            references: references(notice, envelope),
            attachments: envelope.attachments.to_vec(),
        });
    }
}

/// The Message-ID of the message with that key.
pub fn message_id(key: &str, domain: &str) -> String {
    format!("<{}@{domain}>", id_of(key))
}

/// The conversation's root, which is no mail, and the mail that began it. Mails of a conversation are sorted together by the root even
/// where a reader does not have the first.
fn references(notice: &Notice, envelope: &Envelope<'_>) -> Vec<String> {
    let root = format!("<thread-{}@{}>", id_of(&notice.thread.key), envelope.domain);
    let parent = envelope.parent.filter(|parent| *parent != envelope.key);
    std::iter::once(root).chain(parent.map(|parent| message_id(parent, envelope.domain))).collect()
}

/// A Message-ID's left side takes only some characters; a key with others is known by its hash.
fn id_of(key: &str) -> String {
    let plain = !key.is_empty() && key.len() <= 120 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if plain { key.to_owned() } else { hex(&Sha256::digest(key.as_bytes())) }
}

fn headers(notice: &Notice, domain: &str) -> Vec<(&'static str, String)> {
    let route = match id_part(notice.route.as_str()) {
        empty if empty.is_empty() => "messages".to_owned(),
        route => route,
    };
    let mut headers = vec![
        // RFC 3834: no machine should answer this.
        ("Auto-Submitted", "auto-generated".to_owned()),
        // RFC 2919: what people filter on.
        ("List-Id", format!("Driftledger {route} <{}.routes.{domain}>", route.to_ascii_lowercase())),
    ];
    if let Some(worst) = headline::worst(notice) {
        headers.push(("X-Driftledger-Severity", worst.to_string()));
        if worst == Severity::Critical {
            // RFC 2156: what a reader may mark, as the subject stays the same.
            headers.push(("Importance", "high".to_owned()));
        }
    }
    headers
}

fn page<'l>(notice: &Notice, around: &Around<'_>, envelope: &Envelope<'_>, letter: &'l Letter) -> Page<'l> {
    let texts = |lines: &[Line]| lines.iter().map(Line::text).collect::<Vec<_>>();
    let more = |left: u64, one: &str| {
        let words = counted(left, &format!("more {one}"), &format!("more {one}s"));
        let see = if letter.report.is_some() || !envelope.attachments.is_empty() {
            "see the report"
        } else {
            "see `driftledger findings`"
        };
        (left > 0).then(|| format!("And {words}: {see}."))
    };
    let item = |told: &'l ToldItem| Item {
        told,
        git: told.sides.as_ref().map(|(git, _)| git.as_str()),
        live: told.sides.as_ref().map(|(_, live)| live.as_str()),
        evidence_text: texts(&told.evidence),
        page: told.link.as_deref().filter(|page| letter.buttons.iter().all(|(_, url)| url != page)),
    };
    let gap = |told: &'l ToldGap| Gap { told, what_text: told.what.text(), more_text: texts(&told.more) };
    // A test rests on no scan.
    let seal = around.seal.filter(|_| !letter.proof.is_empty());
    Page {
        subject: headline::subject(notice),
        headline: &letter.headline.text,
        ink: match letter.headline.severity {
            Some(Severity::Critical | Severity::High) => severity::colours(Severity::Critical).1,
            Some(Severity::Medium) => "#b26b00",
            Some(_) => "#5b6672",
            None if letter.headline.mark == headline::DONE => "#0d6832",
            None => "#5b6672",
        },
        lead: &letter.lead,
        lead_text: texts(&letter.lead),
        facts: &letter.facts,
        title: letter.title,
        items: letter.items.iter().map(item).collect(),
        in_full: letter.in_full,
        more: more(letter.more, "finding"),
        gaps: letter.gaps.iter().map(gap).collect(),
        more_gaps: more(letter.more_gaps, "gap"),
        next: &letter.next,
        next_text: letter.next.iter().map(|next| format!("{}: {}", next.label, next.line.text())).collect(),
        buttons: letter.buttons.iter().map(|(label, url)| Button { label, url }).collect(),
        files: envelope.attachments.iter().map(file).collect(),
        remarks: envelope.remarks.iter().map(|remark| cut(&terminal(remark), 300)).collect(),
        proof: letter.proof.join(" · "),
        seal: seal.map(|seal| format!("#{} {}", seal.sequence, terminal(&seal.hash))),
        ledger: seal.map(|_| terminal(notice.scan.ledger.as_str())),
        anchor_note: ANCHOR_NOTE,
    }
}

/// `report.html (120.4 KB), SHA-256 9f3a…`
fn file(attachment: &Attachment) -> String {
    let (name, size) = (terminal(&attachment.name), shown::size(attachment.bytes.len()));
    format!("{name} ({size}), SHA-256 {}", hex(&Sha256::digest(&attachment.bytes)))
}
