//! The verdict: one sentence that every view starts with, and the counts behind it.

use crate::model::attribution::ActorKind;
use crate::model::finding::{Cause, Code, Finding};
use crate::model::report::ScanReport;
use crate::model::time::Timestamp;

use super::words::counted;

/// How things stand after a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything in scope was compared and nothing differs that is not waived or on its way.
    InSync,
    /// Something differs, or does not get where Git wants it.
    Drifted,
    /// No difference was seen, but not everything could be looked at.
    Unknown,
}

impl State {
    /// In capitals, as the sentence starts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "IN SYNC",
            Self::Drifted => "DRIFTED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The verdict on a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How things stand.
    pub state: State,
    /// What was counted.
    pub tally: Tally,
    /// The parts of the sentence after the state.
    pub parts: Vec<String>,
    /// `DRIFTED: 2 changes not from Git; 1 object missing`.
    pub sentence: String,
}

impl Verdict {
    /// `DRIFTED, 2 changes not from Git, 1 object missing`: for subjects.
    pub fn with_commas(&self) -> String {
        let mut text = self.state.as_str().to_owned();
        for part in &self.parts {
            text.push_str(", ");
            text.push_str(part);
        }
        text
    }
}

/// Which part of the sentence a finding counts in; each counts once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// Accepted by a waiver.
    Waived,
    /// Open from before; this scan could not look.
    NotLookedAt,
    /// Written live by somebody or something else than Git.
    NotFromGit,
    /// On its way from Git, inside the grace.
    Pending,
    /// A declared object that does not exist.
    Missing,
    /// A field that still has an earlier commit's value.
    Behind,
    /// An object that does not get where its spec wants it.
    Unconverged,
    /// An object that Git gave up and that is still live.
    LeftOver,
    /// A live object that Git never declared.
    Unmanaged,
    /// A commit against the change policy: no difference between Git and live, and so no drift.
    ChangeControl,
    /// All else.
    Other,
}

/// Findings by bucket, and gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Changes not from Git.
    pub not_from_git: u64,
    /// Objects missing.
    pub missing: u64,
    /// Fields behind Git.
    pub behind: u64,
    /// Objects not converged.
    pub unconverged: u64,
    /// Objects removed from Git and still live.
    pub left_over: u64,
    /// Live objects that are not in Git.
    pub unmanaged: u64,
    /// Commits against the change policy.
    pub change_control: u64,
    /// Other differences.
    pub other: u64,
    /// Changes on their way.
    pub pending: u64,
    /// Earlier findings not looked at.
    pub not_looked_at: u64,
    /// Waived findings.
    pub waived: u64,
    /// Gaps.
    pub gaps: u64,
}

impl Tally {
    /// `2 changes not from Git`, `1 object missing`: what there is, in the order of the sentence.
    pub fn parts(&self) -> Vec<String> {
        let all = [
            (self.not_from_git, "change not from Git", "changes not from Git"),
            (self.missing, "object missing", "objects missing"),
            (self.behind, "field behind Git", "fields behind Git"),
            (self.unconverged, "object not converged", "objects not converged"),
            (self.left_over, "object removed from Git and still live", "objects removed from Git and still live"),
            (self.unmanaged, "live object not in Git", "live objects not in Git"),
            (self.other, "other difference", "other differences"),
            (self.change_control, "commit against the change policy", "commits against the change policy"),
            (self.pending, "change on its way from Git", "changes on their way from Git"),
            (self.not_looked_at, "earlier finding not looked at", "earlier findings not looked at"),
            (self.waived, "waived finding", "waived findings"),
            (self.gaps, "gap", "gaps"),
        ];
        let there = all.into_iter().filter(|(count, _, _)| *count > 0);
        there.map(|(count, one, many)| counted(count, one, many)).collect()
    }
}

/// True for a finding that is still open from an earlier scan and could not be looked at in the one that began at `started`.
pub fn not_looked_at(finding: &Finding, started: Timestamp) -> bool {
    finding.last_seen.is_some_and(|seen| seen < started)
}

/// The bucket of a finding in a scan that began at `started`.
pub fn bucket(finding: &Finding, started: Timestamp) -> Bucket {
    // Who wrote an object that Git gave up says nothing of why it is still there.
    let left_over = finding.code == Code::RemovedButLive;
    let by_hand = !left_over && by_hand(finding);
    if finding.waiver.is_some() {
        Bucket::Waived
    } else if not_looked_at(finding, started) {
        Bucket::NotLookedAt
    } else if finding.code == Code::ChangeControl {
        Bucket::ChangeControl
    } else if finding.code == Code::Unmanaged {
        Bucket::Unmanaged
    } else if finding.cause == Some(Cause::Pending) && !by_hand {
        Bucket::Pending
    } else if left_over {
        Bucket::LeftOver
    } else if finding.code == Code::Missing {
        Bucket::Missing
    } else if finding.code == Code::Unconverged {
        Bucket::Unconverged
    } else if by_hand {
        Bucket::NotFromGit
    } else if finding.cause == Some(Cause::Behind) && finding.path.is_some() {
        Bucket::Behind
    } else {
        Bucket::Other
    }
}

