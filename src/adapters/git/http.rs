//! The HTTP side of a fetch, as gix's transport asks for it.
//!
//! It is ours because gix's own client knows neither a bound for the whole fetch nor which host credentials belong to. The rules:
//! credentials go to the configured scheme, host and port only and are never sent over plain http; a redirect elsewhere is followed only
//! without credentials and never from https to http; every wait has an end; what failed is kept as a [`Failure`] for the message.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, BufReader, Cursor, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use base64::Engine;
use gix::protocol::transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode, Url};

use super::deadline::Deadline;
use super::failure::{Failure, of_request};
use super::source::RepositorySource;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(15);
/// Longest wait for the next bytes. A server may think for a while before it sends a large pack.
const STALL: Duration = Duration::from_secs(60);
/// As many redirects as a renamed repository behind a load balancer needs, and no loop.
const REDIRECTS: usize = 5;

/// Where the first failure of a fetch is kept: gix wraps errors in ways that lose their type.
#[derive(Clone, Default)]
pub(super) struct FailureCell(Rc<RefCell<Option<Failure>>>);

impl FailureCell {
    pub(super) fn take(&self) -> Option<Failure> {
        self.0.borrow_mut().take()
    }

    fn keep(&self, failure: Failure) -> io::Error {
        self.0.borrow_mut().get_or_insert(failure);
        io::Error::other("see the fetch's failure")
    }
}

/// Speaks HTTP for one fetch.
pub(super) struct Client {
    wire: Rc<Wire>,
    failure: FailureCell,
    redirected: Option<String>,
}

struct Wire {
    http: reqwest::Client,
    runtime: Runtime,
    /// Where credentials may go.
    home: Url,
    authorization: Option<HeaderValue>,
    deadline: Deadline,
}

/// Drives one fetch's connections. It ends at once: a name that is still being looked up in the background is not waited for.
struct Runtime(Option<tokio::runtime::Runtime>);

impl Runtime {
    fn new() -> io::Result<Self> {
        tokio::runtime::Builder::new_current_thread().enable_all().build().map(|runtime| Self(Some(runtime)))
    }

    fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.0.as_ref().expect("it is taken only when this is dropped").block_on(what)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// A client for `url` with what `source` says about credentials and certificates. Proxies come from the environment.
    pub(super) fn new(
        source: &RepositorySource,
        url: &Url,
        deadline: Deadline,
        failure: FailureCell,
    ) -> Result<Self, Failure> {
        let authorization = authorization(source)?;
        if authorization.is_some() && url.scheme() != "https" {
            return Err(Failure::ClearText);
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Another thread may have been first, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT.min(deadline.left()));
        if let Some(path) = &source.ca_file {
            let pem = std::fs::read(path).map_err(|e| Failure::CaFile(e.kind().to_string()))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| Failure::CaFile("it is no PEM file".into()))?;
            if certificates.is_empty() {
                return Err(Failure::CaFile("it holds no certificate".into()));
            }
            builder = builder.tls_certs_only(certificates);
        }
        let http =
            builder.build().map_err(|_| Failure::Tls("the system's certificate authorities cannot be read".into()))?;
        let runtime = Runtime::new().map_err(|e| Failure::cache("no runtime for the network", &e))?;
        let wire = Wire { http, runtime, home: url.clone(), authorization, deadline };
        Ok(Self { wire: Rc::new(wire), failure, redirected: None })
    }

    fn follow(&mut self, url: &str, base_url: &str, headers: HeaderMap) -> Result<reqwest::Response, Failure> {
        let tail = url.strip_prefix(base_url).unwrap_or_default();
        let mut target = Url::parse(url).map_err(|_| Failure::NotGit)?;
        for _ in 0..=REDIRECTS {
            let response = self.wire.send(Method::GET, &target, headers.clone(), None)?;
            if !response.status().is_redirection() {
                if target.as_str() != url {
                    let base = target.as_str().strip_suffix(tail).ok_or(Failure::NotGit)?;
                    self.redirected = Some(base.to_owned());
                }
                return self.wire.accepted(response, &target);
            }
            target = self.wire.redirect(&target, &response)?;
        }
        Err(Failure::Protocol("too many redirects".into()))
    }
}

fn authorization(source: &RepositorySource) -> Result<Option<HeaderValue>, Failure> {
    let Some(credentials) = &source.credentials else { return Ok(None) };
    let (user, password) = credentials.pair();
    if user.contains(':') || user.chars().chain(password.chars()).any(char::is_control) {
        return Err(Failure::Credentials);
    }
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).map_err(|_| Failure::Credentials)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

