use std::path::Path;

use serde_json::Value;

use super::DumpCluster;
use crate::model::discovery::{Served, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
use crate::model::resource::{GroupKind, GroupVersion, Gvk, ObjectId};
use crate::ports::{ListEvent, ListRequest, LiveSource};

const DEPLOYMENTS: &str = "
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {namespace: shop, name: api}
  spec: {replicas: 2}
- apiVersion: apps/v1
  kind: Deployment
  metadata: {namespace: shop, name: web}
";

fn dump(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<DumpCluster, Gap>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let opened = DumpCluster::open(ClusterName::new("prod"), folder.path());
    (folder, opened)
}

fn opened(files: &[(&str, &str)]) -> DumpCluster {
    dump(files).1.unwrap_or_else(|gap| panic!("{gap:?}"))
}

fn kind(api_version: &str, kind: &str, plural: &str) -> ServedKind {
    ServedKind { gvk: Gvk::new(api_version, kind), plural: plural.into(), namespaced: true, listable: true }
}

fn deployments() -> ServedKind {
    kind("apps/v1", "Deployment", "deployments")
}

fn object(kind: &ServedKind, name: &str) -> ObjectId {
    let GroupKind { group, kind } = kind.gvk.group_kind();
    ObjectId { group, kind, namespace: Some("shop".into()), name: name.into() }
}

async fn list(cluster: &DumpCluster, kind: &ServedKind, wanted: &[&str]) -> (Vec<Value>, Vec<Gap>) {
    let request = ListRequest { kind: kind.clone(), wanted: wanted.iter().map(|name| object(kind, name)).collect() };
    let mut items = Vec::new();
    let outcome = cluster
        .list(&request, &mut |event| match event {
            ListEvent::Restart => items.clear(),
            ListEvent::Page(bytes) => {
                let page: Value = serde_json::from_slice(&bytes).unwrap();
                items.extend(page["items"].as_array().unwrap().clone());
            }
        })
        .await;
    (items, outcome.gaps)
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn reads_what_kubectl_writes() {
    let stream = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"namespace":"shop","name":"stream"}}
        {"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"shop","name":"a"},"data":{"n":"1"}}"#;
    let typed = r#"{"apiVersion":"apps/v1","kind":"DeploymentList","metadata":{},"items":[
        {"metadata":{"namespace":"shop","name":"typed","generation":12345678901234567890123}}]}"#;
    let documents = "---\n# nothing\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: shop, name: b}\n---\n\
        apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: shop, name: c}\ndata: {on: 'yes'}\n";
    let cluster = opened(&[
        ("deployments.yaml", DEPLOYMENTS),
        ("more/stream.json", stream),
        ("more/deeper/typed.json", typed),
        ("maps.yml", documents),
        ("notes.txt", "not: {read"),
        ("..data/copy.yaml", DEPLOYMENTS),
    ]);
    let (items, gaps) = list(&cluster, &deployments(), &["api", "missing"]).await;
    assert_eq!(names(&items), ["api", "stream", "typed", "web"]);
    assert_eq!(items[0]["spec"]["replicas"], 2);
    assert_eq!(gaps, [], "it holds Deployments: one that is not there is missing");
    let (maps, _) = list(&cluster, &kind("v1", "ConfigMap", "configmaps"), &[]).await;
    assert_eq!(names(&maps), ["a", "b", "c"]);
    let typed = cluster.get(&deployments(), &object(&deployments(), "typed")).await.unwrap().unwrap();
    assert!(std::str::from_utf8(&typed).unwrap().contains("12345678901234567890123"), "numbers as they stand");
    assert_eq!(cluster.get(&deployments(), &object(&deployments(), "missing")).await, Ok(None));
    assert_eq!(cluster.discover().await.unwrap().1, []);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("any-name");
    std::fs::write(&file, DEPLOYMENTS).unwrap();
    let cluster = DumpCluster::open(ClusterName::new("prod"), &file).unwrap_or_else(|gap| panic!("{gap:?}"));
    assert_eq!(names(&list(&cluster, &deployments(), &[]).await.0), ["api", "web"], "one file, whatever its name");
}

#[tokio::test]
async fn hands_over_large_kinds_in_pages() {
    let items: Vec<String> = (0..1200)
        .map(|n| {
            format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"namespace":"shop","name":"m{n:04}"}}}}"#)
        })
        .collect();
    let cluster =
        opened(&[("maps.json", &format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, items.join(",")))]);
    let request = ListRequest { kind: kind("v1", "ConfigMap", "configmaps"), wanted: vec![] };
    let mut sizes = Vec::new();
    cluster
        .list(&request, &mut |event| {
            let ListEvent::Page(bytes) = event else { panic!("no restart") };
            let page: Value = serde_json::from_slice(&bytes).unwrap();
            sizes.push(page["items"].as_array().unwrap().len());
        })
        .await;
    assert_eq!(sizes, [500, 500, 200]);
}

