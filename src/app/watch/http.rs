//! The pages: read only, without any input but the path.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::board::Board;

/// Connections at a time; more wait.
const MOST_CONNECTIONS: usize = 32;
/// For one connection, from its first byte to its last.
const LONGEST: Duration = Duration::from_secs(30);

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers for ever.
pub(super) async fn serve(listener: TcpListener, board: Arc<Board>) {
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = connections.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("a connection was lost: {error}");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let board = board.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let answer = answer(&request, &board);
                async move { Ok::<_, Infallible>(answer) }
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(5)).max_buf_size(16 * 1024);
            let _ = tokio::time::timeout(LONGEST, server.serve_connection(TokioIo::new(stream), service)).await;
            drop(place);
        });
    }
}

fn answer(request: &Request<Incoming>, board: &Board) -> Response<Full<Bytes>> {
    respond(request.method(), request.uri().path(), board)
}

fn respond(method: &Method, path: &str, board: &Board) -> Response<Full<Bytes>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".into());
    }
    match path {
        "/healthz" => page(StatusCode::OK, TEXT, "ok\n".into()),
        "/readyz" => match board.ready() {
            Ok(()) => page(StatusCode::OK, TEXT, "ok\n".into()),
            Err(why) => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{why}\n")),
        },
        "/metrics" => page(StatusCode::OK, METRICS, board.metrics()),
        "/" | "/report" => match board.report() {
            Some(report) => page(StatusCode::OK, HTML, report),
            None => page(StatusCode::NOT_FOUND, TEXT, "no scan has ended yet\n".into()),
        },
        _ => page(StatusCode::NOT_FOUND, TEXT, "there are /metrics, /healthz, /readyz and /report\n".into()),
    }
}

fn page(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut page = Response::new(Full::new(Bytes::from(body)));
    *page.status_mut() = status;
    let headers = page.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", http::HeaderValue::from_static("nosniff"));
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_only_and_say_how_it_goes() {
        let board = Board::default();
        for (method, path, status) in [
            (Method::GET, "/healthz", 200),
            (Method::GET, "/readyz", 503),
            (Method::GET, "/metrics", 200),
            (Method::GET, "/report", 404),
            (Method::GET, "/ledger.sqlite", 404),
            (Method::POST, "/healthz", 405),
        ] {
            assert_eq!(respond(&method, path, &board).status(), status, "{path}");
        }
        board.failed("no network", crate::model::time::Timestamp::from_unix(0));
        assert_eq!(board.ready(), Err("the last scan failed at 1970-01-01 00:00:00 UTC: no network".into()));
        assert!(board.metrics().contains("driftledger_watch_failures_total 1\n"));
        board.configuration(Some("1:1: x".into()));
        assert!(board.metrics().contains("driftledger_watch_config_valid 0\n"));
    }
}
