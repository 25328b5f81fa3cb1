//! Variables in a text, `${name}`, as Flux replaces them after a build: bash's parameter expansion as far as `fluxcd/pkg`, `envsubst` has it
//! (a fork of `drone/envsubst`), with what differs there from bash: every operator with `=`, `-`, `?` or `+` gives a default, and an
//! empty value is as good as none.

use super::wildcard;

/// Expressions inside expressions; more would exhaust the stack.
const DEEPEST: usize = 32;
/// Bytes that a text may become: no API server takes an object that is larger.
const MOST_BYTES: usize = 16 << 20;
/// Bytes of a value that a pattern is tried on: each of its beginnings is.
const MOST_TRIED: usize = 4096;

/// Why a text has no value. Flux fails there, too.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It cannot be read.
    #[error("`{text}` cannot be read: {why}")]
    Syntax {
        /// How the expression begins.
        text: String,
        /// What is wrong.
        why: &'static str,
    },
    /// There is too much of it.
    #[error("what comes of a variable is too large")]
    TooLarge,
}

/// What is known of variables.
pub trait Variables {
    /// A variable's value, empty where nothing gives one; `None`: it is not known.
    fn value(&self, name: &str) -> Option<&str>;

    /// What stands for an expression that hangs on a variable which is not known, as a whole.
    fn placeholder(&mut self, name: &str) -> &str;
}

/// Replaces the expressions of a text. A variable that is not known matters only where its value is asked for.
///
/// # Errors
/// See [`Failure`].
pub fn replace(text: &str, variables: &mut impl Variables) -> Result<String, Failure> {
    let mut reader = Reader { text, at: 0 };
    let mut out = String::with_capacity(text.len());
    while let Some(at) = memchr::memchr(b'$', reader.rest().as_bytes()) {
        let (before, rest) = reader.rest().split_at(at);
        out.push_str(before);
        reader.at += at;
        if rest.starts_with("${") {
            let begin = reader.at;
            reader.at += 2;
            let expression = reader.expression(0).map_err(|why| syntax(&text[begin..], why))?;
            match expression.value(variables) {
                Ok(value) => out.push_str(&value),
                Err(Without::Unknown(name)) => out.push_str(variables.placeholder(&name)),
                Err(Without::Failed(failure)) => return Err(failure),
            }
        } else {
            // `$$` stands for a `$` that begins nothing.
            reader.at += if rest.starts_with("$$") { 2 } else { 1 };
            out.push('$');
        }
        if out.len() > MOST_BYTES {
            return Err(Failure::TooLarge);
        }
    }
    out.push_str(reader.rest());
    Ok(out)
}

fn syntax(from: &str, why: &'static str) -> Failure {
    let line = from.lines().next().unwrap_or_default();
    let end = line.find('}').map_or(line.len(), |at| at + 1);
    Failure::Syntax { text: line[..end].chars().take(60).collect(), why }
}

/// Why an expression has no value.
enum Without {
    Failed(Failure),
    /// The variable that is not known.
    Unknown(String),
}

impl From<Failure> for Without {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// `${name}`, or with an operator.
struct Expression {
    name: String,
    operator: Operator,
    arguments: Vec<Part>,
}

enum Part {
    Text(String),
    Expression(Box<Expression>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    None,
    Length,
    Default,
    Substring,
    LowerFirst,
    Lower,
    UpperFirst,
    Upper,
    ShortestPrefix,
    LongestPrefix,
    ShortestSuffix,
    LongestSuffix,
    ReplaceFirst,
    ReplaceAll,
    ReplacePrefix,
    ReplaceSuffix,
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Passes the text if it is next.
    fn take(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    fn name(&mut self) -> Result<String, &'static str> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += end;
        if end == 0 { Err("it names no variable") } else { Ok(rest[..end].to_owned()) }
    }

    fn close(&mut self) -> Result<(), &'static str> {
        if self.take("}") { Ok(()) } else { Err("there is no `}` after it") }
    }

