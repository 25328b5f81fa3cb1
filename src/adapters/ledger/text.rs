//! Values as the columns hold them: words and JSON by their serialised names, times in RFC 3339.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::Fault;
use crate::model::time::Timestamp;

/// The written form of a closed set's value.
pub(super) fn word(value: impl Serialize) -> Result<String, Fault> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Ok(word),
        _ => Err(Fault::Refused("a value that is not a word".into())),
    }
}

/// Reads a word back; `what` and `row` say where it stood.
pub(super) fn read_word<T: DeserializeOwned>(word: String, what: &str, row: i64) -> Result<T, Fault> {
    serde_json::from_value(Value::String(word)).map_err(|error| Fault::unreadable(what, row, error))
}

/// Compact JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::Refused(format!("a value that is not JSON: {error}")))
}

/// Reads JSON back; `what` and `row` say where it stood.
pub(super) fn read_json<T: DeserializeOwned>(text: &str, what: &str, row: i64) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::unreadable(what, row, error))
}

/// Reads a time back.
pub(super) fn read_time(text: &str, what: &str, row: i64) -> Result<Timestamp, Fault> {
    Timestamp::parse(text).ok_or_else(|| Fault::unreadable(what, row, "not an RFC 3339 time"))
}
