//! Live objects as YAML, with a gutter: the commit behind each declared field, the writer of any other.

use serde_json::Value;

use crate::model::attribution::{Actor, DeclaredBy};
use crate::model::blame::{Blame, BlamedField};
use crate::model::field_path::Step;
use crate::views::escape::terminal;
use crate::views::{value, words};

use super::lines::{Ink, Style, hang};

/// Columns of the gutter, without the bar.
const GUTTER: usize = 38;

/// Each object under a line that says where it is declared.
pub fn blame(blamed: &[Blame], style: Style) -> String {
    let mut out = String::new();
    for (n, blame) in blamed.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        head(&mut out, blame, style);
        let mut tree = Node::default();
        for field in &blame.fields {
            tree.insert(field.path.steps(), field);
        }
        tree.write(&mut out, 0, style);
    }
    out
}

fn head(out: &mut String, blame: &Blame, style: Style) {
    let origin = &blame.origin;
    let found = blame.findings() as u64;
    let verdict = match found {
        0 => "in sync".to_owned(),
        _ => format!("drifted in {}", words::counted(found, "field", "fields")),
    };
    let text = format!(
        "{} ({}): {verdict}; declared in {}, {} {} @ {}",
        blame.object,
        blame.api_version,
        words::file(origin),
        origin.repository,
        origin.revision,
        origin.commit.short()
    );
    hang(out, "", &terminal(&text), style);
    if !blame.whole_history {
        hang(out, "", "The history at hand is not whole: a field without a commit may have one before it.", style);
    }
}

/// The fields as a tree, in the order in which they come.
#[derive(Default)]
struct Node<'a> {
    field: Option<&'a BlamedField>,
    below: Vec<(&'a Step, Node<'a>)>,
}

impl<'a> Node<'a> {
    fn insert(&mut self, steps: &'a [Step], field: &'a BlamedField) {
        let Some((first, rest)) = steps.split_first() else {
            self.field = Some(field);
            return;
        };
        let place = match self.below.iter().position(|(step, _)| *step == first) {
            Some(place) => place,
            None => {
                self.below.push((first, Node::default()));
                self.below.len() - 1
            }
        };
        self.below[place].1.insert(rest, field);
    }

    fn write(&self, out: &mut String, depth: usize, style: Style) {
        for (step, node) in &self.below {
            let name = match step {
                Step::Field(name) => format!("{}:", key(name)),
                Step::Key(keys) => {
                    let keys = keys.iter().map(|(name, value)| format!("{name}={}", value::plain(value)));
                    format!("- # {}", keys.collect::<Vec<_>>().join(", "))
                }
                Step::Item(_) | Step::Index(_) => "-".to_owned(),
            };
            line(out, node.field, &format!("{}{name}", "  ".repeat(depth)), node.below.is_empty(), style);
            node.write(out, depth + 1, style);
        }
    }
}

fn line(out: &mut String, field: Option<&BlamedField>, text: &str, is_leaf: bool, style: Style) {
    let gutter: String = field.map(gutter).unwrap_or_default().chars().take(GUTTER).collect();
    let differs = field.is_some_and(|field| field.finding.is_some());
    let mark = if differs { '!' } else { ' ' };
    let mut text = text.to_owned();
    if let Some(field) = field.filter(|_| is_leaf) {
        text.push(' ');
        text.push_str(&shown(field.live.as_ref(), "(not there)"));
    }
    if let Some(field) = field.filter(|_| differs) {
        let code = field.finding.map(|code| code.to_string()).unwrap_or_default();
        let by = field.actors.first().map(|writer| format!("; by {}", actor(writer))).unwrap_or_default();
        text.push_str(&format!("  # {code}, Git: {}{by}", shown(field.declared.as_ref(), "(not declared)")));
    }
    let padding = " ".repeat(GUTTER.saturating_sub(gutter.chars().count()));
    out.push_str(&style.paint(Ink::Faint, &terminal(&gutter)));
    out.push_str(&padding);
    out.push_str(&format!(" {mark}│ "));
    let text = terminal(&text);
    out.push_str(&if differs { style.paint(Ink::Bad, &text) } else { text });
    out.push('\n');
}

/// `4be07d2 2026-03-02 Ada Adams`, or `~ kubectl-edit 2026-03-02`.
fn gutter(field: &BlamedField) -> String {
    let by = |by: &DeclaredBy| format!("{} {} {}", by.commit.short(), by.time.date(), by.author);
    match (&field.declared, &field.declared_by, field.actors.first()) {
        (Some(_), Some(commit), _) => by(commit),
        (Some(_), None, _) => "? before the history at hand".to_owned(),
        (None, _, Some(writer)) => format!("~ {}", actor(writer)),
        (None, _, None) => String::new(),
    }
}

/// `kubectl-edit 2026-03-02`.
fn actor(actor: &Actor) -> String {
    let time = actor.time.map(|time| format!(" {}", time.date())).unwrap_or_default();
    format!("{}{time}", actor.manager)
}

fn shown(value: Option<&Value>, none: &str) -> String {
    let Some(value) = value else { return none.to_owned() };
    let text = match value {
        // As YAML would need it: a text that reads as something else is quoted.
        Value::String(text) if reads_as_itself(text) => text.clone(),
        other => other.to_string(),
    };
    value::cut(&text, 160)
}

fn key(name: &str) -> String {
    if reads_as_itself(name) { name.to_owned() } else { Value::from(name).to_string() }
}

/// Whether a text may stand in YAML without quotes: cautious, as this is for people.
fn reads_as_itself(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '@' | '=' | ' ');
    let first = text.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(plain)
        && !text.ends_with(' ')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
        )
}
