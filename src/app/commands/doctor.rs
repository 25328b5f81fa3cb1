//! `doctor`: what works and what does not.

use std::sync::Arc;

use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::{discovery, doctor, output, pipeline};
use crate::views;

/// Try out everything that the configuration names: ledger, repositories, clusters, receivers.
///
/// Says of each what works, which right or file is missing, and what to do. Both sides are read as a scan reads them, so what it
/// finds is what a scan would. Nothing is recorded, no message is sent, and clusters are only asked with get and list.
///
/// Exit codes: 0 everything works; 3 something does not; 2 the configuration is wrong.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// table or json.
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    output: String,
}

impl Doctor {
    /// Tries it out.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let scan = pipeline::Scan {
            config: discovery::of(&Arc::new(global.read_config()?), pipeline::now()).await?,
            targets: Vec::new(),
            clusters: Vec::new(),
            clock: pipeline::now,
            progress: global.progress(),
            scheduled: None,
        };
        let all = doctor::examine(&scan).await?;
        output::stdout(&match self.output.as_str() {
            "json" => views::json::doctor(&all),
            _ => views::table::doctor(&all, output::style(true)),
        });
        Ok(if all.iter().all(|checked| checked.is_well()) { Exit::InSync } else { Exit::Gaps })
    }
}
