//! From configuration to adapters: credentials are read here, and nowhere else.

use std::path::PathBuf;

use crate::adapters::cluster::{Access, KubeSettings, Limits};
use crate::adapters::git::{Credentials, Hidden, Location, RepositorySource, SshAccess};
use crate::adapters::ledger::Ledger;
use crate::adapters::render::{Charts, Toolbox};
use crate::config::{ClusterConfig, ClusterSource, Config, RepositoryConfig, RepositoryPlace, SecretSource};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::secret::RedactionKey;

/// Where mirrors are kept unless the configuration says: the user's cache folder.
pub fn default_cache() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("XDG_CACHE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("driftledger")
}

/// Where mirrors, and what scans keep for the next ones, are.
pub fn cache(config: &Config) -> PathBuf {
    config.cache.clone().unwrap_or_else(default_cache)
}

/// The kubeconfig files that `kubectl` would use.
pub fn default_kubeconfigs() -> Vec<PathBuf> {
    match std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty()) {
        Some(list) => std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".kube/config")).into_iter().collect(),
    }
}

/// How to reach a cluster's API server; `None` for a snapshot or a dump.
pub fn kube_settings(cluster: &ClusterConfig) -> Option<KubeSettings> {
    let (access, allow_exec_plugins, timeout) = match &cluster.source {
        ClusterSource::Snapshot(_) | ClusterSource::Dump(_) => return None,
        ClusterSource::InCluster { timeout } => (Access::InCluster, false, *timeout),
        ClusterSource::Kubeconfig { file, context, allow_exec_plugins, timeout } => {
            let files = file.clone().map_or_else(default_kubeconfigs, |file| vec![file]);
            (Access::Kubeconfig { files, context: context.clone() }, *allow_exec_plugins, *timeout)
        }
    };
    let limits = Limits { stall_timeout: timeout, ..Limits::default() };
    Some(KubeSettings { name: cluster.name.clone(), access, allow_exec_plugins, limits })
}

/// A secret that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    /// Why.
    pub message: String,
    /// What to do.
    pub hint: Option<&'static str>,
}

/// Reads a secret; `what` names it, as "its credentials". Blocks.
///
/// # Errors
/// If the file cannot be read or the variable is not set.
pub fn secret(source: &SecretSource, what: &str) -> Result<String, Unreadable> {
    match source {
        SecretSource::File(path) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(text.trim_end().to_owned()),
            Err(error) => Err(Unreadable {
                message: format!("{what} cannot be read from {}: {error}", path.display()),
                hint: Some("check the path in the configuration and the file's rights"),
            }),
        },
        SecretSource::Environment(name) => std::env::var(name).map_err(|_| Unreadable {
            message: format!("the environment variable {name}, which should hold {what}, is not set"),
            hint: None,
        }),
    }
}

/// The programs that render, and the chart repositories with their passwords.
pub fn toolbox(config: &Config) -> Toolbox {
    let charts = config.charts.iter().map(|repository| {
        let what = format!("the password for {}", repository.url);
        let password = repository.login.as_ref().map(|(_, place)| secret(place, &what).map_err(|error| error.message));
        (repository.clone(), password.transpose())
    });
    Toolbox::new(config.tools.clone(), Charts::new(charts.collect(), cache(config).join("charts")))
}

/// The ledger's key, for the sake of what is cached under it; where there is no ledger yet, one for this run. Blocks.
///
/// # Panics
/// The system gives no random bytes.
pub fn key_or_passing(config: &Config) -> RedactionKey {
    Ledger::redaction_key(&config.ledger.path, config.ledger.key_file.as_deref(), false).unwrap_or_else(|_| {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("random bytes");
        RedactionKey::from_bytes(bytes)
    })
}

/// A repository's URL without credentials; `None` for a folder, and for what is no URL.
pub fn public_url(repository: &RepositoryConfig) -> Option<String> {
    let RepositoryPlace::Url(url) = &repository.place else { return None };
    match Location::from_url(url) {
        Ok((Location::Url(clean), _)) => Some(clean.as_str().to_owned()),
        _ => None,
    }
}

/// How to reach a repository.
///
/// # Errors
/// A gap that hides its targets: the URL is none, or its credentials cannot be read.
pub fn repository_source(repository: &RepositoryConfig) -> Result<RepositorySource, Gap> {
    let gap =
        |message: String| Gap::new(GapKind::Fetch, format!("repository {}: {message}", repository.name), Hides::Target);
    let (location, of_url) = match &repository.place {
        RepositoryPlace::Path(path) => (Location::Path(path.clone()), None),
        RepositoryPlace::Url(url) => Location::from_url(url).map_err(|error| gap(error.to_string()))?,
    };
    let secret = match &repository.secret {
        None => None,
        Some(source) => Some(secret(source, "its credentials").map_err(|error| {
            let unread = gap(error.message);
            match error.hint {
                Some(hint) => unread.hint(hint),
                None => unread,
            }
        })?),
    };
    let credentials = match (secret, &repository.username) {
        (Some(secret), Some(user)) => Some(Credentials::Basic { user: user.clone(), password: Hidden::new(secret) }),
        (Some(secret), None) => Some(Credentials::Token(Hidden::new(secret))),
        (None, _) => of_url,
    };
    Ok(RepositorySource {
        credentials,
        ca_file: repository.ca_file.clone(),
        ssh: repository
            .ssh
            .clone()
            .map(|files| SshAccess { key_file: files.key_file, known_hosts_file: files.known_hosts_file }),
        timeout: repository.timeout,
        retries: repository.retries,
        allow_stale: repository.allow_stale,
        ..RepositorySource::new(repository.name.clone(), location)
    })
}
