//! The configuration as the program uses it: references resolved, durations in seconds, paths absolute.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::actors::ActorTable;
use super::audit::Audit;
use super::audit_log::AuditLog;
use super::change_policy::ChangePolicy;
use super::charts::ChartRepository;
use super::delivery::Delivery;
use super::ignore::IgnoreRule;
use super::render::{Render, Tools};
use super::severity::SeverityRules;
use super::trust::TrustTable;
use crate::model::finding::Severity;
use crate::model::gap::Gap;
use crate::model::ids::{ClusterName, RepositoryName, Revision, TargetName};
use crate::model::secret::RedactionRules;

/// A valid configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The ledger.
    pub ledger: LedgerConfig,
    /// Folder for mirrors and indexes; `None`: the user's cache folder.
    pub cache: Option<PathBuf>,
    /// Clusters, in order.
    pub clusters: Vec<ClusterConfig>,
    /// Repositories, in order.
    pub repositories: Vec<RepositoryConfig>,
    /// Targets, in order.
    pub targets: Vec<TargetConfig>,
    /// Programs that render.
    pub tools: Tools,
    /// Chart repositories that charts may be pulled from.
    pub charts: Vec<ChartRepository>,
    /// Which objects of GitOps operators are taken for further targets.
    pub discovery: Discovery,
    /// What of the live ones could not be read or understood; none before they were looked at.
    pub undiscovered: Vec<Gap>,
    /// The live objects of operators that no target declares, each with its cluster.
    pub only_live: Vec<(ClusterName, serde_json::Value)>,
    /// How long an unapplied commit is only pending.
    pub grace: Duration,
    /// The least severity that fails a scan.
    pub fail_on: Severity,
    /// What else is secret.
    pub redaction: RedactionRules,
    /// Severity rules, the shipped ones last.
    pub severity: SeverityRules,
    /// Actor table, the shipped one last.
    pub actors: ActorTable,
    /// Trusted writes, the shipped ones last.
    pub trust: TrustTable,
    /// Whether an undeclared entry of a declared map or list is a finding whoever wrote it.
    pub undeclared_entries: bool,
    /// When an object that has not converged is a finding.
    pub convergence: Convergence,
    /// Ignore rules, in order.
    pub ignore: Vec<IgnoreRule>,
    /// Whether Argo CD's `ignoreDifferences` count as ignore rules.
    pub argocd_ignore_differences: bool,
    /// What is audited besides the declared objects, where a cluster has no audit of its own.
    pub audit: Audit,
    /// Messages.
    pub delivery: Delivery,
    /// Limits.
    pub limits: Limits,
    /// SHA-256 of the configuration's text, 64 hex digits: what a change of it is recognised by.
    pub hash: String,
}

impl Config {
    /// What is audited in a cluster besides the declared objects.
    pub fn audit_of(&self, cluster: &ClusterName) -> &Audit {
        let own = self.clusters.iter().find(|known| known.name == *cluster).and_then(|known| known.audit.as_ref());
        own.unwrap_or(&self.audit)
    }
}

/// Which objects of GitOps operators are taken for further targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Argo CD's.
    pub argocd: bool,
    /// Flux's.
    pub flux: bool,
    /// Whether live ones count besides those that targets declare.
    pub live: bool,
}

/// Where the ledger is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerConfig {
    /// The SQLite file.
    pub path: PathBuf,
    /// Whether a missing one is created.
    pub create: bool,
    /// The key file; `None`: beside the ledger.
    pub key_file: Option<PathBuf>,
}

/// A cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// Name.
    pub name: ClusterName,
    /// Where its objects come from.
    pub source: ClusterSource,
    /// Whether Secrets are compared.
    pub secrets: bool,
    /// In place of the general one.
    pub audit: Option<Audit>,
    /// Where its audit log is.
    pub audit_log: Option<AuditLog>,
}

