//! Where a repository is that ssh reaches, in the two forms that git(1) knows: `ssh://user@host:port/path` and `user@host:path`.
//!
//! Every part of it becomes an argument of the `ssh` program or of a command on the server. So a part that could be taken for an option,
//! or that could mean anything else than itself there, is refused; nothing is repaired.

use percent_encoding::percent_decode_str;

use super::source::LocationError;

/// What `ssh` is asked to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SshAddress {
    /// User on the server.
    pub(super) user: String,
    /// Host name, or an IP address without brackets.
    pub(super) host: String,
    /// `None`: ssh's own, 22.
    pub(super) port: Option<u16>,
    /// Path on the server; relative to the user's home folder where it has no leading slash.
    pub(super) path: String,
}

impl SshAddress {
    /// Reads either form. `None`: the text is of neither, and says nothing about ssh.
    pub(super) fn parse(text: &str) -> Option<Result<Self, LocationError>> {
        if let Some(rest) = strip_scheme(text) {
            return Some(Self::of_url(rest));
        }
        crate::config::scp_form(text).map(|(user, host, path)| Self::checked(user, host, None, path.to_owned()))
    }

    fn of_url(rest: &str) -> Result<Self, LocationError> {
        if rest.contains(['?', '#']) {
            return Err(LocationError::Query);
        }
        let (authority, path) = rest.split_once('/').ok_or(LocationError::Form)?;
        let (user, host) = authority.rsplit_once('@').ok_or(LocationError::SshUser)?;
        if user.contains(':') {
            return Err(LocationError::SshPassword);
        }
        let (host, port) = match host.rsplit_once(':') {
            // The colons of an IPv6 address stand in brackets.
            Some((host, port)) if !port.contains(']') => {
                let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
                let port = port.parse().ok().filter(|port| digits && *port != 0);
                (host, Some(port.ok_or(LocationError::Form)?))
            }
            _ => (host, None),
        };
        let decoded = |text: &str| {
            percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| LocationError::Form)
        };
        let path = decoded(path)?;
        // As git has it: `/~/p` and `/~ann/p` start at a home folder.
        let path = if path.starts_with('~') { path } else { format!("/{path}") };
        Self::checked(&decoded(user)?, host, port, path)
    }

    fn checked(user: &str, host: &str, port: Option<u16>, path: String) -> Result<Self, LocationError> {
        if user.is_empty() {
            return Err(LocationError::SshUser);
        }
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) if address.parse::<std::net::Ipv6Addr>().is_ok() => address,
            Some(_) => return Err(LocationError::SshForm),
            None if is_plain(host, "._-") => host,
            None => return Err(LocationError::SshForm),
        };
        let impossible = path.is_empty() || path.trim_matches('/').is_empty() || path.starts_with('-');
        if !is_plain(user, "._-+@") || impossible || path.chars().any(char::is_control) {
            return Err(LocationError::SshForm);
        }
        Ok(Self { user: user.to_owned(), host: host.to_owned(), port, path })
    }

    /// As it is shown, in the form that has room for it.
    pub(super) fn shown(&self) -> String {
        let Self { user, host, port, path } = self;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        match port {
            None if !path.starts_with('/') && !path.starts_with('~') => format!("{user}@{host}:{path}"),
            _ => {
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                let slash = if path.starts_with('/') { "" } else { "/" };
                format!("ssh://{user}@{host}{port}{slash}{path}")
            }
        }
    }

    /// The command that the server is asked for, quoted for its shell as git quotes it.
    pub(super) fn upload_pack(&self) -> String {
        format!("git-upload-pack '{}'", self.path.replace('\'', "'\\''").replace('!', "'\\!'"))
    }
}

fn strip_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    ["ssh", "git+ssh", "ssh+git"].iter().any(|known| scheme.eq_ignore_ascii_case(known)).then_some(rest)
}

/// Letters, digits and a few signs, and no option.
fn is_plain(text: &str, signs: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<SshAddress, LocationError> {
        SshAddress::parse(text).expect(text)
    }

    #[test]
    fn both_forms_are_read_as_git_reads_them() {
        for (text, user, host, port, path, shown) in [
            ("ssh://git@h.example/acme/p.git", "git", "h.example", None, "/acme/p.git", None),
            ("ssh://git@h:2222/p", "git", "h", Some(2222), "/p", None),
            ("git@h:acme/p.git", "git", "h", None, "acme/p.git", None),
            ("git@h:/srv/p.git", "git", "h", None, "/srv/p.git", Some("ssh://git@h/srv/p.git")),
            ("ssh://git@h/~ann/p", "git", "h", None, "~ann/p", None),
            ("git@h:~/p", "git", "h", None, "~/p", Some("ssh://git@h/~/p")),
            ("ssh://git@[::1]:22/p", "git", "::1", Some(22), "/p", None),
            ("git@[2001:db8::1]:p", "git", "2001:db8::1", None, "p", None),
            ("git+ssh://git@h/my%20p", "git", "h", None, "/my p", Some("ssh://git@h/my p")),
            ("ssh://a%40b.example@h/p", "a@b.example", "h", None, "/p", Some("ssh://a@b.example@h/p")),
        ] {
            let address = parsed(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let expected = SshAddress { user: user.into(), host: host.into(), port, path: path.into() };
            assert_eq!(address, expected, "{text}");
            assert_eq!(address.shown(), shown.unwrap_or(text));
        }
        for text in ["https://h/p", "./a@b:c", "/srv/p", "C:/p", "h:p", "file:///p"] {
            assert_eq!(SshAddress::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_could_be_an_option_or_a_command_is_refused() {
        for text in [
            "ssh://git@-oProxyCommand=touch${IFS}x/p",
            "ssh://git@-oProxyCommand=x/p",
            "git@-oProxyCommand=x:p",
            "ssh://-oProxyCommand=x@h/p",
            "ssh://%2DoProxyCommand=x@h/p",
            "-oProxyCommand=x@h:p",
            "git@h:-oX",
            "git@h:--upload-pack=x",
            "ssh://git@h;reboot/p",
            "ssh://git@$(reboot)/p",
            "ssh://`reboot`@h/p",
            "git@h%00:p",
            "ssh://git@h/p%0Areboot",
            "ssh://git@h/p%00",
            "ssh://git@[h]/p",
            "ssh://git@h//",
            "git@h:",
        ] {
            let error = parsed(text).expect_err(text);
            assert_eq!(error, LocationError::SshForm, "{text}");
        }
        for (text, expected) in [
            ("ssh://h/p", LocationError::SshUser),
            ("ssh://@h/p", LocationError::SshUser),
            ("ssh://git:canary@h/p", LocationError::SshPassword),
            ("ssh://git@h:0/p", LocationError::Form),
            ("ssh://git@h:+22/p", LocationError::Form),
            ("ssh://git@h:99999/p", LocationError::Form),
            ("ssh://git@h", LocationError::Form),
            ("ssh://git@h/p?canary", LocationError::Query),
        ] {
            let error = parsed(text).expect_err(text);
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn the_servers_shell_sees_one_word() {
        let quoted = |path: &str| {
            SshAddress { user: "git".into(), host: "h".into(), port: None, path: path.into() }.upload_pack()
        };
        assert_eq!(quoted("/acme/p.git"), "git-upload-pack '/acme/p.git'");
        assert_eq!(quoted("/a'; reboot #"), r"git-upload-pack '/a'\''; reboot #'");
        assert_eq!(quoted("/a!b $(c)"), r"git-upload-pack '/a'\!'b $(c)'");
    }
}
