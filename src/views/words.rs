//! Facts of a report in words, the same in every view. Text from outside comes back as it is: each view escapes it for where
//! it goes, [`super::escape::terminal`] at the least.

use crate::model::attribution::{Actor, DeclaredBy, LiveMatch, Origin};
use crate::model::audited::{AuditedWrite, Matched, Reverted};
use crate::model::change::{APPROVAL_NOTE, Signature};
use crate::model::finding::{Cause, Code, Finding};
use crate::model::gap::{Gap, Hides};
use crate::model::record::FindingEventKind;
use crate::model::report::{Coverage, ScanReport, TargetSummary};
use crate::model::time::Timestamp;

use super::age;
use super::escape::terminal;

/// Said wherever writers are named.
pub const ACTOR_NOTE: &str =
    "A manager's name is chosen by the client that writes: a hint, not a person and not proof.";

/// `1 object`, `2 objects`, `12,345 objects`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// With thousands set apart.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes, in the unit that makes them short: `12.3 MB`.
pub fn size(bytes: u64) -> String {
    for (unit, name) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")] {
        if bytes >= unit {
            return format!("{}.{} {name}", number(bytes / unit), bytes % unit * 10 / unit);
        }
    }
    counted(bytes, "byte", "bytes")
}

/// `Deployment shop/api`.
pub fn object(finding: &Finding) -> String {
    match &finding.namespace {
        Some(namespace) => format!("{} {namespace}/{}", finding.kind, finding.name),
        None => format!("{} {}", finding.kind, finding.name),
    }
}

/// The field, or words for the object as a whole.
pub fn path(finding: &Finding) -> String {
    finding.path.as_ref().map_or_else(|| "the whole object".to_owned(), ToString::to_string)
}

/// `prod`, or `prod and dev`, or `5 clusters`.
pub fn clusters(report: &ScanReport) -> String {
    let names: Vec<String> = report.scan.clusters.iter().map(|c| terminal(c.name.as_str())).collect();
    match names.as_slice() {
        [] => "no cluster".to_owned(),
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [a, b, c] => format!("{a}, {b} and {c}"),
        more => counted(more.len() as u64, "cluster", "clusters"),
    }
}

/// `2026-03-02 14:03:09 to 14:03:41 UTC`, and how old the live side is where it was not read then.
pub fn span(report: &ScanReport) -> String {
    let (start, end) = (report.scan.started_at, report.scan.finished_at);
    let (from, to) = (start.for_people(), end.for_people());
    let span = match (from.strip_suffix(" UTC"), to.split_once(' ')) {
        _ if start == end => from,
        (Some(from), Some((_, time))) if start.date() == end.date() => format!("{from} to {time}"),
        _ => format!("{from} to {to}"),
    };
    match age::snapshots(report) {
        Some(age) => format!("{span}, {age}"),
        None => span,
    }
}

/// One fact of the trust strip: on what the verdict rests.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fact {
    /// What it is about.
    pub label: &'static str,
    /// The fact.
    pub value: String,
    /// More, in small print.
    pub note: Option<String>,
    /// True if it weakens the verdict.
    pub weak: bool,
    /// The section of a page that says more.
    pub section: &'static str,
}

/// What happened to a finding.
pub fn event(kind: FindingEventKind) -> &'static str {
    match kind {
        FindingEventKind::Opened => "opened",
        FindingEventKind::Changed => "changed",
        FindingEventKind::Updated => "same difference, other evidence",
        FindingEventKind::Reopened => "reopened",
        FindingEventKind::Resolved => "resolved",
        FindingEventKind::OutOfScope => "out of scope",
        FindingEventKind::Unknown => "not known: its object could not be looked at",
        FindingEventKind::Known => "seen again, unchanged",
    }
}

/// What is to be told of a target besides its counts: how far behind it is, and that its revision was rewritten.
pub fn of_target(target: &TargetSummary) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(runs) = &target.runs {
        let evidence = &runs.evidence;
        notes.extend(match (&runs.commit, runs.commits_behind) {
            // Nothing lags, and nothing is to be explained.
            (Some(_), Some(0)) if target.findings == 0 => None,
            (Some(commit), Some(0)) => Some(format!("runs the tracked commit {} ({evidence})", commit.short())),
            (Some(commit), Some(behind)) => {
                let behind = counted(behind, "commit", "commits");
                Some(format!("runs {}, {behind} behind ({evidence})", commit.short()))
            }
            _ => Some(evidence.clone()),
        });
    }
    notes.extend(target.disagreement.clone());
    if let Some(rewritten) = &target.rewritten {
        let to = target.commit.as_ref().map_or("?", |commit| commit.short());
        let how = if rewritten.forced {
            "a forced push: the old commit is no longer part of it"
        } else {
            "the old commit was merged into another line"
        };
        notes.push(format!("{} was rewritten from {} to {to} ({how})", target.revision, rewritten.from.short()));
    }
    notes
}

