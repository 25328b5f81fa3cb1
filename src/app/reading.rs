//! What reading a cluster came to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::declared::DeclaredObject;
use crate::model::discovery::{Discovery, Resources};
use crate::model::gap::{Exclusion, Gap, GapKind, Hides};
use crate::model::ids::ClusterName;
use crate::model::report::ClusterSummary;
use crate::model::resource::ObjectId;
use crate::model::schema::Schemas;
use crate::stages::autoscale::Autoscalers;
use crate::stages::beyond::Beyond;
use crate::stages::converge::Unconverged;
use crate::stages::declare::{Conflict, Declared};
use crate::stages::former::Former;
use crate::stages::ignore::{Ignored, Ignores};
use crate::stages::judge::Verdict;
use crate::stages::normalise::Applied;
use crate::stages::operators::Operators;
use crate::stages::opt_outs::{self, Off};
use crate::stages::unserved::Unserved;

/// What a cluster's reading came to.
#[derive(Debug)]
pub struct ClusterReading {
    /// The cluster.
    pub summary: ClusterSummary,
    /// Every declared object that is compared.
    pub objects: BTreeMap<ObjectId, Arc<DeclaredObject>>,
    /// DL010.
    pub conflicts: Vec<Conflict>,
    /// Objects that differ, by identity.
    pub drifted: BTreeMap<ObjectId, Verdict>,
    /// Objects that say of themselves that they do not get where their spec wants them.
    pub unconverged: BTreeMap<ObjectId, Unconverged>,
    /// Objects that are not live.
    pub missing: BTreeSet<ObjectId>,
    /// Objects of kinds that are not served, with what is.
    pub unserved: BTreeMap<ObjectId, Unserved>,
    /// What is live beyond the declared objects.
    pub beyond: Beyond,
    /// Objects that a gap hides.
    pub unknown: BTreeSet<ObjectId>,
    /// What the names of declared objects with `generateName` begin with.
    pub generated: BTreeSet<ObjectId>,
    /// Declared objects that are not compared by choice.
    pub excluded: BTreeSet<ObjectId>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// What was chosen not to be read.
    pub exclusions: Vec<Exclusion>,
    /// The ignore rules.
    pub ignores: Arc<Ignores>,
    /// What ignore rules did inside objects.
    pub ignored: BTreeMap<ObjectId, Ignored>,
    /// What was normalised away.
    pub applied: Applied,
    /// The schemas that were used.
    pub schemas: Arc<Schemas>,
    /// The kinds by their names in URLs.
    pub resources: Resources,
    /// What its GitOps operators say of what they applied.
    pub operators: Operators,
}

impl ClusterReading {
    /// The objects that something is to be said about, in order.
    pub fn in_question(&self) -> impl Iterator<Item = &DeclaredObject> {
        self.objects.values().map(Arc::as_ref).filter(|object| {
            let id = &object.id;
            self.drifted.contains_key(id)
                || self.unconverged.contains_key(id)
                || self.missing.contains(id)
                || self.unserved.contains_key(id)
                || self.conflicts.iter().any(|c| c.kept.id == *id)
        })
    }

    /// What Git once declared and is live still.
    pub fn former(&self) -> impl Iterator<Item = &Former> {
        self.beyond.leftovers.values().map(|(_, former)| former)
    }

    /// Before anything live is known.
    pub(super) fn new(cluster: &ClusterName, source: &str, discovery: &Discovery, declared: Declared) -> Self {
        let mut exclusions = Vec::new();
        let mut exclude = |what: &str, reason: &str, count: u64| {
            if count > 0 {
                let scope = cluster.to_string();
                exclusions.push(Exclusion { scope, what: what.into(), reason: reason.into(), count: Some(count) });
            }
        };
        exclude("objects with generateName", "each apply makes a new one: none can be followed", declared.unnamed);
        exclude("second declarations", "equal to the first one", declared.duplicates);
        Self {
            summary: ClusterSummary {
                name: cluster.clone(),
                uid: discovery.cluster_uid.clone(),
                version: discovery.version.clone(),
                source: source.to_owned(),
                taken_at: None,
                live_objects: 0,
                clock_skew_seconds: discovery.clock_skew_seconds,
                coverage: None,
                audit_log_until: None,
            },
            generated: declared.generated,
            objects: declared.objects,
            conflicts: declared.conflicts,
            drifted: BTreeMap::new(),
            unconverged: BTreeMap::new(),
            missing: BTreeSet::new(),
            unserved: BTreeMap::new(),
            beyond: Beyond::default(),
            unknown: BTreeSet::new(),
            excluded: BTreeSet::new(),
            gaps: Vec::new(),
            exclusions,
            ignores: Arc::new(Ignores::none()),
            ignored: BTreeMap::new(),
            applied: Applied::new(),
            schemas: Arc::default(),
            resources: Resources::of(discovery),
            operators: Operators::default(),
        }
    }

