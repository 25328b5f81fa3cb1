//! What an answer, or none, means for the message.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use rustls::CertificateError;

use crate::model::delivery::{Attempt, Receipt};
use crate::model::time::Timestamp;

/// No receiver decides for longer than this when it is asked again.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);

/// What a status means. `words` are those of the answer's body, harmless.
pub(super) fn of_status(name: &str, status: StatusCode, headers: &HeaderMap, words: &str, now: Timestamp) -> Attempt {
    let reason = status.canonical_reason().map(|reason| format!(" {reason}")).unwrap_or_default();
    let says = format!("{}{reason}", status.as_u16());
    if status.is_success() {
        return Attempt::Taken(Receipt { says: Some(says), ..Receipt::default() });
    }
    if status.is_redirection() {
        return Attempt::Refused {
            why: format!("{name} sends elsewhere ({says}), which is not followed"),
            hint: Some("configure the address that takes the message itself".into()),
        };
    }
    let words = if words.is_empty() { String::new() } else { format!(": {words}") };
    let why = format!("{name} answers {says}{words}");
    match status.as_u16() {
        408 | 425 | 429 | 500..=599 => Attempt::Later { why, wait: retry_after(headers, now) },
        code => {
            let hint = match code {
                401 | 403 => Some("check the address and the key for signing"),
                404 | 405 | 410 => Some("check the address"),
                407 => Some("check the proxy in the environment"),
                _ => None,
            };
            Attempt::Refused { why, hint: hint.map(str::to_owned) }
        }
    }
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            u64::try_from(date.as_second() - now.unix()).unwrap_or_default()
        }
    };
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// What it means that there is no answer. The client's own text is not used: it names the address, and perhaps a proxy with its password.
pub(super) fn of_error(name: &str, error: &reqwest::Error, timeout: Duration) -> Attempt {
    if error.is_builder() {
        let hint = Some("check the address".into());
        return Attempt::Refused { why: format!("no request can be made for {name}"), hint };
    }
    let cause = root(error);
    if !error.is_connect() {
        // The connection was there, so the request was on its way.
        let why = match cause {
            _ if error.is_timeout() => format!("{name} was given the message and said nothing for {timeout:?}"),
            Root::Io(kind) => format!("{name} was given the message, then the connection was lost: {kind}"),
            Root::Tls(_) | Root::Other => format!("{name} was given the message, and gave no valid answer"),
        };
        return Attempt::Unanswered { why };
    }
    let why = match cause {
        Root::Tls(error) => return of_tls(name, error),
        Root::Io(kind) => kind.to_string(),
        Root::Other if error.is_timeout() => "it takes too long".to_owned(),
        Root::Other => "its name is not known, or nobody answers".to_owned(),
    };
    Attempt::Later { why: format!("{name} cannot be reached: {why}"), wait: None }
}

/// A wrong authority or name stays wrong until somebody does something; everything else may pass. Rustls' own words name hosts.
fn of_tls(name: &str, error: &rustls::Error) -> Attempt {
    use CertificateError as Certificate;
    let refused = |why: &str, hint: &str| Attempt::Refused { why: format!("{name} {why}"), hint: Some(hint.into()) };
    let later = |why: &str| Attempt::Later { why: format!("{name} {why}"), wait: None };
    match error {
        // A bad signature is what an authority of the same name with another key gives.
        rustls::Error::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature) => refused(
            "has a certificate of an authority that is not trusted",
            "name the file with its certificate authority in `caFile`",
        ),
        rustls::Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => refused(
            "has a certificate for another name",
            "check the address: its host must be a name in the certificate",
        ),
        rustls::Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            later("has a certificate that has expired")
        }
        rustls::Error::InvalidMessage(_) => refused("does not speak TLS", "check the address: its port takes no https"),
        _ => later("could not agree on a private connection"),
    }
}

/// What is at the bottom of an error.
enum Root<'a> {
    Tls(&'a rustls::Error),
    Io(io::ErrorKind),
    Other,
}

fn root(error: &reqwest::Error) -> Root<'_> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    let mut kind = None;
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Root::Tls(tls);
        }
        next = match error.downcast_ref::<io::Error>() {
            // An I/O error that wraps another does not name it as its source.
            Some(io) => {
                // The kinds without a name are written as if they were one.
                let named = !matches!(io.kind().to_string().as_str(), "other error" | "uncategorized error");
                kind = Some(io.kind()).filter(|_| named).or(kind);
                io.get_ref().map(|inner| inner as &(dyn Error + 'static))
            }
            None => error.source(),
        };
    }
    kind.map_or(Root::Other, Root::Io)
}