/// The trust strip: targets, objects compared, gaps, exclusions, last complete scan, seal.
pub fn trust(report: &ScanReport) -> Vec<Fact> {
    let scan = &report.scan;
    let fact = |label, section, value: String, note: Option<String>, weak| Fact { label, value, note, weak, section };
    let stale = scan.targets.iter().filter(|t| t.stale).count() as u64;
    let missing = scan.counts.declared.saturating_sub(scan.counts.compared);
    let (last, last_note, last_weak) = match (scan.complete, scan.last_complete) {
        (true, _) => ("this scan".to_owned(), None, false),
        (false, Some(time)) => (time.for_people(), Some("this scan is partial".to_owned()), true),
        (false, None) => ("none yet".to_owned(), Some("this scan is partial".to_owned()), true),
    };
    let (seal, seal_note) = match &scan.seal {
        Some(seal) => (format!("#{}", seal.sequence), Some(format!("{}…", short_hash(&seal.hash)))),
        None => ("none".to_owned(), Some("not recorded in a ledger".to_owned())),
    };
    let (coverage, coverage_note) = match &scan.counts.coverage {
        Some(c) => (
            format!("{} of {}", number(c.declared), number(c.live)),
            Some(format!("of {}", counted(c.kinds.len() as u64, "kind", "kinds"))),
        ),
        None => ("not counted".to_owned(), None),
    };
    let mut facts = vec![
        fact(
            "targets",
            "targets",
            number(scan.targets.len() as u64),
            (stale > 0).then(|| format!("{stale} from an old mirror")),
            stale > 0,
        ),
        fact(
            "objects compared",
            "targets",
            format!("{} of {}", number(scan.counts.compared), number(scan.counts.declared)),
            (missing > 0).then(|| format!("{} unknown", number(missing))),
            missing > 0,
        ),
        fact("live objects declared", "targets", coverage, coverage_note, false),
        fact("gaps", "gaps", number(report.gaps.len() as u64), None, !report.gaps.is_empty()),
        fact("exclusions", "exclusions", number(report.exclusions.len() as u64), None, false),
        fact("last complete scan", "targets", last, last_note, last_weak),
        fact("seal", "seal", seal, seal_note, scan.seal.is_none()),
    ];
    if !scan.ignored.is_empty() {
        let rules = counted(scan.ignored.len() as u64, "rule", "rules");
        let ignored =
            fact("ignored findings", "ignored", number(super::ignored::suppressed(report)), Some(rules), false);
        facts.insert(5, ignored);
    }
    facts
}

/// `613 of 702 live objects are declared in Git, of these kinds: …`; `None` where that was not counted.
pub fn coverage(coverage: Option<&Coverage>) -> Option<String> {
    let coverage = coverage?;
    Some(format!(
        "{} of {} are declared in Git, of these kinds: {}",
        number(coverage.declared),
        counted(coverage.live, "live object", "live objects"),
        coverage.kinds.join(", ")
    ))
}

/// The trust strip on one line: `3 targets · 211 of 214 objects compared · …`.
pub fn trust_line(report: &ScanReport) -> String {
    let parts: Vec<String> = trust(report)
        .into_iter()
        .map(|fact| {
            let text = match (fact.label, fact.value.as_str()) {
                ("last complete scan", "this scan") => "this scan is complete".to_owned(),
                ("last complete scan" | "seal", value) => format!("{} {value}", fact.label),
                (label, "1") => format!("1 {}", label.trim_end_matches('s')),
                ("live objects declared", "not counted") => "live objects declared in Git: not counted".to_owned(),
                ("live objects declared", value) => format!("{value} live objects declared in Git"),
                (label, value) => format!("{value} {label}"),
            };
            match fact.note {
                Some(note) if fact.label == "seal" => format!("{text} {note}"),
                Some(note) => format!("{text} ({note})"),
                None => text,
            }
        })
        .collect();
    parts.join(" · ")
}

