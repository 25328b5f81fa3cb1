//! When the next scan is due, and which times passed without one.

use std::time::Duration;

use crate::app::pipeline::Scheduled;
use crate::config::delivery::Schedule;
use crate::model::time::Timestamp;

/// Missed times are counted up to here.
const MOST_MISSED: u64 = 100_000;

/// The next time, seen from the scan before, which began at `since`. Times that passed already are one scan, made at once; all but the
/// last of them are missed. Without a scan before it is due now. `None`: the schedule has no further time.
pub(super) fn next(schedule: &Schedule, since: Option<Timestamp>, now: Timestamp) -> Option<Scheduled> {
    let mut at = match since {
        Some(since) => schedule.next_after(since)?,
        None => now,
    };
    let mut missed = 0;
    while let Some(next) = schedule.next_after(at).filter(|next| *next <= now && missed < MOST_MISSED) {
        (at, missed) = (next, missed + 1);
    }
    Some(Scheduled { schedule: schedule.as_str().to_owned(), at, missed })
}

/// How long to wait.
pub(super) fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(at.unix() - now.unix()).unwrap_or_default())
}

/// A part of the longest jitter, by chance.
pub(super) fn jitter(longest: Duration) -> Duration {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        return Duration::ZERO;
    }
    longest.mul_f64(f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_passed_are_one_scan_and_the_others_are_missed() {
        let five = Schedule::parse("*/5 * * * *", "UTC").expect("a schedule");
        let at = |text: &str| Timestamp::parse(text).expect("a time");
        for (since, now, expected, missed) in [
            ("2026-01-01T10:00:00Z", "2026-01-01T10:01:00Z", "2026-01-01T10:05:00Z", 0),
            ("2026-01-01T10:00:02Z", "2026-01-01T10:05:00Z", "2026-01-01T10:05:00Z", 0),
            ("2026-01-01T10:00:02Z", "2026-01-01T10:12:00Z", "2026-01-01T10:10:00Z", 1),
            ("2026-01-01T10:00:00Z", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z", 23),
        ] {
            let due = next(&five, Some(at(since)), at(now)).expect("a time");
            assert_eq!((due.at, due.missed), (at(expected), missed), "{since} {now}");
        }
        let first = at("2026-01-01T10:01:00Z");
        assert_eq!(next(&five, None, first).map(|due| (due.at, due.missed)), Some((first, 0)));
        assert_eq!(until(at("2026-01-01T10:05:00Z"), at("2026-01-01T10:01:00Z")).as_secs(), 240);
        assert_eq!(until(at("2026-01-01T10:05:00Z"), at("2026-01-01T10:06:00Z")).as_secs(), 0);
        assert!((0..100).all(|_| jitter(Duration::from_secs(9)) <= Duration::from_secs(9)));
    }
}
