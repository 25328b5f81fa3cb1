//! SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format): findings where code scanning looks for them, at file and line
//! of the repository. Gaps are notifications of the run, which then was no success.

mod rules;

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::escape::terminal;
use super::value::Side;
use super::{shown, value, verdict, words};
use crate::model::finding::{Code, Finding, Severity};
use crate::model::gap::{Gap, Hides};
use crate::model::ids::RepositoryName;
use crate::model::report::{ScanReport, TargetSummary};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Characters of each side in a message; the whole value is in the result's properties.
const IN_MESSAGE: usize = 200;
/// Characters of a value in the properties.
const MOST_CHARS: usize = 8_000;

/// What a path segment may not hold as it is (RFC 3986), and the colon, which in a first segment would end a scheme.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':');

/// A scan as one run, indented, with a line break at the end.
pub fn scan(report: &ScanReport) -> String {
    let log = json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run(report)]});
    // Maps with text keys and finite numbers: nothing in it can fail to be written.
    let mut text = serde_json::to_string_pretty(&log).expect("SARIF can be written as JSON");
    text.push('\n');
    text
}

fn run(report: &ScanReport) -> Value {
    let scan = &report.scan;
    let clusters: Vec<String> = scan.clusters.iter().map(|cluster| terminal(cluster.name.as_str())).collect();
    let mut run = json!({
        "tool": {"driver": {
            "name": "Driftledger",
            "version": scan.tool_version,
            "rules": rules::all(),
            "notifications": rules::gaps(),
        }},
        "automationDetails": {"id": format!("driftledger/{}/", segments(&clusters.join("+")).replace('/', "%2F"))},
        "invocations": [invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": report.findings.iter().map(|finding| result(finding, report)).collect::<Vec<_>>(),
        "properties": {
            "verdict": verdict::sentence(report).sentence,
            "scan": scan.id.0,
            "ledger": scan.ledger.as_str(),
            "seal": scan.seal.as_ref().map(|seal| json!({"sequence": seal.sequence, "hash": seal.hash})),
            "complete": scan.complete,
            "declared": scan.counts.declared,
            "compared": scan.counts.compared,
        },
    });
    let (provenance, bases) = repositories(report);
    run["originalUriBaseIds"] = Value::Object(bases);
    if !provenance.is_empty() {
        run["versionControlProvenance"] = provenance.into();
    }
    run
}

/// Where files are: each repository is the base of its paths, and where it has a URL also at which commit.
fn repositories(report: &ScanReport) -> (Vec<Value>, Map<String, Value>) {
    let mut bases = Map::new();
    let mut provenance: Vec<Value> = Vec::new();
    let named = report.findings.iter().filter_map(|f| f.origin.as_ref()).map(|origin| &origin.repository);
    for name in report.scan.targets.iter().map(|target| &target.repository).chain(named) {
        let text = format!("The repository {}.", terminal(name.as_str()));
        bases.insert(base_id(name), json!({"description": {"text": text}}));
    }
    for target in &report.scan.targets {
        let Some(details) = version_control(target) else { continue };
        if !provenance.contains(&details) {
            provenance.push(details);
        }
    }
    (provenance, bases)
}

fn version_control(target: &TargetSummary) -> Option<Value> {
    let url = target.repository_url.as_deref()?;
    let mut details = json!({
        "repositoryUri": url,
        "branch": terminal(target.revision.as_str()),
        "mappedTo": {"uriBaseId": base_id(&target.repository)},
    });
    if let Some(commit) = &target.commit {
        details["revisionId"] = commit.as_str().into();
    }
    Some(details)
}

fn base_id(repository: &RepositoryName) -> String {
    terminal(repository.as_str())
}

fn invocation(report: &ScanReport) -> Value {
    // What hides only who is behind a difference does not hide a difference.
    let whole = report.gaps.iter().all(|gap| gap.hides == Hides::Evidence);
    json!({
        "executionSuccessful": whole,
        "startTimeUtc": report.scan.started_at.to_string(),
        "endTimeUtc": report.scan.finished_at.to_string(),
        "toolExecutionNotifications": report.gaps.iter().map(|gap| notification(gap, report)).collect::<Vec<_>>(),
    })
}

fn notification(gap: &Gap, report: &ScanReport) -> Value {
    let mut text = format!("{}: {}; hides {}", words::gap_place(gap), gap.message, words::hides(gap));
    if let Some(hint) = &gap.hint {
        text.push_str(&format!(" ({hint})"));
    }
    let mut notification = json!({
        "level": if gap.hides == Hides::Evidence { "warning" } else { "error" },
        "descriptor": {"id": rules::gap_id(gap.kind)},
        "message": {"text": message(&text)},
        "properties": {
            "cluster": gap.cluster.as_ref().map(|name| terminal(name.as_str())),
            "target": gap.target.as_ref().map(|name| terminal(name.as_str())),
        },
    });
    if let Hides::File { file } = &gap.hides {
        let of = |target: &&TargetSummary| Some(&target.name) == gap.target.as_ref();
        let base = report.scan.targets.iter().find(of).map(|target| &target.repository);
        let line = gap.place.as_deref().and_then(|place| place.strip_prefix(file.as_str()));
        let line = line.and_then(|rest| rest.split(':').nth(1)).and_then(|line| line.parse().ok());
        notification["locations"] = json!([{"physicalLocation": physical(base, file, line)}]);
    }
    notification
}

fn result(finding: &Finding, report: &ScanReport) -> Value {
    let rule = Code::ALL.iter().position(|code| *code == finding.code).unwrap_or_default();
    let mut result = json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": rule,
        "level": level(finding.severity),
        "message": {"text": message(&told(finding, report))},
        "locations": [location(finding)],
        "partialFingerprints": {"driftledger/v1": finding.fingerprint},
        "baselineState": baseline(finding, report),
        "properties": properties(finding),
    });
    if let Some(waiver) = &finding.waiver {
        let mut suppression = json!({"kind": "external", "status": "accepted"});
        if let Some(reason) = waiver["reason"].as_str() {
            suppression["justification"] = terminal(reason).into();
        }
        result["suppressions"] = json!([suppression]);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// In comparison with the scan before; of a first scan everything is new.
fn baseline(finding: &Finding, report: &ScanReport) -> &'static str {
    let changes = &report.scan.changes;
    if changes.first_scan || changes.new.contains(&finding.id) || changes.reopened.contains(&finding.id) {
        "new"
    } else if changes.changed.contains(&finding.id) {
        "updated"
    } else {
        "unchanged"
    }
}

