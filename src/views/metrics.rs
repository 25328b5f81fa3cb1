//! Prometheus' text format, for the node exporter's textfile folder: gauges of how things stood after a scan. Base units, no
//! timestamps: the node exporter refuses files that have them.
//!
//! What tells apart in labels comes from the configuration and from fixed words, so series do not grow with drift.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::verdict::{self, Bucket};
use crate::model::finding::Finding;
use crate::model::gap::GapKind;
use crate::model::outbox::MessageCounts;
use crate::model::report::{IgnoreState, ScanReport};

const GAP_KINDS: [GapKind; 10] = [
    GapKind::Fetch,
    GapKind::Revision,
    GapKind::Render,
    GapKind::Parse,
    GapKind::Discovery,
    GapKind::Forbidden,
    GapKind::Unreachable,
    GapKind::Conversion,
    GapKind::Schema,
    GapKind::Limit,
];

/// How the ledger stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerState {
    /// Its messages.
    pub messages: MessageCounts,
    /// Whether everything in it is as it was sealed.
    pub intact: bool,
}

/// A scan's metrics; those of the ledger where it could be asked.
pub fn scan(report: &ScanReport, ledger: Option<&LedgerState>) -> String {
    let mut out = Text::default();
    of_scan(&mut out, report);
    of_findings(&mut out, report);
    of_clusters(&mut out, report);
    of_targets(&mut out, report);
    if let Some(LedgerState { messages: counts, intact }) = ledger {
        out.one("ledger_intact", "1 if everything in the ledger is as it was sealed.", u8::from(*intact));
        out.family("messages", "Messages in the ledger by where they stand, those of all scans.");
        for (state, count) in
            [("waiting", counts.waiting), ("dead", counts.dead), ("sent", counts.sent), ("dropped", counts.dropped)]
        {
            out.sample(&[("state", state)], count);
        }
    }
    out.0
}

fn of_scan(out: &mut Text, report: &ScanReport) {
    let scan = &report.scan;
    let (started, finished) = (scan.started_at.unix(), scan.finished_at.unix());
    out.family("build_info", "The version that made the scan; always 1.");
    out.sample(&[("version", &scan.tool_version)], 1);
    out.one("scan_start_timestamp_seconds", "When the last recorded scan started.", started);
    out.one("scan_finish_timestamp_seconds", "When its last reading was done.", finished);
    out.one("scan_duration_seconds", "How long it read.", finished - started);
    let complete = u8::from(scan.complete);
    out.one("scan_complete", "1 if nothing was hidden by a gap and every target was in scope.", complete);
    if let Some(last) = if scan.complete { Some(scan.started_at) } else { scan.last_complete } {
        let help = "When the last complete scan started; not there before the first one.";
        out.one("last_complete_scan_timestamp_seconds", help, last.unix());
    }
    if let Some(seal) = &scan.seal {
        out.one("seal_sequence", "The number of the ledger's seal after the scan.", seal.sequence);
    }
    out.family("gaps", "What could not be read, by the kind of gap.");
    for kind in GAP_KINDS {
        let count = report.gaps.iter().filter(|gap| gap.kind == kind).count();
        out.sample(&[("kind", kind.as_str())], count);
    }
    out.one("exclusions", "What was left out by choice: entries of the report's list.", report.exclusions.len());
    out.family("ignore_rules", "Ignore rules by whether they are of use.");
    for state in [IgnoreState::Used, IgnoreState::Unused, IgnoreState::Expired, IgnoreState::Undetermined] {
        let count = scan.ignored.iter().filter(|rule| rule.state == state).count();
        out.sample(&[("state", state.as_str())], count);
    }
    let ignored: u64 = scan.ignored.iter().map(|rule| rule.suppressed).sum();
    out.one("ignored_findings", "Findings that are not there because of ignore rules.", ignored);
}

fn of_findings(out: &mut Text, report: &ScanReport) {
    let started = report.scan.started_at;
    let mut counted: BTreeMap<[&str; 4], u64> = BTreeMap::new();
    let waived = |finding: &&Finding| verdict::bucket(finding, started) == Bucket::Waived;
    for finding in report.findings.iter().filter(|finding| !waived(finding)) {
        let cause = finding.cause.map_or("", |cause| cause.as_str());
        let key = [finding.cluster.as_str(), finding.severity.as_str(), finding.code.class(), cause];
        *counted.entry(key).or_default() += 1;
    }
    out.family("findings", "Open findings that are not waived; an empty cause: the class has none.");
    for ([cluster, severity, class, cause], count) in counted {
        out.sample(&[("cluster", cluster), ("severity", severity), ("class", class), ("cause", cause)], count);
    }
    // Always there, so that an alert tells 0 from a scan that said nothing.
    let per_cluster = |wanted: &dyn Fn(&&Finding) -> bool| {
        let of =
            |name: &str| report.findings.iter().filter(|f| f.cluster.as_str() == name).filter(|f| wanted(f)).count();
        let names = report.scan.clusters.iter().map(|cluster| cluster.name.as_str());
        names.map(|name| (name.to_owned(), of(name))).collect::<Vec<_>>()
    };
    for (name, help, wanted) in [
        (
            "open_findings",
            "All of driftledger_findings, also where there are none.",
            &(|finding: &&Finding| !waived(finding)) as &dyn Fn(&&Finding) -> bool,
        ),
        ("waived_findings", "Findings that a waiver covers.", &waived),
        ("unseen_findings", "Open findings of earlier scans whose objects this one could not look at.", &|finding| {
            verdict::bucket(finding, started) == Bucket::NotLookedAt
        }),
    ] {
        out.family(name, help);
        for (cluster, count) in per_cluster(wanted) {
            out.sample(&[("cluster", &cluster)], count);
        }
    }
}

