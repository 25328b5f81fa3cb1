//! JUnit XML, for the test reports of Jenkins, GitLab and others: one suite for each target, and one for each cluster with what no
//! target declares.
//!
//! A case is an object with findings (failed; skipped where all of them are waived or on their way from Git), a gap (in error), or
//! that a target's revision could be read (passed: without it a report in which nothing differs would hold no case, which some
//! readers take for an error). Objects in sync are known by their number only: they count in `tests`, and no case is made up for
//! them. Elements and attributes are those that `junit-10.xsd` of Jenkins' xUnit plugin knows. Times are UTC.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::escape::terminal;
use super::verdict::{self, Bucket};
use super::{value, words};
use crate::model::finding::{Code, Finding};
use crate::model::report::{ScanReport, TargetSummary};
use crate::model::time::Timestamp;

/// Characters of each side of a finding.
const MOST_CHARS: usize = 2_000;

/// A scan's suites.
pub fn scan(report: &ScanReport) -> String {
    let suites = suites(report);
    let sum = |of: fn(&Suite) -> usize| suites.iter().map(of).sum::<usize>();
    let (started, finished) = (report.scan.started_at, report.scan.finished_at);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\">",
        escape(&verdict::sentence(report).sentence),
        sum(Suite::tests),
        sum(|suite| suite.count(&Outcome::Failed)),
        sum(|suite| suite.count(&Outcome::InError)),
        finished.unix() - started.unix(),
    );
    for suite in &suites {
        suite.write(&mut out, started);
    }
    out.push_str("</testsuites>\n");
    out
}

#[derive(PartialEq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
    InError,
}

struct Case {
    name: String,
    outcome: Outcome,
    /// The code or the gap's kind.
    sort: String,
    /// In a line.
    message: String,
    /// In full.
    lines: Vec<String>,
}

#[derive(Default)]
struct Suite {
    name: String,
    properties: Vec<(&'static str, String)>,
    cases: Vec<Case>,
    /// Objects in sync, without cases.
    in_sync: u64,
}

/// Where a case belongs: a target by its number, a cluster, the scan.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Target(usize),
    Cluster(String),
    Scan,
}

impl Place {
    fn of(report: &ScanReport, target: Option<&str>, cluster: Option<&str>) -> Self {
        let known = |name| report.scan.targets.iter().position(|target| target.name.as_str() == name);
        match (target.and_then(known), cluster) {
            (Some(at), _) => Self::Target(at),
            (None, Some(cluster)) => Self::Cluster(cluster.to_owned()),
            (None, None) => Self::Scan,
        }
    }

    fn suite(&self, report: &ScanReport) -> Suite {
        match self {
            Self::Target(at) => of_target(&report.scan.targets[*at]),
            Self::Cluster(cluster) => Suite { name: format!("{cluster}: what no target declares"), ..Suite::default() },
            Self::Scan => Suite { name: "the scan".to_owned(), ..Suite::default() },
        }
    }
}

fn suites(report: &ScanReport) -> Vec<Suite> {
    let mut suites: BTreeMap<Place, Suite> = BTreeMap::new();
    for at in 0..report.scan.targets.len() {
        suites.insert(Place::Target(at), Place::Target(at).suite(report));
    }
    let mut objects: BTreeMap<(Place, String), Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        let target = finding.origin.as_ref().map(|origin| origin.target.as_str());
        let place = Place::of(report, target, Some(finding.cluster.as_str()));
        objects.entry((place, words::object(finding))).or_default().push(finding);
    }
    for ((place, object), findings) in objects {
        let suite = suites.entry(place).or_insert_with_key(|place| place.suite(report));
        let compared =
            |f: &&Finding| f.code != Code::ChangeControl && f.last_seen.is_none_or(|t| t >= report.scan.started_at);
        if findings.iter().any(compared) {
            suite.in_sync = suite.in_sync.saturating_sub(1);
        }
        suite.cases.push(of_object(object, &findings, report.scan.started_at));
    }
    for gap in &report.gaps {
        let place =
            Place::of(report, gap.target.as_ref().map(|t| t.as_str()), gap.cluster.as_ref().map(|c| c.as_str()));
        let suite = suites.entry(place).or_insert_with_key(|place| place.suite(report));
        let mut lines = vec![gap.message.clone(), format!("hides {}", words::hides(gap))];
        lines.extend(gap.hint.as_ref().map(|hint| format!("hint: {hint}")));
        suite.cases.push(Case {
            name: format!("gap: {}", words::gap_place(gap)),
            outcome: Outcome::InError,
            sort: gap.kind.as_str().to_owned(),
            message: gap.message.clone(),
            lines,
        });
    }
    suites.into_values().collect()
}

