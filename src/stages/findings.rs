//! From verdicts and evidence to findings, as every output shows them.

use std::collections::BTreeMap;

use crate::model::declared::DeclaredObject;
use crate::model::field_path::FieldPath;
use crate::model::finding::{Code, Finding, Severity};
use crate::model::fingerprint;
use crate::model::ids::ClusterName;
use crate::model::resource::ObjectId;
use crate::model::schema::SchemaRef;
use crate::model::secret::redaction_note;

use super::attribute::{self, Circumstances, Elsewhere};
use super::beside::Past;
use super::converge;
use super::declare::Conflict;
use super::judge::Verdict;
use super::object_history::ObjectHistory;
use super::unserved::Unserved;

/// The evidence on one declared object.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Its past on the tracked revision.
    pub history: ObjectHistory,
    /// What other tracked revisions declare of it now.
    pub elsewhere: Vec<Elsewhere>,
}

/// The findings of an object that is live.
pub fn of_verdict(
    cluster: &ClusterName,
    object: &DeclaredObject,
    verdict: &Verdict,
    schema: Option<SchemaRef<'_>>,
    evidence: &Evidence,
    around: &Circumstances<'_>,
) -> Vec<Finding> {
    let live = verdict.live.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let past = Past::new(&evidence.history, &live, schema);
    verdict
        .judgements
        .iter()
        .enumerate()
        .map(|(at, judgement)| {
            let difference = &judgement.difference;
            let attributed = attribute::difference(judgement, at, &past, &evidence.elsewhere, around);
            let mut finding =
                of_object(cluster, object, difference.code, Some(difference.path.clone()), &verdict.method);
            finding.declared = difference.declared.clone();
            finding.live = difference.live.clone();
            finding.actors = judgement.actors.clone();
            finding.declared_by = attributed.declared_by;
            finding.live_matches = attributed.live_matches;
            finding.cause = attributed.cause;
            finding.note = join(difference.note.as_deref(), attributed.note.as_deref());
            let hidden = redaction_note(finding.declared.as_ref(), finding.live.as_ref());
            finding.note = join(hidden.as_deref(), finding.note.as_deref());
            finding
        })
        .collect()
}

/// DL004: declared and not live, after a complete LIST and one more look.
pub fn of_missing(
    cluster: &ClusterName,
    object: &DeclaredObject,
    evidence: &Evidence,
    around: &Circumstances<'_>,
) -> Finding {
    let attributed = attribute::missing(&evidence.history, around);
    let mut finding = of_object(cluster, object, Code::Missing, None, "not in a complete LIST of its kind");
    finding.declared_by = attributed.declared_by;
    finding.cause = attributed.cause;
    finding.note = attributed.note;
    finding
}

/// DL008: a kind or version that the cluster does not serve.
pub fn of_unserved(cluster: &ClusterName, object: &DeclaredObject, served: &Unserved, evidence: &Evidence) -> Finding {
    let mut finding = of_object(cluster, object, Code::UnservedKind, None, "not in the cluster's complete discovery");
    finding.declared_by = evidence.history.object_by();
    finding.note = Some(served.note(&object.id.group_kind()));
    finding
}

/// DL010: declared more than once, with different content.
pub fn of_conflict(cluster: &ClusterName, conflict: &Conflict, evidence: &Evidence) -> Finding {
    let mut finding = of_object(cluster, &conflict.kept, Code::Conflict, None, "declarations compared with each other");
    finding.declared_by = evidence.history.object_by();
    let others: Vec<String> =
        conflict.others.iter().map(|o| format!("{}:{} (target {})", o.file, o.line.unwrap_or(1), o.target)).collect();
    finding.note =
        Some(format!("also declared, with other content, in {}; the last declaration is compared", others.join(", ")));
    finding
}

pub(super) fn of_object(
    cluster: &ClusterName,
    object: &DeclaredObject,
    code: Code,
    path: Option<FieldPath>,
    method: &str,
) -> Finding {
    let mut finding = blank(cluster, &object.id, object.gvk.gv.api_version(), code, path);
    finding.origin = Some(object.origin.clone());
    method.clone_into(&mut finding.method);
    finding
}

/// A finding of which only what it is about is known.
pub(super) fn blank(
    cluster: &ClusterName,
    object: &ObjectId,
    api_version: String,
    code: Code,
    path: Option<FieldPath>,
) -> Finding {
    let fingerprint = fingerprint::of_object(cluster, object, path.as_ref());
    Finding {
        id: fingerprint::finding_id(&fingerprint),
        code,
        class: code.class().to_owned(),
        cause: None,
        severity: Severity::Low,
        fingerprint,
        cluster: cluster.clone(),
        api_version,
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        path,
        declared: None,
        live: None,
        origin: None,
        declared_by: None,
        removed_by: None,
        live_matches: None,
        actors: Vec::new(),
        writes: None,
        first_seen: None,
        last_seen: None,
        scans: None,
        waiver: None,
        method: String::new(),
        note: None,
    }
}

/// One finding for each fingerprint, the first one kept: an object that is declared twice and also missing, or two generated names
/// with one base, are one finding to follow. What is folded into it is named in its note.
pub fn one_each(found: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::with_capacity(found.len());
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for finding in found {
        match places.get(&finding.fingerprint) {
            Some(place) => {
                let first = &mut kept[*place];
                let note = finding.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
                let says = converge::finding::says(&finding).map(|says| format!(", {says}")).unwrap_or_default();
                let also = format!("also {} ({}{says}) on {}{note}", finding.code, finding.class, finding.object());
                first.note = join(first.note.as_deref(), Some(&also));
            }
            None => {
                places.insert(finding.fingerprint.clone(), kept.len());
                kept.push(finding);
            }
        }
    }
    kept
}

/// Two notes in one.
pub fn join(first: Option<&str>, second: Option<&str>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}; {second}")),
        (first, second) => first.or(second).map(str::to_owned),
    }
}
