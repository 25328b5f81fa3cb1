//! Writes objects down as people do: YAML in block and flow style, 1.1 spellings of scalars, folded texts, comments, JSON, several
//! documents in a file, `kind: List`. What is written always reads back as the same value.

use serde_json::{Map, Value};

use crate::random::Random;

/// Files, by name, that together hold the objects.
pub fn files(objects: &[&Value], random: &mut Random) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut rest = objects;
    while !rest.is_empty() {
        let (now, later) = rest.split_at((1 + random.below(4)).min(rest.len()));
        rest = later;
        let number = files.len();
        files.push(match random.below(8) {
            0 if now.len() > 1 => (format!("{number:02}-list.yaml"), yaml(&list(now), random)),
            1 => {
                let value = if let [only] = now { (*only).clone() } else { list(now) };
                let text = if random.chance(50) {
                    serde_json::to_string_pretty(&value)
                } else {
                    serde_json::to_string(&value)
                };
                (format!("{number:02}-all.json"), text.expect("JSON"))
            }
            n => {
                let mut text = if n < 5 { "---\n".to_owned() } else { "# kept by hand\n".to_owned() };
                let documents: Vec<String> = now.iter().map(|object| yaml(object, random)).collect();
                text.push_str(&documents.join(random.one_of(&["---\n", "---\n# nothing here\n---\n", "--- # next\n"])));
                (format!("{number:02}-many.yaml"), text)
            }
        });
    }
    files
}

fn list(objects: &[&Value]) -> Value {
    let items: Vec<Value> = objects.iter().map(|object| (*object).clone()).collect();
    serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// One YAML document, with a line break at its end.
pub fn yaml(value: &Value, random: &mut Random) -> String {
    let mut writer = Writer { random, text: String::new() };
    writer.block(value, 0);
    writer.text
}

struct Writer<'a> {
    random: &'a mut Random,
    text: String,
}

