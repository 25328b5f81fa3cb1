//! `watch`, as its process: pages, the schedule, a configuration that changes below it, and its end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::program::Workspace;

const CONFIG: &str = "ledger: ledger.sqlite\nclusters:\n  - {name: prod, dump: live.json}\n\
    repositories:\n  - {name: r, url: repository}\n\
    targets:\n  - {name: shop, repository: r, revision: main, path: shop, cluster: prod, namespace: shop}\n";

/// Longer than from one minute of the schedule to the next and a scan.
const PATIENCE: Duration = Duration::from_secs(90);

struct Watching {
    process: Child,
    address: String,
}

impl Watching {
    fn start(work: &Workspace, args: &[&str]) -> Self {
        let mut command = work.command(&["watch", "--listen", "127.0.0.1:0"]);
        let mut process = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let mut said = BufReader::new(process.stderr.take().expect("its stderr"));
        said.read_line(&mut line).expect("a line");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(':').take(2).last());
        let port = address.unwrap_or_else(|| panic!("no address in {line}")).to_owned();
        // What it says later is read too, or its pipe would fill.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { process, address: format!("127.0.0.1:{port}") }
    }

    /// Status and body.
    fn ask(&self, head: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        write!(stream, "{head} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"), body.to_owned())
    }

    fn wait(&self, what: &str, there: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !there(self) {
            assert!(Instant::now() < end, "{what}: {:?} {}", self.ask("GET /readyz"), self.ask("GET /metrics").1);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Tells it to end; its exit code and what it wrote.
    fn end(mut self) -> (Option<i32>, String) {
        let killed = std::process::Command::new("kill").arg(self.process.id().to_string()).status();
        assert!(killed.expect("kill runs").success());
        let mut out = String::new();
        self.process.stdout.take().expect("its stdout").read_to_string(&mut out).expect("text");
        (self.process.wait().expect("it ends").code(), out)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Ended already, unless a test failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn workspace() -> Workspace {
    let mut work = Workspace::new();
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n";
    work.commit("Add", [("shop/a.yaml".to_owned(), text.into())]);
    let live = text.replace("  name: a\n", "  name: a\n  namespace: shop\n").replace("k: v", "k: other");
    work.file("live.json", &live);
    work.file("driftledger.yaml", CONFIG);
    work
}

#[test]
fn scans_on_its_schedule_answers_and_ends_when_told() {
    let work = workspace();
    let watching = Watching::start(&work, &["--schedule", "* * * * *"]);
    assert_eq!(watching.ask("GET /healthz"), (200, "ok\n".into()));
    assert_eq!(watching.ask("POST /report").0, 405);
    // A ledger without a scan gets one at once.
    watching.wait("the first scan", |it| it.ask("GET /readyz").0 == 200);
    let metrics = watching.ask("GET /metrics").1;
    for line in [
        "driftledger_open_findings{cluster=\"prod\"} 1",
        "driftledger_ledger_intact 1",
        "driftledger_watch_scans_total 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    let report = watching.ask("GET /report");
    assert!(report.0 == 200 && report.1.contains("DRIFTED"), "{report:?}");

    // From now on the configuration is wrong: the next scan uses the one before, and says so.
    work.file("driftledger.yaml", &CONFIG.replace("cluster: prod, ", "cluster: nowhere, "));
    watching
        .wait("a scan at the next minute", |it| it.ask("GET /metrics").1.contains("driftledger_watch_scans_total 2\n"));
    let ready = watching.ask("GET /readyz");
    assert!(ready.0 == 503 && ready.1.contains("nowhere"), "{ready:?}");
    assert!(watching.ask("GET /metrics").1.contains("driftledger_watch_config_valid 0\n"));
    work.file("driftledger.yaml", CONFIG);

    let (code, out) = watching.end();
    assert_eq!(code, Some(0), "{out}");
    assert_eq!(out.lines().filter(|line| line.contains(" DRIFTED: ")).count(), 2, "{out}");
    let verified = work.run(&["verify"]);
    assert!(verified.code == 0 && verified.out.starts_with("2 scans"), "{}", verified.out);
}

#[test]
fn what_it_cannot_mean_is_said_before_it_starts() {
    let work = workspace();
    for (args, said) in [
        (["--schedule", "* * *"].as_slice(), "--schedule: `* * *`"),
        (&["--schedule", "* * * * *", "--time-zone", "Mars/North"], "Mars/North"),
        (&["--schedule", "* * * * *", "--jitter", "soon"], "write it as `30s`"),
        (&["--schedule", "* * * * *", "--listen", "192.0.2.1:1"], "cannot listen on 192.0.2.1:1"),
    ] {
        let ended = work.run(&[&["watch"], args].concat());
        assert!(ended.code == 2 && ended.err.contains(said), "{said}: {} {}", ended.code, ended.err);
    }
    assert!(!work.path().join("ledger.sqlite").exists());
}
