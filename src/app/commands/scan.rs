//! `scan`: the main job, once.

use std::sync::Arc;

use crate::app::announce;
use crate::app::cli::{Global, severity};
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output::{self, Beside, Output};
use crate::app::pipeline;
use crate::model::finding::Severity;
use crate::model::ids::{ClusterName, TargetName};

/// Compare every target with its cluster, record it, and report.
#[derive(Debug, clap::Args)]
pub struct Scan {
    /// Only this target; may be given several times.
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Only targets of this cluster; may be given several times.
    #[arg(long, value_name = "NAME")]
    cluster: Vec<String>,
    /// Exit with 1 only for findings of at least this severity: info, low, medium, high or critical.
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    fail_on: Option<Severity>,
    /// Exit with 0 also for drift, gaps and undelivered messages: for CronJobs, whose failure pages somebody.
    #[arg(long)]
    exit_zero: bool,
    /// What to write: table, json, html, markdown, csv, sarif, junit, metrics, eml or slack; `html=report.html` writes a file. May be
    /// given several times.
    #[arg(long, short, value_name = "FORMAT[=PATH]")]
    output: Vec<Output>,
}

impl Scan {
    /// Runs the scan.
    ///
    /// # Errors
    /// Configuration, ledger, or an output that cannot be written.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let config = Arc::new(global.read_config()?);
        let fail_on = self.fail_on.unwrap_or(config.fail_on);
        let scan = pipeline::Scan {
            config: config.clone(),
            targets: self.target.into_iter().map(TargetName::new).collect(),
            clusters: self.cluster.into_iter().map(ClusterName::new).collect(),
            clock: pipeline::now,
            progress: global.progress(),
            scheduled: None,
        };
        let pipeline::Outcome { report, delivered } = pipeline::scan(&scan).await?;
        output::report(&report, &self.output, &Beside::of(&config, &self.output)?)?;
        for line in announce::lines(&delivered) {
            eprintln!("not delivered: {line}");
        }
        let exit = Exit::of_scan(&report, fail_on).or_undelivered(delivered.is_complete());
        Ok(exit.forgiving(self.exit_zero))
    }
}
