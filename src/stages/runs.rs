//! How far a whole target is behind: by what the operator that brings it says, and by its findings, each of which says from which commits
//! the live value may be. What contradicts is told as it is.

use std::collections::BTreeSet;

use super::operators::Said;
use crate::model::finding::{Cause, Finding};
use crate::model::ids::CommitId;
use crate::model::report::Runs;

/// What an operator says of a target, held against the history of its revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it says.
    pub said: Said,
    /// First-parent commits from the one that it names to the tracked one; `None`: it is not among the commits at hand.
    pub behind: Option<u64>,
}

/// Where an operator says something else of a target than what was found: that it is in sync, or that it is not. `differing` are the
/// findings on what is live, `all_compared` is whether all of it was looked at.
pub fn disagreement(told: &[Told], differing: u64, all_compared: bool) -> Option<String> {
    let is_current = |told: &&Told| told.behind == Some(0);
    let said = told.iter().find(|told| match told.said.in_sync {
        Some(true) => is_current(told) && differing > 0,
        Some(false) => differing == 0 && all_compared,
        // Flux does not compare: it says what it applied.
        None => is_current(told) && differing > 0,
    })?;
    Some(match (said.said.in_sync, differing) {
        (Some(false), _) => format!("{}, and nothing differs from the tracked commit here", said.said.words),
        (_, 1) => format!("{}, and 1 finding here says otherwise", said.said.words),
        (_, several) => format!("{}, and {several} findings here say otherwise", said.said.words),
    })
}

/// What a target runs, as far as its findings and operators show. `behind` says how many first-parent commits a commit is behind the
/// tracked one, `line` names the commits at hand: `main`.
pub fn of_target<'f>(
    findings: impl Iterator<Item = &'f Finding>,
    told: &[Told],
    behind: impl Fn(&CommitId) -> Option<u64>,
    line: &str,
) -> Option<Runs> {
    let late = late(findings, behind);
    let known: BTreeSet<(u64, &CommitId)> = told.iter().filter_map(|of| Some((of.behind?, &of.said.commit))).collect();
    let words: Vec<String> = told.iter().map(|told| words(told, line)).collect();
    match (known.first(), late) {
        (None, late) => {
            let runs = late.map(Late::runs);
            let Some(words) = (!words.is_empty()).then(|| words.join("; ")) else { return runs };
            let runs = runs.unwrap_or(Runs { commit: None, commits_behind: None, evidence: String::new() });
            let evidence = if runs.evidence.is_empty() { words } else { format!("{}; but {words}", runs.evidence) };
            Some(Runs { evidence, ..runs })
        }
        (Some(_), late) if known.len() > 1 || told.iter().any(|told| told.behind.is_none()) => {
            let mut all = words;
            all.extend(late.map(|late| late.words()));
            Some(mixed(&all.join("; ")))
        }
        (Some((steps, commit)), late) => {
            let agree = late.as_ref().map(|late| late.may_be(*steps));
            let words = words.join("; ");
            Some(match (late, agree) {
                (Some(late), Some(false)) => mixed(&format!("{}; but {}", words, late.words())),
                (late, _) => {
                    let also = late.map(|late| format!(", and so show {}", late.values())).unwrap_or_default();
                    let evidence = format!("{}{also}", told.iter().map(said).collect::<Vec<_>>().join("; "));
                    Runs { commit: Some((*commit).clone()), commits_behind: Some(*steps), evidence }
                }
            })
        }
    }
}

/// The commits that operators say they applied last: how many first-parent commits each is behind the tracked one.
pub fn applied(told: &[Told]) -> Vec<u64> {
    told.iter().filter_map(|told| told.behind).collect()
}

fn said(told: &Told) -> &str {
    &told.said.words
}

/// `Application argocd/checkout says it synced 9f2c1ab, 4 commits behind`.
fn words(told: &Told, line: &str) -> String {
    let words = &told.said.words;
    match told.behind {
        Some(0) => format!("{words}, the tracked commit"),
        Some(1) => format!("{words}, 1 commit behind"),
        Some(behind) => format!("{words}, {behind} commits behind"),
        None => format!("{words}, and {} is not on {line}", told.said.commit.short()),
    }
}

