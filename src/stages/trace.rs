//! Which line a rendered value stems from: what may be its text in a file is changed, and where the value then changes with it, that is
//! proved.

use std::cmp::Reverse;
use std::ops::Range;

use serde_json::Value;

use crate::model::field_path::{FieldPath, Step};
use crate::model::secret::is_hidden;

/// Places that are looked at for one text; a text in more places is named by what stands around it, or not at all.
const MOST_PLACES: usize = 16;
/// Parts of a text that are looked for where the whole is nowhere.
const MOST_PARTS: usize = 2;

/// A text in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The position of its file among those that were searched.
    pub file: usize,
    /// Its first byte.
    pub start: usize,
    /// One-based.
    pub line: u32,
}

/// The texts that a value may have where it stems from, the likeliest first: the whole, then parts that what is live does not have. None of
/// what is hidden or has fields.
pub fn texts(value: &Value, live: Option<&Value>) -> Vec<String> {
    let text = match value {
        Value::String(text) if !is_hidden(text) => text,
        Value::Number(_) | Value::Bool(_) => return vec![value.to_string()],
        _ => return Vec::new(),
    };
    let live = live.and_then(Value::as_str).unwrap_or_default();
    if text.trim_end().contains('\n') {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !live.contains(line));
        return line.map(str::to_owned).into_iter().collect();
    }
    let words = |text: &'_ str| -> Vec<String> {
        text.split(|c: char| !is_of_a_word(c) && c != '.' && c != '-').map(str::to_owned).collect()
    };
    let known = words(live);
    let mut parts: Vec<String> = words(text).into_iter().filter(|part| part != text && !known.contains(part)).collect();
    parts.sort_by_key(|part| Reverse(part.len()));
    let whole = std::iter::once(text.trim_end().to_owned());
    whole.chain(parts.into_iter().take(MOST_PARTS)).filter(|text| !text.is_empty()).collect()
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where a text stands in files as a word of its own, the likeliest place first: the one with the names of the path around it.
pub fn places(text: &str, path: &FieldPath, files: &[&str]) -> Vec<Place> {
    let names: Vec<&str> = path.steps().iter().flat_map(names).collect();
    let mut found: Vec<(usize, Place)> = Vec::new();
    for (file, content) in files.iter().enumerate() {
        let (mut line, mut counted) = (1, 0);
        for (start, _) in content.match_indices(text) {
            let range = start..start + text.len();
            let before = content.get(..start).and_then(|before| before.chars().next_back());
            let after = content.get(range.end..).and_then(|after| after.chars().next());
            if before.is_some_and(is_of_a_word) || after.is_some_and(is_of_a_word) {
                continue;
            }
            line += content.get(counted..start).unwrap_or_default().matches('\n').count();
            counted = start;
            let around = around(content, &range);
            let score = names.iter().enumerate().filter(|(_, name)| around.contains(**name)).map(|(n, _)| n + 1).sum();
            found.push((score, Place { file, start, line: u32::try_from(line).unwrap_or(u32::MAX) }));
        }
    }
    found.sort_by_key(|(score, place)| (Reverse(*score), place.clone()));
    found.into_iter().take(MOST_PLACES).map(|(_, place)| place).collect()
}

/// The line of a text and the one before it.
fn around<'c>(content: &'c str, range: &Range<usize>) -> &'c str {
    let before = content.get(..range.start).unwrap_or_default();
    let line = before.rfind('\n').unwrap_or_default();
    let start = before.get(..line).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let rest = content.get(range.end..).unwrap_or_default();
    let end = range.end + rest.find('\n').unwrap_or(rest.len());
    content.get(start..end).unwrap_or_default()
}

/// The names in a step; later steps of a path say more.
fn names(step: &Step) -> Vec<&str> {
    match step {
        Step::Field(name) => vec![name],
        Step::Key(keys) => keys.iter().filter_map(|(_, value)| value.as_str()).collect(),
        Step::Item(_) | Step::Index(_) => Vec::new(),
    }
}

/// The `n`th text to put in place of one: as like to it as can be, so that nothing else comes of it.
pub fn instead(text: &str, n: usize) -> String {
    match (text, text.parse::<i64>()) {
        ("true", _) => "false".to_owned(),
        ("false", _) => "true".to_owned(),
        (_, Ok(number)) => number.saturating_add(1 + i64::try_from(n).unwrap_or_default()).to_string(),
        // Versions stay versions.
        _ if text.ends_with(|c: char| c.is_ascii_digit()) => format!("{text}{}", n + 1),
        _ => format!("{text}q{n}"),
    }
}

/// Whether a value became what it must have become if it stems from the text that was changed.
pub fn follows(before: &Value, after: &Value, text: &str, instead: &str) -> bool {
    match (before, after) {
        (Value::String(before), Value::String(after)) => {
            after.contains(instead) && after.replace(instead, text) == *before
        }
        _ => (before.to_string(), after.to_string()) == (text.to_owned(), instead.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_text_the_part_that_live_does_not_have_is_looked_for_too() {
        let image = json!("registry.example.com/api:2.0");
        assert_eq!(
            texts(&image, Some(&json!("registry.example.com/api:2.1"))),
            ["registry.example.com/api:2.0", "2.0"]
        );
        assert_eq!(texts(&image, None), ["registry.example.com/api:2.0", "registry.example.com", "api"]);
        assert_eq!(texts(&json!(3), Some(&json!(5))), ["3"]);
        assert_eq!(texts(&json!("a=1\nb=2\n"), Some(&json!("a=1\nb=3\n"))), ["b=2"]);
        assert_eq!(texts(&json!(format!("redacted:{}:{}", "0".repeat(8), "a".repeat(32))), None), [""; 0]);
        assert_eq!(texts(&json!({"a": 1}), None), [""; 0]);
        assert_eq!(texts(&json!(""), None), [""; 0]);
    }

    #[test]
    fn the_likeliest_place_has_the_paths_names_around_it() {
        let path = FieldPath::parse(r#".spec.template.spec.containers[name="api"].replicas"#).unwrap();
        let found = |text: &str, file: &str| -> Vec<(u32, usize)> {
            places(text, &path, &[file]).into_iter().map(|place| (place.line, place.start)).collect()
        };
        assert_eq!(found("3", "port: 3\nreplicas: 3\nx: 33\nv3: 3.1\n"), [(2, 18), (1, 6), (4, 30)]);
        assert_eq!(found("3", "a: 3\nb: 3\nname: api\ncount: 3\n"), [(4, 27), (1, 3), (2, 8)]);
        assert_eq!(found("x", "y"), []);
    }

    #[test]
    fn what_is_put_in_its_place_is_like_it_and_told_apart() {
        for (text, n, expected) in
            [("3", 0, "4"), ("3", 2, "6"), ("1.2.3", 0, "1.2.31"), ("debug", 1, "debugq1"), ("true", 0, "false")]
        {
            assert_eq!(instead(text, n), expected);
        }
        assert!(follows(&json!("a:2.0"), &json!("a:2.01"), "2.0", "2.01"));
        assert!(!follows(&json!("a:2.0"), &json!("a:2.02"), "2.0", "2.01"));
        assert!(follows(&json!(3), &json!(4), "3", "4"));
        assert!(!follows(&json!(3), &json!(5), "3", "4"));
        assert!(follows(&json!(true), &json!(false), "true", "false"));
    }
}
