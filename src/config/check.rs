//! Checks YAML nodes against the JSON schema that the raw types give: types, unknown keys, missing keys, allowed words.
//!
//! Covers what schemars writes for our types and nothing more; a test holds every keyword of the schema against the list here.

use serde_json::Value as Json;

use super::problem::Problem;
use crate::yaml::{Node, Value};

/// The keywords this check knows; annotations among them say nothing about validity.
#[cfg(test)]
const KNOWN: &[&str] = &[
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "format",
    "items",
    "maximum",
    "minimum",
    "oneOf",
    "properties",
    "required",
    "title",
    "type",
];

/// Every problem of a node under a schema, in the order of the file.
pub(super) fn check(node: &Node, schema: &Json) -> Vec<Problem> {
    let mut check = Check { root: schema, problems: Vec::new() };
    check.node(node, schema, "");
    check.problems.sort_by_key(|problem| problem.place);
    check.problems
}

struct Check<'a> {
    root: &'a Json,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    fn node(&mut self, node: &Node, schema: &'a Json, key: &str) {
        let schema = self.resolve(schema);
        let choices = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Json::as_array);
        if let Some(choices) = choices {
            return self.choice(node, choices, key);
        }
        if let Some(allowed) = schema.get("const") {
            if crate::yaml::to_json(node) != *allowed {
                self.problem(node, key, format!("must be {allowed}"));
            }
            return;
        }
        let types = types_of(schema);
        if !types.is_empty() && !types.iter().any(|t| is_type(node, t)) {
            let found = type_name(&node.value);
            return self.problem(
                node,
                key,
                format!("must be {}, not {found}", types.iter().map(|t| article(t)).collect::<Vec<_>>().join(" or ")),
            );
        }
        if let (Some(words), Value::String(text)) = (schema.get("enum").and_then(Json::as_array), &node.value) {
            self.word(node, key, text, words.iter().filter_map(Json::as_str));
        }
        if let (Some(minimum), Some(number)) = (schema.get("minimum").and_then(Json::as_f64), node.as_f64())
            && number < minimum
        {
            self.problem(node, key, format!("must be at least {minimum}"));
        }
        if let (Some(maximum), Some(number)) = (schema.get("maximum").and_then(Json::as_f64), node.as_f64())
            && number > maximum
        {
            self.problem(node, key, format!("must be at most {maximum}"));
        }
        if let (Value::Seq(items), Some(schema)) = (&node.value, schema.get("items")) {
            for (n, item) in items.iter().enumerate() {
                self.node(item, schema, &format!("{key}[{n}]"));
            }
        }
        if let Value::Map(_) = &node.value {
            self.map(node, schema, key);
        }
    }

    fn map(&mut self, node: &Node, schema: &'a Json, key: &str) {
        let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
            return;
        };
        let dot = if key.is_empty() { "" } else { "." };
        for entry in node.as_map().unwrap_or_default() {
            match properties.get(&entry.key) {
                Some(schema) => self.node(&entry.value, schema, &format!("{key}{dot}{}", entry.key)),
                None => {
                    let near = nearest(&entry.key, properties.keys().map(String::as_str));
                    let hint = near.map_or_else(
                        || format!("; known keys: {}", properties.keys().cloned().collect::<Vec<_>>().join(", ")),
                        |near| format!("; did you mean `{near}`?"),
                    );
                    self.problems.push(Problem::new(
                        entry.key_place,
                        format!("{key}{dot}{}", entry.key),
                        format!("unknown key{hint}"),
                    ));
                }
            }
        }
        for required in schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
            if node.get(required).is_none() {
                self.problem(node, key, format!("`{required}` is missing"));
            }
        }
    }

    /// One of several schemas must fit. If none does, the one of the right type is the one that was meant.
    fn choice(&mut self, node: &Node, choices: &'a [Json], key: &str) {
        let words: Vec<&str> = choices.iter().filter_map(|c| c.get("const").and_then(Json::as_str)).collect();
        if words.len() == choices.len() {
            return match &node.value {
                Value::String(text) => self.word(node, key, text, words.into_iter()),
                other => {
                    self.problem(node, key, format!("must be one of {}, not {}", words.join(", "), type_name(other)))
                }
            };
        }
        let mut best: Option<Vec<Problem>> = None;
        for choice in choices {
            let mut attempt = Check { root: self.root, problems: Vec::new() };
            attempt.node(node, choice, key);
            if attempt.problems.is_empty() {
                return;
            }
            let fits = types_of(self.resolve(choice)).iter().any(|t| is_type(node, t));
            if fits || best.is_none() {
                best = Some(attempt.problems);
            }
        }
        self.problems.extend(best.unwrap_or_default());
    }

    fn word<'w>(&mut self, node: &Node, key: &str, text: &str, words: impl Iterator<Item = &'w str> + Clone) {
        if !words.clone().any(|word| word == text) {
            let hint = nearest(text, words.clone()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            self.problem(node, key, format!("must be one of {}{hint}", words.collect::<Vec<_>>().join(", ")));
        }
    }

    fn problem(&mut self, node: &Node, key: &str, message: String) {
        self.problems.push(Problem::new(node.place, key, message));
    }

    fn resolve(&self, schema: &'a Json) -> &'a Json {
        let name = schema.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix("#/$defs/"));
        name.and_then(|name| self.root.get("$defs")?.get(name)).unwrap_or(schema)
    }
}

/// The nearest of the known words, if one is near enough to have been meant.
pub(super) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    known
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

fn types_of(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_type(node: &Node, name: &str) -> bool {
    match &node.value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Int(_) => matches!(name, "integer" | "number"),
        Value::Float(_) => name == "number",
        Value::String(_) => name == "string",
        Value::Seq(_) => name == "array",
        Value::Map(_) => name == "object",
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean (quote it if text is meant)",
        Value::Int(_) | Value::Float(_) => "a number (quote it if text is meant)",
        Value::String(_) => "text",
        Value::Seq(_) => "a list",
        Value::Map(_) => "a mapping",
    }
}

fn article(name: &str) -> &'static str {
    match name {
        "null" => "nothing",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "text",
        "array" => "a list",
        _ => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(schema: &Json, found: &mut Vec<String>) {
        match schema {
            Json::Object(map) => {
                for (key, value) in map {
                    found.push(key.clone());
                    match key.as_str() {
                        "properties" | "$defs" => {
                            value.as_object().into_iter().flat_map(|m| m.values()).for_each(|v| keywords(v, found))
                        }
                        "default" | "const" | "enum" | "required" | "description" => {}
                        _ => keywords(value, found),
                    }
                }
            }
            Json::Array(items) => items.iter().for_each(|item| keywords(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_keyword_of_the_schema_is_known_here() {
        let mut found = Vec::new();
        keywords(&super::super::json_schema(), &mut found);
        found.retain(|key| !KNOWN.contains(&key.as_str()));
        assert_eq!(found, [""; 0]);
    }
}
