//! A repository: `repositories[]`.

use super::raw::{RawHistory, RawRepository};
use super::read::Reader;
use super::valid::{History, RepositoryConfig, RepositoryPlace, SecretSource, SshFiles};
use crate::model::ids::RepositoryName;

impl Reader<'_> {
    pub(super) fn repository(&mut self, n: usize, raw: &RawRepository) -> RepositoryConfig {
        let key = format!("repositories[{n}]");
        let places: Vec<SecretSource> = [
            raw.password_file.as_ref().map(|p| SecretSource::File(self.folder.join(p))),
            raw.token_file.as_ref().map(|p| SecretSource::File(self.folder.join(p))),
            raw.password_env.clone().map(SecretSource::Environment),
            raw.token_env.clone().map(SecretSource::Environment),
        ]
        .into_iter()
        .flatten()
        .collect();
        if places.len() > 1 {
            self.problem(&key, "takes one of `passwordFile`, `passwordEnv`, `tokenFile` and `tokenEnv`");
        }
        if raw.username.is_some() && raw.password_file.is_none() && raw.password_env.is_none() {
            self.problem(&key, "`username` needs `passwordFile` or `passwordEnv`");
        }
        if raw.username.is_none() && (raw.password_file.is_some() || raw.password_env.is_some()) {
            self.problem(&key, "a password needs `username`; for an access token use `tokenFile` or `tokenEnv`");
        }
        if raw.url.starts_with("http://") && !places.is_empty() {
            self.problem(&format!("{key}.url"), "credentials are only sent over https");
        }
        let is_server = raw.url.contains("://") && !raw.url.starts_with("file://");
        let place = if is_server || scp_form(&raw.url).is_some() {
            RepositoryPlace::Url(raw.url.clone())
        } else {
            RepositoryPlace::Path(self.folder.join(raw.url.strip_prefix("file://").unwrap_or(&raw.url)))
        };
        RepositoryConfig {
            name: RepositoryName::new(&raw.name),
            place,
            username: raw.username.clone(),
            ssh: self.ssh(&key, raw, !places.is_empty()),
            secret: places.into_iter().next(),
            ca_file: raw.ca_file.as_ref().map(|path| self.folder.join(path)),
            timeout: self.duration(&format!("{key}.timeout"), raw.timeout.as_deref(), 120),
            retries: raw.retries.unwrap_or(2),
            allow_stale: raw.allow_stale.unwrap_or(false),
            allowed_signers: raw.allowed_signers.as_ref().map(|path| self.folder.join(path)),
            keyring: raw.keyring.as_ref().map(|path| self.folder.join(path)),
            history: match raw.history {
                None | Some(RawHistory::FirstParent) => History::FirstParent,
                Some(RawHistory::Full) => History::Full,
            },
        }
    }

    fn ssh(&mut self, key: &str, raw: &RawRepository, has_secret: bool) -> Option<SshFiles> {
        if !is_ssh(&raw.url) {
            for (name, given) in [("sshKeyFile", &raw.ssh_key_file), ("knownHostsFile", &raw.known_hosts_file)] {
                if given.is_some() {
                    self.problem(&format!("{key}.{name}"), "is for ssh, and this repository's `url` is none of ssh");
                }
            }
            return None;
        }
        if has_secret || raw.ca_file.is_some() {
            self.problem(key, "ssh takes no password, no token and no `caFile`, but `sshKeyFile` and `knownHostsFile`");
        }
        match (&raw.ssh_key_file, &raw.known_hosts_file) {
            (Some(private), Some(known)) => {
                Some(SshFiles { key_file: self.folder.join(private), known_hosts_file: self.folder.join(known) })
            }
            _ => {
                let message = "a repository that ssh reaches needs `sshKeyFile` and `knownHostsFile`: your own keys, agent and \
                               known hosts are not used";
                self.problem(key, message);
                None
            }
        }
    }
}

fn is_ssh(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => ["ssh", "git+ssh", "ssh+git"].iter().any(|ssh| scheme.eq_ignore_ascii_case(ssh)),
        None => scp_form(url).is_some(),
    }
}

/// User, host and path of `user@host:path`, as scp(1) and git(1) write it; of a path that only holds these signs, nothing.
pub fn scp_form(text: &str) -> Option<(&str, &str, &str)> {
    let (user, rest) = text.split_once('@')?;
    // The colons of an IPv6 address stand in brackets.
    let end = if rest.starts_with('[') { rest.find(']')? } else { 0 };
    let colon = end + rest.get(end..)?.find(':')?;
    let (host, path) = (rest.get(..colon)?, rest.get(colon + 1..)?);
    (!text.contains("://") && !user.contains(['/', ':']) && !host.contains('/')).then_some((user, host, path))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::read;

    fn with(repository: &str) -> Result<RepositoryConfig, Vec<String>> {
        let text = format!(
            "ledger: l\nclusters: [{{name: c, dump: d}}]\nrepositories:\n  - {{name: r, {repository}}}\n\
             targets: [{{name: t, repository: r, cluster: c}}]\n"
        );
        match read(&text, Path::new("/etc/d")) {
            Ok(config) => Ok(config.repositories[0].clone()),
            Err(error) => Err(error.to_string().lines().map(str::to_owned).collect()),
        }
    }

    #[test]
    fn both_forms_of_ssh_take_a_key_and_known_hosts() {
        for url in ["'git@h:acme/p.git'", "ssh://git@h/p", "git+ssh://git@h/p", "'git@[::1]:p'"] {
            let repository = with(&format!("url: {url}, sshKeyFile: id, knownHostsFile: /k")).expect(url);
            let files = SshFiles { key_file: "/etc/d/id".into(), known_hosts_file: "/k".into() };
            assert_eq!(repository.ssh, Some(files));
            assert!(matches!(repository.place, RepositoryPlace::Url(_)), "{url}");
        }
        for (given, problem) in [
            ("url: 'git@h:p'", "4:5: repositories[0]: a repository that ssh reaches needs `sshKeyFile`"),
            ("url: ssh://git@h/p, sshKeyFile: id", "4:5: repositories[0]: a repository that ssh reaches needs"),
            (
                "url: ssh://git@h/p, sshKeyFile: id, knownHostsFile: k, tokenFile: t",
                "4:5: repositories[0]: ssh takes no password",
            ),
            ("url: https://h/p, sshKeyFile: id", "4:45: repositories[0].sshKeyFile: is for ssh"),
        ] {
            let problems = with(given).expect_err(given);
            assert!(problems.len() == 1 && problems[0].starts_with(problem), "{given}: {problems:?}");
        }
    }

    #[test]
    fn a_path_with_the_signs_of_ssh_is_a_path() {
        for url in ["./a@b:c", "/srv/a@b:c", "../p", "'file:///a@b:c'"] {
            let repository = with(&format!("url: {url}")).expect(url);
            assert!(matches!(repository.place, RepositoryPlace::Path(_)), "{url}");
        }
    }
}
