//! A message from its content: text and HTML as alternatives, with files where there are any.

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::header::{ContentDisposition, ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};

use crate::model::canonical::Canonical;
use crate::model::message::{Attachment, MailContent};

/// Bytes of a line without its end (RFC 5322, 2.1.1).
const MOST_LINE: usize = 998;
/// Characters of a subject.
const MOST_SUBJECT: usize = 250;

/// Who sends and who receives; each as `name@example.com` or `Name <name@example.com>`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parties {
    /// The `From` address.
    pub from: String,
    /// The `To` addresses; at least one.
    pub to: Vec<String>,
    /// The `Reply-To` address; without one, answers go to the sender.
    pub reply_to: Option<String>,
}

/// Why there is no message, no file or nothing to send with.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// An address in the configuration is none.
    #[error("{address:?} is not a mail address")]
    Address {
        /// The text.
        address: String,
        /// What is wrong with it.
        #[source]
        source: lettre::address::AddressError,
    },
    /// A header's name is not ASCII or not a name.
    #[error("{0:?} is not a header name")]
    Header(&'static str),
    /// A file's media type is none.
    #[error("{0:?} is not a media type")]
    MediaType(&'static str),
    /// A header holds a word that is longer than a line may be.
    #[error("the mail would have a line of {0} bytes; {MOST_LINE} are allowed")]
    Line(usize),
    /// The parts do not make a message, as without a receiver.
    #[error("the mail could not be put together")]
    Build(#[from] lettre::error::Error),
    /// The file could not be written.
    #[error("the mail could not be written to {path}")]
    Write {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The certificate authorities cannot be read.
    #[error("the certificate authorities in {path} cannot be used: {why}")]
    Authorities {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is nothing to make a connection private with, as where the system has no certificate authorities.
    #[error("no private connection can be made: the system's certificate authorities cannot be read")]
    Tls(#[source] lettre::transport::smtp::Error),
    /// A user name is configured and no password was given.
    #[error("there is no password for {0:?}")]
    Password(String),
    /// The name for greeting the server is none.
    #[error("{0:?} is no host name to greet a mail server with")]
    Hello(String),
}

/// Puts a message together: text first, HTML second, as readers prefer the last they understand (RFC 2046, 5.1.4); then the files.
///
/// The same content and parties give the same bytes: `Message-ID`, `Date` and the boundaries come from the content. No line is longer
/// than mail allows, and all is ASCII unless an address is not. It has no `Bcc`.
///
/// # Errors
/// An address that is none, no receiver, or a header that cannot be written.
pub fn message(content: &MailContent, parties: &Parties) -> Result<Message, MailError> {
    let since_epoch = Duration::from_secs(u64::try_from(content.date.unix()).unwrap_or_default());
    let mut builder = Message::builder()
        .from(mailbox(&parties.from)?)
        .subject(subject(&content.subject))
        .date(SystemTime::UNIX_EPOCH + since_epoch)
        .message_id(Some(one_line(&content.message_id)));
    for address in &parties.to {
        builder = builder.to(mailbox(address)?);
    }
    if let Some(address) = &parties.reply_to {
        builder = builder.reply_to(mailbox(address)?);
    }
    if let Some(last) = content.references.last() {
        builder = builder.in_reply_to(one_line(last)).references(one_line(&content.references.join(" ")));
    }
    for (name, value) in &content.headers {
        let header = HeaderName::new_from_ascii((*name).to_owned()).map_err(|_| MailError::Header(name))?;
        builder = builder.raw_header(HeaderValue::new(header, one_line(value)));
    }
    let twins = MultiPart::alternative()
        .boundary(boundary("alternative", content))
        .singlepart(SinglePart::plain(lines(&content.text)))
        .singlepart(SinglePart::html(lines(&content.html)));
    let message = if content.attachments.is_empty() {
        builder.multipart(twins)?
    } else {
        let mut all = MultiPart::mixed().boundary(boundary("mixed", content)).multipart(twins);
        for attachment in &content.attachments {
            all = all.singlepart(file(attachment)?);
        }
        builder.multipart(all)?
    };
    match message.formatted().split(|byte| *byte == b'\n').map(<[u8]>::len).max() {
        // The line's CR counts in its length here.
        Some(longest) if longest > MOST_LINE + 1 => Err(MailError::Line(longest - 1)),
        _ => Ok(message),
    }
}

/// A boundary must not occur in the parts; no text holds its own hash.
fn boundary(kind: &str, content: &MailContent) -> String {
    let mut all = Canonical::new("driftledger/boundary/v1").text(kind).text(&content.text).text(&content.html);
    for attachment in &content.attachments {
        all = all.text(&attachment.name).bytes(&attachment.bytes);
    }
    all.finish_hex()[..40].to_owned()
}

fn file(attachment: &Attachment) -> Result<SinglePart, MailError> {
    let kind = ContentType::parse(attachment.media_type).map_err(|_| MailError::MediaType(attachment.media_type))?;
    // Always base64: a relay may change line ends of text, and the file's hash stands in the mail.
    let body = Body::new_with_encoding(attachment.bytes.clone(), ContentTransferEncoding::Base64)
        .expect("everything can be written as base64");
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = attachment.name.chars().map(plain).collect();
    Ok(SinglePart::builder().header(kind).header(ContentDisposition::attachment(&name)).body(body))
}

/// A lone CR is a line's end to some servers and none to others, which lets a text end the message early.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace(['\r', '\0'], "\n")
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Without what a reader would decode (RFC 2047) into characters that were taken out before.
fn subject(text: &str) -> String {
    let line = one_line(text).replace("=?", "= ?");
    match line.char_indices().nth(MOST_SUBJECT) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

fn mailbox(address: &str) -> Result<Mailbox, MailError> {
    one_line(address).parse().map_err(|source| MailError::Address { address: address.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::mail::write_eml;
    use crate::model::time::Timestamp;
    use std::path::Path;

    fn content() -> MailContent {
        MailContent {
            subject: "[Driftledger] prod: DRIFTED, 1 Änderung\r\nBcc: evil@example.com".into(),
            text: "DRIFTED: größer\n.\nFrom here\n".into(),
            html: "<p>DRIFTED: größer</p>\n".into(),
            message_id: "<scan-7.abc@driftledger.invalid>".into(),
            date: Timestamp::parse("2026-03-02T14:03:41Z").expect("a time"),
            headers: vec![
                ("Auto-Submitted", "auto-generated".into()),
                ("List-Id", "Driftledger scans <scans.driftledger.invalid>".into()),
            ],
            references: Vec::new(),
            attachments: Vec::new(),
        }
    }

    fn parties() -> Parties {
        Parties {
            from: "Driftledger <drift@example.com>".into(),
            to: vec!["ops@example.com".into(), "Åsa <asa@example.com>".into()],
            reply_to: None,
        }
    }

    #[test]
    fn an_eml_file_holds_both_twins_and_all_headers() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("scan.eml");
        std::fs::write(&path, "older").expect("an older file");
        write_eml(&message(&content(), &parties()).expect("a message"), &path).expect("written");
        let text = std::fs::read_to_string(&path).expect("ASCII");
        let (head, body) = text.split_once("\r\n\r\n").expect("head and body");
        for header in [
            "From: Driftledger <drift@example.com>",
            "Date: Mon, 02 Mar 2026 14:03:41 +0000",
            "Message-ID: <scan-7.abc@driftledger.invalid>",
            "Auto-Submitted: auto-generated",
            "List-Id: Driftledger scans <scans.driftledger.invalid>",
            "MIME-Version: 1.0",
        ] {
            assert!(head.contains(header), "{header}\n{head}");
        }
        assert!(head.contains("multipart/alternative") && head.contains("ops@example.com"));
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        let (plain, html) = (body.find("text/plain").expect("text"), body.find("text/html").expect("HTML"));
        assert!(plain < html);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "no leftovers");
    }

    #[test]
    fn the_same_content_gives_the_same_bytes() {
        let bytes = || message(&content(), &parties()).expect("a message").formatted();
        assert_eq!(bytes(), bytes());
    }

    #[test]
    fn refusals_are_typed() {
        let wrong = Parties { from: "nobody".into(), ..parties() };
        assert!(matches!(message(&content(), &wrong), Err(MailError::Address { address, .. }) if address == "nobody"));
        let nobody = Parties { to: vec![], ..parties() };
        assert!(matches!(message(&content(), &nobody), Err(MailError::Build(_))));
        let message = message(&content(), &parties()).expect("a message");
        assert!(matches!(write_eml(&message, Path::new("/no/such/folder/x.eml")), Err(MailError::Write { .. })));
    }
    fn head(message: &Message) -> String {
        let text = String::from_utf8(message.formatted()).expect("ASCII");
        text.split("\r\n\r\n").next().expect("a head").replace("\r\n ", " ")
    }

    #[test]
    fn an_answer_names_what_it_answers() {
        let references: Vec<String> =
            (0..40).map(|n| format!("<m-{n}.0123456789abcdef@driftledger.invalid>")).collect();
        let content = MailContent { references: references.clone(), ..content() };
        let parties = Parties { reply_to: Some("Ops <ops@example.com>".into()), ..parties() };
        let head = head(&message(&content, &parties).expect("a message"));
        assert!(head.contains(&format!("\r\nIn-Reply-To: {}\r\n", references[39])), "{head}");
        let line = head.lines().find(|line| line.starts_with("References: ")).expect("references");
        assert_eq!(line["References: ".len()..].split_whitespace().collect::<Vec<_>>(), references);
        assert!(head.contains("\r\nReply-To: Ops <ops@example.com>\r\n"), "{head}");
        assert!(
            !self::head(&message(&super::tests::content(), &super::tests::parties()).expect("a message"))
                .contains("In-Reply-To")
        );
    }

    #[test]
    fn files_go_with_it_as_base64() {
        let report = Attachment { name: "../a b\".csv".into(), media_type: "text/csv", bytes: b"a,b\n1,2\n".to_vec() };
        let binary = Attachment {
            name: "r.gz".into(),
            media_type: "application/gzip",
            bytes: (0..=255).cycle().take(5_000).collect(),
        };
        let content = MailContent { attachments: vec![report, binary], ..content() };
        let bytes = || message(&content, &parties()).expect("a message").formatted();
        assert_eq!(bytes(), bytes());
        let text = String::from_utf8(bytes()).expect("ASCII");
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}\n{text}"));
        assert!(at("multipart/mixed") < at("multipart/alternative") && at("text/html") < at("text/csv"));
        assert!(text.contains("Content-Disposition: attachment; filename=\".._a_b_.csv\""), "{text}");
        assert!(text.contains("\r\n\r\nYSxiCjEsMgo=\r\n"), "{text}");
        assert_eq!(text.matches("Content-Transfer-Encoding: base64").count(), 2);
    }

    #[test]
    fn no_text_breaks_out_of_its_place() {
        let evil =
            "x\r\nBcc: evil@example.com\r\n\r\n.\r\nMAIL FROM:<a@b>\u{0}\u{1b}\n.\n\r.\r=?utf-8?q?=0D=0ABcc:_a@b?=";
        let content = MailContent {
            subject: evil.into(),
            text: evil.repeat(2),
            html: evil.into(),
            message_id: "<a\r\nBcc: b@c>".into(),
            headers: vec![("List-Id", evil.into())],
            references: vec![evil.into()],
            attachments: vec![Attachment { name: evil.into(), media_type: "text/plain", bytes: evil.into() }],
            ..content()
        };
        let message = message(&content, &parties()).expect("a message");
        let bytes = message.formatted();
        assert!(bytes.is_ascii() && !bytes.contains(&0));
        let text = String::from_utf8(bytes).expect("ASCII");
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a lone CR or LF: {text:?}");
        let head = head(&message);
        assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{head}");
        assert!(
            !head.lines().find(|line| line.starts_with("Subject")).expect("one").contains("=?utf-8?q?=0D"),
            "{head}"
        );
        assert_eq!(message.envelope().to().len(), 2);
        let from = Parties { from: "A\r\nBcc: evil@example.com <a@example.com>".into(), ..parties() };
        if let Ok(message) = super::message(&content, &from) {
            assert!(!self::head(&message).lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")));
            assert_eq!(message.envelope().to().len(), 2);
        }
    }

    #[test]
    fn no_line_is_longer_than_mail_allows() {
        for long in ["x".repeat(5_000), "größer ".repeat(1_000), "x y ".repeat(2_000), "=".repeat(2_000)] {
            let content =
                MailContent { subject: long.clone(), text: long.clone(), html: format!("<p>{long}</p>"), ..content() };
            let bytes = message(&content, &parties()).expect("a message").formatted();
            assert!(bytes.is_ascii());
            assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= MOST_LINE + 1));
        }
        let content = MailContent { headers: vec![("List-Id", "x".repeat(2_000))], ..content() };
        assert!(matches!(message(&content, &parties()), Err(MailError::Line(2_009))));
    }
}
