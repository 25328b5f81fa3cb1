use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::super::build::{Content, RepositoryBuilder};
use super::super::source::{Credentials, Hidden};
use super::super::test_server::{Reply, Server};
use super::super::testing::{at, written};
use super::*;
use crate::model::gap::{GapKind, Hides};
use crate::model::ids::{CommitId, RepositoryName, Revision};

const CANARY: &str = "c4nary/s3cret+";
/// The canary as it may be written elsewhere: percent-encoded, and in HTTP basic authentication for each user that is used here.
const DISGUISES: [&str; 4] = [
    "c4nary%2Fs3cret%2B",
    "c4nary%2fs3cret%2b",
    "YW5uOmM0bmFyeS9zM2NyZXQr",
    "eC1hY2Nlc3MtdG9rZW46YzRuYXJ5L3MzY3JldCs=",
];

fn assert_no_canary(text: &str) {
    for secret in [CANARY].into_iter().chain(DISGUISES) {
        assert!(!text.contains(secret), "{text}");
    }
}

fn source(url: &str) -> RepositorySource {
    let (location, credentials) = Location::from_url(url).unwrap();
    RepositorySource { credentials, retries: 0, ..RepositorySource::new(RepositoryName::new("platform"), location) }
}

fn with_ca(server: &Server, path: &str) -> RepositorySource {
    RepositorySource { ca_file: Some(server.ca()), ..source(&server.url(path)) }
}

fn with_token(server: &Server, path: &str) -> RepositorySource {
    RepositorySource { credentials: Some(Credentials::Token(Hidden::new(CANARY))), ..with_ca(server, path) }
}

/// The gap of a fetch that must fail, with nothing secret in it.
fn gap_of(source: &RepositorySource) -> Gap {
    let cache = tempfile::tempdir().unwrap();
    let gap = Mirrors::new(cache.path().to_owned()).open(source, at(1_000)).expect_err("a gap");
    checked(gap)
}

fn checked(gap: Gap) -> Gap {
    assert_eq!((gap.kind, &gap.hides), (GapKind::Fetch, &Hides::Target));
    assert!(gap.hint.is_some());
    assert_no_canary(&format!("{gap:?} {}", serde_json::to_string(&gap).unwrap()));
    gap
}

fn assert_says(gap: &Gap, message: &str, hint: &str) {
    let given = gap.hint.as_deref().unwrap_or_default();
    assert!(gap.message.contains(message) && given.contains(hint), "{} | {given}", gap.message);
}

fn status(status: u16) -> Server {
    Server::tls(move |_| Reply::Status(status, Vec::new()))
}

#[test]
fn a_refusal_says_what_to_do_and_is_not_tried_again() {
    let cases = [
        (401, "refused the credentials", "token or password is right"),
        (403, "forbids", "right to read"),
        (404, "knows no such repository", "Check the URL"),
        (410, "knows no such repository", "Check the URL"),
        (200, "no Git server", "Check the URL"),
        (304, "no Git server", "Check the URL"),
        (400, "HTTP 400", "later"),
    ];
    for (code, message, hint) in cases {
        let server = status(code);
        let gap = gap_of(&RepositorySource { retries: 3, ..with_token(&server, "/p.git") });
        assert_says(&gap, message, hint);
        assert_eq!(server.seen().len(), 1, "{code}");
        assert!(gap.message.contains(&server.url("/p.git")), "{}", gap.message);
    }
    let gap = gap_of(&with_ca(&status(401), "/p.git"));
    assert_says(&gap, "asks for credentials", "tokenFile");
}

#[test]
fn what_may_pass_is_tried_again() {
    let server = status(503);
    let gap = gap_of(&RepositorySource { retries: 1, ..with_token(&server, "/p.git") });
    assert_says(&gap, "HTTP 503", "later");
    assert_eq!(server.seen().len(), 2);
    // Not when there is no time left for it.
    let server = status(503);
    gap_of(&RepositorySource { retries: 9, timeout: Duration::from_millis(400), ..with_token(&server, "/p.git") });
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused_before_anything_is_sent() {
    let server = status(404);
    let gap = gap_of(&RepositorySource { ca_file: None, ..with_token(&server, "/p.git") });
    assert_says(&gap, "no trusted authority", "caFile");
    let other = status(404);
    let gap = gap_of(&RepositorySource { ca_file: Some(other.ca()), ..with_token(&server, "/p.git") });
    assert_says(&gap, "no trusted authority", "caFile");
    assert_eq!(server.seen().len(), 0);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    for (content, why) in [(None, "not found"), (Some("no PEM"), "no certificate")] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let gap = gap_of(&RepositorySource { ca_file: Some(file.clone()), ..with_token(&server, "/p.git") });
        assert_says(&gap, why, "caFile");
    }
}

