//! One GET with its retries, timeouts and limits.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, DATE, HeaderMap, RETRY_AFTER, USER_AGENT};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::failure::{Failure, StatusAnswer};
use super::settings::Limits;

/// Plain JSON.
pub(super) const JSON: &str = "application/json";

/// A 429 says that the server works; it may be asked this often before giving up.
const THROTTLED_TRIES: u32 = 8;
/// The part of a failed answer that is read for its `Status`.
const STATUS_BYTES: usize = 64 * 1024;

/// Reads from one API server, a few requests at a time.
pub(super) struct Fetcher {
    client: Client,
    slots: Semaphore,
    limits: Limits,
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) body: Bytes,
    /// The server's clock minus ours, in seconds, where the answer has a date.
    pub(super) clock_skew: Option<i64>,
}

impl Fetcher {
    pub(super) fn new(client: Client, limits: Limits) -> Self {
        Self { client, slots: Semaphore::new(limits.concurrency.max(1)), limits }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Reads `path` (with its query), trying again where that may help.
    pub(super) async fn get(&self, path: &str, accept: &'static str) -> Result<Answer, Failure> {
        let deadline = Instant::now() + self.limits.deadline;
        let mut pause = self.limits.pause;
        let mut tried = 0;
        loop {
            let failure = match self.attempt(path, accept, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            tried += 1;
            let allowed =
                if failure.is_throttling() { self.limits.tries.max(THROTTLED_TRIES) } else { self.limits.tries };
            let wait = failure.retry_after().map_or(pause, |asked| asked.min(self.limits.retry_after));
            if !failure.may_pass() || tried >= allowed || Instant::now() + wait >= deadline {
                return Err(failure);
            }
            tracing::debug!(%failure, tried, "trying again");
            sleep(wait).await;
            pause *= 2;
        }
    }

    async fn attempt(&self, path: &str, accept: &'static str, deadline: Instant) -> Result<Answer, Failure> {
        let request = Request::get(path)
            .header(ACCEPT, accept)
            .header(USER_AGENT, concat!("driftledger/", env!("CARGO_PKG_VERSION")))
            .body(Body::empty())
            .map_err(|_| Failure::Url)?;
        // The semaphore is never closed; waiting for a slot counts against no timeout of the request.
        let _slot = self.slots.acquire().await.map_err(|_| Failure::Broken("the client is closed".to_owned()))?;
        let allowed = self.limits.request_timeout.min(deadline.saturating_duration_since(Instant::now()));
        timeout(allowed, self.exchange(request)).await.unwrap_or(Err(Failure::Timeout(allowed)))
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Answer, Failure> {
        let stall = self.limits.stall_timeout;
        let answer = timeout(stall, self.client.send(request)).await.map_err(|_| Failure::Timeout(stall))?;
        let mut answer = answer.map_err(|error| Failure::of_client(&error))?;
        let status = answer.status();
        if status != StatusCode::OK {
            let retry_after = retry_after(answer.headers());
            // Without its body the status code still says what happened.
            let body = read_body(&mut answer, STATUS_BYTES, stall).await.unwrap_or_default();
            return Err(Failure::Status(Box::new(StatusAnswer::read(status.as_u16(), &body, retry_after))));
        }
        let clock_skew = clock_skew(answer.headers());
        Ok(Answer { body: read_body(&mut answer, self.limits.answer_bytes, stall).await?, clock_skew })
    }
}

/// Collects a body, counting bytes after decompression.
async fn read_body(answer: &mut Response<Body>, limit: usize, stall: Duration) -> Result<Bytes, Failure> {
    let mut collected = BytesMut::new();
    loop {
        let frame = timeout(stall, answer.body_mut().frame()).await.map_err(|_| Failure::Timeout(stall))?;
        let Some(frame) = frame else { return Ok(collected.freeze()) };
        let frame = frame.map_err(|error| Failure::of_client(&error))?;
        if let Ok(data) = frame.into_data() {
            if collected.len() + data.len() > limit {
                return Err(Failure::TooLarge(limit));
            }
            collected.extend_from_slice(&data);
        }
    }
}

/// API servers give `Retry-After` in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn clock_skew(headers: &HeaderMap) -> Option<i64> {
    // RFC 9110 dates are RFC 2822 dates with a fixed zone.
    let server = jiff::fmt::rfc2822::parse(headers.get(DATE)?.to_str().ok()?).ok()?.timestamp().as_second();
    let ours = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    Some(server - ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_dates_that_servers_send() {
        let mut headers = HeaderMap::new();
        assert_eq!(clock_skew(&headers), None);
        headers.insert(DATE, "Thu, 01 Jan 1970 00:00:00 GMT".parse().unwrap());
        assert!(clock_skew(&headers).is_some_and(|skew| skew < -1_700_000_000), "{:?}", clock_skew(&headers));
        headers.insert(DATE, "yesterday".parse().unwrap());
        assert_eq!(clock_skew(&headers), None);
    }
}
