//! What lags behind Git, what was put back and what was never in Git, told apart on a real API server.

use std::collections::BTreeMap;
use std::process::Command;

use driftledger::adapters::git::Content;
use driftledger::model::ids::CommitId;
use serde_json::Value;

use crate::on_cluster::variable;
use crate::program::Workspace;

const COMMITS: usize = 12;

/// The fields that commits change, each with its value at a commit: the number of the commit that changed it last.
const FIELDS: &[(&str, &str, usize)] = &[
    ("ConfigMap", ".data.level", 2),
    ("ConfigMap", ".data.size", 3),
    ("Deployment", r#".spec.template.spec.containers[name="api"].env[name="LEVEL"].value"#, 5),
    ("Service", ".metadata.labels.build", 1),
];

/// The value of a field at a commit: commits from 1 on change it whose number has no rest when divided by its step.
fn value(step: usize, commit: usize) -> usize {
    commit - commit % step
}

fn manifest(commit: usize) -> String {
    let of = |n: usize| value(FIELDS[n].2, commit);
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: api}}\ndata: {{level: 'v{}', size: 'v{}'}}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api}}\nspec:\n  replicas: 0\n  selector: {{matchLabels: {{app: api}}}}\n  \
         template:\n    metadata: {{labels: {{app: api}}}}\n    spec:\n      containers:\n      - name: api\n        image: registry.example.com/api:1\n        \
         env: [{{name: LEVEL, value: 'v{}'}}]\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {{name: api, labels: {{build: 'v{}'}}}}\nspec: {{ports: [{{port: 80}}], selector: {{app: api}}}}\n",
        of(0),
        of(1),
        of(2),
        of(3)
    )
}

struct Project {
    work: Workspace,
    namespace: String,
    commits: Vec<CommitId>,
}

impl Project {
    fn new(name: &str) -> Self {
        let namespace = format!("behind-{name}-{}", std::process::id());
        let mut work = Workspace::new();
        let commits = (0..=COMMITS)
            .map(|n| {
                // Half-way, the file moves.
                let (file, gone) = if n < COMMITS / 2 { ("old.yaml", None) } else { ("new.yaml", Some("old.yaml")) };
                let removed = gone.filter(|_| n == COMMITS / 2).map(|gone| (format!("app/{gone}"), Content::Removed));
                let files = [(format!("app/{file}"), Content::from(manifest(n).as_str()))];
                work.commit(&format!("Change {n}"), files.into_iter().chain(removed))
            })
            .collect();
        work.file(
            "driftledger.yaml",
            &format!(
                "ledger: ledger.sqlite\ncache: cache\ngrace: 0s\nclusters: [{{name: test, kubeconfig: {}}}]\n\
                 repositories: [{{name: app, url: repository}}]\n\
                 targets: [{{name: app, repository: app, revision: main, path: app, cluster: test, namespace: {namespace}}}]\n\
                 audit: {{unmanaged: {{defaults: false}}}}\n",
                variable("DRIFTLEDGER_TEST_AUDITOR_KUBECONFIG")
            ),
        );
        let project = Self { work, namespace, commits };
        project.kubectl(&["create", "namespace", &project.namespace], "");
        project
    }

