//! What a cluster that fails leaves behind: the right gap, and nothing hidden that was read.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

use super::Limits;
use super::fake::{FakeServer, Reply, quick};
use crate::model::discovery::{Served, ServedKind};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::resource::{GroupKind, GroupVersion, Gvk, ObjectId};
use crate::ports::{ListEvent, ListRequest, LiveSource, SnapshotSource};

fn widgets() -> ServedKind {
    ServedKind { gvk: Gvk::new("example.com/v1", "Widget"), plural: "widgets".into(), namespaced: true, listable: true }
}

fn widget(namespace: &str, name: &str) -> ObjectId {
    ObjectId {
        group: "example.com".into(),
        kind: "Widget".into(),
        namespace: Some(namespace.into()),
        name: name.into(),
    }
}

fn everywhere() -> Hides {
    Hides::Kind { kind: GroupKind::new("example.com", "Widget"), namespace: None }
}

fn page(names: &[&str], token: &str) -> Reply {
    let items: Vec<Value> = names.iter().map(|name| json!({"metadata": {"name": name}})).collect();
    Reply::ok(json!({"kind": "WidgetList", "metadata": {"continue": token}, "items": items}))
}

fn status(code: u16, reason: &str, message: &str) -> Reply {
    let body =
        json!({"kind": "Status", "apiVersion": "v1", "reason": reason, "message": message, "code": code}).to_string();
    Reply::Answer { code, headers: "", body }
}

/// The names that are left after restarts, and the gaps.
async fn list(server: &FakeServer, limits: Limits, wanted: &[ObjectId]) -> (Vec<String>, Vec<Gap>) {
    let request = ListRequest { kind: widgets(), wanted: wanted.to_vec() };
    let seen = Mutex::new(Vec::new());
    let outcome = server
        .cluster(limits)
        .list(&request, &mut |event| match event {
            ListEvent::Restart => seen.lock().unwrap().clear(),
            ListEvent::Page(bytes) => {
                let page: Value = serde_json::from_slice(&bytes).unwrap();
                let items = page["items"].as_array().unwrap();
                seen.lock().unwrap().extend(items.iter().map(|i| i["metadata"]["name"].as_str().unwrap().to_owned()));
            }
        })
        .await;
    (seen.into_inner().unwrap(), outcome.gaps)
}

async fn only_gap(server: &FakeServer, limits: Limits) -> Gap {
    let (_, mut gaps) = list(server, limits, &[widget("shop", "a")]).await;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    let gap = gaps.remove(0);
    assert_eq!(gap.cluster.as_ref().unwrap().as_str(), "fake");
    gap
}

#[tokio::test]
async fn waits_as_long_as_a_busy_server_asks() {
    let busy = "Retry-After: 1\r\n";
    let server = FakeServer::start(move |_, before| match before {
        0 => Reply::Answer { code: 429, headers: busy, body: String::new() },
        _ => page(&["a"], ""),
    })
    .await;
    let start = Instant::now();
    assert_eq!(list(&server, quick(), &[]).await, (vec!["a".to_owned()], vec![]));
    assert!(start.elapsed() >= Duration::from_secs(1));

    let server =
        FakeServer::start(|_, _| Reply::Answer { code: 429, headers: "Retry-After: 3600\r\n", body: String::new() })
            .await;
    let limits = Limits { retry_after: Duration::from_millis(5), ..quick() };
    let gap = only_gap(&server, limits).await;
    assert_eq!((gap.kind, gap.hides), (GapKind::Unreachable, everywhere()));
    assert_eq!(server.asked().len(), 8, "and not for ever");
}

#[tokio::test]
async fn begins_anew_when_the_snapshot_expired() {
    let server = FakeServer::start(|path, before| match (path.contains("continue=next"), before) {
        (false, 0) => page(&["old", "a"], "next"),
        (true, 1) => status(410, "Expired", "The provided continue parameter is too old"),
        (false, _) => page(&["a", "b"], "next"),
        (true, _) => page(&["c"], ""),
    })
    .await;
    let (names, gaps) = list(&server, quick(), &[]).await;
    assert_eq!(names, ["a", "b", "c"], "what came before is forgotten");
    assert_eq!(gaps, []);
    assert_eq!(server.asked()[0], "/apis/example.com/v1/widgets?limit=2");
    assert_eq!(server.asked()[1], "/apis/example.com/v1/widgets?limit=2&continue=next");

    let server = FakeServer::start(|path, _| match path.contains("continue=next") {
        false => page(&["a"], "next"),
        true => Reply::code(410),
    })
    .await;
    let gap = only_gap(&server, quick()).await;
    assert_eq!((gap.kind, gap.hides), (GapKind::Unreachable, everywhere()));
    assert_eq!(server.asked().len(), 8, "one LIST and three restarts, two pages each");
}