/// The first twelve digits of a hash.
pub fn short_hash(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// The seal in full: `#42 9f3a…` with all its digits, or that there is none.
pub fn seal(report: &ScanReport) -> String {
    match &report.scan.seal {
        Some(seal) => format!("#{} {}", seal.sequence, terminal(&seal.hash)),
        None => "none: this scan is not recorded in a ledger".to_owned(),
    }
}

/// `branch main @ 4be07d2`, without the word branch where it is not known to be one; of a range of versions `semver:^1.2 (v1.4.2) @ 4be07d2`.
pub fn revision(target: &TargetSummary) -> String {
    match &target.commit {
        Some(commit) => {
            let tag = target.tag.as_ref().map(|tag| format!(" ({tag})")).unwrap_or_default();
            format!("{}{tag} @ {}", target.revision, commit.short())
        }
        None => format!("{} (not resolved)", target.revision),
    }
}

/// `clusters/prod/shop/api.yaml:31`.
pub fn file(origin: &Origin) -> String {
    match origin.line {
        Some(line) => format!("{}:{line}", origin.file),
        None => origin.file.clone(),
    }
}

/// A field path in the pieces between which a line may break: before each step.
pub fn path_steps(path: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in path.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '.' | '[' if !quoted && at > start => {
                steps.push(path[start..at].to_owned());
                start = at;
            }
            _ => {}
        }
    }
    steps.push(path[start..].to_owned());
    steps
}

/// `4be07d2 Jane Doe`.
pub fn commit_short(by: &DeclaredBy) -> String {
    format!("{} {}", by.commit.short(), by.author)
}

/// `PR #812 (approval not verified)`.
pub fn request(by: &DeclaredBy) -> Option<String> {
    by.pull_request.as_ref().map(|request| format!("{request} ({APPROVAL_NOTE})"))
}

/// `, PR #812 (approval not verified), signature verified`: how a commit came, for the end of a line; empty where there is nothing to
/// say. That a commit is not signed stands in the full evidence only: where nobody signs, it would stand everywhere.
pub fn change(by: &DeclaredBy) -> String {
    let signed = by.signature.as_deref().filter(|state| *state != Signature::None.as_str());
    let signature = signed.map(|state| format!("signature {state}"));
    [request(by), signature].into_iter().flatten().map(|part| format!(", {part}")).collect()
}

/// `GitHub <noreply@github.com>, 2026-…`, where that is not the author.
pub fn committer(by: &DeclaredBy) -> Option<String> {
    let committer = by.committer.as_ref().filter(|other| (&other.name, &other.email) != (&by.author, &by.email))?;
    Some(format!("{} <{}>, {}", committer.name, committer.email, committer.time.for_people()))
}

/// `Reviewed-by: Priya Raman <priya@example.com>`, one for each.
pub fn trailers(by: &DeclaredBy) -> impl Iterator<Item = String> {
    by.trailers.iter().map(|trailer| format!("{}: {}", trailer.name, trailer.value))
}

/// `verified (ann@example.com, key SHA256:…)`.
pub fn signature(by: &DeclaredBy) -> Option<String> {
    let state = by.signature.as_ref()?;
    Some(match &by.signature_detail {
        Some(detail) => format!("{state} ({detail})"),
        None => state.clone(),
    })
}

