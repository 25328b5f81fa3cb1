//! Live objects out of the raw bytes of a page: identity first, a tree only where there is something to compare.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The objects of a page, still text.
#[derive(Deserialize)]
pub struct Page<'a> {
    /// Each a JSON object; kind and apiVersion may be left out.
    #[serde(borrow, default)]
    pub items: Vec<&'a RawValue>,
}

/// What is looked at in every live object, also in those that nothing declares.
#[derive(Deserialize)]
pub struct Head<'a> {
    /// Its metadata, in part.
    #[serde(borrow)]
    pub metadata: HeadMetadata<'a>,
    /// Its spec, still text.
    #[serde(borrow, default)]
    pub spec: Option<&'a RawValue>,
    /// Its status, still text.
    #[serde(borrow, default)]
    pub status: Option<&'a RawValue>,
}

/// See [`Head`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeadMetadata<'a> {
    /// Name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Namespace, where the kind has one.
    #[serde(borrow, default)]
    pub namespace: Option<Cow<'a, str>>,
    /// Counts the changes of the spec, where the kind does so; a number, still text.
    #[serde(borrow, default)]
    pub generation: Option<&'a RawValue>,
    /// When it was made; a time, still text.
    #[serde(borrow, default)]
    pub creation_timestamp: Option<&'a RawValue>,
    /// When it was or is to be gone; a time, still text.
    #[serde(borrow, default)]
    pub deletion_timestamp: Option<&'a RawValue>,
    /// What holds up its deletion; a list, still text.
    #[serde(borrow, default)]
    pub finalizers: Option<&'a RawValue>,
    /// What the name begins with, where the server made it.
    #[serde(borrow, default)]
    pub generate_name: Option<Cow<'a, str>>,
    /// Labels, still text.
    #[serde(borrow, default)]
    pub labels: Option<&'a RawValue>,
    /// What it belongs to, still text.
    #[serde(borrow, default)]
    pub owner_references: Option<&'a RawValue>,
    /// Who wrote what, still text.
    #[serde(borrow, default)]
    pub managed_fields: Option<&'a RawValue>,
}

/// The tree of a live object without its status and managedFields, which are large and never compared.
///
/// # Errors
/// If the text is no JSON object.
pub fn tree(raw: &str) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(raw);
    let map = deserializer.deserialize_map(Without { skip: "status", inside: Some("metadata") })?;
    deserializer.end()?;
    Ok(Value::Object(map))
}

/// Reads a map and leaves out one key; in the map under `inside`, managedFields.
struct Without {
    skip: &'static str,
    inside: Option<&'static str>,
}

impl<'de> Visitor<'de> for Without {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if key == self.skip {
                access.next_value::<IgnoredAny>()?;
            } else if Some(key.as_str()) == self.inside {
                let Metadata(value) = access.next_value()?;
                map.insert(key, value);
            } else {
                map.insert(key, access.next_value()?);
            }
        }
        Ok(map)
    }
}

struct Metadata(Value);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = deserializer.deserialize_map(Without { skip: "managedFields", inside: None })?;
        Ok(Self(Value::Object(map)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_has_neither_status_nor_managed_fields() {
        let raw = r#"{"metadata":{"name":"a","managedFields":[{"x":1}],"labels":{"status":"kept"}},"spec":{"status":1},"status":{"big":[1]}}"#;
        assert_eq!(
            tree(raw).unwrap(),
            json!({"metadata": {"name": "a", "labels": {"status": "kept"}}, "spec": {"status": 1}})
        );
        assert!(tree("[]").is_err());
        assert!(tree("{} x").is_err());
    }

    #[test]
    fn a_page_is_split_without_being_parsed() {
        let page: Page = serde_json::from_str(
            r#"{"metadata":{},"items":[{"metadata":{"name":"a\u0062"}},{"metadata":{"name":"b","namespace":"n"}}]}"#,
        )
        .unwrap();
        let heads: Vec<Head> = page.items.iter().map(|i| serde_json::from_str(i.get()).unwrap()).collect();
        assert_eq!((&*heads[0].metadata.name, heads[0].metadata.namespace.as_deref()), ("ab", None));
        assert_eq!((&*heads[1].metadata.name, heads[1].metadata.namespace.as_deref()), ("b", Some("n")));
    }
}
