//! How old the live side of a report is, where it was not read during the scan. Nothing here holds text from outside, but for
//! [`source`], which each view escapes.

use super::words::counted;
use crate::model::report::{ClusterSummary, ScanReport};
use crate::model::time::Timestamp;

/// `as of a snapshot of 2026-03-01 14:03:09 UTC, 1 day before`; `None` where every cluster was read during the scan.
pub fn snapshots(report: &ScanReport) -> Option<String> {
    let clusters = &report.scan.clusters;
    let taken: Vec<Timestamp> = clusters.iter().filter_map(|cluster| cluster.taken_at).collect();
    let oldest = taken.iter().min()?;
    let which = match (taken.len(), clusters.len()) {
        (1, 1) => "as of a snapshot of".to_owned(),
        (1, all) => format!("one of {all} clusters as of a snapshot of"),
        (some, all) if some == all => format!("all {all} clusters as of snapshots, the oldest of"),
        (some, all) => format!("{some} of {all} clusters as of snapshots, the oldest of"),
    };
    let age = match report.scan.started_at.unix() - oldest.unix() {
        seconds if seconds < 0 => "after this scan began: one of the clocks is wrong".to_owned(),
        seconds => match (seconds / 86_400, seconds / 3_600, seconds / 60) {
            (0, 0, 0) => "less than a minute before".to_owned(),
            (0, 0, minutes) => counted(minutes.unsigned_abs(), "minute before", "minutes before"),
            (0, hours, _) => counted(hours.unsigned_abs(), "hour before", "hours before"),
            (days, _, _) => counted(days.unsigned_abs(), "day before", "days before"),
        },
    };
    Some(format!("{which} {}, {age}", oldest.for_people()))
}

/// `kubernetes API`, `dump`, `snapshot of 2026-03-01 14:03:09 UTC`.
pub fn source(cluster: &ClusterSummary) -> String {
    match cluster.taken_at {
        Some(taken) => format!("{} of {}", cluster.source, taken.for_people()),
        None => cluster.source.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::{sample, words};

    #[test]
    fn a_snapshot_says_how_old_it_is() {
        let mut report = sample::in_sync();
        assert_eq!(snapshots(&report), None);
        report.scan.clusters[0].source = "snapshot".to_owned();
        let before = |report: &ScanReport, seconds| Timestamp::from_unix(report.scan.started_at.unix() - seconds);
        for (seconds, age) in [
            (20, "less than a minute before"),
            (60, "1 minute before"),
            (7_199, "1 hour before"),
            (172_800, "2 days before"),
            (-60, "after this scan began: one of the clocks is wrong"),
        ] {
            let taken = before(&report, seconds);
            report.scan.clusters[0].taken_at = Some(taken);
            let expected = format!("UTC, as of a snapshot of {}, {age}", taken.for_people());
            assert!(words::span(&report).ends_with(&expected), "{}", words::span(&report));
            assert_eq!(source(&report.scan.clusters[0]), format!("snapshot of {}", taken.for_people()));
        }
    }

    #[test]
    fn of_several_the_oldest_counts() {
        let mut report = sample::in_sync();
        let at = |text: &str| Timestamp::parse(text);
        let cluster = |taken_at| ClusterSummary { taken_at, ..sample::in_sync().scan.clusters[0].clone() };
        let (newer, older) = (at("2026-03-02T13:00:00Z"), at("2026-03-02T12:00:00Z"));
        for (taken, words) in [
            (vec![None, newer], "one of 2 clusters as of a snapshot of 2026-03-02 13:00:00 UTC, 1 hour before"),
            (
                vec![newer, older],
                "all 2 clusters as of snapshots, the oldest of 2026-03-02 12:00:00 UTC, 2 hours before",
            ),
            (
                vec![newer, older, None],
                "2 of 3 clusters as of snapshots, the oldest of 2026-03-02 12:00:00 UTC, 2 hours before",
            ),
        ] {
            report.scan.clusters = taken.into_iter().map(cluster).collect();
            assert_eq!(snapshots(&report).as_deref(), Some(words));
        }
    }
}
