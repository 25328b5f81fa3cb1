//! As much of HTTP as a fake needs: one request a connection.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: HashMap<String, String>,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(body: &serde_json::Value) -> Self {
        let headers = vec![("Content-Type", "application/json; charset=utf-8".to_owned())];
        Self { status: 200, headers, body: body.to_string() }
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self { status, headers: vec![("Content-Type", "text/html".to_owned())], body: body.to_owned() }
    }

    /// `{"ok": false, "error": …}`.
    pub fn error(word: &str) -> Self {
        Self::json(&serde_json::json!({"ok": false, "error": word}))
    }

    pub fn limited(seconds: u64) -> Self {
        let mut answer = Self::error("ratelimited");
        answer.status = 429;
        answer.headers.push(("Retry-After", seconds.to_string()));
        answer
    }

    pub fn write(&self, stream: &mut dyn Write) -> io::Result<()> {
        let mut text =
            format!("HTTP/1.1 {} Fake\r\nContent-Length: {}\r\nConnection: close\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        // At once: small pieces would wait for one another.
        stream.write_all(format!("{text}\r\n{}", self.body).as_bytes())?;
        stream.flush()
    }
}

/// Reads a request; all but the last byte of its body if `short`, which makes the system reset the connection when it is closed.
pub fn read(stream: &mut dyn Read, short: bool) -> io::Result<Request> {
    // Byte by byte, so that nothing after the request is taken.
    let mut reader = BufReader::with_capacity(1, stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let bad = || io::Error::from(io::ErrorKind::InvalidData);
    let (method, target) = (words.next().ok_or_else(bad)?.to_owned(), words.next().ok_or_else(bad)?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = headers.get("content-length").and_then(|text: &String| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length.saturating_sub(usize::from(short))];
    reader.read_exact(&mut body)?;
    let url = url::Url::parse("http://fake").and_then(|base| base.join(&target)).map_err(|_| bad())?;
    let query = url.query_pairs().into_owned().collect();
    Ok(Request { method, path: url.path().to_owned(), query, headers, body })
}
