//! The Helm chart: what it renders is what `config/kubernetes` holds, and it grants nothing that writes.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use driftledger::yaml;
use serde_json::{Value, json};

use crate::on_cluster::variable;

fn config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

fn chart() -> PathBuf {
    config().join("helm/driftledger")
}

fn helm(command: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(variable("DRIFTLEDGER_TEST_HELM"))
        .arg(command)
        .args(args)
        .args(["--kube-version", "1.33.0", "--values"])
        .arg(chart().join("ci/example-values.yaml"))
        .output()
        .expect("helm runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(String::from_utf8(output.stdout).expect("text")) } else { Err(said) }
}

fn template(release: &str, namespace: &str, settings: &[&str]) -> Result<String, String> {
    let chart = chart();
    let mut args = vec![release, chart.to_str().expect("a path"), "--namespace", namespace];
    for setting in settings {
        args.extend(["--set", setting]);
    }
    helm("template", &args)
}

fn rendered(settings: &[&str]) -> Objects {
    objects(&template("driftledger", "driftledger", settings).unwrap_or_else(|said| panic!("{settings:?}: {said}")))
}

/// By kind and name.
type Objects = BTreeMap<(String, String), Value>;

fn objects(text: &str) -> Objects {
    let mut objects = Objects::new();
    for document in yaml::read_documents(text, &yaml::Limits::default()) {
        let object = yaml::to_json(&document.expect("YAML").root);
        if object.is_null() {
            continue;
        }
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        objects.insert((text(&object["kind"]), text(&object["metadata"]["name"])), object);
    }
    objects
}

/// Without what only a release has, and with the configuration as what it says.
fn in_substance(mut objects: Objects) -> Objects {
    for object in objects.values_mut() {
        let labels = ["/metadata/labels", "/spec/jobTemplate/spec/template/metadata/labels"];
        for pointer in labels {
            if let Some(labels) = object.pointer_mut(pointer).and_then(Value::as_object_mut) {
                labels.retain(|name, _| name == "app.kubernetes.io/name");
            }
        }
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("annotations");
        }
        if let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) {
            for text in data.values_mut() {
                let documents = yaml::read_documents(text.as_str().expect("text"), &yaml::Limits::default());
                let document = documents.into_iter().next().expect("a document").expect("YAML");
                *text = yaml::to_json(&document.root);
            }
        }
    }
    objects
}

fn kustomization() -> Objects {
    let folder = config().join("kubernetes");
    let list = fs::read_to_string(folder.join("kustomization.yaml")).expect("a kustomization");
    let files = list.lines().filter_map(|line| line.trim().strip_prefix("- "));
    let mut all = Objects::new();
    for file in files {
        all.extend(objects(&fs::read_to_string(folder.join(file)).expect(file)));
    }
    assert!(all.len() > 5, "{:?}", all.keys());
    all
}