    fn kubectl(&self, args: &[&str], input: &str) {
        let stdin = self.work.file("stdin", input);
        let output = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL"))
            .args(["--namespace", &self.namespace])
            .args(args)
            .stdin(std::fs::File::open(stdin).expect("stdin"))
            .output()
            .expect("kubectl runs");
        assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn applied_by_flux(&self, commit: usize) {
        let how = ["apply", "--server-side", "--force-conflicts", "--field-manager=kustomize-controller", "-f", "-"];
        self.kubectl(&how, &manifest(commit));
    }

    fn patch(&self, what: &str, patch: &str) {
        self.kubectl(&["patch", what, "--type=merge", "-p", patch], "");
    }

    /// The report, and its findings by kind and path.
    fn scan(&self) -> (Value, BTreeMap<(String, String), Value>) {
        let report = self.work.run(&["scan", "-o", "json", "--exit-zero"]).json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let findings = report["findings"].as_array().expect("findings").iter();
        let found = findings.map(|f| ((text(&f["kind"]), text(&f["path"])), f.clone())).collect();
        (report, found)
    }

    /// What is to be found while the fields have their values of an older commit.
    #[track_caller]
    fn check(&self, found: &BTreeMap<(String, String), Value>, applied: usize, cause: &str) {
        let expected: Vec<_> =
            FIELDS.iter().filter(|(_, _, step)| value(*step, applied) != value(*step, COMMITS)).collect();
        let shown: Vec<_> = found.keys().collect();
        assert_eq!(found.len(), expected.len(), "{shown:?}");
        for (kind, path, step) in expected {
            let finding = &found[&((*kind).to_owned(), (*path).to_owned())];
            let place = format!("{kind} {path} at {applied}: {finding}");
            // The newest commit before the one that changed it next.
            let newest =
                (applied + 1..=COMMITS).find(|n| value(*step, *n) != value(*step, applied)).expect("it changed") - 1;
            assert_eq!(finding["cause"], cause, "{place}");
            assert_eq!(finding["liveMatches"]["commit"], self.commits[newest].as_str(), "{place}");
            assert_eq!(finding["liveMatches"]["commitsBehind"], COMMITS - newest, "{place}");
            assert_eq!(finding["declaredBy"]["commit"], self.commits[value(*step, COMMITS)].as_str(), "{place}");
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let delete = ["delete", "namespace", &self.namespace, "--wait=false"];
        let _ = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL")).args(delete).output();
    }
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn a_target_that_the_gitops_side_left_behind_is_behind_with_the_right_commits() {
    let project = Project::new("gitops");
    for behind in [1, 4, 7, 11] {
        let applied = COMMITS - behind;
        project.applied_by_flux(applied);
        let (report, found) = project.scan();
        project.check(&found, applied, "behind");
        let runs = &report["scan"]["targets"][0]["runs"];
        assert_eq!(runs["commit"], project.commits[applied].as_str(), "{runs}");
        assert_eq!(runs["commitsBehind"], behind);
    }
    project.applied_by_flux(COMMITS);
    assert!(project.scan().1.is_empty());
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn a_person_who_puts_an_older_value_back_rolled_back_and_a_new_value_is_out_of_band() {
    let project = Project::new("hand");
    project.applied_by_flux(COMMITS);
    let applied = 4;
    let of = |n: usize| value(FIELDS[n].2, applied);
    project.patch("configmap/api", &format!(r#"{{"data":{{"level":"v{}","size":"v{}"}}}}"#, of(0), of(1)));
    let env =
        format!(r#"[{{"op":"replace","path":"/spec/template/spec/containers/0/env/0/value","value":"v{}"}}]"#, of(2));
    project.kubectl(&["patch", "deployment/api", "--type=json", "-p", &env], "");
    project.patch("service/api", &format!(r#"{{"metadata":{{"labels":{{"build":"v{}"}}}}}}"#, of(3)));
    let (report, found) = project.scan();
    project.check(&found, applied, "hand-rollback");
    assert!(report["scan"]["targets"][0]["runs"].is_null(), "a person's values say nothing of what the target runs");

    project.patch("configmap/api", r#"{"data":{"level":"never"}}"#);
    let (_, found) = project.scan();
    let level = &found[&("ConfigMap".to_owned(), ".data.level".to_owned())];
    assert_eq!((&level["cause"], &level["liveMatches"]), (&"out-of-band".into(), &Value::Null));
    assert_eq!(level["actors"][0]["manager"], "kubectl-patch");
    let size = &found[&("ConfigMap".to_owned(), ".data.size".to_owned())];
    assert_eq!(size["cause"], "hand-rollback");
}
