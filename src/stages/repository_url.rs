//! Whether two URLs mean one repository.

/// A repository's URL as far as it tells which one it is: `git.example.com/acme/platform` for its ways over https and SSH.
pub fn identity(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
    let rest = match (scheme, rest.split_once('@')) {
        // Credentials, or the user of SSH, stand before the host.
        (_, Some((user, rest))) if !user.contains('/') => rest,
        _ => rest,
    };
    let rest = match scheme {
        None if !rest.starts_with('/') => rest.replacen(':', "/", 1),
        _ => rest.to_owned(),
    };
    let (host, path) = rest.split_once('/').unwrap_or((&rest, ""));
    let host = host.split(':').next().unwrap_or_default().to_lowercase();
    let path = path.trim_matches('/');
    format!("{host}/{}", path.strip_suffix(".git").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_many_urls() {
        for url in [
            "https://git.example.com/acme/platform.git",
            "https://git.example.com/acme/platform",
            "https://user:token@Git.example.com:443/acme/platform/",
            "ssh://git@git.example.com:22/acme/platform.git",
            "git@git.example.com:acme/platform.git",
        ] {
            assert_eq!(identity(url), "git.example.com/acme/platform", "{url}");
        }
        assert_eq!(identity("/srv/git/platform.git"), identity("file:///srv/git/platform"));
        assert_ne!(
            identity("https://git.example.com/acme/platform"),
            identity("https://git.example.com/acme/Platform")
        );
    }
}
