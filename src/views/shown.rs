//! What of a value is shown: secrets inside texts in words, binary data by size and hash, blanks that differ, and how much was cut.
//!
//! Only views cut: the verdict was reached on the whole values, and the JSON holds them.

use std::borrow::Cow;

use base64::Engine as _;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::model::canonical::hex;
use crate::model::field_path::Step;
use crate::model::finding::Finding;
use crate::model::secret::inside_of;

use super::escape;
use super::value::Side;

/// A side's value as it is shown; `None` where the finding has none.
pub fn side(finding: &Finding, side: Side) -> Option<Cow<'_, Value>> {
    let value = side.of(finding)?;
    let steps = finding.path.as_ref().map(|path| path.steps()).unwrap_or_default();
    let binary = finding.kind == "ConfigMap"
        && !finding.api_version.contains('/')
        && matches!(steps.first(), Some(Step::Field(name)) if name == "binaryData");
    Some(if binary { Cow::Owned(decoded(value)) } else { without_tokens(value) })
}

/// A value with the tokens inside its texts in words; whole tokens stay.
pub fn without_tokens(value: &Value) -> Cow<'_, Value> {
    if holds_token(value) { Cow::Owned(in_words(value)) } else { Cow::Borrowed(value) }
}

fn holds_token(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().any(holds_token),
        Value::Array(items) => items.iter().any(holds_token),
        Value::String(text) => inside_of(text).next().is_some(),
        _ => false,
    }
}

fn in_words(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, child)| (key.clone(), in_words(child))).collect(),
        Value::Array(items) => items.iter().map(in_words).collect(),
        Value::String(text) => Value::from(words(text)),
        other => other.clone(),
    }
}

/// `password=[hidden 1a2b3c…]`
fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for token in inside_of(text) {
        out.push_str(&text[at..token.start]);
        out.push_str(&format!("[hidden {}…]", &token.digits[..6]));
        at = token.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Base64 as what it is: a text where it holds one, its size and hash otherwise.
fn decoded(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, child)| (key.clone(), decoded(child))).collect(),
        Value::String(text) => {
            let tight: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
            match base64::engine::general_purpose::STANDARD.decode(tight) {
                Ok(bytes) => match std::str::from_utf8(&bytes) {
                    Ok(text) if !text.chars().any(is_binary) => Value::from(words(text)),
                    _ => Value::from(format!("binary, {}, {}", size(bytes.len()), hash(&bytes))),
                },
                Err(_) => in_words(value),
            }
        }
        other => in_words(other),
    }
}

/// Control characters that no text has.
fn is_binary(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{1b}' | '\u{c}')
}

/// `812 bytes`, `1.2 KB`, `4.9 MB`.
pub fn size(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} KB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// The beginning of a SHA-256, as `sha256sum` prints it.
pub fn hash(bytes: &[u8]) -> String {
    format!("sha256 {}…", &hex(&Sha256::digest(bytes))[..12])
}

/// At most `most` characters of a text; what is left out is said with its size, and the whole by its hash.
pub fn bounded(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((at, _)) => {
            Cow::Owned(format!("{}… {} more ({})", &text[..at], size(text.len() - at), hash(text.as_bytes())))
        }
        None => Cow::Borrowed(text),
    }
}

/// Two long lines from a little before the place where they part, at most `most` characters of each.
pub fn around_first_difference(a: &str, b: &str, most: usize) -> (String, String) {
    if a.chars().nth(most).is_none() && b.chars().nth(most).is_none() {
        return (a.to_owned(), b.to_owned());
    }
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let from = common.saturating_sub(40);
    let part = |text: &str| {
        let lead = if from > 0 { "…" } else { "" };
        let start = text.char_indices().nth(from).map_or(text.len(), |(at, _)| at);
        let rest = &text[start..];
        match rest.char_indices().nth(most) {
            Some((at, _)) => format!("{lead}{}… {} more", &rest[..at], size(rest.len() - at)),
            None => format!("{lead}{rest}"),
        }
    };
    (part(a), part(b))
}

/// Blanks as signs, where they are what differs: `·` for a space, the others by their number.
pub fn blanks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' => out.push('·'),
            '\n' | '\r' | '\t' => out.push(c),
            c if c.is_whitespace() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// A line with the blanks at its end as signs.
pub fn blanks_at_end(line: &str) -> Cow<'_, str> {
    let text = line.trim_end();
    if text.len() == line.len() {
        Cow::Borrowed(line)
    } else {
        Cow::Owned(format!("{text}{}", blanks(&line[text.len()..])))
    }
}

/// Two lines that a reader could take for one: with their blanks as signs if only those differ.
pub fn told_apart<'a>(a: &'a str, b: &'a str) -> (Cow<'a, str>, Cow<'a, str>) {
    if a != b && a.split_whitespace().eq(b.split_whitespace()) {
        (Cow::Owned(blanks(a)), Cow::Owned(blanks(b)))
    } else {
        (Cow::Borrowed(a), Cow::Borrowed(b))
    }
}

/// A text made visible that is drawn marked: nothing but blanks would be an empty mark.
pub fn marked(text: &str) -> String {
    escape::terminal(&if text.trim().is_empty() { blanks(text) } else { text.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::views::sample;

    #[test]
    fn tokens_inside_texts_are_words() {
        let token = "redacted:0badcafe:1a2b3c4d5e6f708192a3b4c5d6e7f809";
        let value = json!({"a": format!("x=1\np={token}(p)&y"), "b": [token], "c": 1});
        assert_eq!(*without_tokens(&value), json!({"a": "x=1\np=[hidden 1a2b3c…]&y", "b": [token], "c": 1}));
        assert!(matches!(without_tokens(&json!({"b": [token]})), Cow::Borrowed(_)));
    }

    #[test]
    fn binary_data_is_size_and_hash_and_texts_are_read() {
        let mut finding = sample::finding();
        (finding.api_version, finding.kind) = ("v1".into(), "ConfigMap".into());
        finding.path = Some(sample::path(r#".binaryData["a"]"#));
        for (coded, shown) in [
            ("AAEC/w==", "binary, 4 bytes, sha256 3d1f57c984978…"),
            ("aGVs\nbG8K", "hello\n"),
            ("not base64", "not base64"),
            ("", ""),
        ] {
            finding.declared = Some(json!(coded));
            let value = side(&finding, Side::Git).unwrap();
            let text = value.as_str().unwrap();
            assert!(
                text == shown || (coded.starts_with("AAEC") && text.starts_with("binary, 4 bytes, sha256 ")),
                "{text}"
            );
        }
        finding.kind = "Widget".into();
        assert_eq!(*side(&finding, Side::Git).unwrap(), json!(""));
    }

    #[test]
    fn sizes_and_what_was_cut() {
        for (bytes, text) in
            [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1_234, "1.2 KB"), (1_260_000, "1.2 MB")]
        {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(bounded("abc", 3), "abc");
        assert_eq!(bounded("abcd", 3), "abc… 1 byte more (sha256 88d4266fd4e6…)");
    }

    #[test]
    fn blanks_that_differ_are_signs() {
        assert_eq!(blanks_at_end("a b  "), "a b··");
        assert_eq!(told_apart("a b", "a  b"), ("a·b".into(), "a··b".into()));
        assert_eq!(told_apart("a\u{a0}b", "a b"), ("a\\u{a0}b".into(), "a·b".into()));
        assert_eq!(told_apart("a b", "a c"), ("a b".into(), "a c".into()));
        assert_eq!(marked(" \t"), "·\\t");
    }
}