#[tokio::test]
async fn tries_again_what_may_pass_and_gives_up_at_last() {
    let server = FakeServer::start(|_, before| match before {
        0 => Reply::HangUp,
        1 => Reply::code(503),
        _ => page(&["a"], ""),
    })
    .await;
    assert_eq!(list(&server, quick(), &[]).await, (vec!["a".to_owned()], vec![]));

    for reply in [Reply::code(500), Reply::code(503), Reply::code(504), Reply::HangUp, Reply::BrokenOff("{".into())] {
        let always = reply.clone();
        let server = FakeServer::start(move |_, _| always.clone()).await;
        let gap = only_gap(&server, quick()).await;
        assert_eq!((gap.kind, gap.hides), (GapKind::Unreachable, everywhere()), "{reply:?}");
        assert_eq!(server.asked().len(), 3, "{reply:?}");
    }
}

#[tokio::test]
async fn gives_up_on_a_server_that_stalls() {
    let server = FakeServer::start(|_, _| Reply::Stall).await;
    let limits = Limits { stall_timeout: Duration::from_millis(50), tries: 2, ..quick() };
    let start = Instant::now();
    let gap = only_gap(&server, limits).await;
    assert_eq!((gap.kind, gap.hides), (GapKind::Unreachable, everywhere()));
    assert!(gap.message.contains("did not answer within 0.05 s"), "{}", gap.message);
    assert!(start.elapsed() < Duration::from_secs(5));

    let limits = Limits { deadline: Duration::from_millis(50), ..quick() };
    let start = Instant::now();
    assert_eq!(only_gap(&server, limits).await.kind, GapKind::Unreachable);
    assert!(start.elapsed() < Duration::from_secs(5), "the tries together have a deadline, too");
}

#[tokio::test]
async fn keeps_the_pages_before_a_failure_and_hides_the_kind() {
    let server = FakeServer::start(|path, _| match path.contains("continue") {
        false => page(&["a"], "next"),
        true => Reply::code(503),
    })
    .await;
    let (names, gaps) = list(&server, quick(), &[]).await;
    assert_eq!(names, ["a"]);
    assert_eq!(gaps[0].hides, everywhere());
}

#[tokio::test]
async fn takes_nothing_that_is_not_a_list() {
    let bodies = ["<html>Please log in</html>", "{\"items\":[{\"metadata\":", "[]", "{\"items\":{}}", ""];
    for body in bodies {
        let server = FakeServer::start(move |_, _| Reply::ok(body)).await;
        let gap = only_gap(&server, quick()).await;
        assert_eq!((gap.kind, gap.hides), (GapKind::Parse, everywhere()), "{body}");
        assert_eq!(server.asked().len(), 1, "{body}");
    }
    let server = FakeServer::start(|_, _| Reply::ok("{\"metadata\":{},\"items\":null}")).await;
    assert_eq!(list(&server, quick(), &[]).await, (vec![], vec![]), "how some extension servers say: none");
}

