//! What somebody else's program said, as it may stand in our own sentences.

/// Characters of a quotation.
const MOST: usize = 200;

/// Foreign words on one line, without control and bidirectional characters, with `secrets` blotted out, and cut.
///
/// A server may repeat what it was told, a password among it.
pub fn quoted(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "(secret)");
    }
    let visible = |c: char| match c {
        c if c.is_control() || c.is_whitespace() => ' ',
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => ' ',
        c => c,
    };
    let text: String = text.chars().map(visible).collect();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_harmless_line() {
        assert_eq!(quoted("550 no\r\n\tsuch\u{1b}[31m user \u{202e}", &[]), "550 no such [31m user");
        assert_eq!(quoted("bad hunter2, hunter2!", &["hunter2", ""]), "bad (secret), (secret)!");
        assert_eq!(quoted(&"ä".repeat(300), &[]), format!("{}…", "ä".repeat(MOST)));
    }
}
