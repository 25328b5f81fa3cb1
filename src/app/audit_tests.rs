use std::sync::Mutex;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::app::live::{self, Discovered, LiveContext};
use crate::app::progress::Progress;
use crate::model::declared::RenderedObject;
use crate::model::former::FormerObject;
use crate::model::ids::{ClusterName, CommitId, RepositoryName, Revision, TargetName};
use crate::model::resource::GroupVersion;
use crate::model::schema::Schemas;
use crate::model::secret::RedactionKey;
use crate::ports::{ListEvent, ListOutcome, ListRequest, LiveSource};
use crate::stages::ignore::Ignores;

/// A cluster of which each kind is listed as said, and that counts what it is asked.
#[derive(Default)]
struct Fake {
    kinds: Vec<(ServedKind, Listed)>,
    gone_at_the_second_look: Vec<&'static str>,
    lists: Mutex<Vec<String>>,
    gets: Mutex<Vec<String>>,
}

enum Listed {
    Everything(Vec<Value>),
    /// Only the namespaces of what is declared.
    InPart(Vec<Value>),
    Forbidden,
}

impl LiveSource for Fake {
    fn describe(&self) -> &'static str {
        "kubernetes API"
    }

    fn describe_schemas(&self) -> &'static str {
        "none"
    }

    async fn discover(&self) -> Result<(Discovery, Vec<Gap>), Gap> {
        let mut discovery = Discovery::default();
        discovery.whole = true;
        self.kinds.iter().for_each(|(kind, _)| discovery.insert(kind.clone()));
        Ok((discovery, Vec::new()))
    }

    async fn schemas(&self, _: &[GroupVersion]) -> (Schemas, Vec<Gap>) {
        (Schemas::default(), Vec::new())
    }

    async fn list(&self, request: &ListRequest, each: &mut (dyn FnMut(ListEvent) + Send)) -> ListOutcome {
        self.lists.lock().unwrap().push(request.kind.gvk.to_string());
        let (_, listed) = self.kinds.iter().find(|(kind, _)| *kind == request.kind).unwrap();
        let mut page = |items: &[Value]| each(ListEvent::Page(Bytes::from(json!({"items": items}).to_string())));
        let everything = matches!(listed, Listed::Everything(_));
        match listed {
            Listed::Everything(items) | Listed::InPart(items) => page(items),
            Listed::Forbidden => {
                let kind = request.kind.gvk.group_kind();
                let gap = Gap::new(GapKind::Forbidden, "no", Hides::Kind { kind, namespace: None });
                return ListOutcome { gaps: vec![gap], everything };
            }
        }
        ListOutcome { gaps: Vec::new(), everything }
    }

    async fn get(&self, _: &ServedKind, object: &ObjectId) -> Result<Option<Bytes>, Gap> {
        self.gets.lock().unwrap().push(object.name.clone());
        let gone = self.gone_at_the_second_look.contains(&object.name.as_str());
        Ok((!gone).then(|| Bytes::from(live(&object.name).to_string())))
    }
}

fn live(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop"}})
}

fn served(api_version: &str, kind: &str) -> ServedKind {
    let plural = format!("{}s", kind.to_lowercase());
    ServedKind { gvk: Gvk::new(api_version, kind), plural, namespaced: true, listable: true }
}

fn declared(api_version: &str, kind: &str, name: &str) -> RenderedObject {
    RenderedObject {
        gvk: Gvk::new(api_version, kind),
        namespace: None,
        name: name.into(),
        json: json!({"metadata": {"name": name}}).to_string().into(),
        file: "f.yaml".into(),
        written: None,
    }
}

/// Reads a cluster for which a target declares some objects and once declared others.
fn read(fake: &Arc<Fake>, objects: Vec<RenderedObject>, former: &[(&str, &str, &str)]) -> ClusterReading {
    let discovered = runtime().block_on(fake.discover());
    read_after(discovered, fake, objects, former)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().build().unwrap()
}

