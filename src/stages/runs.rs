//! How far a whole target is behind: out of its findings, each of which says from which commits the live value may be.

use std::collections::BTreeSet;

use crate::model::finding::{Cause, Finding};
use crate::model::ids::CommitId;
use crate::model::report::Runs;

/// What a target runs, as far as its findings show. `behind` says how many first-parent commits a commit is behind the tracked one.
pub fn of_target<'f>(
    findings: impl Iterator<Item = &'f Finding>,
    behind: impl Fn(&CommitId) -> Option<u64>,
) -> Option<Runs> {
    let late = |finding: &&Finding| matches!(finding.cause, Some(Cause::Behind | Cause::Pending));
    let mut counted = 0_u64;
    let mut newest: Option<(u64, CommitId)> = None;
    let mut oldest = u64::MAX;
    let mut commits = BTreeSet::new();
    for found in findings.filter(late).filter_map(|finding| finding.live_matches.as_ref()) {
        let Some(steps) = found.commits_behind else { continue };
        counted += 1;
        commits.insert((steps, found.commit.clone()));
        if newest.as_ref().is_none_or(|(least, _)| steps > *least) {
            newest = Some((steps, found.commit.clone()));
        }
        let given = found.given_by.as_ref().and_then(&behind).unwrap_or(u64::MAX);
        oldest = oldest.min(given);
    }
    let (steps, commit) = newest?;
    let values = if counted == 1 { "1 field".to_owned() } else { format!("{counted} fields") };
    if steps <= oldest {
        let evidence = format!("{values} that the GitOps side wrote");
        return Some(Runs { commit: Some(commit), commits_behind: Some(steps), evidence });
    }
    let shown: Vec<&str> = commits.iter().map(|(_, commit)| commit.short()).take(5).collect();
    let evidence = format!("mixed: no one commit has all of {values}; they are as at {}", shown.join(", "));
    Some(Runs { commit: None, commits_behind: None, evidence })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A finding whose live value stood from one commit to another, each so many commits behind.
    fn finding(cause: &str, from: u64, to: u64) -> Finding {
        serde_json::from_value(json!({
            "id": "F-1", "code": "DL001", "class": "changed", "severity": "low", "fingerprint": "f", "cluster": "prod", "cause": cause,
            "apiVersion": "v1", "kind": "ConfigMap", "name": "a", "actors": [], "method": "",
            "liveMatches": {"commit": format!("c{to}"), "revision": "main", "commitsBehind": to, "givenBy": format!("c{from}")},
        }))
        .unwrap()
    }

    fn runs(findings: &[Finding]) -> Option<(Option<String>, Option<u64>)> {
        let behind = |commit: &CommitId| commit.as_str().trim_start_matches('c').parse().ok();
        let runs = of_target(findings.iter(), behind)?;
        Some((runs.commit.map(|commit| commit.to_string()), runs.commits_behind))
    }

    #[test]
    fn a_target_runs_the_newest_commit_that_explains_all_that_is_behind() {
        assert_eq!(runs(&[]), None);
        assert_eq!(runs(&[finding("out-of-band", 9, 4)]), None, "a person's value shows nothing");
        assert_eq!(runs(&[finding("behind", 9, 4)]), Some((Some("c4".into()), Some(4))));
        let both = [finding("behind", 9, 4), finding("pending", 7, 2), finding("hand-rollback", 20, 19)];
        assert_eq!(runs(&both), Some((Some("c4".into()), Some(4))));
        let mixed = [finding("behind", 9, 6), finding("behind", 3, 1)];
        assert_eq!(runs(&mixed), Some((None, None)));
    }
}
