//! Beyond the declared objects: which further kinds are read, what each LIST is to be sorted for, and what that came to.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::kind::{KindOutcome, Wanted};
use super::reading::ClusterReading;
use crate::config::audit::Audit;
use crate::model::discovery::{Discovery, ServedKind, preferred};
use crate::model::former::Past;
use crate::model::gap::{Exclusion, Gap, GapKind, Hides};
use crate::model::moves;
use crate::model::report::Coverage;
use crate::model::resource::{GroupKind, Gvk, ObjectId};
use crate::stages::declare::TargetPlace;
use crate::stages::former::{self, Former};
use crate::stages::live_only::{Names, Sorted, Watch};

/// What is asked of a cluster besides its declared objects.
#[derive(Clone, Default)]
pub struct Asked {
    /// What is audited.
    pub audit: Audit,
    /// What the targets once declared.
    pub pasts: Vec<(TargetPlace, Past)>,
    /// Objects that an earlier scan found live and undeclared.
    pub open: BTreeSet<ObjectId>,
    /// What could not be read of the declared side.
    pub gaps: Vec<Gap>,
    /// Why nothing is asked, where that is so.
    pub left_out: Option<&'static str>,
}

/// The kinds to read, with their declared objects.
pub type ByKind = BTreeMap<Gvk, (ServedKind, Wanted)>;

/// How far the reading of what is beyond has come.
#[derive(Default)]
pub struct Progressing {
    names: Arc<Names>,
    former: BTreeMap<ObjectId, Former>,
    sorted: Sorted,
    coverage: Coverage,
    /// Kinds that are audited by default and that a dump does not hold.
    not_dumped: Vec<String>,
}

/// Adds the kinds to read besides the declared ones, and says for each what it is to be sorted for.
pub fn plan(
    reading: &mut ClusterReading,
    discovery: &Discovery,
    asked: &Asked,
    is_dump: bool,
    secrets: bool,
    by_kind: &mut ByKind,
) -> (Progressing, BTreeMap<Gvk, Watch>) {
    let names = names(reading, discovery, asked);
    let audit = if asked.left_out.is_some() { Audit::nothing() } else { asked.audit.clone() };
    let looked = &mut reading.beyond.looked;
    looked.asked = asked.left_out.is_none();
    looked.audit = asked.audit.clone();
    looked.declared = names.0.declared.clone();

    let wanted = wanted_kinds(&names.0, discovery, &audit, secrets);
    say_what_is_not_audited(reading, discovery, &names.0, &audit, secrets);
    let mut watches = BTreeMap::new();
    let read: BTreeSet<GroupKind> = by_kind.keys().map(|gvk| moves::kind_now(&gvk.group_kind())).collect();
    let names = (Arc::new(names.0), names.1);
    for kind in wanted.iter().chain(read.iter().filter(|kind| !wanted.contains(kind))) {
        // A kind that is read in several versions is sorted in one of them.
        let among = |served: &&ServedKind| moves::kind_now(&served.gvk.group_kind()) == *kind;
        let here = preferred_of(kind, by_kind.values().map(|(served, _)| served).filter(among));
        let served =
            here.or_else(|| preferred_of(kind, discovery.kinds().filter(|k| k.listable).filter(among))).cloned();
        let Some(served) = served else {
            not_served(kind, &names.0, reading, discovery, is_dump);
            continue;
        };
        watches.insert(served.gvk.clone(), Watch::new(&served.gvk, names.0.clone(), &audit));
        by_kind.entry(served.gvk.clone()).or_insert_with(|| (served, Wanted::new()));
    }
    (Progressing { names: names.0, former: names.1, ..Progressing::default() }, watches)
}

fn names(reading: &ClusterReading, discovery: &Discovery, asked: &Asked) -> (Names, BTreeMap<ObjectId, Former>) {
    let now = |id: &ObjectId| moves::object_now(id).into_owned();
    let declared: HashSet<ObjectId> = reading.objects.keys().chain(&reading.excluded).map(now).collect();
    let former = match asked.left_out {
        Some(_) => BTreeMap::new(),
        None => former::place(&asked.pasts, discovery, &declared),
    };
    let sought = reading.unserved.iter().filter(|(_, unserved)| unserved.read_as.is_some()).map(|(id, _)| now(id));
    let open = if asked.left_out.is_some() { BTreeSet::new() } else { asked.open.iter().map(now).collect() };
    let names = Names {
        former: former.keys().cloned().collect(),
        sought: sought.collect(),
        generated: reading.generated.iter().map(now).collect(),
        declared: Arc::new(declared),
        open,
    };
    (names, former)
}

