//! What SARIF's consumers rely on, as a subset of the specification written down here: this is not the official schema, which
//! `tests/it` holds the output against where it can be had.

use super::*;
use crate::views::sample;

fn read(report: &ScanReport) -> Value {
    serde_json::from_str(&scan(report)).expect("JSON")
}

/// Section numbers are those of SARIF 2.1.0.
fn hold_against_the_specification(log: &Value) {
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_else(|| panic!("no text: {value}"));
    let list = |value: &Value| value.as_array().cloned().unwrap_or_else(|| panic!("no list: {value}"));
    assert_eq!(log["version"], "2.1.0", "3.13.2");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert!(!text(&driver["name"]).is_empty(), "3.19.8");
    let rules: Vec<String> = list(&driver["rules"]).iter().map(|rule| text(&rule["id"])).collect();
    let notifications: Vec<String> = list(&driver["notifications"]).iter().map(|known| text(&known["id"])).collect();
    let invocation = &run["invocations"][0];
    assert!(invocation["executionSuccessful"].is_boolean(), "3.20.14");
    for time in ["startTimeUtc", "endTimeUtc"] {
        assert!(text(&invocation[time]).ends_with('Z'), "3.9");
    }
    for notification in list(&invocation["toolExecutionNotifications"]) {
        assert!(notifications.contains(&text(&notification["descriptor"]["id"])), "3.58.2");
        assert!(!text(&notification["message"]["text"]).is_empty(), "3.58.5");
        assert!(["error", "warning", "note"].contains(&text(&notification["level"]).as_str()), "3.58.6");
    }
    let bases = run["originalUriBaseIds"].as_object().expect("3.14.14");
    for result in list(&run["results"]) {
        let index = result["ruleIndex"].as_u64().expect("3.27.6") as usize;
        assert_eq!(rules[index], text(&result["ruleId"]), "3.27.5");
        assert!(["error", "warning", "note", "none"].contains(&text(&result["level"]).as_str()), "3.27.10");
        let states = ["new", "unchanged", "updated", "absent"];
        assert!(states.contains(&text(&result["baselineState"]).as_str()), "3.27.24");
        let message = text(&result["message"]["text"]);
        assert!(!message.is_empty() && !message.replace("\\](", "").contains("]("), "3.11.6: {message}");
        let prints = result["partialFingerprints"].as_object().expect("3.27.17");
        assert!(prints.values().all(Value::is_string) && !prints.is_empty());
        for location in list(&result["locations"]) {
            let Some(physical) = location.get("physicalLocation") else { continue };
            let uri = text(&physical["artifactLocation"]["uri"]);
            assert!(
                uri.is_ascii() && !uri.contains([' ', ':', '\\', '"', '<']) && !uri.starts_with('/'),
                "3.4.3: {uri}"
            );
            assert!(bases.contains_key(&text(&physical["artifactLocation"]["uriBaseId"])), "3.4.4");
            assert!(physical["region"]["startLine"].as_u64().is_none_or(|line| line > 0), "3.30.5");
        }
    }
    for details in run["versionControlProvenance"].as_array().into_iter().flatten() {
        assert!(text(&details["repositoryUri"]).contains("://"), "3.23.3");
    }
}

#[test]
fn what_is_written_is_sarif_whatever_is_in_the_report() {
    for report in [sample::drifted(), sample::in_sync(), sample::hostile()] {
        let log = read(&report);
        hold_against_the_specification(&log);
        assert_eq!(log["runs"][0]["results"].as_array().expect("results").len(), report.findings.len());
        let text = scan(&report);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\u{2066}']));
    }
}

#[test]
fn a_result_stands_at_its_line_and_says_git_live_and_cause() {
    let report = sample::drifted();
    let log = read(&report);
    let (result, finding) = (&log["runs"][0]["results"][0], &report.findings[0]);
    let origin = finding.origin.as_ref().expect("an origin");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], origin.file.as_str());
    assert_eq!(place["artifactLocation"]["uriBaseId"], "platform");
    assert_eq!(place["region"]["startLine"], json!(origin.line));
    let message = result["message"]["text"].as_str().expect("a message");
    for part in ["Deployment shop/", "Git registry.example.com/shop/api:1.4.2", "live ", "out-of-band", "cluster prod"]
    {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(result["level"], "error");
    assert_eq!(result["partialFingerprints"]["driftledger/v1"], finding.fingerprint.as_str());
    assert_eq!(result["properties"]["declaredBy"], finding.declared_by.as_ref().expect("a commit").commit.as_str());
    assert_eq!(result["baselineState"], "new");
    assert!(!scan(&report).contains("redacted:"), "secrets are words");
}

#[test]
fn a_gap_makes_the_run_no_success_and_evidence_alone_does_not() {
    let mut report = sample::drifted();
    let invocation = read(&report)["runs"][0]["invocations"][0].clone();
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"].as_array().map(Vec::len), Some(report.gaps.len()));
    for gap in &mut report.gaps {
        gap.hides = Hides::Evidence;
    }
    assert_eq!(read(&report)["runs"][0]["invocations"][0]["executionSuccessful"], true);
    assert_eq!(read(&sample::in_sync())["runs"][0]["invocations"][0]["toolExecutionNotifications"], json!([]));
}

#[test]
fn where_the_repository_is_and_at_which_commit_is_said_once() {
    let mut report = sample::in_sync();
    assert_eq!(read(&report)["runs"][0].get("versionControlProvenance"), None, "no URL, no provenance");
    for target in &mut report.scan.targets {
        target.repository_url = Some("https://git.example.com/acme/platform.git".to_owned());
    }
    let provenance = read(&report)["runs"][0]["versionControlProvenance"].clone();
    assert_eq!(provenance.as_array().map(Vec::len), Some(1));
    assert_eq!(provenance[0]["revisionId"], report.scan.targets[0].commit.as_ref().expect("a commit").as_str());
    assert_eq!(provenance[0]["mappedTo"]["uriBaseId"], "platform");
}

#[test]
fn a_waived_finding_is_suppressed_with_its_reason() {
    let mut report = sample::drifted();
    report.findings[0].waiver = Some(json!({"reason": "agreed with the owner"}));
    let suppression = &read(&report)["runs"][0]["results"][0]["suppressions"][0];
    assert_eq!(suppression["justification"], "agreed with the owner");
}
