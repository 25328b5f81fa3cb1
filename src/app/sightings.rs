//! What this ledger saw of a revision before: the tips of earlier scans, by how far behind today's tip they are.

use std::collections::{BTreeMap, HashMap};

use super::gather::TargetSource;
use crate::model::ids::{CommitId, TargetName};
use crate::model::record::PriorState;
use crate::model::report::Rewritten;
use crate::model::time::Timestamp;
use crate::model::versions::VersionIndex;

/// For each target: commits behind the tracked one, and when first seen as the revision's tip.
pub type Sightings = BTreeMap<TargetName, Vec<(u64, Timestamp)>>;

/// Where the tips of earlier scans stand now. One that a forced push took off the revision is left out.
pub fn of_targets<'a>(sources: impl Iterator<Item = &'a TargetSource>, prior: &PriorState) -> Sightings {
    let mut sightings = Sightings::new();
    for source in sources {
        let Some(index) = &source.versions else { continue };
        let of_revision = prior.sightings.iter().filter(|(sighting, _)| {
            sighting.repository == source.config.repository && sighting.revision == source.config.revision
        });
        let seen: HashMap<&CommitId, Timestamp> =
            of_revision.map(|(sighting, time)| (&sighting.commit, *time)).collect();
        let behind = |(n, commit): (usize, &CommitId)| Some((index.behind(n), *seen.get(commit)?));
        let found = index.commits.iter().enumerate().rev().filter_map(behind).collect();
        sightings.insert(source.config.name.clone(), found);
    }
    sightings
}

/// Whether a target's revision left the line on which the scan before saw it. A range of versions goes from one line of releases to
/// another by itself.
pub fn rewritten(source: &TargetSource, prior: &PriorState) -> Option<Rewritten> {
    if source.tag.is_some() {
        return None;
    }
    let (tip, repository, _) = source.commit.as_ref()?;
    let before = prior.tips.get(&source.config.name)?;
    let index = source.versions.as_ref()?;
    // Of a line that is cut short, the older part is not known.
    if before == tip || index.commits.contains(before) || index.ended.is_some() {
        return None;
    }
    Some(Rewritten { from: before.clone(), forced: !repository.is_ancestor(before, tip) })
}

/// How many first-parent commits a commit is behind the tip of an index.
pub fn behind(index: &VersionIndex, commit: &CommitId) -> Option<u64> {
    index.commits.iter().rposition(|known| known == commit).map(|n| index.behind(n))
}