    /// An API group that does not answer hides nothing if nothing declared is of it: told, but no gap.
    pub(super) fn set_aside_unused_groups(&mut self) {
        let used: BTreeSet<String> = self.objects.values().map(|object| object.gvk.gv.api_version()).collect();
        let unused = |gap: &Gap| {
            let hides_nothing = matches!(&gap.hides, Hides::Objects { objects } if objects.is_empty());
            gap.kind == GapKind::Discovery && hides_nothing && gap.place.as_ref().is_some_and(|gv| !used.contains(gv))
        };
        let (unused, gaps) = std::mem::take(&mut self.gaps).into_iter().partition(unused);
        self.gaps = gaps;
        let unused: Vec<Gap> = unused;
        self.exclusions.extend(unused.into_iter().map(|gap| Exclusion {
            scope: self.summary.name.to_string(),
            what: gap.place.unwrap_or_default(),
            reason: format!("nothing declared is of it, and {}", gap.message),
            count: None,
        }));
    }

    /// Git declares replicas that it does not decide about: told once, and no finding while they are inside the autoscaler's bounds.
    pub(super) fn note_autoscaled(&mut self, autoscalers: &Autoscalers) {
        let owned = self.objects.iter().filter(|(id, _)| autoscalers.own(id));
        let declares =
            |object: &DeclaredObject| object.tree().is_ok_and(|tree| tree.pointer("/spec/replicas").is_some());
        let count = owned.filter(|(_, object)| declares(object)).count() as u64;
        if count > 0 {
            self.exclusions.push(Exclusion {
                scope: self.summary.name.to_string(),
                what: ".spec.replicas inside an autoscaler's bounds".into(),
                reason: "Git declares replicas that an autoscaler owns: take them out of the manifest".into(),
                count: Some(count),
            });
        }
    }

    /// Secrets are compared only where the configuration says so.
    pub(super) fn leave_out_secrets(&mut self, compare: bool) {
        if compare {
            return;
        }
        let mut secrets = Vec::new();
        self.objects.retain(|id, _| {
            let is_secret = id.group_kind().is_secret();
            if is_secret {
                secrets.push(id.clone());
            }
            !is_secret
        });
        self.conflicts.retain(|c| !c.kept.id.group_kind().is_secret());
        if !secrets.is_empty() {
            self.exclusions.push(Exclusion {
                scope: self.summary.name.to_string(),
                what: "Secret".into(),
                reason: "`secrets: true` is not set for the cluster".into(),
                count: Some(secrets.len() as u64),
            });
        }
        self.excluded.extend(secrets);
    }

    /// Objects that Git itself takes out of what is kept in sync are not compared.
    pub(super) fn leave_out_opt_outs(&mut self) {
        let mut counts: BTreeMap<Off, u64> = BTreeMap::new();
        let out = |object: &DeclaredObject| {
            let tree = Some(object).filter(|object| opt_outs::may_hold(&object.json))?.tree().ok()?;
            opt_outs::of(&tree)
                .map(|(_, _, off)| off)
                .find(|off| matches!(off, Off::Hook | Off::Deploying | Off::Correcting))
        };
        let excluded = &mut self.excluded;
        self.objects.retain(|id, object| match out(object) {
            Some(off) => {
                *counts.entry(off).or_default() += 1;
                excluded.insert(id.clone());
                false
            }
            None => true,
        });
        self.conflicts.retain(|conflict| !excluded.contains(&conflict.kept.id));
        self.exclusions.extend(counts.into_iter().map(|(off, count)| Exclusion {
            scope: self.summary.name.to_string(),
            what: "declared objects".into(),
            reason: off.words().into(),
            count: Some(count),
        }));
    }
}
