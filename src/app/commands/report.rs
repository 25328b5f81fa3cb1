//! `report`: a scan's report again, out of the ledger.

use crate::adapters::ledger::{Ledger, LedgerReader};
use crate::app::cli::Global;
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output::{self, Beside, Output};
use crate::model::ids::ScanId;
use crate::model::report::ScanReport;

/// Write the report of a scan out of the ledger.
#[derive(Debug, clap::Args)]
pub struct Report {
    /// The scan's number; left out: the newest.
    #[arg(long, value_name = "N")]
    scan: Option<i64>,
    /// What to write: table, json, html, markdown, csv, sarif, junit, metrics, eml or slack; `html=report.html` writes a file. May be
    /// given several times.
    #[arg(long, short, value_name = "FORMAT[=PATH]")]
    output: Vec<Output>,
}

impl Report {
    /// Writes the report.
    ///
    /// # Errors
    /// The ledger cannot be read, holds no such scan, or an output cannot be written.
    pub fn run(self, global: &Global) -> Result<Exit, AppError> {
        let config = global.read_config()?;
        let ledger = Ledger::open_read_only(&config.ledger.path, config.ledger.key_file.as_deref())?;
        let report = of_ledger(&ledger, self.scan.map(ScanId))?;
        output::report(&report, &self.output, &Beside::of(&config, &self.output)?)?;
        Ok(Exit::InSync)
    }
}

/// Opens the configured ledger for reading; a scan may be running.
///
/// # Errors
/// Configuration or ledger cannot be read.
pub fn open(global: &Global) -> Result<LedgerReader, AppError> {
    let config = global.read_config()?;
    Ok(Ledger::open_read_only(&config.ledger.path, config.ledger.key_file.as_deref())?)
}

/// A scan's report; `None`: the newest one.
///
/// # Errors
/// There is none.
pub fn of_ledger(ledger: &LedgerReader, scan: Option<ScanId>) -> Result<ScanReport, AppError> {
    ledger.report(scan)?.ok_or_else(|| match scan {
        Some(scan) => AppError::new(format!("the ledger holds no finished scan {scan}")),
        None => AppError::new("the ledger holds no finished scan yet").hint("run `driftledger scan` first"),
    })
}
