//! Manifests that people wrote: the history of a repository that `DRIFTLEDGER_TEST_CORPUS` names (a Git bundle whose `manifests`
//! folder is to be applied, `manifests/setup` first), applied at commits spread across it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use driftledger::yaml;
use serde_json::Value;

use crate::cluster::{Cluster, variable};
use crate::program::Workspace;
use crate::report::{Circumstances, Failure, Report};
use crate::ways::Way;

/// What may be said of manifests that were applied unchanged: the server refused the object (so it is missing), does not know the
/// field or the kind, the corpus declares the object twice, or it cannot come up on a cluster without nodes.
const HONEST: &[&str] = &["DL004", "DL005", "DL006", "DL007", "DL008", "DL010", "DL011"];

pub struct Corpus {
    work: Workspace,
    clone: PathBuf,
}

impl Corpus {
    pub fn find() -> Self {
        let bundle = std::env::var_os("DRIFTLEDGER_TEST_CORPUS").expect("DRIFTLEDGER_TEST_CORPUS names a Git bundle");
        let work = Workspace::new();
        let clone = work.path().join("corpus");
        let output = Command::new("git").args(["clone", "--quiet"]).arg(bundle).arg(&clone).output().expect("git runs");
        assert!(output.status.success(), "the corpus: {}", String::from_utf8_lossy(&output.stderr));
        Self { work, clone }
    }

    /// That many commits, spread evenly from the oldest to the newest.
    pub fn commits(&self, count: usize) -> Vec<String> {
        let all: Vec<String> = self.git(&["rev-list", "--reverse", "HEAD"]).lines().map(str::to_owned).collect();
        (1..=count).map(|n| all[(all.len() * n).div_ceil(count) - 1].clone()).collect()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git").arg("-C").arg(&self.clone).args(arguments).output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Applies a commit, scans it, and takes it out of the cluster again.
    pub fn play(&self, commit: &str, way: Way, cluster: &Cluster, report: &mut Report) {
        self.git(&["checkout", "--quiet", "--force", commit]);
        let folder = self.clone.join("manifests");
        let objects = objects(&folder);
        let refused = apply(&folder, &objects, way, cluster);
        let said = self.scan(commit);
        report.objects += objects.len();
        let all = said["findings"].as_array().expect("findings");
        let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
        all.iter().for_each(|finding| *codes.entry(finding["code"].as_str().unwrap_or_default()).or_default() += 1);
        let counts = &said["scan"]["counts"];
        eprintln!(
            "truth: corpus at {} by {}: {} declared, {} in sync, {codes:?}; kubectl refused {refused}",
            &commit[..10],
            way.name(),
            counts["declared"],
            counts["inSync"]
        );
        let around = Circumstances { seed: 0, way: way.name() };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let id = |finding: &Value| (text(&finding["kind"]), text(&finding["namespace"]), text(&finding["name"]));
        let twice: BTreeSet<_> = all.iter().filter(|finding| finding["code"] == "DL010").map(id).collect();
        let dishonest =
            |finding: &&Value| !HONEST.iter().any(|code| finding["code"] == *code) && !twice.contains(&id(finding));
        for finding in all.iter().filter(dishonest) {
            let mut failure = Failure::new("corpus", &around, &id(finding));
            failure.what =
                format!("applied unchanged at {commit}: declared {}, live {}", finding["declared"], finding["live"]);
            failure.extra.push(format!(
                "{} {} by {}",
                text(&finding["code"]),
                text(&finding["path"]),
                finding["actors"]
            ));
            report.push(failure);
        }
        clean(&folder, &objects, cluster);
    }

    fn scan(&self, commit: &str) -> Value {
        let config = format!(
            "ledger: corpus.sqlite\ngrace: 0s\nclusters:\n  - {{name: test, kubeconfig: {}, secrets: true}}\n\
             repositories:\n  - {{name: corpus, url: {}}}\ntargets:\n  - {{name: corpus, repository: corpus, revision: {commit}, \
             path: manifests, cluster: test}}\n",
            variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG"),
            self.clone.display()
        );
        self.work.file("corpus.yaml", &config);
        let said = self.work.run(&["scan", "--config", "corpus.yaml", "-o", "json"]);
        assert!(matches!(said.code, 0 | 1 | 3), "the scan failed ({}): {}{}", said.code, said.out, said.err);
        said.json()
    }
}

/// The objects that the files of a folder declare.
fn objects(folder: &Path) -> Vec<Value> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the corpus") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json") {
                let text = std::fs::read_to_string(&path).expect("text");
                let documents = yaml::read_documents(&text, &yaml::Limits::default());
                for object in documents.into_iter().flatten().map(|document| yaml::to_json(&document.root)) {
                    match object["items"].as_array() {
                        Some(items) => found.extend(items.iter().cloned()),
                        None => found.push(object),
                    }
                }
            }
        }
    }
    found.retain(|object| object["metadata"]["name"].is_string());
    found
}

