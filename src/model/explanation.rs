//! Why an object is in sync or not, field by field. Its serialised form is `driftledger/explain/v1`; fields are only ever added.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::attribution::{Actor, Origin};
use super::field_path::FieldPath;
use super::finding::Code;
use super::resource::ObjectId;

/// The value of `schema` in the JSON of `explain`.
pub const EXPLAIN_SCHEMA: &str = "driftledger/explain/v1";

/// One field and what was decided about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedField {
    /// Where.
    pub path: FieldPath,
    /// Git's value, redacted; `None` where Git does not declare the field.
    pub declared: Option<Value>,
    /// The live value, redacted; `None` where there is none.
    pub live: Option<Value>,
    /// The finding that it is, if it is one.
    pub finding: Option<Code>,
    /// Why, in words.
    pub why: String,
    /// What the schema says of the place: `integer, default 1`, `list by name`; `None` without a schema.
    pub schema: Option<String>,
    /// Who wrote the live value, newest first.
    pub writers: Vec<Actor>,
}

/// An object, explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// [`EXPLAIN_SCHEMA`].
    pub schema: String,
    /// The object.
    pub object: ObjectId,
    /// The version at which it is declared and was read.
    pub api_version: String,
    /// Where it is declared.
    pub origin: Origin,
    /// In the order of the comparison.
    pub fields: Vec<ExplainedField>,
    /// Rules that changed either side as a whole, and how often: bookkeeping taken off, a status left out.
    pub applied: BTreeMap<String, u64>,
    /// How the verdict was reached.
    pub method: String,
}

impl Explanation {
    /// The fields that are findings.
    pub fn findings(&self) -> usize {
        self.fields.iter().filter(|field| field.finding.is_some()).count()
    }
}
