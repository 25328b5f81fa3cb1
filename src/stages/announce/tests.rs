use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::config::delivery::{RawRoute, Route};
use crate::model::finding::{Finding, Severity};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::{ClusterName, LedgerId, ReceiverName, RouteName, ScanId};
use crate::model::report::TargetSummary;
use crate::model::time::Timestamp;

#[path = "month_tests.rs"]
mod month;

/// What a route is known by before anything is told.
const LONG_AGO: i64 = -100 * 86_400;

/// A ledger in small: what is open since when, and what was told. Minutes are counted from an arbitrary zero.
struct World {
    routes: Vec<Route>,
    targets: Vec<TargetSummary>,
    open: BTreeMap<String, Open>,
    ever: BTreeSet<String>,
    openings: Vec<(i64, String)>,
    gaps: BTreeMap<String, i64>,
    told: BTreeMap<(RouteName, String), Value>,
    scans: i64,
    last: Option<i64>,
    /// Whether the routes are as old as the ledger.
    routes_are_known: bool,
}

#[derive(Clone)]
struct Open {
    finding: Finding,
    content: String,
    since: i64,
    scans: u64,
    steady: bool,
}

fn finding(name: &str, severity: &str, cause: Option<&str>, target: &str) -> Finding {
    let code = if cause == Some("missing") { "DL004" } else { "DL001" };
    let cause = cause.map(|cause| if cause == "missing" { "behind" } else { cause });
    serde_json::from_value(json!({
        "id": format!("F-{name}"), "code": code, "class": "changed", "cause": cause, "severity": severity, "fingerprint": name,
        "cluster": "prod", "apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": name, "path": ".spec.replicas",
        "declared": 1, "live": 2,
        "origin": {"target": target, "repository": "r", "revision": "main", "commit": "c", "file": "f", "line": 1},
        "declaredBy": null, "liveMatches": null, "actors": [], "firstSeen": null, "lastSeen": null, "scans": null, "waiver": null,
        "method": "", "note": null
    }))
    .expect("a finding")
}

fn routes(texts: &[&str]) -> Vec<Route> {
    let read = |text: &&str| serde_json::from_str::<RawRoute>(text).expect("a route").read().expect("a valid route");
    texts.iter().map(read).collect()
}

fn time(minute: i64) -> Timestamp {
    Timestamp::from_unix(1_800_000_000 + minute * 60)
}

