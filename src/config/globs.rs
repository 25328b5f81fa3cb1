//! Patterns of names: `*` stands for any text, `?` for one character.

use wildmatch::WildMatch;

use crate::model::resource::GroupKind;

/// A pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    text: String,
    pattern: WildMatch,
}

impl Glob {
    /// From its text; every text is a pattern.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), pattern: WildMatch::new(text) }
    }

    /// Whether a text fits.
    pub fn matches(&self, text: &str) -> bool {
        self.pattern.matches(text)
    }

    /// Whether a kind fits, written `Kind.group`; a pattern without a dot means the kind in any group.
    pub fn matches_kind(&self, kind: &GroupKind) -> bool {
        self.matches(&kind.to_string()) || (!self.text.contains('.') && self.matches(&kind.kind))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it stands for itself alone.
    pub fn is_literal(&self) -> bool {
        !self.text.contains(['*', '?'])
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

/// Patterns from texts.
pub fn globs(texts: &[String]) -> Vec<Glob> {
    texts.iter().map(|text| Glob::new(text)).collect()
}

/// Whether one of the patterns fits; no pattern fits everything.
pub fn any(patterns: &[Glob], fits: impl Fn(&Glob) -> bool) -> bool {
    patterns.is_empty() || patterns.iter().any(fits)
}
