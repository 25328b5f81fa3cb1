//! Field paths, written as structured-merge-diff does:
//! `.spec.template.spec.containers[name="api"].env[name="LOG_LEVEL"].value`.
//!
//! Keys that are not plain identifiers stand in brackets: `.metadata.labels["app.kubernetes.io/name"]`.
//! The written form goes into fingerprints and is fixed for ever.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A field of an object or a key of a map.
    Field(String),
    /// An element of a list that is matched by key: the keys in the schema's order with the element's values.
    Key(Vec<(String, Value)>),
    /// An element of a set, by its value.
    Item(Value),
    /// An element of an ordered list, by position from 0.
    Index(usize),
}

/// A path from an object's root to a field; the empty path is the object itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldPath(Vec<Step>);

/// A text that is not a field path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a field path at character {at}: {what}")]
pub struct FieldPathError {
    /// Byte offset in the text.
    pub at: usize,
    /// What was expected there.
    pub what: &'static str,
}

impl FieldPath {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// From plain field names.
    pub fn of_fields<const N: usize>(names: [&str; N]) -> Self {
        Self(names.iter().map(|name| Step::Field((*name).to_owned())).collect())
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// True for the object itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This path with one more step.
    pub fn child(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// This path with one more field.
    pub fn field(&self, name: impl Into<String>) -> Self {
        self.child(Step::Field(name.into()))
    }

    /// Appends a step in place.
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Takes the last step away.
    pub fn pop(&mut self) -> Option<Step> {
        self.0.pop()
    }

    /// True if `self` is `prefix` or lies below it.
    pub fn starts_with(&self, prefix: &FieldPath) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// Reads the written form back.
    ///
    /// # Errors
    /// Says at which character the text stops being a path.
    pub fn parse(text: &str) -> Result<Self, FieldPathError> {
        Parser { text, at: 0 }.path()
    }
}

impl From<Vec<Step>> for FieldPath {
    fn from(steps: Vec<Step>) -> Self {
        Self(steps)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        for step in &self.0 {
            match step {
                Step::Field(name) if is_identifier(name) => write!(f, ".{name}")?,
                Step::Field(name) => write!(f, "[{}]", Value::from(name.as_str()))?,
                Step::Key(keys) => {
                    for (n, (name, value)) in keys.iter().enumerate() {
                        f.write_str(if n == 0 { "[" } else { "," })?;
                        write!(f, "{name}={value}")?;
                    }
                    f.write_str("]")?;
                }
                Step::Item(value) => write!(f, "[={value}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn path(mut self) -> Result<FieldPath, FieldPathError> {
        let mut steps = Vec::new();
        if self.text == "." {
            return Ok(FieldPath(steps));
        }
        while self.at < self.text.len() {
            if self.eat('.') {
                steps.push(Step::Field(self.identifier()?));
            } else if self.eat('[') {
                steps.push(self.bracket()?);
            } else {
                return Err(self.expected("`.` or `[`"));
            }
        }
        if steps.is_empty() { Err(self.expected("`.`")) } else { Ok(FieldPath(steps)) }
    }

    fn bracket(&mut self) -> Result<Step, FieldPathError> {
        let step = match self.peek() {
            Some('"') => match self.value()? {
                Value::String(name) => Step::Field(name),
                _ => return Err(self.expected("a quoted key")),
            },
            Some('=') => {
                self.at += 1;
                Step::Item(self.value()?)
            }
            Some(c) if c.is_ascii_digit() => {
                let digits = self.take_while(|c| c.is_ascii_digit());
                Step::Index(digits.parse().map_err(|_| self.expected("a list index"))?)
            }
            _ => {
                let mut keys = Vec::new();
                loop {
                    let name = self.take_while(|c| c != '=' && c != ']');
                    if name.is_empty() || !self.eat('=') {
                        return Err(self.expected("`key=value`"));
                    }
                    keys.push((name, self.value()?));
                    if !self.eat(',') {
                        break Step::Key(keys);
                    }
                }
            }
        };
        if self.eat(']') { Ok(step) } else { Err(self.expected("`]`")) }
    }

    /// A JSON value, as written by `Display`.
    fn value(&mut self) -> Result<Value, FieldPathError> {
        let mut stream = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter::<Value>();
        let value = stream.next().and_then(Result::ok).ok_or(self.expected("a JSON value"))?;
        self.at += stream.byte_offset();
        Ok(value)
    }

    fn identifier(&mut self) -> Result<String, FieldPathError> {
        let start = self.at;
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_identifier(&name) { Ok(name) } else { Err(FieldPathError { at: start, what: "a field name" }) }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let rest = &self.text[self.at..];
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_owned()
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn expected(&self, what: &'static str) -> FieldPathError {
        FieldPathError { at: self.at, what }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn is_written_as_the_design_says() {
        let env = FieldPath::of_fields(["spec", "template", "spec", "containers"])
            .child(Step::Key(vec![("name".into(), json!("api"))]))
            .field("env")
            .child(Step::Key(vec![("name".into(), json!("LOG_LEVEL"))]))
            .field("value");
        assert_eq!(env.to_string(), r#".spec.template.spec.containers[name="api"].env[name="LOG_LEVEL"].value"#);
        let label = FieldPath::of_fields(["metadata", "labels"]).field("app.kubernetes.io/name");
        assert_eq!(label.to_string(), r#".metadata.labels["app.kubernetes.io/name"]"#);
        let port = FieldPath::of_fields(["spec", "ports"])
            .child(Step::Key(vec![("port".into(), json!(80)), ("protocol".into(), json!("TCP"))]))
            .field("nodePort");
        assert_eq!(port.to_string(), r#".spec.ports[port=80,protocol="TCP"].nodePort"#);
        assert_eq!(FieldPath::root().to_string(), ".");
    }

    #[test]
    fn says_where_a_text_is_not_a_path() {
        for bad in ["", "spec", ".spec[", ".spec[name]", ".spec[name=\"a\"", "..", ".a b", ".a[=]"] {
            assert!(FieldPath::parse(bad).is_err(), "{bad}");
        }
    }

    fn step() -> impl Strategy<Value = Step> {
        let scalar = || {
            prop_oneof![
                any::<String>().prop_map(Value::from),
                any::<i64>().prop_map(Value::from),
                any::<f64>().prop_map(Value::from),
                any::<bool>().prop_map(Value::from)
            ]
        };
        prop_oneof![
            any::<String>().prop_map(Step::Field),
            "[a-z]{1,8}".prop_map(Step::Field),
            proptest::collection::vec(("[a-zA-Z]{1,8}", scalar()), 1..3).prop_map(Step::Key),
            scalar().prop_map(Step::Item),
            any::<u32>().prop_map(|n| Step::Index(n as usize)),
        ]
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(steps in proptest::collection::vec(step(), 0..6)) {
            let path = FieldPath::from(steps);
            prop_assert_eq!(FieldPath::parse(&path.to_string()), Ok(path));
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = FieldPath::parse(&text);
        }
    }
}
