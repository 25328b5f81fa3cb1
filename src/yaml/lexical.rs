//! What `kubectl`'s YAML reader refuses or reads differently below the level of nodes, and the
//! parser used here does not.
//!
//! Sources: `readerc.go` (characters) and `scannerc.go` (line breaks, escapes, anchor names) of
//! `go.yaml.in/yaml/v2`.

use granit_parser::ScalarStyle;

use super::error::ErrorKind;

/// The byte offset of the first character that YAML does not allow in a text.
///
/// Allowed are tab, line feed, carriage return, U+0085 and all other characters but the C0 and C1
/// controls, DEL and the noncharacters U+FFFE and U+FFFF.
pub(super) fn forbidden_character(text: &str) -> Option<usize> {
    let suspicious =
        |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || matches!(byte, 0x7f | 0xc2 | 0xef);
    // Most texts hold none of these bytes, and the first loop is one that compiles to wide steps.
    if !text.bytes().fold(false, |any, byte| any | suspicious(byte)) {
        return None;
    }
    text.char_indices()
        .find(|(_, c)| {
            matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\x7f'..='\u{84}')
                || matches!(c, '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
        })
        .map(|(at, _)| at)
}

/// The byte offsets of the line breaks that only YAML 1.1 has: U+0085, U+2028 and U+2029.
pub(super) fn unicode_breaks(text: &str) -> Vec<usize> {
    if text.is_ascii() {
        return Vec::new();
    }
    text.char_indices().filter(|(_, c)| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}')).map(|(at, _)| at).collect()
}

/// Whether the Unicode break at `at` stays as it is written: in quotes, U+2028 and U+2029 do, unless
/// there is white space beside them, which YAML 1.1 drops as it does around any line break.
pub(super) fn break_is_kept(text: &str, at: usize, style: ScalarStyle) -> bool {
    let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    let (before, after) = text.split_at(at);
    let mut after = after.chars();
    let itself = after.next();
    let bare = |c: Option<char>| !c.is_some_and(char::is_whitespace) && c != Some('\\');
    quoted && itself != Some('\u{85}') && bare(before.chars().next_back()) && bare(after.next())
}

/// Checks the escapes of a double-quoted scalar, given as written: YAML 1.1 has no `\/` and no
/// surrogate halves.
pub(super) fn check_escapes(written: &str) -> Result<(), ErrorKind> {
    let mut rest = written.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        match &rest[at + 1..] {
            [b'/', ..] => return Err(syntax("an unknown escape in a quoted scalar")),
            [b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..] => {
                return Err(syntax("an escape in a quoted scalar is half a character"));
            }
            _ => {}
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    Ok(())
}

/// Checks the name of an anchor: YAML 1.1 allows ASCII letters, digits, `_` and `-`.
pub(super) fn check_anchor(name: &str) -> Result<(), ErrorKind> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.bytes().all(allowed) { Ok(()) } else { Err(syntax("an anchor name holds more than letters and digits")) }
}

/// The byte offsets of tabs that start a line or follow a block indicator at the start of one.
/// Outside of scalars and flow collections, YAML 1.1 does not allow them.
pub(super) fn indenting_tabs(text: &str) -> Vec<usize> {
    if !text.contains('\t') {
        return Vec::new();
    }
    let mut begin = 0;
    let mut tabs = Vec::new();
    for line in text.split_inclusive('\n') {
        let indent = line.bytes().take_while(|byte| matches!(byte, b' ' | b'-' | b'?'));
        let indent = indent.count();
        if line.as_bytes().get(indent) == Some(&b'\t') {
            tabs.push(begin + indent);
        }
        begin += line.len();
    }
    tabs
}

/// Checks the text of a block scalar: where its first line sets the indentation, as it does unless
/// the header says a number, that must not end in a tab. `before` ends with the header.
pub(super) fn check_block(before: &str, written: &str) -> Result<(), ErrorKind> {
    let first = written.lines().map(|line| line.trim_start_matches(' ')).find(|line| !line.is_empty());
    if !first.is_some_and(|line| line.starts_with('\t')) {
        return Ok(());
    }
    let before = before.trim_end();
    let header = before.rfind(['|', '>']).and_then(|at| before.get(at + 1..));
    if header.is_some_and(|rest| rest.bytes().take(2).any(|byte| byte.is_ascii_digit())) {
        return Ok(());
    }
    Err(syntax("a tab where a block scalar needs a space"))
}

/// Checks a plain scalar of a flow collection: YAML 1.1 takes `?` and `:` at its start and `:` at
/// its end for something else than YAML 1.2 does. `after` is the text that follows it.
pub(super) fn check_flow_plain(written: &str, after: &str) -> Result<(), ErrorKind> {
    let mut after = after.chars();
    let ends_in_colon = after.next() == Some(':') && matches!(after.next(), Some(',' | '[' | ']' | '{' | '}'));
    if ends_in_colon || written.starts_with(['?', ':']) {
        return Err(syntax("an unclear `?` or `:` in a flow collection"));
    }
    Ok(())
}

/// Checks a key that may span lines only with `?` before it, given what is before and after it.
pub(super) fn check_key_lines(before: &str, after: &str) -> Result<(), ErrorKind> {
    let implicit = !before.trim_end().ends_with('?') && after.trim_start().starts_with(':');
    if implicit {
        return Err(syntax("a key spans lines"));
    }
    Ok(())
}

/// Where the first dash of a block list is, for a list that is the value of a key and that the
/// parser says starts at `at`: how many lines above that, and after how many spaces. `None` when
/// it is at `at` itself. The parser skips the dash of a list no deeper than its key.
pub(super) fn first_dash(text: &str, at: usize) -> Option<(usize, usize)> {
    let before = text.get(..at)?;
    if text[at..].starts_with('-') && before.trim_end_matches(' ').ends_with('\n') {
        return None;
    }
    let (up, line) = before.rsplit('\n').enumerate().find(|(_, line)| {
        let rest = line.trim_start();
        !rest.is_empty() && !rest.starts_with('#')
    })?;
    let rest = line.trim_start_matches(' ');
    rest.starts_with('-').then(|| (up, line.len() - rest.len()))
}

/// Whether the first thing in a text is the end of a document.
pub(super) fn starts_with_end(text: &str) -> bool {
    text.lines()
        .find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .and_then(|line| line.strip_prefix("..."))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

pub(super) fn syntax(what: &str) -> ErrorKind {
    ErrorKind::Syntax(what.to_owned())
}
