//! JSON: the stable contract. Exact values, nothing shortened or escaped beyond what JSON asks.

use serde::Serialize;

use crate::model::finding::Finding;
use crate::model::report::{COMPARE_SCHEMA, ScanReport};

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

fn pretty<T: Serialize>(value: &T) -> String {
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

    #[test]
    fn compare_has_its_own_schema() {
        let text = compare(true, &[sample::finding()], &["equal duplicates".into()]);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&value["schema"], &value["drifted"]), (&"driftledger/compare/v1".into(), &true.into()));
        assert_eq!(value["notes"][0], "equal duplicates");
        assert_eq!(value["findings"][0]["code"], "DL001");
    }
}
