//! Why a document could not be read.

use super::node::Place;

/// A document that could not be read: where and why.
///
/// `Display` says both and never repeats what the file holds: a manifest may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct YamlError {
    /// Where reading stopped.
    pub place: Place,
    /// What is wrong there.
    pub kind: ErrorKind,
}

impl YamlError {
    pub(super) fn new(place: Place, kind: ErrorKind) -> Self {
        Self { place, kind }
    }
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not YAML; the words are those of the parser and hold no content of the file.
    #[error("not valid YAML: {0}")]
    Syntax(String),
    /// The text is not JSON.
    #[error("not valid JSON: {0}")]
    Json(&'static str),
    /// `---` followed by something other than a comment, which `kubectl` refuses.
    #[error("only a comment may follow `---` on its line")]
    Separator,
    /// A character YAML does not allow, such as NUL or DEL.
    #[error("a control character is not allowed")]
    ControlCharacter,
    /// A next-line, line separator or paragraph separator character, which ends a line in YAML 1.1,
    /// where the text around it is read differently for that.
    #[error("a Unicode line break (U+0085, U+2028 or U+2029) ends the line here")]
    UnicodeLineBreak,
    /// An alias with no anchor of that name before it.
    #[error("an alias has no anchor before it")]
    UnknownAlias,
    /// An anchor whose value holds an alias to itself.
    #[error("an anchor contains itself")]
    SelfReference,
    /// Aliases expand beyond [`Limits::max_bytes_expanded`](super::Limits::max_bytes_expanded), or
    /// are so many that `kubectl` refuses the document.
    #[error("aliases make the document too large")]
    TooLarge,
    /// Nested deeper than [`Limits::max_depth`](super::Limits::max_depth).
    #[error("nested too deeply")]
    TooDeep,
    /// A key that is null.
    #[error("a key must not be null")]
    NullKey,
    /// A key that is a list or a mapping.
    #[error("a key must not be a list or a mapping")]
    ComplexKey,
    /// A key that is a whole number above 2^63 - 1.
    #[error("a key is too large a number")]
    LargeKey,
    /// `<<` with something other than a mapping or a list of mappings.
    #[error("`<<` needs a mapping or a list of mappings")]
    Merge,
    /// An infinity or not-a-number, which JSON does not have.
    #[error("a number must be finite")]
    NotFinite,
    /// A number that no 64-bit float holds.
    #[error("a number is out of range")]
    NumberRange,
    /// A scalar that cannot be read as its tag says.
    #[error("a value does not fit its tag")]
    Tag,
    /// `!!binary` with text that is not base64.
    #[error("a `!!binary` value is not base64")]
    Base64,
}