    /// What follows `${`, with its end.
    fn expression(&mut self, depth: usize) -> Result<Expression, &'static str> {
        if depth > DEEPEST {
            return Err("it is nested too deep");
        }
        if self.take("#") {
            let name = self.name()?;
            self.close()?;
            return Ok(Expression { name, operator: Operator::Length, arguments: Vec::new() });
        }
        let name = self.name()?;
        let (operator, arguments) = match self.peek() {
            Some(':') if !self.rest()[1..].starts_with(['=', '-', '?', '+']) => self.substring(depth)?,
            Some(':') => self.default(2, depth)?,
            Some('=') => self.default(1, depth)?,
            Some(',' | '^') => (self.casing(), Vec::new()),
            Some('/') => self.replacing(depth)?,
            Some('#') if self.take("##") => (Operator::LongestPrefix, vec![self.part(&['}'], false, depth)?]),
            Some('#') => self.removing(Operator::ShortestPrefix, depth)?,
            Some('%') if self.take("%%") => (Operator::LongestSuffix, vec![self.part(&['}'], false, depth)?]),
            Some('%') => self.removing(Operator::ShortestSuffix, depth)?,
            _ => (Operator::None, Vec::new()),
        };
        self.close()?;
        Ok(Expression { name, operator, arguments })
    }

    /// An expression, or a text up to one of some characters or to an expression; never an empty one.
    fn part(&mut self, stops: &[char], with_escapes: bool, depth: usize) -> Result<Part, &'static str> {
        if self.take("${") {
            return Ok(Part::Expression(Box::new(self.expression(depth + 1)?)));
        }
        let mut text = String::new();
        while let Some(next) = self.peek() {
            let is_escape = || ["$$", "\\/", "\\\\"].iter().any(|escape| self.rest().starts_with(escape));
            if self.rest().starts_with("${") {
                break;
            } else if with_escapes && is_escape() {
                text.extend(self.rest()[1..].chars().next());
                self.at += 2;
            } else if stops.contains(&next) {
                break;
            } else {
                text.push(next);
                self.at += next.len_utf8();
            }
        }
        if text.is_empty() { Err("something is missing in it") } else { Ok(Part::Text(text)) }
    }

    fn default(&mut self, length: usize, depth: usize) -> Result<(Operator, Vec<Part>), &'static str> {
        self.at += length;
        let mut parts = Vec::new();
        while self.peek() != Some('}') {
            parts.push(self.part(&['}'], false, depth)?);
        }
        Ok((Operator::Default, parts))
    }

    fn substring(&mut self, depth: usize) -> Result<(Operator, Vec<Part>), &'static str> {
        self.at += 1;
        let mut parts = vec![self.part(&[':', '}'], false, depth)?];
        if self.peek() == Some(':') {
            while self.take(":") {}
            parts.push(self.part(&['}'], false, depth)?);
        }
        Ok((Operator::Substring, parts))
    }

    fn casing(&mut self) -> Operator {
        let all = [(",,", Operator::Lower), ("^^", Operator::Upper), (",^", Operator::None), ("^,", Operator::None)];
        let first = [(",", Operator::LowerFirst), ("^", Operator::UpperFirst)];
        let found = all.into_iter().chain(first).find(|(text, _)| self.take(text));
        found.map_or(Operator::None, |(_, operator)| operator)
    }

    fn removing(&mut self, operator: Operator, depth: usize) -> Result<(Operator, Vec<Part>), &'static str> {
        self.at += 1;
        Ok((operator, vec![self.part(&['}'], false, depth)?]))
    }

    fn replacing(&mut self, depth: usize) -> Result<(Operator, Vec<Part>), &'static str> {
        self.at += 1;
        let operators = [("/", Operator::ReplaceAll), ("#", Operator::ReplacePrefix), ("%", Operator::ReplaceSuffix)];
        let operator = operators.into_iter().find(|(text, _)| self.take(text));
        let pattern =
            if self.peek() == Some('/') { Part::Text(String::new()) } else { self.part(&['/'], true, depth)? };
        let mut parts = vec![pattern];
        if !self.take("/") {
            return Err("there is no `/` after the pattern");
        }
        while self.take("/") {}
        if self.peek() != Some('}') {
            parts.push(self.part(&['}'], true, depth)?);
        }
        Ok((operator.map_or(Operator::ReplaceFirst, |(_, operator)| operator), parts))
    }
}

