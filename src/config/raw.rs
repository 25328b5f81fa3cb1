//! The configuration as written. The documentation of these fields is the documentation in the JSON schema.

use schemars::JsonSchema;
use serde::Deserialize;

use super::actors::RawActor;
use super::audit::RawAudit;
use super::audit_log::RawAuditLog;
use super::change_policy::RawChangePolicy;
use super::charts::RawChartRepository;
use super::delivery::{RawHeartbeat, RawLinks, RawReceiver, RawRoute, RawSummary};
use super::ignore::{RawArgoCd, RawIgnoreRule};
use super::redaction::RawCredentialNames;
use super::render::{RawRender, RawTools};
use super::severity::{RawSeverity, RawSeverityRule};
use super::trust::RawTrusted;

/// Configuration of Driftledger.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(title = "Driftledger configuration")]
pub struct RawConfig {
    /// The ledger: the path of the SQLite file, or a mapping with more. A relative path starts at this file's folder.
    pub ledger: RawLedger,
    /// Folder for mirrors of remote repositories, indexes of histories and what was found out from them, which may be thrown away. Default:
    /// the user's cache folder.
    pub cache: Option<String>,
    /// The clusters to read.
    pub clusters: Vec<RawCluster>,
    /// The repositories to read.
    pub repositories: Vec<RawRepository>,
    /// What should be live where.
    pub targets: Vec<RawTarget>,
    /// The programs that render Helm charts and kustomizations, and what each run of them may take.
    pub tools: Option<RawTools>,
    /// Chart repositories that charts may be pulled from; from no other is one. Default: none.
    #[serde(default)]
    pub charts: Vec<RawChartRepository>,
    /// Targets that the declared objects of Argo CD and Flux name, besides those that are written here.
    pub discovery: Option<RawDiscovery>,
    /// For how long a pushed commit may stay unapplied and be called "pending", as `15m` or `1h`. Default `15m`; counted from the
    /// first scan that saw the commit.
    pub grace: Option<String>,
    /// The least severity that makes `scan` exit with 1. Default `low`.
    pub fail_on: Option<RawSeverity>,
    /// Fields of other kinds than Secret that are to be treated as secret.
    #[serde(default)]
    pub redact: Vec<RawRedaction>,
    /// Names that look like credentials, whose values are treated as secret wherever they stand.
    pub redaction: Option<RawCredentialNames>,
    /// Severity rules of your own; they come before the shipped ones.
    #[serde(default)]
    pub severity: Vec<RawSeverityRule>,
    /// Lines for the actor table; they come before the shipped ones.
    #[serde(default)]
    pub actors: Vec<RawActor>,
    /// Trusted writes of your own: which manager may write which field, through which subresource. They come before the shipped ones.
    #[serde(default)]
    pub trusted: Vec<RawTrusted>,
    /// Whether an entry that Git does not declare, in a map or list that it does declare, is a finding whoever wrote it. Default true;
    /// with false it takes the same evidence as any other undeclared field.
    pub undeclared_entries: Option<bool>,
    /// Whether live objects are asked if they get where their spec wants them (DL011).
    pub convergence: Option<RawConvergence>,
    /// Differences that are known and accepted. What a rule suppresses is counted and reported, and so is a rule that suppresses nothing.
    #[serde(default)]
    pub ignore: Vec<RawIgnoreRule>,
    /// What is taken over from Argo CD.
    pub argocd: Option<RawArgoCd>,
    /// What is audited besides the declared objects: live objects that Git once declared, or never did.
    pub audit: Option<RawAudit>,
    /// Where messages go.
    #[serde(default)]
    pub receivers: Vec<RawReceiver>,
    /// Which findings go to which receivers, and when. The last route takes what no other did.
    #[serde(default)]
    pub routes: Vec<RawRoute>,
    /// Summaries of what happened since the one before. Default: one named `weekly`, Mondays at 8:00 UTC, to the receivers of the last route;
    /// `[]`: none.
    pub summaries: Option<Vec<RawSummary>>,
    /// An address that is called after every scan that saw everything.
    pub heartbeat: Option<RawHeartbeat>,
    /// Where messages lead.
    pub links: Option<RawLinks>,
    /// The annotation that names the owner of an object, for the routes' `owners`. Default `driftledger.io/owner`.
    pub owner_annotation: Option<String>,
    /// Limits of what is read.
    pub limits: Option<RawLimits>,
}

