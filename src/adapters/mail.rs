//! Mail: a multipart/alternative message from its content, and that message as an `.eml` file.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use crate::model::canonical::Canonical;
use crate::model::message::MailContent;

/// Who sends and who receives; each as `name@example.com` or `Name <name@example.com>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parties {
    /// The `From` address.
    pub from: String,
    /// The `To` addresses; at least one.
    pub to: Vec<String>,
}

/// Why there is no message or no file.
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
}

/// Puts a message together: text first, HTML second, as readers prefer the last they understand (RFC 2046, 5.1.4).
///
/// The same content and parties give the same bytes: `Message-ID`, `Date` and the boundary come from the content.
///
/// # Errors
/// An address that is none, no receiver, or a header that cannot be written.
pub fn message(content: &MailContent, parties: &Parties) -> Result<Message, MailError> {
    // A boundary must not occur in the parts; no text holds its own hash.
    let boundary = Canonical::new("driftledger/boundary/v1").text(&content.text).text(&content.html).finish_hex();
    let since_epoch = Duration::from_secs(u64::try_from(content.date.unix()).unwrap_or_default());
    let mut builder = Message::builder()
        .from(mailbox(&parties.from)?)
        .subject(&content.subject)
        .date(SystemTime::UNIX_EPOCH + since_epoch)
        .message_id(Some(content.message_id.clone()));
    for address in &parties.to {
        builder = builder.to(mailbox(address)?);
    }
    for (name, value) in &content.headers {
        let header = HeaderName::new_from_ascii((*name).to_owned()).map_err(|_| MailError::Header(name))?;
        builder = builder.raw_header(HeaderValue::new(header, value.clone()));
    }
    let body = MultiPart::alternative()
        .boundary(&boundary[..40])
        .singlepart(SinglePart::plain(content.text.clone()))
        .singlepart(SinglePart::html(content.html.clone()));
    Ok(builder.multipart(body)?)
}

fn mailbox(address: &str) -> Result<Mailbox, MailError> {
    address.parse().map_err(|source| MailError::Address { address: address.to_owned(), source })
}

/// Writes a message as an `.eml` file (RFC 5322, CRLF lines): whole or not at all, in place of an older one.
///
/// # Errors
/// Where the folder does not exist or cannot be written.
pub fn write_eml(message: &Message, path: &Path) -> Result<(), MailError> {
    let fail = |source| MailError::Write { path: path.display().to_string(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    file.write_all(&message.formatted()).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|e| fail(e.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

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
}