impl Part {
    fn value(&self, of: &impl Variables) -> Result<String, Without> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Expression(expression) => expression.value(of),
        }
    }
}

impl Expression {
    fn value(&self, of: &impl Variables) -> Result<String, Without> {
        let value = of.value(&self.name).ok_or_else(|| Without::Unknown(self.name.clone()))?;
        // A default that is not needed may hang on what is not known.
        if matches!(self.operator, Operator::None | Operator::Default) && !value.is_empty() {
            return Ok(value.to_owned());
        }
        let mut arguments = Vec::new();
        for part in &self.arguments {
            arguments.push(part.value(of)?);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (first, second) = (arguments.first().copied().unwrap_or_default(), arguments.get(1).copied());
        Ok(match self.operator {
            Operator::None => value.to_owned(),
            Operator::Length => value.len().to_string(),
            Operator::Default => arguments.concat(),
            Operator::Substring => substring(value, first, second)?.to_owned(),
            Operator::LowerFirst => first_as(value, |c| c.to_lowercase().collect()),
            Operator::UpperFirst => first_as(value, |c| c.to_uppercase().collect()),
            Operator::Lower => value.to_lowercase(),
            Operator::Upper => value.to_uppercase(),
            Operator::ShortestPrefix => without(value, first, false)?.to_owned(),
            Operator::LongestPrefix => without(value, first, true)?.to_owned(),
            Operator::ShortestSuffix => reversed(without(&reversed(value), &reversed(first), false)?),
            Operator::LongestSuffix => reversed(without(&reversed(value), &reversed(first), true)?),
            Operator::ReplaceFirst => value.replacen(first, second.unwrap_or_default(), 1),
            Operator::ReplaceAll => {
                let by = second.unwrap_or_default();
                if by.len().saturating_mul(value.len() + 1) > MOST_BYTES && value.matches(first).count() > 1 {
                    return Err(Failure::TooLarge.into());
                }
                value.replace(first, by)
            }
            Operator::ReplacePrefix => match (second, value.strip_prefix(first)) {
                (Some(by), Some(rest)) => format!("{by}{rest}"),
                _ => value.to_owned(),
            },
            Operator::ReplaceSuffix => match (second, value.strip_suffix(first)) {
                (Some(by), Some(rest)) => format!("{rest}{by}"),
                _ => value.to_owned(),
            },
        })
    }
}

/// By bytes; the whole value where a position is no number.
fn substring<'t>(value: &'t str, from: &str, length: Option<&str>) -> Result<&'t str, Failure> {
    let all = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let Ok(from) = from.parse::<i64>() else { return Ok(value) };
    let from = if from < 0 { all.saturating_add(from).max(0) } else { from };
    let to = match length.map(str::parse::<i64>) {
        None => all,
        Some(Err(_)) => return Ok(value),
        Some(Ok(length)) if length < 0 => all.saturating_add(length),
        Some(Ok(length)) => from.saturating_add(length).min(all),
    };
    if to <= from {
        return Ok("");
    }
    let at = |at: i64| usize::try_from(at).unwrap_or(usize::MAX);
    value.get(at(from)..at(to)).ok_or(Failure::Syntax { text: value.to_owned(), why: "it is cut inside a character" })
}

fn first_as(value: &str, change: impl Fn(char) -> String) -> String {
    let mut rest = value.chars();
    rest.next().map(|first| change(first) + rest.as_str()).unwrap_or_default()
}

/// Without the longest or the shortest beginning that a pattern fits.
fn without<'t>(value: &'t str, pattern: &str, longest: bool) -> Result<&'t str, Failure> {
    if value.len() > MOST_TRIED {
        return Err(Failure::TooLarge);
    }
    let mut ends: Vec<usize> = value.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
    if longest {
        ends.reverse();
    }
    Ok(ends.into_iter().find(|end| wildcard::fits(pattern, &value[..*end])).map_or(value, |end| &value[end..]))
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
