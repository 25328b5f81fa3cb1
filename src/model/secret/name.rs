//! Names of credentials: a name is taken apart into words, and patterns are compared with those.
//!
//! `DB_PASSWORD`, `db.password`, `dbPassword` and `db-password` are all the words `db password`. Only so can `token` be told from
//! `tokenizer` and `TOKEN_URL` from `URL_TOKEN`: what a name is about stands in its last word.

use std::collections::HashSet;

use wildmatch::WildMatch;

/// Longest name that is looked at; longer ones are no names.
pub(super) const MOST_NAME: usize = 256;

/// The words of a name, in lower case; numbers that stand alone are left out.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let bytes = name.as_bytes();
    for (n, byte) in bytes.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() && *byte != b'*' {
            finish(&mut word, &mut words);
            continue;
        }
        let before = n.checked_sub(1).map(|n| bytes[n]);
        let next = bytes.get(n + 1);
        let begins = byte.is_ascii_uppercase()
            && (before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                || (before.is_some_and(|b| b.is_ascii_uppercase()) && next.is_some_and(u8::is_ascii_lowercase)
                    // The plural of an abbreviation in capitals.
                    && !(next == Some(&b's') && bytes.get(n + 2).is_none_or(|b| !b.is_ascii_lowercase()))));
        if begins {
            finish(&mut word, &mut words);
        }
        word.push(char::from(byte.to_ascii_lowercase()));
    }
    finish(&mut word, &mut words);
    words
}

fn finish(word: &mut String, words: &mut Vec<String>) {
    let word = std::mem::take(word);
    if !word.bytes().all(|b| b.is_ascii_digit()) {
        words.push(word);
    }
}

/// A pattern of names: words that stand next to one another in a name.
#[derive(Clone, Debug)]
pub(super) struct NamePattern {
    words: Vec<Word>,
    from_start: bool,
    to_end: bool,
}

#[derive(Clone, Debug)]
enum Word {
    Plain(String),
    Wild(WildMatch),
}

impl Word {
    fn is(&self, word: &str) -> bool {
        let fits = |word: &str| match self {
            Self::Plain(plain) => plain == word,
            Self::Wild(wild) => wild.matches(word),
        };
        // `password2` is a password.
        fits(word)
            || Some(word.trim_end_matches(|c: char| c.is_ascii_digit()))
                .is_some_and(|w| w.len() < word.len() && fits(w))
    }
}

impl NamePattern {
    /// Reads a pattern: a name in any style; `*` stands for any text inside a word, `^` before the first word and `$` behind the
    /// last for the name's beginning and end. `None` if it would fit nearly everything or nothing.
    pub(super) fn parse(text: &str) -> Option<(Self, String)> {
        let inner = text.strip_prefix('^').unwrap_or(text);
        let inner = inner.strip_suffix('$').unwrap_or(inner);
        let parts = words(inner);
        // What has to stand in a name for this to fit.
        let stem = parts.iter().flat_map(|word| word.split('*')).max_by_key(|piece| piece.len())?.to_owned();
        if stem.len() < 2 || parts.iter().any(|word| word.bytes().all(|b| b == b'*')) {
            return None;
        }
        let word =
            |word: String| if word.contains('*') { Word::Wild(WildMatch::new(&word)) } else { Word::Plain(word) };
        let pattern = Self {
            words: parts.into_iter().map(word).collect(),
            from_start: text.starts_with('^'),
            to_end: text.ends_with('$'),
        };
        Some((pattern, stem))
    }

    fn fits(&self, name: &[String]) -> bool {
        let fits = |at: usize| self.words.iter().zip(&name[at..]).all(|(word, text)| word.is(text));
        let Some(last) = name.len().checked_sub(self.words.len()) else { return false };
        match (self.from_start, self.to_end) {
            (true, true) => last == 0 && fits(0),
            (true, false) => fits(0),
            (false, true) => fits(last),
            (false, false) => (0..=last).any(fits),
        }
    }
}

/// A list of patterns.
#[derive(Clone, Debug, Default)]
pub(super) struct NamePatterns {
    /// Of one plain word, wherever it stands: most of them.
    plain: HashSet<String>,
    /// Of one plain word at the end.
    endings: HashSet<String>,
    others: Vec<NamePattern>,
}

impl NamePatterns {
    pub(super) fn push(&mut self, pattern: NamePattern) {
        match (pattern.words.as_slice(), pattern.from_start) {
            ([Word::Plain(word)], false) if pattern.to_end => drop(self.endings.insert(word.clone())),
            ([Word::Plain(word)], false) => drop(self.plain.insert(word.clone())),
            _ => self.others.push(pattern),
        }
    }

    /// How many words of a name the longest pattern that fits is made of; 0 if none fits.
    pub(super) fn fit(&self, name: &[String]) -> usize {
        let longest = self.others.iter().filter(|p| p.fits(name)).map(|p| p.words.len()).max().unwrap_or(0);
        if longest > 0 {
            return longest;
        }
        let known = |set: &HashSet<String>, word: &String| {
            set.contains(word) || set.contains(word.trim_end_matches(|c: char| c.is_ascii_digit()))
        };
        let one = (!self.plain.is_empty() && name.iter().any(|word| known(&self.plain, word)))
            || name.last().is_some_and(|word| known(&self.endings, word));
        usize::from(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_styles_have_the_same_words() {
        for (name, expected) in [
            ("DB_PASSWORD", "db password"),
            ("db.password", "db password"),
            ("dbPassword", "db password"),
            ("DBPassword", "db password"),
            ("APIKey", "api key"),
            ("apiKEY", "api key"),
            ("API_KEYs", "api keys"),
            ("spring.datasource.password", "spring datasource password"),
            ("PASSWORD_1", "password"),
            ("password2", "password2"),
            ("OAuth2Token", "o auth2 token"),
            ("users[0].pass", "users pass"),
            ("", ""),
            ("--", ""),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn patterns_fit_words_and_not_letters() {
        for (pattern, name, fits) in [
            ("token", "API_TOKEN", true),
            ("token", "tokenizer", false),
            ("*token", "authtoken", true),
            ("*token", "authtokens", false),
            ("password", "password2", true),
            ("api-key", "myApiKey", true),
            ("api-key", "apiMainKey", false),
            ("file$", "tokenFile", true),
            ("file$", "fileToken", false),
            ("file$", "TOKEN_FILE_2", true),
            ("^pwd$", "PWD", true),
            ("^pwd$", "DB_PWD", false),
            ("^use", "useToken", true),
            ("token$", "TOKEN", true),
        ] {
            let (parsed, _) = NamePattern::parse(pattern).unwrap();
            let mut patterns = NamePatterns::default();
            assert_eq!(parsed.fits(&words(name)), fits, "{pattern} {name}");
            patterns.push(parsed);
            assert_eq!(patterns.fit(&words(name)) > 0, fits, "{pattern} {name}");
        }
        for bad in ["", "*", "^$", "a", "api *", "-"] {
            assert!(NamePattern::parse(bad).is_none(), "{bad}");
        }
    }
}
