//! Chart repositories: `charts[]`. From no other is a chart pulled.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::read::Reader;
use super::valid::SecretSource;

/// A chart repository that charts may be pulled from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawChartRepository {
    /// `https://…` of a Helm repository, or `oci://…` of a registry; what is below it counts, too. An allowed repository's index says where
    /// its archives are.
    pub url: String,
    /// User name.
    pub username: Option<String>,
    /// File that holds the password or token.
    pub password_file: Option<String>,
    /// Environment variable that holds the password or token.
    pub password_env: Option<String>,
    /// File with the certificate authorities (PEM) to trust for this repository, instead of the system's.
    pub ca_file: Option<String>,
    /// Whether an `oci://` registry is reached by plain http. Default false.
    pub plain_http: Option<bool>,
}

/// A chart repository that charts may be pulled from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartRepository {
    /// `https://…`, `http://…` or `oci://…`.
    pub url: String,
    /// User name, and where the password is.
    pub login: Option<(String, SecretSource)>,
    /// Certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// Whether a registry is reached by plain http.
    pub plain_http: bool,
}

/// A chart in a chart repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChartSource {
    /// The repository, as `https://charts.example.com` or `oci://registry.example.com/charts`.
    pub repository: String,
    /// The chart's name in it.
    pub name: String,
    /// Its version, or a range of versions; empty: the newest.
    pub version: String,
}

/// The scheme, host and path of a chart repository. One that names no scheme is a registry, as Argo CD writes it.
fn parts(url: &str) -> (&str, String, Vec<&str>) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("oci", url));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    // A password is nobody's name.
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    (scheme, host.to_lowercase(), path.split('/').filter(|part| !part.is_empty()).collect())
}

impl ChartRepository {
    /// Whether a chart repository is this one, or below it.
    pub fn holds(&self, url: &str) -> bool {
        let ((scheme, host, path), (of, at, below)) = (parts(&self.url), parts(url));
        scheme.eq_ignore_ascii_case(of) && host == at && below.starts_with(&path) && !below.contains(&"..")
    }
}

impl Reader<'_> {
    pub(super) fn chart_repository(&mut self, n: usize, raw: &RawChartRepository) -> ChartRepository {
        let key = format!("charts[{n}]");
        let file = raw.password_file.as_ref().map(|path| SecretSource::File(self.folder.join(path)));
        let environment = raw.password_env.clone().map(SecretSource::Environment);
        if file.is_some() && environment.is_some() {
            self.problem(&key, "takes one of `passwordFile` and `passwordEnv`");
        }
        let secret = file.or(environment);
        if raw.username.is_some() != secret.is_some() {
            self.problem(&key, "`username` goes with `passwordFile` or `passwordEnv`");
        }
        let scheme = raw.url.split_once("://").map(|(scheme, _)| scheme.to_lowercase());
        let plain = raw.plain_http.unwrap_or(false);
        match scheme.as_deref() {
            Some("https") => {}
            Some("http") if secret.is_none() => {}
            Some("oci") if !plain || secret.is_none() => {}
            Some("http" | "oci") => self.problem(&format!("{key}.url"), "credentials are only sent over https"),
            _ => self.problem(&format!("{key}.url"), "starts with `https://` or `oci://`"),
        }
        if plain && scheme.as_deref() != Some("oci") {
            self.problem(&format!("{key}.plainHttp"), "is for `oci://`");
        }
        ChartRepository {
            url: raw.url.trim_end_matches('/').to_owned(),
            login: raw.username.clone().zip(secret),
            ca_file: raw.ca_file.as_ref().map(|path| self.folder.join(path)),
            plain_http: plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::read;

    fn with(charts: &str) -> Result<ChartRepository, String> {
        let text = format!(
            "ledger: l\nclusters: [{{name: c, dump: d}}]\nrepositories: []\ntargets: []\ncharts: [{{{charts}}}]\ndiscovery: {{flux: true}}\n"
        );
        read(&text, Path::new("/etc/d")).map(|config| config.charts[0].clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_below_an_allowed_repository_is_allowed_and_nothing_else() {
        let charts = with("url: 'oci://Registry.example.com/acme/'").unwrap();
        for (url, holds) in [
            ("oci://registry.example.com/acme", true),
            ("registry.example.com/acme/charts", true),
            ("oci://registry.example.com/acmevil", false),
            ("oci://registry.example.com/acme/../other", false),
            ("oci://registry.example.com", false),
            ("https://registry.example.com/acme", false),
            ("oci://registry.example.com@evil.example.com/acme", false),
            ("oci://registry.example.com.evil.example.com/acme", false),
        ] {
            assert_eq!(charts.holds(url), holds, "{url}");
        }
    }

    #[test]
    fn credentials_go_over_https_only() {
        for (charts, problem) in [
            ("url: 'http://a', username: u, passwordEnv: P", "credentials are only sent over https"),
            ("url: 'oci://a', plainHttp: true, username: u, passwordEnv: P", "credentials are only sent over https"),
            ("url: 'https://a', username: u", "`username` goes with"),
            ("url: 'https://a', plainHttp: true", "is for `oci://`"),
            ("url: 'ftp://a'", "starts with `https://` or `oci://`"),
        ] {
            let said = with(charts).unwrap_err();
            assert!(said.contains(problem), "{charts}: {said}");
        }
        assert!(with("url: 'https://a', username: u, passwordEnv: P").is_ok());
    }
}
