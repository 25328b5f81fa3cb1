//! From text to a valid configuration, with every problem of the file in one pass.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::actors::ActorTable;
use super::audit::{Audit, RawAudit};
use super::change_policy::ChangePolicy;
use super::check::{check, nearest};
use super::ignore;
use super::problem::{ConfigError, Problem};
use super::raw::{RawCluster, RawConfig, RawLedger, RawRedaction, RawTarget};
use super::redaction;
use super::render::{RawRender, Render, Tools};
use super::severity::SeverityRules;
use super::shipped::json_schema;
use super::trust::TrustTable;
use super::valid::{
    ClusterConfig, ClusterSource, Config, Convergence, Discovery, LedgerConfig, Limits, NamedBy, TargetConfig,
};
use crate::model::canonical::Canonical;
use crate::model::field_path::FieldPath;
use crate::model::finding::Severity;
use crate::model::ids::{ClusterName, RepositoryName, Revision, TargetName};
use crate::model::resource::GroupKind;
use crate::model::secret::{RedactionRule, RedactionRules};
use crate::model::version_range::VersionRange;
use crate::yaml::{self, Node, Place, Value};

/// Reads a configuration. Relative paths in it start at `folder`.
///
/// # Errors
/// Every problem that was found, with its line.
pub fn read(text: &str, folder: &Path) -> Result<Config, ConfigError> {
    let root = document(text).map_err(|problem| ConfigError { problems: vec![problem] })?;
    let schema = json_schema();
    let problems = check(&root, &schema);
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    let raw: RawConfig = serde_json::from_value(yaml::to_json(&root))
        .map_err(|error| ConfigError { problems: vec![Problem::new(root.place, "", error.to_string())] })?;
    let mut reader = Reader { root: &root, folder, problems: Vec::new() };
    let config = reader.config(&raw, Canonical::new("driftledger/config/v1").text(text).finish_hex());
    reader.problems.sort_by_key(|problem| problem.place);
    if reader.problems.is_empty() { Ok(config) } else { Err(ConfigError { problems: reader.problems }) }
}

fn document(text: &str) -> Result<Node, Problem> {
    let mut documents = yaml::read_documents(text, &yaml::Limits::default()).into_iter();
    let first = Place { line: 1, column: 1 };
    let document = match documents.next() {
        Some(Ok(document)) => document,
        Some(Err(error)) => return Err(Problem::new(error.place, "", error.to_string())),
        None => {
            return Err(Problem::new(
                first,
                "",
                "the file is empty; `driftledger config example` prints one to start from",
            ));
        }
    };
    if documents.next().is_some() {
        return Err(Problem::new(first, "", "the file has more than one YAML document"));
    }
    if let Some(note) = document.notes.first() {
        return Err(Problem::new(note.place, "", "this key stands twice in one mapping"));
    }
    match document.root.value {
        Value::Map(_) => Ok(document.root),
        _ => Err(Problem::new(document.root.place, "", "a configuration is a mapping of keys")),
    }
}