/// Where a cluster's objects come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterSource {
    /// Through a kubeconfig.
    Kubeconfig {
        /// `None`: what `kubectl` would use.
        file: Option<PathBuf>,
        /// `None`: the current one.
        context: Option<String>,
        /// Whether credential plugins may run.
        allow_exec_plugins: bool,
        /// For one request.
        timeout: Duration,
    },
    /// The Pod's own service account.
    InCluster {
        /// For one request.
        timeout: Duration,
    },
    /// A snapshot's file.
    Snapshot(PathBuf),
    /// Files.
    Dump(PathBuf),
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryConfig {
    /// Name.
    pub name: RepositoryName,
    /// Where it is.
    pub place: RepositoryPlace,
    /// User name for basic authentication.
    pub username: Option<String>,
    /// Where its password or token is.
    pub secret: Option<SecretSource>,
    /// The certificate authorities to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Set where it is reached by ssh.
    pub ssh: Option<SshFiles>,
    /// For a whole fetch.
    pub timeout: Duration,
    /// After the first try.
    pub retries: u32,
    /// Whether an old mirror may be used.
    pub allow_stale: bool,
    /// SSH keys that may sign.
    pub allowed_signers: Option<PathBuf>,
    /// OpenPGP keys that may sign.
    pub keyring: Option<PathBuf>,
    /// Which commits count as earlier versions.
    pub history: History,
}

/// Which commits of a revision's history are earlier versions of what it declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum History {
    /// Its line of first parents.
    #[default]
    FirstParent,
    /// Also what stood only inside of what merges brought.
    Full,
}

/// What ssh is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshFiles {
    /// Private key.
    pub key_file: PathBuf,
    /// Keys of known hosts.
    pub known_hosts_file: PathBuf,
}

/// Where a repository is.
#[derive(Clone, PartialEq, Eq)]
pub enum RepositoryPlace {
    /// A folder.
    Path(PathBuf),
    /// A URL as written; it may hold credentials and is never printed.
    Url(String),
}

impl std::fmt::Debug for RepositoryPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Url(_) => f.debug_tuple("Url").finish_non_exhaustive(),
        }
    }
}

/// Where a secret is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A file; white space at its end does not count.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
}

/// A target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetConfig {
    /// Name.
    pub name: TargetName,
    /// Repository.
    pub repository: RepositoryName,
    /// Tracked revision.
    pub revision: Revision,
    /// From the repository's root, without a leading or closing slash; empty: the root.
    pub path: String,
    /// Cluster.
    pub cluster: ClusterName,
    /// Default namespace.
    pub namespace: String,
    /// Whether its objects' convergence is looked at; false too where that is switched off for all.
    pub convergence: bool,
    /// How its files become objects.
    pub render: Render,
    /// What is asked of commits.
    pub change_policy: Option<ChangePolicy>,
    /// Where it is written.
    pub named_by: NamedBy,
}

/// What names a target, and says how it is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The configuration.
    Configuration,
    /// An object that is live, and of which nothing more is known.
    Live,
    /// A declared object.
    Declared(Box<NamingObject>),
}

/// The texts of a ConfigMap by their keys; a hidden one is `None`.
pub type Texts = BTreeMap<String, Option<String>>;

/// A declared object that names a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamingObject {
    /// The target that declares it.
    pub target: TargetName,
    /// Its file, from that target's repository's root.
    pub file: String,
    /// Whether it is written there as it is.
    pub is_written: bool,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, that of its target where it names none.
    pub namespace: String,
    /// What the ConfigMaps that it refers to hold now, by their names.
    pub config_maps: BTreeMap<String, Texts>,
}

/// When an object that has not converged is a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convergence {
    /// Whether ever.
    pub enabled: bool,
    /// How long an object may be on the way that grants no time itself.
    pub deadline: Duration,
}

/// Limits of what is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of one file of a repository.
    pub file_bytes: u64,
    /// Of one file's YAML, aliases expanded.
    pub yaml_bytes: usize,
    /// Of a snapshot, after decompression.
    pub snapshot_bytes: u64,
    /// Commits walked for evidence.
    pub history_commits: u64,
    /// Time for that walk.
    pub history_time: Duration,
    /// Of a cluster's audit log, after decompression.
    pub audit_log_bytes: u64,
    /// Time for reading it.
    pub audit_log_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 4 << 20,
            yaml_bytes: 16 << 20,
            snapshot_bytes: 4 << 30,
            history_commits: 5_000,
            history_time: Duration::from_secs(30),
            audit_log_bytes: 2 << 30,
            audit_log_time: Duration::from_secs(60),
        }
    }
}
