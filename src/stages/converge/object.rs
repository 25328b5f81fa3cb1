//! The few fields of a live object that its convergence is read from. Spec and status stay text until a family of kinds asks for its
//! own part of them; no tree is ever made.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

use crate::model::time::Timestamp;

/// A live object.
#[derive(Deserialize)]
pub struct Object<'a> {
    /// Its metadata, in part.
    #[serde(borrow)]
    pub metadata: Metadata<'a>,
    #[serde(borrow, default)]
    spec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
}

/// See [`Object`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata<'a> {
    /// Counts the changes of the spec, where the kind does so.
    #[serde(default)]
    pub generation: Option<i64>,
    /// When it was made.
    #[serde(default, deserialize_with = "time")]
    pub creation_timestamp: Option<Timestamp>,
    /// When it was or is to be gone.
    #[serde(default, deserialize_with = "time")]
    pub deletion_timestamp: Option<Timestamp>,
    /// What holds up its deletion.
    #[serde(default)]
    pub finalizers: Option<Vec<String>>,
    #[serde(borrow, default)]
    managed_fields: Option<&'a RawValue>,
}

/// A condition, as most kinds write them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// What it is about.
    #[serde(deserialize_with = "or_default")]
    pub r#type: String,
    /// `True`, `False` or `Unknown`; empty where the kind's conditions have none.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// One word.
    #[serde(deserialize_with = "or_default")]
    pub reason: String,
    /// For people.
    #[serde(deserialize_with = "or_default")]
    pub message: String,
    /// When its status last changed.
    #[serde(deserialize_with = "time")]
    pub last_transition_time: Option<Timestamp>,
    /// When it was last written, where the kind says so.
    #[serde(deserialize_with = "time")]
    pub last_update_time: Option<Timestamp>,
}

impl Condition {
    /// Whether it is of this type and has this status.
    pub fn is(&self, r#type: &str, status: &str) -> bool {
        self.r#type == r#type && self.status == status
    }
}

/// What the status of every kind is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CommonStatus {
    /// The generation that the controller last acted on.
    pub observed_generation: Option<i64>,
    /// Conditions, in the object's order.
    #[serde(deserialize_with = "or_default")]
    pub conditions: Vec<Condition>,
}

/// The object does not have the form that its kind should have.
#[derive(Debug, thiserror::Error)]
#[error("not in the form of its kind")]
pub struct Unreadable(#[from] serde_json::Error);

impl Object<'_> {
    /// A part of its spec; the default where it has none.
    ///
    /// # Errors
    /// A field is of another type.
    pub fn spec<T: DeserializeOwned + Default>(&self) -> Result<T, Unreadable> {
        part(self.spec)
    }

    /// A part of its status; the default where it has none.
    ///
    /// # Errors
    /// A field is of another type.
    pub fn status<T: DeserializeOwned + Default>(&self) -> Result<T, Unreadable> {
        part(self.status)
    }

    /// When anybody last wrote to it, as managedFields have it; with `spec_only`, through anything but its status.
    pub fn last_write(&self, spec_only: bool) -> Option<Timestamp> {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(default, deserialize_with = "time")]
            time: Option<Timestamp>,
            #[serde(default)]
            subresource: Option<String>,
        }
        let entries: Vec<Entry> = serde_json::from_str(self.metadata.managed_fields?.get()).ok()?;
        let counts = |entry: &&Entry| !spec_only || entry.subresource.as_deref() != Some("status");
        entries.iter().filter(counts).filter_map(|entry| entry.time).max()
    }
}

fn part<T: DeserializeOwned + Default>(raw: Option<&RawValue>) -> Result<T, Unreadable> {
    raw.map_or_else(|| Ok(T::default()), |raw| Ok(serde_json::from_str(raw.get())?))
}

/// `null` stands for the default, as the API server reads it.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A time that is not one is none: conditions of custom resources hold all kinds of things.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(Timestamp::parse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_write_is_told_by_managed_fields() {
        let text = r#"{"metadata": {"name": "a", "managedFields": [
            {"manager": "x", "time": "2026-03-02T10:00:00Z", "fieldsV1": {"f:spec": {}}},
            {"manager": "y", "time": "2026-03-02T12:00:00Z", "subresource": "status"},
            {"manager": "z"}]}}"#;
        let object: Object<'_> = serde_json::from_str(text).unwrap();
        let at = |text: &str| Timestamp::parse(text);
        assert_eq!(object.last_write(false), at("2026-03-02T12:00:00Z"));
        assert_eq!(object.last_write(true), at("2026-03-02T10:00:00Z"));
        let bare: Object<'_> = serde_json::from_str(r#"{"metadata": {}}"#).unwrap();
        assert_eq!(bare.last_write(false), None);
    }
}