/// The kinds that somebody asks for, by the names that they have now.
fn wanted_kinds(names: &Names, discovery: &Discovery, audit: &Audit, secrets: bool) -> BTreeSet<GroupKind> {
    let of = |ids: &BTreeSet<ObjectId>| ids.iter().map(ObjectId::group_kind).collect::<BTreeSet<_>>();
    let mut wanted = of(&names.former);
    wanted.extend(of(&names.open));
    wanted.extend(of(&names.sought));
    for kind in discovery.kinds().filter(|kind| kind.listable) {
        let group_kind = kind.gvk.group_kind();
        if audit.by_default(&group_kind) || audit.by_choice(&group_kind, kind.namespaced) {
            wanted.insert(moves::kind_now(&group_kind));
        }
    }
    wanted.retain(|kind| secrets || !kind.is_secret());
    wanted
}

/// What was asked for and is not looked at: Secrets without a yes, and patterns of kinds that nothing served fits.
fn say_what_is_not_audited(
    reading: &mut ClusterReading,
    discovery: &Discovery,
    names: &Names,
    audit: &Audit,
    secrets: bool,
) {
    let secret = GroupKind::new("", "Secret");
    let mut say = |what: String, reason: &str| {
        let (scope, reason) = (reading.summary.name.to_string(), reason.to_owned());
        reading.exclusions.push(Exclusion { scope, what, reason, count: None });
    };
    let former = names.former.iter().any(|id| id.group_kind().is_secret());
    if !secrets && (former || audit.by_choice(&secret, true)) {
        say("Secrets that Git does not declare".into(), "`secrets: true` is not set for the cluster");
    }
    let served: Vec<GroupKind> = discovery.kinds().map(|kind| kind.gvk.group_kind()).collect();
    for pattern in audit.unmatched(&served) {
        say(
            format!("live objects of the kind {pattern}"),
            "the cluster serves no kind that `audit.unmanaged.kinds` means by it",
        );
    }
}

/// The kind's present group before one that it moved from, and then the preferred version.
fn preferred_of<'a>(kind: &GroupKind, served: impl Iterator<Item = &'a ServedKind>) -> Option<&'a ServedKind> {
    let served: Vec<&ServedKind> = served.collect();
    let present = || served.iter().copied().filter(|served| served.gvk.gv.group == kind.group);
    preferred(present()).or_else(|| preferred(served.iter().copied()))
}

/// A kind of former objects that cannot be listed: nothing of it can be live, or nothing is known of it.
fn not_served(kind: &GroupKind, names: &Names, reading: &mut ClusterReading, discovery: &Discovery, is_dump: bool) {
    let broken = discovery.broken().any(|gv| gv.group == kind.group);
    if discovery.whole && !broken {
        reading.beyond.looked.unserved.insert(kind.clone());
        return;
    }
    reading.beyond.looked.hidden.insert(kind.clone());
    let objects: Vec<ObjectId> =
        names.former.iter().chain(&names.open).filter(|id| id.group_kind() == *kind).cloned().collect();
    if objects.is_empty() {
        return;
    }
    let message = if is_dump {
        format!("nothing is known of {kind}, which Git once declared: the dump holds no object and no definition of it")
    } else {
        format!("whether {kind}, which Git once declared, is served is not known: its API group does not answer")
    };
    reading.gaps.push(Gap::new(GapKind::Discovery, message, Hides::Objects { objects }).at(kind.to_string()));
}

/// Takes in what the LIST of one kind was sorted into.
pub fn take(outcome: &mut KindOutcome, is_dump: bool, reading: &mut ClusterReading, progress: &mut Progressing) {
    if outcome.watch.is_none() {
        return;
    }
    let group_kind = outcome.kind.gvk.group_kind();
    let kind = moves::kind_now(&group_kind);
    let hides_kind = |gap: &Gap| matches!(gap.hides, Hides::Kind { .. } | Hides::Cluster);
    let hidden = outcome.gaps.iter().any(hides_kind);
    let sorted = std::mem::take(&mut outcome.found.sorted);
    let looked = &mut reading.beyond.looked;
    let asked_by_name = |names: &BTreeSet<ObjectId>| names.iter().any(|id| id.group_kind() == kind);
    let awaited = asked_by_name(&progress.names.former) || asked_by_name(&progress.names.open);
    let audited = looked.asked
        && (looked.audit.by_default(&group_kind) || looked.audit.by_choice(&group_kind, outcome.kind.namespaced));
    if outcome.everything && !hidden {
        looked.whole.insert(kind);
        progress.coverage.add(&Coverage {
            live: sorted.could_be_declared(),
            declared: sorted.declared,
            set_aside: sorted.set_aside(),
            kinds: vec![group_kind.to_string()],
        });
    } else {
        looked.hidden.insert(kind);
        let by_choice = looked.audit.by_choice(&group_kind, outcome.kind.namespaced);
        if is_dump && hidden && outcome.wanted.is_empty() && !awaited && !by_choice {
            // Whoever made the dump chose its kinds; what watches doors by default asks for no more.
            outcome.gaps.clear();
            progress.not_dumped.push(group_kind.to_string());
        } else if !hidden && (awaited || audited) {
            let message =
                format!("{group_kind} cannot be listed in the whole cluster: only what is declared was looked at");
            let gap = Gap::new(GapKind::Forbidden, message, Hides::Undeclared { kind: group_kind.clone() });
            outcome.gaps.push(gap.at(group_kind.to_string()));
        }
    }
    progress.sorted.append(sorted);
}

