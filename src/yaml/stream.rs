//! A stream of JSON documents, one after the other.
//!
//! Sources: `YAMLOrJSONDecoder` in `k8s.io/apimachinery/pkg/util/yaml/decoder.go`, which reads
//! JSON documents until one fails and may then turn to YAML; Go's `encoding/json` for the grammar;
//! `sigs.k8s.io/json` for numbers.

use super::documents::{Document, Limits, Note};
use super::error::{ErrorKind, YamlError};
use super::mapping::Mapping;
use super::node::{Node, Place, Value};
use super::number;

/// How the JSON part of a file ended.
pub(super) enum Ending {
    /// With the file.
    End,
    /// With text that is not JSON after at most one document: `kubectl` reads it as YAML.
    PerhapsYaml {
        /// Why it is not JSON.
        error: YamlError,
        /// The byte offset of what follows the last document.
        at: usize,
        /// The place of that.
        place: Place,
    },
    /// With text that is not JSON after several documents, or that is nested too deeply.
    Broken {
        /// Why it is not JSON.
        error: YamlError,
        /// The byte offset where reading stopped.
        at: usize,
    },
}

/// Reads documents while they are JSON.
pub(super) fn read(text: &str, limits: &Limits, documents: &mut Vec<Result<Document, YamlError>>) -> Ending {
    let mut reader = Reader::new(text, limits.max_depth);
    let mut count = 0;
    loop {
        let rest = (reader.at, reader.here());
        reader.skip_space();
        if reader.peek().is_none() {
            return Ending::End;
        }
        match reader.value(0) {
            Ok(root) => {
                count += 1;
                let notes = std::mem::take(&mut reader.notes);
                match reader.flaw.take() {
                    Some(flaw) => documents.push(Err(flaw)),
                    None if root.is_null() => {}
                    None => documents.push(Ok(Document { place: root.place, root, notes })),
                }
            }
            Err(error) if count > 1 || error.kind == ErrorKind::TooDeep => {
                let at = reader.at;
                return Ending::Broken { error, at };
            }
            Err(error) => {
                let (at, place) = after_line_break(text, rest);
                return Ending::PerhapsYaml { error, at, place };
            }
        }
    }
}

/// Passes over white space up to the first line break, as `kubectl` does before it turns to YAML.
fn after_line_break(text: &str, (at, place): (usize, Place)) -> (usize, Place) {
    let rest = &text[at..];
    let blank = rest.len() - rest.trim_start().len();
    match rest[..blank].find('\n') {
        Some(end) => {
            let line = place.line.saturating_add(1);
            (at + end + 1, Place { line, column: 1 })
        }
        None => {
            let skipped = u32::try_from(rest[..blank].chars().count()).unwrap_or(u32::MAX);
            let column = place.column.saturating_add(skipped);
            (at + blank, Place { column, ..place })
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    column: u32,
    /// Up to where `line` and `column` were counted.
    counted: usize,
    max_depth: usize,
    notes: Vec<Note>,
    /// The first thing in a well-formed document that cannot be read all the same.
    flaw: Option<YamlError>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, max_depth: usize) -> Self {
        Self { text, at: 0, line: 1, column: 1, counted: 0, max_depth, notes: Vec::new(), flaw: None }
    }

    fn value(&mut self, depth: usize) -> Result<Node, YamlError> {
        let place = self.here();
        let value = match self.peek() {
            Some(b'{' | b'[') if depth >= self.max_depth => {
                return Err(YamlError::new(place, ErrorKind::TooDeep));
            }
            Some(b'{') => self.object(depth + 1)?,
            Some(b'[') => self.array(depth + 1)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(_) => return Err(self.error("a value was expected")),
            None => return Err(self.error("the text ends too early")),
        };
        Ok(Node { value, place })
    }

    fn object(&mut self, depth: usize) -> Result<Value, YamlError> {
        self.at += 1;
        let mut mapping = Mapping::default();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Map(mapping.into_entries()));
        }
        loop {
            self.skip_space();
            let key_place = self.here();
            if self.peek() != Some(b'"') {
                return Err(self.error("a key in double quotes was expected"));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.error("`:` was expected after a key"));
            }
            self.skip_space();
            let value = self.value(depth)?;
            mapping.set(key, key_place, value, &mut self.notes);
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Map(mapping.into_entries()));
            }
            if !self.take(b',') {
                return Err(self.error("`,` or `}` was expected"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, YamlError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::Seq(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Seq(items));
            }
            if !self.take(b',') {
                return Err(self.error("`,` or `]` was expected"));
            }
        }
    }

    fn number(&mut self) -> Result<Value, YamlError> {
        let place = self.here();
        let begin = self.at;
        self.take(b'-');
        if !self.take(b'0') && self.digits() == 0 {
            return Err(self.error("a digit was expected"));
        }
        if self.take(b'.') && self.digits() == 0 {
            return Err(self.error("a digit was expected after the decimal point"));
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            if self.digits() == 0 {
                return Err(self.error("a digit was expected in the exponent"));
            }
        }
        Ok(number::from_json(&self.text[begin..self.at]).unwrap_or_else(|| {
            let flaw = YamlError::new(place, ErrorKind::NumberRange);
            self.flaw.get_or_insert(flaw);
            Value::Null
        }))
    }

    /// A string, with the cursor on its opening quote.
    fn string(&mut self) -> Result<String, YamlError> {
        self.at += 1;
        let mut read = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(plain) = rest.find(|c: char| matches!(c, '"' | '\\' | '\0'..='\x1f')) else {
                self.at = self.text.len();
                return Err(self.error("a string is not closed"));
            };
            read.push_str(&rest[..plain]);
            self.at += plain;
            if self.take(b'"') {
                return Ok(read);
            }
            if !self.take(b'\\') {
                return Err(self.error("a control character in a string"));
            }
            read.push(self.escape()?);
        }
    }

    /// The character an escape stands for, with the cursor after the backslash.
    fn escape(&mut self) -> Result<char, YamlError> {
        let Some(letter) = self.peek() else {
            return Err(self.error("a string is not closed"));
        };
        let character = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.error("an unknown escape in a string")),
        };
        self.at += 1;
        Ok(character)
    }

    /// The character of `\u`, or of two of them; Go makes a lone half the replacement character.
    fn unicode_escape(&mut self) -> Result<char, YamlError> {
        let first = self.hex()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let second = self.at;
        if first < 0xdc00 && self.text[second..].starts_with("\\u") {
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = second;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, YamlError> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        if digits.len() == 4
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            && let Ok(number) = u32::from_str_radix(digits, 16)
        {
            self.at += 4;
            return Ok(number);
        }
        Err(self.error("four hexadecimal digits were expected in an escape"))
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, YamlError> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.error("a value was expected"))
    }

    fn digits(&mut self) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    fn skip_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// The place of the cursor. Each call counts on from the last one.
    fn here(&mut self) -> Place {
        let passed = self.text.get(self.counted..self.at).unwrap_or_default();
        let mut tail = passed;
        for line in passed.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            self.line = self.line.saturating_add(1);
            self.column = 1;
            tail = &tail[line.len()..];
        }
        let columns = u32::try_from(tail.chars().count()).unwrap_or(u32::MAX);
        self.column = self.column.saturating_add(columns);
        self.counted = self.at;
        Place { line: self.line, column: self.column }
    }

    fn error(&mut self, what: &'static str) -> YamlError {
        YamlError::new(self.here(), ErrorKind::Json(what))
    }
}
