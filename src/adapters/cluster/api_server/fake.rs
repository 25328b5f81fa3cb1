//! A fake API server for failures that a real one cannot be brought to on demand. It speaks HTTP/1.1 over plain TCP and
//! answers what a test tells it to; everything that a real server can show is tested against one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{KubeCluster, Limits};

/// How the fake answers one request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// An answer with further header lines.
    Answer { code: u16, headers: &'static str, body: String },
    /// Compressed bytes, given only to a client that asks for gzip; any other gets a 406.
    Gzip(Vec<u8>),
    /// Fewer bytes than announced, then the connection ends.
    BrokenOff(String),
    /// The head of an answer and nothing more for a long time.
    Stall,
    /// The connection ends without an answer.
    HangUp,
}

impl Reply {
    pub(super) fn ok(body: impl ToString) -> Self {
        Self::Answer { code: 200, headers: "", body: body.to_string() }
    }

    pub(super) fn code(code: u16) -> Self {
        Self::Answer { code, headers: "", body: String::new() }
    }
}

/// The fake, running as long as its runtime.
pub(super) struct FakeServer {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakeServer {
    /// `answer` gets the path with its query and how many requests came before.
    pub(super) async fn start(answer: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&log), Arc::clone(&answer)));
            }
        });
        Self { address, asked }
    }

    /// The paths asked for so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The log itself, to look at while a request is under way.
    pub(super) fn log(&self) -> Arc<Mutex<Vec<String>>> {
        Arc::clone(&self.asked)
    }

    pub(super) fn cluster(&self, limits: Limits) -> KubeCluster {
        let _ = rustls::crypto::ring::default_provider().install_default();
        KubeCluster::of_config("fake", &kube::Config::new(self.address.parse().unwrap()), limits)
    }
}

/// Limits under which failing takes no time.
pub(super) fn quick() -> Limits {
    Limits { pause: Duration::from_millis(5), page_size: 2, ..Limits::default() }
}

async fn serve<F: Fn(&str, usize) -> Reply>(stream: TcpStream, log: Arc<Mutex<Vec<String>>>, answer: Arc<F>) {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line);
    }
    let path = lines[0].split(' ').nth(1).unwrap().to_owned();
    let reply = {
        let mut asked = log.lock().unwrap();
        let before = asked.len();
        asked.push(path.clone());
        answer(&path, before)
    };
    let _ = match reply {
        Reply::Answer { code, headers, body } => {
            let head =
                format!("HTTP/1.1 {code} Fake\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await
        }
        Reply::Gzip(body) => {
            let asked = lines.iter().any(|line| line.to_lowercase().starts_with("accept-encoding: gzip"));
            let (code, body) = if asked { (200, body) } else { (406, Vec::new()) };
            let head =
                format!("HTTP/1.1 {code} Fake\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all(&[head.into_bytes(), body].concat()).await
        }
        Reply::BrokenOff(body) => {
            let head = format!("HTTP/1.1 200 Fake\r\nContent-Length: {}\r\n\r\n", body.len() + 100);
            stream.write_all(format!("{head}{body}").as_bytes()).await
        }
        Reply::Stall => {
            let _ = stream.write_all(b"HTTP/1.1 200 Fake\r\nContent-Length: 100\r\n\r\n{").await;
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        }
        Reply::HangUp => Ok(()),
    };
    let _ = stream.shutdown().await;
}
