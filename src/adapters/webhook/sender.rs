//! Hands messages over to one webhook.

use std::path::Path;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use sha2::Sha256;

use crate::config::delivery::WebhookReceiver;
use crate::model::canonical::hex;
use crate::model::delivery::Attempt;
use crate::model::message::WebhookMessage;
use crate::model::quoted::quoted;
use crate::model::time::Timestamp;

use super::answer::{of_error, of_status};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read for its words.
const MOST_ANSWER: usize = 4 * 1024;
/// Characters from which on a part of a secret address is a secret: shorter ones are words like `hooks` and `v1`.
const SECRET_PART: usize = 6;

/// Why nothing can be sent to a webhook. None of it holds the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The configuration has it elsewhere and it was not given.
    #[error("there is no address")]
    NoAddress,
    /// It is no URL.
    #[error("the address is no URL")]
    Address,
    /// It is neither https nor this machine.
    #[error("the address is not https, and findings go there")]
    InTheClear,
    /// The certificate authorities cannot be read.
    #[error("the certificate authorities in {path} cannot be used: {why}")]
    Authorities {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The system has none.
    #[error("the system's certificate authorities cannot be read")]
    Tls,
}

/// Hands messages over to one webhook; see [the room's page](super) for what it gets.
pub struct Webhook {
    client: reqwest::Client,
    address: Url,
    key: Option<Vec<u8>>,
    timeout: Duration,
    /// As people are told of it: its host, or no more than that it is one, where the address is a secret.
    name: String,
    /// What must not stand in any message.
    secrets: Vec<String>,
}

impl Webhook {
    /// For a receiver of the configuration, with what its secret places hold: `address` where the configuration has none itself, `key`
    /// for signing. `timeout` is for one message. Blocks: it reads the file of certificate authorities.
    ///
    /// # Errors
    /// The address is none or not private, or the authorities cannot be read.
    pub fn new(
        receiver: &WebhookReceiver,
        address: Option<&str>,
        key: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, WebhookError> {
        let (text, is_secret) = match (&receiver.url, address) {
            (Some(url), _) => (url.as_str(), false),
            (None, Some(address)) => (address.trim(), true),
            (None, None) => return Err(WebhookError::NoAddress),
        };
        let address = Url::parse(text).map_err(|_| WebhookError::Address)?;
        let host = address.host_str().ok_or(WebhookError::Address)?;
        let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        if !(address.scheme() == "https" || (address.scheme() == "http" && local)) {
            return Err(WebhookError::InTheClear);
        }
        let name = match (is_secret, address.port()) {
            (true, _) => "the webhook".to_owned(),
            (false, None) => host.to_owned(),
            (false, Some(port)) => format!("{host}:{port}"),
        };
        let mut secrets = if is_secret { parts(&address, text) } else { Vec::new() };
        secrets.extend(key.map(str::to_owned));
        secrets.extend(address.password().map(str::to_owned));
        // The longest first: a part must not break up what it is a part of.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Ok(Self {
            client: client(receiver.ca_file.as_deref(), timeout)?,
            address,
            key: key.map(|key| key.as_bytes().to_owned()),
            timeout,
            name,
            secrets,
        })
    }

    /// Hands a message over. `now` stands in it, and says how long a date in the answer is away.
    pub async fn send(&self, message: &WebhookMessage, now: Timestamp) -> Attempt {
        let Ok(key) = HeaderValue::from_str(&message.key) else {
            return Attempt::Refused { why: "the message's key cannot stand in a header".into(), hint: None };
        };
        let timestamp = now.unix().to_string();
        let mut request = self
            .client
            .post(self.address.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("driftledger/", env!("CARGO_PKG_VERSION")))
            .header("X-Driftledger-Key", key)
            .header("X-Driftledger-Timestamp", &timestamp);
        if let Some(key) = &self.key {
            request = request.header("X-Driftledger-Signature", signature(key, &timestamp, &message.body));
        }
        match request.body(message.body.clone()).send().await {
            Ok(answer) => {
                let (status, headers) = (answer.status(), answer.headers().clone());
                let words =
                    if status.is_success() || status.is_redirection() { None } else { Some(words(answer).await) };
                let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
                of_status(&self.name, status, &headers, &quoted(&words.unwrap_or_default(), &secrets), now)
            }
            Err(error) => of_error(&self.name, &error, self.timeout),
        }
    }
}

impl Webhook {
    /// Calls the address without saying anything (GET).
    pub async fn call(&self, now: Timestamp) -> Attempt {
        let agent = concat!("driftledger/", env!("CARGO_PKG_VERSION"));
        match self.client.get(self.address.clone()).header(USER_AGENT, agent).send().await {
            Ok(answer) => of_status(&self.name, answer.status(), answer.headers(), "", now),
            Err(error) => of_error(&self.name, &error, self.timeout),
        }
    }
}

/// `v1=` and HMAC-SHA256 over the timestamp, a point and the body.
fn signature(key: &[u8], timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    format!("v1={}", hex(&mac.finalize().into_bytes()))
}

/// The beginning of an answer. What cannot be read is no reason to know less of its status.
async fn words(mut answer: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MOST_ANSWER
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        bytes.extend_from_slice(&chunk[..chunk.len().min(MOST_ANSWER - bytes.len())]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A secret address, and each of its parts by which somebody could send to it.
fn parts(address: &Url, text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned(), address.to_string()];
    all.extend(address.host_str().map(str::to_owned));
    all.extend(address.query().map(str::to_owned));
    let values = address.query_pairs().map(|(_, value)| value.into_owned());
    let pieces = address.path().split('/').map(str::to_owned).chain(values);
    all.extend(pieces.filter(|part| part.chars().count() >= SECRET_PART));
    all
}

fn client(ca_file: Option<&Path>, timeout: Duration) -> Result<reqwest::Client, WebhookError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // A connection that was kept may be gone when it is used, and then nobody knows what was received.
        .pool_max_idle_per_host(0)
        // Sooner than all of it, so that what runs out of time later was on its way.
        .connect_timeout(CONNECT.min(timeout / 2))
        .timeout(timeout);
    if let Some(path) = ca_file {
        let fail = |why: String| WebhookError::Authorities { path: path.display().to_string(), why };
        let pem = std::fs::read(path).map_err(|error| fail(error.kind().to_string()))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| fail("it is no PEM file".into()))?;
        if authorities.is_empty() {
            return Err(fail("it holds no certificate".into()));
        }
        builder = builder.tls_certs_only(authorities);
    }
    builder.build().map_err(|_| WebhookError::Tls)
}
