//! What reading one object's own words came to.

use crate::model::time::Timestamp;

use super::object::Condition;

/// How the words of most kinds are read.
pub const KSTATUS: &str = "conditions and generations as kstatus reads them";

/// Longest reason that is kept, in characters.
const REASON: usize = 80;
/// Longest message that is kept, in characters.
const MESSAGE: usize = 400;

/// The statuses of kstatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Where its spec wants it.
    Current,
    /// On the way.
    InProgress,
    /// Cannot get there.
    Failed,
    /// Being deleted.
    Terminating,
    /// Its status cannot be read.
    Unknown,
}

impl Status {
    /// As kstatus writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::Unknown => "Unknown",
        }
    }
}

/// Since when an object has been as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It says so.
    At(Timestamp),
    /// It does not say: since anybody last wrote to it, its status included, at the latest.
    LastWrite,
    /// As before, the status left out: since its spec was last written.
    LastSpecWrite,
    /// Nothing on the object can tell.
    Untold,
}

/// What an object says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The status.
    pub status: Status,
    /// One word in CamelCase, from the object where it has one. At most 80 characters.
    pub reason: String,
    /// For people; the cluster's own text in part, so it may hold anything. At most 400 characters.
    pub message: String,
    /// Since when.
    pub since: Since,
    /// The time in seconds that the object itself grants.
    pub own_deadline: Option<i64>,
    /// How it was read.
    pub method: &'static str,
}

impl Reading {
    /// As its spec wants it.
    pub fn current() -> Self {
        Self::new(Status::Current, "", "")
    }

    /// Not readable.
    pub fn unknown() -> Self {
        Self::new(Status::Unknown, "", "")
    }

    /// On the way.
    pub fn in_progress(reason: &str, message: impl AsRef<str>) -> Self {
        Self::new(Status::InProgress, reason, message.as_ref())
    }

    /// Cannot get there.
    pub fn failed(reason: &str, message: impl AsRef<str>) -> Self {
        Self::new(Status::Failed, reason, message.as_ref())
    }

    /// With this status, and the reason, message and time of a condition.
    pub fn of_condition(status: Status, condition: &Condition) -> Self {
        Self::new(status, &condition.reason, &condition.message).since(condition.last_transition_time)
    }

    /// With any status.
    pub fn new(status: Status, reason: &str, message: &str) -> Self {
        Self {
            status,
            reason: cut(reason, REASON),
            message: cut(message, MESSAGE),
            since: Since::LastWrite,
            own_deadline: None,
            method: KSTATUS,
        }
    }

    /// Since a time that the object tells; without one nothing changes.
    #[must_use]
    pub fn since(mut self, time: Option<Timestamp>) -> Self {
        if let Some(time) = time {
            self.since = Since::At(time);
        }
        self
    }

    /// Read by other rules than those of kstatus.
    #[must_use]
    pub fn by(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// With more to say.
    #[must_use]
    pub fn adding(mut self, words: &str) -> Self {
        self.message = cut(&join(&self.message, words), MESSAGE);
        self
    }
}

fn join(first: &str, second: &str) -> String {
    match (first.is_empty(), second.is_empty()) {
        (true, _) => second.to_owned(),
        (_, true) => first.to_owned(),
        _ => format!("{first}; {second}"),
    }
}

/// At most `most` characters, the last one `…` if something was left out.
pub(super) fn cut(text: &str, most: usize) -> String {
    let text = text.trim();
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_cut_at_whole_characters() {
        assert_eq!(cut(" ab ", 2), "ab");
        assert_eq!(cut("äöü", 2), "ä…");
        let reading = Reading::failed(&"r".repeat(200), "ü".repeat(2_000)).adding("more");
        assert_eq!((reading.reason.chars().count(), reading.message.chars().count()), (REASON, MESSAGE));
    }
}
