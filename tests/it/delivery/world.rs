//! A workspace with a live side that changes, receivers that are fakes, and a clock that is moved between two runs of the program.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use driftledger::adapters::git::Content;
use driftledger::adapters::ledger::Ledger;
use driftledger::model::outbox::{MessageId, MessageStory, OutboxMessage};
use serde_json::{Value, json};

use super::clock;
use crate::program::{Said, Workspace, said};
use crate::slack_fake::{BEAT, BOT_TOKEN, HOOK, Rules, SlackFake, Victim, WEBHOOK};

/// Receivers as the configuration has them. `{api}` is the fake's address.
pub const CHAT: &str =
    "  - {name: chat, timeout: 3s, slack: {channel: C0ALERTS00, tokenFile: secrets/token, url: '{api}'}}\n";
pub const ROOM: &str = "  - {name: room, timeout: 3s, slack: {webhookFile: secrets/room}}\n";
pub const POST: &str =
    "  - {name: post, mail: {from: 'Driftledger <drift@example.com>', to: [ops@example.com], folder: out}}\n";
pub const HOOK_SIGNED: &str =
    "  - {name: hook, timeout: 3s, webhook: {urlFile: secrets/hook, secretFile: secrets/key}}\n";

/// The key with which the webhook's messages are signed.
pub const KEY: &str = "FakeKeyFakeKeyFakeKey";
/// A Tuesday, 9:00 UTC: no schedule and no change of clocks is near.
const BEGIN: i64 = 1_799_744_400;

/// One object of the live side.
#[derive(Clone, Copy)]
struct Live<T> {
    value: T,
    writer: &'static str,
}

pub struct World {
    pub work: RefCell<Workspace>,
    pub fake: SlackFake,
    /// Seconds by which the program's clock is ahead of this machine's.
    ahead: Cell<i64>,
    image: RefCell<Live<String>>,
    data: RefCell<BTreeMap<String, Live<String>>>,
}

impl World {
    /// In sync, with these receivers, and with what else the configuration says: routes, at least.
    pub fn new(receivers: &[&str], more: &str) -> Self {
        Self::with(Rules::default(), receivers, more)
    }

    pub fn with(rules: Rules, receivers: &[&str], more: &str) -> Self {
        let gitops = |value: &str| Live { value: value.to_owned(), writer: "argocd-controller" };
        let data = (0..30).map(|n| (format!("settings-{n:02}"), gitops("v"))).collect();
        let world = Self {
            work: RefCell::new(Workspace::new()),
            fake: SlackFake::start(rules),
            ahead: Cell::new(0),
            image: RefCell::new(gitops("registry.test/api:1.8.2")),
            data: RefCell::new(data),
        };
        world.set_clock(BEGIN);
        world.configure(receivers, more);
        let fake = &world.fake;
        for (name, text) in [
            ("token", BOT_TOKEN.to_owned()),
            ("room", fake.webhook()),
            ("hook", fake.at(HOOK)),
            ("beat", fake.at(BEAT)),
            ("key", KEY.to_owned()),
        ] {
            world.file(&format!("secrets/{name}"), &format!("{text}\n"));
        }
        std::fs::create_dir(world.work.borrow().path().join("out")).expect("a folder");
        world.declare("registry.test/api:1.8.1");
        world.declare("registry.test/api:1.8.2");
        world.write_live();
        world
    }

    /// Writes the configuration anew.
    pub fn configure(&self, receivers: &[&str], more: &str) {
        let text = format!(
            "ledger: ledger.sqlite\nsummaries: []\n\
             clusters:\n  - {{name: prod, dump: live.json}}\n\
             repositories:\n  - {{name: r, url: repository}}\n\
             targets:\n  - {{name: shop, repository: r, revision: main, path: shop, cluster: prod, namespace: shop}}\n\
             receivers:\n{}{more}",
            receivers.concat(),
        );
        self.file("driftledger.yaml", &text.replace("{api}", &self.fake.api()));
    }

    pub fn file(&self, name: &str, text: &str) {
        self.work.borrow().file(name, text);
    }