fn mixed(what: &str) -> Runs {
    Runs { commit: None, commits_behind: None, evidence: format!("mixed: {what}") }
}

/// What the findings show that are late.
struct Late {
    fields: u64,
    /// The newest commit that has all of their values, if there is one.
    newest: (u64, CommitId),
    /// How far behind the oldest one may be.
    oldest: u64,
    commits: BTreeSet<(u64, CommitId)>,
}

fn late<'f>(findings: impl Iterator<Item = &'f Finding>, behind: impl Fn(&CommitId) -> Option<u64>) -> Option<Late> {
    let late = |finding: &&Finding| matches!(finding.cause, Some(Cause::Behind | Cause::Pending));
    let mut fields = 0_u64;
    let mut newest: Option<(u64, CommitId)> = None;
    let mut oldest = u64::MAX;
    let mut commits = BTreeSet::new();
    for found in findings.filter(late).filter_map(|finding| finding.live_matches.as_ref()) {
        // What stood only inside a merge is no commit of the line.
        let Some(steps) = found.commits_behind.filter(|_| found.reached_by.is_none()) else { continue };
        fields += 1;
        commits.insert((steps, found.commit.clone()));
        if newest.as_ref().is_none_or(|(least, _)| steps > *least) {
            newest = Some((steps, found.commit.clone()));
        }
        let given = found.given_by.as_ref().and_then(&behind).unwrap_or(u64::MAX);
        oldest = oldest.min(given);
    }
    Some(Late { fields, newest: newest?, oldest, commits })
}

impl Late {
    /// Whether a commit so far behind has all of their values.
    fn may_be(&self, steps: u64) -> bool {
        (self.newest.0..=self.oldest).contains(&steps)
    }

    fn values(&self) -> String {
        if self.fields == 1 { "1 field".to_owned() } else { format!("{} fields", self.fields) }
    }

    /// For where something else is told, too.
    fn words(&self) -> String {
        let shown: Vec<&str> = self.commits.iter().map(|(_, commit)| commit.short()).take(5).collect();
        let are = if self.fields == 1 { "is" } else { "are" };
        format!("{} that the GitOps side wrote {are} as at {}", self.values(), shown.join(", "))
    }