/// An address that a page may link to: http or https, and nothing in it that would end an attribute or hide where it leads.
pub fn link(url: Option<&str>) -> Option<&str> {
    let plain =
        |url: &&str| url.len() <= 2_000 && url.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>`\\".contains(&b));
    url.filter(|url| url.starts_with("https://") || url.starts_with("http://")).filter(plain)
}

/// `api (Update, scale)`: how a writer wrote.
pub fn how_written(actor: &Actor) -> String {
    match &actor.subresource {
        Some(subresource) => format!("{} of {subresource}", actor.operation),
        None => actor.operation.clone(),
    }
}

/// What the commit of a finding did: of what Git does not declare, it is the one that gave it up.
pub fn commit_did(finding: &Finding) -> &'static str {
    match finding.code {
        Code::Undeclared => "given up by",
        Code::RemovedButLive => "last declared by",
        _ => "declared by",
    }
}

/// Whom the audit log names for the live value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedUser<'f> {
    /// The user's name.
    pub user: &'f str,
    /// Whether the write was this one for sure.
    pub sure: bool,
    /// Other users that it could have been as well.
    pub others: u64,
    /// Whether the manager's name says somebody else.
    pub against: bool,
}

/// Whom the audit log names for the live value; `None` where it names nobody.
pub fn logged_user(finding: &Finding) -> Option<LoggedUser<'_>> {
    let writes = finding.writes.as_deref().unwrap_or_default();
    let sure = finding.actors.first().and_then(|actor| actor.user.as_ref());
    let sure = sure.or_else(|| writes.first().filter(|w| w.matched != Matched::Candidate).map(|w| &w.user));
    if let Some(user) = sure {
        return Some(LoggedUser { user, sure: true, others: 0, against: finding.contradicted() });
    }
    let mut users: Vec<&str> = writes.iter().map(|write| write.user.as_str()).collect();
    users.sort_unstable();
    users.dedup();
    let user = users.first()?;
    Some(LoggedUser { user, sure: false, others: users.len() as u64 - 1, against: false })
}

/// `by sam@example.com (audit log)`: whom the audit log names for the live value; `None` where it names nobody.
pub fn by_audit_log(finding: &Finding) -> Option<String> {
    let LoggedUser { user, sure, others, against } = logged_user(finding)?;
    let against = if against { ", against the writer's name" } else { "" };
    Some(match (sure, others) {
        (true, _) => format!("by {user} (audit log{against})"),
        (false, 0) => format!("perhaps by {user} (audit log)"),
        (false, others) => format!("perhaps by {user} or {} (audit log)", counted(others, "other", "others")),
    })
}

/// `2026-03-02 13:51:20 UTC patch of scale by sam@example.com, kubectl/v1.34.1`.
pub fn written(write: &AuditedWrite) -> String {
    let mut text = format!("{} {}", write.time.for_people(), write.verb.as_str());
    if let Some(subresource) = &write.subresource {
        text.push_str(&format!(" of {subresource}"));
    }
    text.push_str(&format!(" by {}", write.user));
    if let Some(user) = &write.impersonated {
        text.push_str(&format!(" as {user}"));
    }
    if let Some(agent) = write.user_agent.as_deref().and_then(|agent| agent.split(' ').next()) {
        text.push_str(&format!(", {agent}"));
    }
    if let Some(addresses) = &write.source_ips {
        text.push_str(&format!(", from {}", addresses.join(", ")));
    }
    if write.contradicts {
        text.push_str(&format!(", against the manager's name {}", write.manager.as_deref().unwrap_or("(none)")));
    }
    text
}

/// The same, and why it is evidence on a finding.
pub fn write(write: &AuditedWrite) -> String {
    let candidate = if write.matched == Matched::Candidate { "candidate: " } else { "" };
    format!("{}; {candidate}{}", written(write), write.why)
}

/// What the list of writes to objects that are in sync means.
pub const REVERTED: &str =
    "in sync now, and written since the last scan by somebody else than the GitOps side and controllers";

/// `prod Deployment.apps shop/api`.
pub fn reverted(reverted: &Reverted) -> String {
    format!("{} {}", reverted.cluster, reverted.object)
}

/// `9f2c1ab Raise the limits, Jane Doe, 2026-02-27, PR #812 (approval not verified)`.
pub fn commit_line(by: &DeclaredBy) -> String {
    format!("{} {}, {}, {}{}", by.commit.short(), by.subject, by.author, by.time.date(), change(by))
}

/// `equals commit 9f2c1ab, as late as at 1a2b3c4 on main, 3 commits behind, superseded 2026-02-27`.
pub fn live_match(found: &LiveMatch) -> String {
    let mut text = match found.given_by.as_ref().filter(|given| **given != found.commit) {
        Some(given) => {
            format!("equals commit {}, as late as at {} on {}", given.short(), found.commit.short(), found.revision)
        }
        None => format!("equals commit {} on {}", found.commit.short(), found.revision),
    };
    if let Some(merge) = &found.reached_by {
        text.push_str(&format!(", only inside what merge {} brought", merge.short()));
    }
    if let Some(behind) = found.commits_behind {
        text.push_str(&format!(", {} behind", counted(behind, "commit", "commits")));
    }
    if let Some(since) = found.since {
        text.push_str(&format!(", superseded {}", since.for_people()));
    }
    text
}

/// What a finding's cause means, in a few words; `None` where it has none.
pub fn cause(finding: &Finding) -> Option<&'static str> {
    let missing = finding.code == Code::Missing;
    let removed = finding.code == Code::RemovedButLive;
    Some(match finding.cause? {
        Cause::Pending if removed => "on its way; Git gave it up, inside the grace",
        Cause::Behind if removed => "behind Git, which gave it up; it is still there",
        Cause::Pending if missing => "on its way; not there yet, inside the grace",
        Cause::Pending => "on its way; it is live as an earlier commit had it, inside the grace",
        Cause::Behind if missing => "behind Git; it was never seen live",
        Cause::Behind => "behind Git; it is live as an earlier commit had it",
        Cause::HandRollback => "set back by hand; as an earlier commit had it, and not written by the GitOps side",
        Cause::Ahead => "it is live as another tracked revision has it",
        Cause::OutOfBand if missing => "not from Git; it was live and was deleted",
        Cause::OutOfBand => "not from Git; the history at hand never had it so",
        Cause::Undetermined => "the evidence did not suffice",
    })
}

