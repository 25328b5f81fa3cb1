//! DL011 on a real API server with controllers and no nodes: Pods stay pending, so that a rollout can never end, and status writes of
//! the test stand in for a kubelet and for Flux.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use driftledger::adapters::git::Content;
use serde_json::{Value, json};

use crate::on_cluster::variable;
use crate::program::{Workspace, findings};

const WORKLOADS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: stuck}
spec:
  replicas: 2
  progressDeadlineSeconds: 1
  selector: {matchLabels: {app: stuck}}
  template:
    metadata: {labels: {app: stuck}}
    spec: {containers: [{name: api, image: 'registry.example.com/shop/api:1.5'}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: going}
spec:
  selector: {matchLabels: {app: going}}
  template:
    metadata: {labels: {app: going}}
    spec: {containers: [{name: web, image: 'registry.example.com/shop/web:1'}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: 'postgres:16'}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: seed}
spec:
  backoffLimit: 0
  template:
    metadata: {labels: {app: seed}}
    spec: {restartPolicy: Never, containers: [{name: seed, image: 'registry.example.com/shop/seed:1'}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside}
spec: {type: LoadBalancer, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: held, finalizers: [example.com/held]}
data: {a: b}
";

pub const FLUX: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kustomizations.kustomize.toolkit.fluxcd.io}
spec:
  group: kustomize.toolkit.fluxcd.io
  scope: Namespaced
  names: {plural: kustomizations, kind: Kustomization}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

/// The definitions of the operators' kinds, which are the whole cluster's: one test at a time has them.
pub const OPERATORS: [&str; 3] = [
    "kustomizations.kustomize.toolkit.fluxcd.io",
    "gitrepositories.source.toolkit.fluxcd.io",
    "applications.argoproj.io",
];
pub static OPERATORS_ARE_IN_USE: Mutex<()> = Mutex::new(());

/// A namespace of the test cluster, and a target that declares what is in it.
pub struct Place {
    pub work: Workspace,
    pub namespace: String,
}

impl Place {
    pub fn new(name: &str, manifest: &str) -> Self {
        let mut work = Workspace::new();
        work.commit("Add it", [("shop/all.yaml".to_owned(), Content::from(manifest))]);
        let place = Self { work, namespace: format!("{name}-{}", std::process::id()) };
        place.configure(&variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG"), "", "");
        place.kubectl(&["create", "namespace", &place.namespace], "");
        place
    }

    pub fn configure(&self, kubeconfig: &str, of_target: &str, of_all: &str) {
        let namespace = &self.namespace;
        let config = format!(
            "ledger: ledger.sqlite\naudit: {{unmanaged: {{defaults: false}}}}\nclusters:\n  - {{name: test, kubeconfig: {kubeconfig}}}\n\
             repositories:\n  - {{name: shop, url: repository}}\n\
             targets:\n  - {{name: shop, repository: shop, revision: main, path: shop, cluster: test, namespace: {namespace}{of_target}}}\n\
             {of_all}"
        );
        self.work.file("driftledger.yaml", &config);
    }

    pub fn kubectl(&self, args: &[&str], input: &str) -> String {
        let stdin = self.work.file("stdin", input);
        let output = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL"))
            .args(["--namespace", &self.namespace])
            .args(args)
            .stdin(std::fs::File::open(stdin).expect("stdin"))
            .output()
            .expect("kubectl runs");
        assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn apply(&self, manifest: &str) {
        self.kubectl(&["apply", "--server-side", "--field-manager=argocd-controller", "-f", "-"], manifest);
    }

    /// Writes the status of an object, as its controller or kubelet would.
    pub fn status(&self, object: &str, status: &Value) {
        let patch = json!({"status": status}).to_string();
        self.kubectl(&["patch", object, "--subresource=status", "--type=merge", "-p", &patch], "");
    }

    pub fn wait(&self, condition: &str, object: &str) {
        self.kubectl(&["wait", &format!("--for={condition}"), object, "--timeout=60s"], "");
    }

    /// The Pods of an app, once there are so many.
    fn pods(&self, app: &str, many: usize) -> Vec<String> {
        for _ in 0..120 {
            let names = self.kubectl(&["get", "pods", "-l", &format!("app={app}"), "-o", "name"], "");
            let names: Vec<String> = names.lines().map(str::to_owned).collect();
            if names.len() == many {
                return names;
            }
            std::thread::sleep(std::time::Duration::from_millis(250));
        }
        panic!("{app} has not got {many} Pods");
    }

    pub fn scan(&self) -> Value {
        let said = self.work.run(&["scan", "-o", "json"]);
        assert!([0, 1, 3].contains(&said.code), "{}{}", said.out, said.err);
        said.json()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let kubectl = |args: &[&str]| {
            let _ = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL")).args(args).output();
        };
        let free = r#"{"metadata":{"finalizers":null}}"#;
        kubectl(&["--namespace", &self.namespace, "patch", "configmap/held", "--type=merge", "-p", free]);
        for kind in ["namespace", "clusterrole", "clusterrolebinding"] {
            kubectl(&["delete", kind, &self.namespace, "--wait=false", "--ignore-not-found"]);
        }
        if ["flux", "runs"].iter().any(|name| self.namespace.starts_with(name)) {
            for crd in OPERATORS {
                kubectl(&["delete", &format!("crd/{crd}"), "--ignore-not-found"]);
            }
        }
    }
}

fn of<'a>(report: &'a Value, name: &str) -> &'a Value {
    let all = report["findings"].as_array().expect("findings");
    all.iter().find(|finding| finding["name"] == name).unwrap_or_else(|| panic!("{name}: {report:#}"))
}

const EXCEEDED: &str = r#"jsonpath={.status.conditions[?(@.type=="Progressing")].reason}=ProgressDeadlineExceeded"#;

fn not_pulled() -> Value {
    json!({"phase": "Pending", "containerStatuses": [{"name": "api", "image": "registry.example.com/shop/api:1.5", "imageID": "",
        "ready": false, "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}}]})
}

fn running() -> Value {
    json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-02T10:00:00Z"}],
        "containerStatuses": [{"name": "api", "image": "registry.example.com/shop/api:1.5", "imageID": "", "ready": true,
            "restartCount": 0, "state": {"running": {}}}]})
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn a_rollout_past_its_deadline_is_a_finding_that_says_why_until_it_has_converged() {
    let place = Place::new("stuck", WORKLOADS);
    place.apply(WORKLOADS);
    let pods = place.pods("stuck", 2);
    pods.iter().for_each(|pod| place.status(pod, &not_pulled()));
    place.wait(EXCEEDED, "deployment/stuck");

    // All else is on the way, and has ten minutes.
    let report = place.scan();
    assert_eq!(findings(&report), ["DL011 Deployment stuck"]);
    let found = of(&report, "stuck");
    assert_eq!(found["severity"], "low");
    assert_eq!(found["cause"], Value::Null);
    assert_eq!(found["class"], "unconverged");
    assert_eq!(found["method"], "conditions and generations as kstatus reads them");
    assert_eq!(
        (&found["live"]["status"], &found["live"]["reason"]),
        (&json!("Failed"), &json!("ProgressDeadlineExceeded"))
    );
    assert!(found["live"]["message"].as_str().unwrap_or_default().contains("has timed out progressing"), "{found:#}");
    assert!(found["live"]["since"].as_str().is_some_and(|time| time.ends_with('Z')), "{found:#}");
    assert_eq!(found["declaredBy"]["email"], "ada@example.com");
    assert!(found["origin"]["line"].as_u64().is_some());
    let note = format!("look at `kubectl --namespace {} describe deployment.apps stuck`", place.namespace);
    assert_eq!(found["note"], note);
    let said = "ImagePullBackOff: registry.example.com/shop/api:1.5 (container api, 2 of 2 Pods)";
    assert_eq!(found["live"]["pods"], said);
    let counts = &report["scan"]["counts"];
    assert_eq!(counts["inSync"].as_u64().map(|n| n + 1), counts["compared"].as_u64());
    assert_eq!(counts["byClass"]["unconverged"], 1);

    let again = place.scan();
    for change in ["new", "changed", "reopened", "resolved"] {
        assert_eq!(again["scan"]["changes"][change].as_array().map(Vec::len), Some(0), "{change}: {again:#}");
    }

    // Drifted as well: both are told.
    place.kubectl(&["label", "deployment/stuck", "owner=nobody"], "");
    assert_eq!(findings(&place.scan()), ["DL003 Deployment stuck .metadata.labels.owner", "DL011 Deployment stuck"]);
    place.kubectl(&["label", "deployment/stuck", "owner-"], "");

    pods.iter().for_each(|pod| place.status(pod, &running()));
    place.wait("condition=Available", "deployment/stuck");
    let converged = place.scan();
    assert_eq!(findings(&converged), [""; 0]);
    let ends: Vec<&Value> = converged["scan"]["changes"]["resolved"].as_array().expect("a list").iter().collect();
    assert!(ends.iter().any(|end| end["how"] == "the object has converged"), "{ends:?}");
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn what_is_on_the_way_is_a_finding_past_the_configured_time_and_none_where_nobody_asks() {
    let place = Place::new("slow", WORKLOADS);
    place.apply(WORKLOADS);
    let pods = place.pods("stuck", 2);
    place.wait(EXCEEDED, "deployment/stuck");
    let [job] = place.pods("seed", 1).try_into().expect("one Pod");
    place.status(&job, &json!({"phase": "Failed", "reason": "Evicted"}));
    place.wait("condition=Failed", "job/seed");
    place.kubectl(&["delete", "configmap/held", "--wait=false"], "");
    assert_eq!(findings(&place.scan()), ["DL011 Deployment stuck", "DL011 Job seed"]);

    let admin = variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG");
    place.configure(&admin, "", "convergence: {deadline: 1s}\n");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let slow = place.scan();
    let expected = [
        "DL011 ConfigMap held",
        "DL011 Deployment stuck",
        "DL011 Job seed",
        "DL011 PersistentVolumeClaim data",
        "DL011 Service outside",
        "DL011 StatefulSet db",
    ];
    assert_eq!(findings(&slow), expected);
    for (name, status, reason, note) in [
        ("held", "Terminating", "Terminating", "longer on the way than the deadline of 1s"),
        ("seed", "Failed", "BackoffLimitExceeded", "look at"),
        ("data", "InProgress", "NotBound", "longer on the way"),
        ("outside", "InProgress", "NoAddress", "longer on the way"),
        ("db", "InProgress", "LessReady", "longer on the way"),
    ] {
        let found = of(&slow, name);
        assert_eq!((&found["live"]["status"], &found["live"]["reason"]), (&json!(status), &json!(reason)), "{found:#}");
        assert!(found["note"].as_str().unwrap_or_default().starts_with(note), "{found:#}");
        assert!(found["live"]["since"].is_string(), "{found:#}");
    }
    assert_eq!(of(&slow, "seed")["live"]["pods"], "Evicted (1 of 1 Pods)");
    assert!(of(&slow, "held")["live"]["message"].as_str().unwrap_or_default().contains("example.com/held"));

    // What its Pods say cannot be known without the right to read them: told, and no gap.
    let kinds = "deployments.apps,statefulsets.apps,jobs.batch,persistentvolumeclaims,services,configmaps,namespaces";
    place.configure(&only(kinds, &place, &admin), "", "");
    pods.iter().for_each(|pod| place.status(pod, &not_pulled()));
    let blind = place.scan();
    assert_eq!(blind["gaps"], json!([]));
    let note = of(&blind, "stuck")["note"].as_str().unwrap_or_default();
    assert!(note.starts_with("its Pods could not be read: ") && note.contains("forbidden"), "{note}");
    let reader = format!("--serviceaccount={}:reader", place.namespace);
    place.kubectl(&["create", "role", "pods", "--verb=list", "--resource=pods"], "");
    place.kubectl(&["create", "rolebinding", "pods", "--role=pods", &reader], "");
    let pulled = of(&place.scan(), "stuck")["live"]["pods"].clone();
    assert_eq!(pulled, "ImagePullBackOff: registry.example.com/shop/api:1.5 (container api, 2 of 2 Pods)");

    for (of_target, of_all) in [(", convergence: false", ""), ("", "convergence: {enabled: false}\n")] {
        place.configure(&admin, of_target, of_all);
        let off = place.scan();
        assert_eq!(findings(&off), [""; 0]);
        assert!(off["exclusions"].to_string().contains("convergence (DL011)"), "{}", off["exclusions"]);
        assert_eq!(off["scan"]["counts"]["inSync"], off["scan"]["counts"]["compared"]);
        assert_eq!(off["scan"]["changes"]["resolved"].as_array().map(Vec::len), Some(0));
    }
}

/// A kubeconfig whose user may read these kinds, and no others.
pub fn only(kinds: &str, place: &Place, admin: &str) -> String {
    let name = &place.namespace;
    place.kubectl(&["create", "serviceaccount", "reader"], "");
    place.kubectl(&["create", "clusterrole", name, "--verb=get,list", &format!("--resource={kinds}")], "");
    let reader = format!("--serviceaccount={name}:reader");
    place.kubectl(&["create", "clusterrolebinding", name, &format!("--clusterrole={name}"), &reader], "");
    let token = place.work.file("token", place.kubectl(&["create", "token", "reader"], "").trim());
    let admin = std::fs::read_to_string(admin).expect("a kubeconfig");
    let server = admin.lines().find(|line| line.starts_with("clusters:")).expect("its server");
    let config = format!(
        "apiVersion: v1\nkind: Config\n{server}\nusers: [{{name: reader, user: {{tokenFile: {}}}}}]\n\
         contexts: [{{name: reader, context: {{cluster: test, user: reader}}}}]\ncurrent-context: reader\n",
        token.display()
    );
    place.work.file("reader.kubeconfig", &config).display().to_string()
}

#[test]
#[ignore = "needs the test cluster: run tests/run"]
fn what_flux_says_of_its_own_objects_is_told() {
    const APPS: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: broken}
spec: {interval: 10m, path: ./broken}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: halted}
spec: {interval: 10m, path: ./halted, suspend: false}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: resting}
spec: {interval: 10m, path: ./resting, suspend: true}
";
    let _alone = OPERATORS_ARE_IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    let place = Place::new("flux", APPS);
    place.apply(FLUX);
    place.wait("condition=Established", "crd/kustomizations.kustomize.toolkit.fluxcd.io");
    std::thread::sleep(std::time::Duration::from_secs(1));
    place.apply(APPS);
    let time = "2026-03-02T10:00:00Z";
    let ready = |status: &str, reason: &str| {
        json!({"observedGeneration": 1, "lastAppliedRevision": "main@sha1:aaaa", "lastAttemptedRevision": "main@sha1:bbbb",
            "conditions": [{"type": "Ready", "status": status, "reason": reason, "message": "no such file", "lastTransitionTime": time}]})
    };
    for name in ["broken", "halted", "resting"] {
        place.status(&format!("kustomization/{name}"), &ready("False", "BuildFailed"));
    }
    place.status("kustomization/halted", &ready("True", "ReconciliationSucceeded"));
    place.kubectl(&["patch", "kustomization/halted", "--type=merge", "-p", r#"{"spec":{"suspend":true}}"#], "");
    let report = place.scan();
    assert_eq!(
        findings(&report),
        ["DL001 Kustomization halted .spec.suspend", "DL011 Kustomization broken", "DL011 Kustomization halted"]
    );
    let broken = &of(&report, "broken")["live"];
    assert_eq!(broken["message"], "no such file; last applied main@sha1:aaaa, last attempted main@sha1:bbbb");
    assert_eq!((&broken["reason"], &broken["since"]), (&json!("BuildFailed"), &json!(time)));
    let halted = report["findings"].as_array().expect("findings").iter();
    let halted = halted.filter(|f| f["name"] == "halted" && f["code"] == "DL011").collect::<Vec<_>>();
    assert_eq!(halted[0]["live"]["reason"], "Suspended", "{halted:?}");
}
