//! What a cluster holds beyond the declared objects: DL005 (Git declared it once) and DL006 (nothing ever did), what may be said of
//! either while something could not be read, and how their findings end.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::attribute::{self, Circumstances};
use super::findings::{self, Evidence};
use super::former::Former;
use super::inside::InsideVersion;
use super::live_only::LiveOnly;
use super::opt_outs::{self, Off};
use crate::config::audit::Audit;
use crate::model::attribution::DeclaredBy;
use crate::model::finding::{Cause, Code, Finding};
use crate::model::fingerprint;
use crate::model::gap::{Gap, Hides};
use crate::model::ids::ClusterName;
use crate::model::moves;
use crate::model::resource::{GroupKind, ObjectId};

/// What a cluster holds beyond the declared objects.
#[derive(Debug, Default)]
pub struct Beyond {
    /// What Git once declared, by what is live.
    pub leftovers: BTreeMap<ObjectId, (LiveOnly, Former)>,
    /// What is audited and nothing declares.
    pub unmanaged: BTreeMap<ObjectId, LiveOnly>,
    /// Live earlier generations of declared objects that are missing: names that differ in nothing but the generated hash.
    pub generations: BTreeMap<ObjectId, Vec<String>>,
    /// A target's gap because of which causes of DL005 are not known.
    pub doubt: Option<String>,
    /// How far back the targets' histories were looked at, for people.
    pub history: String,
    /// What was looked at.
    pub looked: LookedBeyond,
}

/// What was looked at beyond the declared objects, so that nothing is resolved that was not.
#[derive(Clone, Debug, Default)]
pub struct LookedBeyond {
    /// Whether it was looked at all: not where a scan leaves out some of the cluster's targets.
    pub asked: bool,
    /// What is audited.
    pub audit: Audit,
    /// Kinds all of whose objects were read.
    pub whole: BTreeSet<GroupKind>,
    /// Kinds that were to be read, and of which a gap hides some.
    pub hidden: BTreeSet<GroupKind>,
    /// Kinds that the cluster serves no more.
    pub unserved: BTreeSet<GroupKind>,
    /// What was open and is live and undeclared still; false for what has become a child or the cluster's own.
    pub open: BTreeMap<ObjectId, bool>,
    /// What the targets declare.
    pub declared: Arc<HashSet<ObjectId>>,
    /// Whether a target's gap could hide a declaration.
    pub doubtful: bool,
    /// Whether the histories were looked at to their beginnings.
    pub whole_history: bool,
}

/// Whether a gap could hide what a target declares.
pub fn hides_declarations(gap: &Gap) -> bool {
    matches!(gap.hides, Hides::Target | Hides::File { .. })
}

impl Beyond {
    /// Takes back what may not be said. Returns how many objects that are.
    ///
    /// A file that cannot be read may declare what it declared before; nothing of it is accused. While any file of the cluster's
    /// targets cannot be read, nothing is called unmanaged, and why a removed object still runs is not known.
    pub fn withhold(&mut self, gaps: &[Gap]) -> u64 {
        let hiding: Vec<&Gap> = gaps.iter().filter(|gap| hides_declarations(gap)).collect();
        let Some(first) = hiding.first() else { return 0 };
        self.doubt = Some(first.place.clone().unwrap_or_else(|| first.message.clone()));
        self.looked.doubtful = true;
        let before = self.leftovers.len() + self.unmanaged.len();
        self.unmanaged.clear();
        self.leftovers.retain(|_, (_, former)| {
            let origin = &former.object.origin;
            !hiding.iter().any(|gap| {
                gap.target.as_ref() == Some(&origin.target)
                    && match &gap.hides {
                        Hides::File { file } => *file == origin.file,
                        _ => true,
                    }
            })
        });
        (before - self.leftovers.len()) as u64
    }

