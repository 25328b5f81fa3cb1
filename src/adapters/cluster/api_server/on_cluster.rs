//! Against a real API server. `tests/run` starts one and names it in the environment.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Access, KubeCluster, KubeSettings, Limits};
use crate::model::discovery::{Served, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
use crate::model::resource::{GroupKind, GroupVersion, Gvk, ObjectId};
use crate::ports::{ListEvent, ListRequest, LiveSource};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: these tests run under tests/run"))
}

fn kubectl(arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL"))
        .arg("--kubeconfig")
        .arg(variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "kubectl {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a test made in the cluster; removed at its end, failed or not.
struct Made(Vec<String>);

impl Drop for Made {
    fn drop(&mut self) {
        let quietly = |arguments: &[&str]| {
            let mut kubectl = Command::new(variable("DRIFTLEDGER_TEST_KUBECTL"));
            kubectl.args(["--kubeconfig", &variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG")]).args(arguments);
            let _ = kubectl.stdout(Stdio::null()).stderr(Stdio::null()).status();
        };
        for object in &self.0 {
            if object.starts_with("crd/") {
                // Objects that cannot be converted cannot be deleted, and would keep their CRD.
                let no_webhook = r#"[{"op": "replace", "path": "/spec/conversion", "value": {"strategy": "None"}}]"#;
                quietly(&["patch", object, "--type=json", "--patch", no_webhook]);
            }
            quietly(&["delete", object, "--wait=false", "--ignore-not-found"]);
        }
    }
}

/// A name of this run's own: what an earlier run made may still be on its way out.
fn unique(name: &str) -> String {
    format!("driftledger-{name}-{}", std::process::id())
}

async fn connect(kubeconfig: PathBuf, limits: Limits) -> KubeCluster {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let access = Access::Kubeconfig { files: vec![kubeconfig], context: None };
    let name = ClusterName::new("test");
    KubeCluster::connect(KubeSettings { name, access, allow_exec_plugins: false, limits }).await.unwrap()
}

async fn auditor() -> KubeCluster {
    connect(variable("DRIFTLEDGER_TEST_AUDITOR_KUBECONFIG").into(), Limits::default()).await
}

async fn admin(limits: Limits) -> KubeCluster {
    connect(variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG").into(), limits).await
}

fn kind(api_version: &str, kind: &str, plural: &str, namespaced: bool) -> ServedKind {
    ServedKind { gvk: Gvk::new(api_version, kind), plural: plural.into(), namespaced, listable: true }
}

fn config_maps() -> ServedKind {
    kind("v1", "ConfigMap", "configmaps", true)
}

fn object(kind: &ServedKind, namespace: Option<&str>, name: &str) -> ObjectId {
    let GroupKind { group, kind } = kind.gvk.group_kind();
    ObjectId { group, kind, namespace: namespace.map(str::to_owned), name: name.into() }
}

struct Listed {
    pages: usize,
    /// `namespace/name` in order.
    names: Vec<String>,
    gaps: Vec<Gap>,
}

async fn list(cluster: &KubeCluster, kind: &ServedKind, wanted: &[ObjectId]) -> Listed {
    let request = ListRequest { kind: kind.clone(), wanted: wanted.to_vec() };
    let mut listed = Listed { pages: 0, names: Vec::new(), gaps: Vec::new() };
    let outcome = cluster
        .list(&request, &mut |event| match event {
            ListEvent::Restart => (listed.pages, listed.names) = (0, Vec::new()),
            ListEvent::Page(bytes) => {
                listed.pages += 1;
                let page: Value = serde_json::from_slice(&bytes).unwrap();
                listed.names.extend(page["items"].as_array().unwrap().iter().map(|item| {
                    let text = |key: &str| item["metadata"][key].as_str().unwrap_or_default().to_owned();
                    format!("{}/{}", text("namespace"), text("name"))
                }));
            }
        })
        .await;
    listed.gaps = outcome.gaps;
    listed
}

fn namespace(name: &str) -> String {
    format!("{{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {{\"name\": \"{name}\"}}}}\n")
}

fn config_map(namespace: &str, name: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{namespace: {namespace}, name: {name}}}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster: run tests/run"]
async fn discovers_a_real_server() {
    let (discovery, gaps) = auditor().await.discover().await.unwrap();
    // Another test breaks an API group of its own while it runs.
    assert!(gaps.iter().all(|gap| gap.message.contains("driftledger-test.example")), "{gaps:?}");
    assert!(discovery.whole);
    assert!(discovery.version.as_ref().unwrap().starts_with("v1."), "{:?}", discovery.version);
    let uid = kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"], "");
    assert_eq!(discovery.cluster_uid, Some(uid));
    assert!(discovery.clock_skew_seconds.unwrap().abs() <= 2);
    let expected = kind("apps/v1", "Deployment", "deployments", true);
    assert_eq!(discovery.served(&expected.gvk), Served::Yes(&expected));
    assert_eq!(discovery.namespaced(&GroupKind::new("", "Node")), Some(false));
    assert_eq!(discovery.served(&Gvk::new("apps/v1beta1", "Deployment")), Served::No);
    let resources = kubectl(&["api-resources", "--no-headers", "-o", "name"], "");
    let groups_and_plurals: BTreeSet<String> = discovery
        .kinds()
        .map(|k| if k.gvk.gv.group.is_empty() { k.plural.clone() } else { format!("{}.{}", k.plural, k.gvk.gv.group) })
        .collect();
    let missing: Vec<&str> =
        resources.lines().filter(|r| !r.contains("driftledger-test") && !groups_and_plurals.contains(*r)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "kubectl sees no more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster: run tests/run"]
async fn reads_the_schemas_that_a_real_server_publishes() {
    let versions = ["v1", "apps/v1", "absent.example.com/v1"].map(GroupVersion::parse);
    let (schemas, gaps) = auditor().await.schemas(&versions).await;
    let deployment = schemas.kind(&Gvk::new("apps/v1", "Deployment")).unwrap();
    assert!(deployment.child("spec").unwrap().field("replicas").is_some());
    assert!(schemas.kind(&Gvk::new("v1", "Pod")).is_some());
    assert!(schemas.kind(&Gvk::new("batch/v1", "Job")).is_none(), "only what was asked for");
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!((gaps[0].kind, gaps[0].place.as_deref()), (GapKind::Schema, Some("absent.example.com/v1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster: run tests/run"]
async fn lists_page_by_page_and_reads_by_name() {
    let space = unique("pages");
    let _made = Made(vec![format!("namespace/{space}")]);
    let names: Vec<String> = (0..25).map(|n| format!("map-{n:02}")).collect();
    let maps: String = names.iter().map(|name| config_map(&space, name)).collect();
    kubectl(&["apply", "-f", "-"], &(namespace(&space) + &maps));

    let cluster = admin(Limits { page_size: 10, ..Limits::default() }).await;
    let listed = list(&cluster, &config_maps(), &[]).await;
    assert_eq!(listed.gaps, []);
    assert!(listed.pages >= 3, "{}", listed.pages);
    let ours: Vec<&str> = listed.names.iter().filter_map(|n| n.strip_prefix(&format!("{space}/map-"))).collect();
    assert_eq!(ours.len(), 25);
    let unique: BTreeSet<&String> = listed.names.iter().collect();
    assert_eq!(unique.len(), listed.names.len(), "nothing twice");

    let kind = config_maps();
    let read = cluster.get(&kind, &object(&kind, Some(&space), "map-07")).await.unwrap().unwrap();
    let read: Value = serde_json::from_slice(&read).unwrap();
    assert_eq!(read["metadata"]["name"], "map-07");
    assert_eq!(read["kind"], "ConfigMap");
    assert_eq!(cluster.get(&kind, &object(&kind, Some(&space), "absent")).await, Ok(None));
    assert_eq!(cluster.get(&kind, &object(&kind, Some("no-such-namespace"), "absent")).await, Ok(None));
    let roles = self::kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false);
    let role = object(&roles, None, "system:controller:node-controller");
    assert!(cluster.get(&roles, &role).await.unwrap().is_some(), "a name with colons");

    let unserved = self::kind("apps/v1beta1", "Deployment", "deployments", true);
    let gap = cluster.get(&unserved, &object(&unserved, Some("default"), "api")).await.unwrap_err();
    assert_eq!(gap.kind, GapKind::Discovery, "not served is not missing");
    let unserved = list(&cluster, &unserved, &[]).await;
    assert_eq!(unserved.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), [GapKind::Discovery]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster: run tests/run"]
async fn says_what_the_role_does_not_allow() {
    let secrets = kind("v1", "Secret", "secrets", true);
    let wanted = [object(&secrets, Some("default"), "a"), object(&secrets, Some("kube-system"), "b")];
    let listed = list(&auditor().await, &secrets, &wanted).await;
    assert_eq!(listed.names, Vec::<String>::new());
    assert_eq!(listed.gaps.len(), 1, "{:?}", listed.gaps);
    let gap = &listed.gaps[0];
    assert_eq!((gap.kind, &gap.hides), (GapKind::Forbidden, &Hides::Objects { objects: wanted.to_vec() }));
    assert!(
        gap.hint.as_ref().unwrap().contains("apiGroups [\"\"], resources [\"secrets\"], verbs [\"get\", \"list\"]")
    );
    let gap = auditor().await.get(&secrets, &wanted[0]).await.unwrap_err();
    assert_eq!(gap.kind, GapKind::Forbidden);
    let listed = list(&auditor().await, &secrets, &[]).await;
    assert_eq!(listed.gaps[0].hides, Hides::Kind { kind: GroupKind::new("", "Secret"), namespace: None });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster: run tests/run"]
async fn trusts_no_other_authority_and_says_when_it_is_not_trusted() {
    let auditor = std::fs::read_to_string(variable("DRIFTLEDGER_TEST_AUDITOR_KUBECONFIG")).unwrap();
    let (before, after) = auditor.split_once("certificate-authority-data: ").unwrap();
    let unknown_authority =
        format!("{}{}", before.trim_end().trim_end_matches(','), &after[after.find('}').unwrap()..]);
    let (before, after) = auditor.split_once("token: ").unwrap();
    let bad_token = format!("{before}token: nobody{}", &after[after.find('}').unwrap()..]);
    let folder = tempfile::tempdir().unwrap();
    for (text, kind, words) in
        [(unknown_authority, GapKind::Unreachable, "invalid peer certificate"), (bad_token, GapKind::Forbidden, "401")]
    {
        let file = folder.path().join("config");
        std::fs::write(&file, text).unwrap();
        let gap = connect(file, Limits::default()).await.discover().await.unwrap_err();
        assert_eq!((gap.kind, &gap.hides), (kind, &Hides::Cluster));
        assert!(gap.message.contains(words), "{}", gap.message);
        assert!(gap.hint.is_some());
    }
}

/// One namespace whose role lists, one whose role reads one name, one without a role.
const NARROW: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {namespace: NAMESPACE-a, name: reader}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {namespace: NAMESPACE-a, name: reader}
rules: [{apiGroups: [''], resources: [configmaps], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {namespace: NAMESPACE-b, name: reader}
rules: [{apiGroups: [''], resources: [configmaps], resourceNames: [named, missing], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: NAMESPACE-a, name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, namespace: NAMESPACE-a, name: reader}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: NAMESPACE-b, name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, namespace: NAMESPACE-a, name: reader}]
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster: run tests/run"]
async fn reads_what_a_narrow_role_allows() {
    let spaces = ["a", "b", "c"].map(|letter| format!("{}-{letter}", unique("narrow")));
    let _made = Made(spaces.iter().map(|space| format!("namespace/{space}")).collect());
    let manifests: String = spaces.iter().map(|name| namespace(name)).collect();
    kubectl(&["apply", "-f", "-"], &manifests);
    let maps: String = spaces.iter().flat_map(|ns| ["named", "other"].map(|name| config_map(ns, name))).collect();
    kubectl(&["apply", "-f", "-"], &format!("{}{maps}", NARROW.replace("NAMESPACE", &unique("narrow"))));

    let token = kubectl(&["create", "token", "reader", "--namespace", &spaces[0]], "");
    let folder = tempfile::tempdir().unwrap();
    let (token_file, file) = (folder.path().join("token"), folder.path().join("config"));
    std::fs::write(&token_file, token.trim()).unwrap();
    let auditor = std::fs::read_to_string(variable("DRIFTLEDGER_TEST_AUDITOR_KUBECONFIG")).unwrap();
    let users = auditor.lines().find(|line| line.starts_with("users:")).unwrap().to_owned();
    let ours = format!("users: [{{name: auditor, user: {{tokenFile: {}}}}}]", token_file.display());
    std::fs::write(&file, auditor.replace(&users, &ours)).unwrap();

    let kind = config_maps();
    let wanted: Vec<ObjectId> = spaces
        .iter()
        .flat_map(|space| ["named", "other", "missing"].map(|name| object(&config_maps(), Some(space), name)))
        .collect();
    let listed = list(&connect(file, Limits::default()).await, &kind, &wanted).await;
    let names: Vec<&str> =
        listed.names.iter().map(String::as_str).filter(|n| !n.ends_with("/kube-root-ca.crt")).collect();
    let [a, b, c] = &spaces;
    assert_eq!(names, [format!("{a}/named"), format!("{a}/other"), format!("{b}/named")]);
    let hidden = [(b, "other"), (c, "named"), (c, "other"), (c, "missing")]
        .map(|(space, name)| object(&kind, Some(space), name));
    assert_eq!(listed.gaps.len(), 1, "{:?}", listed.gaps);
    assert_eq!(listed.gaps[0].kind, GapKind::Forbidden);
    assert_eq!(listed.gaps[0].hides, Hides::Objects { objects: hidden.to_vec() }, "precisely what could not be read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster: run tests/run"]
async fn notes_an_api_group_whose_server_is_gone() {
    let group = format!("{}.driftledger-test.example", unique("gone"));
    let _made = Made(vec![format!("apiservice/v1.{group}")]);
    let service = format!(
        "
        apiVersion: apiregistration.k8s.io/v1
        kind: APIService
        metadata: {{name: v1.{group}}}
        spec:
          group: {group}
          version: v1
          groupPriorityMinimum: 100
          versionPriority: 100
          insecureSkipTLSVerify: true
          service: {{namespace: default, name: gone}}"
    );
    kubectl(&["apply", "-f", "-"], &service);
    let cluster = auditor().await;
    let gone = Gvk::new(&format!("{group}/v1"), "Thing");
    // The aggregator takes a moment to notice the new group.
    let mut waited = 0;
    let (discovery, gaps) = loop {
        let (discovery, gaps) = cluster.discover().await.unwrap();
        if discovery.broken().any(|gv| *gv == gone.gv) || waited == 60 {
            break (discovery, gaps);
        }
        waited += 1;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    };
    assert_eq!(discovery.served(&gone), Served::Unknown);
    assert!(gaps.iter().any(|gap| gap.kind == GapKind::Discovery && gap.message.contains(&format!("{group}/v1"))));
    let things = ServedKind { gvk: gone, plural: "things".into(), namespaced: true, listable: true };
    let quick = connect(
        variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG").into(),
        Limits { pause: std::time::Duration::from_millis(1), ..Limits::default() },
    )
    .await;
    let listed = list(&quick, &things, &[object(&things, Some("default"), "a")]).await;
    assert_eq!(listed.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), [GapKind::Unreachable], "{:?}", listed.gaps);
}

fn gadgets_crd(group: &str, storage: &str) -> String {
    let version = |name: &str| {
        let stored = name == storage;
        format!(
            "{{name: {name}, served: true, storage: {stored}, schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}"
        )
    };
    format!(
        "
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {{name: gadgets.{group}}}
        spec:
          group: {group}
          scope: Namespaced
          names: {{kind: Gadget, plural: gadgets, singular: gadget}}
          versions: [{}, {}]
          conversion:
            strategy: Webhook
            webhook:
              conversionReviewVersions: [v1]
              clientConfig: {{service: {{namespace: default, name: gone}}}}",
        version("v1"),
        version("v2")
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster: run tests/run"]
async fn reads_around_a_conversion_webhook_that_is_gone() {
    let group = &format!("{}.driftledger-test.example", unique("conversion"));
    let crd = &format!("crd/gadgets.{group}");
    let _made = Made(vec![crd.clone()]);
    let gadget = |version: &str, name: &str| {
        format!("apiVersion: {group}/{version}\nkind: Gadget\nmetadata: {{name: {name}, namespace: default}}\n")
    };
    kubectl(&["apply", "-f", "-"], &gadgets_crd(group, "v1"));
    kubectl(&["wait", "--for=condition=Established", crd], "");
    create(&gadget("v1", "old"));
    kubectl(&["apply", "-f", "-"], &gadgets_crd(group, "v2"));
    let stored =
        |storage: &str| kubectl(&["get", crd, "-o", "jsonpath={.status.storedVersions}"], "").contains(storage);
    while !stored("v2") {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }

    let cluster = admin(Limits::default()).await;
    let gadgets = kind(&format!("{group}/v2"), "Gadget", "gadgets", true);
    let (old, new) = (object(&gadgets, Some("default"), "old"), object(&gadgets, Some("default"), "new"));
    // The handler takes up the new storage version a moment after the CRD says so.
    let mut listed = list(&cluster, &gadgets, &[]).await;
    for _ in 0..100 {
        if !listed.gaps.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        listed = list(&cluster, &gadgets, &[]).await;
    }
    assert_eq!(listed.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), [GapKind::Conversion], "{:?}", listed.gaps);

    create(&gadget("v2", "new"));
    let listed = list(&cluster, &gadgets, &[old.clone(), new.clone()]).await;
    assert_eq!(listed.names, ["default/new"]);
    assert_eq!(listed.gaps.len(), 1, "{:?}", listed.gaps);
    assert_eq!(
        (listed.gaps[0].kind, &listed.gaps[0].hides),
        (GapKind::Conversion, &Hides::Objects { objects: vec![old.clone()] })
    );
    assert_eq!(cluster.get(&gadgets, &old).await.unwrap_err().kind, GapKind::Conversion);
    assert!(cluster.get(&gadgets, &new).await.unwrap().is_some());
}

/// Creates an object of a kind that the server may have begun to serve only just now.
fn create(manifest: &str) {
    kubectl(&["create", "--validate=false", "-f", "-"], manifest);
}

#[tokio::test]
#[ignore = "needs the test cluster: run tests/run"]
async fn a_kubeconfigs_proxy_leads_to_the_server() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("{{proxy-url: \"http://{}\", server:", listener.local_addr().unwrap());
    let asked = std::sync::Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut client, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                assert!(head.starts_with("CONNECT ") && !head.to_lowercase().contains("authorization"), "{head}");
                let mut server = tokio::net::TcpStream::connect(head.split(' ').nth(1).unwrap()).await.unwrap();
                client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    let text = std::fs::read_to_string(variable("DRIFTLEDGER_TEST_AUDITOR_KUBECONFIG")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, text.replacen("{server:", &proxy, 1)).unwrap();
    let cluster = connect(file, Limits::default()).await;
    let (discovery, gaps) = cluster.discover().await.unwrap();
    assert_eq!(gaps, []);
    assert!(discovery.kinds().next().is_some());
    assert!(asked.load(Ordering::SeqCst) > 0);
}