fn of_clusters(out: &mut Text, report: &ScanReport) {
    let clusters = &report.scan.clusters;
    out.family("live_objects_read", "Live objects that were read.");
    for cluster in clusters {
        out.sample(&[("cluster", cluster.name.as_str())], cluster.live_objects);
    }
    let covered: Vec<_> =
        clusters.iter().filter_map(|cluster| Some((cluster.name.as_str(), cluster.coverage.as_ref()?))).collect();
    out.family(
        "coverage_live_objects",
        "Live objects that somebody could have declared, of the kinds that were read whole.",
    );
    for (name, coverage) in &covered {
        out.sample(&[("cluster", name)], coverage.live);
    }
    out.family("coverage_declared_objects", "Those of them that a target declares.");
    for (name, coverage) in &covered {
        out.sample(&[("cluster", name)], coverage.declared);
    }
    out.family("cluster_clock_skew_seconds", "The API server's clock minus this machine's.");
    for cluster in clusters {
        if let Some(skew) = cluster.clock_skew_seconds {
            out.sample(&[("cluster", cluster.name.as_str())], skew);
        }
    }
}

fn of_targets(out: &mut Text, report: &ScanReport) {
    let targets = &report.scan.targets;
    let mut each = |name: &str, help: &str, value: &dyn Fn(&crate::model::report::TargetSummary) -> Option<u64>| {
        out.family(name, help);
        for target in targets {
            if let Some(value) = value(target) {
                out.sample(&[("cluster", target.cluster.as_str()), ("target", target.name.as_str())], value);
            }
        }
    };
    each("target_declared_objects", "Objects that the target declares.", &|target| Some(target.declared));
    each("target_compared_objects", "Those of them that were compared.", &|target| Some(target.compared));
    each("target_findings", "Findings of this scan on its objects.", &|target| Some(target.findings));
    each("target_resolved", "1 if its revision resolved to a commit.", &|target| Some(target.commit.is_some().into()));
    each("target_stale", "1 if an old mirror was used.", &|target| Some(target.stale.into()));
    each("target_commits_behind", "Commits from what it runs to the tracked one, where that is known.", &|target| {
        target.runs.as_ref()?.commits_behind
    });
}

/// The text, family by family.
#[derive(Default)]
struct Text(String, String);

impl Text {
    /// Begins a family of gauges. One without samples is not told of.
    fn family(&mut self, name: &str, help: &str) {
        self.1 = format!("# HELP driftledger_{name} {help}\n# TYPE driftledger_{name} gauge\n\0driftledger_{name}");
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        // The head stands before the first sample only.
        let name = match self.1.split_once('\0') {
            Some((head, name)) => {
                self.0.push_str(head);
                name.to_owned()
            }
            None => self.1.clone(),
        };
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", label(value))).collect();
        // Writing to a String cannot fail.
        let _ = match labels.as_slice() {
            [] => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{}}} {value}", labels.join(",")),
        };
        self.1 = name;
    }

    fn one(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, help);
        self.sample(&[], value);
    }
}

/// A label's value: backslash, quote and line break escaped as the format asks.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    #[test]
    fn every_sample_belongs_to_a_family_and_no_label_ends_early() {
        let messages = MessageCounts { waiting: 2, dead: 1, sent: 40, dropped: 0 };
        let ledger = LedgerState { messages, intact: true };
        for report in [sample::drifted(), sample::in_sync(), sample::hostile()] {
            let text = scan(&report, Some(&ledger));
            let mut family = String::new();
            for line in text.lines() {
                if let Some(head) = line.strip_prefix("# TYPE ") {
                    family = head.strip_suffix(" gauge").expect("a gauge").to_owned();
                    continue;
                }
                if line.starts_with("# HELP ") {
                    continue;
                }
                let rest = line.strip_prefix(&family).unwrap_or_else(|| panic!("{line} is none of {family}"));
                let value = match rest.rsplit_once("} ") {
                    Some((labels, value)) => {
                        assert!(labels.starts_with('{') && labels.ends_with('"'), "{line}");
                        value
                    }
                    None => rest.trim_start(),
                };
                assert!(value.parse::<f64>().is_ok(), "{line}");
            }
            assert!(!text.contains('\0'));
        }
    }

    #[test]
    fn says_what_an_alert_asks_for() {
        let text = scan(&sample::in_sync(), None);
        for line in [
            "driftledger_scan_complete 1",
            "driftledger_scan_duration_seconds 32",
            "driftledger_open_findings{cluster=\"prod\"} 0",
            "driftledger_gaps{kind=\"forbidden\"} 0",
            "driftledger_coverage_declared_objects{cluster=\"prod\"} 613",
            "driftledger_target_compared_objects{cluster=\"prod\",target=\"shop\"} 88",
            "driftledger_seal_sequence 42",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("driftledger_messages"));
        let drifted = sample::drifted();
        let messages = MessageCounts { dead: 3, ..MessageCounts::default() };
        let text = scan(&drifted, Some(&LedgerState { messages, intact: false }));
        assert!(text.contains("driftledger_ledger_intact 0\n"));
        assert!(text.contains("driftledger_messages{state=\"dead\"} 3\n"));
        assert!(text.contains(
            "driftledger_findings{cluster=\"prod\",severity=\"critical\",class=\"changed\",cause=\"out-of-band\"} "
        ));
        let last = drifted.scan.last_complete.expect("an earlier scan").unix();
        assert!(text.contains(&format!("driftledger_last_complete_scan_timestamp_seconds {last}\n")));
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(label("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
    }
}