    fn runs(self) -> Runs {
        let values = self.values();
        if self.newest.0 <= self.oldest {
            let evidence = format!("{values} that the GitOps side wrote");
            return Runs { commit: Some(self.newest.1), commits_behind: Some(self.newest.0), evidence };
        }
        let shown: Vec<&str> = self.commits.iter().map(|(_, commit)| commit.short()).take(5).collect();
        mixed(&format!("no one commit has all of {values}; they are as at {}", shown.join(", ")))
    }
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
        let runs = of_target(findings.iter(), &[], behind, "main")?;
        Some((runs.commit.map(|commit| commit.to_string()), runs.commits_behind))
    }

    fn told(object: &str, behind: Option<u64>) -> Told {
        let commit = behind.map_or_else(|| "elsewhere".to_owned(), |behind| format!("c{behind}"));
        let words = format!("{object} says it synced {commit}");
        Told { said: Said { words, commit: CommitId::new(commit), in_sync: None }, behind }
    }

    #[test]
    fn a_target_runs_the_newest_commit_that_explains_all_that_is_behind() {
        assert_eq!(runs(&[]), None);
        assert_eq!(runs(&[finding("out-of-band", 9, 4)]), None, "a person's value shows nothing");
        let mut inside = finding("behind", 9, 4);
        inside.live_matches.as_mut().unwrap().reached_by = Some(CommitId::new("m"));
        assert_eq!(runs(&[inside]), None, "what stood only inside a merge is no commit of the line");
        assert_eq!(runs(&[finding("behind", 9, 4)]), Some((Some("c4".into()), Some(4))));
        let both = [finding("behind", 9, 4), finding("pending", 7, 2), finding("hand-rollback", 20, 19)];
        assert_eq!(runs(&both), Some((Some("c4".into()), Some(4))));
        let mixed = [finding("behind", 9, 6), finding("behind", 3, 1)];
        assert_eq!(runs(&mixed), Some((None, None)));
    }

    #[test]
    fn what_the_operator_says_comes_first_and_what_contradicts_is_told() {
        let behind = |commit: &CommitId| commit.as_str().trim_start_matches('c').parse().ok();
        let fields = || vec![finding("behind", 9, 4)];
        for (case, told, findings, commit, evidence) in [
            ("alone", vec![told("A", Some(4))], vec![], Some(4), "A says it synced c4"),
            ("up to date", vec![told("A", Some(0))], vec![], Some(0), "A says it synced c0"),
            ("both agree", vec![told("A", Some(6))], fields(), Some(6), "A says it synced c6, and so show 1 field"),
            (
                "a value that came later",
                vec![told("A", Some(12))],
                fields(),
                None,
                "mixed: A says it synced c12, 12 commits behind; but 1 field that the GitOps side wrote is as at c4",
            ),
            (
                "a value that should be gone",
                vec![told("A", Some(0))],
                fields(),
                None,
                "mixed: A says it synced c0, the tracked commit; but 1 field that the GitOps side wrote is as at c4",
            ),
            (
                "not on the line",
                vec![told("A", None)],
                vec![],
                None,
                "A says it synced elsewhere, and elsewhe is not on main",
            ),
            (
                "not on the line, and fields show another",
                vec![told("A", None)],
                fields(),
                Some(4),
                "1 field that the GitOps side wrote; but A says it synced elsewhere, and elsewhe is not on main",
            ),
            (
                "two that agree",
                vec![told("A", Some(4)), told("B", Some(4))],
                vec![],
                Some(4),
                "A says it synced c4; B says it synced c4",
            ),
            (
                "two that do not",
                vec![told("A", Some(1)), told("B", Some(4))],
                vec![],
                None,
                "mixed: A says it synced c1, 1 commit behind; B says it synced c4, 4 commits behind",
            ),
        ] {
            let runs = of_target(findings.iter(), &told, behind, "main").expect(case);
            assert_eq!(runs.evidence, evidence, "{case}");
            assert_eq!(runs.commits_behind, commit, "{case}");
            assert_eq!(runs.commit.map(|commit| commit.to_string()), commit.map(|n| format!("c{n}")), "{case}");
        }
    }

    #[test]
    fn what_an_operator_says_and_what_is_found_are_held_against_each_other() {
        let told = |in_sync, behind| {
            let words = "Application argocd/shop says X".to_owned();
            [Told { said: Said { words, commit: CommitId::new("a"), in_sync }, behind }]
        };
        for (case, told, differing, all, expected) in [
            ("in sync, and it is", told(Some(true), Some(0)), 0, true, None),
            (
                "in sync, and it is not",
                told(Some(true), Some(0)),
                2,
                true,
                Some("X, and 2 findings here say otherwise"),
            ),
            ("in sync with an older commit", told(Some(true), Some(3)), 2, true, None),
            ("out of sync, and it is", told(Some(false), Some(0)), 1, true, None),
            (
                "out of sync, and it is not",
                told(Some(false), Some(0)),
                0,
                true,
                Some("X, and nothing differs from the tracked commit here"),
            ),
            ("out of sync, and not all was looked at", told(Some(false), Some(0)), 0, false, None),
            ("applied, and it is not", told(None, Some(0)), 1, true, Some("X, and 1 finding here says otherwise")),
            ("applied before", told(None, Some(1)), 1, true, None),
        ] {
            let said = disagreement(&told, differing, all);
            let expected = expected.map(|rest| format!("Application argocd/shop says {rest}"));
            assert_eq!(said, expected, "{case}");
        }
    }
}
