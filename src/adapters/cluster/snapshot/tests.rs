//! A snapshot on disk: what goes in comes out, redacted; what is wrong with a file is told.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Covers, Header, LeftOut, Scope, SnapshotCluster, SnapshotWriter};
use crate::model::discovery::{Discovery, Served, ServedKind};
use crate::model::field_path::FieldPath;
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
use crate::model::resource::{GroupKind, GroupVersion, Gvk, ObjectId};
use crate::model::secret::{LAST_APPLIED, RedactionKey, RedactionRule, RedactionRules};
use crate::model::time::Timestamp;
use crate::ports::{ListEvent, ListRequest, LiveSource};

const MANY: u64 = 1 << 30;

fn kind(api_version: &str, kind: &str, plural: &str) -> ServedKind {
    ServedKind { gvk: Gvk::new(api_version, kind), plural: plural.into(), namespaced: true, listable: true }
}

fn maps() -> ServedKind {
    kind("v1", "ConfigMap", "configmaps")
}

fn id(kind: &ServedKind, namespace: &str, name: &str) -> ObjectId {
    let GroupKind { group, kind } = kind.gvk.group_kind();
    ObjectId { group, kind, namespace: Some(namespace.into()), name: name.into() }
}

fn object(namespace: &str, name: &str) -> Value {
    json!({"metadata": {"namespace": namespace, "name": name}, "data": {"k": format!("value of {name}")}})
}

fn page(objects: &[Value]) -> Vec<u8> {
    // As a server's answer may come through a proxy: on several lines.
    serde_json::to_vec_pretty(&json!({"kind": "List", "metadata": {}, "items": objects})).unwrap()
}

fn forbidden(hides: Hides) -> Gap {
    Gap::new(GapKind::Forbidden, "the role does not allow it", hides).of_cluster(&ClusterName::new("elsewhere"))
}

fn header() -> Header {
    Header {
        schema: Header::SCHEMA.to_owned(),
        tool_version: "0.0.0".into(),
        taken_at: Timestamp::from_unix(1_770_000_000),
        cluster: ClusterName::new("elsewhere"),
        version: Some("v1.34.1".into()),
        uid: Some("a-uid".into()),
        clock_skew_seconds: Some(-3),
        redaction_key: RedactionKey::from_bytes([1; 32]).id().to_owned(),
        scope: Scope::default(),
    }
}

fn discovery() -> Discovery {
    let mut discovery = Discovery::default();
    discovery.whole = true;
    for kind in [
        maps(),
        kind("v1", "Secret", "secrets"),
        kind("v1", "Service", "services"),
        kind("apps/v1", "Deployment", "deployments"),
        kind("example.com/v1", "Widget", "widgets"),
        kind("example.com/v2", "Widget", "widgets"),
        kind("coordination.k8s.io/v1", "Lease", "leases"),
    ] {
        discovery.insert(kind);
    }
    discovery.insert_broken(GroupVersion::parse("metrics.k8s.io/v1beta1"));
    discovery
}

struct Made {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn writer(path: &Path, header: Header, rules: RedactionRules) -> SnapshotWriter {
    SnapshotWriter::create(path, header, Arc::new(RedactionKey::from_bytes([1; 32])), rules).unwrap()
}

/// A file of five kinds, each with a reach of its own.
fn made() -> Made {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/prod.snapshot.json.zst");
    let mut writer = writer(&path, header(), RedactionRules::default());
    let broken = forbidden(Hides::Objects { objects: vec![] }).at("metrics.k8s.io/v1beta1");
    let lease = GroupKind::new("coordination.k8s.io", "Lease");
    let left_out = LeftOut { kind: lease, reason: "it is left out unless a target declares one".into() };
    writer.discovery(&discovery(), &[broken], &[left_out]).unwrap();
    let document = json!({"components": {"schemas": {"Widget": {
        "type": "object", "properties": {"size": {"type": "integer"}},
        "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v2", "kind": "Widget"}]}}}});
    let pretty = serde_json::to_vec_pretty(&document).unwrap();
    writer.schema(&GroupVersion::parse("example.com/v2"), Ok(&pretty)).unwrap();
    let gap = Gap::new(GapKind::Schema, "no schema", Hides::Evidence).at("v1");
    writer.schema(&GroupVersion::parse("v1"), Err(gap)).unwrap();

    writer.begin_kind(&maps()).unwrap();
    writer.page(&page(&[object("shop", "void")])).unwrap();
    writer.restart().unwrap();
    let many: Vec<Value> = (0..1_200).map(|n| object("shop", &format!("map-{n:04}"))).collect();
    many.chunks(500).for_each(|objects| writer.page(&page(objects)).unwrap());
    writer.end_kind(Covers::Everything {}, vec![]).unwrap();

    let services = kind("v1", "Service", "services");
    writer.begin_kind(&services).unwrap();
    writer.page(&page(&[object("shop", "api"), json!({"no": "object"})])).unwrap();
    let gaps = writer.end_kind(Covers::Namespaces { names: vec!["shop".into()] }, vec![]).unwrap();
    assert_eq!(gaps[0].kind, GapKind::Parse, "what is no object is told");

    let deployments = kind("apps/v1", "Deployment", "deployments");
    writer.begin_kind(&deployments).unwrap();
    writer.page(&page(&[object("shop", "api")])).unwrap();
    let asked = ["api", "hidden", "absent"].map(|name| id(&deployments, "shop", name)).to_vec();
    let instead = Box::new(forbidden(Hides::Kind { kind: deployments.gvk.group_kind(), namespace: None }));
    let hidden = forbidden(Hides::Objects { objects: vec![asked[1].clone()] });
    writer.end_kind(Covers::Objects { asked, instead }, vec![hidden]).unwrap();

    writer.begin_kind(&kind("example.com/v2", "Widget", "widgets")).unwrap();
    writer.page(&page(&[object("shop", "one")])).unwrap();
    writer.end_kind(Covers::Everything {}, vec![]).unwrap();
    assert_eq!(writer.finish().unwrap().objects, 1_203);
    Made { _folder: folder, path }
}

