//! Taking a snapshot of a cluster that answers in every way a cluster can.

use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};

use super::progress::Progress;
use super::snapshot::{Taken, Taking, declared, take};
use crate::adapters::cluster::SnapshotCluster;
use crate::adapters::git::{Content, RepositoryBuilder, Written};
use crate::config;
use crate::model::discovery::{Discovery, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
use crate::model::resource::{GroupVersion, Gvk, ObjectId};
use crate::model::schema::Schemas;
use crate::model::secret::RedactionKey;
use crate::model::time::Timestamp;
use crate::ports::{ListEvent, ListOutcome, ListRequest, LiveSource, SnapshotSource};
use crate::stages::snapshot_plan::Choice;

const DECLARED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: open}\n---\n\
    apiVersion: v1\nkind: Service\nmetadata: {name: readable}\n---\n\
    apiVersion: v1\nkind: Service\nmetadata: {name: hidden}\n---\n\
    apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one}\n---\n\
    apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: stuck}\n";

/// ConfigMaps are listed, after a restart; Services one by one; Nodes not at all; one Widget cannot be converted to v1; v2 has no schema.
#[derive(Default)]
struct Cluster {
    /// Kind and version, and what of it was asked for.
    asked: Mutex<Vec<String>>,
}

fn kind(api_version: &str, kind: &str, namespaced: bool) -> ServedKind {
    let plural = format!("{}s", kind.to_lowercase());
    ServedKind { gvk: Gvk::new(api_version, kind), plural, namespaced, listable: true }
}

fn page(names: &[&str]) -> ListEvent {
    let object = |name: &&str| json!({"metadata": {"name": name, "namespace": "shop"}});
    ListEvent::Page(json!({"items": names.iter().map(object).collect::<Vec<Value>>()}).to_string().into())
}

impl LiveSource for Cluster {
    fn describe(&self) -> &'static str {
        "test"
    }

    fn describe_schemas(&self) -> &'static str {
        "test"
    }

    async fn discover(&self) -> Result<(Discovery, Vec<Gap>), Gap> {
        let mut discovery = Discovery::default();
        discovery.whole = true;
        for (api_version, name, namespaced) in [
            ("v1", "ConfigMap", true),
            ("v1", "Service", true),
            ("v1", "Secret", true),
            ("v1", "Node", false),
            ("example.com/v1", "Widget", true),
            ("example.com/v2", "Widget", true),
        ] {
            discovery.insert(kind(api_version, name, namespaced));
        }
        Ok((discovery, vec![]))
    }

    async fn schemas(&self, _: &[GroupVersion]) -> (Schemas, Vec<Gap>) {
        Default::default()
    }

    async fn list(&self, request: &ListRequest, each: &mut (dyn FnMut(ListEvent) + Send)) -> ListOutcome {
        let names: Vec<&str> = request.wanted.iter().map(|o| o.name.as_str()).collect();
        self.asked.lock().unwrap().push(format!("{}: {}", request.kind.gvk, names.join(" ")));
        let objects = |name: &str| -> Vec<ObjectId> {
            request.wanted.iter().filter(|object| object.name == name).cloned().collect()
        };
        let hides = match request.wanted.is_empty() {
            true => Hides::Kind { kind: request.kind.gvk.group_kind(), namespace: None },
            false => Hides::Objects { objects: [objects("hidden"), objects("stuck")].concat() },
        };
        let gaps = match (request.kind.gvk.to_string().as_str(), request.wanted.is_empty()) {
            ("v1 ConfigMap", _) => {
                each(page(&["void"]));
                each(ListEvent::Restart);
                each(page(&["open", "undeclared"]));
                vec![]
            }
            ("v1 Service", false) => {
                each(page(&["readable"]));
                vec![Gap::new(GapKind::Forbidden, "by name", hides)]
            }
            ("v1 Service" | "v1 Node", _) => vec![Gap::new(GapKind::Forbidden, "no LIST", hides)],
            ("example.com/v1 Widget", true) => {
                each(page(&["one"]));
                vec![Gap::new(GapKind::Conversion, "a webhook", hides)]
            }
            ("example.com/v1 Widget", false) => {
                each(page(&["one"]));
                vec![Gap::new(GapKind::Conversion, "a webhook", hides)]
            }
            _ => {
                each(page(&["one", "stuck"]));
                vec![]
            }
        };
        ListOutcome { everything: gaps.is_empty(), gaps }
    }

    async fn get(&self, _: &ServedKind, _: &ObjectId) -> Result<Option<Bytes>, Gap> {
        Ok(None)
    }
}

