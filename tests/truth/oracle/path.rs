//! Paths as findings write them, built here without the program's own type.

use serde_json::Value;

/// A place in an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// As findings write each step.
    written: Vec<String>,
    /// The field names; `*` for an element.
    fields: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Element(Vec<(String, Value)>),
    Item(Value),
}

impl Path {
    pub fn field(&self, name: &str) -> Self {
        let identifier = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let written = if identifier { format!(".{name}") } else { format!("[{}]", Value::from(name)) };
        self.step(written, name, Step::Field(name.to_owned()))
    }

    pub fn element(&self, keys: &[(&str, Value)]) -> Self {
        let written: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let keys = keys.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.step(format!("[{}]", written.join(",")), "*", Step::Element(keys))
    }

    pub fn item(&self, value: &Value) -> Self {
        self.step(format!("[={value}]"), "*", Step::Item(value.clone()))
    }

    fn step(&self, written: String, field: &str, step: Step) -> Self {
        let mut path = self.clone();
        path.steps.push(step);
        path.written.push(written);
        path.fields.push(field.to_owned());
        path
    }

    pub fn fields(&self) -> Vec<&str> {
        self.fields.iter().map(String::as_str).collect()
    }

    /// Whether a tree has something at this place.
    pub fn is_in(&self, tree: &Value) -> bool {
        let found = self.steps.iter().try_fold(tree, |at, step| match step {
            Step::Field(name) => at.get(name),
            Step::Element(keys) => at.as_array()?.iter().find(|element| {
                // A key that is not written has its default.
                keys.iter().all(|(name, value)| element.get(name).is_none_or(|found| found == value))
            }),
            Step::Item(item) => at.as_array()?.iter().find(|element| *element == item),
        });
        found.is_some_and(|value| !value.is_null())
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