/// `first seen 2026-03-02 13:58:09 UTC, in 3 scans`; `None` without a ledger.
pub fn seen(finding: &Finding) -> Option<String> {
    let first = finding.first_seen?;
    Some(match finding.scans {
        Some(scans) => format!("first seen {}, in {}", first.for_people(), counted(scans, "scan", "scans")),
        None => format!("first seen {}", first.for_people()),
    })
}

/// `not looked at in this scan (last seen 2026-…)`, where that is so.
pub fn not_looked_at(finding: &Finding, started: Timestamp) -> Option<String> {
    let seen = finding.last_seen.filter(|seen| *seen < started)?;
    Some(format!("not looked at in this scan; last seen {}", seen.for_people()))
}

/// Where a gap is: target or cluster, then place.
pub fn gap_place(gap: &Gap) -> String {
    let scope = match (&gap.target, &gap.cluster) {
        (Some(target), _) => Some(format!("target {target}")),
        (None, Some(cluster)) => Some(format!("cluster {cluster}")),
        (None, None) => None,
    };
    match (scope, &gap.place) {
        (Some(scope), Some(place)) => format!("{scope}, {place}"),
        (Some(scope), None) => scope,
        (None, Some(place)) => place.clone(),
        (None, None) => "the scan".to_owned(),
    }
}

