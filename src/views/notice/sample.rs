//! Notices for tests: one of every sort, one written by an enemy, one far too large.

use serde_json::json;

use crate::config::delivery::{Fields, Links, UrlTemplate};
use crate::model::attribution::{Actor, ActorKind, DeclaredBy, LiveMatch, Origin};
use crate::model::audited::Matched;
use crate::model::finding::{Cause, Code, Finding, Severity};
use crate::model::gap::{Gap, GapKind, Hides};
use crate::model::ids::{ClusterName, CommitId, LedgerId, Revision, RouteName, ScanId, TargetName};
use crate::model::notice::{
    Dropped, Group, ItemKind, Notice, NoticeGap, NoticeItem, NoticeKind, NoticeScan, Summary, Thread,
};
use crate::model::report::{Runs, Seal};
use crate::model::resource::GroupKind;
use crate::model::time::Timestamp;
use crate::views::sample::{self, ATTACKS, actor, base, commit, started, time, write};

use super::Around;

pub(super) fn seal() -> Seal {
    Seal { sequence: 42, hash: "c41e7d2c17e5086a1d3f47b92c6e80d5a7713fe2b94c8061de5a3b7f0c24d199".into() }
}

pub(super) fn links() -> Links {
    let template = |text: &str| UrlTemplate::parse(text).ok();
    Links {
        report: template("https://drift.example.com/scans/{scan}"),
        object: template("https://k8s.example.com/{cluster}/{namespace}/{kind}/{name}"),
    }
}

pub(super) fn around<'a>(seal: &'a Seal, links: &'a Links, fields: Fields) -> Around<'a> {
    Around { seal: Some(seal), links, fields, repeat: false, standalone: false }
}

fn before(seconds: i64) -> Timestamp {
    Timestamp::from_unix(started().unix() - seconds)
}

fn id(digits: &str) -> CommitId {
    CommitId::new(format!("{digits}{}", "0".repeat(40 - digits.len())))
}

fn of(kind: NoticeKind, group: Option<(&str, Option<&str>)>, items: Vec<NoticeItem>) -> Notice {
    let mut notice = Notice {
        route: RouteName::new("platform"),
        kind,
        group: group
            .map(|(cluster, target)| Group { cluster: ClusterName::new(cluster), target: target.map(TargetName::new) }),
        thread: Thread { key: "8f1c03d2a97b4e5566aa01ff".into(), begins: true, ends: false, since: started() },
        scan: NoticeScan {
            id: ScanId(1_204),
            ledger: LedgerId::new("5f0c2a9e7d3b41868a1be2c4d7f09361"),
            started_at: started(),
            previous_started_at: Some(before(300)),
            declared: 613,
            compared: 613,
            gaps: 0,
            revision: None,
            commit: None,
            runs: None,
        },
        items,
        more: 0,
        by_severity: [].into(),
        by_target: vec![],
        gaps: vec![],
        summary: None,
        stands_for: None,
    };
    if notice.group.as_ref().is_some_and(|group| group.target.is_some()) {
        (notice.scan.revision, notice.scan.commit) = (Some(Revision::new("main")), Some(id("4be07d2")));
    }
    count(&mut notice);
    notice
}

fn count(notice: &mut Notice) {
    notice.by_severity.clear();
    for item in notice.items.iter().filter(|item| !super::headline::is_over(item)) {
        *notice.by_severity.entry(item.finding.severity).or_default() += 1;
    }
}

fn item(kind: ItemKind, finding: Finding, seconds: i64) -> NoticeItem {
    NoticeItem { kind, finding, how: None, since: before(seconds), severity_before: None, times: None }
}

fn origin() -> Option<Origin> {
    let mut origin = sample::origin("checkout", "api.yaml", 31);
    origin.commit = id("4be07d2");
    Some(origin)
}

fn drift(items: Vec<NoticeItem>) -> Notice {
    of(NoticeKind::Drift, Some(("prod-eu", Some("checkout"))), items)
}

fn follows(mut notice: Notice, ends: bool) -> Notice {
    notice.thread = Thread { begins: false, ends, since: before(2_520), ..notice.thread };
    notice
}

