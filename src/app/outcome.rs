//! Exit codes: documented and stable.

use crate::model::finding::Severity;
use crate::model::report::ScanReport;
use crate::stages::assess;

/// How the program ends. Where several hold, the order is 2, 6, 5, 1, 3, 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: in sync.
    InSync,
    /// 1: drift at or above `--fail-on`.
    Drift,
    /// 2: usage, configuration, or nothing could be scanned.
    Error,
    /// 3: no drift seen, but there were gaps.
    Gaps,
    /// 4: recorded, but a message could not be delivered.
    Undelivered,
    /// 5: the ledger's integrity is broken.
    Broken,
    /// 6: another scan holds the ledger.
    Locked,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::InSync => 0,
            Self::Drift => 1,
            Self::Error => 2,
            Self::Gaps => 3,
            Self::Undelivered => 4,
            Self::Broken => 5,
            Self::Locked => 6,
        }
    }

    /// For `--exit-zero`: 1, 3 and 4 become 0.
    #[must_use]
    pub fn forgiving(self, exit_zero: bool) -> Self {
        match self {
            Self::Drift | Self::Gaps | Self::Undelivered if exit_zero => Self::InSync,
            other => other,
        }
    }

    /// Where nothing else is to be said: whether every message was delivered.
    #[must_use]
    pub fn or_undelivered(self, all_delivered: bool) -> Self {
        if self == Self::InSync && !all_delivered { Self::Undelivered } else { self }
    }

    /// Of a scan: by its open findings, and where nothing drifted by its gaps.
    pub fn of_scan(report: &ScanReport, fail_on: Severity) -> Self {
        if assess::worst(&report.findings).is_some_and(|worst| worst >= fail_on) {
            Self::Drift
        } else if report.gaps.is_empty() {
            Self::InSync
        } else {
            Self::Gaps
        }
    }
}
