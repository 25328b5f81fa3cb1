//! `findings`: what is open.

use super::report;
use crate::app::cli::{Global, severity};
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output;
use crate::model::finding::Severity;
use crate::views;

/// List what is open.
#[derive(Debug, clap::Args)]
pub struct Findings {
    /// Only this severity and worse: info, low, medium, high or critical.
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    severity: Option<Severity>,
    /// Only this code, as DL001.
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Only objects whose kind, namespace/name or field path contains this text.
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// table, json or csv.
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json", "csv"])]
    output: String,
}

impl Findings {
    /// Lists them.
    ///
    /// # Errors
    /// Configuration or ledger cannot be read.
    pub fn run(self, global: &Global) -> Result<Exit, AppError> {
        let mut open: Vec<_> = report::open(global)?.open_findings()?.into_iter().map(|open| open.finding).collect();
        open.retain(|finding| {
            let title = crate::stages::lifecycle::title(finding);
            self.severity.is_none_or(|least| finding.severity >= least)
                && self.code.as_deref().is_none_or(|code| finding.code.as_str().eq_ignore_ascii_case(code))
                && self.text.as_deref().is_none_or(|text| title.contains(text))
        });
        let text = match self.output.as_str() {
            "json" => views::json::findings(&open),
            "csv" => views::csv::findings(&open),
            _ => views::table::findings(&open, None, output::style(true)),
        };
        output::stdout(&text);
        Ok(Exit::InSync)
    }
}
