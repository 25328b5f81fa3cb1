//! Charts of chart repositories: over HTTP, and from an OCI registry.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use driftledger::adapters::git::Content;
use serde_json::{Value, json};

use super::place::{name, origin, tool, written};
use crate::program::{Workspace, findings};

/// A Helm repository: an index and archives, as `helm package` and `helm repo index` write them, served over HTTP.
struct Repository {
    folder: tempfile::TempDir,
    url: String,
    asked: Arc<AtomicUsize>,
}

/// The fixture's chart, packed in a version.
fn pack(version: &str, into: &Path) -> PathBuf {
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/render/charts/shop");
    let output = Command::new(tool("helm"))
        .args(["package", "--version", version, "--destination"])
        .args([into, &chart])
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    into.join(format!("shop-{version}.tgz"))
}

/// Answers one request for a file of a folder, if who asks may have it.
fn answer(mut stream: impl Read + Write, root: &Path, login: Option<&str>) {
    let mut lines = BufReader::new(&mut stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let wanted = login.map(|login| format!("authorization: Basic {}", BASE64_STANDARD.encode(login)));
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let may = wanted.is_none_or(|wanted| headers.iter().any(|header| header.eq_ignore_ascii_case(&wanted)));
    let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches("/charts/").to_owned();
    let (status, body) = match std::fs::read(root.join(path)) {
        _ if !may => ("401 Unauthorized", Vec::new()),
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // A client that goes away is the client's business.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
    let _ = stream.flush();
}

impl Repository {
    fn with(versions: &[&str]) -> Self {
        Self::serving(versions, None)
    }

    /// Over TLS, by a certificate of the folder's `ca.pem`, and for one user.
    fn with_login(versions: &[&str], login: &'static str) -> Self {
        Self::serving(versions, Some(login))
    }

    fn serving(versions: &[&str], login: Option<&'static str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let tls = login.map(|_| crate::tls::server(folder.path()));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/charts", listener.local_addr().expect("an address"));
        let (root, asked) = (folder.path().to_owned(), Arc::new(AtomicUsize::new(0)));
        let count = asked.clone();
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                match &tls {
                    None => answer(stream, &root, login),
                    Some(tls) => {
                        let connection = rustls::ServerConnection::new(tls.clone()).expect("a connection");
                        let mut stream = rustls::StreamOwned::new(connection, stream);
                        answer(&mut stream, &root, login);
                        stream.conn.send_close_notify();
                        let _ = stream.flush();
                    }
                }
            }
        });
        let repository = Self { folder, url, asked };
        repository.publish(versions);
        repository
    }

    fn publish(&self, versions: &[&str]) {
        for version in versions {
            pack(version, self.folder.path());
        }
        let status = Command::new(tool("helm")).args(["repo", "index"]).arg(self.folder.path()).status();
        assert!(status.expect("it runs").success());
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

/// A HelmRelease of a chart, and the HelmRepository that it names.
fn release(url: &str, version: &str, level: &str) -> [(String, Content); 2] {
    let kind = if url.starts_with("oci") { json!("oci") } else { json!("default") };
    let repository = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "charts", "namespace": "flux-system"}, "spec": {"url": url, "type": kind}});
    let release = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "shop", "namespace": "flux-system"}, "spec": {
            "releaseName": "eu", "targetNamespace": "shop", "values": {"level": level},
            "chart": {"spec": {"chart": "shop", "version": version, "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}}});
    [("repository", repository), ("release", release)]
        .map(|(name, object)| (format!("apps/{name}.json"), Content::from(format!("{object:#}").as_str())))
}

fn config(charts: &str) -> String {
    format!(
        "ledger: ledger.sqlite\ncache: cache\ngrace: 0s\ndiscovery: {{argocd: true, flux: true}}\ntools: {{helm: '{}'}}\n\
         clusters: [{{name: prod, dump: live.json}}]\nrepositories: [{{name: r, url: repository}}]\ncharts: [{charts}]\n\
         targets: [{{name: root, repository: r, revision: main, path: apps, cluster: prod, namespace: flux-system}}]\n",
        tool("helm"),
    )
}

fn live(level: &str) -> String {
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "eu-settings", "namespace": "shop",
        "managedFields": [{"manager": "helm-controller", "operation": "Update", "apiVersion": "v1",
            "time": "2026-03-02T10:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:level": {}}}}]},
        "data": {"level": level, "kubernetes": "33"}});
    json!({"apiVersion": "v1", "kind": "List", "items": [settings]}).to_string()
}

