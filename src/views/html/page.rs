//! The page of a scan.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::finding::{Finding, Severity};
use crate::model::ids::FindingId;
use crate::model::report::{ClosedFinding, ScanReport};
use crate::model::time::Timestamp;
use crate::views::ignored::{self, RuleLine};
use crate::views::templates::{self, REPORT_CSS};
use crate::views::verdict::{self, State};
use crate::views::words::{self, Fact, counted, number};
use crate::views::{ViewError, age, diff, undelivered, value};

use super::finding::{FindingCard, Surroundings, card, steps, t};

/// Findings shown in full; the page says how many more there are and where.
pub const MOST_FINDINGS: usize = 2_000;
/// Lines of differences shown in all before each finding is held to a few.
const MOST_LINES_IN_ALL: usize = 20_000;
/// Lines of a difference once that is used up.
const FEW_LINES: usize = 10;
const WORST: usize = 10;
/// Entries of the lists of new and resolved findings.
const MOST_CHANGES: usize = 10;

#[derive(Serialize)]
struct Page<'a> {
    policy: String,
    css: &'a str,
    title: String,
    scan: i64,
    state: &'static str,
    state_class: &'static str,
    parts: Vec<String>,
    clusters: Vec<String>,
    span: String,
    trust: Vec<Fact>,
    severities: Vec<(&'static str, u64)>,
    changes_line: String,
    changes: Vec<ChangeList>,
    worst: Vec<Worst>,
    groups: Vec<Group>,
    findings: u64,
    findings_text: String,
    shown: String,
    cut: bool,
    targets: Vec<TargetRow>,
    gaps: Vec<GapRow>,
    exclusions: Vec<ExclusionRow>,
    ignored: Vec<RuleLine>,
    reverted: Vec<(String, Vec<String>)>,
    reverted_means: &'static str,
    undelivered: Vec<String>,
    normalised: Vec<(String, String)>,
    seal: Option<(i64, String)>,
    ledger: String,
    tool_version: String,
    actor_note: &'static str,
    secret_note: Option<&'static str>,
}

#[derive(Serialize)]
struct ChangeList {
    title: &'static str,
    count: String,
    entries: Vec<ChangeEntry>,
    more: usize,
}

#[derive(Serialize)]
struct ChangeEntry {
    id: String,
    /// Whether the page has its card.
    linked: bool,
    text: String,
    path: Option<Vec<String>>,
    how: Option<String>,
}

#[derive(Serialize)]
struct Worst {
    id: String,
    severity: &'static str,
    class: String,
    kind: String,
    name: String,
    path: Option<String>,
    git: String,
    live: String,
    unseen: bool,
}

#[derive(Serialize)]
struct Group {
    title: String,
    about: Option<String>,
    count: String,
    cards: Vec<FindingCard>,
}

#[derive(Serialize)]
struct TargetRow {
    name: String,
    cluster: String,
    repository: String,
    revision: String,
    path: String,
    declared: String,
    compared: String,
    findings: String,
    passed_over: String,
    stale: bool,
    notes: Vec<String>,
    partial: bool,
}

#[derive(Serialize)]
struct GapRow {
    kind: &'static str,
    place: String,
    message: String,
    hint: Option<String>,
    hides: String,
}

#[derive(Serialize)]
struct ExclusionRow {
    scope: String,
    what: String,
    reason: String,
    count: Option<String>,
}

/// The report of a scan as one HTML file.
///
/// # Errors
/// Only if an embedded template is broken.
pub fn scan(report: &ScanReport) -> Result<String, ViewError> {
    templates::render("report.html", &page(report))
}

