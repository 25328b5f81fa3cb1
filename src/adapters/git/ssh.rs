//! The ssh side of a fetch: the `ssh` program, with `git-upload-pack` at its other end.
//!
//! It is run here and not by gix, because gix neither ends a server that falls silent, nor says whether it was the host's key or ours that
//! was refused, and because `ssh` then hears nothing but what stands below: no configuration file, no agent, no other key, no question.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gix::protocol::transport::Protocol;
use gix::protocol::transport::client::git::{ConnectMode, blocking_io::Connection};

use super::deadline::Deadline;
use super::failure::Failure;
use super::source::{RepositorySource, SshAccess};
use super::ssh_address::SshAddress;

/// Longest wait for a connection, seconds.
const CONNECT: u64 = 15;
/// Seconds between questions whether the server is still there; after four without an answer ssh gives up.
const ALIVE: u64 = 15;
/// Most that is kept of what ssh and the server say.
const WORDS: usize = 8 * 1024;
/// Longest wait for ssh to say why it ends.
const PARTING: Duration = Duration::from_secs(2);

/// What is not to be taken from a configuration file, nor left to ssh's defaults.
const ALWAYS: [&str; 22] = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
    "VerifyHostKeyDNS=no",
    "UpdateHostKeys=no",
    "CheckHostIP=no",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "PreferredAuthentications=publickey",
    "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "ProxyCommand=none",
    "CanonicalizeHostname=no",
    "ControlMaster=no",
    "ControlPath=none",
    "EscapeChar=none",
    "RequestTTY=no",
    "SendEnv=GIT_PROTOCOL",
];

/// A running `ssh`; it ends with this value.
pub(super) struct Session {
    child: Mutex<Child>,
    words: Mutex<Option<JoinHandle<String>>>,
}

/// What gix speaks with.
pub(super) type Transport = Connection<ChildStdout, ChildStdin>;

