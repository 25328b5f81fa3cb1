//! A value as people read it: on one line, or as the lines of a small YAML.

use serde_json::Value;

use crate::model::canonical;
use crate::model::finding::{Code, Finding};
use crate::model::secret::{self, SOPS_TOKEN};

use super::escape;
use super::shown;

/// Said where secret values are shown: why two of them can still be told apart.
pub const SECRET_NOTE: &str = "Secret values are never read into the report: each stands as a short code made with the \
    ledger's key. Different codes in the same place mean different values.";

/// What stands for a secret value: `secret (hidden) 1a2b3c…`, or `secret (encrypted by SOPS)`. `None` for other values.
pub fn secret_words(value: &Value) -> Option<String> {
    if !secret::is_token(value) {
        return None;
    }
    let text = value.as_str()?;
    if text == SOPS_TOKEN {
        return Some("secret (encrypted by SOPS)".to_owned());
    }
    let code = text.rsplit(':').next().unwrap_or_default();
    Some(format!("secret (hidden) {}…", escape::terminal(code.get(..6).unwrap_or(code))))
}

/// True if a token stands anywhere in the value.
pub fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().any(holds_secret),
        Value::Array(items) => items.iter().any(holds_secret),
        Value::String(text) => secret::is_token(value) || secret::inside_of(text).next().is_some(),
        _ => false,
    }
}

/// A scalar as YAML would have to write it: a text that would read as something else is quoted, so that `"3"` and `3` differ.
/// Not escaped for any output.
pub fn scalar(value: &Value) -> String {
    if let Some(words) = secret_words(value) {
        return words;
    }
    match value {
        Value::String(text) => {
            if reads_as_text(text) {
                text.clone()
            } else {
                Value::from(text.as_str()).to_string()
            }
        }
        other => other.to_string(),
    }
}

/// A scalar that stands alone, where only texts that read as another scalar or as nothing need quotes. Not escaped.
pub fn alone(value: &Value) -> String {
    match value {
        Value::String(text) if secret_words(value).is_none() && !reads_as_scalar(text) => text.clone(),
        other => scalar(other),
    }
}

fn reads_as_scalar(text: &str) -> bool {
    const WORDS: [&str; 11] = ["true", "false", "null", "yes", "no", "on", "off", "~", "-", "[]", "{}"];
    text.trim() != text
        || text.is_empty()
        || text.parse::<f64>().is_ok()
        || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn reads_as_text(text: &str) -> bool {
    let first = text.chars().next();
    !(reads_as_scalar(text)
        || text.starts_with("- ")
        || text.contains(": ")
        || text.ends_with(':')
        || text.contains(" #")
        || matches!(first, Some('{' | '[' | '"' | '\'' | '&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' | '#')))
}

/// A value as lines in the manner of YAML, map keys sorted. At most `most` lines are made; `true` beside them says that there
/// would have been more. Not escaped for any output.
pub fn lines(value: &Value, most: usize) -> (Vec<String>, bool) {
    let mut writer = Writer { lines: Vec::new(), most, full: false };
    writer.value("", "", value);
    (writer.lines, writer.full)
}

struct Writer {
    lines: Vec<String>,
    most: usize,
    full: bool,
}

impl Writer {
    fn push(&mut self, line: String) {
        if self.lines.len() < self.most { self.lines.push(line) } else { self.full = true }
    }

    /// Writes `value` after `lead` (`key:` or `-`, with its indent); what lies below it is indented by `indent`.
    fn value(&mut self, lead: &str, indent: &str, value: &Value) {
        if self.full {
            return;
        }
        let glue = if lead.is_empty() { "" } else { " " };
        match value {
            Value::Object(map) if !map.is_empty() => {
                let mut keys: Vec<_> = map.iter().collect();
                keys.sort_by(|a, b| a.0.cmp(b.0));
                // The first key of a list's element stands beside the dash.
                let mut beside = lead.ends_with('-').then(|| format!("{lead} "));
                if beside.is_none() && !lead.is_empty() {
                    self.push(lead.to_owned());
                }
                for (key, child) in keys {
                    let key = scalar(&Value::from(key.as_str()));
                    let start = beside.take().unwrap_or_else(|| indent.to_owned());
                    self.value(&format!("{start}{key}:"), &format!("{indent}  "), child);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                if !lead.is_empty() {
                    self.push(lead.to_owned());
                }
                for item in items {
                    self.value(&format!("{indent}-"), &format!("{indent}  "), item);
                }
            }
            Value::String(text) if text.contains('\n') && secret_words(value).is_none() => {
                let keep = if text.ends_with('\n') { "|" } else { "|-" };
                self.push(format!("{lead}{glue}{keep}"));
                for line in text.lines() {
                    if self.full {
                        return;
                    }
                    self.push(format!("{indent}{line}"));
                }
            }
            other => self.push(format!("{lead}{glue}{}", scalar(other))),
        }
    }
}

/// What is said in a value's stead where there is none.
pub fn stand_in(finding: &Finding, side: Side) -> &'static str {
    match (side, finding.code) {
        (Side::Git, Code::Undeclared) => "not declared",
        (Side::Git, Code::Unmanaged) => "never declared",
        (Side::Git, Code::RemovedButLive) => "removed",
        (Side::Git, Code::Conflict) => "declared twice",
        (Side::Git, Code::ChangeControl) => "commit outside the policy",
        (Side::Git, Code::Changed) => "null",
        (Side::Git, _) => "declared",
        (Side::Live, Code::Missing) => "does not exist",
        (Side::Live, Code::Absent) => "not there",
        (Side::Live, Code::UnknownField) => "dropped by the server",
        (Side::Live, Code::UnservedKind) => "kind not served",
        (Side::Live, Code::Unconverged) => "not converged",
        (Side::Live, Code::RemovedButLive) => "still exists",
        (Side::Live, Code::Unmanaged) => "exists",
        (Side::Live, Code::Conflict) => "the last declaration is compared",
        (Side::Live, Code::ChangeControl) => "not compared",
        (Side::Live, Code::Changed) => "null",
        (Side::Live, Code::Undeclared) => "present",
    }
}

/// Which of the two sides of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What Git declares.
    Git,
    /// What the cluster holds.
    Live,
}