fn of_target(target: &TargetSummary) -> Suite {
    let read = target.commit.as_ref().map(|_| Case {
        name: format!("{} could be read", words::revision(target)),
        outcome: Outcome::Passed,
        sort: String::new(),
        message: String::new(),
        lines: Vec::new(),
    });
    Suite {
        name: format!("{}: {}", target.cluster, target.name),
        properties: vec![
            ("cluster", target.cluster.to_string()),
            ("repository", target.repository.to_string()),
            ("revision", words::revision(target)),
            ("path", target.path.clone()),
            ("declared", target.declared.to_string()),
            ("compared", target.compared.to_string()),
        ],
        cases: read.into_iter().collect(),
        in_sync: target.compared,
    }
}

fn of_object(name: String, findings: &[&Finding], started: Timestamp) -> Case {
    let excused = |f: &&Finding| matches!(verdict::bucket(f, started), Bucket::Waived | Bucket::Pending);
    let excused = findings.iter().all(excused);
    let codes: BTreeSet<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    let (git, live) = value::brief(findings[0], 120);
    let first = match findings[0].code {
        Code::ChangeControl => git,
        _ => format!("{}: Git {git}, live {live}", words::path(findings[0])),
    };
    Case {
        name,
        outcome: if excused { Outcome::Skipped } else { Outcome::Failed },
        sort: codes.into_iter().collect::<Vec<_>>().join(" "),
        message: match findings.len() {
            1 => first,
            many => format!("{first}; and {} more", many - 1),
        },
        lines: findings.iter().flat_map(|finding| in_full(finding, started)).collect(),
    }
}

fn in_full(finding: &Finding, started: Timestamp) -> Vec<String> {
    let (git, live) = value::brief(finding, MOST_CHARS);
    let cause = finding.cause.zip(words::cause(finding)).map(|(cause, what)| format!(", {cause}: {what}"));
    let mut lines = vec![format!(
        "{} {} {} {}{}",
        finding.id,
        finding.severity,
        finding.code,
        words::path(finding),
        cause.unwrap_or_default()
    )];
    if finding.code == Code::ChangeControl {
        lines.push(format!("  {git}"));
    } else {
        lines.push(format!("  Git:  {git}"));
        lines.push(format!("  live: {live}"));
    }
    lines.extend(finding.origin.as_ref().filter(|o| !o.file.is_empty()).map(|o| format!("  at {}", words::file(o))));
    lines.extend(
        finding.declared_by.as_ref().map(|by| format!("  {} {}", words::commit_did(finding), words::commit_short(by))),
    );
    lines.extend(finding.actors.first().map(|actor| format!("  last writer {}", actor.manager)));
    lines.extend(words::by_audit_log(finding).map(|by| format!("  {by}")));
    lines.extend(finding.note.as_ref().map(|note| format!("  {note}")));
    lines.extend(words::not_looked_at(finding, started).map(|not| format!("  {not}")));
    lines
}

impl Suite {
    fn tests(&self) -> usize {
        self.cases.len() + usize::try_from(self.in_sync).unwrap_or(usize::MAX)
    }

    fn count(&self, outcome: &Outcome) -> usize {
        self.cases.iter().filter(|case| case.outcome == *outcome).count()
    }

