//! A severity as messages show it.

use crate::model::finding::Severity;

/// The mark that stands before it where there are no colours.
pub(super) fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🔴",
        Severity::High => "🟠",
        Severity::Medium => "🟡",
        Severity::Low => "🔵",
        Severity::Info => "⚪",
    }
}

/// The word as headlines begin with it.
pub(super) fn capitals(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "CRITICAL",
        Severity::High => "HIGH",
        Severity::Medium => "MEDIUM",
        Severity::Low => "LOW",
        Severity::Info => "INFO",
    }
}

/// Ink and ground of its label, as CSS writes them; each pair can be read (WCAG 2, contrast of 4.5 at least).
pub(super) fn colours(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Critical => ("#ffffff", "#9b1217"),
        Severity::High => ("#8a1216", "#fbdcdc"),
        Severity::Medium => ("#6b4200", "#ffe9b8"),
        Severity::Low => ("#3d4752", "#e3e8ee"),
        Severity::Info => ("#535c68", "#eef0f2"),
    }
}
