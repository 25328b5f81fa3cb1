//! One HTTP request, and how far it got: that decides whether a message may be sent again.

use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use serde_json::Value;

use super::sender::SetupError;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Most bytes of an answer that are read: a page of messages with 50 full blocks each stays below.
const MOST: usize = 16 * 1024 * 1024;
/// Longest pause that is believed when Slack asks for one.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);

/// A client for one receiver.
pub(super) struct Wire {
    http: Client,
}

/// What came of a request.
pub(super) enum Reply {
    /// An answer.
    Answer(Answer),
    /// There was no connection: nothing of the request was given.
    NotReached(String),
    /// The request was given, or a part of it, and no whole answer came.
    Silent(String),
}

/// An answer.
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// For how long Slack asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// The token's scopes, as Slack lists them.
    pub(super) scopes: Option<String>,
    /// As far as it could be read.
    pub(super) body: Vec<u8>,
}

impl Wire {
    /// Blocks: it reads the file of authorities.
    pub(super) fn new(to: &Url, ca_file: Option<&Path>, limit: Duration) -> Result<Self, SetupError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Another thread may have been first, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut builder = Client::builder()
            .user_agent(concat!("driftledger/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .timeout(limit)
            // Less than the whole, so that a connection that never was is told from an answer that never came.
            .connect_timeout(CONNECT.min(limit / 2))
            // Messages are rare, and one given to a connection that the server is just closing would be one without an answer.
            .pool_max_idle_per_host(0);
        if to.scheme() == "http" {
            // Only to this machine, so no proxy has a part in it.
            builder = builder.no_proxy();
        }
        if let Some(path) = ca_file {
            let unusable =
                |why: &str| SetupError::new(format!("the certificate authorities in {}: {why}", path.display()));
            let pem = std::fs::read(path).map_err(|error| unusable(&error.kind().to_string()))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| unusable("it is no PEM file"))?;
            if certificates.is_empty() {
                return Err(unusable("it holds no certificate"));
            }
            builder = builder.tls_certs_only(certificates);
        }
        let http = builder
            .build()
            .map_err(|_| SetupError::new("the system's certificate authorities cannot be read").hint("set `caFile`"))?;
        Ok(Self { http })
    }

    /// Asks, or posts where there is a body.
    pub(super) async fn send(&self, url: &Url, bearer: Option<&HeaderValue>, body: Option<&Value>) -> Reply {
        let mut request = match body {
            Some(body) => self
                .http
                .post(url.clone())
                .header(CONTENT_TYPE, "application/json; charset=utf-8")
                .body(body.to_string()),
            None => self.http.get(url.clone()),
        };
        if let Some(bearer) = bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        match request.send().await {
            Ok(response) => read(response).await,
            Err(error) if error.is_connect() => Reply::NotReached(format!("no connection: {}", cause(&error))),
            Err(error) => Reply::Silent(cause(&error)),
        }
    }
}

async fn read(mut response: Response) -> Reply {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let seconds = header(RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok());
    let retry_after = seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
    let scopes = header("x-oauth-scopes");
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MOST => body.extend_from_slice(&chunk),
            Ok(None) => break,
            // What is no success says enough by its status.
            Ok(Some(_)) | Err(_) if status != 200 => break,
            Ok(Some(_)) => return Reply::Silent("an answer without an end".into()),
            Err(error) => return Reply::Silent(format!("the answer broke off: {}", cause(&error))),
        }
    }
    Reply::Answer(Answer { status, retry_after, scopes, body })
}

/// Why a request failed. Never the error's own words: they hold the address, which of a webhook is a secret.
fn cause(error: &reqwest::Error) -> String {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    let mut kind = None;
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return match tls {
                rustls::Error::InvalidCertificate(_) => {
                    "the server's certificate is not accepted; where it is of a private authority, set `caFile`".into()
                }
                _ => "no TLS with the server".into(),
            };
        }
        // The resolver's error has no public type.
        if error.to_string().starts_with("dns error") {
            return "its name cannot be resolved".into();
        }
        next = match error.downcast_ref::<io::Error>() {
            // An I/O error that wraps another does not name it as its source.
            Some(io) => {
                kind = Some(io.kind()).filter(|kind| *kind != io::ErrorKind::Other).or(kind);
                io.get_ref().map(|inner| inner as &(dyn Error + 'static))
            }
            None => error.source(),
        };
    }
    match kind {
        _ if error.is_timeout() => "timed out".into(),
        Some(kind) => kind.to_string(),
        None => "the connection was closed".into(),
    }
}
