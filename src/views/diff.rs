//! What differs between the two sides of a finding, as lines and marked segments that every view can draw.
//!
//! Sizes are bounded before anything is compared, so that the work is bounded and the result depends on the values alone.
//! `similar` gets a generous timeout besides, as a last resort.

use std::time::Duration;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::model::finding::Finding;

use super::escape;
use super::value::{self, Side, cut};

/// Lines of a difference that are shown.
pub const MOST_LINES: usize = 200;
/// Lines of a value that is only on one side (a missing object) that are shown.
pub const MOST_LINES_ONE_SIDED: usize = 40;
/// Lines of each value that are looked at.
const MOST_INPUT_LINES: usize = 4_000;
/// Characters of a line that are looked at and shown.
const MOST_LINE_CHARS: usize = 600;
/// Bytes of a run of changed lines up to which words inside them are marked.
const MOST_INNER_BYTES: usize = 20_000;
/// Unchanged lines around a change.
const CONTEXT: usize = 3;
const TIMEOUT: Duration = Duration::from_secs(5);

/// A piece of text, escaped as [`escape::terminal`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The text.
    pub text: String,
    /// Whether this is what differs.
    pub marked: bool,
}

/// One side of a difference on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OneLine {
    /// A value.
    Value(Vec<Segment>),
    /// Words instead of a value: `does not exist`, `secret (hidden) 1a2b3c…`.
    Words(String),
}

/// What a line of a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// On both sides.
    Same,
    /// Only in Git.
    Git,
    /// Only live.
    Live,
    /// Unchanged lines were left out here.
    Skip,
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which side it is on.
    pub tag: Tag,
    /// Its text in pieces.
    pub segments: Vec<Segment>,
    /// The value ends here without a line break, and that is part of the difference.
    pub no_newline: bool,
}

impl Line {
    /// The whole text.
    pub fn text(&self) -> String {
        self.segments.iter().map(|s| s.text.as_str()).collect()
    }
}

/// A difference between lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// At most [`MOST_LINES`].
    pub lines: Vec<Line>,
    /// Lines only in Git.
    pub git: usize,
    /// Lines only live.
    pub live: usize,
    /// Lines of the difference that are not shown.
    pub more: usize,
    /// True if a value was too long to be looked at as a whole.
    pub bounded: bool,
}

/// How the two sides of a finding differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Each side fits on a line.
    OneLine {
        /// What Git declares.
        git: OneLine,
        /// What the cluster holds.
        live: OneLine,
    },
    /// Texts of several lines, lists or objects.
    Lines(Lines),
}

/// The difference of a finding, at most `most` lines of it.
pub fn of(finding: &Finding, most: usize) -> Difference {
    match (finding.declared.as_ref(), finding.live.as_ref()) {
        (Some(git), Some(live)) if is_long(git) || is_long(live) => Difference::Lines(lines(git, live, most)),
        (Some(git), Some(live)) => one_line(git, live),
        (Some(only), None) if is_long(only) => Difference::Lines(one_sided(only, Tag::Git, most)),
        (None, Some(only)) if is_long(only) => Difference::Lines(one_sided(only, Tag::Live, most)),
        (git, live) => {
            let side = |value: Option<&Value>, side| match value {
                Some(value) => whole(value),
                None => OneLine::Words(value::stand_in(finding, side).to_owned()),
            };
            Difference::OneLine { git: side(git, Side::Git), live: side(live, Side::Live) }
        }
    }
}

fn is_long(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => text.contains('\n') && value::secret_words(value).is_none(),
        _ => false,
    }
}

fn whole(value: &Value) -> OneLine {
    match value::secret_words(value) {
        Some(words) => OneLine::Words(words),
        None => OneLine::Value(vec![segment(&value::alone(value), true)]),
    }
}

fn segment(text: &str, marked: bool) -> Segment {
    Segment { text: cut(&escape::terminal(text), MOST_LINE_CHARS), marked }
}

fn one_line(git: &Value, live: &Value) -> Difference {
    let (Value::String(a), Value::String(b)) = (git, live) else {
        return Difference::OneLine { git: whole(git), live: whole(live) };
    };
    if value::secret_words(git).is_some() || value::secret_words(live).is_some() {
        return Difference::OneLine { git: whole(git), live: whole(live) };
    }
    let (a, b) = (value::alone(&Value::from(a.as_str())), value::alone(&Value::from(b.as_str())));
    let (a, b) = around_first_difference(&a, &b);
    let diff = TextDiff::configure().timeout(TIMEOUT).diff_unicode_words(a.as_str(), b.as_str());
    // Little in common: marks on scattered words would only confuse.
    if diff.ratio() < 0.3 {
        return Difference::OneLine {
            git: OneLine::Value(vec![segment(&a, true)]),
            live: OneLine::Value(vec![segment(&b, true)]),
        };
    }
    let (mut git, mut live) = (Vec::new(), Vec::new());
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => {
                append(&mut git, change.value(), false);
                append(&mut live, change.value(), false);
            }
            ChangeTag::Delete => append(&mut git, change.value(), true),
            ChangeTag::Insert => append(&mut live, change.value(), true),
        }
    }
    Difference::OneLine { git: OneLine::Value(git), live: OneLine::Value(live) }
}