fn level(report: &Value) -> &Value {
    let found = report["findings"].as_array().expect("a list").iter().find(|finding| finding["path"] == ".data.level");
    found.unwrap_or_else(|| panic!("{:?} {:#}", findings(report), report["gaps"]))
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn a_chart_of_an_allowed_repository_is_pulled_once_and_its_values_come_from_the_release() {
    let charts = Repository::with(&["1.0.0", "1.1.0"]);
    let mut work = Workspace::new();
    work.commit("Debug", release(&charts.url, "1.0.0", "debug"));
    work.commit("Trace", release(&charts.url, "1.0.0", "trace"));
    work.file("live.json", &live("debug"));
    work.file("driftledger.yaml", &config(""));
    let refused = work.run(&["targets", "-o", "json"]).json();
    let why = format!(
        "what HelmRelease shop deploys is not looked at: its chart shop is in the chart repository {}, which `charts` does not \
         allow",
        charts.url
    );
    assert_eq!(refused["gaps"][0]["message"], why.as_str());
    assert_eq!(charts.asked(), 0, "nothing is asked of a repository that is not allowed");

    work.file("driftledger.yaml", &config(&format!("{{url: '{}'}}", charts.url)));
    let report = work.run(&["scan", "-o", "json"]).json();
    let found = level(&report);
    assert_eq!((&found["cause"], &found["declaredBy"]["subject"]), (&json!("behind"), &json!("Trace")));
    assert_eq!(found["liveMatches"]["matched"]["subject"], "Debug");
    assert!(origin(found).starts_with("apps/release.json:"), "{}", origin(found));
    let by = found["origin"]["renderer"].as_str().expect("a renderer");
    assert!(by.starts_with("helm v3.") && by.contains(" of shop 1.0.0 sha256:"), "{by}");
    assert!(charts.asked() > 0);
    let again = work.run(&["scan", "-o", "json"]).json();
    assert_eq!((findings(&again), charts.asked()), (findings(&report), 0), "an exact version is asked for once");

    // What the chart makes without a value says where it is in the archive.
    let all = report["findings"].as_array().expect("a list");
    let cache = all.iter().find(|finding| finding["name"] == "eu-cache").expect("what is not live");
    assert_eq!(cache["origin"]["file"], "shop-1.0.0.tgz/charts/cache/templates/cache.yaml");
    let about_rendering = |gap: &&Value| gap["kind"] == "fetch" || gap["kind"] == "render";
    assert_eq!(report["gaps"].as_array().expect("a list").iter().find(about_rendering), None);
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn a_repository_is_asked_with_its_own_password_and_trusted_by_its_own_authority() {
    let charts = Repository::with_login(&["1.0.0"], "robot:CANARY");
    let mut work = Workspace::new();
    work.commit("Begin", release(&charts.url, "1.0.0", "debug"));
    work.file("live.json", &live("debug"));
    let authority = charts.folder.path().join("ca.pem").display().to_string();
    let with = |password: &str| {
        work.file("password", password);
        let login = format!("username: robot, passwordFile: password, caFile: '{authority}'");
        work.file("driftledger.yaml", &config(&format!("{{url: '{}', {login}}}", charts.url)));
        let said = work.run(&["targets", "-o", "json"]);
        assert!(!said.out.contains("CANARY") && !said.err.contains("CANARY"), "{}{}", said.out, said.err);
        said.json()
    };
    let refused = with("wrong");
    let message = refused["gaps"][0]["message"].as_str().unwrap_or_else(|| panic!("{refused:#}"));
    assert!(message.contains("could not be pulled") && message.contains("401"), "{message}");
    let listed = with("CANARY\n");
    assert_eq!(listed["gaps"], json!([]));
    assert!(listed["targets"][1]["renderer"].as_str().is_some_and(|by| by.contains("of shop 1.0.0 ")), "{listed:#}");
    let no_file = std::fs::remove_file(work.path().join("password"));
    assert!(no_file.is_ok() && std::fs::remove_dir_all(work.path().join("cache")).is_ok());
    let listed = work.run(&["targets", "-o", "json"]).json();
    assert!(
        listed["gaps"][0]["message"].as_str().is_some_and(|message| message.contains("the password for https://")),
        "{listed:#}"
    );
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn a_range_of_versions_is_asked_anew_and_an_exact_one_brings_its_own_commit() {
    let charts = Repository::with(&["1.0.0", "1.1.0", "2.0.0"]);
    let mut work = Workspace::new();
    work.commit("Begin", release(&charts.url, "1.x", "debug"));
    work.file("live.json", &live("debug"));
    work.file("driftledger.yaml", &config(&format!("{{url: '{}'}}", charts.url)));
    let renderer = || {
        let listed = work.run(&["targets", "-o", "json"]).json();
        listed["targets"][1]["renderer"].as_str().unwrap_or_else(|| panic!("{listed:#}")).to_owned()
    };
    assert!(renderer().contains("of shop 1.1.0 "), "{}", renderer());
    charts.publish(&["1.2.0"]);
    assert!(renderer().contains("of shop 1.2.0 "), "{}", renderer());

    work.commit("Pin", release(&charts.url, "9.9.9", "debug"));
    let listed = work.run(&["targets", "-o", "json"]).json();
    let message = listed["gaps"][0]["message"].as_str().expect("a message");
    assert!(
        message.starts_with(&format!("the chart shop (9.9.9) of {} could not be pulled: helm v3.", charts.url)),
        "{message}"
    );
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn what_is_written_of_a_chart_is_what_helm_template_writes_with_values_of_the_commit_and_of_the_chart() {
    let charts = Repository::with(&["1.0.0"]);
    let mut work = Workspace::new();
    work.commit("Values", [("env/prod.yaml".to_owned(), Content::from("replicas: 3\nlevel: warn\n"))]);
    let written_target = format!(
        "targets: [{{name: web, repository: r, revision: main, cluster: prod, namespace: shop, render: {{releaseName: eu, \
         kubeVersion: '1.32', valueFiles: [values.yaml, /env/prod.yaml], chart: {{repository: '{}', name: shop, version: 1.0.0}}}}}}]\n",
        charts.url
    );
    let config = config(&format!("{{url: '{}'}}", charts.url));
    let (before, _) = config.split_once("targets:").expect("targets");
    work.file("driftledger.yaml", &format!("{before}{written_target}"));
    let folder = tempfile::tempdir().expect("a folder");
    let archive = pack("1.0.0", folder.path());
    let arguments = [
        "template",
        "eu",
        archive.to_str().expect("UTF-8"),
        "--namespace",
        "shop",
        "--include-crds",
        "--no-hooks",
        "--set",
        "replicas=3,level=warn",
        "--kube-version",
        "1.32",
    ];
    let expected = written(&tool("helm"), &arguments, folder.path());
    let items: Vec<Value> = expected
        .into_values()
        .filter(|object| !name(object).starts_with("Pod"))
        .map(|mut object| {
            if object["kind"] != "CustomResourceDefinition" {
                object["metadata"]["namespace"] = json!("shop");
            }
            object
        })
        .collect();
    work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    let report = work.run(&["scan", "-o", "json"]).json();
    assert_eq!((findings(&report), &report["gaps"]), (Vec::new(), &json!([])));
    assert_eq!(report["scan"]["targets"][0]["compared"], items.len());
}

#[test]
#[ignore = "needs Helm: run tests/run"]
fn what_a_chart_of_the_repository_depends_on_is_taken_from_beside_it_and_from_what_is_allowed() {
    let charts = Repository::with(&["1.0.0", "1.1.0"]);
    let mut work = Workspace::new();
    let chart = |name: &str, more: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n{more}");
    let dependencies = format!(
        "dependencies:\n- {{name: shop, version: 1.x, repository: '{}'}}\n- {{name: common, version: 1.0.0, repository: 'file://../common'}}\n",
        charts.url
    );
    let lock = format!(
        "dependencies:\n- {{name: shop, version: 1.0.0, repository: '{}'}}\n- {{name: common, version: 1.0.0, repository: 'file://../common'}}\n",
        charts.url
    );
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: common}\ndata: {level: {{ .Values.level | default \"none\" | quote }}}\n";
    let files = [
        ("umbrella/Chart.yaml", chart("umbrella", &dependencies)),
        ("umbrella/Chart.lock", lock),
        ("umbrella/values.yaml", "shop: {level: debug}\ncommon: {level: warn}\n".to_owned()),
        ("common/Chart.yaml", chart("common", "")),
        ("common/templates/map.yaml", map.to_owned()),
    ];
    work.commit("Begin", files.map(|(name, text)| (name.to_owned(), Content::from(text.as_str()))));
    let config = |charts: &str| {
        let config = config(charts);
        let (before, _) = config.split_once("targets:").expect("targets");
        format!(
            "{before}targets: [{{name: web, repository: r, revision: main, path: umbrella, cluster: prod, namespace: shop}}]\n"
        )
    };
    work.file("driftledger.yaml", &config(""));
    let refused = work.run(&["targets", "-o", "json"]).json();
    let message = refused["gaps"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("the chart shop (1.0.0)") && message.contains("not allowed"), "{refused:#}");
    assert_eq!(charts.asked(), 0);
    work.file("driftledger.yaml", &config(&format!("{{url: '{}'}}", charts.url)));
    let data = |name: &str, level: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": {"level": level}});
    let items = [data("common", "warn"), data("web-settings", "trace")];
    work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    let report = work.run(&["scan", "-o", "json"]).json();
    let changed: Vec<String> = findings(&report).into_iter().filter(|finding| finding.starts_with("DL001")).collect();
    assert_eq!(changed, ["DL001 ConfigMap web-settings .data.level"], "{:#}", report["gaps"]);
    let found = level(&report);
    assert_eq!((&found["declared"], origin(found).as_str()), (&json!("debug"), "umbrella/values.yaml:1"));
    let by = found["origin"]["renderer"].as_str().expect("a renderer");
    assert!(by.contains(" with shop 1.0.0 sha256:"), "in the version of the lock: {by}");
    // A change of what lies beside it is one of the target.
    let map = map.replace("none", "some").replace("common}", "common, labels: {a: b}}");
    work.commit("Label", [("common/templates/map.yaml".to_owned(), Content::from(map.as_str()))]);
    let report = work.run(&["scan", "-o", "json"]).json();
    let label = report["findings"].as_array().expect("a list").iter().find(|f| f["name"] == "common");
    assert_eq!(label.unwrap_or_else(|| panic!("{:?}", findings(&report)))["declaredBy"]["subject"], "Label");
}

/// A registry that ends with this value.
struct Registry(Child, u16);

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Registry {
    fn start() -> Self {
        let mut child =
            Command::new(tool("registry")).args(["-port", "0"]).stderr(Stdio::piped()).spawn().expect("it runs");
        let mut lines = BufReader::new(child.stderr.take().expect("its error output")).lines();
        let port = lines.find_map(|line| line.ok()?.split_once("serving on port ")?.1.trim().parse().ok());
        std::thread::spawn(move || lines.for_each(drop));
        Self(child, port.expect("a port"))
    }
}

#[test]
#[ignore = "needs Helm and a registry: run tests/run"]
fn a_chart_is_pulled_from_a_registry_for_flux_and_argo_cd_with_registry() {
    let registry = Registry::start();
    let url = format!("oci://localhost:{}/acme", registry.1);
    let folder = tempfile::tempdir().expect("a folder");
    for version in ["1.0.0", "1.1.0"] {
        let archive = pack(version, folder.path());
        let pushed =
            Command::new(tool("helm")).arg("push").arg(archive).args([&url, "--plain-http"]).output().expect("it runs");
        assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
    }
    let mut work = Workspace::new();
    let application = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "us"}, "spec": {
        "source": {"repoURL": format!("localhost:{}/acme", registry.1), "chart": "shop", "targetRevision": "1.0.0",
            "helm": {"valuesObject": {"level": "warn"}}}, "destination": {"namespace": "us"}}});
    let one = |version: &str| {
        json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository", "metadata": {"name": "one"},
            "spec": {"url": format!("{url}/shop"), "ref": {"tag": version}}})
        .to_string()
    };
    let by_ref = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "one"},
        "spec": {"chartRef": {"kind": "OCIRepository", "name": "one"}, "values": {"level": "error"}}});
    let file = |name: &str, text: String| (format!("apps/{name}.json"), Content::from(text.as_str()));
    work.commit("Begin", release(&url, "1.x", "debug"));
    work.commit(
        "Others",
        [file("argocd", application.to_string()), file("one", one("1.0.0")), file("by-ref", by_ref.to_string())],
    );
    work.file("driftledger.yaml", &config(&format!("{{url: '{url}', plainHttp: true}}")));
    let listed = work.run(&["targets", "-o", "json"]).json();
    let renderer = |name: &str| {
        let target = listed["targets"].as_array().expect("a list").iter().find(|target| target["name"] == name);
        target.unwrap_or_else(|| panic!("{listed:#}"))["renderer"].to_string()
    };
    for (target, chart) in [
        ("flux/flux-system/shop", "of shop 1.1.0 sha256:"),
        ("argocd/us", "of shop 1.0.0 sha256:"),
        ("flux/flux-system/one", "of shop 1.0.0 sha256:"),
    ] {
        assert!(renderer(target).contains(chart), "{target}: {} {:#}", renderer(target), listed["gaps"]);
    }
    assert_eq!(listed["gaps"], json!([]));

    // Another version of the chart is a commit of the OCIRepository, in a file of its own.
    work.commit("Upgrade", [file("one", one("1.1.0"))]);
    let version = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one-cache", "namespace": "flux-system",
        "labels": {"helm.sh/chart": "other"}}, "data": {"size": "1Gi"}});
    work.file("live.json", &json!({"apiVersion": "v1", "kind": "List", "items": [version]}).to_string());
    let report = work.run(&["scan", "-o", "json"]).json();
    let all = report["findings"].as_array().expect("a list");
    let size = all.iter().find(|finding| finding["name"] == "one-cache" && finding["path"] == ".data.size");
    assert_eq!(size.unwrap_or_else(|| panic!("{all:#?}"))["declaredBy"]["subject"], "Others");
}
