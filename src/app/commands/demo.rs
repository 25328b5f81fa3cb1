//! `demo`: the whole job on a bundled sample.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::app::cli::Global;
use crate::app::demo::{folder, run};
use crate::app::error::AppError;
use crate::app::outcome::Exit;
use crate::app::output;
use crate::model::report::ScanReport;

/// Run the whole job on a bundled sample: a Git repository, and a cluster that drifted from it.
///
/// Needs no cluster, no network and no configuration, and ends with 0 although the sample drifted.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// The folder to make; an earlier demo's is made anew.
    #[arg(long, value_name = "DIR", default_value = "driftledger-demo")]
    out: PathBuf,
}

impl Demo {
    /// Runs it.
    ///
    /// # Errors
    /// The folder cannot be used, or a scan could not be recorded.
    pub async fn run(self, global: &Global) -> Result<Exit, AppError> {
        let report = run::run(&self.out, global.progress()).await?;
        output::report(&report, &[], &output::Beside::default())?;
        let program = std::env::args().next().unwrap_or_else(|| "driftledger".to_owned());
        output::stdout(&what_next(&program, &self.out, &report));
        Ok(Exit::InSync)
    }
}

/// What was written where, and three things to try.
fn what_next(program: &str, out: &Path, report: &ScanReport) -> String {
    let at = |name: &str| shell(&out.join(name).display().to_string());
    let command = format!("{} --config {}", shell(program), at(folder::CONFIG));
    let mut text = format!("\nThis is a sample; no cluster was asked. In {}:\n", shell(&out.display().to_string()));
    for (name, what) in [
        (folder::REPORT, "this report with every difference in full"),
        (folder::MAIL, "the e-mail"),
        (folder::SLACK, "the Slack message"),
        (folder::LEDGER, "the record of two scans: yesterday evening and now"),
        (folder::REPOSITORY, "what Git declares, and its history"),
        (folder::CLUSTER, "what runs, as kubectl printed it"),
    ] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<14} {what}");
    }
    let _ = writeln!(text, "Try next:\n  open {} in a browser", at(folder::REPORT));
    if let Some(worst) = report.findings.first() {
        let _ = writeln!(text, "  {command} show {}", worst.id);
    }
    if let Some(seal) = &report.scan.seal {
        let _ = writeln!(text, "  {command} verify --anchor {}", seal.hash);
    }
    text
}

/// A word as a shell reads it.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:=@%,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_can_be_pasted_into_a_shell() {
        assert_eq!(shell("target/release/driftledger"), "target/release/driftledger");
        assert_eq!(shell("my demo/it's"), r"'my demo/it'\''s'");
        assert_eq!(shell(""), "''");
    }
}