/// The ledger.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawLedger {
    /// The path of the SQLite file.
    Path(String),
    /// The path and more.
    Full(RawLedgerFull),
}

/// The ledger, with more than its path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawLedgerFull {
    /// The path of the SQLite file.
    pub path: String,
    /// Whether a missing ledger is created. Default true; with false a missing one is an error.
    pub create: Option<bool>,
    /// Where the key for secret values is kept. Default: beside the ledger, with `.key` appended.
    pub key_file: Option<String>,
}

/// A cluster. Exactly one of `context` (with or without `kubeconfig`), `kubeconfig`, `inCluster`, `snapshot` and `dump` says where
/// it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawCluster {
    /// The name that reports use. It is part of every finding's identity: a new name makes new findings.
    pub name: String,
    /// A kubeconfig file. Default: what `kubectl` would use.
    pub kubeconfig: Option<String>,
    /// The context in the kubeconfig. Default: its current one.
    pub context: Option<String>,
    /// Use the service account of the Pod that this runs in.
    pub in_cluster: Option<bool>,
    /// A file that `driftledger snapshot` wrote, read instead of the cluster it was taken of.
    pub snapshot: Option<String>,
    /// A file or folder with the output of `kubectl get -o yaml` or `-o json`, read instead of a cluster.
    pub dump: Option<String>,
    /// Whether Secrets are read and compared, by keyed hashes only. Default false.
    pub secrets: Option<bool>,
    /// Whether a kubeconfig may run a credential plugin, which is a program on this machine. Default false.
    pub allow_exec_plugins: Option<bool>,
    /// Time limit for one request, as `30s`. Default `30s`.
    pub timeout: Option<String>,
    /// What is audited in this cluster besides the declared objects, in place of the general `audit`.
    pub audit: Option<RawAudit>,
    /// The audit log that the API server or the provider wrote: a file or a folder, rotated or gzipped as they are. It names the users
    /// behind writes. It holds this cluster's events alone: they do not say which cluster they are of. Default: none.
    pub audit_log: Option<RawAuditLog>,
}

/// A Git repository.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawRepository {
    /// The name that targets refer to.
    pub name: String,
    /// `https://…`, `ssh://user@host/path` or `user@host:path`, or the path of a local repository. A relative path starts at this file's
    /// folder.
    pub url: String,
    /// User name for basic authentication.
    pub username: Option<String>,
    /// File that holds the password.
    pub password_file: Option<String>,
    /// Environment variable that holds the password.
    pub password_env: Option<String>,
    /// File that holds an access token.
    pub token_file: Option<String>,
    /// Environment variable that holds an access token.
    pub token_env: Option<String>,
    /// File with the certificate authorities (PEM) to trust for this repository, instead of the system's.
    pub ca_file: Option<String>,
    /// File with the private key for ssh, without a passphrase. No other key, agent or configuration of ssh is used.
    pub ssh_key_file: Option<String>,
    /// File with the ssh servers' keys, as `ssh-keyscan` prints them. A server whose key is not in it is refused.
    pub known_hosts_file: Option<String>,
    /// Time limit for fetching, as `2m`. Default `2m`.
    pub timeout: Option<String>,
    /// How often a failed fetch is tried again. Default 2.
    pub retries: Option<u32>,
    /// Whether the last good mirror is used when fetching fails; it is a gap all the same. Default false.
    pub allow_stale: Option<bool>,
    /// File of SSH keys that may sign commits, as ssh-keygen(1) describes it under ALLOWED SIGNERS. A relative path starts at this file's
    /// folder.
    pub allowed_signers: Option<String>,
    /// File of OpenPGP public keys that may sign commits, as `gpg --export` writes it, with or without `--armor`.
    pub keyring: Option<String>,
    /// Which commits of a revision's history are earlier versions of what it declares. Default `first-parent`.
    pub history: Option<RawHistory>,
}

