//! What works of all that a scan needs, and what does not.

use serde::Serialize;

/// The schema of what `doctor` says as JSON.
pub const DOCTOR_SCHEMA: &str = "driftledger/doctor/v1";

/// What was found about one thing: the ledger, a repository, a cluster, a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// `ledger`, `repository`, `cluster`, `receiver` or `heartbeat`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What works; for people, no secrets.
    pub works: Vec<String>,
    /// What does not.
    pub problems: Vec<Problem>,
}

/// What does not work, or cannot be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What; for people, no secrets.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether something stays unread, unrecorded or untold because of it.
    pub stops: bool,
}

impl Checked {
    /// Nothing is known yet.
    pub fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), works: Vec::new(), problems: Vec::new() }
    }

    /// Something works.
    pub fn works(&mut self, what: impl Into<String>) {
        self.works.push(what.into());
    }

    /// Something keeps it from working.
    pub fn stops(&mut self, what: impl Into<String>, hint: Option<String>) {
        self.problems.push(Problem { what: what.into(), hint, stops: true });
    }

    /// Something is worth knowing.
    pub fn notes(&mut self, what: impl Into<String>, hint: Option<String>) {
        self.problems.push(Problem { what: what.into(), hint, stops: false });
    }

    /// Whether nothing keeps it from working.
    pub fn is_well(&self) -> bool {
        !self.problems.iter().any(|problem| problem.stops)
    }
}
