//! The layer next to the connection pool that lets only reads through.
//!
//! It stands below everything that could change a request, so that no other layer and no caller gets around it. GET alone
//! would not do: `exec`, `proxy` and `portforward` answer to GET, too. What is not on its lists is refused before a
//! connection is made.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT};
use http::{HeaderName, Method, Request, Uri, Version};
use http_body_util::BodyExt;
use tower::{BoxError, Layer, Service};

use super::allowed;

/// Why a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Another method than GET.
    #[error("the read-only guard refused the request: its method is not GET")]
    Method,
    /// Another protocol than HTTP/1.1.
    #[error("the read-only guard refused the request: it is not HTTP/1.1")]
    Protocol,
    /// Another server than the configured one.
    #[error("the read-only guard refused the request: it goes to another server")]
    Server,
    /// A path that may do more than read.
    #[error("the read-only guard refused the request: its path is not one of those that only read")]
    Path,
    /// A query key that may do more than narrow a read.
    #[error("the read-only guard refused the request: its query does more than narrow a read")]
    Query,
    /// A header that reading does not need.
    #[error("the read-only guard refused the request: it has a header that reading does not need")]
    Header,
    /// A body.
    #[error("the read-only guard refused the request: it has a body")]
    Body,
}

/// Everything a read needs. Upgrades, method overrides, impersonation and all others are not in it.
const HEADERS: [HeaderName; 4] = [ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, USER_AGENT];

/// Puts a [`Guard`] around a client.
#[derive(Clone, Debug)]
pub(super) struct GuardLayer {
    server: Arc<Uri>,
}

impl GuardLayer {
    /// For requests to this server; the path of `server` is a prefix of every request's.
    pub(super) fn new(server: &Uri) -> Self {
        Self { server: Arc::new(server.clone()) }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Guard { server: Arc::clone(&self.server), inner }
    }
}

/// A client that sends nothing but reads.
#[derive(Clone, Debug)]
pub(super) struct Guard<S> {
    server: Arc<Uri>,
    inner: S,
}

impl<S, B> Service<Request<B>> for Guard<S>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: BodyExt,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match check(&self.server, &request) {
            Ok(()) => {
                let answer = self.inner.call(request);
                Box::pin(async move { answer.await.map_err(Into::into) })
            }
            Err(refusal) => Box::pin(async move { Err(refusal.into()) }),
        }
    }
}

