//! What hands mails over: to a server, or into a folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters, TlsParametersBuilder};
use lettre::transport::smtp::extension::ClientId;

use crate::config::delivery::{MailReceiver, MailTransport, Tls};
use crate::model::delivery::Attempt;
use crate::model::message::MailContent;

use super::eml;
use super::failure::Peer;
use super::message::{MailError, Parties, message};
use super::smtp::{Privacy, Server};

/// Hands mails over for one receiver.
pub struct Mailer {
    parties: Parties,
    transport: Transport,
}

enum Transport {
    Smtp(Box<Server>),
    Folder(PathBuf),
}

/// What came of going through a delivery without delivering anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkup {
    /// What works, in the order in which it was tried; for people, no secrets.
    pub works: Vec<String>,
    /// What did not work then, as an attempt to deliver would have ended.
    pub problem: Option<Attempt>,
}

impl Mailer {
    /// A mailer for a receiver of the configuration, with the password that belongs to its user name. `timeout` is for handing over one
    /// message, from looking up the server's name to its last answer. Blocks: it reads the file of certificate authorities.
    ///
    /// # Errors
    /// The authorities cannot be read, or `hello` is no name, or there is no password for the user name.
    pub fn new(receiver: &MailReceiver, password: Option<&str>, timeout: Duration) -> Result<Self, MailError> {
        let parties =
            Parties { from: receiver.from.clone(), to: receiver.to.clone(), reply_to: receiver.reply_to.clone() };
        let (host, port, tls, login, ca_file, hello) = match &receiver.transport {
            MailTransport::Folder(folder) => {
                return Ok(Self { parties, transport: Transport::Folder(folder.clone()) });
            }
            MailTransport::Smtp { host, port, tls, login, ca_file, hello } => {
                (host, *port, *tls, login, ca_file, hello)
            }
        };
        let login = match (login, password) {
            (None, _) => None,
            (Some((user, _)), Some(password)) => Some((user.as_str(), password)),
            (Some((user, _)), None) => return Err(MailError::Password(user.clone())),
        };
        let server = Server {
            host: host.clone(),
            port,
            privacy: match tls {
                Tls::Starttls => Privacy::Starttls(parameters(host, ca_file.as_deref())?),
                Tls::Implicit => Privacy::Implicit(parameters(host, ca_file.as_deref())?),
                Tls::None => Privacy::None,
            },
            login: login.map(|(user, password)| (user.to_owned(), Credentials::from((user, password)))),
            hello: hello.as_deref().map_or_else(|| Ok(ClientId::default()), client_id)?,
            timeout,
            peer: Peer::new(host, port, login),
        };
        Ok(Self { parties, transport: Transport::Smtp(Box::new(server)) })
    }

    /// Hands a mail over. `key` is the same for each attempt at the same message; a file takes its name from it.
    pub async fn send(&self, content: &MailContent, key: &str) -> Attempt {
        let message = match message(content, &self.parties) {
            Ok(message) => message,
            Err(error) => return Attempt::Refused { why: chain(&error), hint: None },
        };
        match &self.transport {
            Transport::Smtp(server) => server.send(&message).await,
            Transport::Folder(folder) => {
                let (folder, key) = (folder.clone(), key.to_owned());
                let put = move || eml::put(&message.formatted(), &folder, &key);
                // It stops only if it panics.
                tokio::task::spawn_blocking(put).await.expect("writing a file does not panic")
            }
        }
    }

    /// Goes through a delivery without delivering anything: connects, makes the connection private, logs in, and leaves.
    pub async fn check(&self) -> Checkup {
        let mut works = Vec::new();
        let done = match &self.transport {
            Transport::Smtp(server) => server.check(&mut works).await,
            Transport::Folder(folder) => {
                let place = folder.clone();
                let check = tokio::task::spawn_blocking(move || eml::check(&place));
                let done = check.await.expect("writing a file does not panic");
                works.extend(done.is_ok().then(|| format!("{} can be written to", folder.display())));
                done
            }
        };
        Checkup { works, problem: done.err() }
    }
}