#[test]
#[ignore = "needs helm: run tests/run"]
fn renders_what_the_kustomization_holds() {
    let mut expected = in_substance(kustomization());
    // Helm makes the namespace by --create-namespace, or finds it.
    expected.remove(&("Namespace".to_owned(), "driftledger".to_owned())).expect("a namespace");
    let mut found = in_substance(rendered(&[]));
    // The chart's image has the chart's version, the manifest's is to be replaced.
    let image = "/spec/jobTemplate/spec/template/spec/containers/0/image";
    for objects in [&mut expected, &mut found] {
        let job = objects.get_mut(&("CronJob".to_owned(), "driftledger".to_owned())).expect("a CronJob");
        let image = job.pointer_mut(image).expect("an image");
        assert!(image.as_str().is_some_and(|image| image.starts_with("ghcr.io/example/driftledger:")), "{image}");
        *image = json!("");
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (id, object) in &expected {
        assert_eq!(&found[id], object, "{id:?}");
    }

    let secrets = fs::read_to_string(config().join("kubernetes/secrets-role.yaml")).expect("a role");
    let mut with_secrets = in_substance(rendered(&["rbac.secrets=true"]));
    with_secrets.retain(|(_, name), _| name == "driftledger-secrets");
    assert_eq!(with_secrets, in_substance(objects(&secrets)));
}

#[test]
fn the_charts_program_is_of_this_version() {
    let text = fs::read_to_string(chart().join("Chart.yaml")).expect("a chart");
    assert!(text.contains(concat!("\nappVersion: ", env!("CARGO_PKG_VERSION"), "\n")), "{text}");
}

#[test]
#[ignore = "needs helm: run tests/run"]
fn passes_helms_own_lint() {
    let chart = chart();
    helm("lint", &["--strict", chart.to_str().expect("a path")]).expect("no complaint");
}

#[test]
#[ignore = "needs helm: run tests/run"]
fn grants_get_and_list_of_named_kinds_whatever_is_set() {
    let custom =
        "rbac.customResources[0].apiGroups[0]=cert-manager.io,rbac.customResources[0].resources[0]=certificates";
    let objects = rendered(&["rbac.secrets=true", custom]);
    let mut resources = Vec::new();
    for ((kind, _), object) in &objects {
        assert!(!kind.contains("Role") || kind.starts_with("ClusterRole"), "{kind}");
        for rule in object["rules"].as_array().into_iter().flatten() {
            let verbs: Vec<&str> = rule["verbs"].as_array().expect("verbs").iter().filter_map(Value::as_str).collect();
            assert!(verbs == ["get", "list"] || (verbs == ["get"] && rule.get("nonResourceURLs").is_some()), "{rule}");
            resources.extend(rule["resources"].as_array().into_iter().flatten().filter_map(Value::as_str));
        }
    }
    assert!(resources.contains(&"certificates") && resources.contains(&"secrets"));
    assert!(resources.iter().all(|name| !name.contains(['*', '/'])), "{resources:?}");
    for wildcard in ["rbac.customResources[0].apiGroups[0]=*", "rbac.customResources[0].resources[0]=pods/exec"] {
        let other = if wildcard.contains("apiGroups") { "resources[0]=x" } else { "apiGroups[0]=x" };
        template("d", "d", &[&format!("{wildcard},rbac.customResources[0].{other}")]).expect_err(wildcard);
    }
}

#[test]
#[ignore = "needs helm: run tests/run"]
fn stays_locked_down_whatever_is_set_and_refuses_what_it_does_not_know() {
    let settings =
        ["runAsUser=null", "fsGroup=null", "exitZero=false", "persistence.existingClaim=mine", "image.digest="];
    let objects = rendered(&settings);
    let job = &objects[&("CronJob".to_owned(), "driftledger".to_owned())];
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let user = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
    assert_eq!(pod["securityContext"], user);
    let container = &pod["containers"][0];
    let locked =
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}});
    assert_eq!(container["securityContext"], locked);
    assert_eq!(container["args"], json!(["scan", "--config", "/etc/driftledger/driftledger.yaml"]));
    assert_eq!(pod["volumes"][1]["persistentVolumeClaim"]["claimName"], "mine");
    assert!(!objects.keys().any(|(kind, _)| kind == "PersistentVolumeClaim"));
    let digest = format!("image.digest=sha256:{}", "a".repeat(64));
    let objects = rendered(&[&digest]);
    let job = objects[&("CronJob".to_owned(), "driftledger".to_owned())].to_string();
    assert!(job.contains(&format!("ghcr.io/example/driftledger@sha256:{}\"", "a".repeat(64))), "{job}");

    for (setting, said) in [
        ("mode=watch", "mode"),
        ("imgae.tag=1", "imgae"),
        ("runAsUser=0", "runAsUser"),
        ("image.digest=latest", "digest"),
        ("config.targets=null", "targets"),
        ("config.repositories=[]", "repositories"),
    ] {
        let error = template("d", "d", &[setting]).expect_err(setting);
        assert!(error.contains(said), "{setting}: {error}");
    }
}

#[test]
#[ignore = "needs helm: run tests/run"]
fn the_configuration_that_it_renders_is_one() {
    let objects = rendered(&[]);
    let text = objects[&("ConfigMap".to_owned(), "driftledger".to_owned())]["data"]["driftledger.yaml"].as_str();
    let read = driftledger::config::read(text.expect("text"), Path::new("/etc/driftledger")).expect("a configuration");
    assert_eq!(read.targets.len(), 1);
}

#[test]
#[ignore = "needs helm and the test cluster: run tests/run"]
fn what_it_renders_is_taken_on_cluster_without_a_warning() {
    let kubectl = |args: &[&str], input: &str| {
        let mut child = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL"))
            .args(["--kubeconfig", &variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG")])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl runs");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let release = format!("chart-{}", std::process::id());
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": release, "labels": {
        "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}}});
    assert_eq!(kubectl(&["create", "-f", "-"], &namespace.to_string()), (true, String::new()));
    let text = template(&release, &release, &["rbac.secrets=true", "suspend=true"]).expect("manifests");
    let applied = kubectl(&["apply", "--server-side", "--field-manager=chart-test", "-f", "-"], &text);
    kubectl(&["delete", "--ignore-not-found", "--wait=false", "-f", "-"], &text);
    kubectl(&["delete", "namespace", &release, "--wait=false"], "");
    assert_eq!(applied, (true, String::new()));
}