/// Very long single lines are shown from a little before the place where they part.
fn around_first_difference(a: &str, b: &str) -> (String, String) {
    if a.chars().count() <= MOST_LINE_CHARS && b.chars().count() <= MOST_LINE_CHARS {
        return (a.to_owned(), b.to_owned());
    }
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let from = common.saturating_sub(40);
    let part = |text: &str| {
        let lead = if from > 0 { "…" } else { "" };
        let rest: String = text.chars().skip(from).take(MOST_LINE_CHARS).collect();
        let left = text.chars().count().saturating_sub(from + MOST_LINE_CHARS);
        if left > 0 { format!("{lead}{rest}… and {left} more characters") } else { format!("{lead}{rest}") }
    };
    (part(a), part(b))
}

/// Joins neighbours of the same mark.
fn append(segments: &mut Vec<Segment>, text: &str, marked: bool) {
    let text = escape::terminal(text);
    match segments.last_mut() {
        Some(last) if last.marked == marked => last.text.push_str(&text),
        _ => segments.push(Segment { text, marked }),
    }
}

/// A value as text with line breaks, and whether it was cut.
fn text_of(value: &Value) -> (String, bool) {
    let (lines, mut bounded) = match value {
        Value::String(text) if value::secret_words(value).is_none() => {
            let mut lines: Vec<&str> = text.split_inclusive('\n').take(MOST_INPUT_LINES + 1).collect();
            let bounded = lines.len() > MOST_INPUT_LINES;
            lines.truncate(MOST_INPUT_LINES);
            (lines.into_iter().map(str::to_owned).collect(), bounded)
        }
        other => {
            let (lines, bounded) = value::lines(other, MOST_INPUT_LINES);
            (lines.into_iter().map(|line| line + "\n").collect::<Vec<_>>(), bounded)
        }
    };
    let mut text = String::new();
    for line in lines {
        match line.char_indices().nth(MOST_LINE_CHARS) {
            Some((at, _)) => {
                bounded = true;
                text.push_str(&line[..at]);
                text.push('…');
                text.push_str(if line.ends_with('\n') { "\n" } else { "" });
            }
            None => text.push_str(&line),
        }
    }
    (text, bounded)
}

fn lines(git: &Value, live: &Value, most: usize) -> Lines {
    let ((a, a_bounded), (b, b_bounded)) = (text_of(git), text_of(live));
    let diff = TextDiff::configure().timeout(TIMEOUT).diff_lines(a.as_str(), b.as_str());
    let mut out = Lines { lines: Vec::new(), git: 0, live: 0, more: 0, bounded: a_bounded || b_bounded };
    let groups = diff.grouped_ops(CONTEXT);
    for group in &groups {
        let start = group.first().map_or(0, |op| op.old_range().start);
        if start > 0 || !out.lines.is_empty() {
            push(&mut out, most, || Line { tag: Tag::Skip, segments: Vec::new(), no_newline: false });
        }
        for op in group {
            // Inner marks take time: only where they are shown and help, and bounded by size rather than by the clock.
            let size: usize = diff.iter_changes(op).map(|change| change.value().len()).sum();
            if out.lines.len() < most && size <= MOST_INNER_BYTES {
                for change in diff.iter_inline_changes_deadline(op, None) {
                    count(&mut out, change.tag());
                    push(&mut out, most, || Line {
                        tag: tag(change.tag()),
                        segments: inner(change.iter_strings_lossy()),
                        no_newline: change.missing_newline() && change.tag() != ChangeTag::Equal,
                    });
                }
            } else {
                for change in diff.iter_changes(op) {
                    count(&mut out, change.tag());
                    push(&mut out, most, || Line {
                        tag: tag(change.tag()),
                        segments: inner(std::iter::once((false, change.value().into()))),
                        no_newline: change.missing_newline() && change.tag() != ChangeTag::Equal,
                    });
                }
            }
        }
    }
    out
}

fn inner<'a>(parts: impl Iterator<Item = (bool, std::borrow::Cow<'a, str>)>) -> Vec<Segment> {
    let mut segments = Vec::new();
    for (marked, text) in parts {
        let text = text.strip_suffix('\n').unwrap_or(&text);
        if !text.is_empty() {
            append(&mut segments, text, marked);
        }
    }
    segments
}

fn tag(tag: ChangeTag) -> Tag {
    match tag {
        ChangeTag::Equal => Tag::Same,
        ChangeTag::Delete => Tag::Git,
        ChangeTag::Insert => Tag::Live,
    }
}

fn count(out: &mut Lines, tag: ChangeTag) {
    match tag {
        ChangeTag::Equal => {}
        ChangeTag::Delete => out.git += 1,
        ChangeTag::Insert => out.live += 1,
    }
}

