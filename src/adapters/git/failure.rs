//! Why a repository could not be brought up to date, in terms of what a person can do about it.

use std::error::Error;
use std::io;

use crate::model::gap::{Gap, GapKind, Hides};

use super::source::{CleanUrl, RepositorySource};

/// A failed fetch. Nothing here holds text that a credential was put into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// HTTP 401; `sent`: although credentials were sent.
    Unauthorized { sent: bool },
    /// HTTP 403.
    Forbidden,
    /// HTTP 404 or 410.
    NotFound,
    /// Another HTTP status that is no success.
    Status(u16),
    /// The host name does not resolve.
    Resolve,
    /// No connection.
    Connect(String),
    /// The connection broke.
    Broken(String),
    /// Nothing came for this many seconds.
    Stalled(u64),
    /// The whole fetch took longer than it may.
    OutOfTime(u64),
    /// The server's certificate is of no known authority.
    UntrustedCertificate,
    /// Another TLS failure.
    Tls(String),
    /// A redirect that is not followed, to this host.
    Redirected(String),
    /// What answered is no Git server.
    NotGit,
    /// The CA file cannot be used.
    CaFile(String),
    /// Credentials for plain http.
    ClearText,
    /// There is no ssh program.
    NoSsh,
    /// The source says nothing about keys.
    NoSshAccess,
    /// A file that ssh is to be given cannot be; the name of its setting, and why.
    SshFile(&'static str, String),
    /// The file of known hosts does not know the server.
    UnknownHost,
    /// The server shows another key than the one in the file of known hosts.
    HostKey,
    /// The server does not let the key in.
    KeyRefused,
    /// The server let the key in, and has no such repository for it.
    NoSuchRepository,
    /// What else ssh said at its end.
    Ssh(String),
    /// Credentials that no HTTP header can carry.
    Credentials,
    /// Another process holds the mirror.
    Busy,
    /// The cache folder cannot be used.
    Cache(String),
    /// The Git protocol broke down, or what was received could not be stored.
    Protocol(String),
}