/// What the file may do: nothing, but be styled by its own style sheet. Meta elements cannot say `frame-ancestors`.
fn policy() -> String {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(REPORT_CSS.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

fn page(report: &ScanReport) -> Page<'_> {
    let scan = &report.scan;
    let verdict = verdict::sentence(report);
    let shown = &report.findings[..report.findings.len().min(MOST_FINDINGS)];
    let secret = shown.iter().any(|f| [&f.declared, &f.live].into_iter().flatten().any(value::holds_secret));
    Page {
        policy: policy(),
        css: REPORT_CSS,
        title: format!("{}, {}: {}", words::clusters(report), scan.started_at.for_people(), verdict.with_commas()),
        scan: scan.id.0,
        state: verdict.state.as_str(),
        state_class: match verdict.state {
            State::InSync => "good",
            State::Drifted => "bad",
            State::Unknown => "doubtful",
        },
        parts: verdict.parts,
        clusters: scan
            .clusters
            .iter()
            .map(|c| {
                let version = c.version.as_ref().map(|v| format!("{v}, ")).unwrap_or_default();
                let coverage = words::coverage(c.coverage.as_ref()).map(|text| format!("; {text}")).unwrap_or_default();
                let source = age::source(c);
                t(&format!("{} ({version}{source}, {} live objects{coverage})", c.name, number(c.live_objects)))
            })
            .collect(),
        span: words::span(report),
        trust: words::trust(report),
        severities: severities(&report.findings),
        changes_line: words::changes(report),
        changes: changes(report, shown),
        worst: shown.iter().take(WORST).map(|f| worst(f, scan.started_at)).collect(),
        groups: groups(report, shown),
        findings: report.findings.len() as u64,
        findings_text: counted(report.findings.len() as u64, "finding", "findings"),
        shown: number(shown.len() as u64),
        cut: shown.len() < report.findings.len(),
        targets: targets(report),
        gaps: report
            .gaps
            .iter()
            .map(|gap| GapRow {
                kind: gap.kind.as_str(),
                place: t(&words::gap_place(gap)),
                message: t(&gap.message),
                hint: gap.hint.as_deref().map(t),
                hides: t(&words::hides(gap)),
            })
            .collect(),
        exclusions: report
            .exclusions
            .iter()
            .map(|e| ExclusionRow {
                scope: t(&e.scope),
                what: t(&e.what),
                reason: t(&e.reason),
                count: e.count.map(number),
            })
            .collect(),
        ignored: ignored::lines(report),
        reverted: scan
            .reverted
            .iter()
            .map(|r| (t(&words::reverted(r)), r.writes.iter().map(|write| t(&words::written(write))).collect()))
            .collect(),
        reverted_means: words::REVERTED,
        undelivered: undelivered::lines(report),
        normalised: words::normalised(report).into_iter().map(|(rule, n)| (t(&rule), number(n))).collect(),
        seal: scan.seal.as_ref().map(|seal| (seal.sequence, t(&seal.hash))),
        ledger: t(scan.ledger.as_str()),
        tool_version: t(&scan.tool_version),
        actor_note: words::ACTOR_NOTE,
        secret_note: secret.then_some(value::SECRET_NOTE),
    }
}

fn severities(findings: &[Finding]) -> Vec<(&'static str, u64)> {
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count() as u64;
    Severity::ALL.iter().rev().map(|s| (s.as_str(), count(*s))).filter(|(_, n)| *n > 0).collect()
}

fn worst(finding: &Finding, started: Timestamp) -> Worst {
    let (git, live) = value::brief(finding, 48);
    Worst {
        id: t(finding.id.as_str()),
        severity: finding.severity.as_str(),
        class: t(&finding.class),
        kind: t(&finding.kind),
        name: t(&finding.object().qualified_name()),
        path: finding.path.as_ref().map(|path| t(&path.to_string())),
        git,
        live,
        unseen: verdict::not_looked_at(finding, started),
    }
}

fn changes(report: &ScanReport, shown: &[Finding]) -> Vec<ChangeList> {
    let changes = &report.scan.changes;
    if changes.first_scan {
        return Vec::new();
    }
    let by_id: BTreeMap<&FindingId, &Finding> = shown.iter().map(|f| (&f.id, f)).collect();
    let open = |title, ids: &[FindingId]| ChangeList {
        title,
        count: number(ids.len() as u64),
        entries: ids
            .iter()
            .take(MOST_CHANGES)
            .map(|id| {
                let finding = by_id.get(id);
                ChangeEntry {
                    id: t(id.as_str()),
                    linked: finding.is_some(),
                    text: finding
                        .map_or_else(|| "further down the list".to_owned(), |f| value::cut(&t(&words::object(f)), 200)),
                    path: finding.copied().and_then(steps),
                    how: None,
                }
            })
            .collect(),
        more: ids.len().saturating_sub(MOST_CHANGES),
    };
    let closed = |title, list: &[ClosedFinding]| ChangeList {
        title,
        count: number(list.len() as u64),
        entries: list
            .iter()
            .take(MOST_CHANGES)
            .map(|c| ChangeEntry {
                id: t(c.id.as_str()),
                linked: false,
                text: t(&c.title),
                path: None,
                how: Some(t(&c.how)),
            })
            .collect(),
        more: list.len().saturating_sub(MOST_CHANGES),
    };
    let lists = [
        open("New", &changes.new),
        open("Reopened", &changes.reopened),
        open("Changed", &changes.changed),
        closed("Resolved", &changes.resolved),
        closed("Out of scope", &changes.out_of_scope),
    ];
    lists.into_iter().filter(|list| !list.entries.is_empty()).collect()
}

/// The cards by target, targets in the report's order; what no target declares comes last.
fn groups(report: &ScanReport, shown: &[Finding]) -> Vec<Group> {
    let around = Surroundings::of(report);
    let order = |name: &str| report.scan.targets.iter().position(|t| t.name.as_str() == name);
    let mut grouped: BTreeMap<(usize, String), Vec<FindingCard>> = BTreeMap::new();
    let mut left = MOST_LINES_IN_ALL;
    for finding in shown {
        let most = diff::MOST_LINES.min(left.max(FEW_LINES));
        let (card, lines) = card(finding, &around, most);
        left = left.saturating_sub(lines);
        let key = match &finding.origin {
            Some(origin) => {
                let name = origin.target.as_str();
                (order(name).unwrap_or(usize::MAX - 1), name.to_owned())
            }
            None => (usize::MAX, finding.cluster.as_str().to_owned()),
        };
        grouped.entry(key).or_default().push(card);
    }
    grouped
        .into_iter()
        .map(|((at, name), cards)| {
            let target = report.scan.targets.get(at);
            Group {
                title: if at == usize::MAX { format!("In no target of {}", t(&name)) } else { t(&name) },
                about: target.map(|x| t(&format!("{} {}, {}", x.repository, words::revision(x), x.path))),
                count: counted(cards.len() as u64, "finding", "findings"),
                cards,
            }
        })
        .collect()
}

fn targets(report: &ScanReport) -> Vec<TargetRow> {
    let row = |x: &crate::model::report::TargetSummary| TargetRow {
        name: t(x.name.as_str()),
        cluster: t(x.cluster.as_str()),
        repository: t(x.repository.as_str()),
        revision: t(&words::revision(x)),
        path: t(&x.path),
        declared: number(x.declared),
        compared: number(x.compared),
        findings: number(x.findings),
        passed_over: number(x.files_passed_over),
        stale: x.stale,
        notes: words::of_target(x).iter().map(|note| t(note)).collect(),
        partial: x.compared < x.declared,
    };
    report.scan.targets.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    fn html(report: &ScanReport) -> String {
        scan(report).expect("the template renders")
    }

    #[test]
    fn says_what_the_design_asks_for() {
        let text = html(&sample::drifted()).replace("&#x27;", "'").replace("&#39;", "'").replace("&#x2F;", "/");
        for wanted in [
            "8 changes not from Git",
            "prod (v1.34.1, kubernetes API, 1,873 live objects; 613 of 702 live objects are declared in Git, of these kinds: ConfigMap, ",
            "2026-03-02 14:03:09 to 14:03:41 UTC",
            "211 of 214",
            "9f3ab4d2c17e5086a1d3f47b92c6e80d5a7713fe2b94c8061de5a3b7f0c24d19",
            "secret (hidden) 1a2b3c…",
            "not looked at in this scan",
            "registry.example.com/shop/api:<del>1.4.2</del>",
            "<ins>1.4.3-hotfix</ins>",
            "clusters/prod/shop/api.yaml:31",
            "Release api 1.4.2",
            "kubectl-edit",
            words::ACTOR_NOTE,
            "the role may not list cronjobs.batch in namespace shop",
            "defaulted by the server",
            "live equals Git again",
        ] {
            assert!(text.contains(wanted), "{wanted}");
        }
        assert!(!text.contains("redacted:"));
    }

    #[test]
    fn a_first_scan_and_an_empty_one_say_so() {
        let mut report = sample::in_sync();
        report.scan.changes.first_scan = true;
        let text = html(&report);
        assert!(text.contains("irst scan of this ledger: no earlier history"));
        assert!(text.contains("214 objects match Git") && text.contains("Nothing differs"));
    }

    #[test]
    fn is_self_contained_and_hostile_text_does_nothing() {
        for report in [sample::drifted(), sample::hostile()] {
            let text = html(&report);
            assert_eq!(text.matches("<style>").count(), 1);
            assert_eq!(text.matches("</style>").count(), 1);
            let style =
                text.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).expect("a style").0;
            assert_eq!(style, REPORT_CSS, "the policy's hash is of these bytes");
            let body = text.split_once("</style>").expect("a body").1;
            for tag in [
                "<script",
                "<img",
                "<link",
                "<iframe",
                "<object",
                "<form",
                " style=",
                "javascript:\"",
                "<a href=\"http",
                "<a href=\"j",
            ] {
                assert!(!body.contains(tag), "{tag}");
            }
            for address in body.split("<a rel=\"noreferrer\" href=\"").skip(1) {
                let address = address.split('"').next().expect("a part");
                assert!(address.starts_with("https://github.com/acme/"), "{address}");
            }
            assert_eq!(body.matches(" href=\"http").count(), body.matches("<a rel=\"noreferrer\"").count());
            assert!(!text.contains("url(") && !text.contains("@import"));
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
            assert!(!text.contains(['\u{202e}', '\u{2066}']));
        }
        assert!(html(&sample::hostile()).contains("{{ 7 * 7 }}"), "no text is taken for a template");
    }

    #[test]
    fn no_single_text_blows_up_the_page() {
        let mut report = sample::drifted();
        let long = "x".repeat(3_000_000);
        let finding = &mut report.findings[0];
        (finding.name, finding.note) = (long.clone(), Some(long.clone()));
        (finding.declared, finding.live) = (Some(long.clone().into()), Some(vec![long.clone()].into()));
        finding.actors[0].manager = long.clone();
        report.gaps[0].message = long;
        assert!(html(&report).len() < 100_000);
    }

    #[test]
    fn every_link_has_its_place() {
        let text = html(&sample::drifted());
        for link in text.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(text.contains(&format!("id=\"{link}\"")), "{link}");
        }
    }

    #[test]
    fn the_same_report_gives_the_same_bytes() {
        assert_eq!(html(&sample::drifted()), html(&sample::drifted()));
    }

    #[test]
    fn ten_thousand_findings_stay_usable() {
        let report = sample::huge(10_000);
        let text = html(&report);
        assert_eq!(text.matches("<article").count(), MOST_FINDINGS);
        assert!(text.contains("2,000 worst of 10,000"));
        assert!(text.len() < 20_000_000, "{}", text.len());
    }
}
