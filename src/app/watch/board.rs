//! What the pages say.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard};

use crate::app::output::Beside;
use crate::app::pipeline::Outcome;
use crate::model::time::Timestamp;
use crate::views;

/// The newest of everything, for whoever asks.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Since when a scan runs.
    running: Option<Timestamp>,
    /// Of the newest recorded scan.
    report: Option<String>,
    metrics: String,
    /// When the newest attempt ended, and why it failed, if it did.
    last: Option<(Timestamp, Option<String>)>,
    failures: u64,
    scans: u64,
    /// What is wrong with the configuration as it is now.
    configuration: Option<String>,
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn begins(&self, at: Timestamp) {
        self.state().running = Some(at);
    }

    pub(super) fn ended(&self, outcome: &Outcome, beside: &Beside, at: Timestamp) {
        let report = views::html::scan(&outcome.report).ok();
        let metrics = views::metrics::scan(&outcome.report, beside.ledger.as_ref());
        let mut state = self.state();
        (state.report, state.metrics) = (report, metrics);
        (state.running, state.last) = (None, Some((at, None)));
        state.scans += 1;
    }

    pub(super) fn failed(&self, why: &str, at: Timestamp) {
        let mut state = self.state();
        (state.running, state.last) = (None, Some((at, Some(why.to_owned()))));
        state.failures += 1;
    }

    pub(super) fn configuration(&self, problem: Option<String>) {
        self.state().configuration = problem;
    }

    /// The newest report, as a page.
    pub(super) fn report(&self) -> Option<String> {
        self.state().report.clone()
    }

    /// What keeps it from being ready; `Ok`: nothing.
    pub(super) fn ready(&self) -> Result<(), String> {
        let state = self.state();
        match (&state.configuration, &state.last) {
            (Some(problem), _) => Err(format!("the configuration has changed and is wrong: {problem}")),
            (None, None) => Err("no scan has ended yet".into()),
            (None, Some((at, Some(why)))) => Err(format!("the last scan failed at {}: {why}", at.for_people())),
            (None, Some((_, None))) => Ok(()),
        }
    }

    /// The metrics of the newest recorded scan, and of this process.
    pub(super) fn metrics(&self) -> String {
        let state = self.state();
        let mut text = state.metrics.clone();
        let ok = u8::from(state.configuration.is_none());
        let running = u8::from(state.running.is_some());
        for (name, kind, help, value) in [
            ("driftledger_watch_scans_total", "counter", "Scans that this process recorded.", state.scans),
            ("driftledger_watch_failures_total", "counter", "Scans of this process that failed.", state.failures),
            ("driftledger_watch_running", "gauge", "Whether a scan runs.", u64::from(running)),
            (
                "driftledger_watch_config_valid",
                "gauge",
                "Whether the configuration, as it is now, is valid.",
                u64::from(ok),
            ),
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
        text
    }
}