/// The replicas that Git changed and that were not synced.
pub(super) fn replicas() -> Finding {
    Finding {
        cluster: ClusterName::new("prod-eu"),
        declared: Some(json!(3)),
        live: Some(json!(5)),
        origin: origin(),
        declared_by: Some(DeclaredBy {
            time: time("2026-03-02T12:58:00Z"),
            pull_request: Some("PR #812".into()),
            commit_url: Some(format!("https://git.example.com/acme/platform/commit/4be07d2{}", "0".repeat(33))),
            ..commit("4be07d2", "Priya Raman", "2026-03-02", "Run three replicas of checkout")
        }),
        live_matches: Some(LiveMatch {
            commit: id("9f2c1ab"),
            revision: Revision::new("main"),
            commits_behind: Some(4),
            since: Some(time("2026-03-02T12:58:00Z")),
            given_by: None,
            reached_by: None,
            matched: None,
            given: None,
        }),
        actors: vec![Actor {
            time: Some(time("2026-03-01T09:12:00Z")),
            ..actor("argocd-controller", ActorKind::Gitops)
        }],
        ..base(
            Code::Changed,
            Severity::Medium,
            Some(Cause::Behind),
            "apps/v1 Deployment shop/checkout-api",
            Some(".spec.replicas"),
        )
    }
}

