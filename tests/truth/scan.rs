//! The program under test: a repository with what is declared, and what a scan and a comparison of files say.

use std::collections::BTreeMap;
use std::path::PathBuf;

use driftledger::adapters::git::Content;
use serde_json::Value;

use crate::cluster::variable;
use crate::program::Workspace;

/// One finding, as far as it is checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub code: String,
    pub path: String,
    /// Its writers' managers, newest first.
    pub managers: Vec<String>,
}

/// An object by kind, namespace (empty for cluster-wide ones) and name.
pub type Id = (String, String, String);

/// What was said, by object.
pub type Said = BTreeMap<Id, Vec<Finding>>;

/// A set of files that is to be live in one namespace.
pub struct Target {
    pub name: String,
    pub namespace: String,
    pub files: Vec<(String, String)>,
}

pub struct Audit {
    work: Workspace,
    targets: Vec<Target>,
}

/// Where a scan reads the live objects.
pub enum Source<'a> {
    Cluster,
    /// A snapshot that is taken now.
    Snapshot,
    /// What kubectl printed.
    Dump(&'a [Value]),
}

impl Audit {
    pub fn new(targets: Vec<Target>) -> Self {
        let mut work = Workspace::new();
        let files: Vec<(String, Content)> = targets
            .iter()
            .flat_map(|target| {
                target
                    .files
                    .iter()
                    .map(|(name, text)| (format!("{}/{name}", target.name), Content::from(text.as_str())))
            })
            .collect();
        work.commit("Declare everything", files);
        for target in &targets {
            for (name, text) in &target.files {
                work.file(&format!("declared/{}/{name}", target.name), text);
            }
        }
        Self { work, targets }
    }

    /// The folder with a target's files, outside Git: what is applied is what was committed.
    pub fn folder(&self, target: &str) -> PathBuf {
        self.work.path().join("declared").join(target)
    }

    /// One scan; its findings and its whole report.
    pub fn scan(&self, source: &Source<'_>) -> (Said, Value) {
        let said = match source {
            Source::Cluster => self.scan_with("live", &live()),
            Source::Snapshot => {
                self.configure("live", &live());
                let taken =
                    self.work.run(&["snapshot", "--config", "live.yaml", "--output", "taken.snapshot.json.zst"]);
                assert_eq!(taken.code, 0, "the snapshot: {}{}", taken.out, taken.err);
                self.scan_with("snapshot", "snapshot: taken.snapshot.json.zst, secrets: true")
            }
            Source::Dump(objects) => {
                let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
                let file = self.work.file("dump/live.json", &list.to_string());
                self.scan_with("dump", &format!("dump: {}, secrets: true", file.display()))
            }
        };
        let report = said.json();
        (by_object(&report), report)
    }

    fn scan_with(&self, name: &str, cluster: &str) -> crate::program::Said {
        self.configure(name, cluster);
        let said = self.work.run(&["scan", "--config", &format!("{name}.yaml"), "-o", "json"]);
        assert!(matches!(said.code, 0 | 1 | 3), "the scan failed ({}): {}{}", said.code, said.out, said.err);
        said
    }

    /// A configuration with a ledger of its own; all share a key, so that a Secret in a snapshot can be compared.
    fn configure(&self, name: &str, cluster: &str) {
        let mut config = format!(
            "ledger: {{path: {name}.sqlite, keyFile: truth.key}}\ngrace: 0s\nclusters:\n  - {{name: test, {cluster}}}\n\
             repositories:\n  - {{name: truth, url: repository}}\ntargets:\n"
        );
        for target in &self.targets {
            config.push_str(&format!(
                "  - {{name: {0}, repository: truth, revision: main, path: {0}, cluster: test, namespace: {1}}}\n",
                target.name, target.namespace
            ));
        }
        self.work.file(&format!("{name}.yaml"), &config);
    }

    /// `compare` of a target's files with its live objects.
    pub fn compare(&self, target: &Target, live: &[Value]) -> (Said, Value) {
        let texts: Vec<&str> = target.files.iter().map(|(_, text)| text.trim_start_matches("---\n")).collect();
        let declared = self.work.file(&format!("compare/{}.yaml", target.name), &texts.join("\n---\n"));
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": live});
        let live = self.work.file(&format!("compare/{}.live.json", target.name), &list.to_string());
        let said =
            self.work.run(&["compare", &declared.display().to_string(), &live.display().to_string(), "-o", "json"]);
        assert!(matches!(said.code, 0 | 1 | 3), "compare failed ({}): {}{}", said.code, said.out, said.err);
        let report = said.json();
        (by_object(&report), report)
    }

    pub fn targets(&self) -> &[Target] {
        &self.targets
    }
}

/// The test cluster, in a configuration.
fn live() -> String {
    format!("kubeconfig: {}, secrets: true", variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG"))
}

fn by_object(report: &Value) -> Said {
    let mut said = Said::new();
    for finding in report["findings"].as_array().expect("findings") {
        let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        let managers = finding["actors"].as_array().into_iter().flatten();
        let managers = managers.map(|actor| actor["manager"].as_str().unwrap_or_default().to_owned()).collect();
        let id = (text("kind"), text("namespace"), text("name"));
        said.entry(id).or_default().push(Finding { code: text("code"), path: text("path"), managers });
    }
    said.values_mut().for_each(|findings| findings.sort());
    said
}