/// Which commits of a revision's history count.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RawHistory {
    /// Those that were the revision: its line of first parents.
    FirstParent,
    /// Also those that merges brought and that never were the revision itself, as a branch's own commits. Each scan walks them anew,
    /// within `limits.historyCommits` and `limits.historyTime`, newest merges first.
    Full,
}

/// What one folder of one revision declares, and where it should be live.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawTarget {
    /// The name that reports use.
    pub name: String,
    /// The name of a repository.
    pub repository: String,
    /// Branch, tag, commit (full or short), or a range of versions as `semver:^1.2` or `semver:>=1.2.0 <2.0.0`: the highest tag that fits.
    /// Default `HEAD`, the repository's default branch.
    pub revision: Option<String>,
    /// Folder or file in the repository. Default: its root.
    pub path: Option<String>,
    /// The name of a cluster.
    pub cluster: String,
    /// For objects of namespaced kinds that name no namespace. Default `default`.
    pub namespace: Option<String>,
    /// Whether this target's live objects are asked if they get where their spec wants them (DL011). Default true.
    pub convergence: Option<bool>,
    /// How its files become objects. Default: as Argo CD decides by what is in its folder.
    pub render: Option<RawRender>,
    /// What the commits that reach the revision have to fulfil; one that does not is a finding (DL012).
    pub change_policy: Option<RawChangePolicy>,
}

/// Which objects of GitOps operators are taken for further targets. Their repositories have to be among the configured ones.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawDiscovery {
    /// Argo CD's Applications. Default false.
    pub argocd: Option<bool>,
    /// Flux's Kustomizations, and its HelmReleases of charts in Git. Default false.
    pub flux: Option<bool>,
    /// Whether those that are live in the clusters count, too, besides those that targets declare. It takes the right to list them.
    /// Default false.
    pub live: Option<bool>,
}

/// When a live object that does not get where its spec wants it is a finding (DL011).
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawConvergence {
    /// False: never. Default true.
    pub enabled: Option<bool>,
    /// How long an object may be on the way, as `10m`, unless it grants a time itself (`progressDeadlineSeconds`). Default `10m`. What
    /// says of itself that it failed is a finding at once.
    pub deadline: Option<String>,
}

/// A field to be treated as secret.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawRedaction {
    /// `Kind`, or `Kind.group`.
    pub kind: String,
    /// A field path, as `.data["token"]` or `.spec.users[name="admin"].password`; `["*"]` stands for any field or element.
    pub path: String,
}

/// Limits of what is read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawLimits {
    /// Largest file that is read from a repository, in bytes. Default 4194304.
    pub file_bytes: Option<u64>,
    /// Most bytes that a file's YAML aliases may expand to. Default 16777216.
    pub yaml_bytes: Option<u64>,
    /// Most bytes that a snapshot may hold after decompression. Default 4294967296.
    pub snapshot_bytes: Option<u64>,
    /// Most commits that are walked for evidence on a finding. Default 5000.
    pub history_commits: Option<u64>,
    /// Time limit for that walk, as `30s`. Default `30s`.
    pub history_time: Option<String>,
    /// Most bytes that are read of a cluster's audit log, after decompression, newest files first. Default 2147483648.
    pub audit_log_bytes: Option<u64>,
    /// Time limit for reading a cluster's audit log, as `1m`. Default `1m`.
    pub audit_log_time: Option<String>,
}
