//! JSON: the stable contract. Exact values, nothing shortened or escaped beyond what JSON asks.

use serde::Serialize;

use crate::model::blame::{BLAME_SCHEMA, Blame};
use crate::model::checkup::{Checked, DOCTOR_SCHEMA};
use crate::model::explanation::Explanation;
use crate::model::finding::Finding;
use crate::model::object_story::{HISTORY_SCHEMA, ObjectStory};
use crate::model::report::{COMPARE_SCHEMA, ScanReport};
use crate::model::revisions::RevisionComparison;
use crate::model::targets::TargetList;

/// A scan as `driftledger/scan/v1`: indented, with a line break at the end.
pub fn scan(report: &ScanReport) -> String {
    pretty(report)
}

/// A comparison of two files as `driftledger/compare/v1`; facts that need a ledger, Git or a cluster are `null`.
pub fn compare(drifted: bool, findings: &[Finding], notes: &[String]) -> String {
    #[derive(Serialize)]
    struct Comparison<'a> {
        schema: &'static str,
        drifted: bool,
        findings: &'a [Finding],
        notes: &'a [String],
    }
    pretty(&Comparison { schema: COMPARE_SCHEMA, drifted, findings, notes })
}

/// An object, explained, as `driftledger/explain/v1`.
pub fn explanation(explanation: &Explanation) -> String {
    pretty(explanation)
}

/// Objects with what is behind their fields, as `driftledger/blame/v1`.
pub fn blame(objects: &[Blame]) -> String {
    #[derive(Serialize)]
    struct Blamed<'a> {
        schema: &'static str,
        objects: &'a [Blame],
    }
    pretty(&Blamed { schema: BLAME_SCHEMA, objects })
}

/// The stories of objects, as `driftledger/history/v1`.
pub fn history(objects: &[ObjectStory]) -> String {
    #[derive(Serialize)]
    struct Histories<'a> {
        schema: &'static str,
        objects: &'a [ObjectStory],
    }
    pretty(&Histories { schema: HISTORY_SCHEMA, objects })
}

/// What differs between two declared states, as `driftledger/compare-revisions/v1`.
pub fn revisions(compared: &RevisionComparison) -> String {
    pretty(compared)
}

/// The targets, as `driftledger/targets/v1`.
pub fn targets(listed: &TargetList) -> String {
    pretty(listed)
}

/// What works and what does not, as `driftledger/doctor/v1`.
pub fn doctor(checked: &[Checked]) -> String {
    #[derive(Serialize)]
    struct Doctor<'a> {
        schema: &'static str,
        checked: &'a [Checked],
    }
    pretty(&Doctor { schema: DOCTOR_SCHEMA, checked })
}

/// A list of findings.
pub fn findings(findings: &[Finding]) -> String {
    pretty(&findings)
}

/// One finding.
pub fn finding(finding: &Finding) -> String {
    pretty(finding)
}

pub(super) fn pretty<T: Serialize>(value: &T) -> String {
    // The model's maps have text keys and its numbers are finite, so nothing in it can fail to be written.
    let mut text = serde_json::to_string_pretty(value).expect("the model can be written as JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::sample;

    #[test]
    fn reads_back_as_the_same_report() {
        for report in [sample::drifted(), sample::hostile(), sample::in_sync()] {
            let text = scan(&report);
            assert!(text.ends_with("}\n"));
            assert_eq!(serde_json::from_str::<ScanReport>(&text).expect("its own form"), report);
        }
        let value: serde_json::Value = serde_json::from_str(&scan(&sample::drifted())).expect("JSON");
        assert_eq!(value["schema"], "driftledger/scan/v1");
        assert_eq!(value["findings"][0]["waiver"], serde_json::Value::Null);
        assert!(value["findings"][0].as_object().expect("a map").contains_key("liveMatches"));
    }

    /// Programs read these names: they are never taken away or given another meaning.
    #[test]
    fn the_contracts_names_are_all_there() {
        let value: serde_json::Value = serde_json::from_str(&scan(&sample::drifted())).expect("JSON");
        let lacks = |value: &serde_json::Value, names: &str| -> Vec<String> {
            let map = value.as_object().expect("a map");
            names.split(' ').filter(|name| !map.contains_key(*name)).map(str::to_owned).collect()
        };
        let finding = "id code class cause severity fingerprint cluster apiVersion kind namespace name path declared live origin \
                       declaredBy removedBy liveMatches actors writes firstSeen lastSeen scans waiver method note";
        for found in value["findings"].as_array().expect("a list") {
            assert_eq!(lacks(found, finding), [""; 0]);
            if let Some(actor) = found["actors"].get(0) {
                assert_eq!(lacks(actor, "manager operation subresource time kind user"), [""; 0]);
            }
        }
        let first = &value["findings"][0];
        let write =
            "time verb subresource user impersonated groups userAgent sourceIPs code manager matched why contradicts";
        assert_eq!(lacks(&first["writes"][0], write), [""; 0]);
        let reverted = &value["scan"]["reverted"][0];
        assert_eq!(lacks(reverted, "cluster group kind namespace name target writes"), [""; 0]);
        assert_eq!(lacks(&first["origin"], "target repository revision commit file line"), [""; 0]);
        let by = "commit author email time subject reachedBy pullRequest signature committer trailers signatureDetail commitUrl pullRequestUrl";
        assert_eq!(lacks(&first["declaredBy"], by), [""; 0]);
        assert_eq!(lacks(&value, "schema scan gaps exclusions findings"), [""; 0]);
        assert_eq!(lacks(&value["scan"], "id startedAt finishedAt complete clusters targets counts seal"), [""; 0]);
        assert_eq!(lacks(&value["gaps"][0], "kind cluster target place message hint hides"), [""; 0]);
    }

    #[test]
    fn compare_has_its_own_schema() {
        let text = compare(true, &[sample::finding()], &["equal duplicates".into()]);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&value["schema"], &value["drifted"]), (&"driftledger/compare/v1".into(), &true.into()));
        assert_eq!(value["notes"][0], "equal duplicates");
        assert_eq!(value["findings"][0]["code"], "DL001");
    }
}
