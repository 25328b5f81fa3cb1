//! The room against frozen readings of `kubectl annotate --local -o json` (1.32) and of the Go
//! packages it uses.

mod alias_files;
mod hostile;
mod json_files;
mod keys;
mod layout_files;
mod places;
mod plain_scalars;
mod properties;
mod refused;
mod split_files;
mod styled_values;

use super::{Limits, read_documents, to_json};

/// Each document as JSON, or `error`.
fn read(text: &str) -> Vec<String> {
    read_documents(text, &Limits::default())
        .iter()
        .map(|read| match read {
            Ok(document) => to_json(&document.root).to_string(),
            Err(_) => "error".to_owned(),
        })
        .collect()
}

/// The same JSON in one spelling; numbers that are equal are the same.
fn plain(json: &str) -> serde_json::Value {
    fn floats(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Number(number) => number.as_f64().into(),
            serde_json::Value::Array(items) => items.into_iter().map(floats).collect(),
            serde_json::Value::Object(map) => map.into_iter().map(|(key, value)| (key, floats(value))).collect(),
            other => other,
        }
    }
    if json == "error" {
        return "an error".into();
    }
    floats(serde_json::from_str(json).expect("a table holds JSON"))
}

#[test]
fn scalars_mean_what_they_mean_to_kubectl() {
    for (written, expected) in plain_scalars::CASES.iter().chain(styled_values::CASES) {
        let read = read(&format!("a: {written}\n"));
        let expected = if *expected == "error" { plain("error") } else { plain(&format!("{{\"a\":{expected}}}")) };
        let found: Vec<_> = read.iter().map(|json| plain(json)).collect();
        assert_eq!(found, [expected], "{written:?}");
    }
}

#[test]
fn keys_are_the_text_kubectl_makes_of_them() {
    for (written, expected) in keys::CASES {
        let text = format!("x:\n  {written}: v\n");
        let read = read_documents(&text, &Limits::default());
        let found = read[0].as_ref().ok().map(|document| {
            let entries = document.root.get("x").and_then(|node| node.as_map());
            entries.map(|entries| entries[0].key.as_str())
        });
        assert_eq!(found.flatten(), *expected, "{written:?}");
        assert_eq!(found.is_some(), expected.is_some(), "{written:?}");
    }
}

#[test]
fn files_hold_the_documents_kubectl_finds() {
    let files = [alias_files::CASES, json_files::CASES, layout_files::CASES, split_files::CASES];
    for (name, text, expected) in files.concat() {
        let found: Vec<_> = read(text).iter().map(|json| plain(json)).collect();
        let expected: Vec<_> = expected.iter().map(|json| plain(json)).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn what_is_not_read_as_kubectl_reads_it_is_an_error() {
    for (name, text) in refused::CASES {
        assert!(read(text).contains(&"error".to_owned()), "{name}");
    }
}
