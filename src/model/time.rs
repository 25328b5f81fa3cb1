//! Points in time as the outputs write them: UTC, whole seconds, RFC 3339.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From seconds since the epoch; out of range becomes the nearest that can be written.
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second()))
    }

    /// Seconds since the epoch.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 in any offset, fractions cut off.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_second()))
    }

    /// `2026-03-02 14:03:09 UTC`, for people.
    pub fn for_people(self) -> String {
        self.zoned("%Y-%m-%d %H:%M:%S UTC")
    }

    /// `2026-03-02`.
    pub fn date(self) -> String {
        self.zoned("%Y-%m-%d")
    }

    /// RFC 2822, for a mail's `Date`.
    pub fn rfc2822(self) -> String {
        self.zoned("%a, %d %b %Y %H:%M:%S +0000")
    }

    fn zoned(self, format: &str) -> String {
        match jiff::Timestamp::from_second(self.0) {
            Ok(t) => t.strftime(format).to_string(),
            Err(_) => self.0.to_string(),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.zoned("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}