    /// Commits all of Git's side, with this image.
    pub fn declare(&self, image: &str) {
        let mut text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api}}\nspec:\n  selector: {{matchLabels: {{app: api}}}}\n  \
             template:\n    metadata: {{labels: {{app: api}}}}\n    spec:\n      containers:\n        - {{name: api, image: '{image}'}}\n"
        );
        for name in self.data.borrow().keys() {
            text += &format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: v}}\n");
        }
        let files = [("shop/all.yaml".to_owned(), Content::from(text.as_str()))];
        self.work.borrow_mut().commit(&format!("Run {image}"), files);
    }

    /// Somebody sets the image live: critical, unless it is the GitOps side.
    pub fn image(&self, value: &str, writer: &'static str) {
        *self.image.borrow_mut() = Live { value: value.to_owned(), writer };
        self.write_live();
    }

    /// Somebody sets a ConfigMap's only value live: high, unless it is Git's, `v`.
    pub fn setting(&self, n: usize, value: &str, writer: &'static str) {
        self.data.borrow_mut().insert(format!("settings-{n:02}"), Live { value: value.to_owned(), writer });
        self.write_live();
    }

    /// The live side cannot be read any more, until something is set there.
    pub fn hide_live(&self) {
        std::fs::remove_file(self.work.borrow().path().join("live.json")).expect("the dump");
    }

    pub fn write_live(&self) {
        let fields = |writer: &str, fields: Value| {
            json!([{"manager": writer, "operation": "Update", "apiVersion": "v1",
            "time": "2027-01-12T08:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields}])
        };
        let image = self.image.borrow();
        let of_image =
            json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"api\"}": {"f:image": {}}}}}}});
        let mut items = vec![json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "api", "namespace": "shop", "managedFields": fields(image.writer, of_image)},
            "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": {
                "metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "api", "image": image.value}]}}},
        })];
        for (name, live) in self.data.borrow().iter() {
            let of_data = json!({"f:data": {"f:k": {}}});
            items.push(json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": "shop", "managedFields": fields(live.writer, of_data)},
                "data": {"k": live.value},
            }));
        }
        self.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    }

    fn set_clock(&self, time: i64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64;
        self.ahead.set(time - now);
        let ahead = Duration::from_secs(self.ahead.get().unsigned_abs());
        self.fake.rules(|rules| rules.ahead = ahead);
    }

    /// Time passes.
    pub fn later(&self, seconds: i64) {
        self.set_clock(self.now() + seconds);
    }

    /// The program's time, in seconds since 1970.
    pub fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64;
        now + self.ahead.get()
    }

    /// The program, ready to run here and now.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.work.borrow().command(args);
        command.env("LD_PRELOAD", clock::library()).env("TEST_CLOCK_AHEAD", self.ahead.get().to_string());
        command
    }

    /// Runs it. Whatever it says holds no secret.
    pub fn run(&self, args: &[&str]) -> Said {
        self.heard(&self.command(args).output().expect("the program runs"))
    }

    /// Runs it so that it can be killed, by whom the victim was given to.
    pub fn run_and_kill(&self, args: &[&str], victim: &Victim) -> Said {
        let mut child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let (out, err) = (child.stdout.take().expect("stdout"), child.stderr.take().expect("stderr"));
        victim.is(child);
        // They end when it does.
        let read = |mut from: Box<dyn std::io::Read + Send>| {
            std::thread::spawn(move || {
                let mut all = Vec::new();
                from.read_to_end(&mut all).map(|_| all)
            })
        };
        let (out, err) = (read(Box::new(out)), read(Box::new(err)));
        let all = |thread: std::thread::JoinHandle<std::io::Result<Vec<u8>>>| {
            thread.join().expect("it is read").expect("it is read")
        };
        let (stdout, stderr) = (all(out), all(err));
        self.heard(&Output { status: victim.ended(), stdout, stderr })
    }

    fn heard(&self, output: &Output) -> Said {
        let said = said(output);
        for text in [&said.out, &said.err] {
            assert_eq!(leaks(text.as_bytes()), [""; 0], "{text}");
        }
        said
    }

    /// A scan; its report is on stdout as JSON.
    pub fn scan(&self) -> Said {
        let begun = self.now();
        let said = self.run(&["scan", "-o", "json"]);
        if let Ok(report) = serde_json::from_str::<Value>(&said.out) {
            let started = report["scan"]["startedAt"].as_str().expect("a time");
            let started = driftledger::model::time::Timestamp::parse(started).expect("a time").unix();
            assert!((begun..begun + 60).contains(&started), "the clock that was moved holds: {started} {begun}");
        }
        said
    }

    /// Every message that was planned, with all that happened to it.
    pub fn stories(&self) -> Vec<MessageStory> {
        let ledger = Ledger::open_read_only(&self.work.borrow().path().join("ledger.sqlite"), None).expect("a ledger");
        (1..).map_while(|n| ledger.message(MessageId(n)).expect("it reads back")).collect()
    }

    /// The messages that were not delivered.
    pub fn outbox(&self) -> Vec<OutboxMessage> {
        let ledger = Ledger::open_read_only(&self.work.borrow().path().join("ledger.sqlite"), None).expect("a ledger");
        ledger.outbox().expect("an outbox").messages
    }

    /// The mails of the folder, by the names of their files, decoded as far as their text is concerned.
    pub fn mails(&self) -> BTreeMap<String, String> {
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.expect("a file");
            let text = std::fs::read_to_string(entry.path()).expect("ASCII");
            (entry.file_name().into_string().expect("a name"), text.replace("=\r\n", "").replace("=3D", "="))
        };
        std::fs::read_dir(self.work.borrow().path().join("out")).expect("a folder").map(read).collect()
    }

    /// Neither the ledger, nor any other file that was made, nor any message holds a secret; and the ledger is whole.
    pub fn assert_clean(&self) {
        let mut folders = vec![self.work.borrow().path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() && !path.ends_with("secrets") {
                    folders.push(path);
                } else if path.is_file() {
                    assert_eq!(leaks(&std::fs::read(&path).expect("a file")), [""; 0], "{}", path.display());
                }
            }
        }
        for message in self.fake.messages() {
            assert_eq!(leaks(format!("{message:?}").as_bytes()), [""; 0], "{message:?}");
        }
        for request in self.fake.received(HOOK) {
            assert_eq!(leaks(&request.body), [""; 0]);
        }
        assert_eq!(self.fake.complaints(), [""; 0]);
        let verified = self.run(&["verify"]);
        assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    }
}

/// The secrets that a text holds.
fn leaks(text: &[u8]) -> Vec<&'static str> {
    let last = |path: &'static str| path.rsplit('/').next().expect("a part");
    let secrets = [BOT_TOKEN, KEY, last(WEBHOOK), last(HOOK), last(BEAT)];
    secrets.into_iter().filter(|secret| memchr::memmem::find(text, secret.as_bytes()).is_some()).collect()
}