impl Side {
    /// The finding's value on this side.
    pub fn of(self, finding: &Finding) -> Option<&Value> {
        match self {
            Self::Git => finding.declared.as_ref(),
            Self::Live => finding.live.as_ref(),
        }
    }
}

/// Both sides of a finding on one line each, at most `most` characters each. Where long texts begin alike, the beginning is
/// left out: what differs is what is shown. Escaped as [`escape::terminal`] does.
pub fn brief(finding: &Finding, most: usize) -> (String, String) {
    if let Some(broken) = finding.note.as_deref().filter(|_| finding.code == Code::ChangeControl) {
        // A commit has no values; what it breaks is what matters.
        return (cut(&escape::terminal(broken), most), stand_in(finding, Side::Live).to_owned());
    }
    let (git, live) = (shown::side(finding, Side::Git), shown::side(finding, Side::Live));
    let (git, live) = (git.as_deref(), live.as_deref());
    let lines = git.zip(live).and_then(|(git, live)| first_line(git, live));
    let (git, live) = match (lines, git, live) {
        (Some(lines), ..) => lines,
        (None, Some(a), Some(b)) => {
            let (a, b) = (one_line(finding, Side::Git, Some(a)), one_line(finding, Side::Live, Some(b)));
            let (a, b) = shown::told_apart(&a, &b);
            without_common_start(a.into_owned(), b.into_owned(), most)
        }
        (None, git, live) => (one_line(finding, Side::Git, git), one_line(finding, Side::Live, live)),
    };
    (cut_huge(&git, most), cut_huge(&live, most))
}

/// From here on a value is huge, and how much of it is left out is worth the place.
const HUGE: usize = 10_000;

/// As [`cut`]; of a huge text it says how much is left out.
fn cut_huge(text: &str, most: usize) -> String {
    if text.len() < HUGE {
        return cut(text, most);
    }
    let more = |left: usize| format!("… {} more", shown::size(left));
    let kept = most.saturating_sub(more(text.len()).chars().count());
    let at = text.char_indices().nth(kept).map_or(text.len(), |(at, _)| at);
    format!("{}{}", &text[..at], more(text.len() - at))
}

