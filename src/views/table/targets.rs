//! The targets of a configuration.

use std::fmt::Write as _;

use super::lines::{Ink, Style};
use crate::model::gap::{Gap, Hides};
use crate::model::targets::{ListedTarget, TargetList};
use crate::views::escape::terminal;
use crate::views::words::counted;

/// Each target in two lines, then what could not be read or understood.
pub fn targets(listed: &TargetList, style: Style) -> String {
    let mut out = String::new();
    for target in &listed.targets {
        let ListedTarget { name, cluster, namespace, repository, revision, path, .. } = target;
        let discovered = if target.discovered { ", discovered" } else { "" };
        let is_hidden = |gap: &Gap| gap.target.as_ref() == Some(name) && gap.hides == Hides::Target;
        let by = match target.renderer.as_deref() {
            Some(renderer) => renderer,
            None if target.objects == 0 && listed.gaps.iter().any(is_hidden) => "not read",
            None => "files as they are",
        };
        let commit = target.commit.as_ref().map(|commit| format!(" @ {}", commit.short())).unwrap_or_default();
        let path = if path.is_empty() { "/" } else { path };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{}  {} in cluster {}, namespace {}{discovered}",
            style.paint(Ink::Bold, &terminal(name.as_str())),
            counted(target.objects, "object", "objects"),
            terminal(cluster.as_str()),
            terminal(namespace),
        );
        let _ = writeln!(
            out,
            "  {} {}{commit} {}  ({})",
            terminal(repository.as_str()),
            terminal(revision.as_str()),
            terminal(path),
            terminal(by)
        );
    }
    let _ = writeln!(out, "{}", counted(listed.targets.len() as u64, "target", "targets"));
    for gap in &listed.gaps {
        let of = gap.target.as_ref().map(|target| format!("{}: ", terminal(target.as_str()))).unwrap_or_default();
        let _ = writeln!(out, "{} {of}{}", style.paint(Ink::Bold, "gap"), terminal(&gap.message));
        if let Some(hint) = &gap.hint {
            let _ = writeln!(out, "  hint: {}", terminal(hint));
        }
    }
    out
}
