//! One message a second and channel, in the whole process: Slack's limit is the channel's, whoever posts to it.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// For each channel, the earliest moment of its next message.
static NEXT: LazyLock<Mutex<HashMap<String, Instant>>> = LazyLock::new(Mutex::default);

fn with<T>(what: impl FnOnce(&mut HashMap<String, Instant>) -> T) -> T {
    what(&mut NEXT.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Takes a channel's next moment, and says how long it is till then; `Err` if that is longer than the patience, and then it is left.
pub(super) fn take(channel: &str, apart: Duration, patience: Duration) -> Result<Duration, Duration> {
    with(|next| {
        let now = Instant::now();
        let at = next.get(channel).copied().unwrap_or(now).max(now);
        let wait = at - now;
        if wait > patience {
            return Err(wait);
        }
        next.insert(channel.to_owned(), at + apart);
        Ok(wait)
    })
}

/// Nothing goes to a channel for a while: Slack asked for it.
pub(super) fn hold(channel: &str, wait: Duration) {
    with(|next| {
        let at = Instant::now() + wait;
        let known = next.entry(channel.to_owned()).or_insert(at);
        *known = at.max(*known);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn messages_to_one_channel_are_apart_and_channels_do_not_wait_for_one_another() {
        let patience = 5 * SECOND;
        let waits: Vec<u64> =
            (0..3).map(|_| take("pace-a", SECOND, patience).expect("patience").as_millis() as u64).collect();
        assert!(waits[0] == 0 && (900..=1_000).contains(&waits[1]) && (1_900..=2_000).contains(&waits[2]), "{waits:?}");
        assert_eq!(take("pace-b", SECOND, patience), Ok(Duration::ZERO));
    }

    #[test]
    fn what_would_wait_too_long_takes_no_turn() {
        hold("pace-c", 60 * SECOND);
        hold("pace-c", SECOND);
        for _ in 0..2 {
            let wait = take("pace-c", SECOND, 30 * SECOND).expect_err("too long");
            assert!(wait > 59 * SECOND && wait <= 60 * SECOND, "{wait:?}");
        }
    }
}
