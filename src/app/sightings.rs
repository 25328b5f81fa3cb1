//! What this ledger saw of a revision before: the tips of earlier scans, by how far behind today's tip they are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::gather::TargetSource;
use crate::adapters::git::HistoryBounds;
use crate::config::Config;
use crate::model::gap::{Gap, Hides};
use crate::model::ids::{CommitId, TargetName};
use crate::model::record::PriorState;
use crate::model::time::Timestamp;

/// For each target: commits behind the tracked one, and when first seen as the revision's tip.
pub type Sightings = BTreeMap<TargetName, Vec<(u64, Timestamp)>>;

/// Asks Git where the tips of earlier scans stand now. One that a forced push took off the revision is left out. Blocks.
pub fn of_targets<'a>(
    sources: impl Iterator<Item = &'a TargetSource>,
    prior: &PriorState,
    config: &Config,
) -> (Sightings, Vec<Gap>) {
    let mut sightings = Sightings::new();
    let mut gaps = Vec::new();
    for source in sources {
        let Some((tip, repository, _)) = &source.commit else { continue };
        let of_revision = prior.sightings.iter().filter(|(sighting, _)| {
            sighting.repository == source.config.repository && sighting.revision == source.config.revision
        });
        let seen: BTreeMap<&CommitId, Timestamp> =
            of_revision.map(|(sighting, time)| (&sighting.commit, *time)).collect();
        let wanted: BTreeSet<CommitId> = seen.keys().map(|commit| (*commit).clone()).collect();
        let bounds = HistoryBounds {
            max_commits: config.limits.history_commits,
            deadline: Instant::now().checked_add(config.limits.history_time),
            ..HistoryBounds::default()
        };
        match repository.commits_behind(tip, &wanted, bounds) {
            Ok(behind) => {
                let of_target = behind.into_iter().filter_map(|(commit, behind)| Some((behind, *seen.get(&commit)?)));
                sightings.insert(source.config.name.clone(), of_target.collect());
            }
            Err(mut gap) => {
                gap.hides = Hides::Evidence;
                gaps.push(gap.of_target(&source.config.name));
            }
        }
    }
    (sightings, gaps)
}