/// The image that somebody set by hand.
pub(super) fn image() -> Finding {
    Finding {
        cluster: ClusterName::new("prod-eu"),
        declared: Some(json!("checkout:1.8.2")),
        live: Some(json!("checkout:debug")),
        origin: origin(),
        declared_by: Some(DeclaredBy {
            pull_request: Some("PR #798".into()),
            commit_url: Some(format!("https://git.example.com/acme/platform/commit/9f2c1ab{}", "0".repeat(33))),
            ..commit("9f2c1ab", "Jane Doe", "2026-02-26", "Release checkout 1.8.2")
        }),
        actors: vec![Actor { user: Some("sam@example.com".into()), ..actor("kubectl-edit", ActorKind::Interactive) }],
        writes: Some(vec![write("sam@example.com", Matched::Field, "it changed the field to its live value")]),
        ..base(
            Code::Changed,
            Severity::Critical,
            Some(Cause::OutOfBand),
            "apps/v1 Deployment shop/checkout-api",
            Some(r#".spec.template.spec.containers[name="api"].image"#),
        )
    }
}

/// The same without an audit log.
fn image_by_somebody() -> Finding {
    let mut finding = image();
    (finding.writes, finding.actors[0].user) = (None, None);
    finding
}

fn over(kind: ItemKind, finding: Finding, how: &str) -> NoticeItem {
    NoticeItem { how: Some(how.into()), ..item(kind, finding, 2_520) }
}

fn behind() -> Notice {
    let mut notice = drift(vec![item(ItemKind::New, replicas(), 3_720)]);
    notice.scan.runs =
        Some(Runs { commit: Some(id("9f2c1ab")), commits_behind: Some(4), evidence: "the objects themselves".into() });
    notice
}

fn several() -> Notice {
    let findings = sample::drifted().findings;
    let pick = |n: usize, kind, seconds| {
        let mut finding: Finding = findings[n].clone();
        (finding.cluster, finding.origin) = (ClusterName::new("prod-eu"), origin());
        item(kind, finding, seconds)
    };
    let raised = NoticeItem { severity_before: Some(Severity::Medium), ..pick(3, ItemKind::Raised, 86_000) };
    let mut notice = drift(vec![
        pick(2, ItemKind::New, 0),
        pick(7, ItemKind::New, 300),
        pick(8, ItemKind::Reopened, 3_900),
        raised,
        over(ItemKind::Resolved, findings[4].clone(), "live equals Git again, argocd-controller wrote it"),
        over(ItemKind::OutOfScope, findings[5].clone(), "its kind is no longer compared"),
    ]);
    (notice.scan.compared, notice.scan.gaps) = (610, 2);
    follows(notice, false)
}

fn first_scan() -> Notice {
    let mut items: Vec<NoticeItem> =
        sample::drifted().findings.into_iter().map(|finding| item(ItemKind::Existing, finding, 0)).collect();
    items.truncate(12);
    let mut notice = of(NoticeKind::FirstScan, None, items);
    notice.scan.previous_started_at = None;
    notice.by_severity =
        [(Severity::Critical, 3), (Severity::High, 41), (Severity::Medium, 96), (Severity::Low, 172)].into();
    notice.by_target =
        vec![("shop".into(), 201), ("monitoring".into(), 74), ("platform".into(), 30), ("prod".into(), 7)];
    notice.more = 300;
    notice
}

fn incident() -> Notice {
    let items = sample::drifted().findings.into_iter().take(12).map(|finding| item(ItemKind::New, finding, 0));
    let mut notice = of(NoticeKind::Incident, None, items.collect());
    notice.by_severity = [(Severity::Critical, 3), (Severity::High, 20), (Severity::Medium, 34)].into();
    notice.by_target = vec![("shop".into(), 40), ("monitoring".into(), 17)];
    notice.more = 45;
    notice
}

fn gap(over: bool) -> NoticeGap {
    let hides = Hides::Kind { kind: GroupKind::new("batch", "CronJob"), namespace: Some("shop".into()) };
    let gap = Gap::new(GapKind::Forbidden, "the role may not list cronjobs.batch in namespace shop", hides)
        .at("CronJob.batch in shop")
        .hint("run `driftledger rbac` and apply what it prints")
        .of_cluster(&ClusterName::new("prod-eu"));
    NoticeGap { gap, since: before(if over { 3_720 } else { 2_100 }), over }
}

fn gaps() -> Notice {
    let mut notice = of(NoticeKind::Gaps, None, vec![]);
    (notice.scan.compared, notice.scan.gaps) = (601, 1);
    notice.gaps = vec![gap(false)];
    notice
}

fn gaps_of_two_sorts() -> Notice {
    let mut notice = follows(gaps(), false);
    let fetch = Gap::new(GapKind::Fetch, "git.example.com did not answer", Hides::Target)
        .of_target(&TargetName::new("checkout"))
        .hint("see whether the repository can be reached from here");
    notice.gaps = vec![NoticeGap { gap: fetch, since: before(1_800), over: false }, gap(true)];
    notice
}

fn gaps_over() -> Notice {
    let mut notice = follows(of(NoticeKind::Gaps, None, vec![]), true);
    notice.gaps = vec![gap(true)];
    notice
}

fn weekly() -> Notice {
    let findings = sample::drifted().findings;
    let items = [0, 3, 8, 10].map(|n: usize| item(ItemKind::Existing, findings[n].clone(), 40_000 * (n as i64 + 1)));
    let mut notice = of(NoticeKind::Summary, None, items.into());
    notice.by_target = vec![("shop".into(), 3), ("monitoring".into(), 1)];
    notice.summary = Some(Summary {
        name: "weekly".into(),
        from: time("2026-02-23T08:00:00Z"),
        to: time("2026-03-02T08:00:00Z"),
        scans: 2_016,
        complete: 2_010,
        opened: 12,
        resolved: 9,
        out_of_scope: 1,
        open: 4,
        longest_unseen_seconds: 1_500,
        coverage: Some(sample::coverage()),
    });
    notice
}

fn all_clear() -> Notice {
    let mut notice = weekly();
    (notice.items, notice.by_target) = (vec![], vec![]);
    count(&mut notice);
    let summary = notice.summary.as_mut().expect("a summary");
    (summary.complete, summary.longest_unseen_seconds) = (2_016, 310);
    (summary.opened, summary.resolved, summary.out_of_scope, summary.open) = (0, 0, 0, 0);
    notice
}

fn caught_up() -> Notice {
    let mut notice = of(NoticeKind::CaughtUp, None, incident().items);
    notice.by_target = vec![("shop".into(), 8), ("monitoring".into(), 4)];
    notice.stands_for = Some(Dropped { messages: 47, since: before(275_000) });
    notice
}

/// One of every sort, by name.
pub(super) fn all() -> Vec<(&'static str, Notice)> {
    let again = |kind, finding, seconds| follows(drift(vec![item(kind, finding, seconds)]), false);
    let mut raised = again(ItemKind::Raised, image(), 4_000);
    raised.items[0].severity_before = Some(Severity::Medium);
    let mut flapping = again(ItemKind::Flapping, image_by_somebody(), 0);
    flapping.items[0].times = Some(6);
    let over = |kind, finding, how: &str| drift(vec![self::over(kind, finding, how)]);
    vec![
        ("behind", behind()),
        ("out-of-band", drift(vec![item(ItemKind::New, image(), 0)])),
        ("out-of-band, no audit log", drift(vec![item(ItemKind::New, image_by_somebody(), 300)])),
        ("several", several()),
        ("reopened", again(ItemKind::Reopened, image(), 0)),
        ("changed", again(ItemKind::Changed, image(), 4_000)),
        ("raised", raised),
        ("repeated", again(ItemKind::Repeated, image(), 86_400)),
        ("flapping", flapping),
        (
            "resolved",
            follows(over(ItemKind::Resolved, image(), "live equals Git again, argocd-controller wrote it"), true),
        ),
        (
            "resolved, others open",
            follows(over(ItemKind::Resolved, replicas(), "Git was changed to match live, after the fact"), false),
        ),
        ("out of scope", follows(over(ItemKind::OutOfScope, image(), "its target is no longer configured"), true)),
        ("first scan", first_scan()),
        ("new route", {
            let mut notice = first_scan();
            notice.scan.previous_started_at = Some(before(300));
            notice
        }),
        ("first scan, nothing there", {
            let mut notice = of(NoticeKind::FirstScan, None, vec![]);
            notice.scan.previous_started_at = None;
            notice
        }),
        ("incident", incident()),
        ("gap", gaps()),
        ("gaps, one over", gaps_of_two_sorts()),
        ("gaps over", gaps_over()),
        ("weekly", weekly()),
        ("all clear", all_clear()),
        ("caught up", caught_up()),
        ("test", of(NoticeKind::Test, None, vec![])),
    ]
}

/// Every notice with as much in it as there may be.
pub(super) fn huge() -> Vec<Notice> {
    let findings = sample::huge(50).findings;
    let kinds = [ItemKind::New, ItemKind::Raised, ItemKind::Flapping, ItemKind::Resolved];
    all()
        .into_iter()
        .map(|(_, mut notice)| {
            notice.items = findings.iter().enumerate().map(|(n, f)| item(kinds[n * 4 / 50], f.clone(), 300)).collect();
            notice.gaps = vec![gap(false); 50];
            notice.more = 9_950;
            count(&mut notice);
            notice.by_target = (0..300).map(|n| (format!("target-{n}"), 300 - n)).collect();
            notice
        })
        .collect()
}

/// Every notice with texts that try to act wherever they are shown.
pub(super) fn hostile() -> Vec<Notice> {
    let evil = ATTACKS.join(" ");
    let report = sample::hostile();
    let text = || Some(evil.clone());
    all()
        .into_iter()
        .map(|(_, mut notice)| {
            notice.route = RouteName::new(evil.clone());
            if let Some(group) = &mut notice.group {
                (group.cluster, group.target) = (ClusterName::new(evil.clone()), Some(TargetName::new(evil.clone())));
            }
            for (n, item) in notice.items.iter_mut().enumerate() {
                item.finding = report.findings[n % report.findings.len()].clone();
                item.how = item.how.as_ref().and_then(|_| text());
            }
            for told in &mut notice.gaps {
                let gap = &mut told.gap;
                (gap.place, gap.message, gap.hint) = (text(), evil.clone(), text());
                gap.cluster = text().map(ClusterName::new);
                gap.hides = Hides::File { file: evil.clone() };
            }
            for (name, _) in &mut notice.by_target {
                name.clone_from(&evil);
            }
            if let Some(summary) = &mut notice.summary {
                summary.name.clone_from(&evil);
            }
            notice.scan.revision = notice.scan.revision.as_ref().and_then(|_| text()).map(Revision::new);
            notice.scan.commit = notice.scan.commit.as_ref().and_then(|_| text()).map(CommitId::new);
            if let Some(runs) = &mut notice.scan.runs {
                (runs.commit, runs.evidence) = (text().map(CommitId::new), evil.clone());
            }
            notice
        })
        .collect()
}