/// What, where; Git and live; the cause.
fn told(finding: &Finding, report: &ScanReport) -> String {
    let (git, live) = value::brief(finding, IN_MESSAGE);
    let mut text = match finding.code {
        Code::ChangeControl => format!("{}: {git}", words::object(finding)),
        _ => format!("{} {}: Git {git}, live {live}", words::object(finding), words::path(finding)),
    };
    if let (Some(cause), Some(what)) = (finding.cause, words::cause(finding)) {
        text.push_str(&format!("; {cause}: {what}"));
    }
    text.push_str(&format!(" (cluster {})", finding.cluster));
    if let Some(by) = &finding.declared_by {
        text.push_str(&format!("; {} {}", words::commit_did(finding), words::commit_short(by)));
    }
    if let Some(not) = words::not_looked_at(finding, report.scan.started_at) {
        text.push_str(&format!("; {not}"));
    }
    text
}

fn location(finding: &Finding) -> Value {
    let object = match &finding.namespace {
        Some(namespace) => format!("{}/{}/{namespace}/{}", finding.cluster, finding.kind, finding.name),
        None => format!("{}/{}/{}", finding.cluster, finding.kind, finding.name),
    };
    let name = match &finding.path {
        Some(path) => format!("{object}{path}"),
        None => object,
    };
    let mut location = json!({"logicalLocations": [{"fullyQualifiedName": terminal(&name), "kind": "resource"}]});
    // A commit against the change policy has no file.
    if let Some(origin) = finding.origin.as_ref().filter(|origin| !origin.file.is_empty()) {
        location["physicalLocation"] = physical(Some(&origin.repository), &origin.file, origin.line);
    }
    location
}

fn physical(repository: Option<&RepositoryName>, file: &str, line: Option<u32>) -> Value {
    let mut place = json!({"artifactLocation": {"uri": segments(file)}});
    if let Some(repository) = repository {
        place["artifactLocation"]["uriBaseId"] = base_id(repository).into();
    }
    if let Some(line) = line.filter(|line| *line > 0) {
        place["region"] = json!({"startLine": line});
    }
    place
}

/// A path as a relative URI reference.
fn segments(path: &str) -> String {
    utf8_percent_encode(path.trim_start_matches('/'), SEGMENT).to_string()
}

fn properties(finding: &Finding) -> Value {
    let text = |text: &str| Value::from(terminal(text));
    let side = |side| {
        let value = shown::side(finding, side).map(|value| value::plain(&value));
        value.map(|value| terminal(&shown::bounded(&value, MOST_CHARS)))
    };
    let mut all: BTreeMap<&str, Value> = BTreeMap::new();
    let mut put = |name, value: Option<Value>| value.map(|value| all.insert(name, value));
    put("id", Some(finding.id.as_str().into()));
    put("class", Some(finding.class.as_str().into()));
    put("cause", finding.cause.map(|cause| cause.as_str().into()));
    put("severity", Some(finding.severity.as_str().into()));
    put("cluster", Some(text(finding.cluster.as_str())));
    put("apiVersion", Some(text(&finding.api_version)));
    put("kind", Some(text(&finding.kind)));
    put("namespace", finding.namespace.as_deref().map(text));
    put("name", Some(text(&finding.name)));
    put("path", finding.path.as_ref().map(|path| text(&path.to_string())));
    put("declared", side(Side::Git).map(Value::from));
    put("live", side(Side::Live).map(Value::from));
    put("target", finding.origin.as_ref().map(|origin| text(origin.target.as_str())));
    put("declaredBy", finding.declared_by.as_ref().map(|by| by.commit.as_str().into()));
    put("author", finding.declared_by.as_ref().map(|by| text(&by.author)));
    put("pullRequest", finding.declared_by.as_ref().and_then(words::request).map(|request| text(&request)));
    put("liveMatches", finding.live_matches.as_ref().map(|found| found.commit.as_str().into()));
    put("commitsBehind", finding.live_matches.as_ref().and_then(|found| found.commits_behind).map(Value::from));
    put("lastWriter", finding.actors.first().map(|actor| text(&actor.manager)));
    put("user", words::by_audit_log(finding).map(|user| text(&user)));
    put("firstSeen", finding.first_seen.map(|time| time.to_string().into()));
    put("lastSeen", finding.last_seen.map(|time| time.to_string().into()));
    put("note", finding.note.as_deref().map(text));
    json!(all)
}

/// A message of one line in which nothing is taken for an embedded link (SARIF 3.11.6).
fn message(text: &str) -> String {
    terminal(text).replace("](", "\\](")
}

#[cfg(test)]
#[path = "sarif/tests.rs"]
mod tests;
