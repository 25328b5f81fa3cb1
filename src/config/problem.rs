//! What is wrong with a configuration, each problem with its place.

use std::fmt;

use crate::yaml::Place;

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the file.
    pub place: Place,
    /// The key it is about: `targets[0].revison`.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Problem {
    pub(super) fn new(place: Place, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place, key: key.into(), message: message.into() }
    }
}

/// Every problem of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order of the file.
    pub problems: Vec<Problem>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            let Problem { place, key, message } = problem;
            write!(f, "{}:{}: ", place.line, place.column)?;
            if !key.is_empty() {
                write!(f, "{key}: ")?;
            }
            f.write_str(message)?;
        }
        Ok(())
    }
}