impl Wire {
    fn send(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
    ) -> Result<reqwest::Response, Failure> {
        let mut request = self.http.request(method, url.clone()).headers(headers);
        if let Some(value) = self.authorization.as_ref().filter(|_| same_origin(url, &self.home)) {
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        self.wait(request.send())
    }

    fn wait<T>(&self, what: impl Future<Output = Result<T, reqwest::Error>>) -> Result<T, Failure> {
        let left = self.deadline.left();
        let limit = STALL.min(left);
        if left.is_zero() {
            return Err(self.deadline.failure());
        }
        match self.runtime.wait(async { tokio::time::timeout(limit, what).await }) {
            Ok(answer) => answer.map_err(|error| of_request(&error)),
            Err(_) if limit < left => Err(Failure::Stalled(limit.as_secs())),
            Err(_) => Err(self.deadline.failure()),
        }
    }

    /// Turns an HTTP status that is no success into its failure.
    fn accepted(&self, response: reqwest::Response, url: &Url) -> Result<reqwest::Response, Failure> {
        let sent = self.authorization.is_some() && same_origin(url, &self.home);
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::UNAUTHORIZED => Err(Failure::Unauthorized { sent }),
            StatusCode::FORBIDDEN => Err(Failure::Forbidden),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Failure::NotFound),
            status => Err(Failure::Status(status.as_u16())),
        }
    }

    /// Where a redirect leads, if it may be followed.
    fn redirect(&self, from: &Url, response: &reqwest::Response) -> Result<Url, Failure> {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).ok_or(Failure::NotGit)?;
        let mut to = from.join(location).map_err(|_| Failure::NotGit)?;
        let known =
            to.set_username("").is_ok() && to.set_password(None).is_ok() && matches!(to.scheme(), "https" | "http");
        let downgrade = from.scheme() == "https" && to.scheme() == "http";
        let leaves = self.authorization.is_some() && !same_origin(&to, &self.home);
        if !known || downgrade || leaves {
            let place = match to.port() {
                Some(port) => format!("{}://{}:{port}", to.scheme(), to.host_str().unwrap_or("?")),
                None => format!("{}://{}", to.scheme(), to.host_str().unwrap_or("?")),
            };
            return Err(Failure::Redirected(place));
        }
        Ok(to)
    }
}

impl Http for Client {
    type Headers = BufReader<Part>;
    type ResponseBody = BufReader<Part>;
    type PostBody = Upload;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let headers = header_map(headers);
        let response = self
            .follow(url, base_url, headers)
            .map_err(|failure| gix::Error::from_error(self.failure.keep(failure)))?;
        let exchange = self.exchange(Stage::open(response));
        Ok(GetResponse { headers: exchange.part(true), body: exchange.part(false) })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let url = Url::parse(url).map_err(|_| gix::Error::from_error(self.failure.keep(Failure::NotGit)))?;
        let exchange = self.exchange(Stage::Pending { url, headers: header_map(headers), body: Vec::new() });
        Ok(PostResponse { headers: exchange.part(true), body: exchange.part(false), post_body: Upload(exchange) })
    }

    fn configure(&mut self, _config: &dyn std::any::Any) -> gix::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}

fn header_map(lines: impl IntoIterator<Item = impl AsRef<str>>) -> HeaderMap {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value.trim()).ok()?))
    };
    lines.into_iter().filter_map(|line| pair(line.as_ref())).collect()
}

/// One request and its answer. A POST is sent when its answer is first read: by then its body, a list of object ids, is whole.
#[derive(Clone)]
struct Exchange {
    wire: Rc<Wire>,
    failure: FailureCell,
    stage: Rc<RefCell<Stage>>,
}

enum Stage {
    Pending { url: Url, headers: HeaderMap, body: Vec<u8> },
    Open { headers: Cursor<Vec<u8>>, chunk: Cursor<bytes::Bytes>, response: Box<reqwest::Response> },
    Failed,
}

impl Stage {
    fn open(response: reqwest::Response) -> Self {
        let mut lines = Vec::new();
        for (name, value) in response.headers() {
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.push(b':');
            lines.extend_from_slice(value.as_bytes());
            lines.push(b'\n');
        }
        Self::Open { headers: Cursor::new(lines), chunk: Cursor::default(), response: Box::new(response) }
    }
}

impl Client {
    fn exchange(&self, stage: Stage) -> Exchange {
        Exchange { wire: self.wire.clone(), failure: self.failure.clone(), stage: Rc::new(RefCell::new(stage)) }
    }
}

impl Exchange {
    fn part(&self, headers: bool) -> BufReader<Part> {
        BufReader::with_capacity(64 * 1024, Part { exchange: self.clone(), headers })
    }

    fn read(&self, wants_headers: bool, buffer: &mut [u8]) -> Result<usize, Failure> {
        let mut stage = self.stage.borrow_mut();
        if matches!(*stage, Stage::Pending { .. })
            && let Stage::Pending { url, headers, body } = std::mem::replace(&mut *stage, Stage::Failed)
        {
            let response = self.wire.send(Method::POST, &url, headers, Some(body))?;
            if response.status().is_redirection() {
                self.wire.redirect(&url, &response)?;
                return Err(Failure::NotGit);
            }
            *stage = Stage::open(self.wire.accepted(response, &url)?);
        }
        let Stage::Open { headers, chunk, response } = &mut *stage else {
            return Err(Failure::Broken("the request failed before".into()));
        };
        if wants_headers {
            return headers.read(buffer).map_err(|e| Failure::Broken(e.kind().to_string()));
        }
        loop {
            match chunk.read(buffer) {
                Ok(0) if !buffer.is_empty() => match self.wire.wait(response.chunk())? {
                    Some(next) => *chunk = Cursor::new(next),
                    None => return Ok(0),
                },
                read => return read.map_err(|e| Failure::Broken(e.kind().to_string())),
            }
        }
    }
}

/// The headers or the body of an answer.
pub(super) struct Part {
    exchange: Exchange,
    headers: bool,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.exchange.read(self.headers, buffer).map_err(|failure| self.exchange.failure.keep(failure))
    }
}

/// Collects the body of a POST.
pub(super) struct Upload(Exchange);

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *self.0.stage.borrow_mut() {
            Stage::Pending { body, .. } => body.extend_from_slice(bytes),
            _ => return Err(io::ErrorKind::BrokenPipe.into()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
