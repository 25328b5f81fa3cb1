//! Text from repositories, clusters and commits, made harmless for where it goes. HTML is escaped by the template engine.

/// Makes what a reader cannot see visible: control characters, bidirectional controls and invisible characters become
/// `\u{…}`, line breaks and tabs become `\n`, `\r`, `\t`. The result is one line, is safe on a terminal and reads in the
/// order in which it is stored.
///
/// Joiners (U+200C, U+200D) stay: scripts and emoji need them.
pub fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => {
                out.push_str("\\u{");
                out.push_str(&format!("{:x}", u32::from(c)));
                out.push('}');
            }
            c => out.push(c),
        }
    }
    out
}

/// Control characters (Unicode Cc), the bidirectional controls of UAX #9, line and paragraph separators, characters without
/// width that join nothing, interlinear annotation and tag characters.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Prose in Slack's mrkdwn: `&`, `<` and `>` as Slack asks (so that no mention, channel call or link can be made), and the
/// characters that format text, for which Slack has no escape, as look-alikes.
pub fn mrkdwn(text: &str) -> String {
    let text: Vec<char> = terminal(text).chars().collect();
    let word = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|c| c.is_alphanumeric());
    let mut out = String::with_capacity(text.len());
    for (at, &c) in text.iter().enumerate() {
        match c {
            '*' => out.push('\u{2217}'),
            '~' => out.push('\u{223c}'),
            '`' => out.push('\u{2cb}'),
            // Inside a word an underscore formats nothing.
            '_' if !(word(at.checked_sub(1)) && word(Some(at + 1))) => out.push('\u{2cd}'),
            ':' if starts_emoji(&text[at + 1..]) => out.push('\u{a789}'),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

/// Slack's plain text, which is not formatted, but draws pictures: angle brackets, which could be taken for a mention by what reads it
/// in another way, as look-alikes.
pub fn slack_plain(text: &str) -> String {
    let text: Vec<char> = terminal(text).chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, &c) in text.iter().enumerate() {
        out.push(match c {
            '<' => '\u{2039}',
            '>' => '\u{203a}',
            ':' if starts_emoji(&text[at + 1..]) => '\u{a789}',
            c => c,
        });
    }
    out
}

/// `name:` follows, with a letter in it: Slack would draw a picture.
fn starts_emoji(rest: &[char]) -> bool {
    let name: Vec<_> =
        rest.iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '\'')).collect();
    rest.get(name.len()) == Some(&':') && name.iter().any(|c| c.is_ascii_alphabetic())
}

/// A value as code in Slack's mrkdwn; nothing inside it is formatted.
pub fn mrkdwn_code(text: &str) -> String {
    let text = terminal(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "\u{2cb}");
    format!("`{}`", if text.trim().is_empty() { "(empty)".to_owned() } else { text })
}

/// A YAML scalar: plain where it can be nothing else, else in quotes as JSON has them.
pub fn yaml(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let word = !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    // A URL's `://` is no mapping.
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    if starts && word && rest.chars().all(plain) {
        return text.to_owned();
    }
    // A comment or a terminal must not act on it either.
    serde_json::Value::from(terminal(text)).to_string()
}

/// A CSV field of RFC 4180. A text that a spreadsheet would take for a formula gets a leading `'`.
pub fn csv(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = terminal(text);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains([',', '"', ';']) || text.starts_with([' ', '\'']) || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Prose in Markdown: all punctuation that could mean something is escaped, and `@` and `#` are cut off from what follows, so
/// that no person is called and no issue linked.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' | '#' => {
                out.push_str(if c == '#' { "\\#" } else { "@" });
                out.push('\u{200b}');
            }
            // `://` is what makes a bare address a link.
            ':' => out.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '!' | '|' | '~' | '^' | '$' | '+' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A value as a code span in Markdown, fit for a table cell.
pub fn markdown_code(text: &str) -> String {
    // In a table cell only `\|` keeps a bar from ending the cell, also inside code; behind a backslash that does not help, and
    // a look-alike has to.
    let text = terminal(text).replace("\\|", "\\\u{2223}").replace('|', "\\|");
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // A space on both sides is taken off again by the reader; it is needed where the text itself touches the fence.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The length of the longest run of `c`: a fence must be longer.
pub fn longest_run(text: &str, c: char) -> usize {
    text.split(|x| x != c).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_survives() {
        for (text, shown) in [
            ("a\u{1b}[31mred", "a\\u{1b}[31mred"),
            ("user\u{202e}gpj.exe", "user\\u{202e}gpj.exe"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{9b}2J\u{7f}\0", "\\u{9b}2J\\u{7f}\\u{0}"),
            ("\u{2066}\u{200b}\u{feff}\u{e0041}", "\\u{2066}\\u{200b}\\u{feff}\\u{e0041}"),
            ("Grüße 👩\u{200d}🚀 שלום", "Grüße 👩\u{200d}🚀 שלום"),
        ] {
            assert_eq!(terminal(text), shown);
        }
    }

    #[test]
    fn slack_gets_no_mentions_links_or_formatting() {
        for (text, shown) in [
            ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
            ("<https://evil.example|ok>", "&lt;https://evil.example|ok&gt;"),
            ("*bold* ~gone~ `code`", "∗bold∗ ∼gone∼ ˋcodeˋ"),
            ("_it_ snake_case", "ˍitˍ snake_case"),
            ("at 14:03:09 :tada: file.yaml:12:3", "at 14:03:09 ꞉tada: file.yaml:12:3"),
        ] {
            assert_eq!(mrkdwn(text), shown);
        }
        assert_eq!(mrkdwn_code("a`b<!here>"), "`aˋb&lt;!here&gt;`");
        assert_eq!(mrkdwn_code(" "), "`(empty)`");
        assert_eq!(slack_plain("a <!here> :tada: & b: c"), "a ‹!here› ꞉tada: & b: c");
    }

    #[test]
    fn spreadsheets_get_no_formulas() {
        for (text, shown) in [
            ("=1+1", "\"'=1+1\""),
            ("-5", "\"'-5\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\tx", "\"'\\tx\""),
            ("a,b\"c", "\"a,b\"\"c\""),
            ("two\nlines", "two\\nlines"),
            ("plain", "plain"),
        ] {
            assert_eq!(csv(text), shown);
        }
    }

    #[test]
    fn markdown_stays_text() {
        assert_eq!(markdown("<b> *x* [a](b) @all #1"), "&lt;b&gt; \\*x\\* \\[a\\]\\(b\\) @\u{200b}all \\#\u{200b}1");
        assert_eq!(markdown_code("a`b|c"), "``a`b\\|c``");
        assert_eq!(markdown_code("`"), "`` ` ``");
        assert_eq!(markdown_code("a\\|b"), "`a\\\u{2223}b`");
    }

    #[test]
    fn a_scalar_reads_back_as_its_text() {
        for (text, written) in [
            ("prod", "prod"),
            ("https://git.example.com/acme/platform.git", "https://git.example.com/acme/platform.git"),
            ("no", "\"no\""),
            ("1.2", "\"1.2\""),
            ("a: b # c", "\"a: b # c\""),
            ("a\"\nb", "\"a\\\"\\\\nb\""),
            ("-x", "\"-x\""),
        ] {
            assert_eq!(yaml(text), written);
        }
    }
}
