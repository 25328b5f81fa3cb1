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
use crate::model::history::FileHistory;
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
fn credentials_are_not_sent_over_plain_http_and_ssh_is_said_to_be_missing() {
    let server = Server::plain(|_| Reply::Status(404, Vec::new()));
    let gap = gap_of(&source(&server.url_with(&format!("ann:{}", DISGUISES[0]), "/p.git")));
    assert_says(&gap, "not sent over plain http", "https");
    assert_eq!(server.seen().len(), 0);
    assert_says(&gap_of(&source(&server.url("/p.git"))), "knows no such repository", "");
    assert_says(&gap_of(&source("git@git.example.com:acme/p.git")), "ssh is not supported", "https URL");
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

/// An HTTP proxy that tunnels (RFC 9110, CONNECT) to this machine; counts what it was asked.
fn proxy() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let port = head.split_whitespace().nth(1).unwrap().rsplit(':').next().unwrap().parse::<u16>().unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            std::thread::spawn(move || std::io::copy(&mut server, &mut client));
        }
    });
    (port, asked)
}

#[test]
fn proxy_variables_are_honoured() {
    if let Ok(url) = std::env::var("DRIFTLEDGER_TEST_URL") {
        let ca_file = std::env::var_os("DRIFTLEDGER_TEST_CA").map(Into::into);
        assert_says(&gap_of(&RepositorySource { ca_file, ..source(&url) }), "knows no such repository", "");
        return;
    }
    let server = status(404);
    let (port, asked) = proxy();
    let ca = server.ca();
    for (no_proxy, expected) in [("", 1), ("localhost", 1), ("git.example.com", 2)] {
        let variables = [
            ("DRIFTLEDGER_TEST_URL", server.url("/p.git")),
            ("DRIFTLEDGER_TEST_CA", ca.to_str().unwrap().to_owned()),
            ("https_proxy", format!("http://ann:{}@127.0.0.1:{port}", DISGUISES[0])),
            ("no_proxy", no_proxy.to_owned()),
        ];
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = again("proxy_variables_are_honoured", &variables).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert_no_canary(&String::from_utf8_lossy(&output.stdout));
        assert_eq!(asked.load(Ordering::SeqCst), expected, "no_proxy={no_proxy}");
    }
    assert_eq!(server.seen().len(), 3);
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
    repository.resolve(&Revision::new(revision)).ok().map(|id| id.as_str().to_owned())
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

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_mirror_follows_new_forced_removed_and_renamed_branches_and_tags() {
    let mut hosted = Hosted::new();
    let first = hosted.commit("main", 2);
    hosted.builder.set_branch("feature", &first).unwrap();
    hosted.builder.tag("v1", &first, Some(&written(3))).unwrap();
    let repository = hosted.open();
    assert!(repository.stale.is_none());
    for revision in ["HEAD", "main", "feature", "v1", first.short(), first.as_str()] {
        assert_eq!(resolve(&repository, revision), some(&first), "{revision}");
    }
    // A commit that is not there is no sign of damage, after which all would be fetched anew.
    let unknown = CommitId::new("0".repeat(39) + "1");
    assert_eq!(repository.commit(&unknown).expect_err("nobody's commit").kind, GapKind::Revision);
    assert_eq!(hosted.open().path(), repository.path());
    // Nothing new: no second pack.
    assert_eq!(packs_of(&hosted.open()).len(), 1);

    let forced = hosted.builder.commit(&[], &written(9), [("b.yaml", Content::from("9"))]).unwrap();
    hosted.builder.set_branch("main", &forced).unwrap();
    hosted.builder.remove_reference("refs/heads/feature").unwrap();
    hosted.builder.set_branch("feature/one", &first).unwrap();
    hosted.builder.tag("v1", &forced, None).unwrap();
    let repository = hosted.open();
    assert_eq!(resolve(&repository, "main"), some(&forced));
    assert_eq!(resolve(&repository, "HEAD"), some(&forced));
    assert_eq!(resolve(&repository, "v1"), some(&forced));
    assert_eq!(resolve(&repository, "feature"), None);
    assert_eq!(resolve(&repository, "feature/one"), some(&first));

    std::fs::write(hosted.folder.path().join("p.git").join("HEAD"), "ref: refs/heads/feature/one\n").unwrap();
    assert_eq!(resolve(&hosted.open(), "HEAD"), some(&first), "the default branch changed and nothing else");
    let history = hosted.open().file_history(&first, "a.yaml", super::super::HistoryBounds::default()).unwrap();
    assert_eq!((history.versions.len(), history.whole), (2, true));
    hosted.builder.remove_reference("refs/tags/v1").unwrap();
    assert_eq!(resolve(&hosted.open(), "v1"), None, "a removed tag and nothing else");
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_wrong_token_is_refused_and_the_right_one_is_nowhere_in_the_cache() {
    let hosted = Hosted::new();
    let wrong = Some(Credentials::Token(Hidden::new("wrong")));
    let gap = checked(
        hosted.mirrors().open(&RepositorySource { credentials: wrong, ..hosted.source() }, at(1_000)).unwrap_err(),
    );
    assert_says(&gap, "refused the credentials", "token");
    let user = Credentials::Basic { user: "x-access-token".into(), password: Hidden::new(CANARY) };
    let source = RepositorySource { credentials: Some(user), ..hosted.source() };
    let log = logged(|| drop(hosted.mirrors().open(&source, at(1_000)).unwrap()));
    assert_no_canary(&log);
    let files = files_below(hosted.cache.path());
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        assert_no_canary(&format!("{} {}", file.display(), String::from_utf8_lossy(&std::fs::read(&file).unwrap())));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(hosted.mirror_folder()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_last_good_mirror_is_used_only_where_it_is_allowed_and_says_its_age() {
    let hosted = Hosted::new();
    let commit = resolve(&hosted.open(), "main");
    hosted.refuse.store(403, Ordering::SeqCst);
    let later = at(1_000 + 3 * 3_600);
    let gap = checked(hosted.mirrors().open(&hosted.source(), later).unwrap_err());
    assert_says(&gap, "HTTP 403); the last good copy is 3 h old", "allowStale");
    let allowed = RepositorySource { allow_stale: true, ..hosted.source() };
    let repository = hosted.mirrors().open(&allowed, later).unwrap();
    let stale = repository.stale.clone().expect("an old mirror");
    assert_eq!((stale.age_seconds, resolve(&repository, "main")), (10_800, commit));
    assert_says(&checked(stale.gap), "3 h old and is used", "right to read");

    hosted.refuse.store(0, Ordering::SeqCst);
    assert!(hosted.mirrors().open(&allowed, later).unwrap().stale.is_none());
    // Without a mirror there is nothing to use.
    hosted.refuse.store(403, Ordering::SeqCst);
    let empty = tempfile::tempdir().unwrap();
    let gap = Mirrors::new(empty.path().to_owned()).open(&allowed, later).unwrap_err();
    assert!(!gap.message.contains("last good"), "{}", gap.message);
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn many_may_open_one_mirror_at_a_time_and_a_held_lock_has_an_end() {
    let mut hosted = Hosted::new();
    let commit = hosted.commit("main", 2);
    let open = |mirrors: Mirrors, source: RepositorySource| {
        move || resolve(&mirrors.open(&source, at(1_000)).unwrap(), "main")
    };
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(open(hosted.mirrors(), hosted.source()))).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), some(&commit));
    }
    let numbers: Vec<_> = std::fs::read_dir(hosted.mirror_folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(numbers.len(), 3, "lock, current and one generation: {numbers:?}");

    let lock = std::fs::File::open(hosted.mirror_folder().join("lock")).unwrap();
    lock.lock().unwrap();
    let source = RepositorySource { timeout: Duration::from_millis(300), ..hosted.source() };
    let gap = checked(hosted.mirrors().open(&source, at(2_000)).unwrap_err());
    assert_says(&gap, "another process is still", "longer timeout");
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_damaged_mirror_is_made_anew_and_readers_of_the_old_one_go_on() {
    let mut hosted = Hosted::new();
    let commit = hosted.commit("main", 2);
    let damages: [fn(&OpenedRepository); 5] = [
        |repository| {
            let pack = &packs_of(repository)[0];
            let bytes = std::fs::read(pack).unwrap();
            std::fs::remove_file(pack).unwrap();
            std::fs::write(pack, &bytes[..bytes.len() / 2]).unwrap();
        },
        |repository| std::fs::remove_file(&packs_of(repository)[0]).unwrap(),
        |repository| std::fs::write(repository.path().join("packed-refs"), "no reference\n").unwrap(),
        |repository| std::fs::remove_file(repository.path().join("HEAD")).unwrap(),
        |repository| drop(repository.store.unreadable("a blob")),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let reader = hosted.open();
        let tree = reader.tree(&commit, super::super::TreeLimits::default());
        damage(&reader);
        let mended = hosted.open();
        assert_ne!(mended.path(), reader.path(), "damage {number}");
        assert!(reader.path().exists(), "an old mirror stays as long as it is read");
        assert_eq!(resolve(&mended, "main"), some(&commit));
        let old = reader.path();
        drop((reader, tree));
        hosted.open();
        assert!(!old.exists(), "and goes afterwards");
    }
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_mirror_of_many_packs_is_made_anew() {
    let mut hosted = Hosted::new();
    let mirrors = Mirrors { many_packs: 3, ..hosted.mirrors() };
    let mut counts = Vec::new();
    for n in 2..6 {
        let commit = hosted.commit("main", n);
        let repository = mirrors.open(&hosted.source(), at(n)).unwrap();
        assert_eq!(resolve(&repository, "main"), some(&commit));
        counts.push(packs_of(&repository).len());
    }
    assert_eq!(counts, [1, 2, 1, 2]);
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn a_killed_fetch_leaves_a_mirror_that_the_next_run_can_use() {
    const NAME: &str = "a_killed_fetch_leaves_a_mirror_that_the_next_run_can_use";
    if let (Ok(url), Some(cache)) = (std::env::var("DRIFTLEDGER_TEST_URL"), std::env::var_os("DRIFTLEDGER_TEST_CACHE"))
    {
        let ca_file = std::env::var_os("DRIFTLEDGER_TEST_CA").map(Into::into);
        let _ = Mirrors::new(cache.into()).open(&RepositorySource { ca_file, ..source(&url) }, at(1));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(&folder.path().join("p.git")).unwrap();
    let mut noise = vec![0; 200_000];
    let mut commit = |builder: &mut RepositoryBuilder, n| {
        getrandom::fill(&mut noise).unwrap();
        builder.commit_to("main", &written(n), [("a", Content::File(noise.clone()))]).unwrap()
    };
    let first = commit(&mut builder, 1);
    let root = folder.path().to_owned();
    let whole = Arc::new(AtomicUsize::new(0));
    let switch = whole.clone();
    let server = Server::tls(move |request| match switch.load(Ordering::SeqCst) {
        0 if request.wants_pack() => Reply::BackendUpTo(root.clone(), 100_000),
        _ => Reply::Backend(root.clone()),
    });
    let cache = tempfile::tempdir().unwrap();
    let kill_in_the_middle = || {
        server.cut.store(false, Ordering::SeqCst);
        let ca = server.ca();
        let variables = [
            ("DRIFTLEDGER_TEST_URL", server.url("/p.git")),
            ("DRIFTLEDGER_TEST_CA", ca.to_str().unwrap().to_owned()),
            ("DRIFTLEDGER_TEST_CACHE", cache.path().to_str().unwrap().to_owned()),
        ];
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut child = again(NAME, &variables).spawn().unwrap();
        let started = Instant::now();
        while !server.cut.load(Ordering::SeqCst) {
            assert!(started.elapsed() < Duration::from_secs(60), "the fetch never began");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(200));
        child.kill().unwrap();
        child.wait().unwrap();
    };
    let open = |time| Mirrors::new(cache.path().to_owned()).open(&with_ca(&server, "/p.git"), at(time)).unwrap();
    let leftovers = || {
        let mut files = files_below(cache.path());
        files.retain(|file| {
            file.parent().is_some_and(|folder| folder.ends_with("pack"))
                && !file.extension().is_some_and(|extension| extension == "pack" || extension == "idx")
        });
        files.len()
    };

    kill_in_the_middle();
    assert!(leftovers() > 0, "it was killed while it wrote");
    whole.store(1, Ordering::SeqCst);
    assert_eq!(resolve(&open(10), "main"), some(&first));
    assert_eq!(leftovers(), 0);

    let second = commit(&mut builder, 2);
    whole.store(0, Ordering::SeqCst);
    kill_in_the_middle();
    assert!(leftovers() > 0, "it was killed while it wrote");
    whole.store(1, Ordering::SeqCst);
    let repository = open(20);
    assert_eq!(resolve(&repository, "main"), some(&second));
    assert_eq!((leftovers(), packs_of(&repository).len()), (0, 2), "the first fetch's pack was kept");
}

#[test]
#[ignore = "needs git's http-backend: run tests/run"]
fn an_empty_repository_and_plain_http_without_credentials_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = RepositoryBuilder::create(&folder.path().join("p.git")).unwrap();
    let root = folder.path().to_owned();
    let server = Server::plain(move |_| Reply::Backend(root.clone()));
    let cache = tempfile::tempdir().unwrap();
    let mirrors = Mirrors::new(cache.path().to_owned());
    let source = source(&server.url("/p.git"));
    let repository = mirrors.open(&source, at(1)).unwrap();
    let gap = repository.resolve(&Revision::new("HEAD")).expect_err("nothing there");
    assert_eq!(gap.kind, GapKind::Revision);
    let commit = builder.commit_to("main", &written(1), [("a.yaml", "1".into())]).unwrap();
    let repository = mirrors.open(&source, at(2)).unwrap();
    assert_eq!(resolve(&repository, "HEAD"), some(&commit));
    let history = repository.file_history(&commit, "a.yaml", super::super::HistoryBounds::default()).unwrap();
    assert_ne!(history, FileHistory::default());
}
