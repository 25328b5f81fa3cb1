//! Errors at the edge: what happened, with its chain, and what the person can do.

use std::fmt;
use std::path::Path;

use super::outcome::Exit;
use crate::adapters::ledger::LedgerError;
use crate::config::ConfigError;
use crate::model::gap::Gap;

/// An error that ends a command.
#[derive(Debug)]
pub struct AppError {
    /// The exit code.
    pub exit: Exit,
    message: String,
    hint: Option<String>,
}

impl AppError {
    /// Usage, configuration, or nothing could be scanned.
    pub fn new(message: impl Into<String>) -> Self {
        Self { exit: Exit::Error, message: message.into(), hint: None }
    }

    /// With what the person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A file that could not be read or written.
    pub fn file(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("{doing} {}: {error}", path.display()))
    }

    /// A configuration with problems.
    pub fn config(path: &Path, error: &ConfigError) -> Self {
        let lines: String = error.to_string().lines().map(|line| format!("\n  {}:{line}", path.display())).collect();
        let count = error.problems.len();
        let problems = if count == 1 { "a problem" } else { "problems" };
        Self::new(format!("the configuration has {problems}:{lines}")).hint(
            "`driftledger config example` prints a commented example, `driftledger config schema` the JSON schema",
        )
    }
}

impl From<LedgerError> for AppError {
    fn from(error: LedgerError) -> Self {
        let exit = match error {
            LedgerError::Locked { .. } => Exit::Locked,
            LedgerError::Broken { .. } => Exit::Broken,
            _ => Exit::Error,
        };
        Self { exit, message: chain(&error), hint: error.hint().map(str::to_owned) }
    }
}

impl From<Gap> for AppError {
    fn from(gap: Gap) -> Self {
        let place = gap.place.map(|place| format!("{place}: ")).unwrap_or_default();
        Self { exit: Exit::Error, message: format!("{place}{}", gap.message), hint: gap.hint }
    }
}

impl std::error::Error for AppError {}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// An error and its sources, each once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        text.push_str(": ");
        text.push_str(&next.to_string());
        source = next.source();
    }
    text
}
