use std::collections::BTreeSet;

use super::fixtures::{Home, Scan, at, begin, object};
use crate::adapters::ledger::Look;
use crate::model::ids::{ClusterName, TargetName};
use crate::model::record::{ObjectChange, ObjectState};
use crate::model::time::Timestamp;

/// Its minute, the targets in scope, and what it found changed.
type ScanOf = (i64, &'static [&'static str], &'static [(&'static str, ObjectState)]);

#[test]
fn an_object_was_last_in_sync_in_the_newest_scan_of_its_target_before_it_changed() {
    use ObjectState::{Drifted, InSync, Missing, Undeclared, Unknown};
    let home = Home::new();
    let mut ledger = home.open();
    let cluster = ClusterName::new("prod");
    let scans: [ScanOf; 5] = [
        (1, &["web"], &[("a", InSync), ("b", InSync), ("c", Drifted), ("d", InSync), ("e", InSync)]),
        (2, &["web"], &[("d", Missing)]),
        (3, &["other"], &[]),
        (4, &["web"], &[("a", Drifted), ("d", InSync), ("e", Unknown)]),
        (5, &["web"], &[("d", Undeclared), ("e", Drifted)]),
    ];
    for (minute, targets, changes) in scans {
        let id = begin(&mut ledger, minute);
        let targets: Vec<(&str, &str)> = targets.iter().map(|target| (*target, "aaaa")).collect();
        let mut record = Scan::new(minute).targets(&targets).record(&ledger, id);
        let change = |(name, state): &(&str, ObjectState)| ObjectChange {
            cluster: cluster.clone(),
            object: object(name),
            state: *state,
            target: (*state != Undeclared).then(|| TargetName::new("web")),
        };
        record.objects = changes.iter().map(change).collect();
        ledger.record(record).unwrap();
    }
    // One that never ended.
    begin(&mut ledger, 6);
    let wanted: BTreeSet<_> = ["a", "b", "c", "d", "e", "unheard-of"].map(object).into();
    let found = ledger.last_in_sync(&cluster, &wanted).unwrap();
    for (case, name, expected) in [
        ("before it drifted; the scan in between did not look", "a", Some(2)),
        ("in sync still", "b", Some(5)),
        ("never", "c", None),
        ("before Git gave it up", "d", Some(4)),
        ("before it was hidden, and drifted then", "e", Some(2)),
        ("nobody knows it", "unheard-of", None),
    ] {
        assert_eq!(found.get(&object(name)), expected.map(at).as_ref(), "{case}");
    }
    let looks = ledger.last_looks(&cluster, &["web", "other", "third"].map(TargetName::new)).unwrap();
    let look = |minute| {
        let started = at(minute);
        Look { started, log_until: Some(Timestamp::from_unix(started.unix() - 30)) }
    };
    let expected = [("other", look(3)), ("web", look(5))].map(|(name, look)| (TargetName::new(name), look));
    assert_eq!(looks.into_iter().collect::<Vec<_>>(), expected);
    let elsewhere = ledger.last_looks(&ClusterName::new("dev"), &[TargetName::new("web")]).unwrap();
    assert_eq!(elsewhere[&TargetName::new("web")].log_until, None);
}
