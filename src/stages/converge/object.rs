//! The few fields of a live object that its convergence is read from. Spec and status stay text until a family of kinds asks for its
//! own part of them; no tree is ever made.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::value::RawValue;

use crate::model::time::Timestamp;
use crate::stages::live::Head;

/// A live object.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    generation: Option<&'a RawValue>,
    creation_timestamp: Option<&'a RawValue>,
    deletion_timestamp: Option<&'a RawValue>,
    finalizers: Option<&'a RawValue>,
    managed_fields: Option<&'a RawValue>,
    spec: Option<&'a RawValue>,
    status: Option<&'a RawValue>,
}

impl<'a> From<&Head<'a>> for Object<'a> {
    fn from(head: &Head<'a>) -> Self {
        let metadata = &head.metadata;
        Self {
            generation: metadata.generation,
            creation_timestamp: metadata.creation_timestamp,
            deletion_timestamp: metadata.deletion_timestamp,
            finalizers: metadata.finalizers,
            managed_fields: metadata.managed_fields,
            spec: head.spec,
            status: head.status,
        }
    }
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
pub struct Unreadable;

impl From<serde_json::Error> for Unreadable {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

impl Object<'_> {
    /// Counts the changes of the spec, where the kind does so.
    ///
    /// # Errors
    /// It is no number.
    pub fn generation(&self) -> Result<Option<i64>, Unreadable> {
        part(self.generation)
    }

    /// When it was made.
    pub fn created(&self) -> Option<Timestamp> {
        time_of(self.creation_timestamp)
    }

    /// When it was or is to be gone.
    pub fn deleted(&self) -> Option<Timestamp> {
        time_of(self.deletion_timestamp)
    }

    /// What holds up its deletion.
    pub fn finalizers(&self) -> Vec<String> {
        part(self.finalizers).unwrap_or_default()
    }

    /// A part of its spec; the default where it has none.
    ///
    /// # Errors
    /// A field is of another type.
    pub fn spec<T: DeserializeOwned + Default>(&self) -> Result<T, Unreadable> {
        map(self.spec)
    }

    /// A part of its status; the default where it has none.
    ///
    /// # Errors
    /// A field is of another type.
    pub fn status<T: DeserializeOwned + Default>(&self) -> Result<T, Unreadable> {
        map(self.status)
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
        let entries: Vec<Entry> = serde_json::from_str(self.managed_fields?.get()).ok()?;
        let counts = |entry: &&Entry| !spec_only || entry.subresource.as_deref() != Some("status");
        entries.iter().filter(counts).filter_map(|entry| entry.time).max()
    }
}

/// A struct's fields by name; serde would also take a list for one.
fn map<T: DeserializeOwned + Default>(raw: Option<&RawValue>) -> Result<T, Unreadable> {
    match raw {
        Some(raw) if !raw.get().starts_with('{') => Err(Unreadable),
        raw => part(raw),
    }
}

fn part<T: DeserializeOwned + Default>(raw: Option<&RawValue>) -> Result<T, Unreadable> {
    raw.map_or_else(|| Ok(T::default()), |raw| Ok(serde_json::from_str(raw.get())?))
}

fn time_of(raw: Option<&RawValue>) -> Option<Timestamp> {
    part::<Option<String>>(raw).ok().flatten().as_deref().and_then(Timestamp::parse)
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
        let head: Head<'_> = serde_json::from_str(text).unwrap();
        let object = Object::from(&head);
        let at = |text: &str| Timestamp::parse(text);
        assert_eq!(object.last_write(false), at("2026-03-02T12:00:00Z"));
        assert_eq!(object.last_write(true), at("2026-03-02T10:00:00Z"));
        let bare: Head<'_> = serde_json::from_str(r#"{"metadata": {"name": "a"}}"#).unwrap();
        assert_eq!(Object::from(&bare).last_write(false), None);
    }
}
