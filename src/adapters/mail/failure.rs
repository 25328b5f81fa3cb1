//! What a failed step of a conversation means for the message.

use std::error::Error;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::transport::smtp;
use rustls::CertificateError;

use crate::model::delivery::Attempt;
use crate::model::quoted::quoted;

/// How far a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Connecting and greeting.
    Opening,
    /// STARTTLS and the handshake.
    Private,
    /// AUTH.
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Receivers,
    /// DATA, and the message itself.
    Content,
    /// A question that changes nothing.
    Looking,
}

impl Stage {
    fn text(self) -> &'static str {
        match self {
            Self::Opening => "the connection",
            Self::Private => "to make the connection private",
            Self::Login => "the login",
            Self::Sender => "the sender",
            Self::Receivers => "the receivers",
            Self::Content => "the message",
            Self::Looking => "to answer",
        }
    }

    fn hint(self, code: u16) -> Option<&'static str> {
        match self {
            Self::Opening => Some("ask whether the server takes mail from this machine, and under the name in `hello`"),
            Self::Login => Some("check `username` and the password"),
            // RFC 4954, 6.
            Self::Sender if code == 530 => Some("the server wants a login: set `username` and a password"),
            Self::Sender => Some("`from` must be an address that the server lets this login send for"),
            Self::Receivers => Some("correct `to`"),
            Self::Private | Self::Content | Self::Looking => None,
        }
    }
}

/// The server, as its failures name it.
#[derive(Clone)]
pub(super) struct Peer {
    /// `mail.example.com:587`.
    pub(super) name: String,
    /// What must not stand in any message.
    secrets: Vec<String>,
}

impl Peer {
    pub(super) fn new(host: &str, port: u16, login: Option<(&str, &str)>) -> Self {
        let secrets = login.map_or_else(Vec::new, |(user, password)| {
            vec![
                password.to_owned(),
                // As AUTH sends it (RFC 4616).
                BASE64.encode(format!("\0{user}\0{password}")),
                BASE64.encode(password),
            ]
        });
        Self { name: format!("{host}:{port}"), secrets }
    }

    /// The server's words.
    pub(super) fn quoted(&self, text: &str) -> String {
        quoted(text, &self.secrets.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Its answer, with the code: `550 5.1.1 no such user`.
    pub(super) fn answer(&self, error: &smtp::Error) -> String {
        let code = error.status().map(|code| format!("{code} ")).unwrap_or_default();
        self.quoted(&format!("{code}{}", error.source().map(ToString::to_string).unwrap_or_default()))
    }

    /// What a failure before the end of the message means.
    pub(super) fn failed(&self, stage: Stage, error: &smtp::Error) -> Attempt {
        let (name, what) = (&self.name, stage.text());
        let Some(code) = error.status() else { return self.broken(stage, error) };
        let answer = self.answer(error);
        if error.is_transient() {
            return Attempt::Later { why: format!("{name} refuses {what} for now: {answer}"), wait: None };
        }
        let hint = stage.hint(code.into()).map(str::to_owned);
        Attempt::Refused { why: format!("{name} refuses {what}: {answer}"), hint }
    }

    /// A failure without an answer.
    fn broken(&self, stage: Stage, error: &smtp::Error) -> Attempt {
        if stage == Stage::Login && error.is_client() {
            let why = format!("{} asks for something at the login that is no user name and no password", self.name);
            return Attempt::Refused { why, hint: Some("use a server that takes AUTH PLAIN or LOGIN".into()) };
        }
        match root(error) {
            Root::Tls(error) => self.of_tls(error, stage),
            _ => Attempt::Later { why: self.lost(stage, error), wait: None },
        }
    }

    /// `mail.example.com:587 cannot be reached: connection refused`.
    pub(super) fn unreachable(&self, error: &io::Error) -> Attempt {
        Attempt::Later { why: format!("{} cannot be reached: {}", self.name, words(error)), wait: None }
    }

    /// How a connection was lost.
    pub(super) fn lost(&self, stage: Stage, error: &smtp::Error) -> String {
        let why = match root(error) {
            Root::Io(error) => words(error),
            Root::Tls(error) => error.to_string(),
            // Lettre's words for the end of the stream.
            Root::Other(text) if text == "incomplete response" => "it closed the connection".into(),
            Root::Other(text) => text,
        };
        let step = match stage {
            Stage::Opening => "while connecting",
            Stage::Private => "while the connection was made private",
            Stage::Login => "at the login",
            Stage::Sender => "at the sender",
            Stage::Receivers => "at the receivers",
            Stage::Content => "at the message",
            Stage::Looking => "when asked whether it is there",
        };
        self.quoted(&format!("{} was lost {step}: {why}", self.name))
    }

    /// A wrong authority or name stays wrong until somebody does something; everything else may pass.
    fn of_tls(&self, error: &rustls::Error, stage: Stage) -> Attempt {
        use CertificateError as Certificate;
        let name = &self.name;
        let refused =
            |why: &str, hint: &str| Attempt::Refused { why: format!("{name} {why}"), hint: Some(hint.into()) };
        let later = |why: &str| Attempt::Later { why: format!("{name} {why}"), wait: None };
        match error {
            // A bad signature is what an authority of the same name with another key gives.
            rustls::Error::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature) => refused(
                "has a certificate of an authority that is not trusted",
                "name the file with the server's certificate authority in `caFile`",
            ),
            rustls::Error::InvalidCertificate(
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
            ) => refused("has a certificate for another name", "set `host` to a name that the certificate is for"),
            rustls::Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
                later("has a certificate that has expired")
            }
            rustls::Error::InvalidMessage(_) if stage == Stage::Opening => refused(
                "does not speak TLS from the first byte on",
                "use the port that does (often 465), or `tls: starttls` (often on 587)",
            ),
            rustls::Error::InvalidMessage(_) => later("sent something else than TLS after it agreed to STARTTLS"),
            other => later(&format!("cannot make the connection private: {}", quoted(&other.to_string(), &[]))),
        }
    }
}

/// What is at the bottom of an error.
enum Root<'a> {
    Tls(&'a rustls::Error),
    Io(&'a io::Error),
    Other(String),
}

fn root(error: &smtp::Error) -> Root<'_> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    let (mut io, mut last) = (None, String::new());
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Root::Tls(tls);
        }
        last = error.to_string();
        next = match error.downcast_ref::<io::Error>() {
            // An I/O error that wraps another does not name it as its source.
            Some(error) => {
                io = Some(error);
                error.get_ref().map(|inner| inner as &(dyn Error + 'static))
            }
            None => error.source(),
        };
    }
    io.map_or(Root::Other(last), Root::Io)
}

/// What the system says, without its numbers.
fn words(error: &io::Error) -> String {
    match error.get_ref() {
        Some(inner) => inner.to_string(),
        None => error.kind().to_string(),
    }
}
