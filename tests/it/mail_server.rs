//! A mail server on loopback, and mailers for it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use driftledger::adapters::mail::Mailer;
use driftledger::config::SecretSource;
use driftledger::config::delivery::{MailReceiver, MailTransport, Tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;

pub const USER: &str = "drift";
pub const PASSWORD: &str = "hunter2 größer";
pub const LOGIN: &str = "drift:hunter2 größer";

/// A running `tests/mail/server`; it ends with this value.
pub struct Server {
    child: Child,
    pub port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    /// With a certificate for `name` of an authority of its own.
    pub fn start_as(name: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |file: &str| folder.path().join(file);
        let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        std::fs::write(at("ca.pem"), authority.self_signed(&key).expect("an authority").pem()).expect("a file");
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        std::fs::write(at("server.pem"), parameters.signed_by(&key, &issuer).expect("a certificate").pem())
            .expect("a file");
        std::fs::write(at("key.pem"), key.serialize_pem()).expect("a file");
        let mut child = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/server"))
            .arg(folder.path())
            .arg("--certificate")
            .arg(at("server.pem"))
            .arg("--key")
            .arg(at("key.pem"))
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/mail/server");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut port).expect("its port");
        Self { child, port: port.trim().parse().expect("a port"), folder }
    }

    pub fn start(options: &[&str]) -> Self {
        Self::start_as("localhost", options)
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The messages that it took, as Python's email package reads them.
    pub fn taken(&self) -> Vec<Value> {
        (1..)
            .map_while(|n| std::fs::read(self.folder.path().join(format!("{n}.json"))).ok())
            .map(|text| serde_json::from_slice(&text).expect("JSON"))
            .collect()
    }

    pub fn raw(&self, n: usize) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("{n}.eml"))).expect("ASCII")
    }

    /// The verbs that it was given.
    pub fn commands(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("commands")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a mailer is set up.
pub struct Way {
    pub tls: Tls,
    pub login: bool,
    pub ca: bool,
    pub to: &'static [&'static str],
    pub timeout: Duration,
}

/// In the clear, without a login.
pub const CLEAR: Way = Way {
    tls: Tls::None,
    login: false,
    ca: true,
    to: &["ops@example.com", "Åsa <asa@example.com>"],
    timeout: Duration::from_secs(20),
};

impl Way {
    pub fn mailer(&self, port: u16, ca: Option<PathBuf>, password: &str) -> Mailer {
        let receiver = MailReceiver {
            from: "Driftledger <drift@example.com>".into(),
            to: self.to.iter().map(|to| (*to).to_owned()).collect(),
            reply_to: Some("team@example.com".into()),
            domain: "example.com".into(),
            transport: MailTransport::Smtp {
                host: "localhost".into(),
                port,
                tls: self.tls,
                login: self.login.then(|| (USER.to_owned(), SecretSource::Environment("PASSWORD".into()))),
                ca_file: ca.filter(|_| self.ca),
                hello: Some("client.test".into()),
            },
        };
        Mailer::new(&receiver, self.login.then_some(password), self.timeout).expect("a mailer")
    }

    pub fn of(&self, server: &Server) -> Mailer {
        self.mailer(server.port, Some(server.ca()), PASSWORD)
    }
}