impl Writer<'_> {
    /// A value that starts at the beginning of a line.
    fn block(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for key in self.ordered(map) {
                    self.pad(indent);
                    let quoted = self.key(&key);
                    self.text.push_str(&quoted);
                    self.text.push(':');
                    self.after_colon(&map[&key], indent);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    self.pad(indent);
                    self.text.push('-');
                    match item {
                        Value::Object(map) if !map.is_empty() && !self.random.chance(25) => {
                            // The first key stands behind the dash.
                            let at = self.text.len();
                            self.block(item, indent + 2);
                            let written = self.text.split_off(at);
                            self.text.push(' ');
                            self.text.push_str(written.trim_start_matches(' '));
                        }
                        _ => self.on_line(item, indent),
                    }
                }
            }
            _ => {
                self.pad(indent);
                self.flow(value);
                self.text.push('\n');
            }
        }
    }

    fn after_colon(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !(map.is_empty() || map.len() < 4 && self.random.chance(25)) => {
                self.line_end();
                self.block(value, indent + 2);
            }
            Value::Array(items) if !items.is_empty() && !self.random.chance(25) => {
                self.line_end();
                // Both depths are common.
                let deeper = if self.random.chance(50) { 2 } else { 0 };
                self.block(value, indent + deeper);
            }
            Value::String(text) if text.contains('\n') && literal(text) => self.literal(text, indent + 2),
            _ => self.on_line(value, indent),
        }
    }

    fn on_line(&mut self, value: &Value, _indent: usize) {
        if value.is_null() && self.random.chance(40) {
            // An empty value is null.
            self.text.push('\n');
            return;
        }
        self.text.push(' ');
        self.flow(value);
        self.line_end();
    }

    fn line_end(&mut self) {
        if self.random.chance(4) {
            self.text.push_str(" # as agreed");
        }
        self.text.push('\n');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.text.push_str(if text.ends_with('\n') { " |\n" } else { " |-\n" });
        for line in text.trim_end_matches('\n').split('\n') {
            if !line.is_empty() {
                self.pad(indent);
                self.text.push_str(line);
            }
            self.text.push('\n');
        }
    }

    fn flow(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                self.text.push('{');
                for (n, key) in self.ordered(map).into_iter().enumerate() {
                    self.text.push_str(if n == 0 { "" } else { ", " });
                    let quoted = self.key(&key);
                    self.text.push_str(&quoted);
                    self.text.push_str(": ");
                    self.flow(&map[&key]);
                }
                self.text.push('}');
            }
            Value::Array(items) => {
                self.text.push('[');
                for (n, item) in items.iter().enumerate() {
                    self.text.push_str(if n == 0 { "" } else { ", " });
                    self.flow(item);
                }
                self.text.push(']');
            }
            Value::Null => {
                let written = *self.random.pick(&["null", "~", "Null"]);
                self.text.push_str(written);
            }
            Value::Bool(yes) => {
                let spellings =
                    if *yes { ["true", "true", "yes", "on", "True"] } else { ["false", "false", "no", "off", "FALSE"] };
                let written = *self.random.pick(&spellings);
                self.text.push_str(written);
            }
            Value::Number(number) => {
                let written = match number.as_u64() {
                    Some(n) if n > 7 && self.random.chance(15) => format!("0{n:o}"),
                    Some(n) if self.random.chance(5) => format!("0x{n:x}"),
                    _ => number.to_string(),
                };
                self.text.push_str(&written);
            }
            Value::String(text) => {
                let written = self.string(text);
                self.text.push_str(&written);
            }
        }
    }

    fn string(&mut self, text: &str) -> String {
        if plain(text) && self.random.chance(70) {
            text.to_owned()
        } else if !text.contains(['\n', '\t', '\r']) && self.random.chance(50) {
            format!("'{}'", text.replace('\'', "''"))
        } else {
            Value::from(text).to_string()
        }
    }

    fn key(&mut self, key: &str) -> String {
        if plain(key) { key.to_owned() } else { Value::from(key).to_string() }
    }

    fn pad(&mut self, indent: usize) {
        self.text.extend(std::iter::repeat_n(' ', indent));
    }

    /// Most people start with apiVersion, kind and metadata; some tools sort; some people do neither.
    fn ordered(&mut self, map: &Map<String, Value>) -> Vec<String> {
        let mut keys: Vec<String> = map.keys().cloned().collect();
        match self.random.below(4) {
            0 => keys.sort(),
            1 => self.random.shuffle(&mut keys),
            _ => keys
                .sort_by_key(|k| ["apiVersion", "kind", "metadata", "name"].iter().position(|f| f == k).unwrap_or(9)),
        }
        keys
    }
}

/// Whether a text may stand without quotes and is still a text to a reader of YAML 1.1.
fn plain(text: &str) -> bool {
    let spelt = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    !text.is_empty()
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !spelt.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether a text can be a literal block whose lines and end are kept.
fn literal(text: &str) -> bool {
    !text.starts_with([' ', '\n', '\t'])
        && !text.ends_with("\n\n")
        && !text.contains(['\r', '\t'])
        && text.lines().all(|line| !line.ends_with(' ') && line.chars().all(|c| !c.is_control()))
        && !text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use driftledger::yaml;

    use super::*;

    #[test]
    fn what_is_written_reads_back_as_the_same_value() {
        let value = serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"on": "yes", "n": "0x1f", "e": ""}},
            "data": {"text": "a: b\n  c\n\nd\n", "last": "x\ny", "quote": "it's \"so\"", "spaces": "a \nb", "time": "2024-01-01"},
            "list": [1, -2, 0, 8, 420, 1.5, true, false, null, [], {}, [[1], {"a": [{"b": 1}]}], {"x": {"y": null}}],
        });
        for seed in 0..300 {
            let text = yaml(&value, &mut Random::new(seed));
            let documents = yaml::read_documents(&text, &yaml::Limits::default());
            let read: Vec<Value> = documents
                .into_iter()
                .map(|d| yaml::to_json(&d.unwrap_or_else(|e| panic!("{e:?}\n{text}")).root))
                .collect();
            assert_eq!(read, std::slice::from_ref(&value), "seed {seed}\n{text}");
        }
    }
}
