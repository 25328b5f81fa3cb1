use crate::model::history::CommitInfo;
use crate::stages::object_history::ObjectVersion;
use serde_json::{Value, json};

use super::*;
use crate::model::attribution::Origin;
use crate::model::declared::DeclaredObject;
use crate::model::gap::GapKind;
use crate::model::ids::{CommitId, RepositoryName, Revision, TargetName};
use crate::model::resource::Gvk;
use crate::model::time::Timestamp;
use crate::stages::object_history::ObjectHistory;
use crate::stages::owner::Owner;

fn id(kind: &str, name: &str) -> ObjectId {
    ObjectId { group: String::new(), kind: kind.into(), namespace: Some("shop".into()), name: name.into() }
}

fn former(kind: &str, name: &str, file: &str) -> Former {
    let origin = Origin {
        target: TargetName::new("t"),
        repository: RepositoryName::new("r"),
        revision: Revision::new("main"),
        commit: CommitId::new("0".repeat(40)),
        file: file.into(),
        line: None,
        renderer: None,
    };
    let object =
        DeclaredObject { id: id(kind, name), gvk: Gvk::new("v1", kind), origin, written: None, json: "{}".into() };
    Former { object, commits_behind: 3 }
}

fn seen(is_gitops: bool) -> LiveOnly {
    LiveOnly { api_version: "v1".into(), owner: Owner { name: Some("X".into()), is_gitops }, actors: Vec::new() }
}

fn version(behind: u64, value: Option<Value>) -> ObjectVersion {
    let commit = CommitInfo {
        id: CommitId::new(format!("{behind:040}")),
        author: "Ada".into(),
        email: "ada@example.com".into(),
        time: Timestamp::from_unix(1_000_000),
        subject: format!("commit {behind}"),
        parents: 1,
    };
    let last = (commit.id.clone(), behind);
    ObjectVersion { commit: commit.into(), commits_behind: behind, last, value: value.map(Into::into), readable: true }
}

fn evidence(whole: bool, versions: Vec<ObjectVersion>) -> Evidence {
    let mut history = ObjectHistory { versions, whole, ..ObjectHistory::default() };
    history.settle(None);
    Evidence { history, elsewhere: Vec::new() }
}

fn removed(is_gitops: bool, evidence: &Evidence, seen_first: Option<(u64, i64)>, doubt: Option<&str>) -> Removed {
    removed_with(is_gitops, evidence, seen_first, doubt, &[])
}

fn removed_with(
    is_gitops: bool,
    evidence: &Evidence,
    seen_first: Option<(u64, i64)>,
    doubt: Option<&str>,
    applied: &[u64],
) -> Removed {
    let revision = Revision::new("main");
    let sightings: Vec<_> = seen_first.into_iter().map(|(n, time)| (n, Timestamp::from_unix(time))).collect();
    let around = Circumstances {
        revision: &revision,
        sightings: &sightings,
        now: Timestamp::from_unix(10_000),
        grace_seconds: 600,
        seen_live: true,
        applied,
    };
    let leftover = (seen(is_gitops), former("ConfigMap", "a", "f.yaml"));
    of_leftover(&ClusterName::new("prod"), &id("ConfigMap", "a"), &leftover, evidence, &around, doubt)
}

#[test]
fn the_cause_of_a_removed_object_and_the_commits_behind_it() {
    let gone = || {
        let content = |n: i64| Some(json!({"data": {"n": n}}));
        evidence(
            true,
            vec![
                version(1, None),
                version(3, None),
                version(5, content(2)),
                version(7, content(2)),
                version(9, content(1)),
            ],
        )
    };
    for (case, is_gitops, first_seen, doubt, cause) in [
        ("the removal was just pushed", true, None, None, Cause::Pending),
        ("long removed, and the GitOps side keeps it", true, Some((3, 1_000)), None, Cause::Behind),
        ("only a commit before the removal was seen long ago", true, Some((4, 1_000)), None, Cause::Pending),
        ("long removed, kept by nobody known", false, Some((3, 1_000)), None, Cause::Undetermined),
        ("another file cannot be read", true, Some((3, 1_000)), Some("x.yaml:1"), Cause::Undetermined),
    ] {
        let Removed::Finding(finding) = removed(is_gitops, &gone(), first_seen, doubt) else { panic!("{case}") };
        assert_eq!((finding.code, finding.cause), (Code::RemovedButLive, Some(cause)), "{case}");
        let note = finding.note.unwrap();
        assert!(note.starts_with("removed from Git by 0000000 (Ada, 1970-01-12"), "{note}");
        assert!(note.contains("commit 3; last declared in f.yaml; seems to be managed by X"), "{note}");
        assert_eq!(note.contains("x.yaml:1"), doubt.is_some(), "{note}");
        assert_eq!(finding.declared_by.unwrap().subject, "commit 7", "the one that gave it its last content");
        assert!(finding.origin.is_none());
    }
}