#[tokio::test]
async fn follows_no_redirect() {
    let server = FakeServer::start(|path, _| match path {
        "/stolen" => page(&["a"], ""),
        _ => Reply::Answer { code: 302, headers: "Location: /stolen\r\n", body: String::new() },
    })
    .await;
    assert_eq!(only_gap(&server, quick()).await.kind, GapKind::Unreachable);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn stops_reading_at_the_limit() {
    let server = FakeServer::start(|_, _| Reply::ok(format!("{{\"items\":[\"{}\"]}}", "x".repeat(100_000)))).await;
    let gap = only_gap(&server, Limits { answer_bytes: 10_000, ..quick() }).await;
    assert_eq!((gap.kind, gap.hides), (GapKind::Limit, everywhere()));
    assert!(gap.message.contains("larger than 10000 bytes"), "{}", gap.message);
}

/// `{"items":[{"metadata":{"name":"zipped"}}]}` and 100,000 spaces.
const ZIPPED: &str = "H4sIAAAAAAACA+3BsQnAIBAAwFXCj+EqIYWghYVBiFXE3bNGirtb0WbtT6RzRa8zlzxzpBV37jVSvG2MWmLvax8AAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADAb31z\
    oQH8yoYBAA==";

#[tokio::test]
async fn counts_bytes_after_decompression() {
    let body = base64::engine::general_purpose::STANDARD.decode(ZIPPED).unwrap();
    assert!(body.len() < 500);
    let server = FakeServer::start(move |_, _| Reply::Gzip(body.clone())).await;
    assert_eq!(list(&server, quick(), &[]).await, (vec!["zipped".to_owned()], vec![]));
    let gap = only_gap(&server, Limits { answer_bytes: 10_000, ..quick() }).await;
    assert_eq!((gap.kind, gap.hides), (GapKind::Limit, everywhere()));
}

#[tokio::test]
async fn namespaces_are_listed_one_by_one_and_a_forbidden_one_is_a_gap_of_its_own() {
    let server = FakeServer::start(|path, _| match path {
        path if path.contains("/namespaces/a/") => page(&["in-a"], ""),
        path if path.contains("/namespaces/b/") => status(403, "Forbidden", "no"),
        path if path.contains("/namespaces/c/") => page(&["in-c"], ""),
        _ => status(500, "InternalError", "asked for all"),
    })
    .await;
    let names = Mutex::new(Vec::new());
    let spaces = ["a", "b", "c"].map(str::to_owned);
    let mut each = |event| {
        let ListEvent::Page(bytes) = event else { return };
        let page: Value = serde_json::from_slice(&bytes).unwrap();
        names.lock().unwrap().push(page["items"][0]["metadata"]["name"].as_str().unwrap().to_owned());
    };
    let gaps = server.cluster(quick()).list_in(&widgets(), &spaces, &mut each).await.gaps;
    assert_eq!(names.into_inner().unwrap(), ["in-a", "in-c"]);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    let hides = Hides::Kind { kind: GroupKind::new("example.com", "Widget"), namespace: Some("b".into()) };
    assert_eq!((gaps[0].kind, &gaps[0].hides), (GapKind::Forbidden, &hides));
}

#[tokio::test]
async fn documents_are_handed_over_as_they_are_and_what_is_none_is_a_gap() {
    let document = r#"{"components": {"schemas": {}}, "kept": 1.0}"#;
    let server = FakeServer::start(move |path, _| match path {
        "/openapi/v3" => Reply::ok(json!({"paths": {
            "api/v1": {"serverRelativeURL": "/openapi/v3/api/v1"},
            "apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1"},
        }})),
        "/openapi/v3/api/v1" => Reply::ok(document),
        _ => Reply::ok("a login page"),
    })
    .await;
    let mut read = Vec::new();
    let versions = ["v1", "apps/v1", "absent.example.com/v1"].map(GroupVersion::parse);
    server.cluster(quick()).documents(&versions, &mut |gv, found| read.push((gv.clone(), found))).await;
    assert_eq!(read.iter().map(|(gv, _)| gv.clone()).collect::<Vec<_>>(), versions);
    assert_eq!(read[0].1.as_deref(), Ok(document.as_bytes()));
    for (gv, found) in &read[1..] {
        let gap = found.as_ref().unwrap_err();
        assert_eq!((gap.kind, &gap.hides, &gap.place), (GapKind::Schema, &Hides::Evidence, &Some(gv.to_string())));
    }
}

/// On a worker thread, and the only one, as a scan's task may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn fetches_the_next_page_while_one_is_looked_at() {
    let server = FakeServer::start(|path, _| match path.contains("continue") {
        false => page(&["a"], "next"),
        true => page(&["b"], ""),
    })
    .await;
    let scan = tokio::spawn(async move {
        let log = server.log();
        let request = ListRequest { kind: widgets(), wanted: vec![] };
        let mut in_time = Vec::new();
        let mut each = |_| {
            let start = Instant::now();
            while log.lock().unwrap().len() < 2 && start.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(1));
            }
            in_time.push(log.lock().unwrap().len());
        };
        server.cluster(quick()).list(&request, &mut each).await;
        in_time
    });
    assert_eq!(scan.await.unwrap(), [2, 2]);
}

