//! The part of a log that is about one object, and how its writes are listed.

use crate::model::audit_event::Write;
use crate::model::audited::{AuditedWrite, MOST_GROUPS, Matched};
use crate::model::time::Timestamp;

/// Writes that are listed on a finding, of either sort.
pub(super) const MOST_LISTED: usize = 5;

/// The part of a log that is about one object.
#[derive(Clone, Copy, Debug)]
pub struct ObjectLog<'a> {
    /// The writes to it since it was last in sync, oldest first.
    pub writes: &'a [Write],
    /// When an earlier scan of this ledger last saw it in sync; `None` if none ever did. For an object that is in sync now: when one looked
    /// at it last.
    pub in_sync: Option<Timestamp>,
    /// Before this no write was looked for: what was there an earlier scan has told. `None`: no such time.
    pub read_from: Option<Timestamp>,
    /// From when to when the log at hand reaches; `None` where it holds no event.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl ObjectLog<'_> {
    /// Since when writes are looked at, for people.
    pub(super) fn since(&self) -> String {
        if let Some(from) = self.read_from {
            return format!("since {}", from.for_people());
        }
        match (self.in_sync, self.span) {
            (Some(seen), Some((from, _))) if from > seen => format!(
                "since {}, where the log at hand begins (the object was last seen in sync before, {})",
                from.for_people(),
                seen.for_people()
            ),
            (Some(seen), _) => format!("since it was last seen in sync, {}", seen.for_people()),
            (None, Some((from, _))) => format!("since {}, where the log at hand begins", from.for_people()),
            (None, None) => "in the log at hand".to_owned(),
        }
    }

    /// Whether a write that an earlier scan knew cannot be in what was read now.
    pub(super) fn is_gone(&self, write: &AuditedWrite) -> bool {
        self.span.is_none_or(|(from, _)| write.time < from) || self.read_from.is_some_and(|from| write.time < from)
    }

    /// What to say of a log that has no write that could be meant. It stays the same from scan to scan, or every scan would be news.
    pub(super) fn nothing(&self) -> String {
        match (self.span, self.in_sync) {
            (None, _) if self.read_from.is_none() => "the audit log at hand holds no event".to_owned(),
            (_, None) => "the audit log at hand has no write that could be behind it".to_owned(),
            (_, Some(seen)) => format!(
                "the audit log at hand has no write that could be behind it since the object was last seen in sync, {}",
                seen.for_people()
            ),
        }
    }
}

/// A write as it is listed.
pub(super) fn listed(write: &Write, matched: Matched, why: impl Into<String>) -> AuditedWrite {
    AuditedWrite {
        time: write.time,
        verb: write.verb,
        subresource: write.subresource.clone(),
        user: write.user.clone(),
        impersonated: write.impersonated.clone(),
        groups: write.groups.iter().take(MOST_GROUPS).cloned().collect(),
        user_agent: write.user_agent.clone(),
        source_ips: Some(write.source_ips.clone()).filter(|addresses| !addresses.is_empty()),
        code: write.code,
        manager: write.manager.name().map(str::to_owned),
        matched,
        why: why.into(),
        contradicts: false,
    }
}
