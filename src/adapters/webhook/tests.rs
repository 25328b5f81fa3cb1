//! Against a small server on loopback that answers as told.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::{Webhook, WebhookError};
use crate::config::SecretSource;
use crate::config::delivery::WebhookReceiver;
use crate::model::delivery::Attempt;
use crate::model::message::WebhookMessage;
use crate::model::time::Timestamp;

/// Bytes of an answer, or what a server does instead.
#[derive(Clone, Copy)]
enum Reply {
    Bytes(&'static str),
    Silence,
    Close,
}

/// A request: its first line, its headers by lowercase name, its body.
type Request = (String, HashMap<String, String>, String);

/// It lives as long as the test program.
struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
    folder: tempfile::TempDir,
}

impl Server {
    fn plain(reply: Reply) -> Self {
        Self::start(None, reply)
    }

    fn tls(name: &str, reply: Reply) -> Self {
        Self::start(Some(name), reply)
    }

    /// Over TLS with a certificate for a name where there is one.
    fn start(name: Option<&str>, reply: Reply) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let tls = name.map(|name| {
            let mut authority = CertificateParams::new(Vec::new()).unwrap();
            authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            std::fs::write(folder.path().join("ca.pem"), authority.self_signed(&key).unwrap().pem()).unwrap();
            let issuer = Issuer::new(authority, key);
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
            let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            let config = rustls::ServerConfig::builder().with_no_client_auth();
            Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap())
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), seen: Arc::default(), folder };
        let seen = server.seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tls, seen) = (tls.clone(), seen.clone());
                std::thread::spawn(move || match tls {
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        serve(rustls::StreamOwned::new(connection, stream), reply, &seen);
                    }
                    None => serve(stream, reply, &seen),
                });
            }
        });
        server
    }

    fn receiver(&self, scheme: &str) -> WebhookReceiver {
        let url = format!("{scheme}://localhost:{}/hook?to=ops", self.port);
        WebhookReceiver { url: Some(url), url_secret: None, secret: None, ca_file: None }
    }

    fn ca(&self) -> Option<PathBuf> {
        Some(self.folder.path().join("ca.pem"))
    }

    fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// What a client that went away leaves unread is its own business.