fn push(out: &mut Lines, most: usize, line: impl FnOnce() -> Line) {
    if out.lines.len() < most { out.lines.push(line()) } else { out.more += 1 }
}

fn one_sided(value: &Value, tag: Tag, most: usize) -> Lines {
    let (text, bounded) = text_of(value);
    let all = text.lines().count();
    let most = most.min(MOST_LINES_ONE_SIDED);
    let lines: Vec<_> = text
        .lines()
        .take(most)
        .map(|line| Line { tag, segments: vec![segment(line, false)], no_newline: false })
        .collect();
    let (git, live) = if tag == Tag::Git { (all, 0) } else { (0, all) };
    Lines { more: all - lines.len(), lines, git, live, bounded }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::json;

    use super::*;
    use crate::views::sample;

    fn difference(declared: Value, live: Value) -> Difference {
        let mut finding = sample::finding();
        finding.declared = Some(declared);
        finding.live = Some(live);
        of(&finding, MOST_LINES)
    }

    fn drawn(difference: Difference) -> Vec<String> {
        let mark = |s: &Segment| if s.marked { format!("[{}]", s.text) } else { s.text.clone() };
        let side = |side: OneLine| match side {
            OneLine::Value(segments) => segments.iter().map(mark).collect(),
            OneLine::Words(words) => words,
        };
        match difference {
            Difference::OneLine { git, live } => vec![side(git), side(live)],
            Difference::Lines(lines) => lines
                .lines
                .iter()
                .map(|line| {
                    let sign = match line.tag {
                        Tag::Same => ' ',
                        Tag::Git => '-',
                        Tag::Live => '+',
                        Tag::Skip => '@',
                    };
                    let end = if line.no_newline { "$" } else { "" };
                    format!("{sign}{}{end}", line.segments.iter().map(mark).collect::<String>())
                })
                .collect(),
        }
    }

    #[test]
    fn words_inside_a_line_are_marked() {
        assert_eq!(
            drawn(difference(json!("example.com/shop/api:1.4.2"), json!("example.com/shop/api:1.4.3-hotfix"))),
            ["example.com/shop/api:[1.4.2]", "example.com/shop/api:[1.4.3-hotfix]"]
        );
        assert_eq!(drawn(difference(json!("debug"), json!("info"))), ["[debug]", "[info]"]);
        assert_eq!(drawn(difference(json!(3), json!("3"))), ["[3]", "[\"3\"]"]);
    }

    #[test]
    fn texts_are_compared_by_line() {
        let a = "one\ntwo\nthree\nfour\nfive\nsix times seven is 41\n";
        let b = "one\ntwo\nthree\nfour\nfive\nsix times seven is 42";
        assert_eq!(
            drawn(difference(json!(a), json!(b))),
            ["@", " three", " four", " five", "-six times seven is [41]", "+six times seven is [42]$"]
        );
    }

    #[test]
    fn lists_are_compared_by_element() {
        assert_eq!(
            drawn(difference(json!(["--a", "--b=1"]), json!(["--a", "--c", "--b=1"]))),
            [" - --a", "+- --c", " - --b=1"]
        );
    }

    #[test]
    fn secrets_are_words() {
        let token = |hex: &str| json!(format!("redacted:0badcafe:{hex}"));
        assert_eq!(
            drawn(difference(token("1a2b3c4d5e6f"), token("ffeeddccbbaa"))),
            ["secret (hidden) 1a2b3c…", "secret (hidden) ffeedd…"]
        );
    }

    #[test]
    fn a_missing_side_is_said() {
        let mut finding = sample::finding();
        finding.declared = Some(json!(1));
        finding.live = None;
        finding.code = crate::model::finding::Code::Absent;
        assert_eq!(drawn(of(&finding, 9)), ["[1]", "not there"]);
    }

    #[test]
    fn huge_and_hostile_values_stay_small_and_quick() {
        let start = Instant::now();
        let many = |n: usize, step: usize| (0..n).map(|i| format!("line {}\n", i * step % 7_919)).collect::<String>();
        let Difference::Lines(lines) = difference(json!(many(200_000, 3)), json!(many(200_000, 5))) else { panic!() };
        assert_eq!(lines.lines.len(), MOST_LINES);
        assert!(lines.more > 1_000 && lines.bounded);
        let long = "x".repeat(5_000_000);
        let shown = drawn(difference(json!(long), json!(format!("{long}y"))));
        assert!(shown.iter().all(|side| side.len() < 2_000), "{}", shown[0].len());
        let Difference::Lines(lines) = difference(json!(format!("{long}\n")), json!("y\n")) else { panic!() };
        assert!(lines.lines.iter().all(|line| line.text().len() < 2_000));
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        assert_eq!(drawn(difference(json!("a\u{1b}[1m\n"), json!("b\n")))[0], "-a\\u{1b}[1m");
    }
}