fn check<B: BodyExt>(server: &Uri, request: &Request<B>) -> Result<(), Refusal> {
    if request.method() != Method::GET {
        return Err(Refusal::Method);
    }
    if request.version() != Version::HTTP_11 {
        return Err(Refusal::Protocol);
    }
    let uri = request.uri();
    if uri.scheme() != server.scheme() || uri.authority() != server.authority() {
        return Err(Refusal::Server);
    }
    let path = uri.path().strip_prefix(server.path().trim_end_matches('/')).ok_or(Refusal::Server)?;
    let reads = allowed::path(path).ok_or(Refusal::Path)?;
    if !uri.query().is_none_or(|query| allowed::query(reads, query)) {
        return Err(Refusal::Query);
    }
    if !request.headers().keys().all(|name| HEADERS.contains(name)) {
        return Err(Refusal::Header);
    }
    if !request.body().is_end_stream() {
        return Err(Refusal::Body);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use hyper_util::client::legacy::Client;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use kube::client::Body;
    use tokio::net::TcpStream;
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    use super::*;

    const SERVER: &str = "http://kubernetes.test:6443";

    /// Sends through the guard and the real connection pool; says what was refused and how often a connection was tried.
    async fn send(server: &str, request: Request<Body>) -> (Option<Refusal>, usize) {
        let tried = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&tried);
        let connector = service_fn(move |_: Uri| {
            counter.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Err::<TokioIo<TcpStream>, _>(io::Error::other("no network in this test")))
        });
        let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build(connector);
        let guarded = ServiceBuilder::new().layer(GuardLayer::new(&server.parse().unwrap())).service(client);
        let error = guarded.oneshot(request).await.expect_err("there is no server");
        (error.downcast_ref::<Refusal>().copied(), tried.load(Ordering::SeqCst))
    }

    fn get(path: &str) -> Request<Body> {
        Request::get(format!("{SERVER}{path}")).body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn lets_reads_through() {
        for path in [
            "/version",
            "/livez",
            "/readyz",
            "/healthz",
            "/api",
            "/apis",
            "/api/v1",
            "/apis/apps",
            "/apis/apps/v1",
            "/apis/metrics.k8s.io/v1beta1",
            "/openapi/v3",
            "/openapi/v3/api/v1?hash=0A1B",
            "/openapi/v3/apis/apps/v1?hash=0A1B",
            "/api/v1/namespaces",
            "/api/v1/namespaces/kube-system",
            "/api/v1/pods?limit=500&continue=eyJ2%3D",
            "/apis/apps/v1/deployments?limit=500&resourceVersion=12&resourceVersionMatch=Exact",
            "/apis/apps/v1/namespaces/shop/deployments?labelSelector=app%3Dapi&fieldSelector=metadata.name%3Dapi",
            "/apis/apps/v1/namespaces/shop/deployments/api?resourceVersion=0",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:controller:node-controller",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/with%20space",
        ] {
            assert_eq!(send(SERVER, get(path)).await, (None, 1), "{path}");
        }
    }

    #[tokio::test]
    async fn refuses_every_other_method() {
        for method in ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "get", "MKCOL"] {
            let mut request = get("/api/v1/pods");
            *request.method_mut() = method.parse().unwrap();
            assert_eq!(send(SERVER, request).await, (Some(Refusal::Method), 0), "{method}");
        }
    }

    #[tokio::test]
    async fn refuses_paths_that_do_more_than_read() {
        for path in [
            "/",
            "//api/v1/pods",
            "/api/v1/pods/",
            "/api//v1/pods",
            "/api/v1/namespaces/shop/pods/api/exec",
            "/api/v1/namespaces/shop/pods/api/attach",
            "/api/v1/namespaces/shop/pods/api/portforward",
            "/api/v1/namespaces/shop/pods/api/log",
            "/api/v1/namespaces/shop/pods/api/proxy",
            "/api/v1/namespaces/shop/pods/api/status",
            "/api/v1/namespaces/shop/services/api/proxy/delete-everything",
            "/api/v1/nodes/one/proxy",
            "/api/v1/nodes/one/proxy/run/shop/api/c",
            "/api/v1/namespaces/shop/status",
            "/api/v1/namespaces/shop/finalize",
            "/api/v1/persistentvolumes/one/status",
            "/apis/apps/v1/namespaces/shop/deployments/api/scale",
            "/apis/apps/v1/watch/deployments",
            "/api/v1/watch/pods",
            "/api/v1/watch/namespaces/shop/pods",
            "/api/v1/proxy/nodes/one",
            "/api/v1/redirect/nodes/one",
            "/apis/subresources.kubevirt.io/v1/start-cluster-profiler",
            "/api/v1/namespaces/shop/pods/api%2Fexec",
            "/api/v1/namespaces/shop/pods/api%2fexec",
            "/api/v1/namespaces/shop/pods/api%252Fexec",
            "/api/v1/namespaces/shop/pods/a%25b",
            "/api/v1/namespaces/shop/pods/api%5Cexec",
            "/api/v1/namespaces/shop/pods/api%00",
            "/api/v1/namespaces/shop/pods/%0d%0a",
            "/api/v1/namespaces/shop/pods/a%3Fwatch=1",
            "/api/v1/namespaces/shop/pods/a;x",
            "/api/v1/namespaces/shop/pods/%ff",
            "/api/v1/namespaces/shop/pods/%zz",
            "/api/v1/namespaces/../nodes/one",
            "/api/v1/namespaces/./pods",
            "/api/v1/namespaces/%2e%2e/nodes",
            "/api/v1/namespaces/shop/pods/%2E",
            "/api/v1/namespaces/shop/pods/..",
            "/api/v1/Namespaces/shop/pods/api",
            "/%61pi/v1/namespaces/shop/pods/api/exec",
            "/openapi/v2",
            "/openapi/v3/apis/apps/v1/more",
            "/metrics",
            "/logs/kube-apiserver.log",
            "/debug/pprof/profile",
            "/debug/flags/v",
            "/.well-known/openid-configuration",
            "/readyz/etcd",
            "/ui",
        ] {
            assert_eq!(send(SERVER, get(path)).await, (Some(Refusal::Path), 0), "{path}");
        }
    }

    #[tokio::test]
    async fn refuses_queries_that_do_more_than_narrow() {
        for path in [
            "/api/v1/pods?watch=1",
            "/api/v1/pods?watch=true&limit=500",
            "/api/v1/pods?limit=500&watch",
            "/api/v1/pods?%77atch=1",
            "/api/v1/pods?WATCH=1",
            "/api/v1/pods?limit=500&limit=1",
            "/api/v1/pods?limit=-1",
            "/api/v1/pods?limit=1;watch=1",
            "/api/v1/pods?limit=500&",
            "/api/v1/pods?",
            "/api/v1/pods?continue=a%0d%0aX: y",
            "/api/v1/pods?resourceVersionMatch=Other",
            "/api/v1/pods?sendInitialEvents=true",
            "/api/v1/pods?allowWatchBookmarks=true",
            "/api/v1/pods?pretty=true",
            "/api/v1/pods?dryRun=All",
            "/api/v1/pods?fieldManager=x",
            "/api/v1/namespaces/shop/pods/api?command=sh",
            "/api/v1/namespaces/shop/pods/api?limit=1",
            "/api/v1/namespaces/shop/pods/api?gracePeriodSeconds=0",
            "/api/v1?hash=1",
            "/version?timeout=1",
            "/openapi/v3/api/v1?limit=1",
        ] {
            let request = path.parse::<Uri>().is_ok();
            assert!(request || path.contains(' '), "{path}");
            let path = path.replace(' ', "%20");
            assert_eq!(send(SERVER, get(&path)).await, (Some(Refusal::Query), 0), "{path}");
        }
    }

    #[tokio::test]
    async fn refuses_headers_that_reading_does_not_need() {
        for (name, value) in [
            ("upgrade", "websocket"),
            ("connection", "upgrade"),
            ("connection", "keep-alive"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "v4.channel.k8s.io"),
            ("x-http-method-override", "DELETE"),
            ("x-http-method", "DELETE"),
            ("x-method-override", "DELETE"),
            ("impersonate-user", "system:admin"),
            ("impersonate-group", "system:masters"),
            ("impersonate-uid", "1"),
            ("impersonate-extra-scopes", "all"),
            ("x-remote-user", "system:admin"),
            ("x-forwarded-for", "10.0.0.1"),
            ("host", "elsewhere.test"),
            ("content-length", "5"),
            ("content-type", "application/json"),
            ("transfer-encoding", "chunked"),
            ("expect", "100-continue"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("cookie", "a=b"),
            ("x-stream-protocol-version", "v4.channel.k8s.io"),
        ] {
            let mut request = get("/api/v1/pods");
            request.headers_mut().insert(HeaderName::from_static(name), value.parse().unwrap());
            assert_eq!(send(SERVER, request).await, (Some(Refusal::Header), 0), "{name}");
        }
        let mut request = get("/api/v1/pods");
        for name in HEADERS {
            request.headers_mut().insert(name, "x".parse().unwrap());
        }
        assert_eq!(send(SERVER, request).await, (None, 1), "what reading needs");
    }

    #[tokio::test]
    async fn refuses_bodies_other_protocols_and_other_servers() {
        let request = get("/api/v1/pods").map(|_| Body::from(b"{}".to_vec()));
        assert_eq!(send(SERVER, request).await, (Some(Refusal::Body), 0));
        for version in [Version::HTTP_09, Version::HTTP_10, Version::HTTP_2, Version::HTTP_3] {
            let mut request = get("/api/v1/pods");
            *request.version_mut() = version;
            assert_eq!(send(SERVER, request).await, (Some(Refusal::Protocol), 0), "{version:?}");
        }
        for uri in [
            "http://elsewhere.test:6443/api/v1/pods",
            "http://kubernetes.test:80/api/v1/pods",
            "https://kubernetes.test:6443/api/v1/pods",
            "http://x@kubernetes.test:6443/api/v1/pods",
        ] {
            let request = Request::get(uri).body(Body::empty()).unwrap();
            assert_eq!(send(SERVER, request).await, (Some(Refusal::Server), 0), "{uri}");
        }
    }

    #[tokio::test]
    async fn keeps_to_the_path_prefix_of_the_server() {
        let server = "http://rancher.test/k8s/clusters/c-1/";
        for (path, expected) in [
            ("/k8s/clusters/c-1/api/v1/pods", (None, 1)),
            ("/k8s/clusters/c-1/api/v1/nodes/one/proxy", (Some(Refusal::Path), 0)),
            ("/k8s/clusters/c-1api/v1/pods", (Some(Refusal::Path), 0)),
            ("/k8s/clusters/c-2/api/v1/pods", (Some(Refusal::Server), 0)),
            ("/api/v1/pods", (Some(Refusal::Server), 0)),
        ] {
            let request = Request::get(format!("http://rancher.test{path}")).body(Body::empty()).unwrap();
            assert_eq!(send(server, request).await, expected, "{path}");
        }
    }
}