#[test]
fn an_operator_that_did_not_apply_the_removal_yet_is_the_gitops_side() {
    let content = Some(json!({"data": {}}));
    let gone = evidence(true, vec![version(3, None), version(5, content)]);
    for (case, applied, expected) in [
        ("nothing is said", vec![], Cause::Undetermined),
        ("a commit before the removal", vec![4], Cause::Behind),
        ("the removal itself", vec![3], Cause::Undetermined),
        ("a later commit", vec![0], Cause::Undetermined),
    ] {
        let Removed::Finding(finding) = removed_with(false, &gone, Some((3, 1_000)), None, &applied) else {
            panic!("{case}")
        };
        assert_eq!(finding.cause, Some(expected), "{case}");
    }
}

#[test]
fn what_only_a_merged_line_declared_is_told_with_the_commits_and_the_merge() {
    let inside = |value: Value, next: Option<u64>| {
        let mut evidence = evidence(true, vec![version(0, None)]);
        let commit = |n| version(n, None).commit;
        let version = ObjectVersion { commits_behind: 2, last: (commit(8).id.clone(), 2), ..version(7, Some(value)) };
        let inside = InsideVersion { version, merge: commit(2), next: next.map(commit), line: 0 };
        evidence.history.inside.versions.push(inside);
        evidence
    };
    for (case, next, removed_by, reached_by) in
        [("the line took it away", Some(6), "commit 6", true), ("the merge left it out", None, "commit 2", false)]
    {
        let found = removed(true, &inside(json!({"data": {}}), next), Some((0, 1_000)), None);
        let Removed::Finding(finding) = found else { panic!("{case}") };
        let note = finding.note.unwrap_or_default();
        assert!(note.contains("it was declared only inside what merge 0000000 brought"), "{note}");
        let by = finding.removed_by.expect(case);
        assert_eq!((by.subject.as_str(), by.reached_by.is_some()), (removed_by, reached_by), "{case}");
        let last = finding.declared_by.expect(case);
        assert_eq!((last.subject.as_str(), last.reached_by.is_some()), ("commit 7", true), "{case}");
    }
    let kept = json!({"metadata": {"annotations": {"helm.sh/resource-policy": "keep"}}});
    assert_eq!(removed(true, &inside(kept, None), None, None), Removed::Kept(Off::Removing));
}

#[test]
fn git_may_say_that_it_stays_and_a_name_may_never_have_been_declared() {
    let with = |key: &str, value: &str| {
        let object = json!({"metadata": {"annotations": {key: value}}});
        removed(true, &evidence(true, vec![version(1, None), version(2, Some(object))]), None, None)
    };
    assert_eq!(with("helm.sh/resource-policy", "keep"), Removed::Kept(Off::Removing));
    assert_eq!(with("argocd.argoproj.io/sync-options", "Prune=false"), Removed::Kept(Off::Removing));
    assert_eq!(with("helm.sh/hook", "post-install"), Removed::Kept(Off::Hook));
    assert!(matches!(with("kluctl.io/ignore-diff", "true"), Removed::Finding(_)));
    assert!(matches!(with("a", "b"), Removed::Finding(_)));
    assert_eq!(removed(true, &evidence(true, vec![version(1, None)]), None, None), Removed::Never);
    let cut = removed(true, &evidence(false, vec![version(1, None)]), None, None);
    assert!(matches!(&cut, Removed::Finding(finding) if finding.declared_by.is_none()), "{cut:?}");
}

fn beyond(names: &[(&str, &str)]) -> Beyond {
    let leftovers = names
        .iter()
        .map(|(name, file)| (id("ConfigMap", name), (seen(true), former("ConfigMap", name, file))))
        .collect();
    Beyond { leftovers, unmanaged: [(id("Role", "r"), seen(false))].into(), ..Beyond::default() }
}

#[test]
fn a_file_that_cannot_be_read_accuses_nothing_of_its_own() {
    let gap = |hides| Gap::new(GapKind::Parse, "broken", hides).of_target(&TargetName::new("t")).at("x.yaml:3");
    for (case, hides, left, unmanaged, withheld) in [
        ("its own file", Hides::File { file: "f.yaml".into() }, &["b"][..], 0, 2),
        ("another file", Hides::File { file: "x.yaml".into() }, &["a", "b"], 0, 1),
        ("the whole target", Hides::Target, &[], 0, 3),
        ("evidence only", Hides::Evidence, &["a", "b"], 1, 0),
    ] {
        let mut beyond = beyond(&[("a", "f.yaml"), ("b", "g.yaml")]);
        assert_eq!(beyond.withhold(&[gap(hides)]), withheld, "{case}");
        let names: Vec<_> = beyond.leftovers.keys().map(|id| id.name.as_str()).collect();
        assert_eq!((names.as_slice(), beyond.unmanaged.len()), (left, unmanaged), "{case}");
        assert_eq!(beyond.doubt.is_some(), case != "evidence only");
    }
}