/// What a gap hides.
pub fn hides(gap: &Gap) -> String {
    match &gap.hides {
        Hides::Target => "everything the target declares".to_owned(),
        Hides::File { file } => format!("what {file} declares"),
        Hides::Kind { kind, namespace: Some(namespace) } => format!("every {kind} in {namespace}"),
        Hides::Kind { kind, namespace: None } => format!("every {kind}"),
        Hides::Undeclared { kind } => format!("every {kind} that Git does not declare"),
        Hides::Objects { objects } => match objects.as_slice() {
            [] => "no object by name".to_owned(),
            [one] => one.to_string(),
            [one, two] => format!("{one} and {two}"),
            [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
        },
        Hides::Cluster => "everything in the cluster".to_owned(),
        Hides::Evidence => "evidence only: commits or writers, not the difference itself".to_owned(),
    }
}

/// What this scan changed, in one line; says so for a ledger's first scan.
pub fn changes(report: &ScanReport) -> String {
    let changes = &report.scan.changes;
    if changes.first_scan {
        return "first scan of this ledger: no earlier history".to_owned();
    }
    let parts: Vec<String> = [
        (changes.new.len(), "new"),
        (changes.reopened.len(), "reopened"),
        (changes.changed.len(), "changed"),
        (changes.resolved.len(), "resolved"),
        (changes.out_of_scope.len(), "out of scope"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", number(count as u64)))
    .collect();
    if parts.is_empty() {
        "nothing changed since the last scan".to_owned()
    } else {
        format!("since the last scan: {}", parts.join(", "))
    }
}

/// Normalisations by rule: `empty-map ×12`.
pub fn normalised(report: &ScanReport) -> Vec<(String, u64)> {
    report.scan.counts.normalised.iter().map(|(rule, count)| (rule.clone(), *count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::Severity;
    use crate::model::ids::CommitId;
    use crate::model::report::Runs;
    use crate::views::sample;

    #[test]
    fn a_link_leads_where_it_says_or_is_none() {
        for (url, linked) in [
            ("https://github.com/acme/shop/pull/1", true),
            ("http://git.example.com/a/b/commit/1", true),
            ("javascript:alert(1)", false),
            ("https://git.example.com/\"onclick=", false),
            ("https://git.example.com/\u{202e}a", false),
            ("https://git.example.com/ a", false),
        ] {
            assert_eq!(link(Some(url)).is_some(), linked, "{url}");
        }
        assert_eq!(link(None), None);
    }

    #[test]
    fn a_range_of_versions_is_shown_with_its_tag() {
        let mut target = sample::drifted().scan.targets.remove(0);
        assert_eq!(revision(&target), "main @ 8c1f3de");
        (target.revision, target.tag) = (crate::model::ids::Revision::new("semver:^1.2"), Some("v1.4.2".to_owned()));
        assert_eq!(revision(&target), "semver:^1.2 (v1.4.2) @ 8c1f3de");
    }

    #[test]
    fn how_a_commit_came_is_said_with_what_it_does_not_prove() {
        let mut by = sample::finding().declared_by.expect("a commit");
        assert_eq!(change(&by), ", PR #418 (approval not verified), signature verified");
        (by.pull_request, by.signature) = (None, Some("none".to_owned()));
        assert_eq!(change(&by), "");
    }

    #[test]
    fn what_a_target_runs_is_said_where_it_lags_or_something_differs() {
        let mut target = sample::drifted().scan.targets.remove(0);
        let mut said = |commit: Option<u64>, findings: u64| {
            target.findings = findings;
            target.runs = Some(Runs {
                commit: commit.map(|_| CommitId::new("9f2c1ab00")),
                commits_behind: commit,
                evidence: "Application argocd/shop says it synced 9f2c1ab".into(),
            });
            of_target(&target)
        };
        let says = "Application argocd/shop says it synced 9f2c1ab";
        assert_eq!(said(Some(4), 0), [format!("runs 9f2c1ab, 4 commits behind ({says})")]);
        assert_eq!(said(Some(0), 2), [format!("runs the tracked commit 9f2c1ab ({says})")]);
        assert_eq!(said(Some(0), 0), [""; 0]);
        assert_eq!(said(None, 0), [says]);
    }

    #[test]
    fn numbers_are_set_apart() {
        for (n, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(n), shown);
        }
    }

    #[test]
    fn the_trust_strip_says_what_the_verdict_rests_on() {
        assert_eq!(
            trust_line(&sample::drifted()),
            "3 targets · 211 of 214 objects compared (3 unknown) · \
             613 of 702 live objects declared in Git (of 4 kinds) · 2 gaps · 3 exclusions · 3 ignored findings (4 rules) · \
             last complete scan 2026-03-02 13:58:09 UTC (this scan is partial) · seal #42 9f3ab4d2c17e…"
        );
        let weak: Vec<_> = trust(&sample::in_sync()).into_iter().filter(|f| f.weak).collect();
        assert_eq!(weak, []);
    }

    #[test]
    fn the_audit_log_names_somebody_or_perhaps_somebody() {
        let finding = |users: &[&str], matched, contradicts| {
            let mut finding = sample::finding();
            finding.actors.clear();
            let write = finding.writes.take().and_then(|mut writes| writes.pop()).expect("a write");
            let of = |user: &&str| AuditedWrite { user: (*user).into(), matched, contradicts, ..write.clone() };
            finding.writes = Some(users.iter().map(of).collect());
            finding
        };
        for (users, matched, contradicts, expected) in [
            (&["sam"][..], Matched::Field, false, Some("by sam (audit log)")),
            (&["sam"], Matched::Object, false, Some("by sam (audit log)")),
            (&["sam"], Matched::Field, true, Some("by sam (audit log, against the writer's name)")),
            (&["sam", "sam"], Matched::Candidate, false, Some("perhaps by sam (audit log)")),
            (&["sam", "kim", "ada"], Matched::Candidate, false, Some("perhaps by ada or 2 others (audit log)")),
            (&[], Matched::Candidate, false, None),
        ] {
            assert_eq!(by_audit_log(&finding(users, matched, contradicts)).as_deref(), expected);
        }
        assert_eq!(by_audit_log(&Finding { writes: None, actors: vec![], ..sample::finding() }), None);
    }

    #[test]
    fn time_is_said_once() {
        let mut report = sample::in_sync();
        assert_eq!(span(&report), "2026-03-02 14:03:09 to 14:03:41 UTC");
        report.scan.finished_at = Timestamp::from_unix(report.scan.started_at.unix() + 86_400);
        assert_eq!(span(&report), "2026-03-02 14:03:09 UTC to 2026-03-03 14:03:09 UTC");
    }

    #[test]
    fn the_sample_is_worst_first() {
        let severities: Vec<Severity> = sample::drifted().findings.iter().map(|f| f.severity).collect();
        assert!(severities.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, shown) in [(0, "0 bytes"), (999, "999 bytes"), (1_540, "1.5 kB"), (12_345_678, "12.3 MB")] {
            assert_eq!(size(bytes), shown);
        }
    }
}