#[tokio::test]
async fn hides_only_what_cannot_be_converted() {
    let broken = "conversion webhook for example.com/v1, Kind=Widget failed: no endpoints";
    let server = FakeServer::start(move |path, _| {
        if path.contains("continue") {
            status(500, "InternalError", broken)
        } else if path.contains('?') {
            page(&["listed-before"], "next")
        } else if path.ends_with("/broken") {
            status(500, "InternalError", broken)
        } else if path.ends_with("/gone") {
            let body = json!({"kind": "Status", "reason": "NotFound", "details": {"name": "gone"}, "code": 404});
            Reply::Answer { code: 404, headers: "", body: body.to_string() }
        } else {
            Reply::ok(json!({"metadata": {"name": path.rsplit('/').next()}}))
        }
    })
    .await;
    let wanted = ["one", "broken", "gone", "two", "three", "four", "five"].map(|name| widget("shop", name));
    let (names, gaps) = list(&server, quick(), &wanted).await;
    assert_eq!(names, ["one", "two", "three", "four", "five"], "in order, and nothing twice");
    assert_eq!(gaps.len(), 1);
    assert_eq!(
        (gaps[0].kind, &gaps[0].hides),
        (GapKind::Conversion, &Hides::Objects { objects: vec![widget("shop", "broken")] })
    );

    let (names, gaps) = list(&server, quick(), &[widget("shop", "one")]).await;
    assert_eq!(names, ["one"]);
    assert_eq!(gaps.len(), 1, "all that is declared was read, yet the failure is said");
    assert_eq!(gaps[0].hides, Hides::Objects { objects: vec![] });
    let (_, gaps) = list(&server, quick(), &[]).await;
    assert_eq!(gaps[0].hides, everywhere());
}

#[tokio::test]
async fn tells_a_missing_object_from_a_missing_path() {
    let not_found = |name: &str| {
        let body = json!({"kind": "Status", "reason": "NotFound", "details": {"name": name}, "code": 404}).to_string();
        Reply::Answer { code: 404, headers: "", body }
    };
    let server = FakeServer::start(move |path, _| match path.rsplit('/').next().unwrap() {
        "missing" => not_found("missing"),
        "other" => not_found("widgets"),
        "login" => Reply::ok("<html>"),
        _ => Reply::Answer { code: 404, headers: "", body: "404 page not found".into() },
    })
    .await;
    let cluster = server.cluster(quick());
    let get = async |name: &str| cluster.get(&widgets(), &widget("shop", name)).await;
    assert_eq!(get("missing").await, Ok(None));
    for (name, kind) in [("other", GapKind::Discovery), ("unserved", GapKind::Discovery), ("login", GapKind::Parse)] {
        let gap = get(name).await.unwrap_err();
        assert_eq!((gap.kind, gap.hides), (kind, Hides::Objects { objects: vec![widget("shop", name)] }), "{name}");
    }
    let scope = ObjectId { namespace: None, ..widget("shop", "a") };
    assert_eq!(
        cluster.get(&widgets(), &scope).await.unwrap_err().kind,
        GapKind::Parse,
        "a namespaced kind has a namespace"
    );
}

#[tokio::test]
async fn repeats_no_body() {
    let secret = json!({"kind": "Secret", "data": {"password": "aHVudGVyMg=="}, "message": "aHVudGVyMg=="}).to_string();
    for code in [200, 403, 500] {
        let body = if code == 200 { format!("{secret}}}") } else { secret.clone() };
        let server = FakeServer::start(move |_, _| Reply::Answer { code, headers: "", body: body.clone() }).await;
        let gap = only_gap(&server, quick()).await;
        assert!(!format!("{gap:?}").contains("aHVudGVyMg"), "{gap:?}");
    }
}

