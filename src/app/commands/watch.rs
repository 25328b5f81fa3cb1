//! `watch`: the main job on a schedule.

use std::net::SocketAddr;
use std::time::Duration;

use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output::Output;
use crate::app::watch;
use crate::config::delivery::{Schedule, zone};

/// Scan on a schedule until the process is told to end (SIGTERM, SIGINT), and answer /metrics, /healthz, /readyz and /report.
///
/// The configuration is read anew before each scan. Times at which no scan could begin are counted with the next one.
#[derive(Debug, clap::Args)]
pub struct Watch {
    /// When: minute, hour, day of the month, month and day of the week, as `*/5 * * * *`.
    #[arg(long, value_name = "CRON")]
    schedule: String,
    /// The schedule's time zone, as `Europe/Berlin`.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// Begin up to so much later, by chance, as `30s`.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    jitter: Duration,
    /// Where the pages are, as `0.0.0.0:9464`; the report on them shows what `report` shows. Left out: no pages.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// What to write after each scan, as for `scan`; may be given several times. Left out: one line a scan.
    #[arg(long, short, value_name = "FORMAT[=PATH]")]
    output: Vec<Output>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| "write it as `30s` or `2m`".to_owned())
}

impl Watch {
    /// Runs until it is told to end.
    ///
    /// # Errors
    /// The schedule, the configuration or the address is wrong.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        zone(&self.time_zone).map_err(|message| AppError::new(format!("--time-zone: {message}")))?;
        let schedule = Schedule::parse(&self.schedule, &self.time_zone);
        let schedule =
            schedule.map_err(|message| AppError::new(format!("--schedule: `{}` {message}", self.schedule)))?;
        let watch = watch::Watch { schedule, jitter: self.jitter, listen: self.listen, outputs: self.output };
        watch::run(watch, global).await?;
        Ok(Exit::InSync)
    }
}
