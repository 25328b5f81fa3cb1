//! Kubernetes' own kinds, embedded: their schemas for use without a cluster, and what no OpenAPI document says of their Go
//! types (omitempty, pointers). `builtin.json` is made by `tests/cluster/facts` from Kubernetes itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::openapi::{RawSchema, read};
use super::shape::{SchemaRef, Schemas};
use crate::model::discovery::{Discovery, ServedKind, preferred};
use crate::model::moves;
use crate::model::resource::Gvk;

/// What the Go type of a field says, and what the server's defaulting puts there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    pub(super) omit_empty: bool,
    pub(super) pointer: bool,
    pub(super) default: Option<Value>,
}

/// Facts by OpenAPI definition and field.
pub(super) struct Facts(HashMap<String, HashMap<String, Fact>>);

impl Facts {
    pub(super) fn field(&self, definition: &str, field: &str) -> Option<&Fact> {
        self.0.get(definition)?.get(field)
    }
}

#[derive(Deserialize)]
struct File {
    kubernetes: String,
    /// apiVersion, kind, plural, namespaced.
    resources: Vec<(String, String, String, bool)>,
    definitions: BTreeMap<String, RawSchema>,
}

static FILE: LazyLock<File> =
    LazyLock::new(|| serde_json::from_str(include_str!("builtin.json")).expect("a test reads the embedded facts"));

static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    let fact = |raw: &RawSchema| {
        let flags = raw.go.as_deref()?;
        let default = raw.default.clone();
        Some(Fact { omit_empty: flags.contains('o') || flags.contains('z'), pointer: flags.contains('p'), default })
    };
    Facts(
        FILE.definitions
            .iter()
            .map(|(name, definition)| {
                let fields = definition.properties.iter().filter_map(|(field, raw)| Some((field.clone(), fact(raw)?)));
                (name.clone(), fields.collect())
            })
            .collect(),
    )
});

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| Schemas::from_document(read(&FILE.definitions)));

pub(super) fn facts() -> &'static Facts {
    &FACTS
}

/// The schemas of Kubernetes' own kinds at the release they were taken from.
pub fn builtin_schemas() -> &'static Schemas {
    &SCHEMAS
}

impl Schemas {
    /// The schema of a kind at a version; where this set has none, the embedded one, if it is Kubernetes' own.
    pub fn kind_or_builtin(&self, gvk: &Gvk) -> Option<SchemaRef<'_>> {
        self.kind(gvk).or_else(|| builtin_schemas().kind(gvk))
    }

    /// For comparing declarations of one object with each other: where nothing is known of a version, what is known of another one of the
    /// kind, under the group that it has now.
    pub fn kind_at_any_version(&self, gvk: &Gvk) -> Option<SchemaRef<'_>> {
        self.kind_or_builtin(gvk).or_else(|| {
            let kind = moves::kind_now(&gvk.group_kind());
            let version = preferred(builtin_discovery().versions_of(&kind))?.gvk.clone();
            builtin_schemas().kind(&version)
        })
    }
}

/// The metadata that every kind has.
pub fn object_meta() -> Option<SchemaRef<'static>> {
    builtin_schemas().kind(&Gvk::new("v1", "ConfigMap"))?.child("metadata")
}

/// Kubernetes' own kinds, as far as they are known without a cluster: not whole, so that nothing is called unserved.
pub fn builtin_discovery() -> Discovery {
    let mut discovery = Discovery::default();
    for (api_version, kind, plural, namespaced) in &FILE.resources {
        discovery.insert(ServedKind {
            gvk: Gvk::new(api_version, kind.as_str()),
            plural: plural.clone(),
            namespaced: *namespaced,
            listable: true,
        });
    }
    discovery
}

/// The Kubernetes release of the embedded facts, `v1.35.0`.
pub fn builtin_version() -> &'static str {
    &FILE.kubernetes
}

#[cfg(test)]
mod tests {
    use super::super::derived::{OBSERVED, derived};
    use super::*;

    #[test]
    fn every_default_that_varies_is_in_the_table() {
        let mut unknown = Vec::new();
        for (definition, raw) in &FILE.definitions {
            for (field, raw) in &raw.properties {
                let varies = raw.go.as_deref().is_some_and(|flags| flags.contains('d'));
                let observed = OBSERVED.iter().any(|(name, known)| definition.ends_with(name) && known == field);
                if varies && !observed && derived(definition, field).is_none() {
                    unknown.push(format!("{definition} {field}"));
                }
            }
        }
        assert_eq!(unknown, [""; 0]);
        let marked = FILE.definitions.values().flat_map(|raw| raw.properties.values());
        assert!(marked.filter(|raw| raw.go.as_deref().is_some_and(|flags| flags.contains('d'))).count() > 20);
    }
}
