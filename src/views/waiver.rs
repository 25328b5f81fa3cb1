//! What accepts a finding for a while: an ignore rule with a reason and a last day, to be put into Git.

use std::fmt::Write as _;

use super::escape::yaml;
use crate::model::finding::Finding;

/// The rule, as YAML for the list `ignore`. It covers this finding and nothing else that is known; `expires` is its last day.
pub fn rule(finding: &Finding, expires: &str) -> String {
    let group = finding.api_version.split_once('/').map(|(group, _)| format!(".{group}")).unwrap_or_default();
    let path = finding.path.as_ref().map(|path| path.to_string());
    let mut out =
        format!("- id: waive-{}\n  reason: TODO why this is accepted, and by whom\n  expires: {expires}\n", finding.id);
    for (key, value) in [
        ("codes", Some(finding.code.as_str())),
        ("clusters", Some(finding.cluster.as_str())),
        ("kinds", Some(format!("{}{group}", finding.kind).as_str())),
        ("namespaces", finding.namespace.as_deref()),
        ("names", Some(finding.name.as_str())),
        ("paths", path.as_deref()),
    ] {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "  {key}: [{}]", yaml(value));
        }
    }
    out
}
