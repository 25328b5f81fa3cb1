//! Shell patterns as Go's `path.Match` has them, but that `*` and `?` stand for a `/`, too (`fluxcd/pkg`, `envsubst/path/match.go`).

/// Whether a pattern fits the whole of a text. A broken pattern fits nothing.
pub fn fits(pattern: &str, text: &str) -> bool {
    let Some(pattern) = read(pattern) else { return false };
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last star is, and what it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Term::Any) => {
                star = Some((p, t));
                p += 1;
            }
            Some(term) if term.is(text[t]) => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, upto)) => {
                    (p, t) = (at + 1, upto + 1);
                    star = Some((at, upto + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|term| matches!(term, Term::Any))
}

enum Term {
    Any,
    One,
    Char(char),
    /// One of some ranges, or none of them.
    Class(bool, Vec<(char, char)>),
}

impl Term {
    fn is(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Char(other) => *other == c,
            Self::Class(is_in, ranges) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) == *is_in,
        }
    }
}

fn read(pattern: &str) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(next) = rest.next() {
        terms.push(match next {
            '*' => Term::Any,
            '?' => Term::One,
            '\\' => Term::Char(rest.next()?),
            '[' => {
                let is_in = rest.next_if_eq(&'^').is_none();
                let mut ranges = Vec::new();
                while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
                    let low = literal(rest.next()?, &mut rest)?;
                    let high = match rest.next_if_eq(&'-') {
                        Some(_) => literal(rest.next()?, &mut rest)?,
                        None => low,
                    };
                    ranges.push((low, high));
                }
                Term::Class(is_in, ranges)
            }
            c => Term::Char(c),
        });
    }
    Some(terms)
}

fn literal(c: char, rest: &mut impl Iterator<Item = char>) -> Option<char> {
    match c {
        '-' | ']' => None,
        '\\' => rest.next(),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "a/b", true),
            ("*.", "bash.", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcd", false),
            ("?b", "/b", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[a", "a", false),
            ("[]a]", "]", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        let slow = "a*".repeat(40);
        assert!(!fits(&format!("{slow}b"), &"a".repeat(4000)));
    }
}