fn read_after(
    discovered: Discovered,
    fake: &Arc<Fake>,
    objects: Vec<RenderedObject>,
    former: &[(&str, &str, &str)],
) -> ClusterReading {
    let text = "ledger: l\nclusters: [{name: c, dump: d}]\nrepositories: [{name: r, url: r}]\n\
                targets: [{name: t, repository: r, cluster: c}]\n";
    let place = TargetPlace {
        target: TargetName::new("t"),
        repository: RepositoryName::new("r"),
        revision: Revision::new("main"),
        commit: CommitId::new("0".repeat(40)),
        namespace: "shop".into(),
        renderer: None,
    };
    let former = former.iter().map(|(api_version, kind, name)| FormerObject {
        gvk: Gvk::new(api_version, *kind),
        namespace: None,
        name: (*name).into(),
        file: "f.yaml".into(),
        commits_behind: 1,
    });
    let past = Past { objects: former.collect(), ..Past::default() };
    let context = LiveContext {
        config: Arc::new(crate::config::read(text, std::path::Path::new("/")).unwrap()),
        key: Arc::new(RedactionKey::from_bytes([0; 32])),
        cluster: ClusterName::new("c"),
        secrets: false,
        known_uid: None,
        converge: None,
        ignores: Arc::new(Ignores::none()),
        asked: Asked { pasts: vec![(place.clone(), past)], ..Asked::default() },
        progress: Progress::new(true),
    };
    runtime().block_on(live::read(fake.clone(), discovered, vec![(place, objects)], context))
}

const RBAC: &str = "rbac.authorization.k8s.io/v1";

fn names<'a>(ids: impl Iterator<Item = &'a ObjectId>) -> Vec<&'a str> {
    ids.map(|id| id.name.as_str()).collect()
}

#[test]
fn a_kind_that_is_forbidden_hides_what_is_undeclared_and_is_never_clean() {
    let fake = Arc::new(Fake { kinds: vec![(served(RBAC, "Role"), Listed::Forbidden)], ..Fake::default() });
    let reading = read(&fake, Vec::new(), &[]);
    assert_eq!(reading.gaps.len(), 1, "audited by default: {:?}", reading.gaps);
    let kind = GroupKind::new("rbac.authorization.k8s.io", "Role");
    assert!(reading.beyond.looked.hidden.contains(&kind) && !reading.beyond.looked.whole.contains(&kind));
    assert_eq!(reading.summary.coverage, None);
}

#[test]
fn a_list_in_part_still_finds_and_says_what_it_hides() {
    let maps = vec![live("kept"), live("dropped")];
    let fake = Arc::new(Fake { kinds: vec![(served("v1", "ConfigMap"), Listed::InPart(maps))], ..Fake::default() });
    let reading = read(&fake, vec![declared("v1", "ConfigMap", "kept")], &[("v1", "ConfigMap", "dropped")]);
    assert_eq!(names(reading.beyond.leftovers.keys()), ["dropped"]);
    assert_eq!(reading.gaps.len(), 1, "{:?}", reading.gaps);
    assert_eq!(reading.gaps[0].hides, Hides::Undeclared { kind: GroupKind::new("", "ConfigMap") });
    let reading = read(&fake, vec![declared("v1", "ConfigMap", "kept")], &[]);
    assert_eq!(reading.gaps, [], "nobody asked");
}

#[test]
fn what_is_gone_at_the_second_look_is_no_finding() {
    let roles = Listed::Everything(vec![live("stays"), live("goes")]);
    let kinds = vec![(served(RBAC, "Role"), roles)];
    let fake = Arc::new(Fake { kinds, gone_at_the_second_look: vec!["goes"], ..Fake::default() });
    let reading = read(&fake, Vec::new(), &[]);
    assert_eq!(names(reading.beyond.unmanaged.keys()), ["stays"]);
    assert_eq!(fake.gets.lock().unwrap().as_slice(), ["goes", "stays"]);
}

