//! Severity: how much a finding matters, by the rules of the configuration and then the shipped ones; the first that fits decides.

use crate::config::severity::SeverityRules;
use crate::model::finding::{Finding, Severity};

/// Gives every finding its severity and sorts them, worst first; among equals by cluster, namespace, kind, name and path.
pub fn assess(findings: &mut [Finding], rules: &SeverityRules) {
    for finding in findings.iter_mut() {
        finding.severity = rules.of(finding);
    }
    findings.sort_by_cached_key(|f| {
        let path = f.path.as_ref().map(ToString::to_string);
        (
            std::cmp::Reverse(f.severity),
            f.cluster.clone(),
            f.namespace.clone(),
            f.kind.clone(),
            f.name.clone(),
            path,
            f.code,
        )
    });
}

/// The worst severity among findings; `None` if there are none.
pub fn worst<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Option<Severity> {
    findings.into_iter().map(|f| f.severity).max()
}