impl World {
    /// With one route for everything, in a ledger that is not new.
    fn new() -> Self {
        Self::with(&[r#"{"name": "rest", "receivers": ["chat"]}"#])
    }

    fn with(texts: &[&str]) -> Self {
        let target = json!({
            "name": "shop", "cluster": "prod", "repository": "r", "revision": "main", "commit": "c", "path": "", "declared": 5,
            "compared": 5, "findings": 0, "filesPassedOver": 0, "stale": false
        });
        Self {
            routes: routes(texts),
            targets: vec![serde_json::from_value(target).expect("a target")],
            open: BTreeMap::new(),
            ever: BTreeSet::new(),
            openings: Vec::new(),
            gaps: BTreeMap::new(),
            told: BTreeMap::new(),
            scans: 0,
            last: Some(LONG_AGO),
            routes_are_known: true,
        }
    }

    /// A scan that finds exactly this; what it says, a line a notice: `kind/target: item finding, …`.
    fn scan(&mut self, minute: i64, found: &[Finding]) -> Vec<String> {
        self.scan_with(minute, found, &[], &[])
    }

    fn scan_with(&mut self, minute: i64, found: &[Finding], unknown: &[&str], gaps: &[Gap]) -> Vec<String> {
        self.scans += 1;
        let before = std::mem::take(&mut self.open);
        for finding in found {
            let print = &finding.fingerprint;
            let content = format!("{}{:?}{:?}", finding.live.as_ref().expect("a value"), finding.cause, finding.code);
            let known = before.get(print);
            if known.is_none() {
                self.openings.push((minute, print.clone()));
            }
            let open = Open {
                finding: finding.clone(),
                steady: known.is_some_and(|known| known.content == content),
                content,
                since: known.map_or(minute, |known| known.since),
                scans: known.map_or(1, |known| known.scans + 1),
            };
            self.open.insert(print.clone(), open);
        }
        let hidden: Vec<(String, Open)> = before
            .iter()
            .filter(|(print, _)| unknown.contains(&print.as_str()))
            .map(|(p, o)| (p.clone(), o.clone()))
            .collect();
        let mut ended = BTreeMap::new();
        for (_, subject) in self.told.keys() {
            if !self.open.contains_key(subject) && !unknown.contains(&subject.as_str()) && self.ever.contains(subject) {
                let finding = before
                    .get(subject)
                    .map_or_else(|| finding(subject, "high", None, "shop"), |open| open.finding.clone());
                ended.insert(subject.clone(), Ended { finding, how: "live equals Git again".into(), resolved: true });
            }
        }
        let mut stands = BTreeMap::new();
        for gap in gaps {
            let subject = gap_subject(gap);
            stands.insert(subject.clone(), self.gaps.get(&subject).copied().unwrap_or(minute));
        }
        let mut flaps: BTreeMap<String, u64> = BTreeMap::new();
        for (at, print) in self.openings.iter().filter(|(at, _)| (minute - at) * 60 < FLAPPING_SECONDS) {
            let _ = at;
            *flaps.entry(print.clone()).or_default() += 1;
        }
        let ledger = LedgerId::new("l");
        if self.routes_are_known {
            for (route, mark) in first_seen(&self.routes, &[], &self.told, time(LONG_AGO)) {
                self.told.insert((route, mark.subject), mark.state.expect("a state"));
            }
        }
        let cluster = ClusterName::new("prod");
        let planned = {
            let seen = |(print, open): (&'_ String, &'_ Open)| (print.clone(), open.clone());
            let all: Vec<(String, Open)> = self.open.iter().map(seen).collect();
            let scene = Scene {
                ledger: &ledger,
                scan: ScanId(self.scans),
                now: time(minute),
                previous: self.last.map(time),
                routes: &self.routes,
                found: all
                    .iter()
                    .map(|(print, open)| Seen {
                        finding: &open.finding,
                        content: &open.content,
                        since: time(open.since),
                        was_open_before: self.ever.contains(print) && open.since == minute
                            || self.openings.iter().filter(|(_, known)| known == print).count() > 1,
                        scans: open.scans,
                        is_steady: open.steady,
                        labels: None,
                        owners: &[],
                    })
                    .collect(),
                unknown: unknown.iter().copied().collect(),
                ended,
                targets: &self.targets,
                clusters: [&cluster].into(),
                gaps: gaps.iter().map(|gap| (gap, time(stands[&gap_subject(gap)]))).collect(),
                flaps,
                told: &self.told,
            };
            plan(&scene)
        };
        self.ever.extend(self.open.keys().cloned());
        self.open.extend(hidden);
        self.gaps = stands;
        self.last = Some(minute);
        for (route, mark) in first_seen(&self.routes, &[], &self.told, time(minute)) {
            self.told.insert((route, mark.subject), mark.state.expect("a state"));
        }
        self.routes_are_known = true;
        planned.iter().map(|planned| self.take(planned)).collect()
    }

    /// Keeps what was told, and says it on one line.
    fn take(&mut self, planned: &Planned) -> String {
        let notice = &planned.notice;
        for mark in &planned.marks {
            let key = (notice.route.clone(), mark.subject.clone());
            match &mark.state {
                Some(state) => drop(self.told.insert(key, state.clone())),
                None => drop(self.told.remove(&key)),
            }
        }
        let items: Vec<String> = notice
            .items
            .iter()
            .map(|item| format!("{:?} {}", item.kind, item.finding.fingerprint).to_lowercase())
            .collect();
        let gaps = notice.gaps.iter().map(|gap| if gap.over { "gap over".to_owned() } else { "gap".to_owned() });
        let said: Vec<String> = items.into_iter().chain(gaps).collect();
        let thread = match (notice.thread.begins, notice.thread.ends) {
            (true, _) => "",
            (false, true) => " (last)",
            (false, false) => " (more)",
        };
        let more = if notice.more > 0 { format!(" and {} more", notice.more) } else { String::new() };
        format!(
            "{} {}{thread}: {}{more}",
            notice.route,
            serde_json::to_value(notice.kind).expect("a word").as_str().expect("text"),
            said.join(", ")
        )
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn each_severity_is_told_in_its_time() {
    let mut world = World::new();
    let found = [
        finding("critical", "critical", Some("out-of-band"), "shop"),
        finding("high", "high", Some("out-of-band"), "shop"),
        finding("medium", "medium", Some("ahead"), "shop"),
        finding("behind", "medium", Some("behind"), "shop"),
        finding("missing", "medium", Some("missing"), "shop"),
        finding("low", "low", Some("undetermined"), "shop"),
        finding("info", "info", Some("pending"), "shop"),
    ];
    assert_eq!(world.scan(0, &found), ["rest drift: new critical"]);
    assert_eq!(world.scan(5, &found), ["rest drift (more): new high, new medium"]);
    assert_eq!(world.scan(10, &found), NOTHING);
    assert_eq!(world.scan(60, &found), ["rest drift (more): new behind, new missing"]);
    assert_eq!(world.scan(65, &found), NOTHING);
    assert_eq!(world.scan(24 * 60, &found), ["rest drift (more): repeated critical"]);
    assert_eq!(world.scan(24 * 60 + 5, &found), NOTHING);
    assert_eq!(
        world.scan(24 * 60 + 10, &found[4..]),
        ["rest drift (more): resolved critical, resolved high, resolved behind, resolved medium"]
    );
    assert_eq!(world.scan(24 * 60 + 15, &[]), ["rest drift (last): resolved missing"]);
    assert_eq!(world.scan(24 * 60 + 20, &[]), NOTHING);
}

#[test]
fn what_is_gone_before_it_was_due_is_never_told() {
    let mut world = World::new();
    let high = finding("a", "high", Some("out-of-band"), "shop");
    assert_eq!(world.scan(0, std::slice::from_ref(&high)), NOTHING);
    assert_eq!(world.scan(5, &[]), NOTHING);
    assert_eq!(world.scan(10, &[high]), NOTHING);
}

#[test]
fn a_change_and_a_higher_severity_are_told_in_the_same_thread_when_they_stay() {
    let mut world = World::new();
    let high = finding("a", "high", Some("out-of-band"), "shop");
    let other = Finding { live: Some(json!(7)), ..high.clone() };
    let critical = Finding { severity: Severity::Critical, ..other.clone() };
    let medium = Finding { severity: Severity::Medium, ..other.clone() };
    world.scan(0, std::slice::from_ref(&high));
    assert_eq!(world.scan(5, std::slice::from_ref(&high)), ["rest drift: new a"]);
    assert_eq!(world.scan(10, std::slice::from_ref(&other)), NOTHING, "it may be on its way to something else");
    assert_eq!(world.scan(15, std::slice::from_ref(&other)), ["rest drift (more): changed a"]);
    assert_eq!(world.scan(20, std::slice::from_ref(&medium)), NOTHING, "less is no news");
    assert_eq!(world.scan(25, std::slice::from_ref(&critical)), ["rest drift (more): raised a"]);
    assert_eq!(world.scan(30, &[]), ["rest drift (last): resolved a"]);
}

#[test]
fn targets_have_threads_of_their_own_and_a_new_drift_after_the_end_begins_one() {
    let mut world = World::new();
    let one = finding("a", "critical", Some("out-of-band"), "shop");
    let other = finding("b", "critical", Some("out-of-band"), "pay");
    assert_eq!(world.scan(0, &[one.clone(), other.clone()]), ["rest drift: new a", "rest drift: new b"]);
    let third = finding("c", "critical", Some("out-of-band"), "shop");
    assert_eq!(world.scan(5, &[one.clone(), other.clone(), third.clone()]), ["rest drift (more): new c"]);
    assert_eq!(world.scan(10, &[other.clone(), third.clone()]), ["rest drift (more): resolved a"]);
    assert_eq!(world.scan(15, std::slice::from_ref(&other)), ["rest drift (last): resolved c"]);
    assert_eq!(world.scan(20, &[other, one]), ["rest drift: reopened a"]);
}

#[test]
fn a_gap_hides_and_resolves_nothing() {
    let mut world = World::new();
    let found = [finding("a", "critical", Some("out-of-band"), "shop")];
    world.scan(0, &found);
    let gap = Gap::new(GapKind::Unreachable, "no connection", Hides::Cluster);
    let gaps = std::slice::from_ref(&gap);
    assert_eq!(world.scan_with(5, &[], &["a"], gaps), NOTHING);
    assert_eq!(world.scan_with(34, &[], &["a"], gaps), NOTHING);
    assert_eq!(world.scan_with(35, &[], &["a"], gaps), ["rest gaps: gap"]);
    assert_eq!(world.scan_with(40, &[], &["a"], gaps), NOTHING);
    assert_eq!(world.scan_with(45, &found, &[], &[]), ["rest gaps (last): gap over"]);
    assert_eq!(world.scan(50, &[]), ["rest drift (last): resolved a"]);
}

#[test]
fn what_comes_and_goes_is_told_once_until_it_is_calm() {
    let mut world = World::new();
    let found = [finding("a", "critical", Some("out-of-band"), "shop")];
    let mut told = Vec::new();
    for n in 0..20 {
        told.extend(world.scan(n * 10, &found));
        told.extend(world.scan(n * 10 + 5, &[]));
    }
    let expected = [
        "rest drift: new a",
        "rest drift (last): resolved a",
        "rest drift: reopened a",
        "rest drift (last): resolved a",
        "rest drift: reopened a",
        "rest drift (last): resolved a",
        "rest drift: reopened a",
        "rest drift (last): resolved a",
        "rest drift: reopened a",
        "rest drift (last): resolved a",
        "rest drift: flapping a",
    ];
    assert_eq!(told, expected);
    assert_eq!(world.scan(3 * 1440, &[]), ["rest drift (last): resolved a"], "it is calm, and over");
    assert_eq!(world.scan(3 * 1440 + 5, &found), ["rest drift: reopened a"]);
}

#[test]
fn a_new_ledger_tells_what_was_there_in_one_message() {
    let mut world = World::new();
    (world.last, world.routes_are_known) = (None, false);
    let found: Vec<Finding> =
        (0..312).map(|n| finding(&format!("{n:03}"), "high", Some("out-of-band"), "shop")).collect();
    let told = world.scan(0, &found);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("rest first-scan: existing 000, ") && told[0].ends_with("and 262 more"), "{}", told[0]);
    assert_eq!(world.scan(5, &found), NOTHING);
    assert_eq!(world.scan(10, &found[1..]), ["rest drift (more): resolved 000"]);
    let mut empty = World::new();
    (empty.last, empty.routes_are_known) = (None, false);
    assert_eq!(empty.scan(0, &[]), ["rest first-scan: "], "it says that it is there");
    assert_eq!(empty.scan(5, &found[..1]), NOTHING);
    assert_eq!(empty.scan(10, &found[..1]), ["rest drift: new 000"]);
}

#[test]
fn a_route_that_is_new_tells_what_is_open_in_one_message() {
    let mut world = World::new();
    let found = [finding("a", "critical", Some("out-of-band"), "shop"), finding("b", "low", None, "shop")];
    world.scan(0, &found);
    world.routes = routes(&[
        r#"{"name": "front", "receivers": ["mail"], "continue": true, "namespaces": ["shop"]}"#,
        r#"{"name": "rest", "receivers": ["chat"]}"#,
    ]);
    let told_before = world.told.clone();
    world.routes_are_known = false;
    let told = world.scan(5, &found);
    assert!(told.contains(&"front first-scan: existing a, existing b".to_owned()), "{told:?}");
    assert_ne!(world.told, told_before);
    assert_eq!(world.scan(10, &found), NOTHING);
}

#[test]
fn many_at_once_are_one_incident() {
    let mut world = World::new();
    let found: Vec<Finding> = (0..57)
        .map(|n| finding(&format!("{n:02}"), "critical", Some("out-of-band"), if n < 40 { "shop" } else { "pay" }))
        .collect();
    let told = world.scan(0, &found);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("rest incident: new 00, ") && told[0].ends_with("and 7 more"), "{}", told[0]);
    assert_eq!(world.scan(5, &found), NOTHING);
    let told = world.scan(10, &[]);
    assert!(told.len() == 1 && told[0].starts_with("rest drift (last): resolved 00, "), "{told:?}");
}

#[test]
fn findings_go_by_the_first_route_that_takes_them_and_on_where_it_says_so() {
    let mut world = World::with(&[
        r#"{"name": "nobody", "receivers": [], "targets": ["sandbox"]}"#,
        r#"{"name": "audit", "receivers": ["post"], "severity": "critical", "continue": true}"#,
        r#"{"name": "pay", "receivers": ["pay"], "targets": ["pay"]}"#,
        r#"{"name": "rest", "receivers": ["chat"]}"#,
    ]);
    let found = [
        finding("a", "critical", Some("out-of-band"), "pay"),
        finding("b", "critical", Some("out-of-band"), "shop"),
        finding("c", "critical", Some("out-of-band"), "sandbox"),
    ];
    let mut told = world.scan(0, &found);
    told.sort();
    assert_eq!(told, ["audit drift: new a", "audit drift: new b", "pay drift: new a", "rest drift: new b"]);
}

#[test]
fn what_is_muted_is_told_after_the_window_if_it_is_still_so() {
    let mute = r#"{"name": "rest", "receivers": ["chat"], "mute": [{"from": "08:00", "to": "09:00"}]}"#;
    let mut world = World::with(&[mute]);
    // 1,800,000,000 is 2027-01-15T08:00:00Z.
    let (a, b) =
        (finding("a", "critical", Some("out-of-band"), "shop"), finding("b", "critical", Some("out-of-band"), "shop"));
    world.scan(-5, std::slice::from_ref(&a));
    assert_eq!(world.scan(5, std::slice::from_ref(&b)), NOTHING);
    assert_eq!(world.scan(59, std::slice::from_ref(&b)), NOTHING);
    assert_eq!(world.scan(60, std::slice::from_ref(&b)), ["rest drift (more): new b, resolved a"]);
}

#[test]
fn a_summary_is_due_once_for_each_of_its_times() {
    let config = [crate::config::delivery::SummaryConfig::weekly(vec![ReceiverName::new("post")])];
    let mut told: BTreeMap<(RouteName, String), Value> = BTreeMap::new();
    let minutes = |days: i64| days * 1440;
    assert_eq!(due(&config, &told, time(0)), [], "it is new");
    for (name, mark) in first_seen(&[], &config, &told.clone(), time(0)) {
        told.insert((name, mark.subject), mark.state.expect("a state"));
    }
    // Friday 8:00; Monday 8:00 is three days later.
    assert_eq!(due(&config, &told, time(minutes(3) - 1)), []);
    let first = due(&config, &told, time(minutes(3) + 10));
    assert_eq!(first.iter().map(|due| (due.from, due.to)).collect::<Vec<_>>(), [(time(0), time(minutes(3)))]);
    told.insert((RouteName::new("weekly"), summaries::UNTIL.to_owned()), json!(time(minutes(3)).to_string()));
    assert_eq!(due(&config, &told, time(minutes(3) + 15)), []);
    let late = due(&config, &told, time(minutes(20)));
    assert_eq!(late.iter().map(|due| (due.from, due.to)).collect::<Vec<_>>(), [(time(minutes(3)), time(minutes(17)))]);
}

#[test]
fn notices_say_on_what_they_rest() {
    let mut world = World::new();
    world.scan(0, &[finding("a", "critical", Some("out-of-band"), "shop")]);
    let told = &world.told[&(RouteName::new("rest"), "a".to_owned())];
    assert_eq!(told["group"], json!({"cluster": "prod", "target": "shop"}));
}

#[test]
fn what_was_there_at_first_is_no_news_after_a_mute_window() {
    let mut world = World::with(&[
        r#"{"name": "night", "targets": ["shop"], "receivers": ["chat"], "mute": [{"from": "00:00", "to": "12:00"}]}"#,
        r#"{"name": "rest", "receivers": ["mail"]}"#,
    ]);
    (world.routes_are_known, world.last) = (false, None);
    // The world's clock begins at 8:00 UTC.
    let old = finding("old", "high", Some("out-of-band"), "shop");
    assert_eq!(world.scan(0, std::slice::from_ref(&old)), NOTHING, "nor is the last route told that nothing deviates");
    assert_eq!(world.scan(5, std::slice::from_ref(&old)), NOTHING);
    let found = [old, finding("new", "critical", Some("out-of-band"), "shop")];
    assert_eq!(world.scan(240, &found), ["night first-scan: existing old", "night drift: new new"]);
}