#[test]
fn requests_do_not_grow_with_objects() {
    let roles = Listed::Everything((0..50).map(|n| live(&format!("r{n}"))).collect());
    let fake = Arc::new(Fake { kinds: vec![(served(RBAC, "Role"), roles)], ..Fake::default() });
    assert_eq!(read(&fake, Vec::new(), &[]).beyond.unmanaged.len(), 50);
    assert_eq!((fake.lists.lock().unwrap().len(), fake.gets.lock().unwrap().len()), (2, 0));
}

#[test]
fn kinds_are_read_because_they_are_declared_were_declared_or_are_audited() {
    let nothing = || Listed::Everything(Vec::new());
    let kinds = ["ConfigMap", "Service", "Pod", "Secret"].map(|kind| (served("v1", kind), nothing()));
    let more = [(served(RBAC, "Role"), nothing()), (served("coordination.k8s.io/v1", "Lease"), nothing())];
    let fake = Arc::new(Fake { kinds: kinds.into_iter().chain(more).collect(), ..Fake::default() });
    let former = [("v1", "Service", "s"), ("v1", "Secret", "s"), ("gone.example.com/v1", "Widget", "w")];
    let reading = read(&fake, vec![declared("v1", "ConfigMap", "a")], &former);
    let mut lists = fake.lists.lock().unwrap().clone();
    lists.sort();
    lists.dedup();
    assert_eq!(lists, [format!("{RBAC} Role"), "v1 ConfigMap".into(), "v1 Service".into()]);
    assert!(reading.beyond.looked.unserved.contains(&GroupKind::new("gone.example.com", "Widget")));
    assert!(reading.exclusions.iter().any(|exclusion| exclusion.what.contains("Secrets")), "{:?}", reading.exclusions);
    assert_eq!(reading.gaps, []);
}

#[test]
fn a_kind_that_came_to_the_cluster_while_git_was_read_is_served() {
    let widgets = Listed::Everything(vec![live("w")]);
    let fake = Arc::new(Fake { kinds: vec![(served("example.com/v1", "Widget"), widgets)], ..Fake::default() });
    let mut before = Discovery::default();
    before.whole = true;
    let reading = read_after(Ok((before, Vec::new())), &fake, vec![declared("example.com/v1", "Widget", "w")], &[]);
    assert!(reading.unserved.is_empty() && reading.missing.is_empty(), "{:?}", reading.unserved);
    assert_eq!(reading.summary.live_objects, 1);
}

#[test]
fn a_kind_at_two_versions_and_under_two_names_is_sorted_once() {
    let both = || Listed::Everything(vec![live("a"), live("b"), live("c")]);
    let kinds = vec![
        (served("extensions/v1beta1", "Ingress"), both()),
        (served("networking.k8s.io/v1beta1", "Ingress"), both()),
        (served("networking.k8s.io/v1", "Ingress"), both()),
    ];
    let fake = Arc::new(Fake { kinds, ..Fake::default() });
    let objects =
        vec![declared("extensions/v1beta1", "Ingress", "a"), declared("networking.k8s.io/v1beta1", "Ingress", "b")];
    let reading = read(&fake, objects, &[("extensions/v1beta1", "Ingress", "c")]);
    assert_eq!(names(reading.beyond.leftovers.keys()), ["c"]);
    let coverage = reading.summary.coverage.unwrap();
    assert_eq!((coverage.live, coverage.declared), (3, 2));
}

#[test]
fn whether_an_object_of_an_unserved_version_lives_is_looked_for_in_one_list() {
    let there = Listed::Everything(vec![live("there")]);
    let fake = Arc::new(Fake { kinds: vec![(served("batch/v1", "CronJob"), there)], ..Fake::default() });
    let old = |name| declared("batch/v1beta1", "CronJob", name);
    let reading = read(&fake, vec![old("there"), old("nowhere")], &[]);
    let lives: Vec<_> = reading.unserved.iter().map(|(id, there)| (id.name.as_str(), there.lives)).collect();
    assert_eq!(lives, [("nowhere", Some(false)), ("there", Some(true))]);
    assert_eq!(fake.lists.lock().unwrap().len(), 1);
    assert!(reading.missing.is_empty() && reading.beyond.is_empty());
}