#[test]
fn hosts_that_do_not_answer_are_told_apart() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gap = gap_of(&source(&format!("https://x-access-token:{}@127.0.0.1:{port}/p", DISGUISES[0])));
    assert_says(&gap, "connection refused", "https_proxy");
    let gap = gap_of(&source(&format!("https://ann:{}@nowhere.invalid/p", DISGUISES[0])));
    assert_says(&gap, "does not resolve", "host");
    // A server that hangs up in the middle of the handshake.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || drop(listener.accept()));
    let gap = gap_of(&source(&format!("https://localhost:{port}/p")));
    assert_says(&gap, "connection", "");
}

#[test]
fn a_server_that_says_nothing_or_never_ends_meets_the_timeout() {
    for reply in [|| Reply::Silence, || Reply::Drip] {
        let server = Server::tls(move |_| reply());
        let started = Instant::now();
        let gap =
            gap_of(&RepositorySource { timeout: Duration::from_secs(1), retries: 5, ..with_token(&server, "/p") });
        assert_says(&gap, "not done after 1 s", "timeout");
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
}

#[test]
fn credentials_never_follow_a_redirect_to_another_host() {
    let other = status(404);
    let to = other.url("/p.git/info/refs?service=git-upload-pack");
    let server = Server::tls(move |_| Reply::Status(302, vec![("Location", to.clone())]));
    let gap = gap_of(&with_token(&server, "/p.git"));
    assert_says(&gap, "redirects to another host", "new URL");
    assert_eq!((server.seen().len(), other.seen().len()), (1, 0), "another port is another host");
    assert!(server.seen()[0].header("authorization").is_some());

    // Without credentials it is followed, but the answer's host is not asked for any.
    let both = tempfile::NamedTempFile::new().unwrap();
    let pem = [&server, &other].map(|server| std::fs::read_to_string(server.ca()).unwrap()).concat();
    std::fs::write(both.path(), pem).unwrap();
    let gap = gap_of(&RepositorySource { ca_file: Some(both.path().to_owned()), ..source(&server.url("/p.git")) });
    assert_says(&gap, "knows no such repository", "");
    assert_eq!(other.seen()[0].header("authorization"), None);
}

#[test]
fn a_redirect_on_the_same_host_keeps_credentials_and_one_to_plain_http_is_refused() {
    let server = Server::tls(|request| match request.path.strip_prefix("/old") {
        Some(rest) => Reply::Status(301, vec![("Location", format!("/new{rest}?{}", request.query))]),
        None => Reply::Status(404, Vec::new()),
    });
    gap_of(&with_token(&server, "/old/p.git"));
    let seen = server.seen();
    assert_eq!(
        seen.iter().map(|r| r.path.as_str()).collect::<Vec<_>>(),
        ["/old/p.git/info/refs", "/new/p.git/info/refs"]
    );
    assert_eq!(seen[0].header("authorization"), seen[1].header("authorization"));
    assert_eq!(seen[1].header("authorization"), Some(format!("Basic {}", DISGUISES[3]).as_str()));

    let plain = Server::plain(|_| Reply::Status(404, Vec::new()));
    let to = plain.url("/p.git/info/refs?service=git-upload-pack");
    let server = Server::tls(move |_| Reply::Status(302, vec![("Location", to.clone())]));
    assert_says(&gap_of(&with_ca(&server, "/p.git")), "redirects", "");
    assert_eq!(plain.seen().len(), 0);

    let round =
        Server::tls(|request| Reply::Status(302, vec![("Location", format!("{}?{}", request.path, request.query))]));
    assert_says(&gap_of(&with_token(&round, "/p.git")), "too many redirects", "");
}

#[test]
fn credentials_are_not_sent_over_plain_http() {
    let server = Server::plain(|_| Reply::Status(404, Vec::new()));
    let gap = gap_of(&source(&server.url_with(&format!("ann:{}", DISGUISES[0]), "/p.git")));
    assert_says(&gap, "not sent over plain http", "https");
    assert_eq!(server.seen().len(), 0);
    assert_says(&gap_of(&source(&server.url("/p.git"))), "knows no such repository", "");
}

#[test]
fn credentials_that_no_header_can_carry_are_a_gap() {
    let server = status(404);
    for text in ["two\nlines", "bell\u{7}"] {
        let credentials = Some(Credentials::Token(Hidden::new(format!("{CANARY}{text}"))));
        let gap = gap_of(&RepositorySource { credentials, ..with_ca(&server, "/p.git") });
        assert_says(&gap, "cannot be sent", "one line");
    }
    assert_eq!(server.seen().len(), 0);
}

/// What is logged while `run` runs, at every level.
fn logged(run: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, run);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn credentials_are_in_no_log() {
    let server = status(503);
    let mut source = source(&server.url_with(&format!("ann:{}", DISGUISES[0]), "/p.git"));
    source.ca_file = Some(server.ca());
    source.retries = 1;
    let log = logged(|| drop(gap_of(&source)));
    assert!(log.contains("tried again"), "{log}");
    assert_no_canary(&log);
    assert_no_canary(&format!("{source:?}"));
    assert_eq!(server.seen()[0].header("authorization"), Some(format!("Basic {}", DISGUISES[2]).as_str()));
}

/// Runs the test of this name again in a process of its own, with these variables.
fn again(test: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    command.args([&name, "--exact", "--include-ignored"]).envs(variables.iter().copied());
    command
}

// From here on a real Git server answers.

/// A repository `p.git` with one commit, and a server that asks for the token.
struct Hosted {
    folder: tempfile::TempDir,
    builder: RepositoryBuilder,
    server: Server,
    cache: tempfile::TempDir,
    /// Set to have everything refused with this status.
    refuse: Arc<AtomicUsize>,
}

impl Hosted {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = RepositoryBuilder::create(&folder.path().join("p.git")).unwrap();
        builder.commit_to("main", &written(1), [("a.yaml", "1".into())]).unwrap();
        let (root, refuse) = (folder.path().to_owned(), Arc::new(AtomicUsize::new(0)));
        let refusal = refuse.clone();
        let server = Server::tls(move |request| {
            let authorized = request.header("authorization").is_some_and(|value| value.ends_with(DISGUISES[3]));
            match refusal.load(Ordering::SeqCst) {
                0 if authorized => Reply::Backend(root.clone()),
                0 => Reply::Status(401, vec![("WWW-Authenticate", "Basic realm=\"git\"".to_owned())]),
                status => Reply::Status(u16::try_from(status).unwrap(), Vec::new()),
            }
        });
        Self { folder, builder, server, cache: tempfile::tempdir().unwrap(), refuse }
    }

    fn commit(&mut self, branch: &str, n: i64) -> CommitId {
        let content = Content::File(n.to_string().into_bytes());
        self.builder.commit_to(branch, &written(n), [("a.yaml", content)]).unwrap()
    }

    fn source(&self) -> RepositorySource {
        with_token(&self.server, "/p.git")
    }

    fn mirrors(&self) -> Mirrors {
        Mirrors::new(self.cache.path().to_owned())
    }

    fn open(&self) -> OpenedRepository {
        self.mirrors().open(&self.source(), at(1_000)).unwrap_or_else(|gap| panic!("{gap:?}"))
    }

    fn mirror_folder(&self) -> std::path::PathBuf {
        std::fs::read_dir(self.cache.path()).unwrap().next().unwrap().unwrap().path()
    }
}

fn resolve(repository: &OpenedRepository, revision: &str) -> Option<String> {
    repository.resolve(&Revision::new(revision)).ok().map(|found| found.commit.as_str().to_owned())
}

fn some(commit: &CommitId) -> Option<String> {
    Some(commit.as_str().to_owned())
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

fn packs_of(repository: &OpenedRepository) -> Vec<std::path::PathBuf> {
    let mut files = files_below(&repository.path().join("objects").join("pack"));
    files.retain(|path| path.extension().is_some_and(|extension| extension == "pack"));
    files
}

#[path = "mirrors_by_proxy_tests.rs"]
mod by_proxy;
#[path = "mirrors_over_https_tests.rs"]
mod over_https;
#[path = "mirrors_over_ssh_tests.rs"]
mod over_ssh;