fn by_hand(finding: &Finding) -> bool {
    matches!(finding.cause, Some(Cause::OutOfBand | Cause::HandRollback))
        || finding.code == Code::Undeclared
        || finding.actors.first().is_some_and(|actor| actor.kind == ActorKind::Interactive)
}

/// Findings as a scan that began at `started` sees them, by bucket; no gaps.
pub fn tally<'f>(findings: impl Iterator<Item = &'f Finding>, started: Timestamp) -> Tally {
    let mut tally = Tally::default();
    for finding in findings {
        let count = match bucket(finding, started) {
            Bucket::Waived => &mut tally.waived,
            Bucket::NotLookedAt => &mut tally.not_looked_at,
            Bucket::NotFromGit => &mut tally.not_from_git,
            Bucket::Pending => &mut tally.pending,
            Bucket::Missing => &mut tally.missing,
            Bucket::Behind => &mut tally.behind,
            Bucket::Unconverged => &mut tally.unconverged,
            Bucket::LeftOver => &mut tally.left_over,
            Bucket::Unmanaged => &mut tally.unmanaged,
            Bucket::ChangeControl => &mut tally.change_control,
            Bucket::Other => &mut tally.other,
        };
        *count += 1;
    }
    tally
}

/// The verdict on a scan, in one sentence.
///
/// A gap, an open finding that could not be looked at, or a scan that compared nothing is never "in sync". A scan that was
/// narrowed on purpose may be, and says that it saw a part only.
pub fn sentence(report: &ScanReport) -> Verdict {
    let tally = Tally { gaps: report.gaps.len() as u64, ..tally(report.findings.iter(), report.scan.started_at) };
    let counts = &report.scan.counts;
    let beyond = tally.left_over + tally.unmanaged;
    let drift = tally.not_from_git + tally.missing + tally.behind + tally.unconverged + beyond + tally.other;
    let state = if drift > 0 {
        State::Drifted
    } else if tally.gaps > 0 || tally.not_looked_at > 0 || counts.compared < counts.declared || counts.compared == 0 {
        State::Unknown
    } else {
        State::InSync
    };
    let mut parts = Vec::new();
    match state {
        State::Drifted => {}
        State::InSync if tally.waived + tally.pending > 0 => {
            parts.push(format!("{} compared", counted(counts.compared, "object", "objects")));
        }
        State::InSync => {
            let verb = if counts.compared == 1 { "matches" } else { "match" };
            parts.push(format!("{} {verb} Git", counted(counts.compared, "object", "objects")));
        }
        State::Unknown if counts.compared == 0 => parts.push("nothing could be compared".to_owned()),
        State::Unknown => {
            parts.push(format!(
                "no drift seen in {} of {}",
                counts.compared,
                counted(counts.declared, "object", "objects")
            ));
        }
    }
    parts.extend(tally.parts());
    if !report.scan.complete && tally.gaps == 0 && state != State::Unknown {
        parts.push("only a part was in scope".to_owned());
    }
    let sentence = format!("{}: {}", state.as_str(), parts.join("; "));
    Verdict { state, tally, parts, sentence }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::views::sample;

    fn report(findings: Vec<Finding>, gaps: usize) -> ScanReport {
        let mut report = sample::in_sync();
        report.findings = findings;
        report.gaps = sample::drifted().gaps.into_iter().cycle().take(gaps).collect();
        report.scan.complete = gaps == 0;
        report
    }

    fn with(change: impl FnOnce(&mut Finding)) -> Finding {
        let mut finding = sample::finding();
        finding.actors.clear();
        change(&mut finding);
        finding
    }

    #[test]
    fn every_finding_counts_once() {
        let actor = sample::actor;
        let cases: Vec<(Bucket, Finding)> = vec![
            (Bucket::NotFromGit, with(|f| f.cause = Some(Cause::OutOfBand))),
            (Bucket::NotFromGit, with(|f| f.cause = Some(Cause::HandRollback))),
            (Bucket::NotFromGit, with(|f| (f.code, f.cause) = (Code::Undeclared, Some(Cause::Undetermined)))),
            (
                Bucket::NotFromGit,
                with(|f| {
                    f.cause = Some(Cause::Undetermined);
                    f.actors = vec![actor("kubectl-edit", ActorKind::Interactive), actor("argocd", ActorKind::Gitops)];
                }),
            ),
            (
                Bucket::Behind,
                with(|f| {
                    f.cause = Some(Cause::Behind);
                    f.actors = vec![actor("argocd", ActorKind::Gitops), actor("kubectl-edit", ActorKind::Interactive)];
                }),
            ),
            (Bucket::Pending, with(|f| f.cause = Some(Cause::Pending))),
            (Bucket::Missing, with(|f| (f.code, f.cause) = (Code::Missing, Some(Cause::OutOfBand)))),
            (Bucket::Pending, with(|f| (f.code, f.cause) = (Code::Missing, Some(Cause::Pending)))),
            (Bucket::Other, with(|f| f.cause = Some(Cause::Undetermined))),
            (Bucket::Other, with(|f| f.cause = Some(Cause::Ahead))),
            (Bucket::Other, with(|f| (f.code, f.cause) = (Code::Conflict, None))),
            (Bucket::Unconverged, with(|f| (f.code, f.cause, f.path) = (Code::Unconverged, None, None))),
            (Bucket::LeftOver, with(|f| (f.code, f.cause, f.path) = (Code::RemovedButLive, Some(Cause::Behind), None))),
            (
                Bucket::LeftOver,
                with(|f| {
                    (f.code, f.cause, f.path) = (Code::RemovedButLive, Some(Cause::Undetermined), None);
                    f.actors = vec![actor("kubectl-edit", ActorKind::Interactive)];
                }),
            ),
            (Bucket::Pending, with(|f| (f.code, f.cause, f.path) = (Code::RemovedButLive, Some(Cause::Pending), None))),
            (
                Bucket::Unmanaged,
                with(|f| {
                    (f.code, f.cause, f.path) = (Code::Unmanaged, None, None);
                    f.actors = vec![actor("kubectl-create", ActorKind::Interactive)];
                }),
            ),
            (
                Bucket::ChangeControl,
                with(|f| {
                    (f.code, f.cause, f.path) = (Code::ChangeControl, None, None);
                    f.actors.clear();
                }),
            ),
            (Bucket::Waived, with(|f| f.waiver = Some(json!({"reason": "agreed"})))),
            (Bucket::NotLookedAt, with(|f| f.last_seen = Some(Timestamp::from_unix(1)))),
        ];
        let started = report(vec![], 0).scan.started_at;
        for (wanted, finding) in cases {
            assert_eq!(bucket(&finding, started), wanted, "{:?} {:?}", finding.code, finding.cause);
        }
    }

    #[test]
    fn says_it_in_one_sentence() {
        let by_hand = || with(|f| f.cause = Some(Cause::OutOfBand));
        let missing = || with(|f| (f.code, f.cause) = (Code::Missing, Some(Cause::OutOfBand)));
        let pending = || with(|f| f.cause = Some(Cause::Pending));
        let behind = || with(|f| f.cause = Some(Cause::Behind));
        let old = || with(|f| f.last_seen = Some(Timestamp::from_unix(1)));
        let waived = || with(|f| f.waiver = Some(json!({})));
        for (findings, gaps, wanted) in [
            (vec![], 0, "IN SYNC: 214 objects match Git"),
            (vec![pending()], 0, "IN SYNC: 214 objects compared; 1 change on its way from Git"),
            (vec![waived(), waived()], 0, "IN SYNC: 214 objects compared; 2 waived findings"),
            (vec![by_hand(), by_hand(), missing()], 0, "DRIFTED: 2 changes not from Git; 1 object missing"),
            (vec![behind(), with(|f| f.cause = None)], 2, "DRIFTED: 1 field behind Git; 1 other difference; 2 gaps"),
            (
                vec![by_hand(), with(|f| (f.code, f.cause) = (Code::Unconverged, None))],
                0,
                "DRIFTED: 1 change not from Git; 1 object not converged",
            ),
            (vec![], 1, "UNKNOWN: no drift seen in 214 of 214 objects; 1 gap"),
            (vec![old()], 1, "UNKNOWN: no drift seen in 214 of 214 objects; 1 earlier finding not looked at; 1 gap"),
            (vec![by_hand(), old()], 1, "DRIFTED: 1 change not from Git; 1 earlier finding not looked at; 1 gap"),
        ] {
            assert_eq!(sentence(&report(findings, gaps)).sentence, wanted);
        }
    }

    #[test]
    fn a_part_is_never_the_whole() {
        let mut narrowed = report(vec![], 0);
        narrowed.scan.complete = false;
        assert_eq!(sentence(&narrowed).sentence, "IN SYNC: 214 objects match Git; only a part was in scope");
        let mut nothing = report(vec![], 0);
        (nothing.scan.counts.declared, nothing.scan.counts.compared) = (0, 0);
        assert_eq!(sentence(&nothing).sentence, "UNKNOWN: nothing could be compared");
        let mut fewer = report(vec![], 0);
        fewer.scan.counts.compared = 200;
        assert_eq!(sentence(&fewer).sentence, "UNKNOWN: no drift seen in 200 of 214 objects");
    }

    #[test]
    fn subjects_have_commas() {
        let verdict = sentence(&report(vec![with(|f| f.cause = Some(Cause::OutOfBand))], 1));
        assert_eq!(verdict.with_commas(), "DRIFTED, 1 change not from Git, 1 gap");
    }
}