    fn write(&self, out: &mut String, started: Timestamp) {
        let timestamp = started.to_string();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" timestamp=\"{}\">",
            escape(&self.name),
            self.tests(),
            self.count(&Outcome::Failed),
            self.count(&Outcome::InError),
            self.count(&Outcome::Skipped),
            timestamp.trim_end_matches('Z'),
        );
        if !self.properties.is_empty() {
            out.push_str("    <properties>\n");
            for (name, value) in &self.properties {
                let _ = writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", escape(value));
            }
            out.push_str("    </properties>\n");
        }
        for case in &self.cases {
            case.write(out, &self.name);
        }
        out.push_str("  </testsuite>\n");
    }
}

impl Case {
    fn write(&self, out: &mut String, suite: &str) {
        // Readers make packages of what is before the last point of a class name.
        let class = suite.replace(": ", "/").replace('.', "_");
        let _ =
            write!(out, "    <testcase name=\"{}\" classname=\"driftledger.{}\"", escape(&self.name), escape(&class));
        let element = match self.outcome {
            Outcome::Passed => return out.push_str("/>\n"),
            Outcome::Skipped => {
                let _ = writeln!(out, "><skipped message=\"{}\"/></testcase>", escape(&self.message));
                return;
            }
            Outcome::Failed => "failure",
            Outcome::InError => "error",
        };
        let text: Vec<String> = self.lines.iter().map(|line| escape(line)).collect();
        let _ = writeln!(
            out,
            ">\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>",
            escape(&self.sort),
            escape(&self.message),
            text.join("\n")
        );
    }
}

/// For attributes and text. Characters that XML 1.0 does not know at all are left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::finding::Cause;
    use crate::views::sample;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(escape("a<b>&\"\u{1b}\u{fffe}\n'"), "a&lt;b&gt;&amp;&quot;\\u{1b}\\n'");
        let text = scan(&sample::hostile());
        assert!(!text.contains("<script") && !text.contains(['\u{1b}', '\u{202e}', '\u{0}']));
    }

    #[test]
    fn counts_are_those_of_the_scan() {
        let mut report = sample::in_sync();
        let text = scan(&report);
        assert!(
            text.contains("<testsuites name=\"IN SYNC: 214 objects match Git\" tests=\"217\" failures=\"0\""),
            "{text}"
        );
        assert_eq!(text.matches("<testcase ").count(), 3, "one for each revision that was read");

        report.findings = vec![sample::finding(), sample::finding()];
        report.findings[1].path = Some(sample::path(".spec.replicas"));
        let text = scan(&report);
        assert!(text.contains("tests=\"217\" failures=\"1\""), "two findings on one object are one case: {text}");
        assert!(text.contains("; and 1 more\""));
        report.gaps = sample::drifted().gaps;
        let gaps = report.gaps.len();
        assert!(scan(&report).contains(&format!("tests=\"{}\" failures=\"1\" errors=\"{gaps}\"", 217 + gaps)));
    }

    #[test]
    fn what_is_waived_or_on_its_way_is_skipped() {
        let mut report = sample::in_sync();
        report.findings = vec![sample::finding()];
        report.findings[0].actors.clear();
        for change in [(|f: &mut Finding| f.waiver = Some(json!({"reason": "agreed"}))) as fn(&mut Finding), |f| {
            (f.waiver, f.cause) = (None, Some(Cause::Pending))
        }] {
            change(&mut report.findings[0]);
            let text = scan(&report);
            assert!(text.contains("<skipped ") && !text.contains("<failure"), "{text}");
        }
    }

    #[test]
    fn what_no_target_declares_has_a_suite_of_its_own() {
        let mut report = sample::in_sync();
        let mut finding = sample::finding();
        finding.origin = None;
        report.findings = vec![finding];
        assert!(scan(&report).contains("<testsuite name=\"prod: what no target declares\" tests=\"1\" failures=\"1\""));
    }
}
