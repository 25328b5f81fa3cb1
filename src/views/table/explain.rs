//! An object, explained field by field.

use crate::model::explanation::{ExplainedField, Explanation};
use crate::views::escape::terminal;
use crate::views::{value, words};

use super::lines::{Ink, Style, hang, wrap_path};

/// What differs first, then every other field with the reason why it does not.
pub fn explain(explanation: &Explanation, style: Style) -> String {
    let Explanation { object, origin, fields, .. } = explanation;
    let found = explanation.findings();
    let mut out = String::new();
    let counted = words::counted(fields.len() as u64, "field", "fields");
    let (verdict, ink) = match found {
        0 => (format!("IN SYNC: {object}, {counted} looked at"), Ink::Good),
        n => (format!("DRIFTED: {object}, {n} of {counted}"), Ink::Bad),
    };
    out.push_str(&style.paint(ink, &terminal(&verdict)));
    out.push('\n');
    let place = format!(
        "declared in {} by target {}, {} {} @ {}, as {}",
        words::file(origin),
        origin.target,
        origin.repository,
        origin.revision,
        origin.commit.short(),
        explanation.api_version
    );
    hang(&mut out, "", &terminal(&place), style);
    hang(&mut out, "", &terminal(&explanation.method), style);
    if !explanation.applied.is_empty() {
        let applied: Vec<String> = explanation.applied.iter().map(|(rule, n)| format!("{rule} ×{n}")).collect();
        hang(&mut out, "", &format!("taken off before comparing: {}", applied.join(", ")), style);
    }
    let (findings, others): (Vec<_>, Vec<_>) = fields.iter().partition(|field| field.finding.is_some());
    for field in findings.into_iter().chain(others) {
        out.push('\n');
        one(&mut out, field, style);
    }
    out
}

fn one(out: &mut String, field: &ExplainedField, style: Style) {
    let (lead, ink) = match field.finding {
        Some(code) => (code.to_string(), Ink::Bad),
        None => ("ok".to_owned(), Ink::Good),
    };
    let path = wrap_path(&terminal(&field.path.to_string()), style.columns() - 8);
    for (n, line) in path.lines().enumerate() {
        let lead = if n == 0 { format!("{lead:<7} ") } else { " ".repeat(8) };
        out.push_str(&if n == 0 { style.paint(ink, &lead) } else { lead });
        out.push_str(&style.paint(Ink::Bold, line));
        out.push('\n');
    }
    let width = style.columns().saturating_sub(14) * 2;
    let shown = |value: &Option<serde_json::Value>, none: &str| {
        value.as_ref().map_or_else(|| none.to_owned(), |value| terminal(&value::cut(&value::plain(value), width)))
    };
    let (git, live) = (shown(&field.declared, "(not declared)"), shown(&field.live, "(not there)"));
    if field.declared == field.live {
        hang(out, "        both  ", &git, style);
    } else {
        hang(out, "        Git   ", &git, style);
        hang(out, "        live  ", &live, style);
    }
    let schema = field.schema.as_ref().map(|schema| format!(" ({schema})")).unwrap_or_default();
    hang(out, "        why   ", &terminal(&format!("{}{schema}", field.why)), style);
    if let Some(actor) = field.writers.first() {
        let time = actor.time.map(|time| format!(", {}", time.for_people())).unwrap_or_default();
        let more = field.writers.len() - 1;
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let how = words::how_written(actor);
        let text = format!("{} ({}, {how}){time}{more}", actor.manager, actor.kind.as_str());
        hang(out, "        by    ", &terminal(&text), style);
    }
}
