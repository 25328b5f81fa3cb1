//! What is shipped with the program: the example, the schema, the tables.

use serde::de::DeserializeOwned;

use super::raw::RawConfig;
use crate::yaml;

/// The commented example that `config example` prints.
pub const EXAMPLE: &str = include_str!("../../config/driftledger.example.yaml");

/// The JSON schema of the configuration, for editors; `config/driftledger.schema.json` is this text.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(RawConfig).to_value()
}

/// Reads a table that is part of the program.
///
/// # Panics
/// If the table does not fit its type; tests read every one of them.
pub fn shipped<T: DeserializeOwned>(text: &'static str) -> T {
    let document = yaml::read_documents(text, &yaml::Limits::default())
        .into_iter()
        .next()
        .expect("a shipped table has a document")
        .expect("a shipped table is YAML");
    assert!(document.notes.is_empty(), "a shipped table has a key twice");
    serde_json::from_value(yaml::to_json(&document.root)).expect("a shipped table fits its type")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `driftledger config schema > config/driftledger.schema.json` brings it up to date.
    #[test]
    fn the_schema_file_is_current() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../config/driftledger.schema.json")).unwrap();
        assert!(file == json_schema(), "config/driftledger.schema.json is not what `driftledger config schema` prints");
    }

    #[test]
    fn the_example_is_valid() {
        let config = super::super::read(EXAMPLE, std::path::Path::new("/etc/driftledger")).unwrap();
        assert!(!config.targets.is_empty());
    }

    #[test]
    fn what_the_example_says_of_messages_is_valid() {
        let (head, of_messages) = EXAMPLE.split_once("\n# receivers:\n").unwrap();
        let of_messages: String =
            of_messages.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap())).collect();
        let config =
            super::super::read(&format!("{head}\nreceivers:\n{of_messages}"), std::path::Path::new("/etc/driftledger"));
        let delivery = config.unwrap().delivery;
        assert_eq!((delivery.receivers.len(), delivery.routes.len(), delivery.summaries.len()), (5, 3, 2));
        assert_eq!(delivery.routes[2].notify, Default::default(), "what it gives as default");
        assert_eq!(delivery.owner_annotation, crate::config::delivery::OWNER_ANNOTATION);
    }
}