fn serve(mut stream: impl Read + Write, reply: Reply, seen: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(&mut stream);
    let mut first = Vec::new();
    if reader.read_until(b'\n', &mut first).is_err() || first.is_empty() {
        return;
    }
    let Ok(first) = String::from_utf8(first) else {
        // TLS, to a server without.
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        return;
    };
    let mut headers = HashMap::new();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok() {
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        line.clear();
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    seen.lock().unwrap().push((first.trim_end().to_owned(), headers, String::from_utf8(body).unwrap()));
    match reply {
        Reply::Bytes(text) => {
            let _ = stream.write_all(text.as_bytes());
            let _ = stream.flush();
        }
        Reply::Silence => std::thread::sleep(Duration::from_secs(30)),
        Reply::Close => {}
    }
}

const SHORT: Duration = Duration::from_secs(3);

fn now() -> Timestamp {
    Timestamp::parse("2026-03-02T14:03:41Z").unwrap()
}

fn message() -> WebhookMessage {
    WebhookMessage { key: "m-17-2".into(), body: r#"{"text":"größer"}"#.into() }
}

async fn send(receiver: &WebhookReceiver, key: Option<&str>) -> Attempt {
    Webhook::new(receiver, None, key, SHORT).unwrap().send(&message(), now()).await
}

/// The kind of an attempt, what it says, and how long it is to wait.
fn said(attempt: &Attempt) -> (&'static str, String, Option<u64>) {
    match attempt {
        Attempt::Taken(receipt) => ("taken", receipt.says.clone().unwrap_or_default(), None),
        Attempt::Later { why, wait } => ("later", why.clone(), wait.map(|wait| wait.as_secs())),
        Attempt::Refused { why, hint } => ("refused", format!("{why} ({})", hint.as_deref().unwrap_or("")), None),
        Attempt::Unanswered { why } => ("unanswered", why.clone(), None),
    }
}

#[tokio::test]
async fn each_answer_means_what_it_says() {
    use Reply::{Bytes, Close, Silence};
    let cases = [
        (Bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), "taken", "200 OK", None),
        (Bytes("HTTP/1.1 204 No Content\r\n\r\n"), "taken", "204 No Content", None),
        (Bytes("HTTP/1.1 429 Slow\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n"), "later", "429 Too", Some(17)),
        (
            Bytes("HTTP/1.1 503 No\r\nRetry-After: Mon, 02 Mar 2026 14:05:41 GMT\r\nContent-Length: 0\r\n\r\n"),
            "later",
            "503 Service",
            Some(120),
        ),
        (
            Bytes("HTTP/1.1 503 No\r\nRetry-After: Mon, 02 Mar 2020 14:05:41 GMT\r\nContent-Length: 0\r\n\r\n"),
            "later",
            "503",
            Some(0),
        ),
        (
            Bytes("HTTP/1.1 503 No\r\nRetry-After: 18446744073709551615\r\nContent-Length: 0\r\n\r\n"),
            "later",
            "503",
            Some(86_400),
        ),
        (Bytes("HTTP/1.1 503 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n"), "later", "503", None),
        (Bytes("HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nbro\x1b\r\nken"), "later", "Error: bro ken", None),
        (Bytes("HTTP/1.1 400 No\r\nContent-Length: 9\r\n\r\nbad words"), "refused", "400 Bad Request: bad words", None),
        (Bytes("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), "refused", "the key for signing", None),
        (Bytes("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), "refused", "check the address", None),
        (
            Bytes("HTTP/1.1 307 Go\r\nLocation: https://elsewhere.example/x\r\nContent-Length: 0\r\n\r\n"),
            "refused",
            "not followed (configure",
            None,
        ),
        (Bytes("SSH-2.0-OpenSSH_9.2\r\n"), "unanswered", "no valid answer", None),
        (Close, "unanswered", "was given the message", None),
        (Silence, "unanswered", "said nothing for 3s", None),
    ];
    for (reply, kind, words, wait) in cases {
        let server = Server::plain(reply);
        let attempt = send(&server.receiver("http"), None).await;
        let (is, text, waits) = said(&attempt);
        assert!(is == kind && text.contains(words) && waits == wait, "{kind} {words}: {attempt:?}");
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert_eq!(server.seen().len(), 1, "{words}");
    }
}

#[tokio::test]
async fn the_request_is_as_documented_and_its_signature_can_be_verified() {
    let server = Server::plain(Reply::Bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(said(&send(&server.receiver("http"), Some("key")).await).0, "taken");
    assert_eq!(said(&send(&server.receiver("http"), None).await).0, "taken");
    let [(line, headers, body), (_, unsigned, _)] = server.seen().try_into().unwrap();
    assert_eq!((line.as_str(), body.as_str()), ("POST /hook?to=ops HTTP/1.1", message().body.as_str()));
    for (name, value) in [
        ("content-type", "application/json"),
        ("user-agent", concat!("driftledger/", env!("CARGO_PKG_VERSION"))),
        ("x-driftledger-key", "m-17-2"),
        ("x-driftledger-timestamp", "1772460221"),
        ("x-driftledger-signature", SIGNATURE),
    ] {
        assert_eq!(headers.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!unsigned.contains_key("x-driftledger-signature"));
}

/// By OpenSSL, as the room's page has it.
const SIGNATURE: &str = "v1=0d3e364eca242efd6c7e3a2570a51189e15e92b7ae37e998a18bde272d00996c";

#[tokio::test]
async fn only_a_server_that_proves_its_name_gets_anything() {
    let ok = Reply::Bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let server = Server::tls("localhost", ok);
    let trusting = WebhookReceiver { ca_file: server.ca(), ..server.receiver("https") };
    assert_eq!(said(&send(&trusting, None).await).0, "taken");
    let other = Server::tls("other.example.com", ok);
    let plain = Server::plain(ok);
    for (receiver, words) in [
        (server.receiver("https"), "not trusted (name the file"),
        (WebhookReceiver { ca_file: other.ca(), ..other.receiver("https") }, "for another name"),
        (plain.receiver("https"), "does not speak TLS"),
    ] {
        let attempt = send(&receiver, None).await;
        let (kind, text, _) = said(&attempt);
        assert!(kind == "refused" && text.contains(words), "{attempt:?}");
    }
    assert_eq!((server.seen().len(), other.seen().len()), (1, 0));
}

#[tokio::test]
async fn nobody_there_is_later() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for url in [format!("http://localhost:{port}/"), "https://nobody.invalid/hook".to_owned()] {
        let receiver = WebhookReceiver { url: Some(url), url_secret: None, secret: None, ca_file: None };
        let attempt = send(&receiver, None).await;
        let (kind, text, _) = said(&attempt);
        assert!(kind == "later" && text.contains("cannot be reached"), "{attempt:?}");
    }
}

#[tokio::test]
async fn a_secret_address_stands_nowhere() {
    let secret = WebhookReceiver {
        url: None,
        url_secret: Some(SecretSource::Environment("HOOK".into())),
        secret: None,
        ca_file: None,
    };
    let echo =
        "HTTP/1.1 400 No\r\nContent-Length: 59\r\n\r\nno /v1/T0k3nT0k3n?code=c0dec0de at localhost; key k3yk3yk3y";
    for reply in [Reply::Bytes(echo), Reply::Close, Reply::Bytes("HTTP/1.1 302 Go\r\n\r\n")] {
        let server = Server::plain(reply);
        let address = format!("http://localhost:{}/v1/T0k3nT0k3n?code=c0dec0de\n", server.port);
        let webhook = Webhook::new(&secret, Some(&address), Some("k3yk3yk3y"), SHORT).unwrap();
        let text = format!("{:?}", webhook.send(&message(), now()).await);
        for part in ["localhost", "T0k3n", "c0de", "k3yk3y", &server.port.to_string()] {
            assert!(!text.contains(part), "{part}: {text}");
        }
        assert_eq!(server.seen()[0].0, "POST /v1/T0k3nT0k3n?code=c0dec0de HTTP/1.1");
    }
    for (address, error) in [
        (None, WebhookError::NoAddress),
        (Some("T0k3n"), WebhookError::Address),
        (Some("http://example.com/T0k3n"), WebhookError::InTheClear),
        (Some("ftp://localhost/T0k3n"), WebhookError::InTheClear),
    ] {
        let found = Webhook::new(&secret, address, None, SHORT).err().unwrap();
        assert_eq!(found, error);
        assert!(!format!("{found} {found:?}").contains("T0k3n"));
    }
    let no_authorities = WebhookReceiver { ca_file: Some("/no/such/ca.pem".into()), ..secret };
    let error = Webhook::new(&no_authorities, Some("https://localhost/T0k3n"), None, SHORT).err();
    assert!(matches!(error, Some(WebhookError::Authorities { .. })), "{error:?}");
}
