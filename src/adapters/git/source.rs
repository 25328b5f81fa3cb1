//! Where a repository is, and what opens it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use thiserror::Error;

use crate::model::ids::RepositoryName;

use super::ssh_address::SshAddress;

/// A repository to read.
#[derive(Clone, Debug)]
pub struct RepositorySource {
    /// Its name in the configuration, for messages.
    pub name: RepositoryName,
    /// Where it is.
    pub location: Location,
    /// What its server asks for, if anything.
    pub credentials: Option<Credentials>,
    /// PEM file with the certificate authorities to trust for this repository, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// What `ssh` proves itself with, and whom it believes; without it nothing is fetched by ssh.
    pub ssh: Option<SshAccess>,
    /// Longest time for bringing the mirror up to date: waiting for other processes, all attempts and pauses included.
    pub timeout: Duration,
    /// How often a fetch is tried again after a failure that may pass.
    pub retries: u32,
    /// Whether the last good mirror may be used where the repository cannot be fetched.
    pub allow_stale: bool,
}

impl RepositorySource {
    /// Without credentials; two minutes, two retries, no use of an old mirror.
    pub fn new(name: RepositoryName, location: Location) -> Self {
        Self {
            name,
            location,
            credentials: None,
            ca_file: None,
            ssh: None,
            timeout: Duration::from_secs(120),
            retries: 2,
            allow_stale: false,
        }
    }
}

/// The files that `ssh` is given; it is given no agent, no configuration and no other keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshAccess {
    /// Private key without a passphrase.
    pub key_file: PathBuf,
    /// Keys of known hosts, as sshd(8) describes under SSH_KNOWN_HOSTS FILE FORMAT.
    pub known_hosts_file: PathBuf,
}

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A folder of this machine: a bare repository, or one with a work tree.
    Path(PathBuf),
    /// A server.
    Url(CleanUrl),
}

/// Why a text is no repository URL. Never repeats the text: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LocationError {
    /// Not a URL, or one without a host.
    #[error("this is no repository URL; write https://host/path")]
    Form,
    /// Another scheme than https, http, ssh or file.
    #[error("a repository URL begins with https://, http://, ssh:// or file://")]
    Scheme,
    /// A query or a fragment, which would become part of every request and may hold a token.
    #[error("a repository URL has no part after ? or #; give a token with tokenFile")]
    Query,
    /// ssh without a user.
    #[error("an ssh URL names its user; write ssh://git@host/path or git@host:path")]
    SshUser,
    /// ssh with a password.
    #[error("ssh takes no password from a URL; give a key with sshKeyFile")]
    SshPassword,
    /// A part of an ssh URL that ssh or the server's shell could take for something else.
    #[error(
        "this ssh URL has a user, a host or a path that ssh could take for something else; write ssh://git@host/path"
    )]
    SshForm,
    /// `file://` with a host or with bytes that are no path here.
    #[error("this file URL is no path of this machine; write file:///path")]
    File,
}

impl Location {
    /// Reads a repository URL (RFC 3986), and takes what stands before `@` out of it as credentials: `user:password`, or a
    /// token alone. Percent-encoded parts are decoded. `file://` becomes a path; `user@host:path` is taken for ssh, whose user is no
    /// secret and stays.
    ///
    /// # Errors
    /// [`LocationError`], without the text.
    pub fn from_url(text: &str) -> Result<(Self, Option<Credentials>), LocationError> {
        let text = text.trim();
        if let Some(address) = SshAddress::parse(text) {
            let address = address?;
            return Ok((Self::Url(CleanUrl { text: address.shown(), way: Way::Ssh(address) }), None));
        }
        let mut url = Url::parse(text).map_err(|_| LocationError::Form)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(LocationError::Query);
        }
        match url.scheme() {
            "file" => {
                let path = url.to_file_path().map_err(|()| LocationError::File)?;
                return Ok((Self::Path(path), None));
            }
            "https" | "http" => {}
            _ => return Err(LocationError::Scheme),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(LocationError::Form);
        }
        let credentials = Credentials::of_url(&url);
        url.set_username("").map_err(|()| LocationError::Form)?;
        url.set_password(None).map_err(|()| LocationError::Form)?;
        Ok((Self::Url(CleanUrl { text: url.to_string(), way: Way::Http(url) }), credentials))
    }
}

