//! Repositories and clusters: read as a scan reads them, so that what a scan could not read is what is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::error::AppError;
use crate::app::gather::TargetSource;
use crate::app::pipeline::{self, Scan};
use crate::app::reading::ClusterReading;
use crate::config::Config;
use crate::model::checkup::Checked;
use crate::model::gap::{Gap, GapKind};
use crate::model::record::PriorState;
use crate::model::secret::RedactionKey;
use crate::views::words::{self, counted};

/// More than this are not told one by one.
const MOST: usize = 12;

/// Reads both sides.
pub(super) async fn look(scan: &Scan, prior: &PriorState, key: &Arc<RedactionKey>) -> Result<Vec<Checked>, AppError> {
    let declared = pipeline::read(scan, prior, key).await?;
    let (sources, readings) = declared;
    let mut all = repositories(&scan.config, &sources);
    all.extend(clusters(&scan.config, &readings));
    Ok(all)
}

fn repositories(config: &Config, sources: &[TargetSource]) -> Vec<Checked> {
    let of = |repository: &crate::config::RepositoryConfig| {
        let mut checked = Checked::new("repository", repository.name.as_str());
        let mut unread = Unread::default();
        let mut used = false;
        for source in sources.iter().filter(|source| source.config.repository == repository.name) {
            used = true;
            if let Some((commit, _, _)) = &source.commit {
                let tag = source.tag.as_ref().map(|tag| format!(" (tag {tag})")).unwrap_or_default();
                let target = &source.config;
                checked.works(format!("target {}: {} is {}{tag}", target.name, target.revision, commit.short()));
            }
            source.gaps.iter().for_each(|gap| unread.add(gap, Some(source.config.name.as_str())));
        }
        unread.tell(&mut checked);
        if !used {
            checked.notes("no target uses it: it is not read", None);
        }
        checked
    };
    config.repositories.iter().map(of).collect()
}

fn clusters(config: &Config, readings: &[ClusterReading]) -> Vec<Checked> {
    let of = |cluster: &crate::config::ClusterConfig| {
        let mut checked = Checked::new("cluster", cluster.name.as_str());
        let Some(reading) = readings.iter().find(|reading| reading.summary.name == cluster.name) else {
            checked.notes("no target uses it: it is not read", None);
            return checked;
        };
        let summary = &reading.summary;
        if summary.version.is_some() || summary.live_objects > 0 {
            let version = summary.version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
            let objects = counted(summary.live_objects, "live object", "live objects");
            checked.works(format!("{}{version}: {objects} read", summary.source));
        }
        let mut unread = Unread::default();
        reading.gaps.iter().for_each(|gap| unread.add(gap, None));
        unread.tell(&mut checked);
        if reading.gaps.iter().any(|gap| gap.kind == GapKind::Forbidden) {
            let hint = format!("`driftledger rbac --cluster {}` prints the role that it takes", cluster.name);
            checked.notes("its account lacks rights", Some(hint));
        }
        // What was left out one by one is a scan's to count.
        for left_out in reading.exclusions.iter().filter(|left_out| left_out.count.is_none()) {
            checked.notes(format!("{}: {}", left_out.what, left_out.reason), None);
        }
        checked
    };
    config.clusters.iter().map(of).collect()
}

/// Gaps, those that say the same as one.
#[derive(Default)]
struct Unread(BTreeMap<(String, Option<String>), Vec<String>>);

impl Unread {
    fn add(&mut self, gap: &Gap, target: Option<&str>) {
        let hides = match target {
            Some(target) => format!("target {target}"),
            None => words::hides(gap),
        };
        // The repository is named above already.
        let place = gap.place.as_ref().filter(|place| !place.starts_with("repository "));
        let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
        let of = self.0.entry((format!("{place}{}", gap.message), gap.hint.clone())).or_default();
        if !of.contains(&hides) {
            of.push(hides);
        }
    }

    fn tell(self, checked: &mut Checked) {
        let more = self.0.len().saturating_sub(MOST);
        for ((what, hint), hides) in self.0.into_iter().take(MOST) {
            let shown: Vec<&str> = hides.iter().take(4).map(String::as_str).collect();
            let rest = if hides.len() > 4 { format!(" and {} more", hides.len() - 4) } else { String::new() };
            checked.stops(format!("{what} (hides {}{rest})", shown.join(", ")), hint);
        }
        if more > 0 {
            checked.stops(format!("and {more} more that cannot be read"), Some("`driftledger scan` lists all".into()));
        }
    }
}
