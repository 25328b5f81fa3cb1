//! CSV (RFC 4180, with a header): one record on one line for each finding, for spreadsheets and scripts.

use crate::model::attribution::Actor;
use crate::model::finding::Finding;
use crate::model::time::Timestamp;

use super::escape;
use super::shown;
use super::value::{self, Side};

/// Characters of a value: a spreadsheet takes 32,767 in a cell, some of them written as several.
const MOST_CHARS: usize = 8_000;

const COLUMNS: [&str; 40] = [
    "id",
    "code",
    "class",
    "cause",
    "severity",
    "cluster",
    "apiVersion",
    "kind",
    "namespace",
    "name",
    "path",
    "declared",
    "live",
    "target",
    "repository",
    "revision",
    "commit",
    "file",
    "line",
    "declaredByCommit",
    "author",
    "email",
    "authorTime",
    "subject",
    "liveMatchesCommit",
    "commitsBehind",
    "manager",
    "operation",
    "subresource",
    "actorTime",
    "actorKind",
    "user",
    "firstSeen",
    "lastSeen",
    "scans",
    "note",
    "pullRequest",
    "pullRequestUrl",
    "signature",
    "signatureDetail",
];

/// All findings, in the given order. Absent facts are empty fields; structures are JSON; secret values are words. What cannot
/// be seen is made visible and what a spreadsheet would compute is made text: exact values are in the JSON.
pub fn findings(findings: &[Finding]) -> String {
    let mut out = COLUMNS.join(",");
    out.push_str("\r\n");
    for finding in findings {
        let fields: Vec<String> = record(finding).iter().map(|field| escape::csv(field)).collect();
        out.push_str(&fields.join(","));
        out.push_str("\r\n");
    }
    out
}

fn record(f: &Finding) -> [String; 40] {
    let time = |t: Option<Timestamp>| t.map(|t| t.to_string()).unwrap_or_default();
    let text = |t: Option<&str>| t.unwrap_or_default().to_owned();
    let (origin, by, found, actor) =
        (f.origin.as_ref(), f.declared_by.as_ref(), f.live_matches.as_ref(), f.actors.first());
    [
        f.id.to_string(),
        f.code.to_string(),
        f.class.clone(),
        f.cause.map(|c| c.to_string()).unwrap_or_default(),
        f.severity.to_string(),
        f.cluster.to_string(),
        f.api_version.clone(),
        f.kind.clone(),
        text(f.namespace.as_deref()),
        f.name.clone(),
        f.path.as_ref().map(ToString::to_string).unwrap_or_default(),
        value_field(f, Side::Git),
        value_field(f, Side::Live),
        text(origin.map(|o| o.target.as_str())),
        text(origin.map(|o| o.repository.as_str())),
        text(origin.map(|o| o.revision.as_str())),
        text(origin.map(|o| o.commit.as_str())),
        text(origin.map(|o| o.file.as_str())),
        origin.and_then(|o| o.line).map(|l| l.to_string()).unwrap_or_default(),
        text(by.map(|b| b.commit.as_str())),
        text(by.map(|b| b.author.as_str())),
        text(by.map(|b| b.email.as_str())),
        time(by.map(|b| b.time)),
        text(by.map(|b| b.subject.as_str())),
        text(found.map(|m| m.commit.as_str())),
        found.and_then(|m| m.commits_behind).map(|n| n.to_string()).unwrap_or_default(),
        text(actor.map(|a| a.manager.as_str())),
        text(actor.map(|a| a.operation.as_str())),
        text(actor.and_then(|a| a.subresource.as_deref())),
        time(actor.and_then(|a: &Actor| a.time)),
        text(actor.map(|a| a.kind.as_str())),
        text(actor.and_then(|a| a.user.as_deref())),
        time(f.first_seen),
        time(f.last_seen),
        f.scans.map(|n| n.to_string()).unwrap_or_default(),
        text(f.note.as_deref()),
        text(by.and_then(|b| b.pull_request.as_deref())),
        text(by.and_then(|b| b.pull_request_url.as_deref())),
        text(by.and_then(|b| b.signature.as_deref())),
        text(by.and_then(|b| b.signature_detail.as_deref())),
    ]
}

fn value_field(finding: &Finding, side: Side) -> String {
    let text = shown::side(finding, side).map(|value| value::plain(&value)).unwrap_or_default();
    shown::bounded(&text, MOST_CHARS).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    /// A small reader of RFC 4180, to see what a spreadsheet would.
    fn read(text: &str) -> Vec<Vec<String>> {
        let mut records = vec![vec![String::new()]];
        let (mut quoted, mut chars) = (false, text.chars().peekable());
        while let Some(c) = chars.next() {
            let record = records.last_mut().expect("one record at least");
            let field = record.last_mut().expect("one field at least");
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => field.push(chars.next().expect("peeked")),
                '"' => quoted = !quoted,
                ',' if !quoted => record.push(String::new()),
                '\r' if !quoted => {}
                '\n' if !quoted => records.push(vec![String::new()]),
                c => field.push(c),
            }
        }
        records.pop();
        records
    }

    #[test]
    fn every_record_is_whole_and_on_one_line() {
        for report in [sample::drifted(), sample::hostile()] {
            let text = findings(&report.findings);
            let records = read(&text);
            assert_eq!(records.len(), report.findings.len() + 1);
            assert_eq!(text.lines().count(), records.len());
            assert!(records.iter().all(|r| r.len() == COLUMNS.len()));
        }
        let text = findings(&sample::drifted().findings);
        let records = read(&text);
        assert_eq!(records[1][11], "registry.example.com/shop/api:1.4.2");
        assert_eq!(records[3][12], "secret (hidden) 1a2b3c…");
        assert!(!text.contains("redacted:"));
    }

    #[test]
    fn a_huge_value_is_cut_and_said_to_be() {
        let mut finding = sample::finding();
        finding.live = Some("x".repeat(1_208_000).into());
        let text = findings(&[finding]);
        assert!(text.len() < 20_000 && text.contains("… 1.2 MB more (sha256 "));
    }

    #[test]
    fn no_field_is_a_formula_or_acts_on_a_terminal() {
        let text = findings(&sample::hostile().findings);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\u{2066}']));
        for field in read(&text).iter().skip(1).flatten() {
            assert!(!field.starts_with(['=', '+', '-', '@', '\t']), "{field}");
        }
        let mut finding = sample::finding();
        finding.live = Some("=1+1".into());
        assert_eq!(read(&findings(&[finding]))[1][12], "'=1+1");
    }
}