/// Reads one configuration and gathers its problems.
pub(super) struct Reader<'a> {
    root: &'a Node,
    pub(super) folder: &'a Path,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn config(&mut self, raw: &RawConfig, hash: String) -> Config {
        self.unique("clusters", raw.clusters.iter().map(|c| c.name.as_str()));
        self.unique("repositories", raw.repositories.iter().map(|r| r.name.as_str()));
        self.unique("targets", raw.targets.iter().map(|t| t.name.as_str()));
        let severity = self.severity(raw);
        let limits = raw.limits.as_ref();
        let default = Limits::default();
        Config {
            ledger: self.ledger(&raw.ledger),
            cache: raw.cache.as_ref().map(|path| self.folder.join(path)),
            clusters: raw.clusters.iter().enumerate().map(|(n, c)| self.cluster(n, c)).collect(),
            repositories: raw.repositories.iter().enumerate().map(|(n, r)| self.repository(n, r)).collect(),
            targets: raw.targets.iter().enumerate().map(|(n, t)| self.target(n, t, raw)).collect(),
            charts: raw.charts.iter().enumerate().map(|(n, raw)| self.chart_repository(n, raw)).collect(),
            tools: {
                let timeout = raw.tools.as_ref().and_then(|tools| tools.timeout.as_deref());
                let timeout = self.duration("tools.timeout", timeout, 60);
                raw.tools
                    .as_ref()
                    .map_or_else(|| Tools { timeout, ..Tools::default() }, |t| t.read(self.folder, timeout))
            },
            discovery: raw.discovery.as_ref().map_or_else(Discovery::default, |raw| Discovery {
                argocd: raw.argocd.unwrap_or(false),
                flux: raw.flux.unwrap_or(false),
                live: raw.live.unwrap_or(false),
            }),
            undiscovered: Vec::new(),
            only_live: Vec::new(),
            grace: self.duration("grace", raw.grace.as_deref(), 15 * 60),
            fail_on: raw.fail_on.map_or(Severity::Low, Severity::from),
            redaction: RedactionRules {
                fields: raw.redact.iter().enumerate().filter_map(|(n, r)| self.redaction(n, r)).collect(),
                names: redaction::names(raw.redaction.as_ref()).unwrap_or_else(|bad| {
                    bad.into_iter().for_each(|(key, message)| self.problem(&key, message));
                    None
                }),
            },
            severity,
            actors: ActorTable::with_shipped(raw.actors.clone()),
            trust: TrustTable::with_shipped(raw.trusted.clone()),
            undeclared_entries: raw.undeclared_entries.unwrap_or(true),
            convergence: self.convergence(raw),
            ignore: self.ignore(raw),
            argocd_ignore_differences: raw.argocd.as_ref().and_then(|a| a.ignore_differences).unwrap_or(true),
            audit: self.audit("audit", raw.audit.as_ref()).unwrap_or_default(),
            delivery: self.delivery(raw),
            limits: Limits {
                file_bytes: limits.and_then(|l| l.file_bytes).unwrap_or(default.file_bytes),
                yaml_bytes: limits
                    .and_then(|l| l.yaml_bytes)
                    .map_or(default.yaml_bytes, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
                snapshot_bytes: limits.and_then(|l| l.snapshot_bytes).unwrap_or(default.snapshot_bytes),
                history_commits: limits.and_then(|l| l.history_commits).unwrap_or(default.history_commits),
                history_time: self.duration("limits.historyTime", limits.and_then(|l| l.history_time.as_deref()), 30),
                audit_log_bytes: limits.and_then(|l| l.audit_log_bytes).unwrap_or(default.audit_log_bytes),
                audit_log_time: self.duration(
                    "limits.auditLogTime",
                    limits.and_then(|l| l.audit_log_time.as_deref()),
                    60,
                ),
            },
            hash,
        }
    }

    fn ledger(&mut self, raw: &RawLedger) -> LedgerConfig {
        match raw {
            RawLedger::Path(path) => LedgerConfig { path: self.folder.join(path), create: true, key_file: None },
            RawLedger::Full(full) => LedgerConfig {
                path: self.folder.join(&full.path),
                create: full.create.unwrap_or(true),
                key_file: full.key_file.as_ref().map(|path| self.folder.join(path)),
            },
        }
    }

    fn cluster(&mut self, n: usize, raw: &RawCluster) -> ClusterConfig {
        let key = format!("clusters[{n}]");
        let kubeconfig = raw.kubeconfig.is_some() || raw.context.is_some();
        let in_cluster = raw.in_cluster == Some(true);
        let files = usize::from(raw.snapshot.is_some()) + usize::from(raw.dump.is_some());
        let ways = usize::from(kubeconfig) + usize::from(in_cluster) + files;
        if ways != 1 {
            let message = "needs exactly one of `context` (and `kubeconfig`), `inCluster: true`, `snapshot` and `dump`";
            self.problem(&key, if ways == 0 { message.to_owned() } else { format!("{message}; {ways} are given") });
        }
        let timeout = self.duration(&format!("{key}.timeout"), raw.timeout.as_deref(), 30);
        let source = if let Some(snapshot) = &raw.snapshot {
            ClusterSource::Snapshot(self.folder.join(snapshot))
        } else if let Some(dump) = &raw.dump {
            ClusterSource::Dump(self.folder.join(dump))
        } else if in_cluster {
            ClusterSource::InCluster { timeout }
        } else {
            ClusterSource::Kubeconfig {
                file: raw.kubeconfig.as_ref().map(|path| self.folder.join(path)),
                context: raw.context.clone(),
                allow_exec_plugins: raw.allow_exec_plugins.unwrap_or(false),
                timeout,
            }
        };
        let audit = self.audit(&format!("{key}.audit"), raw.audit.as_ref());
        if raw.audit_log.as_ref().is_some_and(|log| log.path().is_empty()) {
            self.problem(&format!("{key}.auditLog"), "is empty; name a file or a folder, or leave it out");
        }
        ClusterConfig {
            name: ClusterName::new(&raw.name),
            source,
            secrets: raw.secrets.unwrap_or(false),
            audit,
            audit_log: raw.audit_log.as_ref().map(|log| log.valid(self.folder)),
        }
    }

    fn target(&mut self, n: usize, raw: &RawTarget, config: &RawConfig) -> TargetConfig {
        let key = format!("targets[{n}]");
        self.known(
            &format!("{key}.repository"),
            "repository",
            &raw.repository,
            config.repositories.iter().map(|r| r.name.as_str()),
        );
        self.known(&format!("{key}.cluster"), "cluster", &raw.cluster, config.clusters.iter().map(|c| c.name.as_str()));
        let path = raw.path.as_deref().unwrap_or("").trim_end_matches('/');
        let path = path.strip_prefix("./").unwrap_or(path);
        let path = if path == "." { "" } else { path };
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            self.problem(&format!("{key}.path"), "is a path in the repository: it has no leading `/` and no `..`");
        }
        let revision = Revision::new(raw.revision.as_deref().unwrap_or("HEAD"));
        if let Some(Err(error)) = VersionRange::of(&revision) {
            self.problem(&format!("{key}.revision"), error.to_string());
        }
        TargetConfig {
            name: TargetName::new(&raw.name),
            repository: RepositoryName::new(&raw.repository),
            revision,
            path: path.to_owned(),
            cluster: ClusterName::new(&raw.cluster),
            namespace: raw.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            convergence: raw.convergence.unwrap_or(true) && looks_at_convergence(config),
            render: raw.render.as_ref().map_or_else(|| Ok(Render::default()), RawRender::read).unwrap_or_else(
                |wrong| {
                    wrong
                        .into_iter()
                        .for_each(|(below, message)| self.problem(&format!("{key}.render.{below}"), message));
                    Render::default()
                },
            ),
            change_policy: self.change_policy(&key, raw, config),
            named_by: NamedBy::Configuration,
        }
    }

    fn change_policy(&mut self, key: &str, raw: &RawTarget, config: &RawConfig) -> Option<ChangePolicy> {
        let repository = config.repositories.iter().find(|repository| repository.name == raw.repository);
        let has_keys = repository.is_none_or(|known| known.allowed_signers.is_some() || known.keyring.is_some());
        let read = raw.change_policy.as_ref()?.read(has_keys);
        read.map_err(|problems| {
            for (below, message) in problems {
                let dot = if below.is_empty() { "" } else { "." };
                self.problem(&format!("{key}.changePolicy{dot}{below}"), message);
            }
        })
        .ok()
    }

    fn convergence(&mut self, raw: &RawConfig) -> Convergence {
        let deadline = raw.convergence.as_ref().and_then(|c| c.deadline.as_deref());
        Convergence {
            enabled: looks_at_convergence(raw),
            deadline: self.duration("convergence.deadline", deadline, 10 * 60),
        }
    }

    fn audit(&mut self, key: &str, raw: Option<&RawAudit>) -> Option<Audit> {
        for (below, message) in raw?.problems() {
            self.problem(&format!("{key}.{below}"), message);
        }
        raw.map(Audit::new)
    }

    fn redaction(&mut self, n: usize, raw: &RawRedaction) -> Option<RedactionRule> {
        let (kind, group) = raw.kind.split_once('.').unwrap_or((&raw.kind, ""));
        match FieldPath::parse(&raw.path) {
            Ok(path) => Some(RedactionRule { kind: GroupKind::new(group, kind), path }),
            Err(error) => {
                self.problem(&format!("redact[{n}].path"), error.to_string());
                None
            }
        }
    }

    fn severity(&mut self, raw: &RawConfig) -> SeverityRules {
        let targets: Vec<&str> = raw.targets.iter().map(|target| target.name.as_str()).collect();
        let clusters: Vec<&str> = raw.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        for (n, rule) in raw.severity.iter().enumerate() {
            for (key, patterns, names) in
                [("targets", &rule.targets, &targets), ("clusters", &rule.clusters, &clusters)]
            {
                for (m, text) in patterns.iter().enumerate() {
                    let pattern = wildmatch::WildMatch::new(text);
                    if !names.iter().any(|name| pattern.matches(name)) {
                        let message = format!("`{text}` fits none; known: {}", names.join(", "));
                        self.problem(&format!("severity[{n}].{key}[{m}]"), message);
                    }
                }
            }
        }
        SeverityRules::with_shipped(&raw.severity).unwrap_or_else(|problems| {
            for (n, word) in problems {
                self.problem(&format!("severity[{n}]"), format!("`{word}` is no code (DL001 to DL012) and no cause"));
            }
            SeverityRules::default()
        })
    }

    fn ignore(&mut self, raw: &RawConfig) -> Vec<ignore::IgnoreRule> {
        let names = ignore::Names {
            targets: raw.targets.iter().map(|target| target.name.as_str()).collect(),
            clusters: raw.clusters.iter().map(|cluster| cluster.name.as_str()).collect(),
        };
        ignore::read(&raw.ignore, &names, &mut |n, (key, message)| {
            let dot = if key.is_empty() { "" } else { "." };
            self.problem(&format!("ignore[{n}]{dot}{key}"), message);
        })
    }

    pub(super) fn duration(&mut self, key: &str, text: Option<&str>, default_seconds: u64) -> Duration {
        let Some(text) = text else {
            return Duration::from_secs(default_seconds);
        };
        let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|d| Duration::try_from(d).ok());
        parsed.unwrap_or_else(|| {
            self.problem(key, "is no duration; write `30s`, `15m` or `1h30m`");
            Duration::from_secs(default_seconds)
        })
    }

    pub(super) fn known<'n>(
        &mut self,
        key: &str,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        if !known.clone().any(|k| k == name) {
            let hint = match nearest(name, known.clone()) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => format!("; known: {}", known.collect::<Vec<_>>().join(", ")),
            };
            self.problem(key, format!("there is no {what} `{name}`{hint}"));
        }
    }

    pub(super) fn unique<'n>(&mut self, key: &str, names: impl Iterator<Item = &'n str>) {
        let mut seen = BTreeSet::new();
        for (n, name) in names.enumerate() {
            if name.is_empty() {
                self.problem(&format!("{key}[{n}].name"), "is empty");
            } else if !seen.insert(name) {
                self.problem(&format!("{key}[{n}].name"), format!("`{name}` is already taken"));
            }
        }
    }

    pub(super) fn problem(&mut self, key: &str, message: impl Into<String>) {
        let place = place_of(self.root, key);
        self.problems.push(Problem::new(place, key, message));
    }
}

