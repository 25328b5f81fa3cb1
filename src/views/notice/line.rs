//! Sentences made of pieces, so that text, HTML and Slack say the same and each formats it in its way.

use serde::Serialize;

use crate::views::escape::{mrkdwn, mrkdwn_code, terminal};
use crate::views::value::cut;

/// Characters of prose that somebody else may have chosen.
const MOST_PROSE: usize = 400;
const MOST_CODE: usize = 160;

/// A sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Line(Vec<Piece>);

/// A part of it. Its text is on one line and without hidden characters; nothing else is escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Piece {
    text: String,
    style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Style {
    Prose,
    Code,
    Strong,
}

impl Line {
    /// A line that is all prose.
    pub(super) fn of(text: impl AsRef<str>) -> Self {
        Self::default().say(text)
    }

    /// Prose.
    pub(super) fn say(self, text: impl AsRef<str>) -> Self {
        self.push(Style::Prose, text.as_ref(), MOST_PROSE)
    }

    /// A sentence of ours about something, with a capital and a full stop; what stands in backticks is code.
    pub(super) fn sentence(text: &str) -> Self {
        let text = sentence(text);
        // One without its twin is a sign like others.
        if text.matches('`').count() % 2 == 1 {
            return Self::of(text);
        }
        let parts = text.split('`').enumerate();
        parts.fold(
            Self::default(),
            |line, (n, part)| if n % 2 == 0 { line.say(part) } else { line.code(part, MOST_CODE) },
        )
    }

    /// Prose that stands out.
    pub(super) fn strong(self, text: impl AsRef<str>) -> Self {
        self.push(Style::Strong, text.as_ref(), MOST_PROSE)
    }

    /// A name or value as it is, at most `most` characters of it.
    pub(super) fn code(self, text: impl AsRef<str>, most: usize) -> Self {
        self.push(Style::Code, text.as_ref(), most)
    }

    /// Goes on with another line.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn push(mut self, style: Style, text: &str, most: usize) -> Self {
        let text = cut(&terminal(text), most);
        if !text.is_empty() {
            self.0.push(Piece { text, style });
        }
        self
    }

    /// For text: nothing stands out.
    pub(super) fn text(&self) -> String {
        self.0.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// For Slack.
    pub(super) fn mrkdwn(&self) -> String {
        let piece = |piece: &Piece| match piece.style {
            Style::Prose => mrkdwn(&piece.text),
            Style::Strong => format!("*{}*", mrkdwn(&piece.text)),
            Style::Code => mrkdwn_code(&piece.text),
        };
        self.0.iter().map(piece).collect()
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.trim().chars();
    let mut out: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    out.push_str(chars.as_str());
    if !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

/// `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_receiver_formats_in_its_way() {
        let line = Line::of("Set by ").code("k`<!here>\n", 40).say(", *now*: ").strong("look");
        assert_eq!(line.text(), "Set by k`<!here>\\n, *now*: look");
        assert_eq!(line.mrkdwn(), "Set by `kˋ&lt;!here&gt;\\n`, ∗now∗: *look*");
        assert_eq!(Line::default().code("abcdef", 3).text(), "ab…");
        assert_eq!(Line::sentence("run `kubectl get` now").mrkdwn(), "Run `kubectl get` now.");
        assert_eq!(Line::sentence("a ` sign!").mrkdwn(), "A ˋ sign!");
    }

    #[test]
    fn names_are_listed() {
        let names = |count: usize| ["a", "b", "c"][..count].iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!([0, 1, 2, 3].map(|count| listed(&names(count))), ["", "a", "a and b", "a, b and c"]);
    }
}
