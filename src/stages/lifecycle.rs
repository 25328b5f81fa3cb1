//! What a scan's findings mean for those that were open before: new, changed, resolved, unknown.
//!
//! Nothing is resolved that was not looked at. A finding whose object a gap hides becomes unknown; one that the configuration no
//! longer covers becomes out of scope.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::beyond::{self, Ending, LookedBeyond};
use super::change_policy::CommitStanding;
use crate::model::audited::Matched;
use crate::model::finding::{Code, Finding};
use crate::model::fingerprint;
use crate::model::gap::{Gap, Hides};
use crate::model::ids::{ClusterName, TargetName};
use crate::model::record::{FindingEvent, FindingEventKind, ObjectChange, ObjectState, OpenFinding, PriorState};
use crate::model::report::{Changes, ClosedFinding};
use crate::model::resource::ObjectId;
use crate::model::secret::RedactionKey;
use crate::stages::converge;

/// What a scan looked at.
#[derive(Debug, Default)]
pub struct Looked {
    /// Targets in the scan's scope.
    pub targets: BTreeSet<TargetName>,
    /// Targets in the configuration, in scope or not.
    pub configured_targets: BTreeSet<TargetName>,
    /// Whether others than the written ones are among them.
    pub discovers: bool,
    /// Targets whose objects' convergence is not looked at.
    pub convergence_off: BTreeSet<TargetName>,
    /// Clusters in the configuration.
    pub configured_clusters: BTreeSet<ClusterName>,
    /// Every declared object: what was found out about it and which target declares it.
    pub objects: BTreeMap<(ClusterName, ObjectId), (ObjectState, TargetName)>,
    /// Declared objects that the configuration leaves out of the comparison.
    pub excluded: BTreeSet<(ClusterName, ObjectId)>,
    /// Open findings where Git now declares what was live: fingerprints.
    pub adopted: BTreeSet<String>,
    /// Differences that ignore rules cover: fingerprints and the rules' reasons.
    pub ignored: BTreeMap<String, String>,
    /// What was looked at beyond the declared objects, by cluster.
    pub beyond: BTreeMap<ClusterName, LookedBeyond>,
    /// Targets in the configuration that have a change policy.
    pub policies: BTreeSet<TargetName>,
    /// How commits stand that open findings are about, by fingerprint, where they are no findings now.
    pub commits: BTreeMap<String, CommitStanding>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// The outcome.
#[derive(Debug, Default)]
pub struct Lifecycle {
    /// For the ledger.
    pub events: Vec<FindingEvent>,
    /// For people.
    pub changes: Changes,
    /// Objects whose state changed.
    pub objects: Vec<ObjectChange>,
    /// Open findings that this scan could not look at.
    pub unknown: Vec<Finding>,
}

/// Compares this scan's findings with what was open before.
pub fn lifecycle(found: &[Finding], looked: &Looked, prior: &PriorState, key: &RedactionKey) -> Lifecycle {
    let mut out = Lifecycle::default();
    out.changes.first_scan = prior.last_scan.is_none();
    let mut seen = BTreeSet::new();
    for finding in found {
        seen.insert(finding.fingerprint.as_str());
        appear(finding, prior, key, &mut out);
    }
    for (print, open) in &prior.open {
        if !seen.contains(print.as_str()) {
            disappear(open, looked, &mut out);
        }
    }
    object_changes(looked, prior, &mut out);
    out
}

fn appear(finding: &Finding, prior: &PriorState, key: &RedactionKey, out: &mut Lifecycle) {
    let live = match finding.code {
        Code::Unconverged => &converge::finding::content(finding),
        _ => &finding.live,
    };
    let content = fingerprint::of_content(
        &finding.fingerprint,
        finding.code,
        finding.cause,
        finding.declared.as_ref(),
        live.as_ref(),
        key,
    );
    let kind = match prior.open.get(&finding.fingerprint) {
        Some(open) if open.content != content => Some(FindingEventKind::Changed),
        Some(open) if !open.known => Some(FindingEventKind::Known),
        Some(open) if !same_evidence(&open.finding, finding) => Some(FindingEventKind::Updated),
        Some(_) => None,
        None if prior.closed.contains_key(&finding.fingerprint) => Some(FindingEventKind::Reopened),
        None => Some(FindingEventKind::Opened),
    };
    match kind {
        Some(FindingEventKind::Opened) => out.changes.new.push(finding.id.clone()),
        Some(FindingEventKind::Reopened) => out.changes.reopened.push(finding.id.clone()),
        Some(FindingEventKind::Changed) => out.changes.changed.push(finding.id.clone()),
        _ => {}
    }
    if let Some(kind) = kind {
        let target = finding.origin.as_ref().map(|o| o.target.clone());
        out.events.push(FindingEvent { kind, finding: finding.clone(), content, target, how: None });
    }
}

/// Whether nothing but the tracked commit, the line and the counted times changed.
fn same_evidence(before: &Finding, now: &Finding) -> bool {
    let bare = |finding: &Finding| {
        let mut bare = finding.clone();
        (bare.first_seen, bare.last_seen, bare.scans) = (None, None, None);
        if let Some(origin) = &mut bare.origin {
            origin.commit = crate::model::ids::CommitId::new("");
        }
        if let Some(matched) = &mut bare.live_matches {
            matched.commits_behind = None;
        }
        // Candidates come and go with every write to the object.
        let candidate = bare.writes.iter().flatten().any(|write| write.matched == Matched::Candidate);
        if let Some(writes) = &mut bare.writes {
            writes.retain(|write| write.matched != Matched::Candidate);
        }
        (bare, candidate)
    };
    bare(before) == bare(now)
}

enum End {
    Resolved(&'static str),
    OutOfScope(Cow<'static, str>),
    Unknown,
    NotLookedAt,
}

fn disappear(open: &OpenFinding, looked: &Looked, out: &mut Lifecycle) {
    let finding = &open.finding;
    let (kind, how) = match end(open, looked) {
        End::Resolved(how) => (FindingEventKind::Resolved, Some(how.into())),
        End::OutOfScope(how) => (FindingEventKind::OutOfScope, Some(how)),
        End::Unknown => {
            out.unknown.push(finding.clone());
            if !open.known {
                return;
            }
            (FindingEventKind::Unknown, None)
        }
        End::NotLookedAt => {
            out.unknown.push(finding.clone());
            return;
        }
    };
    if let Some(how) = &how {
        let closed = ClosedFinding { id: finding.id.clone(), title: title(finding), how: String::from(how.clone()) };
        match kind {
            FindingEventKind::Resolved => out.changes.resolved.push(closed),
            _ => out.changes.out_of_scope.push(closed),
        }
    }
    out.events.push(FindingEvent {
        kind,
        finding: finding.clone(),
        content: open.content.clone(),
        target: open.target.clone(),
        how: how.map(String::from),
    });
}

fn end(open: &OpenFinding, looked: &Looked) -> End {
    let finding = &open.finding;
    if !looked.configured_clusters.contains(&finding.cluster) {
        return End::OutOfScope("its cluster is no longer configured".into());
    }
    if let Some(reason) = looked.ignored.get(&finding.fingerprint) {
        return End::OutOfScope(format!("an ignore rule covers it: {reason}").into());
    }
    if finding.code == Code::ChangeControl {
        return end_of_commit(open, looked);
    }
    if matches!(finding.code, Code::RemovedButLive | Code::Unmanaged) {
        return end_beyond(finding, looked);
    }
    let key = (finding.cluster.clone(), finding.object());
    if let Some((state, _)) = looked.objects.get(&key) {
        return match state {
            ObjectState::Unknown => End::Unknown,
            ObjectState::Missing => End::Resolved("the object no longer exists live"),
            _ if finding.code == Code::Unconverged => match &open.target {
                Some(target) if looked.convergence_off.contains(target) => {
                    End::OutOfScope("its convergence is no longer looked at".into())
                }
                _ => End::Resolved("the object has converged"),
            },
            _ if looked.adopted.contains(&finding.fingerprint) => {
                End::Resolved("Git was changed to match live, after the fact")
            }
            ObjectState::InSync | ObjectState::Drifted | ObjectState::Undeclared => {
                End::Resolved("live equals Git again")
            }
        };
    }
    if looked.excluded.contains(&key) {
        return End::OutOfScope("its kind is no longer compared".into());
    }
    match &open.target {
        Some(target) if !looked.configured_targets.contains(target) => without_target(looked),
        Some(target) if !looked.targets.contains(target) => End::NotLookedAt,
        _ if looked.gaps.iter().any(|gap| could_hide(gap, open)) => End::Unknown,
        _ => End::Resolved("Git no longer declares the object"),
    }
}

/// How a finding ends that is about a commit: never by itself, for the commit was on the revision.
fn end_of_commit(open: &OpenFinding, looked: &Looked) -> End {
    match looked.commits.get(&open.finding.fingerprint) {
        Some(CommitStanding::Fulfils) => return End::Resolved("the commit fulfils the change policy"),
        Some(CommitStanding::Gone) => return End::Resolved("the commit is no longer on the revision"),
        Some(CommitStanding::PolicyChanged) => {
            return End::OutOfScope("the change policy no longer asks for what it breaks".into());
        }
        Some(CommitStanding::Unknown) => return End::Unknown,
        None => {}
    }
    match &open.target {
        Some(target) if !looked.configured_targets.contains(target) => without_target(looked),
        Some(target) if !looked.policies.contains(target) => {
            End::OutOfScope("its target no longer has a change policy".into())
        }
        Some(target) if !looked.targets.contains(target) => End::NotLookedAt,
        _ => End::Unknown,
    }
}

/// How a finding ends whose target is none any more. What names targets may be in what could not be read.
fn without_target(looked: &Looked) -> End {
    let may_name = |gap: &Gap| matches!(gap.hides, Hides::Target | Hides::File { .. } | Hides::Cluster);
    if looked.discovers && looked.gaps.iter().any(may_name) {
        return End::Unknown;
    }
    End::OutOfScope("its target is no longer configured".into())
}

/// How a finding ends that is about an object which no target declares.
fn end_beyond(finding: &Finding, looked: &Looked) -> End {
    let hides_all = |gap: &Gap| gap.hides == Hides::Cluster && gap.cluster.as_ref() == Some(&finding.cluster);
    if looked.excluded.contains(&(finding.cluster.clone(), finding.object())) {
        return End::Resolved("Git declares the object");
    }
    match looked.beyond.get(&finding.cluster).map(|beyond| beyond::end(finding, beyond)) {
        None => End::NotLookedAt,
        Some(Ending::Resolved(how)) => End::Resolved(how),
        Some(_) if looked.gaps.iter().any(hides_all) => End::Unknown,
        Some(Ending::OutOfScope(how)) => End::OutOfScope(how.into()),
        Some(Ending::Unknown) => End::Unknown,
        Some(Ending::NotLookedAt) => End::NotLookedAt,
    }
}

/// Whether a gap could hide the declaration of the finding's object. An object may have moved to a file that cannot be read, so
/// any unread file of its cluster's targets could.
fn could_hide(gap: &Gap, open: &OpenFinding) -> bool {
    let here = gap.cluster.as_ref().is_none_or(|c| *c == open.finding.cluster);
    here && matches!(gap.hides, Hides::Target | Hides::File { .. } | Hides::Cluster)
}

fn object_changes(looked: &Looked, prior: &PriorState, out: &mut Lifecycle) {
    for (key, (state, target)) in &looked.objects {
        if prior.objects.get(key) != Some(state) {
            let (cluster, object) = key.clone();
            out.objects.push(ObjectChange { cluster, object, state: *state, target: Some(target.clone()) });
        }
    }
    let whole = looked.targets == looked.configured_targets
        && !looked.gaps.iter().any(|g| matches!(g.hides, Hides::Target | Hides::File { .. } | Hides::Cluster));
    let mut gone: Vec<_> =
        prior.objects.iter().filter(|(_, state)| whole && **state != ObjectState::Undeclared).collect();
    gone.retain(|(key, _)| !looked.objects.contains_key(key) && !looked.excluded.contains(key));
    gone.sort_unstable_by_key(|(key, _)| *key);
    for ((cluster, object), _) in gone {
        let (cluster, object) = (cluster.clone(), object.clone());
        out.objects.push(ObjectChange { cluster, object, state: ObjectState::Undeclared, target: None });
    }
}

/// `prod Deployment.apps shop/api .spec.replicas`.
pub fn title(finding: &Finding) -> String {
    let path = finding.path.as_ref().map(|p| format!(" {p}")).unwrap_or_default();
    format!("{} {}{path}", finding.cluster, finding.object())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::attribution::Origin;
    use crate::model::audited::AuditedWrite;
    use crate::model::change::{Change, Person, Signature};
    use crate::model::gap::GapKind;
    use crate::model::ids::{CommitId, RepositoryName, Revision};
    use crate::model::time::Timestamp;
    use crate::stages::change_policy;

    #[test]
    fn candidates_of_an_audit_log_that_come_and_go_are_no_news() {
        let write = |user: &str, matched: &str| -> AuditedWrite {
            serde_json::from_value(json!({
                "time": "2026-03-02T14:03:09Z", "verb": "patch", "subresource": null, "user": user, "impersonated": null, "groups": [],
                "userAgent": null, "sourceIPs": null, "code": 200, "manager": null, "matched": matched, "why": "", "contradicts": false
            }))
            .unwrap()
        };
        let finding = |writes: Option<Vec<AuditedWrite>>| -> Finding {
            let value = json!({
                "id": "F-1", "code": "DL001", "class": "changed", "cause": null, "severity": "high", "fingerprint": "", "cluster": "c",
                "apiVersion": "v1", "kind": "Service", "namespace": "a", "name": "b", "path": ".spec", "declared": 1, "live": 2,
                "origin": null, "declaredBy": null, "liveMatches": null, "actors": [], "firstSeen": null, "lastSeen": null,
                "scans": null, "waiver": null, "method": "", "note": null
            });
            Finding { writes, ..serde_json::from_value(value).unwrap() }
        };
        let (alice, bob) = (|| write("alice", "candidate"), || write("bob", "candidate"));
        let matched = || write("alice", "field");
        for (case, before, now, same) in [
            ("another candidate", Some(vec![alice()]), Some(vec![bob(), alice()]), true),
            ("the first candidate", Some(vec![]), Some(vec![alice()]), false),
            ("a match in place of a candidate", Some(vec![alice()]), Some(vec![matched()]), false),
            ("a match that stays", Some(vec![matched()]), Some(vec![matched()]), true),
            ("a log where there was none", None, Some(vec![]), false),
        ] {
            assert_eq!(same_evidence(&finding(before), &finding(now)), same, "{case}");
        }
    }

    fn open_commit() -> OpenFinding {
        let person = Person { name: "Ada".into(), email: "a@b".into(), time: Timestamp::from_unix(0) };
        let change = Change {
            commit: CommitId::new("4be07d2"),
            author: person.clone(),
            committer: person,
            subject: "Raise".into(),
            body: String::new(),
            trailers: Vec::new(),
            parents: Vec::new(),
            signature: Signature::None,
        };
        let target = TargetName::new("shop");
        let origin = Origin {
            target: target.clone(),
            repository: RepositoryName::new("r"),
            revision: Revision::new("main"),
            commit: CommitId::new("tip"),
            file: ".".into(),
            line: None,
            renderer: None,
        };
        let finding = change_policy::finding(&ClusterName::new("prod"), origin, &change, &["it is no merge".into()]);
        OpenFinding {
            finding,
            content: String::new(),
            target: Some(target),
            known: true,
            opened_at: Timestamp::from_unix(0),
        }
    }

    #[test]
    fn a_finding_on_a_commit_never_ends_because_nobody_looked() {
        let open = open_commit();
        let shop = || [TargetName::new("shop")].into_iter().collect::<BTreeSet<_>>();
        let all = || Looked {
            targets: shop(),
            configured_targets: shop(),
            policies: shop(),
            configured_clusters: [ClusterName::new("prod")].into_iter().collect(),
            ..Looked::default()
        };
        let standing = |standing| Looked {
            commits: [(open.finding.fingerprint.clone(), standing)].into_iter().collect(),
            ..all()
        };
        for (case, looked, expected) in [
            ("the revision did not resolve", all(), "unknown"),
            ("the commit could not be read", standing(CommitStanding::Unknown), "unknown"),
            ("out of the scan's scope", Looked { targets: BTreeSet::new(), ..all() }, "not looked at"),
            ("a key became known", standing(CommitStanding::Fulfils), "resolved"),
            ("the revision was rewritten", standing(CommitStanding::Gone), "resolved"),
            ("another policy", standing(CommitStanding::PolicyChanged), "out of scope"),
            ("no policy", Looked { policies: BTreeSet::new(), ..all() }, "out of scope"),
            ("no target", Looked { configured_targets: BTreeSet::new(), ..all() }, "out of scope"),
            (
                "a target that may be named in what was not read",
                Looked {
                    configured_targets: BTreeSet::new(),
                    discovers: true,
                    gaps: vec![Gap::new(GapKind::Fetch, "no", Hides::Target)],
                    ..all()
                },
                "unknown",
            ),
            (
                "a target that nothing names any more",
                Looked { configured_targets: BTreeSet::new(), discovers: true, ..all() },
                "out of scope",
            ),
            ("no cluster", Looked { configured_clusters: BTreeSet::new(), ..all() }, "out of scope"),
        ] {
            let ended = match end(&open, &looked) {
                End::Resolved(_) => "resolved",
                End::OutOfScope(_) => "out of scope",
                End::Unknown => "unknown",
                End::NotLookedAt => "not looked at",
            };
            assert_eq!(ended, expected, "{case}");
        }
    }
}
