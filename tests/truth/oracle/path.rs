//! Paths as findings write them, built here without the program's own type.

use serde_json::Value;

/// A place in an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// As findings write each step.
    written: Vec<String>,
    /// The field names; `*` for an element.
    fields: Vec<String>,
}

impl Path {
    pub fn field(&self, name: &str) -> Self {
        let identifier = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        self.step(if identifier { format!(".{name}") } else { format!("[{}]", Value::from(name)) }, name)
    }

    pub fn element(&self, keys: &[(&str, Value)]) -> Self {
        let keys: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.step(format!("[{}]", keys.join(",")), "*")
    }

    pub fn item(&self, value: &Value) -> Self {
        self.step(format!("[={value}]"), "*")
    }

    fn step(&self, written: String, field: &str) -> Self {
        let mut path = self.clone();
        path.written.push(written);
        path.fields.push(field.to_owned());
        path
    }

    pub fn fields(&self) -> Vec<&str> {
        self.fields.iter().map(String::as_str).collect()
    }

    pub fn touches(&self, other: &Path) -> bool {
        self.written.iter().zip(&other.written).all(|(a, b)| a == b)
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written.concat())
    }
}
