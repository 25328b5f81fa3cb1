//! A live object, each field with what is behind it. Its serialised form is `driftledger/blame/v1`; fields are only ever added.

use serde::Serialize;
use serde_json::Value;

use super::attribution::{Actor, DeclaredBy, LiveMatch, Origin};
use super::field_path::FieldPath;
use super::finding::Code;
use super::resource::ObjectId;

/// The value of `schema` in the JSON of `blame`.
pub const BLAME_SCHEMA: &str = "driftledger/blame/v1";

/// One field and what is behind it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlamedField {
    /// Where.
    pub path: FieldPath,
    /// Git's value, redacted; `None` where Git does not declare the field.
    pub declared: Option<Value>,
    /// The live value, redacted; `None` where there is none.
    pub live: Option<Value>,
    /// One-based line in its file, of a declared field.
    pub line: Option<u32>,
    /// The file that the line is in, where that is another than the object's: what is rendered stems from several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The commit that gave the field its declared value, or gave it up; `None` where none is known.
    pub declared_by: Option<DeclaredBy>,
    /// Where in Git the live value is found, if it differs.
    pub live_matches: Option<LiveMatch>,
    /// Who wrote the live value, newest first.
    pub actors: Vec<Actor>,
    /// The finding that it is, if it is one.
    pub finding: Option<Code>,
}

/// An object with what is behind its fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blame {
    /// The object.
    #[serde(flatten)]
    pub object: ObjectId,
    /// The version at which it is declared and was read.
    pub api_version: String,
    /// Where it is declared.
    pub origin: Origin,
    /// The commit that gave the object as a whole its present content.
    pub declared_by: Option<DeclaredBy>,
    /// In the order of the comparison.
    pub fields: Vec<BlamedField>,
    /// Whether the object's history at hand reaches back to its beginning.
    pub whole_history: bool,
    /// How the verdict was reached.
    pub method: String,
}

impl Blame {
    /// The fields that are findings.
    pub fn findings(&self) -> usize {
        self.fields.iter().filter(|field| field.finding.is_some()).count()
    }
}
