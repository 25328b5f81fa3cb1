//! Mirrors of a real ssh server: OpenSSH's own on loopback, with git's upload-pack behind it. Tests whose names begin with `without` need
//! no server.

use std::process::{Child, Stdio};

use super::super::super::source::SshAccess;
use super::*;

/// A running `sshd` with keys of its own; it ends with this value.
struct Sshd {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

fn keygen(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status()
        .expect("ssh-keygen");
    assert!(made.success());
}

fn public(path: &Path) -> String {
    let text = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

impl Sshd {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for name in ["host", "id", "stranger", "other_host"] {
            keygen(&file(name));
        }
        std::fs::write(file("authorized_keys"), public(&file("id"))).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for (name, key) in [("known_hosts", "host"), ("wrong_hosts", "other_host")] {
            std::fs::write(file(name), format!("[127.0.0.1]:{port} {}\n", public(&file(key)))).unwrap();
        }
        std::fs::write(file("no_hosts"), "").unwrap();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nPidFile none\nHostKey {0}/host\nAuthorizedKeysFile {0}/authorized_keys\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nAcceptEnv GIT_PROTOCOL\nLogLevel VERBOSE\n",
            folder.path().display()
        );
        std::fs::write(file("sshd_config"), config).unwrap();
        // By its whole path, or it refuses to run.
        let sshd =
            ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"].into_iter().find(|p| Path::new(p).exists());
        let log = std::fs::File::create(file("log")).unwrap();
        let child = Command::new(sshd.expect("sshd"))
            .args(["-D", "-e", "-f"])
            .arg(file("sshd_config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { folder, port, child };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "{}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.file("log")).unwrap()
    }

    fn url(&self, path: &str) -> String {
        let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        format!("ssh://{}@127.0.0.1:{}{path}", user.trim(), self.port)
    }

    fn source(&self, key: &str, hosts: &str) -> RepositorySource {
        let url = self.url(&self.file("p.git").display().to_string());
        let ssh = Some(SshAccess { key_file: self.file(key), known_hosts_file: self.file(hosts) });
        RepositorySource { ssh, ..source(&url) }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs OpenSSH's server: run tests/run"]
fn a_mirror_is_made_and_brought_up_to_date() {
    let server = Sshd::start();
    let mut builder = RepositoryBuilder::create(&server.file("p.git")).unwrap();
    let mut commit = |n| builder.commit_to("main", &written(n), [("a.yaml", "1".into())]).unwrap();
    let first = commit(1);
    let cache = tempfile::tempdir().unwrap();
    let mirrors = Mirrors::new(cache.path().to_owned());
    let source = server.source("id", "known_hosts");
    let open = |time| mirrors.open(&source, at(time)).unwrap_or_else(|gap| panic!("{gap:?}\n{}", server.log()));
    let repository = open(1);
    assert_eq!(resolve(&repository, "main"), some(&first));
    let second = commit(2);
    let repository = open(2);
    assert_eq!(resolve(&repository, "main"), some(&second));
    assert_eq!(repository.parents(&second), [first]);
    // Nothing was asked for but the one program.
    let log = server.log();
    assert_eq!(log.matches("Starting session: command").count(), 2, "{log}");
    assert!(!log.contains("forward") && !log.contains("shell on"), "{log}");
}

#[test]
#[ignore = "needs OpenSSH's server: run tests/run"]
fn an_unknown_host_another_host_key_and_a_strange_key_are_refused() {
    let server = Sshd::start();
    RepositoryBuilder::create(&server.file("p.git")).unwrap();
    assert_says(&gap_of(&server.source("id", "no_hosts")), "no key of this server", "ssh-keyscan");
    assert_says(&gap_of(&server.source("id", "wrong_hosts")), "another host key", "in between");
    assert!(!server.log().contains("Accepted"), "{}", server.log());
    assert_says(&gap_of(&server.source("stranger", "known_hosts")), "refused the ssh key", "deploy key");
    assert!(!server.log().contains("Accepted"), "{}", server.log());
    assert_says(&gap_of(&server.source("none", "known_hosts")), "sshKeyFile cannot be used: entity not found", "path");
    assert_says(&gap_of(&server.source("id", "none")), "knownHostsFile cannot be used: entity not found", "path");
    std::fs::write(server.file("id"), "no key").unwrap();
    assert_says(&gap_of(&server.source("id", "known_hosts")), "sshKeyFile cannot be used: ", "passphrase");
}

#[test]
#[ignore = "needs OpenSSH's server: run tests/run"]
fn a_repository_that_is_not_there_and_one_with_a_hostile_name_are_told() {
    let server = Sshd::start();
    let gap = gap_of(&server.source("id", "known_hosts"));
    assert_says(&gap, "knows no such repository", "Check the URL");
    let marker = server.file("marker");
    let hostile = server.url(&format!("/x'; touch {}; '", marker.display()));
    let (location, _) = Location::from_url(&hostile).unwrap();
    gap_of(&RepositorySource { location, ..server.source("id", "known_hosts") });
    assert!(!marker.exists(), "the server's shell ran what the path says");
}

#[test]
#[ignore = "needs OpenSSH's server: run tests/run"]
fn a_server_that_falls_silent_meets_the_timeout() {
    let server = Sshd::start();
    RepositoryBuilder::create(&server.file("p.git")).unwrap();
    // What the key may run in place of what was asked for.
    let key = format!("command=\"sleep 60\" {}", public(&server.file("id")));
    std::fs::write(server.file("authorized_keys"), key).unwrap();
    let started = Instant::now();
    let source = RepositorySource { timeout: Duration::from_secs(2), ..server.source("id", "known_hosts") };
    assert_says(&gap_of(&source), "not done after 2 s", "timeout");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn without_an_ssh_program_the_gap_says_what_to_install() {
    if std::env::var_os("DRIFTLEDGER_TEST_NO_SSH").is_some() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let ssh = Some(SshAccess { key_file: file.clone(), known_hosts_file: file });
        let gap = gap_of(&RepositorySource { ssh, ..source("git@git.example.com:acme/p.git") });
        assert_says(&gap, "git@git.example.com:acme/p.git: there is no ssh program", "Install OpenSSH's client");
        return;
    }
    let variables = [("DRIFTLEDGER_TEST_NO_SSH", "1"), ("PATH", "/nowhere")];
    let name = "over_ssh::without_an_ssh_program_the_gap_says_what_to_install";
    let output = again(name, &variables).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn without_files_for_ssh_nothing_is_run() {
    assert_says(&gap_of(&source("git@git.example.com:acme/p.git")), "neither sshKeyFile nor", "https URL");
}