fn looks_at_convergence(raw: &RawConfig) -> bool {
    raw.convergence.as_ref().and_then(|c| c.enabled).unwrap_or(true)
}

/// Where a key like `targets[0].cluster` stands; where it is left out, the mapping it would be in.
fn place_of(root: &Node, key: &str) -> Place {
    let mut at = root;
    for part in key.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        let Some(next) = at.get(name) else {
            return at.place;
        };
        at = index.and_then(|n| next.as_seq()?.get(n)).unwrap_or(next);
    }
    at.place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretSource;
    use crate::config::audit_log::AuditLog;
    use crate::config::valid::History;

    const GOOD: &str = "\
ledger: ledger.sqlite
clusters:
  - name: prod
    context: prod-eu
repositories:
  - name: platform
    url: https://git.example.com/acme/platform.git
    tokenFile: git-token
targets:
  - name: monitoring
    repository: platform
    revision: main
    path: clusters/prod/monitoring/
    cluster: prod
";

    fn problems(text: &str) -> Vec<String> {
        match read(text, Path::new("/etc/d")) {
            Ok(_) => Vec::new(),
            Err(error) => error.to_string().lines().map(str::to_owned).collect(),
        }
    }

    #[test]
    fn fills_in_defaults_and_makes_paths_absolute() {
        let config = read(GOOD, Path::new("/etc/d")).unwrap();
        assert_eq!(config.ledger.path, Path::new("/etc/d/ledger.sqlite"));
        assert_eq!(config.targets[0].path, "clusters/prod/monitoring");
        assert_eq!(config.targets[0].namespace, "default");
        assert_eq!(config.grace.as_secs(), 900);
        assert_eq!(config.repositories[0].secret, Some(SecretSource::File("/etc/d/git-token".into())));
        assert!(!config.clusters[0].secrets);
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_all_told_with_line_and_nearest_key() {
        let text = GOOD
            .replace("revision: main", "revison: main")
            .replace("name: prod\n", "name: 7\n")
            .replace("ledger:", "legder:");
        assert_eq!(
            problems(&text),
            [
                "1:1: legder: unknown key; did you mean `ledger`?",
                "1:1: `ledger` is missing",
                "3:11: clusters[0].name: must be text, not a number (quote it if text is meant)",
                "12:5: targets[0].revison: unknown key; did you mean `revision`?",
            ]
        );
    }

    #[test]
    fn references_and_choices_are_checked_together() {
        let text = GOOD
            .replace("cluster: prod\n", "cluster: prd\n")
            .replace("context: prod-eu", "context: prod-eu\n    inCluster: true\n    timeout: soon")
            .replace("path: clusters/prod/monitoring/", "path: ../secrets");
        assert_eq!(
            problems(&text),
            [
                "3:5: clusters[0]: needs exactly one of `context` (and `kubeconfig`), `inCluster: true`, `snapshot` and `dump`; 2 are given",
                "6:14: clusters[0].timeout: is no duration; write `30s`, `15m` or `1h30m`",
                "15:11: targets[0].path: is a path in the repository: it has no leading `/` and no `..`",
                "16:14: targets[0].cluster: there is no cluster `prd`; did you mean `prod`?",
            ]
        );
    }

    #[test]
    fn a_range_of_versions_is_read_with_the_file() {
        let text = GOOD.replace("revision: main", "revision: 'semver:>=1.2 <2'");
        assert_eq!(read(&text, Path::new("/")).unwrap().targets[0].revision.as_str(), "semver:>=1.2 <2");
        let text = GOOD.replace("revision: main", "revision: semver:latest");
        let found = problems(&text);
        assert!(found[0].starts_with("12:15: targets[0].revision: `latest` is no version range; write"), "{found:?}");
    }

    #[test]
    fn convergence_is_looked_at_unless_it_is_switched_off_for_a_target_or_for_all() {
        for (name, more, target, enabled, looked_at, seconds) in [
            ("by default", "", "", true, true, 600),
            ("with a deadline", "convergence: {deadline: 1h}\n", "", true, true, 3600),
            ("off for a target", "", "    convergence: false\n", true, false, 600),
            ("off for all", "convergence: {enabled: false}\n", "    convergence: true\n", false, false, 600),
        ] {
            let config = read(&format!("{GOOD}{target}{more}"), Path::new("/")).unwrap();
            let convergence = &config.convergence;
            assert_eq!(
                (convergence.enabled, config.targets[0].convergence, convergence.deadline.as_secs()),
                (enabled, looked_at, seconds),
                "{name}"
            );
        }
        assert_eq!(
            problems(&format!("{GOOD}convergence: {{deadline: soon}}\n")),
            ["15:25: convergence.deadline: is no duration; write `30s`, `15m` or `1h30m`"]
        );
    }

    #[test]
    fn the_history_is_that_of_first_parents_where_nothing_else_is_asked_for() {
        let of = |history: &str| {
            let text = GOOD.replace("    tokenFile", &format!("{history}    tokenFile"));
            read(&text, Path::new("/etc/d")).map(|config| config.repositories[0].history)
        };
        for (written, expected) in [
            ("", History::FirstParent),
            ("    history: first-parent\n", History::FirstParent),
            ("    history: full\n", History::Full),
        ] {
            assert_eq!(of(written).unwrap(), expected, "{written}");
        }
        assert!(of("    history: all\n").is_err());
    }

    #[test]
    fn a_change_policy_asks_for_something_and_needs_keys_for_signatures() {
        let policy = |text: &str| format!("{GOOD}    changePolicy: {text}\n");
        let with_keys =
            policy("{signers: [ann@example.com], mergeOnly: true, trailers: [Reviewed-by], since: 2026-01-01}")
                .replace("    tokenFile", "    allowedSigners: signers\n    keyring: /keys.asc\n    tokenFile");
        let config = read(&with_keys, Path::new("/etc/d")).unwrap();
        let repository = &config.repositories[0];
        assert_eq!(repository.allowed_signers.as_deref(), Some(Path::new("/etc/d/signers")));
        assert_eq!(repository.keyring.as_deref(), Some(Path::new("/keys.asc")));
        let read = config.targets[0].change_policy.as_ref().unwrap();
        assert!(read.signed && read.merge_only);
        assert_eq!(read.since.map(crate::model::time::Timestamp::date), Some("2026-01-01".to_owned()));
        for (text, expected) in [
            ("{}", "15:19: targets[0].changePolicy: asks for nothing"),
            ("{mergeOnly: false, since: 2026-01-01}", "15:19: targets[0].changePolicy: asks for nothing"),
            (
                "{signatures: required}",
                "15:32: targets[0].changePolicy.signatures: needs `allowedSigners` or `keyring`",
            ),
            ("{signers: [a]}", "15:29: targets[0].changePolicy.signers: needs `allowedSigners` or `keyring`"),
            ("{trailers: ['Reviewed by']}", "15:31: targets[0].changePolicy.trailers[0]: is no trailer's name"),
            ("{mergeOnly: true, since: May}", "15:44: targets[0].changePolicy.since: is no date"),
            (
                "{signature: required}",
                "15:20: targets[0].changePolicy.signature: unknown key; did you mean `signatures`?",
            ),
        ] {
            let found = problems(&policy(text));
            assert!(found.len() == 1 && found[0].starts_with(expected), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_cluster_may_have_an_audit_of_its_own_and_an_exclusion_names_something() {
        let text = GOOD.replace(
            "    context: prod-eu\n",
            "    context: prod-eu\n    audit: {removed: false}\n  - {name: dev, dump: d}\n",
        );
        let config = read(&format!("{text}audit: {{unmanaged: {{kinds: [Service]}}}}\n"), Path::new("/")).unwrap();
        let service = GroupKind::new("", "Service");
        let audit = |name: &str| config.audit_of(&ClusterName::new(name));
        assert_eq!((audit("prod").removed, audit("dev").removed), (false, true));
        assert_eq!(
            (audit("prod").covers(&service, Some("a")), audit("dev").covers(&service, Some("a"))),
            (false, true)
        );
        let text = format!(
            "{GOOD}audit:\n  unmanaged:\n    exclude:\n      - {{reason: x}}\n      - {{names: [a], reason: ''}}\n"
        );
        let found = problems(&text);
        assert!(found[0].starts_with("18:9: audit.unmanaged.exclude[0]: leaves out everything"), "{found:?}");
        assert!(found[1].starts_with("19:9: audit.unmanaged.exclude[1]: needs a reason"), "{found:?}");
    }

    #[test]
    fn an_audit_log_is_a_path_or_a_mapping_and_keeps_no_addresses_unless_asked() {
        for (written, path, source_ips) in [
            ("audit.log", "/etc/d/audit.log", false),
            ("{path: /var/log/audit}", "/var/log/audit", false),
            ("{path: logs, sourceIPs: true}", "/etc/d/logs", true),
        ] {
            let text = GOOD.replace("context: prod-eu", &format!("context: prod-eu\n    auditLog: {written}"));
            let config = read(&text, Path::new("/etc/d")).unwrap();
            let expected = AuditLog { path: path.into(), source_ips };
            assert_eq!(config.clusters[0].audit_log, Some(expected), "{written}");
        }
        assert_eq!(read(GOOD, Path::new("/")).unwrap().clusters[0].audit_log, None);
        for (written, problem) in [
            ("''", "5:15: clusters[0].auditLog: is empty; name a file or a folder, or leave it out"),
            (
                "{path: a, sourceIps: true}",
                "5:25: clusters[0].auditLog.sourceIps: unknown key; did you mean `sourceIPs`?",
            ),
            ("{sourceIPs: true}", "5:15: clusters[0].auditLog: `path` is missing"),
        ] {
            let text = GOOD.replace("context: prod-eu", &format!("context: prod-eu\n    auditLog: {written}"));
            assert_eq!(problems(&text), [problem]);
        }
        assert_eq!(
            problems(&format!("{GOOD}limits: {{auditLogTime: soon}}\n")),
            ["15:24: limits.auditLogTime: is no duration; write `30s`, `15m` or `1h30m`"]
        );
    }

    #[test]
    fn broken_and_empty_files_say_where() {
        assert!(problems("")[0].starts_with("1:1: the file is empty"));
        assert!(problems("ledger: [")[0].starts_with("1:"));
        assert!(problems("- a")[0].contains("a configuration is a mapping"));
        assert!(problems("ledger: a\nledger: b\n")[0].starts_with("2:1: "));
        assert!(
            problems(&GOOD.replace("ledger: ledger.sqlite", "ledger: {path: a, creat: true}"))[0]
                .contains("did you mean `create`?")
        );
    }

    #[test]
    fn a_url_with_credentials_is_never_printed() {
        let text = GOOD.replace("https://git", "https://user:CANARY@git");
        let config = read(&text, Path::new("/")).unwrap();
        assert!(!format!("{config:?}").contains("CANARY"));
    }
}
