//! Times, and how long something lasts, for people in a hurry.

use crate::model::time::Timestamp;

use super::words::number;

/// `less than a minute`, `42 min`, `1 h 02 min`, `3 d 4 h`. The smaller part is cut off, not rounded.
pub(super) fn lasting(seconds: i64) -> String {
    let minutes = seconds.max(0) / 60;
    let (hours, days) = (minutes / 60, minutes / 1_440);
    match (days, hours, minutes) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {:02} min", minutes % 60),
        (days, hours, _) if hours % 24 == 0 => format!("{} d", number(days.unsigned_abs())),
        (days, hours, _) => format!("{} d {} h", number(days.unsigned_abs()), hours % 24),
    }
}

/// How long it was from one time to another.
pub(super) fn between(from: Timestamp, to: Timestamp) -> String {
    lasting(to.unix() - from.unix())
}

/// `14:03 UTC`, with the date where it is another day than `now`.
pub(super) fn at(time: Timestamp, now: Timestamp) -> String {
    if time.date() == now.date() { format!("{} UTC", hour(time)) } else { minute(time) }
}

/// `14:03`.
pub(super) fn hour(time: Timestamp) -> String {
    time.for_people().get(11..16).unwrap_or_default().to_owned()
}

/// `2026-03-02 14:03 UTC`.
pub(super) fn minute(time: Timestamp) -> String {
    format!("{} {} UTC", time.date(), hour(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (seconds, words) in [
            (-5, "less than a minute"),
            (59, "less than a minute"),
            (2_520, "42 min"),
            (3_599, "59 min"),
            (3_720, "1 h 02 min"),
            (86_399, "23 h 59 min"),
            (86_400, "1 d"),
            (275_000, "3 d 4 h"),
        ] {
            assert_eq!(lasting(seconds), words);
        }
    }

    #[test]
    fn the_date_is_said_of_other_days() {
        let now = Timestamp::parse("2026-03-02T14:03:09Z").expect("a time");
        assert_eq!(at(Timestamp::from_unix(now.unix() - 600), now), "13:53 UTC");
        assert_eq!(at(Timestamp::from_unix(now.unix() - 86_400), now), "2026-03-01 14:03 UTC");
    }
}