#[tokio::test]
async fn reads_the_older_discovery_and_notes_broken_groups() {
    let list = |resources: Value| Reply::ok(json!({"kind": "APIResourceList", "resources": resources}));
    let group = |name: &str| json!({"name": name, "versions": [{"groupVersion": format!("{name}/v1")}]});
    let server = FakeServer::start(move |path, _| match path {
        "/api" => Reply::ok(json!({"kind": "APIVersions", "versions": ["v1"]})),
        "/apis" => Reply::ok(json!({"kind": "APIGroupList", "groups": [group("example.com"), group("broken.io")]})),
        "/api/v1" => list(json!([
            {"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["get", "list"]},
            {"name": "pods/log", "kind": "Pod", "namespaced": true, "verbs": ["get"]},
            {"name": "bindings", "kind": "Binding", "namespaced": true, "verbs": ["create"]},
        ])),
        "/apis/example.com/v1" => {
            list(json!([{"name": "widgets", "kind": "Widget", "namespaced": false, "verbs": ["list"]}]))
        }
        "/version" => Reply::Answer {
            code: 200,
            headers: "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
            body: json!({"gitVersion": "v1.24.3"}).to_string(),
        },
        "/api/v1/namespaces/kube-system" => status(403, "Forbidden", "namespaces \"kube-system\" is forbidden"),
        _ => Reply::code(503),
    })
    .await;
    let (discovery, gaps) = server.cluster(quick()).discover().await.unwrap();
    assert_eq!(discovery.kinds().count(), 3);
    assert!(discovery.whole);
    assert_eq!(discovery.version.as_deref(), Some("v1.24.3"));
    assert!(discovery.clock_skew_seconds.is_some_and(|skew| skew < 0));
    assert_eq!(discovery.cluster_uid, None);
    let Served::Yes(pods) = discovery.served(&Gvk::new("v1", "Pod")) else { panic!("served") };
    assert_eq!((pods.plural.as_str(), pods.namespaced, pods.listable), ("pods", true, true));
    assert_eq!(discovery.namespaced(&GroupKind::new("example.com", "Widget")), Some(false));
    assert!(!discovery.versions_of(&GroupKind::new("", "Binding"))[0].listable);
    assert_eq!(discovery.served(&Gvk::new("broken.io/v1", "Thing")), Served::Unknown);
    assert_eq!(discovery.served(&Gvk::new("example.com/v1", "Thing")), Served::No);
    let kinds: Vec<_> = gaps.iter().map(|gap| (gap.kind, gap.hides == Hides::Evidence)).collect();
    assert_eq!(kinds, [(GapKind::Discovery, false), (GapKind::Forbidden, true)]);
    assert!(gaps[1].hint.as_ref().unwrap().contains("kube-system"));
}

#[tokio::test]
async fn knows_nothing_of_a_cluster_without_discovery() {
    for (code, kind) in [(401, GapKind::Forbidden), (403, GapKind::Forbidden), (503, GapKind::Unreachable)] {
        let server = FakeServer::start(move |path, _| match path {
            "/api" => Reply::ok(json!({"kind": "APIGroupDiscoveryList", "items": []})),
            _ => Reply::code(code),
        })
        .await;
        let gap = server.cluster(quick()).discover().await.unwrap_err();
        assert_eq!((gap.kind, gap.hides), (kind, Hides::Cluster), "{code}");
    }
    let nobody = FakeServer::start(|_, _| Reply::HangUp).await;
    let (_, gaps) = nobody.cluster(quick()).schemas(&[GroupVersion::parse("v1"), GroupVersion::parse("apps/v1")]).await;
    assert_eq!(gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), [GapKind::Schema, GapKind::Schema]);
}

#[tokio::test]
async fn goes_only_where_the_guard_lets_it() {
    let evil = json!({"paths": {"api/v1": {"serverRelativeURL": "/api/v1/namespaces/shop/pods/a/exec?command=sh"}}});
    let server = FakeServer::start(move |_, _| Reply::ok(&evil)).await;
    let (schemas, gaps) = server.cluster(quick()).schemas(&[GroupVersion::parse("v1")]).await;
    assert!(schemas.is_empty());
    assert!(gaps[0].message.contains("read-only guard refused"), "{}", gaps[0].message);
    assert_eq!(server.asked(), ["/openapi/v3"]);
}
