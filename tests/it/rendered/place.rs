//! A repository with charts and kustomizations, and a target in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use driftledger::adapters::git::Content;
use driftledger::app::gather::{self, TargetSource};
use driftledger::model::secret::RedactionKey;
use driftledger::model::time::Timestamp;
use driftledger::yaml;
use serde_json::{Value, json};

use crate::on_cluster::variable;
use crate::program::Workspace;

pub struct Place {
    pub work: Workspace,
    /// The section `tools`.
    tools: String,
}

/// The program, as `tests/run` names it.
pub fn tool(name: &str) -> String {
    variable(&format!("DRIFTLEDGER_TEST_{}", name.to_uppercase()))
}

/// The files of `tests/fixtures/render`.
pub fn fixtures() -> Vec<(String, Content)> {
    fn below(folder: &Path, root: &Path, found: &mut Vec<(String, Content)>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                below(&path, root, found);
            } else {
                let name = path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
                let text = std::fs::read_to_string(&path).expect("text");
                found.push((name, Content::from(text.as_str())));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/render");
    let mut found = Vec::new();
    below(&root, &root, &mut found);
    found
}

impl Place {
    /// With the fixtures committed; `tools` are programs by their names.
    pub fn new(tools: &[(&str, &str)]) -> Self {
        let mut place = Self::empty(tools);
        place.work.commit("Begin", fixtures());
        place
    }

    pub fn empty(tools: &[(&str, &str)]) -> Self {
        let tools = tools.iter().map(|(name, program)| format!("{name}: '{program}'")).collect::<Vec<_>>().join(", ");
        Self { work: Workspace::new(), tools }
    }

    pub fn commit(&mut self, message: &str, file: &str, text: &str) {
        self.work.commit(message, [(file.to_owned(), Content::from(text))]);
    }

    fn config(&self, path: &str, more: &str) -> String {
        format!(
            "ledger: ledger.sqlite\ngrace: 0s\ncache: cache\ntools: {{{}{}timeout: 20s, outputBytes: 1000000}}\n\
             clusters: [{{name: prod, dump: live.json, secrets: true}}]\nrepositories: [{{name: r, url: repository}}]\n\
             targets: [{{name: web, repository: r, revision: main, path: '{path}', cluster: prod, namespace: shop{more}}}]\n",
            self.tools,
            if self.tools.is_empty() { "" } else { ", " },
        )
    }

    /// The target's declared side, as a scan reads it.
    pub fn source(&self, path: &str, more: &str) -> TargetSource {
        let config = driftledger::config::read(&self.config(path, more), self.work.path()).expect("a configuration");
        let key = Arc::new(RedactionKey::from_bytes([7; 32]));
        let config = Arc::new(config);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let read = gather::targets(&config, &config.targets, &key, Timestamp::from_unix(1_770_000_000));
        runtime.block_on(read).pop().expect("one target")
    }

    /// A scan of the target against live objects.
    pub fn scan(&self, path: &str, more: &str, live: &[Value]) -> Value {
        self.work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": live}).to_string());
        self.work.file("driftledger.yaml", &self.config(path, more));
        let said = self.work.run(&["scan", "-o", "json"]);
        assert!(!said.out.contains("CANARY"), "{}", said.out);
        said.json()
    }
}

/// What a program writes by itself, as objects by kind and name.
pub fn written(program: &str, arguments: &[&str], folder: &Path) -> BTreeMap<String, Value> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let documents = yaml::read_documents(&text, &yaml::Limits::default()).into_iter();
    let values = documents.map(|document| yaml::to_json(&document.expect("YAML").root));
    values.filter(|value| value.is_object()).map(|value| (name(&value), value)).collect()
}

/// What a target declares, likewise.
pub fn declared(source: &TargetSource) -> BTreeMap<String, Value> {
    let values = source.objects.iter().map(|object| object.tree().expect("JSON"));
    values.map(|value| (name(&value), value)).collect()
}

pub fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// The file that each object comes from.
pub fn files(source: &TargetSource) -> BTreeMap<String, String> {
    let of = |object: &driftledger::model::declared::RenderedObject| {
        (format!("{} {}", object.gvk.kind, object.name), object.file.clone())
    };
    source.objects.iter().map(of).collect()
}

/// Where a finding's declared value stems from, as `file:line`.
pub fn origin(finding: &Value) -> String {
    let origin = &finding["origin"];
    format!("{}:{}", origin["file"].as_str().unwrap_or_default(), origin["line"])
}

/// The messages of a target's gaps.
pub fn gaps(source: &TargetSource) -> Vec<String> {
    source.gaps.iter().map(|gap| gap.message.clone()).collect()
}