/// A repository's URL without password, query or fragment, and without user unless it is ssh's: safe to show.
#[derive(Clone, PartialEq, Eq)]
pub struct CleanUrl {
    text: String,
    way: Way,
}

/// What reaches a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Http(Url),
    Ssh(SshAddress),
}

impl CleanUrl {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn way(&self) -> &Way {
        &self.way
    }
}

impl fmt::Display for CleanUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for CleanUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// What a Git server asks for.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// An access token; sent as the password of HTTP basic authentication, as the Git servers want it.
    Token(Hidden),
    /// HTTP basic authentication (RFC 7617).
    Basic {
        /// User name.
        user: String,
        /// Password, or a token where the server wants it with a certain user name.
        password: Hidden,
    },
}

impl Credentials {
    fn of_url(url: &Url) -> Option<Self> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = decoded(url.username());
        match url.password().map(decoded) {
            Some(password) if user.is_empty() => Some(Self::Token(Hidden::new(password))),
            Some(password) => Some(Self::Basic { user, password: Hidden::new(password) }),
            None if user.is_empty() => None,
            None => Some(Self::Token(Hidden::new(user))),
        }
    }

    /// Whether a text repeats what is secret here.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let (user, password) = self.pair();
        let sent = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        !password.is_empty() && (text.contains(password) || text.contains(&sent))
    }

    /// User name and password as they are sent. GitHub, GitLab and Gitea take a token with any user name.
    pub(super) fn pair(&self) -> (&str, &str) {
        match self {
            Self::Token(token) => ("x-access-token", token.reveal()),
            Self::Basic { user, password } => (user, password.reveal()),
        }
    }
}

/// A text that no output shows: `Debug` and `Display` print a placeholder.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> (String, Option<(String, String)>) {
        let (location, credentials) = Location::from_url(text).expect(text);
        let Location::Url(clean) = &location else { panic!("{text} is no path") };
        let shown = format!("{location:?} {credentials:?}");
        let pair = credentials.as_ref().map(Credentials::pair);
        if let Some((_, password)) = pair {
            assert!(!shown.contains(password), "{shown}");
        }
        (clean.to_string(), pair.map(|(user, password)| (user.to_owned(), password.to_owned())))
    }

    fn pair(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    #[test]
    fn userinfo_becomes_credentials_and_leaves_the_url() {
        let clean = "https://git.example.com/acme/p.git".to_owned();
        assert_eq!(url("https://git.example.com/acme/p.git"), (clean.clone(), None));
        assert_eq!(url("https://ann:s3cr%40t@git.example.com/acme/p.git"), (clean.clone(), pair("ann", "s3cr@t")));
        assert_eq!(
            url("https://tok%2Fen@git.example.com/acme/p.git"),
            (clean.clone(), pair("x-access-token", "tok/en"))
        );
        assert_eq!(url("https://:tok@git.example.com/acme/p.git"), (clean.clone(), pair("x-access-token", "tok")));
        assert_eq!(url(" https://GIT.example.com:443/acme/p.git "), (clean, None));
    }

    #[test]
    fn ssh_keeps_its_user_and_file_becomes_a_path() {
        for text in ["git@git.example.com:acme/p.git", "ssh://git@git.example.com:2222/p"] {
            assert_eq!(url(text), (text.to_owned(), None));
        }
        let (location, _) = Location::from_url("file:///srv/my%20repos/p.git").expect("a file URL");
        assert_eq!(location, Location::Path("/srv/my repos/p.git".into()));
    }

    #[test]
    fn what_is_refused_is_not_repeated() {
        let cases = [
            ("https://h/p?private_token=canary", LocationError::Query),
            ("https://h/p#canary", LocationError::Query),
            ("canary", LocationError::Form),
            ("https://u:canary@", LocationError::Form),
            ("https://u:canary@h:port/p", LocationError::Form),
            ("git://u:canary@h/p", LocationError::Scheme),
            ("ssh://u:canary@h/p", LocationError::SshPassword),
            ("file://canary/p", LocationError::File),
        ];
        for (text, expected) in cases {
            let error = Location::from_url(text).expect_err(text);
            assert_eq!(error, expected, "{text}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }
}