fn open(path: &Path) -> Result<SnapshotCluster, Gap> {
    SnapshotCluster::open(ClusterName::new("prod"), path, MANY)
}

async fn list(cluster: &SnapshotCluster, kind: &ServedKind, wanted: &[ObjectId]) -> (Vec<String>, usize, Vec<Gap>) {
    let (mut names, mut pages) = (Vec::new(), 0);
    let request = ListRequest { kind: kind.clone(), wanted: wanted.to_vec() };
    let outcome = cluster
        .list(&request, &mut |event| match event {
            ListEvent::Restart => (names, pages) = (Vec::new(), 0),
            ListEvent::Page(bytes) => {
                pages += 1;
                let page: Value = serde_json::from_slice(&bytes).unwrap();
                let items = page["items"].as_array().unwrap();
                names.extend(items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()));
            }
        })
        .await;
    (names, pages, outcome.gaps)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_in_comes_out() {
    let made = made();
    let cluster = open(&made.path).unwrap();
    assert_eq!(*cluster.header(), header());
    assert_eq!((cluster.describe(), cluster.taken_at()), ("snapshot", Some(Timestamp::from_unix(1_770_000_000))));
    let (found, gaps) = cluster.discover().await.unwrap();
    let mut expected = discovery();
    (expected.version, expected.cluster_uid) = (header().version, header().uid);
    expected.clock_skew_seconds = Some(-3);
    assert_eq!(found, expected);
    assert_eq!(found.served(&Gvk::new("apps/v1beta1", "Deployment")), Served::No);
    assert_eq!(gaps[0].cluster, Some(ClusterName::new("prod")), "told of the cluster as it is called here");

    let versions = ["v1", "example.com/v2", "coordination.k8s.io/v1"].map(GroupVersion::parse);
    let (schemas, gaps) = cluster.schemas(&versions).await;
    assert!(schemas.kind(&Gvk::new("example.com/v2", "Widget")).unwrap().field("size").is_some());
    assert_eq!(gaps.iter().map(|gap| gap.place.as_deref()).collect::<Vec<_>>(), [Some("v1")]);

    let absent = id(&maps(), "other", "absent");
    let (names, pages, gaps) = list(&cluster, &maps(), std::slice::from_ref(&absent)).await;
    assert_eq!((names.len(), pages, gaps), (1_200, 3, vec![]), "and nothing from before the restart");
    let one = cluster.get(&maps(), &id(&maps(), "shop", "map-0007")).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&one).unwrap(), object("shop", "map-0007"));
    for missing in [absent, id(&maps(), "shop", "void"), id(&maps(), "other", "map-0007")] {
        assert_eq!(cluster.get(&maps(), &missing).await, Ok(None));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_taken_is_unknown_and_never_missing() {
    let made = made();
    let cluster = open(&made.path).unwrap();
    let services = kind("v1", "Service", "services");
    let deployments = kind("apps/v1", "Deployment", "deployments");
    let widgets = kind("example.com/v1", "Widget", "widgets");
    let leases = kind("coordination.k8s.io/v1", "Lease", "leases");
    let secrets = kind("v1", "Secret", "secrets");
    // Per case: what is wanted, what of it is unknown, and with what kind of gap.
    for (kind, wanted, unknown, sort) in [
        (
            &services,
            vec![("shop", "api"), ("shop", "gone"), ("other", "x")],
            vec![("other", "x")],
            GapKind::Unreachable,
        ),
        (
            &deployments,
            vec![("shop", "api"), ("shop", "hidden"), ("shop", "absent")],
            vec![("shop", "hidden")],
            GapKind::Forbidden,
        ),
        (&deployments, vec![("shop", "api"), ("shop", "new")], vec![("shop", "new")], GapKind::Forbidden),
        (&widgets, vec![("shop", "one"), ("shop", "gone")], vec![("shop", "one")], GapKind::Conversion),
        (&leases, vec![("shop", "x")], vec![("shop", "x")], GapKind::Unreachable),
        (&secrets, vec![("shop", "x")], vec![("shop", "x")], GapKind::Unreachable),
    ] {
        let ids = |names: &[(&str, &str)]| names.iter().map(|(ns, name)| id(kind, ns, name)).collect::<Vec<_>>();
        let (wanted, unknown) = (ids(&wanted), ids(&unknown));
        let (_, _, gaps) = list(&cluster, kind, &wanted).await;
        let gaps: Vec<Gap> = gaps.into_iter().filter(|gap| gap.kind != GapKind::Parse).collect();
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert_eq!(gaps[0].kind, sort, "{gaps:?}");
        match &gaps[0].hides {
            Hides::Objects { objects } => assert_eq!(*objects, unknown, "{gaps:?}"),
            hides => assert_eq!(*hides, Hides::Kind { kind: kind.gvk.group_kind(), namespace: None }),
        }
        for object in &wanted {
            let got = cluster.get(kind, object).await;
            // One of the services is unreadable and nameless: it may be any of those that are not there.
            let unsure = kind.plural == "services" && object.name != "api";
            assert_eq!(got.is_err(), unsure || unknown.contains(object), "{object}");
        }
        // Nothing wanted in particular: a list that is not whole must not pass for one.
        let (_, _, gaps) = list(&cluster, kind, &[]).await;
        assert!(gaps.iter().any(|gap| matches!(gap.hides, Hides::Kind { .. })), "{kind:?} {gaps:?}");
    }
    assert!(list(&cluster, &leases, &[]).await.2[0].message.contains("left out unless a target declares one"));
}

#[test]
fn no_secret_reaches_the_file_in_any_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.zst");
    let rules = RedactionRules(vec![RedactionRule {
        kind: maps().gvk.group_kind(),
        path: FieldPath::of_fields(["data", "token"]),
    }]);
    let mut writer = writer(&path, header(), rules);
    writer.discovery(&discovery(), &[], &[]).unwrap();
    let (canary, coded) = ("CANARY-9d1", "Q0FOQVJZLTlkMQ==");
    let applied = json!({"kind": "Secret", "data": {"p": coded}, "stringData": {"q": canary}}).to_string();
    let secret = json!({"metadata": {"namespace": "shop", "name": "db", "annotations": {LAST_APPLIED: applied}},
        "data": {"p": coded}, "type": "Opaque"});
    let applied = json!({"kind": "ConfigMap", "data": {"token": canary}}).to_string();
    let map = json!({"metadata": {"namespace": "shop", "name": "m", "annotations": {LAST_APPLIED: applied},
        "managedFields": [{"fieldsV1": {"f:data": {"f:token": {"v:\"CANARY-9d1\"": {}}}}}]}, "data": {"token": canary, "kept": "x"}});
    for (kind, object) in [(kind("v1", "Secret", "secrets"), secret), (maps(), map)] {
        writer.begin_kind(&kind).unwrap();
        writer.page(&page(&[object])).unwrap();
        writer.end_kind(Covers::Everything {}, vec![]).unwrap();
    }
    writer.finish().unwrap();
    let text = decompressed(&path);
    for hidden in [canary, coded, "Q0FOQVJZ"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    assert!(text.contains("redacted:") && text.contains("\"kept\":\"x\""), "{text}");
}

fn decompressed(path: &Path) -> String {
    let mut text = String::new();
    zstd::stream::read::Decoder::new(fs::File::open(path).unwrap()).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn an_unfinished_snapshot_leaves_nothing_and_a_finished_one_is_its_owners() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.zst");
    fs::write(&path, "earlier").unwrap();
    let mut unfinished = writer(&path, header(), RedactionRules::default());
    unfinished.discovery(&discovery(), &[], &[]).unwrap();
    drop(unfinished);
    assert_eq!(fs::read_to_string(&path).unwrap(), "earlier");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let mut finished = writer(&path, header(), RedactionRules::default());
    finished.discovery(&discovery(), &[], &[]).unwrap();
    finished.finish().unwrap();
    open(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

fn frames(parts: &[&str]) -> Vec<u8> {
    parts.iter().flat_map(|part| zstd::stream::encode_all(part.as_bytes(), 3).unwrap()).collect()
}

#[test]
fn what_is_wrong_with_a_file_is_told() {
    let made = made();
    let whole = fs::read(&made.path).unwrap();
    let text = decompressed(&made.path);
    let next = text.replacen("snapshot/v1", "snapshot/v2", 1);
    let other = text.replacen("map-0007", "map-9007", 1);
    // The frames as they are, with one text in them changed.
    let altered = |from: &str, to: &str| {
        let altered = text.replacen(from, to, 1);
        let mut parts: Vec<String> = Vec::new();
        for line in altered.lines() {
            if ["{\"header\"", "{\"discovery\"", "{\"schema\"", "{\"kind\":", "{\"end\""]
                .iter()
                .any(|tag| line.starts_with(tag))
            {
                parts.push(String::new());
            }
            *parts.last_mut().unwrap() += &format!("{line}\n");
        }
        frames(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let flipped = {
        let mut bytes = whole.clone();
        let at = bytes.len() / 2;
        bytes[at] ^= 0x10;
        bytes
    };
    let path = made.path.with_file_name("wrong.zst");
    let cases: &[(&str, Vec<u8>, GapKind, &[&str])] = &[
        ("empty", vec![], GapKind::Parse, &["is no snapshot: it is empty"]),
        ("text", b"apiVersion: v1\n".to_vec(), GapKind::Parse, &["not compressed with zstd"]),
        ("zstd of something else", frames(&["{\"a\": 1}\n"]), GapKind::Parse, &["not the header of one"]),
        ("zstd of binary", frames(&["\u{0}\u{1}"]), GapKind::Parse, &["cut off"]),
        ("another version", frames(&[&next]), GapKind::Parse, &["has the format driftledger/snapshot/v2"]),
        ("half of it", whole[..whole.len() / 2].to_vec(), GapKind::Parse, &["cut off"]),
        ("without its last byte", whole[..whole.len() - 1].to_vec(), GapKind::Parse, &["cut off"]),
        ("a bit flipped", flipped, GapKind::Parse, &["damaged", "cut off"]),
        ("an object altered", altered("map-0007", "map-9007"), GapKind::Parse, &["damaged: its content does not have"]),
        ("an object less", altered("\"objects\":1200", "\"objects\":1199"), GapKind::Parse, &["damaged: v1 ConfigMap"]),
        ("compressed anew", frames(&[&other]), GapKind::Parse, &["compressed anew"]),
        (
            "a line of another name",
            altered("{\"restart\":{}}", "{\"what\":{}}"),
            GapKind::Parse,
            &["none of this format"],
        ),
        (
            "something after its end",
            [whole.clone(), frames(&["{\"end\":{}}\n"])].concat(),
            GapKind::Parse,
            &["follows its last line"],
        ),
    ];
    for (case, bytes, kind, words) in cases {
        fs::write(&path, bytes).unwrap();
        let Err(gap) = open(&path) else { panic!("{case}") };
        assert_eq!((gap.kind, &gap.hides), (*kind, &Hides::Cluster), "{case}");
        assert!(words.iter().any(|words| gap.message.contains(words)), "{case}: {}", gap.message);
        assert!(gap.hint.is_some() && gap.place.as_ref().unwrap().ends_with("wrong.zst"), "{case}");
    }
    fs::write(&path, altered("no such text", "")).unwrap();
    open(&path).expect("the frames made here are a snapshot, so the cases above are refused for what they say");
    assert_eq!(open(&path.with_file_name("absent")).err().unwrap().kind, GapKind::Unreachable);
    assert!(open(path.parent().unwrap()).err().unwrap().message.contains("not a regular file"));
}

#[test]
fn a_small_file_that_would_fill_the_memory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.zst");
    let mut encoder = zstd::stream::write::Encoder::new(fs::File::create(&path).unwrap(), 1).unwrap();
    let zeros = vec![b'0'; 1 << 20];
    (0..100).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 1 << 20);
    for (most, words) in [(10 << 20, "more than 10485760 bytes"), (MANY, "a line of the snapshot")] {
        let gap = SnapshotCluster::open(ClusterName::new("prod"), &path, most).err().unwrap();
        assert_eq!(gap.kind, GapKind::Limit);
        assert!(gap.message.contains(words) && gap.hint.unwrap().contains("limits.snapshotBytes"), "{}", gap.message);
    }
    let made = made();
    assert_eq!(SnapshotCluster::open(ClusterName::new("prod"), &made.path, 1_000).err().unwrap().kind, GapKind::Limit);
}
