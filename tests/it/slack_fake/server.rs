//! The port, and the answers that tests script.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::http::{self, Answer, Request};
use super::state::{Rules, State, Stored};
use super::trap::{Trap, When};

/// Where the fake's webhook is; what follows `/services/` is its secret.
pub const WEBHOOK: &str = "/services/T0FAKE0000/B0WEBHOOK0/FakeFakeFakeFakeFakeFake";
/// Where the webhook is that is not Slack's: `hook` to [`SlackFake::next`].
pub const HOOK: &str = "/hook/FakeHookFakeHookFakeHook";
/// Where signs of life go: `beat`.
pub const BEAT: &str = "/beat/FakeBeatFakeBeatFakeBeat";

/// What to do with a request instead of answering it as Slack does.
#[derive(Clone, Debug)]
pub enum Next {
    /// As Slack does.
    Work,
    /// 200 with `ok: false`; nothing is done.
    Error(&'static str),
    /// The same, but it is done.
    ErrorAfterAll(&'static str),
    /// A status and a text; nothing is done.
    Status(u16, &'static str),
    /// A status; it is done.
    StatusAfterAll(u16),
    /// 429 with Retry-After in seconds.
    Limited(u64),
    /// Nothing is done and no answer comes.
    Mute,
    /// It is done and no answer comes.
    MuteAfterAll,
    /// The connection is reset before the request is read.
    Reset,
    /// It is done, and the connection is reset before an answer.
    ResetAfterAll,
    /// It is done and the answer breaks off.
    BrokenOff,
    /// As Slack does, after a while.
    Slow(Duration),
}

/// A running fake; it stops with this value.
pub struct SlackFake {
    port: u16,
    scheme: &'static str,
    stop: Arc<AtomicBool>,
    state: Arc<Mutex<State>>,
    folder: tempfile::TempDir,
}

impl SlackFake {
    pub fn start(rules: Rules) -> Self {
        Self::listen("http", None, tempfile::tempdir().expect("a folder"), rules)
    }

    /// With a certificate of an authority of its own: [`Self::ca_file`].
    pub fn start_tls(rules: Rules) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = crate::tls::server(folder.path());
        Self::listen("https", Some(config), folder, rules)
    }

    fn listen(
        scheme: &'static str,
        tls: Option<Arc<rustls::ServerConfig>>,
        folder: tempfile::TempDir,
        rules: Rules,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State::new(rules)));
        let fake = Self { port, scheme, stop: Arc::default(), state, folder };
        let (stop, state) = (fake.stop.clone(), fake.state.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (state, tls) = (state.clone(), tls.clone());
                std::thread::spawn(move || {
                    // A client that goes away is the client's business.
                    let _ = match tls {
                        None => plain(stream, &state),
                        Some(config) => rustls::ServerConnection::new(config)
                            .map_err(io::Error::other)
                            .and_then(|tls| serve(&mut rustls::StreamOwned::new(tls, stream), &state, None)),
                    };
                });
            }
        });
        fake
    }

    /// The API's address.
    pub fn api(&self) -> String {
        self.at("/api/")
    }

    /// The incoming webhook's address.
    pub fn webhook(&self) -> String {
        self.at(WEBHOOK)
    }

    /// The address of a path, as [`HOOK`].
    pub fn at(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.port)
    }

    pub fn ca_file(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Scripts the next answers to a method; `webhook` for the webhook.
    pub fn next(&self, method: &str, answers: impl IntoIterator<Item = Next>) {
        self.state().next.entry(method.to_owned()).or_default().extend(answers);
    }

    /// What was stored, in order.
    pub fn messages(&self) -> Vec<Stored> {
        self.state().messages.clone()
    }

    /// How many messages with a key were stored.
    pub fn stored(&self, key: &str) -> usize {
        self.state().messages.iter().filter(|message| message.key.as_deref() == Some(key)).count()
    }

    /// How often a method was asked.
    pub fn asked(&self, method: &str) -> usize {
        self.state().asked.iter().filter(|asked| *asked == method).count()
    }

    /// What was not as Slack documents it.
    pub fn complaints(&self) -> Vec<String> {
        self.state().complaints.clone()
    }

    /// What came to an address that is not Slack's, in order.
    pub fn received(&self, path: &str) -> Vec<Request> {
        self.state().received.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// Sets a trap for one request to come; none of before holds any more.
    pub fn trap(&self, trap: Option<Trap>) {
        self.state().trap = trap;
    }

    /// Somebody deletes a message.
    pub fn delete(&self, ts: &str) {
        self.state().messages.retain(|message| message.ts != ts);
    }

    /// Another bot takes a message's place.
    pub fn disown(&self, ts: &str) {
        for message in self.state().messages.iter_mut().filter(|message| message.ts == ts) {
            message.bot = "B0SOMEBODY".into();
        }
    }

    /// Changes what the fake enforces.
    pub fn rules(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.state().rules);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for SlackFake {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The method of a path, `hook`, `beat` or `webhook`.
fn method(path: &str) -> String {
    match (path, path.strip_prefix("/api/")) {
        (HOOK, _) => "hook".to_owned(),
        (BEAT, _) => "beat".to_owned(),
        (_, Some(method)) => method.to_owned(),
        (_, None) => "webhook".to_owned(),
    }
}

/// Without TLS the request line is looked at before anything is read, so that a connection can be reset in time.
fn plain(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut head = [0; 512];
    let mut next = None;
    for _ in 0..1_000 {
        let seen = stream.peek(&mut head)?;
        let text = String::from_utf8_lossy(&head[..seen]).into_owned();
        if let Some((line, _)) = text.split_once("\r\n") {
            let path = line.split_whitespace().nth(1).unwrap_or_default();
            let name = method(path.split('?').next().unwrap_or_default());
            next = lock(state).next.get_mut(&name).and_then(|answers| answers.pop_front());
            if matches!(next, Some(Next::Reset)) {
                lock(state).asked.push(name);
            }
            break;
        }
        if seen == 0 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    match next {
        // What is unread when a connection is closed makes the system reset it.
        Some(Next::Reset) => Ok(()),
        Some(Next::ResetAfterAll) => {
            let mut request = http::read(&mut stream, true)?;
            let mut last = [0; 1];
            // A question has no body.
            if request.method == "POST" && stream.peek(&mut last)? == 1 {
                request.body.push(last[0]);
            }
            answer(&request, state);
            Ok(())
        }
        next => serve(&mut stream, state, next),
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

fn serve(stream: &mut dyn ReadWrite, state: &Mutex<State>, next: Option<Next>) -> io::Result<()> {
    let mut reader: &mut dyn ReadWrite = stream;
    let request = http::read(&mut reader, false)?;
    let asked = |state: &Mutex<State>| lock(state).asked.push(method(&request.path));
    match next.unwrap_or(Next::Work) {
        Next::Error(word) => {
            asked(state);
            Answer::error(word).write(stream)
        }
        Next::ErrorAfterAll(word) => {
            answer(&request, state);
            Answer::error(word).write(stream)
        }
        Next::Status(status, text) => {
            asked(state);
            Answer::text(status, text).write(stream)
        }
        Next::StatusAfterAll(status) => {
            answer(&request, state);
            Answer::text(status, "").write(stream)
        }
        Next::Limited(seconds) => {
            asked(state);
            Answer::limited(seconds).write(stream)
        }
        Next::Mute => {
            asked(state);
            wait(stream)
        }
        Next::MuteAfterAll => {
            answer(&request, state);
            wait(stream)
        }
        Next::BrokenOff => {
            let whole = answer(&request, state);
            let length = whole.body.len() + 100;
            let text = format!("HTTP/1.1 200 Fake\r\nContent-Length: {length}\r\n\r\n{}", whole.body);
            stream.write_all(text.as_bytes())
        }
        Next::Slow(while_) => {
            std::thread::sleep(while_);
            answer(&request, state).write(stream)
        }
        Next::Work | Next::Reset | Next::ResetAfterAll => {
            let trap = trapped(state);
            if let Some(Trap { when: When::Asked, victim, .. }) = &trap {
                asked(state);
                victim.kill();
                return Ok(());
            }
            let whole = answer(&request, state);
            if let Some(Trap { when: When::Done, victim, .. }) = &trap {
                victim.kill();
                return Ok(());
            }
            whole.write(stream)?;
            if let Some(Trap { when: When::Answered(after), victim, .. }) = &trap {
                std::thread::sleep(*after);
                victim.kill();
            }
            Ok(())
        }
    }
}

/// The trap, if it is this request that falls into it.
fn trapped(state: &Mutex<State>) -> Option<Trap> {
    let mut state = lock(state);
    let before = &mut state.trap.as_mut()?.before;
    if *before == 0 {
        return state.trap.take();
    }
    *before -= 1;
    None
}

/// Until the client goes.
fn wait(stream: &mut dyn ReadWrite) -> io::Result<()> {
    let mut byte = [0; 1];
    stream.read(&mut byte).map(|_| ())
}

fn answer(request: &Request, state: &Mutex<State>) -> Answer {
    let mut state = lock(state);
    let name = method(&request.path);
    state.asked.push(name.clone());
    match request.path.as_str() {
        WEBHOOK => state.webhook(request),
        HOOK | BEAT => {
            state.received.push(request.clone());
            Answer::text(200, "")
        }
        path if path.starts_with("/api/") => state.api(&name, request),
        path if path.starts_with("/services/") => Answer::text(404, "no_service"),
        _ => Answer::text(404, "<html>404</html>"),
    }
}