/// What all of it came to.
pub fn finish(reading: &mut ClusterReading, asked: &Asked, progress: Progressing) {
    let Progressing { mut former, sorted, coverage, not_dumped, .. } = progress;
    for (id, unserved) in &mut reading.unserved {
        let now = moves::object_now(id);
        let read = unserved.read_as.as_ref().map(|kind| moves::kind_now(&kind.gvk.group_kind()));
        unserved.lives = match read {
            Some(_) if sorted.sought.contains(now.as_ref()) => Some(true),
            Some(kind) => reading.beyond.looked.whole.contains(&kind).then_some(false),
            None => unserved.lives,
        };
    }
    let cluster = reading.summary.name.to_string();
    let mut exclude = |scope: &str, what: String, reason: &str, count: Option<u64>| {
        if count != Some(0) {
            reading.exclusions.push(Exclusion { scope: scope.to_owned(), what, reason: reason.to_owned(), count });
        }
    };
    if let Some(reason) = asked.left_out {
        exclude(&cluster, "live objects that Git does not declare".into(), reason, None);
        return;
    }
    if !not_dumped.is_empty() {
        let reason = format!("the dump holds none of these kinds: {}", not_dumped.join(", "));
        exclude(&cluster, "live objects that Git does not declare".into(), &reason, None);
    }
    for (reason, count) in &sorted.known {
        exclude(&cluster, "live objects of the cluster's own".into(), reason, Some(*count));
    }
    exclude(
        &cluster,
        "live objects that belong to others".into(),
        "made and kept by their controllers",
        Some(sorted.children),
    );
    for (reason, count) in &sorted.excluded {
        exclude(&cluster, "live objects that Git does not declare".into(), reason, Some(*count));
    }
    let mut cuts = Vec::new();
    for (place, past) in asked.pasts.iter().filter(|_| asked.audit.removed) {
        if let Some(cut) = &past.cut {
            let back_to = cut.back_to.as_ref().map(|commit| format!("{} ({})", commit.id.short(), commit.time.date()));
            let back_to = back_to.unwrap_or_else(|| "an unknown commit".to_owned());
            exclude(place.target.as_str(), format!("what was removed from Git before {back_to}"), cut.why, None);
            cuts.push(back_to);
        }
        if let Some(why) = past.inside_cut {
            exclude(place.target.as_str(), "a part of what stood only inside merges".into(), why, None);
        }
        let what = "earlier versions of files".to_owned();
        exclude(
            place.target.as_str(),
            what,
            "they cannot be read: what they declared is not known",
            Some(past.unreadable),
        );
    }
    let beyond = &mut reading.beyond;
    beyond.history = match cuts.as_slice() {
        _ if !asked.audit.removed => "anything that was read (the history was not)".to_owned(),
        [] => "its targets' history".to_owned(),
        [one] => format!("its targets' history back to {one}"),
        _ => "its targets' history, as far back as it was looked at".to_owned(),
    };
    beyond.looked.whole_history = asked.pasts.iter().all(|(_, past)| past.is_whole());
    beyond.looked.open = sorted.open;
    beyond.unmanaged = sorted.unmanaged;
    for (id, seen) in sorted.former {
        if let Some(former) = former.remove(moves::object_now(&id).as_ref()) {
            beyond.leftovers.insert(id, (seen, former));
        }
    }
    beyond.pair_generations(&reading.missing);
    let withheld = beyond.withhold(&asked.gaps);
    let doubtful = beyond.looked.doubtful;
    if withheld > 0 {
        reading.exclusions.push(Exclusion {
            scope: cluster,
            what: "live objects that no target read declares".into(),
            reason: "not all that the cluster's targets declare could be read: nothing is said of them".into(),
            count: Some(withheld),
        });
    }
    reading.summary.coverage = (!doubtful && !coverage.kinds.is_empty()).then_some(coverage);
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