#[test]
fn an_earlier_generation_runs_until_the_declared_one_is_there_and_is_left_over_after() {
    let old = [("app-5fdm9b2hkt", "f.yaml"), ("app-2g2k8t9m6f", "f.yaml"), ("db-2g2k8t9m6f", "f.yaml")];
    let declared = id("ConfigMap", "app-7k7k7k7k7k");
    let mut waiting = beyond(&old);
    waiting.pair_generations(&[declared.clone()].into());
    assert_eq!(waiting.leftovers.keys().map(|id| id.name.as_str()).collect::<Vec<_>>(), ["db-2g2k8t9m6f"]);
    let note = waiting.generations_note(&declared).unwrap();
    assert_eq!(note, "its earlier generation is still live: app-2g2k8t9m6f, app-5fdm9b2hkt");
    let mut there = beyond(&old);
    there.pair_generations(&BTreeSet::new());
    assert_eq!(there.leftovers.len(), 3);
    let mut plain = beyond(&[("app", "f.yaml")]);
    plain.pair_generations(&[id("ConfigMap", "app")].into());
    assert_eq!(plain.leftovers.len(), 1, "no generated name");
}

#[test]
fn an_open_finding_ends_only_by_what_was_looked_at() {
    let role = || ObjectId { group: "rbac.authorization.k8s.io".into(), ..id("Role", "r") };
    let open = |code: Code| {
        let live = LiveOnly { api_version: "rbac.authorization.k8s.io/v1".into(), ..seen(false) };
        bare(&ClusterName::new("prod"), &role(), &live, code)
    };
    let looked = || LookedBeyond {
        asked: true,
        whole: [role().group_kind()].into(),
        whole_history: true,
        ..LookedBeyond::default()
    };
    let live = |mut looked: LookedBeyond| {
        looked.open = [(role(), true)].into();
        looked
    };
    let off = Audit::nothing();
    use Code::{RemovedButLive as R, Unmanaged as U};
    let rows: Vec<(&str, Code, LookedBeyond, &str)> = vec![
        ("gone", U, looked(), "resolved"),
        ("gone", R, looked(), "resolved"),
        ("declared", R, LookedBeyond { declared: Arc::new([role()].into()), ..looked() }, "resolved"),
        (
            "declared, in a scan that asks nothing",
            U,
            LookedBeyond { declared: Arc::new([role()].into()), asked: false, ..looked() },
            "resolved",
        ),
        ("not asked", U, LookedBeyond { asked: false, ..looked() }, "not looked at"),
        (
            "a gap hides its kind",
            U,
            LookedBeyond { whole: BTreeSet::new(), hidden: [role().group_kind()].into(), ..looked() },
            "unknown",
        ),
        (
            "its kind is served no more",
            R,
            LookedBeyond { whole: BTreeSet::new(), unserved: [role().group_kind()].into(), ..looked() },
            "resolved",
        ),
        ("its kind is not read", U, LookedBeyond { whole: BTreeSet::new(), ..looked() }, "out of scope"),
        (
            "live, and the audit no longer covers it",
            U,
            live(LookedBeyond { audit: off.clone(), ..looked() }),
            "out of scope",
        ),
        ("live, and a target's gap forbids to say it", U, live(LookedBeyond { doubtful: true, ..looked() }), "unknown"),
        (
            "live, and the history no longer reaches back",
            R,
            live(LookedBeyond { whole_history: false, ..looked() }),
            "unknown",
        ),
        ("live, and Git says it may stay", R, live(looked()), "out of scope"),
        ("live, and a child now", U, LookedBeyond { open: [(role(), false)].into(), ..looked() }, "out of scope"),
        ("removed objects are not looked for", R, live(LookedBeyond { audit: off, ..looked() }), "out of scope"),
    ];
    for (case, code, looked, expected) in rows {
        let ending = match end(&open(code), &looked) {
            Ending::Resolved(_) => "resolved",
            Ending::OutOfScope(_) => "out of scope",
            Ending::Unknown => "unknown",
            Ending::NotLookedAt => "not looked at",
        };
        assert_eq!(ending, expected, "{case} ({code})");
    }
}