#[tokio::test]
async fn proves_no_absence_of_kinds_it_was_not_made_of() {
    let empty = r#"{"apiVersion":"batch/v1","kind":"JobList","items":[]}"#;
    let cluster = opened(&[("deployments.yaml", DEPLOYMENTS), ("jobs.json", empty)]);
    let services = kind("v1", "Service", "services");
    let (_, gaps) = list(&cluster, &services, &["api"]).await;
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].kind, GapKind::Unreachable);
    assert_eq!(gaps[0].hides, Hides::Kind { kind: GroupKind::new("", "Service"), namespace: None });
    assert_eq!(gaps[0].message, "the dump holds no Service");
    assert!(
        gaps[0].hint.as_ref().unwrap().contains("kubectl get services --all-namespaces -o yaml --show-managed-fields")
    );
    let gap = cluster.get(&services, &object(&services, "api")).await.unwrap_err();
    assert_eq!(gap.hides, Hides::Objects { objects: vec![object(&services, "api")] });
    assert_eq!(
        list(&cluster, &kind("batch/v1", "Job", "jobs"), &["a"]).await,
        (vec![], vec![]),
        "an empty list is a list"
    );
}

#[tokio::test]
async fn converts_nothing() {
    let scaler = |version: &str, name: &str| {
        format!(
            "---\napiVersion: autoscaling/{version}\nkind: HorizontalPodAutoscaler\nmetadata: {{namespace: shop, name: {name}}}\n"
        )
    };
    let text = scaler("v1", "old") + &scaler("v1", "both") + &scaler("v2", "both");
    let cluster = opened(&[("scalers.yaml", &text)]);
    let v2 = kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers");
    let (items, gaps) = list(&cluster, &v2, &["old", "both"]).await;
    assert_eq!(names(&items), ["both"]);
    assert_eq!(items[0]["apiVersion"], "autoscaling/v2");
    assert_eq!(gaps.len(), 1);
    assert_eq!(
        (gaps[0].kind, &gaps[0].hides),
        (GapKind::Conversion, &Hides::Objects { objects: vec![object(&v2, "old")] })
    );
    assert_eq!(cluster.get(&v2, &object(&v2, "old")).await.unwrap_err().kind, GapKind::Conversion);
}

#[tokio::test]
async fn says_what_it_could_not_read_and_hides_what_may_be_there() {
    let files = [
        ("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [secret-word\n---\nkind: ConfigMap\n"),
        ("b.json", "{\"apiVersion\":\"v1\",\"kind\":\"List\",\n  \"items\":[{\"kind\":\"secret-word\" oops"),
        ("c.json", "{\"apiVersion\":\"v1\",\"kind\":\"PodList\",\"metadata\":{\"continue\":\"x\"},\"items\":[]}"),
        ("deployments.yaml", DEPLOYMENTS),
    ];
    let cluster = opened(&files);
    let (_, gaps) = cluster.discover().await.unwrap();
    let places: Vec<String> = gaps
        .iter()
        .map(|gap| {
            assert_eq!((gap.kind, &gap.hides), (GapKind::Parse, &Hides::Objects { objects: vec![] }));
            assert!(!format!("{gap:?}").contains("secret-word"), "{gap:?}");
            gap.place.as_ref().unwrap().rsplit('/').next().unwrap().to_owned()
        })
        .collect();
    assert_eq!(places.len(), 4, "{gaps:?}");
    assert!(places[0].starts_with("a.yaml:"), "{places:?}");
    assert_eq!(places[1], "a.yaml:5:1");
    assert!(places[2].starts_with("b.json:2:"), "{places:?}");
    assert_eq!(places[3], "c.json:1:1");

    let (items, gaps) = list(&cluster, &deployments(), &["api", "perhaps"]).await;
    assert_eq!(names(&items), ["api", "web"]);
    assert_eq!(gaps.len(), 1, "what is there is known");
    assert_eq!(
        (gaps[0].kind, &gaps[0].hides),
        (GapKind::Parse, &Hides::Objects { objects: vec![object(&deployments(), "perhaps")] })
    );
    assert!(cluster.get(&deployments(), &object(&deployments(), "api")).await.unwrap().is_some());
    assert_eq!(cluster.get(&deployments(), &object(&deployments(), "perhaps")).await.unwrap_err().kind, GapKind::Parse);
}

#[tokio::test]
async fn takes_one_object_in_two_files_only_if_they_agree() {
    let json = r#"{"kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"apiVersion":"apps/v1"}"#;
    let other = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {namespace: shop, name: api}\nspec: {replicas: 3}\n";
    let cluster = opened(&[("a.yaml", DEPLOYMENTS), ("b.json", json), ("c.yaml", other)]);
    let (items, gaps) = list(&cluster, &deployments(), &[]).await;
    assert_eq!(names(&items), ["web"]);
    assert_eq!(gaps.len(), 1);
    assert_eq!(
        (gaps[0].kind, &gaps[0].hides),
        (GapKind::Parse, &Hides::Objects { objects: vec![object(&deployments(), "api")] })
    );
}

const CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: proxies.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {kind: Proxy, plural: proxies}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}
  - {name: v0, served: false, storage: false}
---
apiVersion: v1
kind: Namespace
metadata: {name: kube-system, uid: 11111111-2222-3333-4444-555555555555}
---
apiVersion: unknown.example/v1
kind: Policy
metadata: {name: p, namespace: shop}
";

#[tokio::test]
async fn learns_kinds_from_the_dump() {
    let cluster = opened(&[("all.yaml", CRD)]);
    let (discovery, gaps) = cluster.discover().await.unwrap();
    assert_eq!(gaps, []);
    assert!(!discovery.whole);
    assert_eq!(discovery.cluster_uid.as_deref(), Some("11111111-2222-3333-4444-555555555555"));
    let Served::Yes(proxies) = discovery.served(&Gvk::new("example.com/v1", "Proxy")) else { panic!("{discovery:?}") };
    assert_eq!((proxies.plural.as_str(), proxies.namespaced), ("proxies", false));
    assert_eq!(discovery.served(&Gvk::new("example.com/v0", "Proxy")), Served::Unknown);
    let Served::Yes(policies) = discovery.served(&Gvk::new("unknown.example/v1", "Policy")) else {
        panic!("{discovery:?}")
    };
    assert_eq!((policies.plural.as_str(), policies.namespaced), ("policies", true));

    let (schemas, gaps) =
        cluster.schemas(&[GroupVersion::parse("example.com/v1"), GroupVersion::parse("unknown.example/v1")]).await;
    let proxy = schemas.kind(&Gvk::new("example.com/v1", "Proxy")).unwrap();
    assert!(proxy.child("spec").unwrap().field("size").is_some());
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].kind, gaps[0].place.as_deref()), (GapKind::Schema, Some("unknown.example/v1")));
}

#[test]
fn is_no_cluster_if_there_is_nothing() {
    let gap = DumpCluster::open(ClusterName::new("prod"), Path::new("/no/such/dump")).map(|_| ()).unwrap_err();
    assert_eq!((gap.kind, gap.hides), (GapKind::Unreachable, Hides::Cluster));
    let gap = dump(&[("README.md", "text"), ("empty.yaml", "# nothing\n")]).1.map(|_| ()).unwrap_err();
    assert_eq!((gap.kind, gap.hides), (GapKind::Unreachable, Hides::Cluster));
    assert_eq!(gap.cluster.unwrap().as_str(), "prod");
}

#[cfg(unix)]
#[test]
fn follows_no_link_in_circles() {
    let (folder, _) = dump(&[("a/deployments.yaml", DEPLOYMENTS)]);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("a/again")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("a/deployments.yaml"), folder.path().join("link.yaml")).unwrap();
    let files = super::files::find(folder.path()).unwrap();
    assert_eq!(files.len(), 2, "{files:?}");
}

/// `kubectl`'s output for the real cluster of `tests/run`.
fn kubectl(arguments: &[&str]) -> String {
    let variable =
        |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this runs under tests/run"));
    let output = std::process::Command::new(variable("DRIFTLEDGER_TEST_KUBECTL"))
        .args(["--kubeconfig", &variable("DRIFTLEDGER_TEST_ADMIN_KUBECONFIG")])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "kubectl {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
#[ignore = "needs the test cluster: run tests/run"]
async fn holds_what_the_server_held_on_cluster() {
    let roles = ServedKind { namespaced: false, ..kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles") };
    let yaml = kubectl(&["get", "clusterroles,clusterrolebindings", "-o", "yaml"]);
    let json = kubectl(&["get", "clusterroles", "-o", "json"]);
    let raw = kubectl(&["get", "--raw", "/apis/rbac.authorization.k8s.io/v1/clusterroles"]);
    let plain = |items: &[Value]| -> Vec<Value> {
        let mut items = items.to_vec();
        for item in &mut items {
            // A raw list leaves out version and kind, and `kubectl` the managed fields.
            item["metadata"].as_object_mut().unwrap().remove("managedFields");
            item.as_object_mut().unwrap().retain(|key, _| key != "apiVersion" && key != "kind");
        }
        items
    };
    let held: Value = serde_json::from_str(&raw).unwrap();
    let held = plain(held["items"].as_array().unwrap());
    assert!(held.len() > 20);
    for (name, text) in [("roles.yaml", yaml), ("roles.json", json), ("raw.json", raw)] {
        let (items, gaps) = list(&opened(&[(name, &text)]), &roles, &[]).await;
        assert_eq!(gaps, []);
        let items = plain(&items);
        assert_eq!(items.len(), held.len(), "{name}");
        for item in &items {
            assert!(held.contains(item), "{name}: {}", item["metadata"]["name"]);
        }
    }
}
