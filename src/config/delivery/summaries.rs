//! Summaries: what a period brought, told at its end; and a sign of life after each scan.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::receivers::{is_private, secret};
use super::schedule::{self, Schedule};
use crate::config::SecretSource;
use crate::model::ids::ReceiverName;

/// A summary of what happened since the one before. It is sent by the first scan after its time, also when nothing happened.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawSummary {
    /// Its name, as `weekly`.
    pub name: String,
    /// Names of receivers.
    pub receivers: Vec<String>,
    /// When it is due: minute, hour, day of the month, month and day of the week as crontab(5) has them. `0 8 * * MON`: Mondays at 8:00;
    /// `0 7 1 * *`: on the first of each month at 7:00.
    pub schedule: String,
    /// As `Europe/Berlin`. Default `UTC`.
    pub time_zone: Option<String>,
    /// Whether the full report and a CSV of what is open go with it by mail. Default true. A receiver with `fields: names-only` gets none.
    pub attach: Option<bool>,
}

/// An address that is called (GET) after every scan that saw everything: a monitor of one's own notices when it no longer is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawHeartbeat {
    /// The address. One that is a secret belongs into `urlFile` or `urlEnv`.
    pub url: Option<String>,
    /// File that holds the address.
    pub url_file: Option<String>,
    /// Environment variable that holds the address.
    pub url_env: Option<String>,
    /// File with the certificate authorities (PEM) to trust, instead of the system's.
    pub ca_file: Option<String>,
}

/// A summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryConfig {
    /// Name.
    pub name: String,
    /// Receivers.
    pub receivers: Vec<ReceiverName>,
    /// When it is due.
    pub schedule: Schedule,
    /// Whether reports go with it.
    pub attach: bool,
}

/// A sign of life.
#[derive(Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The address, where it is no secret.
    pub url: Option<String>,
    /// Where the address is, otherwise.
    pub url_secret: Option<SecretSource>,
    /// The certificate authorities to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl std::fmt::Debug for Heartbeat {
    /// Without the address, which may hold a secret after all.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heartbeat").field("url_secret", &self.url_secret).finish_non_exhaustive()
    }
}

impl RawSummary {
    /// The summary, or what is wrong with it: the key below it, and what to do.
    pub(in crate::config) fn read(&self) -> Result<SummaryConfig, (String, String)> {
        if self.receivers.is_empty() {
            return Err(("receivers".into(), "is empty; name at least one".into()));
        }
        let zone = self.time_zone.as_deref().unwrap_or("UTC");
        schedule::zone(zone).map_err(|message| ("timeZone".to_owned(), message))?;
        Ok(SummaryConfig {
            name: self.name.clone(),
            receivers: self.receivers.iter().map(ReceiverName::new).collect(),
            schedule: Schedule::parse(&self.schedule, zone).map_err(|message| ("schedule".to_owned(), message))?,
            attach: self.attach.unwrap_or(true),
        })
    }
}

impl SummaryConfig {
    /// What is sent where no summaries are configured: Mondays at 8:00 UTC.
    ///
    /// # Panics
    /// Never: a test reads the schedule.
    pub fn weekly(receivers: Vec<ReceiverName>) -> Self {
        let schedule = Schedule::parse("0 8 * * MON", "UTC").expect("a schedule");
        Self { name: "weekly".into(), receivers, schedule, attach: true }
    }
}

impl RawHeartbeat {
    /// The sign of life, or what is wrong with it.
    pub(in crate::config) fn read(&self, folder: &Path) -> Result<Heartbeat, (String, String)> {
        let place = secret(self.url_file.as_ref(), self.url_env.as_ref(), folder);
        let (url, url_secret) = match (&self.url, place) {
            (Some(url), Ok(None)) => (Some(url.clone()), None),
            (None, Ok(Some(place))) => (None, Some(place)),
            _ => return Err((String::new(), "needs exactly one of `url`, `urlFile` and `urlEnv`".into())),
        };
        if url.as_deref().is_some_and(|url| !is_private(url)) {
            return Err(("url".into(), "must be https".into()));
        }
        Ok(Heartbeat { url, url_secret, ca_file: self.ca_file.as_ref().map(|path| folder.join(path)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_names_receivers_a_time_and_a_zone_that_there_are() {
        let raw = |text: &str| serde_json::from_str::<RawSummary>(text).expect("a summary").read();
        let good = raw(r#"{"name": "m", "receivers": ["a"], "schedule": "0 7 1 * *", "timeZone": "Europe/Berlin"}"#)
            .expect("one");
        assert!(good.attach && good.schedule.as_str() == "0 7 1 * * Europe/Berlin");
        for (text, key) in [
            (r#"{"name": "m", "receivers": [], "schedule": "0 7 1 * *"}"#, "receivers"),
            (r#"{"name": "m", "receivers": ["a"], "schedule": "monthly"}"#, "schedule"),
            (r#"{"name": "m", "receivers": ["a"], "schedule": "0 7 1 * *", "timeZone": "Berlin"}"#, "timeZone"),
        ] {
            assert_eq!(raw(text).expect_err(text).0, key);
        }
        assert_eq!(SummaryConfig::weekly(Vec::new()).name, "weekly");
    }
}
