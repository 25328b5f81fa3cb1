//! Times of a clock on a wall: cron expressions, and windows of a week.

use cronexpr::{Crontab, MakeTimestamp};
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::time::Timestamp;

/// When something is due: `0 8 * * MON` in a time zone.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// As written, with its zone.
    text: String,
    crontab: Crontab,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Schedule {}

impl Schedule {
    /// Reads five fields (minute, hour, day of the month, month, day of the week) as crontab(5) has them. `zone` is a name of the IANA time
    /// zone database.
    ///
    /// # Errors
    /// Says what is wrong with the expression; the zone is checked before.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, String> {
        if expression.split_whitespace().count() != 5 {
            return Err("has not five fields; write `0 8 * * MON` for each Monday at 8:00".to_owned());
        }
        let text = format!("{expression} {zone}");
        let crontab = cronexpr::parse_crontab(&text).map_err(|error| {
            let first = error.to_string();
            format!("is no cron expression: {}", first.lines().next().unwrap_or_default())
        })?;
        Ok(Self { text, crontab })
    }

    /// The first time that it is due after `time`; `None` where it never is again.
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        let start = MakeTimestamp::from_second(time.unix()).ok()?;
        let next = self.crontab.find_next(start).ok()?;
        Some(Timestamp::from_unix(next.timestamp().as_second()))
    }

    /// The last time that it was due after `from` and not after `to`; `None` where it was not.
    pub fn last_between(&self, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
        // Of years without a scan only the last days are looked at.
        let near = Timestamp::from_unix(to.unix() - 400 * 86_400);
        let mut last = None;
        let mut at = from.max(near);
        while let Some(next) = self.next_after(at).filter(|next| *next <= to) {
            (last, at) = (Some(next), next);
        }
        last
    }

    /// As written, with its zone.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The time zone of a name of the IANA database.
///
/// # Errors
/// There is none.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| format!("there is no time zone `{name}`; write it as `Europe/Berlin` or `UTC`"))
}

/// A window in which nothing is sent; what is still so after it is sent then. Without `from` and `to`: the whole day.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawWindow {
    /// `mon` to `sun`; left out: each day. A window over midnight belongs to the day that it begins on.
    #[serde(default)]
    pub days: Vec<RawDay>,
    /// When it begins, as `18:00`.
    pub from: Option<String>,
    /// When it ends, as `08:00`; not after `from`: on the next day.
    pub to: Option<String>,
    /// As `Europe/Berlin`. Default `UTC`.
    pub time_zone: Option<String>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum RawDay {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl RawDay {
    fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

/// A window of a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    days: Vec<Weekday>,
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl RawWindow {
    /// The window, or what is wrong: the key below it, and what to do.
    pub(super) fn read(&self) -> Result<Window, (String, String)> {
        let time = |key: &str, text: Option<&String>| match text {
            None => Ok(None),
            Some(text) => Time::strptime("%H:%M", text)
                .map(Some)
                .map_err(|_| (key.to_owned(), format!("`{text}` is no time of day; write `18:00`"))),
        };
        let (from, to) = match (time("from", self.from.as_ref())?, time("to", self.to.as_ref())?) {
            (None, None) => (Time::midnight(), Time::midnight()),
            (Some(from), Some(to)) => (from, to),
            _ => return Err((String::new(), "`from` and `to` go together".into())),
        };
        let zone =
            zone(self.time_zone.as_deref().unwrap_or("UTC")).map_err(|message| ("timeZone".to_owned(), message))?;
        Ok(Window { days: self.days.iter().map(|day| day.weekday()).collect(), from, to, zone })
    }
}

impl Window {
    /// Whether a time is in it.
    pub fn holds(&self, time: Timestamp) -> bool {
        let Ok(time) = jiff::Timestamp::from_second(time.unix()) else { return false };
        let local = time.to_zoned(self.zone.clone());
        let (day, clock) = (local.weekday(), local.time());
        let begins = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        if self.from < self.to {
            begins(day) && self.from <= clock && clock < self.to
        } else {
            (begins(day) && clock >= self.from) || (begins(day.previous()) && clock < self.to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn a_schedule_follows_its_zone_over_a_change_of_clocks() {
        let monday = Schedule::parse("0 8 * * MON", "Europe/Berlin").expect("a schedule");
        assert_eq!(monday.next_after(at("2026-03-22T12:00:00Z")), Some(at("2026-03-23T07:00:00Z")));
        assert_eq!(monday.next_after(at("2026-03-23T07:00:00Z")), Some(at("2026-03-30T06:00:00Z")));
        let (from, to) = (at("2026-03-01T00:00:00Z"), at("2026-03-30T05:59:59Z"));
        assert_eq!(monday.last_between(from, to), Some(at("2026-03-23T07:00:00Z")));
        assert_eq!(monday.last_between(at("2026-03-23T07:00:00Z"), to), None);
        for wrong in ["0 8 * *", "0 25 * * *", "* * * * * *"] {
            assert!(Schedule::parse(wrong, "UTC").is_err(), "{wrong}");
        }
        assert!(zone("Europe/Berlin").is_ok() && zone("Berlin").is_err());
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_that_it_begins_on() {
        let raw = |text: &str| serde_json::from_str::<RawWindow>(text).expect("a window").read();
        let night =
            raw(r#"{"days": ["fri"], "from": "22:00", "to": "06:00", "timeZone": "Europe/Berlin"}"#).expect("one");
        for (time, inside) in [
            ("2026-01-02T20:59:00Z", false),
            ("2026-01-02T21:00:00Z", true),
            ("2026-01-03T04:59:00Z", true),
            ("2026-01-03T05:00:00Z", false),
            ("2026-01-02T03:00:00Z", false),
            ("2026-01-03T21:30:00Z", false),
        ] {
            assert_eq!(night.holds(at(time)), inside, "{time}");
        }
        let weekend = raw(r#"{"days": ["sat", "sun"]}"#).expect("one");
        assert!(weekend.holds(at("2026-01-03T00:00:00Z")) && weekend.holds(at("2026-01-04T23:59:59Z")));
        assert!(!weekend.holds(at("2026-01-05T00:00:00Z")) && !weekend.holds(at("2026-01-02T23:59:59Z")));
        let always = raw("{}").expect("one");
        assert!(always.holds(at("2026-01-05T12:00:00Z")));
        let wrong = raw(r#"{"from": "25:00", "to": "06:00"}"#);
        assert_eq!(wrong.expect_err("none").1, "`25:00` is no time of day; write `18:00`");
        assert!(raw(r#"{"from": "20:00"}"#).is_err());
    }
}
