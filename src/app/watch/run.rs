//! The loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::board::Board;
use super::{http, timer};
use crate::adapters::ledger::Ledger;
use crate::app::announce;
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::output::{self, Beside, Output};
use crate::app::pipeline::{self, now};
use crate::app::progress::Progress;
use crate::config::Config;
use crate::config::delivery::Schedule;
use crate::model::report::ScanReport;
use crate::model::time::Timestamp;
use crate::views::verdict;

/// How long a scan that runs may take when the process is told to end.
const GRACE: Duration = Duration::from_secs(25);

/// What is done on which schedule.
#[derive(Clone, Debug)]
pub struct Watch {
    /// When.
    pub schedule: Schedule,
    /// Up to so much later, by chance: many of these need not start in the same second.
    pub jitter: Duration,
    /// Where the pages are; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// What is written after each scan.
    pub outputs: Vec<Output>,
}

/// Runs until the process is told to end.
///
/// # Errors
/// The configuration is wrong at the start, or the address cannot be listened on. Later errors are logged, and the next scan is made.
pub async fn run(watch: Watch, global: &Global) -> Result<(), AppError> {
    let mut config = Arc::new(global.read_config()?);
    let board = Arc::new(Board::default());
    if let Some(address) = watch.listen {
        let cannot = |error: std::io::Error| AppError::new(format!("cannot listen on {address}: {error}"));
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        eprintln!("pages on http://{address}: /metrics, /healthz, /readyz, /report");
        tokio::spawn(http::serve(listener, board.clone()));
    }
    let end = ending();
    tokio::pin!(end);
    // A time that passed since the last scan of the ledger, while no process was there, is made up for at once; and a ledger without a
    // scan gets its first one at once.
    let mut since = last_scan(&config).await;
    loop {
        let Some(due) = timer::next(&watch.schedule, since, now()) else {
            return Err(AppError::new("the schedule has no further time"));
        };
        let wait = timer::until(due.at, now()) + timer::jitter(watch.jitter);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = &mut end => return Ok(()),
        }
        match global.read_config() {
            Ok(read) => {
                board.configuration(None);
                config = Arc::new(read);
            }
            Err(error) => {
                tracing::error!("the configuration of the scan before is used: {error}");
                board.configuration(Some(error.to_string()));
            }
        }
        let begun = now();
        since = Some(begun);
        board.begins(begun);
        let scan = pipeline::Scan {
            config: config.clone(),
            targets: Vec::new(),
            clusters: Vec::new(),
            clock: now,
            progress: Progress::new(true),
            scheduled: Some(due),
        };
        let scanning = one(&scan, &watch.outputs, &board);
        tokio::pin!(scanning);
        tokio::select! {
            () = &mut scanning => {}
            () = &mut end => {
                tracing::warn!("told to end: the scan that runs has {} seconds", GRACE.as_secs());
                if tokio::time::timeout(GRACE, scanning).await.is_err() {
                    tracing::warn!("the scan was given up; the next one notes that it was interrupted");
                }
                return Ok(());
            }
        }
    }
}

async fn one(scan: &pipeline::Scan, outputs: &[Output], board: &Board) {
    match pipeline::scan(scan).await {
        Ok(outcome) => {
            for line in announce::lines(&outcome.delivered) {
                tracing::warn!("not delivered: {line}");
            }
            let beside = Beside::ledger(&scan.config).unwrap_or_else(|error| {
                tracing::error!("{error}");
                Beside::default()
            });
            if outputs.is_empty() {
                output::stdout(&line(&outcome.report));
            } else if let Err(error) = output::report(&outcome.report, outputs, &beside) {
                tracing::error!("{error}");
            }
            board.ended(&outcome, &beside, now());
        }
        Err(error) => {
            tracing::error!("{error}");
            board.failed(&error.to_string(), now());
        }
    }
}

/// For the log of a process that writes nothing else.
fn line(report: &ScanReport) -> String {
    let scan = &report.scan;
    format!("{} scan {} {}\n", scan.finished_at, scan.id, verdict::sentence(report).sentence)
}

async fn last_scan(config: &Arc<Config>) -> Option<Timestamp> {
    let config = config.clone();
    let read = tokio::task::spawn_blocking(move || {
        let ledger = Ledger::open_read_only(&config.ledger.path, config.ledger.key_file.as_deref()).ok()?;
        ledger.previous_scan().ok()?
    });
    read.await.ok().flatten()
}

/// Ends when the process is told to.
async fn ending() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