/// Of two texts of several lines, the first line that differs.
fn first_line(git: &Value, live: &Value) -> Option<(String, String)> {
    let several =
        |value: &Value| value.as_str().is_some_and(|text| text.contains('\n')) && secret_words(value).is_none();
    if !several(git) && !several(live) {
        return None;
    }
    let (git, live) = (git.as_str()?, live.as_str()?);
    let lines = |text: &'_ str| text.split_terminator('\n').map(str::to_owned).collect::<Vec<_>>();
    let (git_lines, live_lines) = (lines(git), lines(live));
    let at = git_lines.iter().zip(&live_lines).take_while(|(a, b)| a == b).count();
    let (a, b) = (git_lines.get(at).map(String::as_str), live_lines.get(at).map(String::as_str));
    let (a, b) = match (a, b) {
        // Where only blanks differ, they are what there is to see.
        (Some(a), Some(b)) if a.trim() == b.trim() => {
            let (a, b) = shown::told_apart(a, b);
            (Some(a.into_owned()), Some(b.into_owned()))
        }
        (a, b) => (a.map(|line| line.trim().to_owned()), b.map(|line| line.trim().to_owned())),
    };
    let say = |text: &str, count: usize, line: Option<String>| match line {
        Some(line) => format!("line {} of {count}: {}", at + 1, escape::terminal(&line)),
        None => format!("ends after line {at}{}", if text.ends_with('\n') { "" } else { ", without a line break" }),
    };
    Some((say(git, git_lines.len(), a), say(live, live_lines.len(), b)))
}

fn one_line(finding: &Finding, side: Side, value: Option<&Value>) -> String {
    let Some(value) = value else { return stand_in(finding, side).to_owned() };
    if finding.code == Code::Unconverged {
        return escape::terminal(&unconverged(value));
    }
    if finding.path.is_none() && value.is_object() {
        // The whole object: that it is there is what matters on one line.
        return match side {
            Side::Git => "declared".to_owned(),
            Side::Live => "exists".to_owned(),
        };
    }
    match value {
        Value::String(text) if text.trim_end_matches('\n').contains('\n') && secret_words(value).is_none() => {
            format!("text of {} lines", text.lines().count())
        }
        Value::Object(_) | Value::Array(_) => escape::terminal(&canonical::json(&without_tokens(value))),
        other => escape::terminal(&alone(other)),
    }
}

/// What an object says of itself, on one line, what its Pods say first: `Failed, JobFailed: backoff limit exceeded`. Not escaped for
/// any output.
fn unconverged(value: &Value) -> String {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut words = text("status").to_owned();
    let (pods, message) = (text("pods"), text("message"));
    let then = if pods.is_empty() { ": " } else { "; " };
    for (glue, part) in [(", ", text("reason")), (": ", pods), (then, message)] {
        if !part.is_empty() {
            words = format!("{words}{glue}{part}");
        }
    }
    words
}

/// The whole value on one line: a text as it is, all else as compact JSON, secrets in words. Not escaped for any output.
pub fn plain(value: &Value) -> String {
    match without_tokens(&shown::without_tokens(value)) {
        Value::String(text) => text,
        other => canonical::json(&other),
    }
}

fn without_tokens(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), without_tokens(v))).collect(),
        Value::Array(items) => items.iter().map(without_tokens).collect(),
        scalar => secret_words(scalar).map_or_else(|| scalar.clone(), Value::from),
    }
}

/// Shortest common start worth leaving out.
const WORTH_CUTTING: usize = 12;
/// Characters kept before the first difference, so that it can be found.
const LEAD: usize = 8;

fn without_common_start(a: String, b: String, most: usize) -> (String, String) {
    if a.chars().count() <= most && b.chars().count() <= most {
        return (a, b);
    }
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    if common < WORTH_CUTTING {
        return (a, b);
    }
    // Cut behind a separator if one is near, so that a name stays whole.
    let window: Vec<char> = a.chars().skip(common.saturating_sub(LEAD * 3)).take(common.min(LEAD * 3)).collect();
    let kept = window.iter().rev().position(|c| matches!(c, '/' | ' ' | ',' | '{' | '[')).unwrap_or(LEAD);
    let tail = |text: &str| format!("…{}", text.chars().skip(common - kept.min(common)).collect::<String>());
    (tail(&a), tail(&b))
}

