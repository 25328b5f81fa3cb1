//! What differs between the two sides of a finding, as lines and marked segments that every view can draw.
//!
//! Sizes are bounded before anything is compared, so that the work is bounded and the result depends on the values alone.
//! `similar` gets a generous timeout besides, as a last resort.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::model::finding::Finding;

use super::escape;
use super::shown;
use super::sides::{self, MOST_LINE_CHARS};
use super::value::{self, Side};

/// Lines of a difference that are shown.
pub const MOST_LINES: usize = 200;
/// Lines of a value that is only on one side (a missing object) that are shown.
pub const MOST_LINES_ONE_SIDED: usize = 40;
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
    let (git, live) = (shown::side(finding, Side::Git), shown::side(finding, Side::Live));
    match (git.as_deref(), live.as_deref()) {
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
    Segment { text: escape::terminal(&shown::bounded(text, MOST_LINE_CHARS)), marked }
}

fn one_line(git: &Value, live: &Value) -> Difference {
    let (Value::String(a), Value::String(b)) = (git, live) else {
        return Difference::OneLine { git: whole(git), live: whole(live) };
    };
    if value::secret_words(git).is_some() || value::secret_words(live).is_some() {
        return Difference::OneLine { git: whole(git), live: whole(live) };
    }
    let (a, b) = (value::alone(&Value::from(a.as_str())), value::alone(&Value::from(b.as_str())));
    let (a, b) = shown::around_first_difference(&a, &b, MOST_LINE_CHARS);
    let diff = TextDiff::configure().timeout(TIMEOUT).diff_unicode_words(a.as_str(), b.as_str());
    // Little in common: marks on scattered words would only confuse.
    if diff.ratio() < 0.3 {
        return Difference::OneLine {
            git: OneLine::Value(vec![Segment { text: escape::terminal(&a), marked: true }]),
            live: OneLine::Value(vec![Segment { text: escape::terminal(&b), marked: true }]),
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

/// Joins neighbours of the same mark.
fn append(segments: &mut Vec<Segment>, text: &str, marked: bool) {
    let text = if marked { shown::marked(text) } else { escape::terminal(text) };
    match segments.last_mut() {
        Some(last) if last.marked == marked => last.text.push_str(&text),
        _ => segments.push(Segment { text, marked }),
    }
}

fn lines(git: &Value, live: &Value, most: usize) -> Lines {
    let sides = sides::of(git, live, CONTEXT);
    let (a, b) = (sides.git.concat(), sides.live.concat());
    let diff = TextDiff::configure().timeout(TIMEOUT).diff_lines(a.as_str(), b.as_str());
    let mut out = Lines { lines: Vec::new(), git: 0, live: 0, more: 0, bounded: sides.bounded };
    let groups = diff.grouped_ops(CONTEXT);
    for group in &groups {
        let start = group.first().map_or(0, |op| op.old_range().start);
        if start + sides.skipped > 0 || !out.lines.is_empty() {
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
                        segments: inner(change.tag(), change.iter_strings_lossy()),
                        no_newline: change.missing_newline() && change.tag() != ChangeTag::Equal,
                    });
                }
            } else {
                for change in diff.iter_changes(op) {
                    count(&mut out, change.tag());
                    push(&mut out, most, || Line {
                        tag: tag(change.tag()),
                        segments: inner(change.tag(), std::iter::once((false, change.value().into()))),
                        no_newline: change.missing_newline() && change.tag() != ChangeTag::Equal,
                    });
                }
            }
        }
    }
    out
}

fn inner<'a>(tag: ChangeTag, parts: impl Iterator<Item = (bool, Cow<'a, str>)>) -> Vec<Segment> {
    let mut parts: Vec<(bool, String)> = parts.map(|(marked, text)| (marked, text.into_owned())).collect();
    if let Some((_, last)) = parts.last_mut() {
        last.truncate(last.strip_suffix('\n').unwrap_or(last).len());
        if last.is_empty() {
            parts.pop();
        }
    }
    // Blanks at the end of a changed line cannot be seen otherwise.
    if tag != ChangeTag::Equal
        && let Some((_, last)) = parts.last_mut()
    {
        *last = shown::blanks_at_end(last).into_owned();
    }
    let mut segments = Vec::new();
    for (marked, text) in parts.into_iter().filter(|(_, text)| !text.is_empty()) {
        append(&mut segments, &text, marked);
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
    let (lines, all) = sides::one(value, most.min(MOST_LINES_ONE_SIDED));
    let bounded = lines.iter().any(|line| line.chars().nth(MOST_LINE_CHARS + 1).is_some());
    let line = |text: &String| {
        let text = escape::terminal(text.strip_suffix('\n').unwrap_or(text));
        Line { tag, segments: vec![Segment { text, marked: false }], no_newline: false }
    };
    let (git, live) = if tag == Tag::Git { (all, 0) } else { (0, all) };
    Lines { more: all - lines.len(), lines: lines.iter().map(line).collect(), git, live, bounded }
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
    fn blanks_line_ends_and_the_last_line_break_are_visible() {
        for (case, git, live, shown) in [
            ("indent", "a:\n  b\n", "a:\n    b\n", vec![" a:", "-[··]b", "+[····]b"]),
            ("end of line", "a\nb\n", "a\nb  \n", vec![" a", "-b", "+b[··]"]),
            ("line end", "a\nb\n", "a\nb\r\n", vec![" a", "-b", "+b\\r"]),
            ("last line break", "a\nb\n", "a\nb", vec![" a", "-b", "+b$"]),
            ("tab", "a\n\tb\n", "a\n  b\n", vec![" a", "-[\\t]b", "+[··]b"]),
        ] {
            assert_eq!(drawn(difference(json!(git), json!(live))), shown, "{case}");
        }
        assert_eq!(
            drawn(difference(json!("one two three"), json!("one  two three"))),
            ["one[·]two three", "one[··]two three"]
        );
    }

    #[test]
    fn what_differs_far_behind_is_what_is_shown() {
        let many = (0..20_000).map(|n| format!("line {n}\n")).collect::<String>();
        let shown = drawn(difference(json!(format!("{many}a\n")), json!(format!("{many}b\n"))));
        assert_eq!(shown, ["@", " line 19997", " line 19998", " line 19999", "-[a]", "+[b]"]);
        let long = "x".repeat(50_000);
        let shown = drawn(difference(json!(format!("one\n{long}a\n")), json!(format!("one\n{long}b\n"))));
        assert_eq!(shown.len(), 3);
        assert!(shown[1].starts_with("-") && shown[1].ends_with("a]") && shown[2].ends_with("b]"), "{shown:?}");
        let shown = drawn(difference(json!(long), json!(format!("{long}y"))));
        assert!(shown[0].len() < 100 && shown[1].contains('y'), "{shown:?}");
    }

    #[test]
    fn what_is_cut_is_said_with_its_size() {
        let mut finding = sample::finding();
        finding.declared = Some(json!("x".repeat(1_201_000)));
        finding.live = None;
        assert!(drawn(of(&finding, 9))[0].contains("… 1.2 MB more (sha256 "));
    }

    #[test]
    fn a_text_with_a_secret_in_it_is_compared_as_text() {
        let token = |hex: &str| format!("redacted:0badcafe:{hex}(db.password)");
        assert_eq!(
            drawn(difference(
                json!(format!("log=info\ndb.password={}\n", token("1a2b3c4d5e6f"))),
                json!(format!("log=debug\ndb.password={}\n", token("1a2b3c4d5e6f")))
            )),
            ["-log=[info]", "+log=[debug]", " db.password=[hidden 1a2b3c…]"]
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