/// Brings everything to the cluster; how many objects were refused, as a corpus that is older than the server's API has some.
fn apply(folder: &Path, objects: &[Value], way: Way, cluster: &Cluster) -> usize {
    let mut namespaces: BTreeSet<&str> = objects.iter().filter_map(|o| o["metadata"]["namespace"].as_str()).collect();
    // Old versions leave it to their reader to make them.
    objects.iter().filter(|o| o["kind"] == "Namespace").for_each(|o| {
        namespaces.remove(o["metadata"]["name"].as_str().unwrap_or_default());
    });
    for namespace in namespaces {
        let _ = cluster.kubectl(&["create", "namespace", namespace]);
    }
    let first = ["Namespace", "CustomResourceDefinition"];
    let first: Vec<&Value> = objects.iter().filter(|o| first.iter().any(|kind| o["kind"] == *kind)).collect();
    // Definitions are too long for the annotation of client-side apply.
    let how: &[&str] = if way.applies_server_side() { way.arguments() } else { &["create", "--validate=ignore"] };
    let mut refused = bring(&first, how, cluster);
    for definition in
        first.iter().filter(|o| o["kind"] == "CustomResourceDefinition" && o["apiVersion"] == "apiextensions.k8s.io/v1")
    {
        let name = format!("crd/{}", definition["metadata"]["name"].as_str().unwrap_or_default());
        let _ = cluster.kubectl(&["wait", "--for=condition=Established", "--timeout=20s", &name]);
    }
    std::thread::sleep(std::time::Duration::from_secs(2));
    // As the files have them, and not as this harness reads them.
    let folder = folder.display().to_string();
    let arguments = [way.arguments(), &["-R", "-f", &folder]].concat();
    if let Err(why) = cluster.kubectl(&arguments) {
        let old = |line: &&str| !line.contains("AlreadyExists") && !line.starts_with("Warning");
        refused += why.lines().filter(|line| line.to_ascii_lowercase().contains("error")).filter(old).count();
    }
    // Controllers have seen it by then, and written what they write.
    std::thread::sleep(std::time::Duration::from_secs(3));
    refused
}

fn bring(objects: &[&Value], how: &[&str], cluster: &Cluster) -> usize {
    let each = |object: &&&Value| cluster.with_input(&[how, &["-f", "-"]].concat(), &object.to_string(), &[]).is_err();
    objects.iter().filter(each).count()
}

fn clean(folder: &Path, objects: &[Value], cluster: &Cluster) {
    // While it answers for a group, and nothing is behind it, no namespace goes away.
    for service in objects.iter().filter(|o| o["kind"] == "APIService") {
        let name = service["metadata"]["name"].as_str().unwrap_or_default();
        let _ = cluster.kubectl(&["delete", "apiservice", name, "--ignore-not-found"]);
    }
    let folder = folder.display().to_string();
    let _ = cluster.kubectl(&["delete", "-R", "-f", &folder, "--ignore-not-found", "--timeout=90s"]);
    let namespaces: BTreeSet<&str> = objects.iter().filter_map(|o| o["metadata"]["namespace"].as_str()).collect();
    for namespace in namespaces.into_iter().filter(|name| !["default", "kube-system"].contains(name)) {
        let _ = cluster.kubectl(&["delete", "namespace", namespace, "--ignore-not-found", "--timeout=90s"]);
    }
}