/// At most `most` characters, the last one `…` if something was left out.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::views::sample;

    #[test]
    fn texts_that_read_as_something_else_are_quoted() {
        for (value, shown) in [
            (json!(3), "3"),
            (json!("3"), "\"3\""),
            (json!("true"), "\"true\""),
            (json!("on"), "\"on\""),
            (json!(""), "\"\""),
            (json!(" x"), "\" x\""),
            (json!("api:1.4"), "api:1.4"),
            (json!("a: b"), "\"a: b\""),
            (json!(null), "null"),
        ] {
            assert_eq!(scalar(&value), shown);
        }
    }

    #[test]
    fn structures_read_like_yaml() {
        let value = json!({"b": [{"name": "x", "args": ["-v", 1]}, []], "a": "two\nlines\n", "c": {}});
        assert_eq!(
            lines(&value, 100).0,
            [
                "a: |",
                "  two",
                "  lines",
                "b:",
                "  - args:",
                "      - -v",
                "      - 1",
                "    name: x",
                "  - []",
                "c: {}"
            ]
        );
        assert_eq!(lines(&value, 3), (vec!["a: |".into(), "  two".into(), "  lines".into()], true));
    }

    #[test]
    fn tokens_are_words() {
        let token = json!("redacted:0badcafe:1a2b3c4d5e6f708192a3b4c5d6e7f809");
        assert_eq!(scalar(&token), "secret (hidden) 1a2b3c…");
        assert_eq!(scalar(&json!(SOPS_TOKEN)), "secret (encrypted by SOPS)");
        assert_eq!(lines(&json!({"k": token}), 9).0, ["k: secret (hidden) 1a2b3c…"]);
        // A value that only begins like a token is a text.
        assert_eq!(secret_words(&json!("redacted:x:\u{1b}[31m")), None);
    }

    #[test]
    fn what_an_object_says_of_itself_is_one_line_without_control_characters() {
        let mut finding = sample::finding();
        (finding.code, finding.path, finding.declared) = (Code::Unconverged, None, None);
        finding.live =
            Some(json!({"status": "Failed", "reason": "JobFailed", "message": "a\n\u{1b}[31mb", "since": null}));
        assert_eq!(brief(&finding, 80), ("declared".into(), "Failed, JobFailed: a\\n\\u{1b}[31mb".into()));
        finding.live =
            Some(json!({"status": "Failed", "reason": "JobFailed", "message": "why", "pods": "Evicted (1 of 1 Pods)"}));
        assert_eq!(brief(&finding, 80).1, "Failed, JobFailed: Evicted (1 of 1 Pods); why");
        finding.live = Some(json!({"status": "InProgress", "reason": "", "message": ""}));
        assert_eq!(brief(&finding, 80).1, "InProgress");
    }

    #[test]
    fn a_commit_shows_what_it_breaks() {
        let mut finding = sample::finding();
        (finding.code, finding.declared, finding.live) = (Code::ChangeControl, None, None);
        finding.note = Some("it is no merge;\u{1b}[31m committed by Ada".into());
        let shown = |most| brief(&finding, most);
        assert_eq!(shown(100), ("it is no merge;\\u{1b}[31m committed by Ada".into(), "not compared".into()));
        assert_eq!(shown(10).0.chars().count(), 10);
    }

    #[test]
    fn what_differs_is_what_is_kept() {
        let mut finding = sample::finding();
        finding.declared = Some(json!("registry.example.com/shop/payments/api:1.4.2"));
        finding.live = Some(json!("registry.example.com/shop/payments/api:1.4.3-hotfix"));
        assert_eq!(brief(&finding, 24), ("…api:1.4.2".into(), "…api:1.4.3-hotfix".into()));
        assert_eq!(brief(&finding, 80).0, "registry.example.com/shop/payments/api:1.4.2");
        (finding.declared, finding.live) = (Some(json!("x".repeat(1_200_000))), Some(json!("y")));
        assert_eq!(brief(&finding, 20).0, "xxxxxxx… 1.1 MB more");
        for (git, live, shown) in [
            ("a\nb\n", "a\n  c\nd\n", ("line 2 of 2: b", "line 2 of 3: c")),
            ("a\nb\n", "a\n", ("line 2 of 2: b", "ends after line 1")),
            ("a\nb\n", "a\nb", ("ends after line 2", "ends after line 2, without a line break")),
            ("a\nb\n", "a\r\nb\n", ("line 1 of 2: a", "line 1 of 2: a\\r")),
            ("a\n b\n", "a\n  b\n", ("line 2 of 2: ·b", "line 2 of 2: ··b")),
            ("a b", "a\u{a0}b", ("a·b", "a\\u{a0}b")),
        ] {
            (finding.declared, finding.live) = (Some(json!(git)), Some(json!(live)));
            assert_eq!(brief(&finding, 80), (shown.0.into(), shown.1.into()));
        }
    }
}