impl Session {
    /// Starts `ssh`. Whether it gets anywhere shows when the transport is read.
    pub(super) fn open(
        source: &RepositorySource,
        address: &SshAddress,
        deadline: Deadline,
    ) -> Result<(Self, Transport), Failure> {
        let access = source.ssh.as_ref().ok_or(Failure::NoSshAccess)?;
        let mut command = command(access, address, deadline)?;
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::NoSsh,
            kind => Failure::Ssh(kind.to_string()),
        })?;
        let (Some(input), Some(output), Some(words)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Failure::Ssh("it has no pipes".into()));
        };
        let words = std::thread::spawn(move || heard(words));
        let transport = Connection::new(
            output,
            input,
            Protocol::V2,
            address.path.as_str(),
            None::<(&str, Option<u16>)>,
            ConnectMode::Process,
            false,
        );
        Ok((Self { child: Mutex::new(child), words: Mutex::new(Some(words)) }, transport))
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it at once.
    pub(super) fn end(&self) {
        let mut child = self.child();
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Why it ended, where it did so by itself and not in peace.
    pub(super) fn failure(&self) -> Option<Failure> {
        let until = Instant::now() + PARTING;
        let status = loop {
            match self.child().try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < until => {}
                _ => break None,
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        self.end();
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner).take();
        let words = words.and_then(|words| words.join().ok()).unwrap_or_default();
        status.filter(|status| !status.success()).map(|_| of_words(&words))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}

fn command(access: &SshAccess, address: &SshAddress, deadline: Deadline) -> Result<Command, Failure> {
    let key = file("sshKeyFile", &access.key_file)?;
    let known = file("knownHostsFile", &access.known_hosts_file)?;
    let connect = deadline.left().as_secs().clamp(1, CONNECT);
    let mut command = Command::new("ssh");
    command.args(["-F", "/dev/null"]);
    let more = [
        format!("IdentityFile={key}"),
        format!("UserKnownHostsFile={known}"),
        format!("ConnectTimeout={connect}"),
        format!("ServerAliveInterval={ALIVE}"),
        format!("Port={}", address.port.unwrap_or(22)),
        format!("User={}", address.user),
    ];
    for option in ALWAYS.into_iter().chain(more.iter().map(String::as_str)) {
        command.args(["-o", option]);
    }
    command.args(["--", &address.host, &address.upload_pack()]);
    // Neither an agent nor a program that asks for passwords; and its messages in English, to be understood below.
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.env("LC_ALL", "C").env("GIT_PROTOCOL", "version=2");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

/// A file's name as a value of an option of ssh_config(5), where blanks, quotes, `%`, `~` and `${…}` have meanings.
fn file(setting: &'static str, path: &Path) -> Result<String, Failure> {
    let refuse = |why: &str| Failure::SshFile(setting, why.to_owned());
    std::fs::File::open(path).map_err(|error| refuse(&error.kind().to_string()))?;
    let path = std::path::absolute(path).map_err(|error| refuse(&error.kind().to_string()))?;
    let text = path.to_str().filter(|text| !text.contains(['"', '\\', '$']) && !text.chars().any(char::is_control));
    let text =
        text.ok_or_else(|| refuse("ssh cannot be given a path with quotes, backslashes, $ or control characters"))?;
    Ok(format!("\"{}\"", text.replace('%', "%%")))
}

/// The last of what is said, to its end, so that the speaker never waits.
fn heard(words: impl Read) -> String {
    let mut kept = Vec::new();
    let mut words = BufReader::new(words);
    loop {
        let read = match words.fill_buf() {
            Ok(bytes) if !bytes.is_empty() => {
                kept.extend_from_slice(bytes);
                bytes.len()
            }
            _ => break,
        };
        words.consume(read);
        kept.drain(..kept.len().saturating_sub(WORDS));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// From what OpenSSH, and behind it the server, say at their end.
fn of_words(words: &str) -> Failure {
    let says = |part: &str| words.contains(part);
    if says("REMOTE HOST IDENTIFICATION HAS CHANGED") || says("REVOKED HOST KEY") || says("Host key for") {
        return Failure::HostKey;
    }
    if says("Host key verification failed") || says("host key is known for") {
        return Failure::UnknownHost;
    }
    if says("UNPROTECTED PRIVATE KEY FILE") {
        return Failure::SshFile("sshKeyFile", "others than its owner may read it, and ssh then refuses it".into());
    }
    if let Some(line) = words.lines().find(|line| line.starts_with("Load key ")) {
        let why = line.rsplit("\": ").next().unwrap_or_default();
        return Failure::SshFile("sshKeyFile", said(why));
    }
    if says("Permission denied (") || says("Too many authentication failures") {
        return Failure::KeyRefused;
    }
    if says("Could not resolve hostname") {
        return Failure::Resolve;
    }
    if let Some(line) = words.lines().find(|line| line.starts_with("ssh: connect to host ")) {
        let why = line.rsplit(": ").next().unwrap_or_default().trim();
        return Failure::Connect(said(why).to_lowercase());
    }
    let lower = words.to_lowercase();
    let missing =
        ["does not appear to be a git repository", "repository not found", "could not be found", "no such project"];
    if missing.iter().any(|part| lower.contains(part)) {
        return Failure::NoSuchRepository;
    }
    let last = words.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    Failure::Ssh(said(last))
}

fn said(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_openssh_says_is_understood() {
        let unknown = "No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\r\n\
                       Host key verification failed.\r\n";
        let changed = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n";
        let open = "@ WARNING: UNPROTECTED PRIVATE KEY FILE! @\nLoad key \"/k\": bad permissions\n\
                    git@h: Permission denied (publickey).\n";
        let locked = "Load key \"/k\": incorrect passphrase supplied to decrypt private key\ngit@h: Permission denied (publickey).";
        let github = "ERROR: Repository not found.\nfatal: Could not read from remote repository.";
        let file = |why: &str| Failure::SshFile("sshKeyFile", why.to_owned());
        for (words, expected) in [
            (unknown, Failure::UnknownHost),
            (changed, Failure::HostKey),
            (open, file("others than its owner may read it, and ssh then refuses it")),
            (locked, file("incorrect passphrase supplied to decrypt private key")),
            ("git@h: Permission denied (publickey).\r\n", Failure::KeyRefused),
            ("ssh: Could not resolve hostname nowhere.invalid: Name or service not known\n", Failure::Resolve),
            ("ssh: connect to host h port 22: Connection refused\r\n", Failure::Connect("connection refused".into())),
            ("fatal: '/p' does not appear to be a git repository\n", Failure::NoSuchRepository),
            (github, Failure::NoSuchRepository),
            ("No user exists for uid 65532\n", Failure::Ssh("No user exists for uid 65532".into())),
            ("a\x1b[2Jb\n\n", Failure::Ssh("a[2Jb".into())),
            ("", Failure::Ssh(String::new())),
        ] {
            assert_eq!(of_words(words), expected, "{words}");
        }
    }

    /// What ssh itself makes of its arguments (`-G`), where the words of ssh_config(5) are small and `yes` may be `true`.
    #[test]
    #[ignore = "needs OpenSSH: run tests/run"]
    fn over_ssh_nothing_but_the_given_files_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").expect("a file");
            path
        };
        let access = SshAccess { key_file: file("my 50% key"), known_hosts_file: file("known hosts") };
        let address = SshAddress { user: "git".into(), host: "h.example".into(), port: None, path: "p".into() };
        let given = command(&access, &address, Deadline::after(Duration::from_secs(9))).expect("a command");
        let told = Command::new("ssh").arg("-G").args(given.get_args()).output().expect("ssh");
        let told = String::from_utf8(told.stdout).expect("text");
        let of = |name: &str| -> Vec<&str> {
            told.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).collect()
        };
        let key = access.key_file.display().to_string().replace('%', "%%");
        let known = access.known_hosts_file.display().to_string();
        for (name, value) in [
            ("hostname", "h.example"),
            ("user", "git"),
            ("port", "22"),
            ("identityfile", key.as_str()),
            ("userknownhostsfile", known.as_str()),
            ("globalknownhostsfile", "/dev/null"),
            ("identityagent", "none"),
            ("preferredauthentications", "publickey"),
            ("sendenv", "GIT_PROTOCOL"),
        ] {
            assert_eq!(of(name), [value], "{name}");
        }
        for name in ["batchmode", "identitiesonly", "stricthostkeychecking"] {
            assert!(matches!(of(name)[..], ["yes" | "true"]), "{name}: {:?}", of(name));
        }
        for name in ["forwardagent", "forwardx11", "permitlocalcommand", "passwordauthentication", "updatehostkeys"] {
            assert!(matches!(of(name)[..], ["no" | "false"]), "{name}: {:?}", of(name));
        }
        assert!(!told.contains("\nproxycommand ") && !told.contains("\nproxyjump "), "{told}");
        assert!(matches!(of("connecttimeout")[..], ["8" | "9"]), "{:?}", of("connecttimeout"));
    }

    #[test]
    fn what_is_said_without_end_is_not_kept() {
        let words = "x".repeat(3 * WORDS) + "end";
        let kept = heard(words.as_bytes());
        assert!(kept.len() == WORDS && kept.ends_with("xend"));
    }

    #[test]
    fn a_files_name_is_one_value_for_ssh() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("my 50% key");
        std::fs::write(&path, "").expect("a file");
        let expected = format!("\"{}/my 50%% key\"", folder.path().display());
        assert_eq!(file("sshKeyFile", &path), Ok(expected));
        for name in ["a\"b", "a\\b", "${HOME}", "a\nb"] {
            let path = folder.path().join(name);
            std::fs::write(&path, "").expect("a file");
            assert!(matches!(file("sshKeyFile", &path), Err(Failure::SshFile("sshKeyFile", _))), "{name}");
        }
        assert_eq!(file("k", &folder.path().join("none")), Err(Failure::SshFile("k", "entity not found".into())));
    }
}