impl SnapshotSource for Cluster {
    async fn documents(
        &self,
        versions: &[GroupVersion],
        each: &mut (dyn FnMut(&GroupVersion, Result<Bytes, Gap>) + Send),
    ) {
        for gv in versions {
            let none = Gap::new(GapKind::Schema, "no schema", Hides::Evidence).at(gv.to_string());
            let document = Bytes::from_static(b"{\"components\": {\n}}");
            each(gv, if gv.version == "v2" { Err(none) } else { Ok(document) });
        }
    }

    async fn list_in(
        &self,
        kind: &ServedKind,
        namespaces: &[String],
        each: &mut (dyn FnMut(ListEvent) + Send),
    ) -> ListOutcome {
        self.asked.lock().unwrap().push(format!("{} in {}", kind.gvk, namespaces.join(" ")));
        each(page(&["inside"]));
        ListOutcome::default()
    }
}

/// Takes a snapshot and opens it.
async fn taken(
    folder: &Path,
    choice: Choice,
    namespaces: &[&str],
    with_targets: bool,
) -> (Taken, SnapshotCluster, Vec<String>) {
    let written =
        Written { author: "Ada", email: "ada@example.com", time: Timestamp::from_unix(1_770_000_000), message: "m" };
    if !folder.join("r").exists() {
        let mut builder = RepositoryBuilder::create(&folder.join("r")).unwrap();
        builder.commit_to("main", &written, [("all.yaml", Content::from(DECLARED))]).unwrap();
    }
    let cluster = if with_targets { "c" } else { "other" };
    let text = "ledger: l\nclusters: [{name: c, context: x}, {name: other, context: x}]\nrepositories: [{name: r, url: r}]\n\
         targets: [{name: t, repository: r, revision: main, cluster: c, namespace: shop}]\n";
    let config = Arc::new(config::read(text, folder).unwrap());
    let key = Arc::new(RedactionKey::from_bytes([3; 32]));
    let taking = Taking {
        config: config.clone(),
        cluster: ClusterName::new(cluster),
        key: key.clone(),
        choice,
        namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
        output: folder.join("s.zst"),
        now: Timestamp::from_unix(1_770_000_000),
        progress: Progress::new(true),
    };
    let source = Cluster::default();
    let declared = declared(&config, &taking.cluster, &key, taking.now).await;
    assert_eq!(declared.gaps, []);
    let taken = take(&source, declared, &taking).await.unwrap();
    let snapshot = SnapshotCluster::open(taking.cluster.clone(), &taking.output, 1 << 30).unwrap();
    (taken, snapshot, source.asked.into_inner().unwrap())
}

async fn listed(snapshot: &SnapshotCluster, kind: ServedKind, wanted: &[&str]) -> (Vec<String>, Vec<String>) {
    let id = |name: &&str| ObjectId {
        group: kind.gvk.gv.group.clone(),
        kind: kind.gvk.kind.clone(),
        namespace: kind.namespaced.then(|| "shop".to_owned()),
        name: (*name).to_owned(),
    };
    let request = ListRequest { kind: kind.clone(), wanted: wanted.iter().map(id).collect() };
    let mut names = Vec::new();
    let outcome = snapshot
        .list(&request, &mut |event| match event {
            ListEvent::Restart => names.clear(),
            ListEvent::Page(bytes) => {
                let page: Value = serde_json::from_slice(&bytes).unwrap();
                let items = page["items"].as_array().unwrap().clone();
                names.extend(items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()));
            }
        })
        .await;
    let hidden = outcome.gaps.iter().map(|gap| match &gap.hides {
        Hides::Objects { objects } => {
            let names: Vec<&str> = objects.iter().map(|o| o.name.as_str()).collect();
            format!("{}: {}", gap.kind.as_str(), names.join(" "))
        }
        _ => format!("{}: everything", gap.kind.as_str()),
    });
    (names, hidden.collect())
}