    /// Of objects with a generated hash in their name, the earlier generation is not left over as long as the declared one is missing:
    /// it is what runs.
    pub fn pair_generations(&mut self, missing: &BTreeSet<ObjectId>) {
        let base = |id: &ObjectId| {
            let name = fingerprint::stable_name(id);
            (name != id.name).then(|| (id.group_kind(), id.namespace.clone(), name.to_owned()))
        };
        let awaited: BTreeMap<_, &ObjectId> = missing.iter().filter_map(|id| Some((base(id)?, id))).collect();
        let generations = &mut self.generations;
        self.leftovers.retain(|id, _| match base(id).and_then(|base| awaited.get(&base)) {
            Some(declared) => {
                generations.entry((*declared).clone()).or_default().push(id.name.clone());
                false
            }
            None => true,
        });
    }

    /// The objects that something is said about.
    pub fn is_empty(&self) -> bool {
        self.leftovers.is_empty() && self.unmanaged.is_empty()
    }

    /// What to say besides of a missing object whose earlier generation is live.
    pub fn generations_note(&self, missing: &ObjectId) -> Option<String> {
        let names = self.generations.get(missing)?;
        Some(format!("its earlier generation is still live: {}", names.join(", ")))
    }
}

/// What comes of a live object that Git once declared.
#[derive(Debug, PartialEq)]
pub enum Removed {
    /// DL005.
    Finding(Box<Finding>),
    /// Git itself says that it may stay.
    Kept(Off),
    /// Its file's history, known as a whole, never declared it.
    Never,
}

/// DL005: removed from Git and still live.
pub fn of_leftover(
    cluster: &ClusterName,
    live: &ObjectId,
    (seen, former): &(LiveOnly, Former),
    evidence: &Evidence,
    around: &Circumstances<'_>,
    doubt: Option<&str>,
) -> Removed {
    let history = &evidence.history;
    let gone = history.versions.iter().take_while(|version| version.value.is_none()).count();
    let removal = gone.checked_sub(1).and_then(|last| history.versions.get(last));
    let last = history.versions.get(gone);
    let inside = if last.is_none() { history.inside.newest(|_, version| version.value.is_some()) } else { None };
    let is_whole = history.whole && !history.inside.unread;
    if last.is_none() && inside.is_none() && is_whole && !history.versions.is_empty() {
        return Removed::Never;
    }
    let declared = last.or(inside.map(|inside| &inside.version));
    let off = declared.and_then(|version| version.value.as_ref()).and_then(|value| {
        let kept = |off: &Off| matches!(off, Off::Hook | Off::Removing | Off::Noticing | Off::Deploying);
        opt_outs::of(value).map(|(_, _, off)| off).find(kept)
    });
    if let Some(off) = off {
        return Removed::Kept(off);
    }
    let mut finding = bare(cluster, live, seen, Code::RemovedButLive);
    "in the history of the cluster's targets, in no target now, and in a LIST of its kind"
        .clone_into(&mut finding.method);
    finding.declared_by =
        history.object_last.and_then(|last| history.by(last, None)).or_else(|| inside.map(InsideVersion::by));
    let since = removal.filter(|_| inside.is_none());
    let since = since.map_or(former.commits_behind, |removal| removal.commits_behind);
    let (cause, why) = match doubt {
        Some(place) => (
            Cause::Undetermined,
            Some(format!(
                "not all that the cluster's targets declare could be read ({place}): it may be declared there"
            )),
        ),
        None => match attribute::pending_or_behind(since, around) {
            // An operator that has not applied the removal yet is the GitOps side, whoever wrote the object.
            Cause::Behind if !(seen.owner.is_gitops || around.applied.iter().any(|behind| *behind > since)) => {
                (Cause::Undetermined, Some("nothing shows that the GitOps side keeps it".to_owned()))
            }
            cause => (cause, None),
        },
    };
    finding.cause = Some(cause);
    let file = &former.object.origin.file;
    let by = match inside {
        Some(inside) => Some(inside.ended_by()),
        None => gone.checked_sub(1).and_then(|removal| history.by(removal, None)),
    };
    let last_in = match last.filter(|_| finding.declared_by.is_none()) {
        Some(last) => format!("{file}, as late as at {}", last.last.0.short()),
        None => file.clone(),
    };
    let removed = by.as_ref().map(|by| format!("removed from Git by {}; last declared in {last_in}", commit(by)));
    let removed = removed.unwrap_or_else(|| format!("removed from Git, last declared in {file}"));
    let only = inside.map(|inside| format!("it was declared {}", inside.words()));
    finding.note = Some(join([Some(removed), only, managed_by(seen), why]));
    finding.removed_by = by;
    Removed::Finding(Box::new(finding))
}