/// What makes a connection to `host` private, by the file's authorities alone or by the system's.
fn parameters(host: &str, ca_file: Option<&Path>) -> Result<TlsParameters, MailError> {
    let mut builder = TlsParametersBuilder::new(host.to_owned());
    if let Some(path) = ca_file {
        let fail = |why: String| MailError::Authorities { path: path.display().to_string(), why };
        let pem = std::fs::read(path).map_err(|error| fail(error.kind().to_string()))?;
        let none = !pem.windows(BEGIN.len()).any(|bytes| bytes == BEGIN);
        if none {
            return Err(fail("it holds no certificate".into()));
        }
        let authorities = Certificate::from_pem(&pem).map_err(|_| fail("it is no PEM file".into()))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authorities);
        return builder.build().map_err(|_| fail("a certificate in it is none".into()));
    }
    builder.build().map_err(MailError::Tls)
}

/// How a certificate begins in a PEM file (RFC 7468).
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// A name that goes into a command as it is.
fn client_id(name: &str) -> Result<ClientId, MailError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if name.is_empty() || name.len() > 255 || !name.chars().all(plain) {
        return Err(MailError::Hello(name.to_owned()));
    }
    Ok(ClientId::Domain(name.to_owned()))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(&format!(": {error}"));
        next = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretSource;
    use crate::model::time::Timestamp;

    fn receiver(transport: MailTransport) -> MailReceiver {
        let (from, to) = ("drift@example.com".into(), vec!["ops@example.com".into()]);
        MailReceiver { from, to, reply_to: None, domain: "example.com".into(), transport }
    }

    fn smtp(tls: Tls, ca_file: Option<&Path>, hello: Option<&str>) -> MailReceiver {
        receiver(MailTransport::Smtp {
            host: "localhost".into(),
            port: 25,
            tls,
            login: Some(("drift".into(), SecretSource::Environment("PASSWORD".into()))),
            ca_file: ca_file.map(Path::to_owned),
            hello: hello.map(str::to_owned),
        })
    }

    #[tokio::test]
    async fn a_folder_gets_each_mail_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let receiver = receiver(MailTransport::Folder(folder.path().to_owned()));
        let mailer = Mailer::new(&receiver, None, Duration::from_secs(1)).expect("a mailer");
        let content = MailContent {
            subject: "s".into(),
            text: "t".into(),
            html: "h".into(),
            message_id: "<m-1@example.com>".into(),
            date: Timestamp::from_unix(1_770_000_000),
            headers: Vec::new(),
            references: Vec::new(),
            attachments: Vec::new(),
        };
        for key in ["m-1", "m-1", "m-2"] {
            let attempt = mailer.send(&content, key).await;
            assert!(matches!(&attempt, Attempt::Taken(receipt) if receipt.refused.is_empty()), "{attempt:?}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 2);
        let checkup = mailer.check().await;
        assert_eq!((checkup.works.len(), checkup.problem), (1, None));
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 2);
    }

    #[test]
    fn what_cannot_work_is_said_before_anything_is_sent() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "nothing").expect("a file");
        let error = |receiver: &MailReceiver, password| Mailer::new(receiver, password, Duration::from_secs(1)).err();
        for path in [file.as_path(), Path::new("/no/such/ca.pem")] {
            for tls in [Tls::Starttls, Tls::Implicit] {
                let error = error(&smtp(tls, Some(path), None), Some("p"));
                assert!(matches!(error, Some(MailError::Authorities { .. })), "{error:?}");
            }
        }
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        std::fs::write(&file, broken).expect("a file");
        let error_of = error(&smtp(Tls::Implicit, Some(&file), None), Some("p"));
        assert!(matches!(error_of, Some(MailError::Authorities { .. })), "{error_of:?}");
        assert!(
            matches!(error(&smtp(Tls::None, None, None), None), Some(MailError::Password(user)) if user == "drift")
        );
        for hello in ["", "a b", "a\r\nMAIL FROM:<a@b>", "größer"] {
            let error = error(&smtp(Tls::None, None, Some(hello)), Some("p"));
            assert!(matches!(error, Some(MailError::Hello(_))), "{error:?}");
        }
        assert!(error(&smtp(Tls::None, None, Some("[127.0.0.1]")), Some("p")).is_none());
    }
}
