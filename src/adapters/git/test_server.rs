//! A small HTTP server for tests: over TLS or plain, answering as told, or as a Git server through `git http-backend`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// What a client asked.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    /// Whether objects are asked for, and not only references (gitprotocol-v2, `command=fetch`).
    pub(super) fn wants_pack(&self) -> bool {
        self.body.windows(13).any(|bytes| bytes == b"command=fetch")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What to answer.
pub(super) enum Reply {
    /// A status, with headers.
    Status(u16, Vec<(&'static str, String)>),
    /// The repositories below a folder.
    Backend(PathBuf),
    /// The same, but only so many bytes of the answer; then nothing.
    BackendUpTo(PathBuf, usize),
    /// Nothing, for ever.
    Silence,
    /// A Git server's headers, then a byte now and then.
    Drip,
}

/// A running server; it stops with this value.
pub(super) struct Server {
    port: u16,
    scheme: &'static str,
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Request>>>,
    /// Bytes of answers that were cut.
    pub(super) cut: Arc<AtomicBool>,
    folder: tempfile::TempDir,
}

impl Server {
    /// A server with a certificate of an authority of its own.
    pub(super) fn tls(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Self::start("https", folder, Some(Arc::new(config)), answer)
    }

    /// A server without TLS.
    pub(super) fn plain(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("http", tempfile::tempdir().unwrap(), None, answer)
    }

    fn start(
        scheme: &'static str,
        folder: tempfile::TempDir,
        tls: Option<Arc<rustls::ServerConfig>>,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, scheme, stop: Arc::default(), seen: Arc::default(), cut: Arc::default(), folder };
        let (stop, seen, cut) = (server.stop.clone(), server.seen.clone(), server.cut.clone());
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (tls, answer) = (tls.clone(), answer.clone());
                let (stop, seen, cut) = (stop.clone(), seen.clone(), cut.clone());
                std::thread::spawn(move || {
                    let mut stream: Box<dyn ReadWrite> = match tls {
                        Some(config) => {
                            let connection = rustls::ServerConnection::new(config).unwrap();
                            Box::new(rustls::StreamOwned::new(connection, stream))
                        }
                        None => Box::new(stream),
                    };
                    let Some(request) = read_request(&mut stream) else { return };
                    seen.lock().unwrap().push(request.clone());
                    // A client that went away is the client's business.
                    let _ = reply(&mut stream, &request, answer(&request), &stop, &cut);
                    let _ = stream.flush();
                });
            }
        });
        server
    }

    /// The URL of a path here.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme, self.port)
    }

    /// The same with what stands before `@`.
    pub(super) fn url_with(&self, userinfo: &str, path: &str) -> String {
        format!("{}://{userinfo}@localhost:{}{path}", self.scheme, self.port)
    }

    /// The authority's certificate.
    pub(super) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What was asked until now.
    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

fn read_request(stream: &mut dyn ReadWrite) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}

fn reply(
    stream: &mut dyn ReadWrite,
    request: &Request,
    reply: Reply,
    stop: &AtomicBool,
    cut: &AtomicBool,
) -> std::io::Result<()> {
    let pause = |times: u32| {
        for _ in 0..times {
            if stop.load(Ordering::SeqCst) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    };
    match reply {
        Reply::Status(status, headers) => {
            write!(stream, "HTTP/1.1 {status} Told\r\nConnection: close\r\nContent-Length: 0\r\n")?;
            for (name, value) in headers {
                write!(stream, "{name}: {value}\r\n")?;
            }
            stream.write_all(b"\r\n")
        }
        Reply::Backend(folder) => stream.write_all(&backend(request, &folder)),
        Reply::BackendUpTo(folder, bytes) => {
            let answer = backend(request, &folder);
            stream.write_all(&answer[..bytes.min(answer.len())])?;
            stream.flush()?;
            cut.store(true, Ordering::SeqCst);
            while pause(20) {}
            Ok(())
        }
        Reply::Silence => {
            while pause(20) {}
            Ok(())
        }
        Reply::Drip => {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\nfff0"
            )?;
            while pause(2) {
                stream.write_all(b"x")?;
                stream.flush()?;
            }
            Ok(())
        }
    }
}

/// Runs Git's own CGI program (git-http-backend(1)) and makes its answer one of HTTP.
fn backend(request: &Request, folder: &std::path::Path) -> Vec<u8> {
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("GIT_PROTOCOL", request.header("git-protocol").unwrap_or_default())
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git is installed");
    child.stdin.take().unwrap().write_all(&request.body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a CGI answer");
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let length = output.len() - end - 4;
    let mut answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n").into_bytes();
    for line in head.lines().filter(|line| !line.starts_with("Status:")) {
        answer.extend_from_slice(format!("{line}\r\n").as_bytes());
    }
    answer.extend_from_slice(b"\r\n");
    answer.extend_from_slice(&output[end + 4..]);
    answer
}
