//! When a fetch must be done.

use std::time::{Duration, Instant};

use super::failure::Failure;

/// No fetch takes longer; a larger number would not fit the clock.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3_600);

/// When a fetch must be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    whole: Duration,
}

impl Deadline {
    pub(super) fn after(whole: Duration) -> Self {
        let whole = whole.min(LONGEST);
        Self { at: Instant::now() + whole, whole }
    }

    pub(super) fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    pub(super) fn failure(&self) -> Failure {
        Failure::OutOfTime(self.whole.as_secs())
    }
}
