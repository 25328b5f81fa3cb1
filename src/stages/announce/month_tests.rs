//! A month of scans, one every five minutes, and the list of what was told in it, which a person has read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::model::finding::Finding;

const ROUTES: [&str; 3] = [
    r#"{"name": "on-call", "severity": "critical", "receivers": ["pager"], "continue": true}"#,
    r#"{"name": "shop", "targets": ["shop"], "receivers": ["chat"],
        "mute": [{"from": "22:00", "to": "07:00", "timeZone": "Europe/Berlin"}]}"#,
    r#"{"name": "rest", "receivers": ["mail"]}"#,
];

/// 2027-03-05 00:00 UTC, in minutes of the world's clock: Berlin changes its clocks on the 28th.
const BEGIN: i64 = 70_080;
const DAYS: i64 = 30;
const DAY: i64 = 1_440;

/// From a day's time to another one's: `(day, "08:00")`.
fn at(day: i64, time: &str) -> i64 {
    let (hours, minutes) = time.split_once(':').expect("a time");
    day * DAY + hours.parse::<i64>().expect("hours") * 60 + minutes.parse::<i64>().expect("minutes")
}

/// What happens: from when to when, which finding, how severe, and why.
fn script() -> Vec<(i64, i64, String, &'static str, &'static str)> {
    let mut script = Vec::new();
    let mut during = |from, to, name: &str, severity, cause| script.push((from, to, name.to_owned(), severity, cause));
    // What is there before anybody looks: most of it is put right on the first day.
    (0..300).for_each(|n| during(0, at(0, "12:00"), &format!("old-{n}"), "medium", "undetermined"));
    (300..312).for_each(|n| during(0, DAYS * DAY, &format!("old-{n}"), "low", "undetermined"));
    // Each morning a rollout, which is applied within its grace.
    (1..DAYS).for_each(|day| during(at(day, "09:00"), at(day, "09:10"), "web", "info", "pending"));
    // One is stuck.
    during(at(2, "10:00"), at(2, "10:15"), "stuck", "info", "pending");
    during(at(2, "10:15"), at(2, "13:00"), "stuck", "medium", "behind");
    // An image by hand, put back by the controller.
    during(at(3, "14:00"), at(3, "14:42"), "image", "critical", "out-of-band");
    // A replica count that two fight for.
    (0..12).for_each(|n| during(at(5, "08:00") + n * 60, at(5, "08:30") + n * 60, "scale", "high", "out-of-band"));
    // Somebody labels everything.
    (0..60).for_each(|n| during(at(7, "11:00"), at(7, "12:00"), &format!("many-{n:02}"), "high", "out-of-band"));
    // An object is deleted and put back; another one's drift is taken over into Git.
    during(at(8, "15:00"), at(8, "15:30"), "deleted", "high", "missing");
    during(at(9, "10:00"), at(9, "16:00"), "adopted", "high", "out-of-band");
    // It stands while the cluster cannot be reached (see `outages`).
    during(at(10, "09:00"), at(10, "18:00"), "standing", "high", "out-of-band");
    during(at(12, "08:00"), at(15, "08:00"), "long", "critical", "out-of-band");
    // It gets worse.
    during(at(17, "10:00"), at(17, "12:00"), "worse", "medium", "ahead");
    during(at(17, "12:00"), at(17, "14:00"), "worse", "high", "out-of-band");
    during(at(17, "14:00"), at(17, "16:00"), "worse", "critical", "out-of-band");
    // At night: one that lasts until the morning, one that does not, and one over the change of clocks.
    during(at(18, "23:00"), at(19, "09:00"), "night", "high", "out-of-band");
    during(at(20, "02:00"), at(20, "03:00"), "short-night", "critical", "out-of-band");
    during(at(22, "20:30"), at(23, "10:00"), "clocks", "high", "out-of-band");
    script
}

/// When the cluster cannot be reached.
fn outages() -> [(i64, i64); 2] {
    [(at(10, "10:00"), at(10, "10:10")), (at(10, "14:00"), at(10, "16:00"))]
}

#[test]
fn a_month_of_scans_tells_what_a_person_would_want_to_hear_and_no_more() {
    let script: Vec<(i64, i64, Finding)> = script()
        .into_iter()
        .map(|(from, to, name, severity, cause)| (from, to, finding(&name, severity, Some(cause), "shop")))
        .collect();
    let mut world = World::with(&ROUTES);
    (world.routes_are_known, world.last) = (false, None);
    let gap =
        Gap { cluster: Some(ClusterName::new("prod")), ..Gap::new(GapKind::Unreachable, "no answer", Hides::Cluster) };
    let mut text = String::new();
    let mut per_day: BTreeMap<(String, i64), usize> = BTreeMap::new();
    // Of each route and finding: how often it was said to be there for the first time, and to be over.
    let mut said: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for minute in (0..DAYS * DAY).step_by(5) {
        let holds = |(from, to, _): &&(i64, i64, Finding)| (*from..*to).contains(&minute);
        let is_out = outages().iter().any(|(from, to)| (*from..*to).contains(&minute));
        let told = if is_out {
            let hidden: Vec<String> = world.open.keys().cloned().collect();
            let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
            world.scan_with(BEGIN + minute, &[], &hidden, std::slice::from_ref(&gap))
        } else {
            let found: Vec<Finding> = script.iter().filter(holds).map(|(_, _, finding)| finding.clone()).collect();
            world.scan(BEGIN + minute, &found)
        };
        let now = time(BEGIN + minute).for_people();
        for line in told {
            assert!(!(is_out && line.contains("resolved")), "{now}: nothing is over in an outage: {line}");
            let (route, rest) = line.split_once(' ').expect("a route");
            *per_day.entry((route.to_owned(), minute / DAY)).or_default() += 1;
            // Berlin is an hour ahead, and two from the 28th on.
            let berlin = (minute + if minute >= at(23, "01:00") { 120 } else { 60 }) % DAY;
            assert!(route != "shop" || (420..1_320).contains(&berlin), "{now}: in a mute window: {line}");
            let (_, items) = rest.split_once(": ").expect("items");
            for (what, name) in items.split(", ").filter_map(|item| item.split_once(' ')) {
                let of = said.entry((route.to_owned(), name.to_owned())).or_default();
                match what {
                    "new" => of.0 += 1,
                    "resolved" => of.1 += 1,
                    _ => {}
                }
                assert!(name != "web", "{now}: a rollout in its time is no news: {line}");
            }
            // Shortened where it names many.
            let shown: Vec<&str> = items.split(", ").collect();
            let (head, _) = line.split_at(line.len() - items.len());
            let more = if shown.len() > 4 { format!(", … ({} in all)", shown.len()) } else { String::new() };
            let _ = writeln!(text, "{now}  {head}{}{more}", shown[..shown.len().min(4)].join(", "));
        }
    }
    for ((route, name), (new, over)) in &said {
        assert!(new <= over || *name == "over", "{route} was told {new} times of {name}, and {over} times of its end");
    }
    let most = per_day.values().max().copied().unwrap_or_default();
    assert!(most <= 12, "{most} messages on one day: {per_day:?}");
    // What it prints takes the file's place once somebody has read it as those who get the messages would.
    assert!(
        text == include_str!("../../../tests/golden/announce/month.txt"),
        "tests/golden/announce/month.txt:\n{text}"
    );
}
