//! When a message is tried again.

use std::time::Duration;

use crate::model::canonical::Canonical;
use crate::model::time::Timestamp;

/// After the first attempt that failed, in seconds; it doubles with each.
const FIRST: u64 = 60;
/// Never longer than that.
const LONGEST: u64 = 3_600;

/// Not before which time a message is tried again, after so many attempts. Messages that failed together do not all come back together:
/// up to a quarter is added, by the message's key. What the receiver asked for is kept.
pub fn not_before(now: Timestamp, attempts: u64, key: &str, asked: Option<Duration>) -> Timestamp {
    let doublings = u32::try_from(attempts.saturating_sub(1).min(12)).unwrap_or(12);
    let base = (FIRST << doublings).min(LONGEST);
    let hash = Canonical::new("driftledger/jitter/v1").text(key).number(i64::from(doublings)).finish_hex();
    let share = u64::from_str_radix(&hash[..4], 16).unwrap_or_default();
    let wait = base + base * share / (4 * 0xffff);
    let wait = wait.max(asked.map_or(0, |asked| asked.as_secs() + 1));
    Timestamp::from_unix(now.unix().saturating_add(i64::try_from(wait).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_an_hour_and_a_quarter_of_it_differs_from_message_to_message() {
        let now = Timestamp::from_unix(0);
        for (attempts, least) in [(0, 60), (1, 60), (2, 120), (3, 240), (6, 1_920), (7, 3_600), (100, 3_600)] {
            for key in ["a", "b", "c"] {
                let wait = not_before(now, attempts, key, None).unix();
                assert!((least..=least + least / 4).contains(&wait), "{attempts} {key}: {wait}");
            }
        }
        assert_ne!(not_before(now, 7, "a", None), not_before(now, 7, "b", None));
        assert_eq!(not_before(now, 1, "a", Some(Duration::from_secs(900))).unix(), 901);
    }
}