/// DL006: live in an audited scope, and no target declares it.
pub fn of_unmanaged(cluster: &ClusterName, live: &ObjectId, seen: &LiveOnly, history: &str) -> Finding {
    let mut finding = bare(cluster, live, seen, Code::Unmanaged);
    "in a LIST of its kind, in no target and in no target's history at hand".clone_into(&mut finding.method);
    finding.note =
        Some(join([Some(format!("no target of the cluster declares it, nor did {history}")), managed_by(seen)]));
    finding
}

/// How an open finding ends whose object no target declares; `None` if that cannot be said.
pub fn end(open: &Finding, looked: &LookedBeyond) -> Ending {
    let id = open.object();
    let now = moves::object_now(&id);
    let kind = moves::kind_now(&id.group_kind());
    if looked.declared.contains(now.as_ref()) {
        return Ending::Resolved("Git declares the object");
    }
    if open.code == Code::RemovedButLive && !looked.audit.removed {
        return Ending::OutOfScope("objects that were removed from Git are no longer looked for");
    }
    if !looked.asked {
        return Ending::NotLookedAt;
    }
    match looked.open.get(now.as_ref()) {
        Some(false) => return Ending::OutOfScope("it belongs to another object now, or is the cluster's own"),
        Some(true) => {
            let namespace = id.namespace.as_deref();
            let audited = looked.audit.covers(&id.group_kind(), namespace)
                && looked.audit.exclusion(&id.group_kind(), namespace, &id.name).is_none();
            return match open.code {
                Code::RemovedButLive if looked.doubtful || !looked.whole_history => Ending::Unknown,
                Code::RemovedButLive => {
                    Ending::OutOfScope("no target's history declares it, or Git says that it may stay")
                }
                _ if !audited => Ending::OutOfScope("the audit no longer covers it"),
                _ => Ending::Unknown,
            };
        }
        None => {}
    }
    if looked.whole.contains(&kind) {
        Ending::Resolved("the object no longer exists live")
    } else if looked.unserved.contains(&kind) {
        Ending::Resolved("the cluster no longer serves its kind")
    } else if looked.hidden.contains(&kind) {
        Ending::Unknown
    } else {
        Ending::OutOfScope("its kind is no longer read")
    }
}

/// How an open finding ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was looked at and is gone.
    Resolved(&'static str),
    /// The configuration no longer covers it.
    OutOfScope(&'static str),
    /// A gap hides it.
    Unknown,
    /// The scan left it out.
    NotLookedAt,
}

/// `4be07d2 (Ada Adams, 2026-03-02 …): Remove the worker`.
fn commit(by: &DeclaredBy) -> String {
    format!("{} ({}, {}): {}", by.commit.short(), by.author, by.time.for_people(), by.subject)
}

fn managed_by(seen: &LiveOnly) -> Option<String> {
    seen.owner.name.as_ref().map(|name| format!("seems to be managed by {name}"))
}

fn join<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn bare(cluster: &ClusterName, live: &ObjectId, seen: &LiveOnly, code: Code) -> Finding {
    let mut finding = findings::blank(cluster, live, seen.api_version.clone(), code, None);
    finding.actors.clone_from(&seen.actors);
    finding
}

#[cfg(test)]
#[path = "beyond_tests.rs"]
mod tests;
