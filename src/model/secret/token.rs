//! How what stands in place of a secret is written, and how it is recognised.
//!
//! A whole value: `redacted:0badcafe:` and 32 hex digits (the key's id, then the keyed hash). Inside a text the name of what was
//! there follows in parentheses, so that a text alone says what it cannot show: `redacted:0badcafe:1a2b…09(db.password)`.

use serde_json::Value;

/// Stands for a value that SOPS encrypted: only its presence can be compared.
pub const SOPS_TOKEN: &str = "encrypted:sops";

/// How every token begins.
pub(super) const PREFIX: &str = "redacted:";

/// Stands for the key's id where a value that held a token was hashed: no other hash can be compared with it.
pub const NO_KEY: &str = "00000000";
pub(super) const NO_KEY_PREFIX: &str = "redacted:00000000:";

const KEY_DIGITS: usize = 8;
/// A token has 32; fewer are understood, so that a report can be quoted by hand.
const LEAST_DIGITS: usize = 6;
const MOST_DIGITS: usize = 32;
const MOST_LABEL: usize = 80;

/// How every token of the key with this id begins.
pub fn prefix(key_id: &str) -> String {
    format!("{PREFIX}{key_id}:")
}

/// A token of a whole value.
pub(super) fn whole(key_id: &str, digits: &str) -> String {
    format!("{PREFIX}{key_id}:{digits}")
}

/// A token inside a text. `name` is what the text calls the value.
pub(super) fn inside(key_id: &str, digits: &str, name: &str) -> String {
    format!("{PREFIX}{key_id}:{digits}({})", label(name))
}

/// A name as it stands in a token: only plain characters, so that a token ends where it ends.
pub(super) fn label(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let text: String = name.chars().take(MOST_LABEL).map(plain).collect();
    if text.is_empty() { "value".to_owned() } else { text }
}

/// True for what stands in place of a secret value.
pub fn is_token(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text == SOPS_TOKEN || digits_of(text).is_some())
}

/// Whether a text is what stands in place of a secret value, or has some in it.
pub fn is_hidden(text: &str) -> bool {
    text == SOPS_TOKEN || digits_of(text).is_some() || inside_of(text).next().is_some()
}

/// The hex digits of a text that is a token of a whole value.
pub fn digits_of(text: &str) -> Option<&str> {
    let hash = after_key_id(text)?;
    let whole = (LEAST_DIGITS..=MOST_DIGITS).contains(&hash.len()) && hash.bytes().all(is_hex);
    whole.then_some(hash)
}

/// A token inside a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inside<'a> {
    /// Byte offset of its first character.
    pub start: usize,
    /// Byte offset behind its last character.
    pub end: usize,
    /// The hex digits of the keyed hash.
    pub digits: &'a str,
    /// What the text calls the value.
    pub name: &'a str,
}

/// The tokens inside a text, from its beginning.
pub fn inside_of(text: &str) -> impl Iterator<Item = Inside<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + memchr::memmem::find(text.as_bytes().get(from..)?, PREFIX.as_bytes())?;
            from = start + PREFIX.len();
            if let Some(found) = read_inside(text, start) {
                from = found.end;
                return Some(found);
            }
        }
    })
}

fn read_inside(text: &str, start: usize) -> Option<Inside<'_>> {
    let hash = after_key_id(&text[start..])?;
    let digits = hash.bytes().take_while(|b| is_hex(*b)).count();
    if !(LEAST_DIGITS..=MOST_DIGITS).contains(&digits) || hash.as_bytes().get(digits) != Some(&b'(') {
        return None;
    }
    let name = &hash[digits + 1..];
    let name = &name[..name.find(')')?];
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > MOST_LABEL || !name.bytes().all(plain) {
        return None;
    }
    let before = text.len() - hash.len();
    Some(Inside { start, end: before + digits + name.len() + 2, digits: &hash[..digits], name })
}

/// What follows `redacted:0badcafe:`.
fn after_key_id(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(PREFIX)?;
    let key_id = rest.get(..KEY_DIGITS)?;
    if !key_id.bytes().all(is_hex) {
        return None;
    }
    rest[KEY_DIGITS..].strip_prefix(':')
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_a_whole_value() {
        let digits = "1a2b3c4d5e6f708192a3b4c5d6e7f809";
        let token = whole("0badcafe", digits);
        assert!(is_token(&json!(token)) && is_token(&json!(SOPS_TOKEN)));
        assert_eq!(digits_of(&token), Some(digits));
        let text = inside("0badcafe", digits, "db.password");
        for no in [
            text.clone(),
            format!("{token} "),
            format!(" {token}"),
            "redacted:0badcafe:".into(),
            "redacted:0BADCAFE:1a2b3c".into(),
            "redacted:x".into(),
            "redacted:\u{e9}\u{e9}\u{e9}\u{e9}:aa".into(),
        ] {
            assert!(!is_token(&json!(no)), "{no}");
        }
    }

    #[test]
    fn tokens_are_found_inside_texts() {
        let text = format!(
            "a={}@b, redacted:x {}",
            inside("0badcafe", "1a2b3c", "db.password"),
            inside("0badcafe", "aabbcc", "ü")
        );
        let found: Vec<_> = inside_of(&text).map(|i| (&text[i.start..i.end], i.digits, i.name)).collect();
        assert_eq!(
            found,
            [
                ("redacted:0badcafe:1a2b3c(db.password)", "1a2b3c", "db.password"),
                ("redacted:0badcafe:aabbcc(-)", "aabbcc", "-"),
            ]
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in "(redacted:|[0-9a-f]{8}|:|\\(|\\)|\u{e9}|[a-z]){0,40}") {
            for found in inside_of(&text) {
                prop_assert!(text[found.start..found.end].starts_with(PREFIX));
            }
            let _ = digits_of(&text);
        }
    }
}
