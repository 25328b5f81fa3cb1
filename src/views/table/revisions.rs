//! What differs between two declared states.

use std::fmt::Write as _;

use serde_json::Value;

use super::lines::{Ink, Style};
use crate::model::revisions::{RevisionComparison, Side};
use crate::views::escape::terminal;
use crate::views::value::{cut, plain};
use crate::views::words::counted;

/// Characters of a value that are shown.
const MOST: usize = 80;

/// Images first, then the other fields by object, then what only one side declares.
pub fn revisions(compared: &RevisionComparison, style: Style) -> String {
    let [one, other] = &compared.sides;
    let mut out = format!("{}\n{}\n", side("A", one), side("B", other));
    let (images, fields): (Vec<_>, Vec<_>) = compared.fields.iter().partition(|field| field.is_image);
    for (title, fields) in [("Images", images), ("Fields", fields)] {
        if fields.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(out, "\n{}", style.paint(Ink::Bold, title));
        let mut last = "";
        for field in fields {
            if field.object != last {
                let _ = writeln!(out, "{}", terminal(&field.object));
                last = &field.object;
            }
            let [one, other] = field.values.each_ref().map(|value| shown(value.as_ref()));
            let _ = writeln!(out, "  {}: {one} → {other}", terminal(&field.path.to_string()));
        }
    }
    for (name, only) in [("A", &compared.only[0]), ("B", &compared.only[1])] {
        if !only.is_empty() {
            let _ = writeln!(out, "\n{}", style.paint(Ink::Bold, &format!("Only in {name}")));
            only.iter().for_each(|object| _ = writeln!(out, "{}", terminal(object)));
        }
    }
    let differ = counted(compared.fields.len() as u64, "field differs", "fields differ");
    let only = compared.only.iter().map(Vec::len).sum::<usize>() as u64;
    let _ = writeln!(
        out,
        "\n{} on both sides: {differ}; {} on one side alone",
        counted(compared.both, "object", "objects"),
        counted(only, "object", "objects"),
    );
    for gap in &compared.gaps {
        let of = gap.target.as_ref().map(|target| format!("{}: ", terminal(target.as_str()))).unwrap_or_default();
        let _ = writeln!(out, "{} {of}{}", style.paint(Ink::Bold, "gap"), terminal(&gap.message));
    }
    out
}

fn side(name: &str, side: &Side) -> String {
    let commit = side.commit.as_ref().map(|commit| format!(" @ {}", commit.short())).unwrap_or_default();
    let Side { target, repository, revision, .. } = side;
    format!(
        "{name}: {}, {} {}{commit}",
        terminal(target.as_str()),
        terminal(repository.as_str()),
        terminal(revision.as_str())
    )
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "not declared".to_owned(), |value| terminal(&cut(&plain(value), MOST)))
}