#[tokio::test]
async fn what_is_declared_is_asked_for_where_a_list_is_not_to_be_had() {
    let folder = tempfile::tempdir().unwrap();
    let (taken, snapshot, asked) = taken(folder.path(), Choice::default(), &[], true).await;
    assert_eq!(
        asked,
        [
            "v1 ConfigMap: ",
            "v1 Node: ",
            "v1 Service: ",
            "v1 Service: hidden readable",
            "example.com/v1 Widget: ",
            "example.com/v1 Widget: one stuck",
            "example.com/v2 Widget: ",
        ]
    );
    assert_eq!((taken.kinds, taken.left_out, taken.written.objects, taken.wanting), (4, 1, 6, true));
    let gaps: Vec<_> = taken.gaps.iter().map(|gap| gap.kind.as_str()).collect();
    assert_eq!(gaps, ["schema", "forbidden", "forbidden", "conversion"]);

    let (names, hidden) = listed(&snapshot, kind("v1", "ConfigMap", true), &["open", "gone"]).await;
    assert_eq!((names, hidden), (vec!["open".to_owned(), "undeclared".to_owned()], vec![]));
    let (names, hidden) = listed(&snapshot, kind("v1", "Service", true), &["readable", "hidden", "new"]).await;
    assert_eq!(names, ["readable"]);
    assert_eq!(hidden, ["forbidden: hidden", "forbidden: new"], "what was not asked for is not missing");
    let (names, hidden) = listed(&snapshot, kind("example.com/v1", "Widget", true), &["one", "stuck"]).await;
    assert_eq!((names, hidden), (vec!["one".to_owned()], vec!["conversion: stuck".to_owned()]));
    let (_, hidden) = listed(&snapshot, kind("v1", "Node", false), &["n"]).await;
    assert_eq!(hidden, ["forbidden: everything"]);
    let (schemas, gaps) = snapshot.schemas(&["v1", "example.com/v2"].map(GroupVersion::parse)).await;
    assert!(schemas.is_empty() && gaps.len() == 1, "{gaps:?}");
}

#[tokio::test]
async fn a_role_that_forbids_what_nobody_asked_for_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str| Choice { kinds: vec![name.to_owned()], ..Choice::default() };
    for (choice, wanting) in
        [(Choice::default(), false), (named("nodes"), true), (named("ConfigMap"), false), (named("widgets"), false)]
    {
        let (taken, snapshot, asked) = taken(folder.path(), choice.clone(), &[], false).await;
        assert_eq!(taken.wanting, wanting, "{choice:?} {asked:?}");
        let (_, hidden) = listed(&snapshot, kind("v1", "Secret", true), &["db"]).await;
        assert_eq!(hidden, ["unreachable: everything"]);
        let (_, hidden) = listed(&snapshot, kind("example.com/v1", "Widget", true), &["one", "gone"]).await;
        let expected = if choice.kinds.is_empty() || choice.kinds[0] == "widgets" {
            "conversion: one"
        } else {
            "unreachable: everything"
        };
        assert_eq!(hidden, [expected], "only v2 was taken");
    }
}

#[tokio::test]
async fn a_narrowed_snapshot_knows_its_namespaces_only() {
    let folder = tempfile::tempdir().unwrap();
    let (_, snapshot, asked) = taken(folder.path(), Choice::default(), &["shop", "web"], false).await;
    assert_eq!(asked[..2], ["v1 ConfigMap in shop web", "v1 Node: "]);
    let (names, hidden) = listed(&snapshot, kind("v1", "ConfigMap", true), &["inside", "gone"]).await;
    assert_eq!((names, hidden), (vec!["inside".to_owned()], vec![]));
    let outside =
        ObjectId { group: String::new(), kind: "ConfigMap".into(), namespace: Some("x".into()), name: "a".into() };
    let gap = snapshot.get(&kind("v1", "ConfigMap", true), &outside).await.unwrap_err();
    assert!(gap.message.contains("of the namespaces shop, web only"), "{}", gap.message);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_an_error_and_an_unknown_kind_too() {
    let folder = tempfile::tempdir().unwrap();
    let config = Arc::new(
        config::read("ledger: l\nclusters: [{name: c, context: x}]\nrepositories: []\ntargets: []\n", folder.path())
            .unwrap(),
    );
    std::fs::write(folder.path().join("file"), "").unwrap();
    for (output, kinds, words) in
        [("file/s.zst", vec![], "cannot be written"), ("s.zst", vec!["gadgets".to_owned()], "serves no kind `gadgets`")]
    {
        let taking = Taking {
            config: config.clone(),
            cluster: ClusterName::new("c"),
            key: Arc::new(RedactionKey::from_bytes([3; 32])),
            choice: Choice { kinds, ..Choice::default() },
            namespaces: vec![],
            output: folder.path().join(output),
            now: Timestamp::from_unix(0),
            progress: Progress::new(true),
        };
        let declared = declared(&config, &taking.cluster, &taking.key, taking.now).await;
        let error = take(&Cluster::default(), declared, &taking).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
