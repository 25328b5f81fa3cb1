//! A chart at another time. Helm's program reads the clock of the machine, which nobody can set for it alone; but a chart asks for the time
//! by one function, which another date can stand for.

use std::fs;
use std::io;
use std::path::Path;

/// What stands in place of `now`.
const THEN: &str = r#"(toDate "2006-01-02" "2001-02-03")"#;
/// Charts in charts in charts.
const DEEPEST: usize = 16;

/// Writes another time into the templates of a chart's folder and of the charts in it; whether any of them asks for the time.
///
/// # Errors
/// A file cannot be read or written.
pub fn turn_back(folder: &Path) -> io::Result<bool> {
    turn(folder, DEEPEST)
}

fn turn(folder: &Path, deepest: usize) -> io::Result<bool> {
    let mut any = false;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() && deepest > 0 {
            any |= turn(&path, deepest - 1)?;
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(&path)
            && let Some(turned) = turned_back(&text)
        {
            fs::write(&path, turned)?;
            any = true;
        }
    }
    Ok(any)
}

/// A template with another time in its actions; `None` if it asks for none.
fn turned_back(text: &str) -> Option<String> {
    let (mut turned, mut rest, mut any) = (String::new(), text, false);
    while let Some(start) = rest.find("{{") {
        let (before, action) = rest.split_at(start);
        let end = action.find("}}").map_or(action.len(), |end| end + 2);
        let (action, after) = action.split_at(end);
        turned.push_str(before);
        // Texts in it stay as they are.
        let mut quote = None;
        let mut last = ' ';
        let mut chars = action.char_indices();
        while let Some((at, c)) = chars.next() {
            let word = action.get(at..).unwrap_or_default();
            let ends = |c: char| !c.is_alphanumeric() && c != '_';
            let is_now = quote.is_none()
                && word.starts_with("now")
                && word.chars().nth(3).is_some_and(ends)
                && !(last.is_alphanumeric() || matches!(last, '_' | '$' | '.'));
            if is_now {
                turned.push_str(THEN);
                chars.nth(1);
                (last, any) = ('w', true);
                continue;
            }
            match quote {
                Some(open) if c == open && (c == '`' || last != '\\') => quote = None,
                None if matches!(c, '"' | '`') => quote = Some(c),
                _ => {}
            }
            turned.push(c);
            last = c;
        }
        rest = after;
    }
    turned.push_str(rest);
    any.then_some(turned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_function_is_replaced() {
        for (text, expected) in [
            ("a: {{ now | date \"2006\" }} now", Some(format!("a: {{{{ {THEN} | date \"2006\" }}}} now"))),
            ("{{ date \"2006\" (now) }}{{now}}", Some(format!("{{{{ date \"2006\" ({THEN}) }}}}{{{{{THEN}}}}}"))),
            ("{{ .Values.now }} {{ $now }} {{ \"now\" }} {{ `now` }} {{ nowhere }} {{ know }}", None),
            ("now {{ \"a \\\" now\" }}", None),
            ("{{ now", None),
        ] {
            assert_eq!(turned_back(text), expected, "{text}");
        }
    }
}
