//! The two sides of a difference as lines, cut to what can be looked at in bounded time; never so that what differs is cut off.

use std::collections::HashSet;

use serde_json::Value;

use super::shown;
use super::value;

/// Lines of each value that are looked at.
pub(super) const MOST_INPUT_LINES: usize = 4_000;
/// Lines of each value that are read to find where they part.
const MOST_READ_LINES: usize = 400_000;
/// Characters of a line that are looked at and shown.
pub(super) const MOST_LINE_CHARS: usize = 600;

/// The lines of both sides, each with its line break where the text has one.
pub(super) struct Sides {
    pub(super) git: Vec<String>,
    pub(super) live: Vec<String>,
    /// Equal lines that were left out at the beginning.
    pub(super) skipped: usize,
    /// Whether anything was cut.
    pub(super) bounded: bool,
}

/// Both values as lines; `context` lines are kept before the first difference.
pub(super) fn of(git: &Value, live: &Value, context: usize) -> Sides {
    let ((mut git, git_cut), (mut live, live_cut)) = (lines(git), lines(live));
    let mut skipped = 0;
    if git.len().max(live.len()) > MOST_INPUT_LINES {
        let common = git.iter().zip(&live).take_while(|(a, b)| a == b).count();
        skipped = common.saturating_sub(context);
        git.drain(..skipped);
        live.drain(..skipped);
    }
    let mut bounded = git_cut || live_cut;
    for side in [&mut git, &mut live] {
        bounded |= side.len() > MOST_INPUT_LINES;
        side.truncate(MOST_INPUT_LINES);
    }
    bounded |= cut_long_lines(&mut git, &mut live);
    Sides { git, live, skipped, bounded }
}

/// One value as lines, at most `most`, and how many there are.
pub(super) fn one(value: &Value, most: usize) -> (Vec<String>, usize) {
    let (mut lines, _) = lines(value);
    let all = lines.len();
    lines.truncate(most);
    lines.iter_mut().for_each(|line| *line = cut(line));
    (lines, all)
}

fn lines(value: &Value) -> (Vec<String>, bool) {
    match value {
        Value::String(text) if value::secret_words(value).is_none() => {
            let lines: Vec<String> = text.split_inclusive('\n').take(MOST_READ_LINES).map(str::to_owned).collect();
            let cut = lines.len() == MOST_READ_LINES;
            (lines, cut)
        }
        other => {
            let (lines, cut) = value::lines(other, MOST_READ_LINES);
            (lines.into_iter().map(|line| line + "\n").collect(), cut)
        }
    }
}

/// Long lines that differ are shown from where they part, the others from their beginning.
fn cut_long_lines(git: &mut [String], live: &mut [String]) -> bool {
    let is_long = |line: &str| line.char_indices().nth(MOST_LINE_CHARS).is_some();
    let long = |lines: &[String]| (0..lines.len()).filter(|n| is_long(&lines[*n])).collect::<Vec<_>>();
    let (git_long, live_long) = (long(git), long(live));
    if git_long.is_empty() && live_long.is_empty() {
        return false;
    }
    let alone = |numbers: &[usize], lines: &[String], others: &[String]| {
        let others: HashSet<&str> = others.iter().map(String::as_str).collect();
        numbers.iter().copied().filter(|n| !others.contains(lines[*n].as_str())).collect::<Vec<_>>()
    };
    let (git_alone, live_alone) = (alone(&git_long, git, live), alone(&live_long, live, git));
    let pairs: Vec<(usize, usize)> = git_alone.into_iter().zip(live_alone).collect();
    for (a, b) in &pairs {
        let (x, y) = (without_break(&git[*a]), without_break(&live[*b]));
        let (x, y) = shown::around_first_difference(x.0, y.0, MOST_LINE_CHARS);
        git[*a] = x + without_break(&git[*a]).1;
        live[*b] = y + without_break(&live[*b]).1;
    }
    git_long.iter().filter(|n| !pairs.iter().any(|(a, _)| a == *n)).for_each(|n| git[*n] = cut(&git[*n]));
    live_long.iter().filter(|n| !pairs.iter().any(|(_, b)| b == *n)).for_each(|n| live[*n] = cut(&live[*n]));
    true
}

fn cut(line: &str) -> String {
    let (text, end) = without_break(line);
    shown::bounded(text, MOST_LINE_CHARS).into_owned() + end
}

fn without_break(line: &str) -> (&str, &str) {
    line.split_at(line.strip_suffix('\n').unwrap_or(line).len())
}
