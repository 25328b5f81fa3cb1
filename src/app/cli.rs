//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::commands;
use super::error::AppError;
use super::outcome::Exit;
use super::progress::Progress;
use crate::config::{self, Config};
use crate::model::finding::Severity;

const EXIT_CODES: &str = "\
Exit codes:
  0  in sync
  1  drift at or above --fail-on (--exit-zero turns 1, 3 and 4 into 0)
  2  error: usage, configuration, or nothing could be scanned
  3  no drift seen, but something could not be read
  4  recorded, but a message could not be delivered
  5  the ledger's integrity is broken
  6  another scan holds the ledger

Driftledger never writes to a cluster. It needs only get and list.";

/// Says what runs in a cluster that Git does not say, and which commit and writer is behind it.
#[derive(Debug, Parser)]
#[command(name = "driftledger", version, about, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// The configuration.
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        env = "DRIFTLEDGER_CONFIG",
        default_value = "driftledger.yaml"
    )]
    pub config: PathBuf,
    /// More logs on stderr; up to three times.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// No progress on stderr.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(commands::demo::Demo),
    Init(commands::init::Init),
    Scan(commands::scan::Scan),
    Watch(commands::watch::Watch),
    Report(commands::report::Report),
    Findings(commands::findings::Findings),
    Show(commands::show::Show),
    Explain(commands::explain::Explain),
    Blame(commands::blame::BlameCommand),
    History(commands::history::History),
    Compare(commands::compare::Compare),
    CompareRevisions(commands::compare_revisions::CompareRevisions),
    Snapshot(commands::snapshot::Snapshot),
    Verify(commands::verify::Verify),
    Notify(commands::notify::Notify),
    Ledger(commands::ledger::LedgerCommand),
    Doctor(commands::doctor::Doctor),
    Targets(commands::targets::Targets),
    Rbac(commands::rbac::Rbac),
    Config(commands::config::ConfigCommand),
    Completions(commands::completions::Completions),
    Man(commands::man::ManCommand),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What ends a command before it has a result.
    pub async fn run(self) -> Result<Exit, AppError> {
        super::telemetry::start(self.global.verbose);
        match self.command {
            Command::Demo(command) => command.run(&self.global).await,
            Command::Init(command) => command.run(&self.global).await,
            Command::Scan(command) => command.run(&self.global).await,
            Command::Watch(command) => command.run(&self.global).await,
            Command::Report(command) => command.run(&self.global),
            Command::Findings(command) => command.run(&self.global),
            Command::Show(command) => command.run(&self.global),
            Command::Explain(command) => command.run(&self.global).await,
            Command::Blame(command) => command.run(&self.global).await,
            Command::History(command) => command.run(&self.global).await,
            Command::Compare(command) => command.run(&self.global),
            Command::CompareRevisions(command) => command.run(&self.global).await,
            Command::Snapshot(command) => command.run(&self.global).await,
            Command::Verify(command) => command.run(&self.global),
            Command::Notify(command) => command.run(&self.global).await,
            Command::Ledger(command) => command.run(&self.global),
            Command::Doctor(command) => command.run(&self.global).await,
            Command::Targets(command) => command.run(&self.global).await,
            Command::Rbac(command) => command.run(&self.global).await,
            Command::Config(command) => command.run(&self.global),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
        }
    }
}

impl Global {
    /// Reads the configuration.
    ///
    /// # Errors
    /// The file cannot be read, or has problems: all of them are told.
    pub fn read_config(&self) -> Result<Config, AppError> {
        let text = std::fs::read_to_string(&self.config).map_err(|error| {
            AppError::file("cannot read the configuration", &self.config, &error)
                .hint("name it with --config, or start from `driftledger config example`")
        })?;
        let path = std::path::absolute(&self.config).map_err(|e| AppError::file("cannot find", &self.config, &e))?;
        let folder = path.parent().unwrap_or(&path);
        config::read(&text, folder).map_err(|error| AppError::config(&self.config, &error))
    }

    /// Progress as asked for.
    pub fn progress(&self) -> Progress {
        Progress::new(self.quiet)
    }
}

/// Reads a severity; one home for every argument that takes one.
///
/// # Errors
/// The words there are.
pub fn severity(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| "must be info, low, medium, high or critical".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
