//! What judging convergence (DL011) needs from outside: the configuration, the ledger, the cluster's clock, and its Pods.

use super::live::LiveContext;
use super::reading::ClusterReading;
use crate::config::Config;
use crate::model::discovery::{Discovery, Served};
use crate::model::finding::Code;
use crate::model::gap::Exclusion;
use crate::model::ids::ClusterName;
use crate::model::record::PriorState;
use crate::model::resource::{Gvk, ObjectId};
use crate::model::time::Timestamp;
use crate::ports::{ListEvent, ListRequest, LiveSource};
use crate::stages::converge::{Converge, PodTroubles, finding};
use crate::stages::hide::Hide;

/// How the objects of a cluster are judged; `None` where no target asks.
pub fn asked(config: &Config, cluster: &ClusterName, prior: &PriorState, now: Timestamp) -> Option<Converge> {
    let targets = || config.targets.iter().filter(|target| target.cluster == *cluster);
    if !targets().any(|target| target.convergence) {
        return None;
    }
    let open = prior.open.values().map(|open| &open.finding);
    let open = open.filter(|finding| finding.code == Code::Unconverged && finding.cluster == *cluster);
    Some(Converge {
        now: Some(now),
        deadline: i64::try_from(config.convergence.deadline.as_secs()).unwrap_or(i64::MAX),
        off: targets().filter(|target| !target.convergence).map(|target| target.name.clone()).collect(),
        open: open.map(|found| (found.object(), finding::since(found))).collect(),
    })
}

/// Deadlines are measured by the clock that wrote the times, at the time when the objects were read. Nobody knows when a dump was made.
pub(super) fn by_the_clusters_clock(
    context: &mut LiveContext,
    source: &str,
    taken_at: Option<Timestamp>,
    skew: Option<i64>,
) {
    if let Some(converge) = &mut context.converge {
        let ours = taken_at.or(converge.now).filter(|_| source != "dump");
        converge.now = ours.map(|now| Timestamp::from_unix(now.unix().saturating_add(skew.unwrap_or(0))));
    }
}

/// What is not looked at by choice.
pub(super) fn not_looked_at(context: &LiveContext) -> Vec<Exclusion> {
    let exclusion = |scope: &str, reason: &str| Exclusion {
        scope: scope.to_owned(),
        what: "convergence (DL011)".into(),
        reason: reason.into(),
        count: None,
    };
    let config = &context.config;
    if !config.convergence.enabled {
        return vec![exclusion(context.cluster.as_str(), "`enabled: false` is set under `convergence`")];
    }
    let off = config.targets.iter().filter(|target| target.cluster == context.cluster && !target.convergence);
    off.map(|target| exclusion(target.name.as_str(), "`convergence: false` is set for the target")).collect()
}

/// Asks the Pods of workloads that have not converged why, with one LIST of Pods (or one for each namespace, where only that is
/// allowed). Pods are evidence: where they cannot be read, that is
/// said and is no gap.
pub(super) async fn ask_pods<S: LiveSource>(
    source: &S,
    context: &LiveContext,
    discovery: &Discovery,
    reading: &mut ClusterReading,
) {
    let workloads: Vec<_> = reading.unconverged.keys().filter(|id| PodTroubles::concerns(id)).cloned().collect();
    if workloads.is_empty() {
        return;
    }
    let kind = match discovery.served(&Gvk::new("v1", "Pod")) {
        Served::Yes(kind) if kind.listable => kind.clone(),
        _ => return,
    };
    let hide = Hide { key: &context.key, rules: &context.config.redaction, before: source.redacted_by() };
    let mut troubles = PodTroubles::of(&workloads);
    // Names do not matter to a LIST; the namespaces do, where it is not allowed for the whole cluster.
    let in_namespace = |id: &ObjectId| ObjectId { group: String::new(), kind: "Pod".to_owned(), ..id.clone() };
    let mut wanted: Vec<ObjectId> = workloads.iter().map(in_namespace).collect();
    wanted.sort_by(|a, b| a.namespace.cmp(&b.namespace));
    wanted.dedup_by(|a, b| a.namespace == b.namespace);
    let request = ListRequest { kind, wanted };
    let mut each = |event: ListEvent| match event {
        ListEvent::Page(page) => troubles.page(&page, &hide),
        ListEvent::Restart => troubles.restart(),
    };
    let unread = source.list(&request, &mut each).await.gaps.into_iter().next();
    for id in &workloads {
        if let Some(unconverged) = reading.unconverged.get_mut(id) {
            match &unread {
                Some(gap) => unconverged.pods_unread = Some(gap.message.clone()),
                None => unconverged.pods = troubles.words(id),
            }
        }
    }
}

#[cfg(test)]
mod tests;
