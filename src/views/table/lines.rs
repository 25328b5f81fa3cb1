//! Lines of a terminal: colour and wrapping.

use crate::model::finding::Severity;
use crate::views::verdict::State;
use crate::views::words;

/// How a terminal wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour; never the only carrier of a meaning.
    pub colour: bool,
    /// Columns. Fewer than 60 are treated as 60.
    pub width: usize,
}

impl Style {
    /// The usable width.
    pub(super) fn columns(self) -> usize {
        self.width.clamp(60, 400)
    }

    /// Text in a colour, where colours are wanted.
    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        if self.colour { format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code()) } else { text.to_owned() }
    }
}

/// Colours by what they stand for (ECMA-48, SGR).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Bold,
    Faint,
    Good,
    Bad,
    Doubtful,
    Git,
    Live,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Faint => "2",
            Self::Good => "1;32",
            Self::Bad => "1;31",
            Self::Doubtful => "1;33",
            Self::Git => "36",
            Self::Live => "33",
        }
    }

    pub(super) fn of_state(state: State) -> Self {
        match state {
            State::InSync => Self::Good,
            State::Drifted => Self::Bad,
            State::Unknown => Self::Doubtful,
        }
    }
}

/// The table's colour for a severity; `None` for the terminal's own.
pub(super) fn severity_colour(severity: Severity) -> Option<comfy_table::Color> {
    match severity {
        Severity::Critical | Severity::High => Some(comfy_table::Color::Red),
        Severity::Medium => Some(comfy_table::Color::Yellow),
        Severity::Low => Some(comfy_table::Color::Cyan),
        Severity::Info => None,
    }
}

/// Breaks text at spaces so that no line is longer than `width`; a word that is too long is broken anywhere.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    pack(text.split_inclusive(' '), width)
}

/// Breaks a field path before its steps.
pub(super) fn wrap_path(path: &str, width: usize) -> String {
    let steps = words::path_steps(path);
    pack(steps.iter().map(String::as_str), width).join("\n")
}

fn pack<'a>(pieces: impl Iterator<Item = &'a str>, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for piece in pieces {
        let mut rest: Vec<char> = piece.chars().collect();
        if used > 0 && used + piece.trim_end().chars().count() > width {
            lines.push(String::new());
            used = 0;
        }
        while rest.len() > width && piece.trim_end().chars().count() > width {
            let tail = rest.split_off(width);
            if let Some(line) = lines.last_mut() {
                line.extend(rest);
            }
            lines.push(String::new());
            rest = tail;
        }
        used += rest.len();
        if let Some(line) = lines.last_mut() {
            line.extend(rest);
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// Wrapped text after a lead of its own; further lines are indented as far.
pub(super) fn hang(out: &mut String, lead: &str, text: &str, style: Style) {
    let indent = lead.chars().count();
    for (n, line) in wrap(text, style.columns().saturating_sub(indent)).iter().enumerate() {
        if n == 0 {
            out.push_str(lead);
        } else {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(line);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_words_and_steps() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(
            wrap_path(r#".spec.containers[name="a.b.c"].image"#, 18),
            ".spec.containers\n[name=\"a.b.c\"]\n.image"
        );
    }
}