impl Failure {
    /// Whether trying again may help.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Status(status) => *status >= 500 || *status == 429,
            Self::Resolve | Self::Connect(_) | Self::Broken(_) | Self::Stalled(_) => true,
            _ => false,
        }
    }

    /// From an error of the file system.
    pub(super) fn cache(what: &str, error: &io::Error) -> Self {
        Self::Cache(format!("{what}: {error}"))
    }

    fn message(&self) -> String {
        match self {
            Self::Unauthorized { sent: true } => "the server refused the credentials (HTTP 401)".into(),
            Self::Unauthorized { sent: false } => "the server asks for credentials (HTTP 401)".into(),
            Self::Forbidden => "the server forbids the access (HTTP 403)".into(),
            Self::NotFound => "the server knows no such repository (HTTP 404)".into(),
            Self::Status(status) => format!("the server answered HTTP {status}"),
            Self::Resolve => "the host name does not resolve".into(),
            Self::Connect(why) => format!("no connection to the server: {why}"),
            Self::Broken(why) => format!("the connection broke: {why}"),
            Self::Stalled(seconds) => format!("the server sent nothing for {seconds} s"),
            Self::OutOfTime(seconds) => format!("the fetch was not done after {seconds} s"),
            Self::UntrustedCertificate => "the server's certificate is of no trusted authority".into(),
            Self::Tls(why) => format!("no secure connection: {why}"),
            Self::Redirected(host) => format!("the server redirects to another host ({host}), which is not followed"),
            Self::NotGit => "what answers there is no Git server (smart HTTP)".into(),
            Self::CaFile(why) => format!("the CA file cannot be used: {why}"),
            Self::ClearText => "credentials are not sent over plain http".into(),
            Self::NoSsh => "there is no ssh program here to reach it with".into(),
            Self::NoSshAccess => "it is reached by ssh, and neither sshKeyFile nor knownHostsFile is set".into(),
            Self::SshFile(setting, why) => format!("the file of {setting} cannot be used: {why}"),
            Self::UnknownHost => "the file of known hosts has no key of this server".into(),
            Self::HostKey => "the server shows another host key than the one that is known".into(),
            Self::KeyRefused => "the server refused the ssh key".into(),
            Self::NoSuchRepository => "the server knows no such repository".into(),
            Self::Ssh(why) if why.is_empty() => "ssh ended without a word".into(),
            Self::Ssh(why) => format!("ssh ended: {why}"),
            Self::Credentials => "the credentials hold characters that cannot be sent".into(),
            Self::Busy => "another process is still bringing the mirror up to date".into(),
            Self::Cache(why) => format!("the cache folder cannot be used: {why}"),
            Self::Protocol(why) => format!("the fetch broke off: {why}"),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Unauthorized { sent: true } => {
                "Check that the token or password is right, has not expired and may read the repository."
            }
            Self::Unauthorized { sent: false } => "Give a token with tokenFile, or a user and passwordFile.",
            Self::Forbidden => "Check that the token has the right to read this repository.",
            Self::NotFound => {
                "Check the URL; many servers also answer so where the token has no right to read the repository."
            }
            Self::Status(_) | Self::Broken(_) => "Try again later; if it stays, ask who runs the Git server.",
            Self::Resolve => "Check the host in the URL, and the name service and proxy variables of this machine.",
            Self::Connect(_) => {
                "Check host and port in the URL, network policies, and the variables https_proxy and no_proxy."
            }
            Self::Stalled(_) => "Check the network and the server; a proxy may hold the connection.",
            Self::OutOfTime(_) => "Give the repository a longer timeout: the first fetch brings its whole history.",
            Self::UntrustedCertificate => {
                "Set caFile to the certificate authority (PEM) that signs the server's certificate."
            }
            Self::Tls(_) => {
                "Check that the URL's host is the one that the server's certificate names, and this machine's clock."
            }
            Self::Redirected(_) => "If the repository has moved, write its new URL.",
            Self::NotGit => "Check the URL: it is the one that git clone takes over https.",
            Self::CaFile(_) => "Set caFile to a file of PEM certificates that this program may read.",
            Self::ClearText => "Write an https URL.",
            Self::NoSsh => {
                "Install OpenSSH's client (openssh-client), or write the repository's https URL and give a token with tokenFile."
            }
            Self::NoSshAccess => "Set both, or write the repository's https URL and give a token with tokenFile.",
            Self::SshFile(..) => {
                "Check the path, and that this program may read the file and others may not; a key has no passphrase."
            }
            Self::UnknownHost => {
                "Put the server's key into knownHostsFile: ssh-keyscan prints it; compare it with what the server's operator publishes."
            }
            Self::HostKey => {
                "Ask who runs the server whether its key was replaced; if it was, replace it in knownHostsFile, else somebody is in between."
            }
            Self::KeyRefused => {
                "Give the server the public half of sshKeyFile, as a deploy key that may read this repository, and check the URL's user."
            }
            Self::NoSuchRepository => {
                "Check the URL; many servers also answer so where the key has no right to read the repository."
            }
            Self::Ssh(_) => "Run ssh -v with the same user, host and key, and see what it says.",
            Self::Credentials => "Check the token file: it must hold one line of printable characters.",
            Self::Busy => "Let fewer scans run at a time, or give the repository a longer timeout.",
            Self::Cache(_) => "Check the cache folder's rights and the free space of its disk.",
            Self::Protocol(_) => "Try again; if it stays, remove the repository's folder from the cache.",
        }
    }

    /// As a gap of `source`. `last_good`: the age in seconds of the last good mirror, if there is one.
    pub(super) fn gap(&self, source: &RepositorySource, url: &CleanUrl, last_good: Option<u64>) -> Gap {
        let mut message = format!("could not fetch repository {} from {url}: {}", source.name, self.message());
        let mut hint = self.hint().to_owned();
        if let Some(seconds) = last_good {
            message.push_str(&format!("; the last good copy is {} old", age(seconds)));
            if source.allow_stale {
                message.push_str(" and is used");
            } else {
                hint.push_str(" Set allowStale to compare with the last good copy meanwhile.");
            }
        }
        Gap::new(GapKind::Fetch, message, Hides::Target).at(format!("repository {}", source.name)).hint(hint)
    }
}

/// A time span for people, in its largest unit that leaves no nought.
fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// What an HTTP client's error comes from. Its own text is not used: it may name a proxy with its password.
pub(super) fn of_request(error: &reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut why = None;
    let mut resolve = false;
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return of_tls(tls);
        }
        // The resolver's error has no public type.
        resolve |= error.to_string().starts_with("dns error");
        cause = match error.downcast_ref::<io::Error>() {
            // An I/O error that wraps another does not name it as its source.
            Some(io) => {
                why = Some(io.kind()).filter(|kind| *kind != io::ErrorKind::Other).or(why);
                io.get_ref().map(|inner| inner as &(dyn Error + 'static))
            }
            None => error.source(),
        };
    }
    if resolve {
        return Failure::Resolve;
    }
    let why = match why {
        Some(kind) => kind.to_string(),
        None if error.is_timeout() => "timed out".into(),
        None => "no valid answer".into(),
    };
    if error.is_connect() { Failure::Connect(why) } else { Failure::Broken(why) }
}

fn of_tls(error: &rustls::Error) -> Failure {
    use rustls::{CertificateError, Error};
    match error {
        // A bad signature is what an authority of the same name with another key gives, as after its renewal.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            Failure::UntrustedCertificate
        }
        other => Failure::Tls(other.to_string()),
    }
}
