//! Ignore rules as written. The documentation of these fields is the documentation in the JSON schema.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::actors::Operation;

/// An ignore rule: which objects, what inside them, and why. It selects an object if everything fits that it names; without
/// `jsonPointers`, `paths`, `jq` and `managers` it ignores every finding on the object.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawIgnoreRule {
    /// What reports call the rule. Default: its position, as `ignore[0]`.
    pub id: Option<String>,
    /// Why these differences are accepted. Reports show it.
    pub reason: String,
    /// The last day (UTC) on which the rule works, as `2026-12-31`. After it the rule ignores nothing and reports say so.
    pub expires: Option<String>,
    /// `Kind`, or `Kind.group`; `*` stands for any text. Without a point any group fits.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// API groups; `*` stands for any text, and the empty text for the core group.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Namespaces; `*` stands for any text. Cluster-scoped objects have none and are not selected.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Names of objects; `*` stands for any text.
    #[serde(default)]
    pub names: Vec<String>,
    /// A label selector as `kubectl` takes it: `app=web,tier!=cache,env in (a,b)`. For the labels that Git declares; for the live ones
    /// where nothing is declared.
    pub labels: Option<String>,
    /// Names of targets; `*` stands for any text.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Names of clusters; `*` stands for any text.
    #[serde(default)]
    pub clusters: Vec<String>,
    /// Only findings with these codes: `DL001`…
    #[serde(default)]
    pub codes: Vec<String>,
    /// Places as JSON pointers (RFC 6901), as `/spec/replicas` or `/metadata/annotations/example.com~1note`; `*` stands for any one key
    /// or position. What is below a place is ignored too.
    #[serde(default)]
    pub json_pointers: Vec<String>,
    /// Places as field paths, as `.spec.template.spec.containers[name="api"].image`; `["*"]` stands for any one field or element.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Places as jq expressions, as `.spec.containers[] | select(.name == "proxy")`.
    #[serde(default)]
    pub jq: Vec<String>,
    /// Only what these writers wrote last: a field manager's name (`*` stands for any text), or a mapping with more. Together with places:
    /// only there.
    #[serde(default)]
    pub managers: Vec<RawWriter>,
}

/// A writer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawWriter {
    /// The field manager's name; `*` stands for any text.
    Manager(String),
    /// The name and more.
    Full(RawWriterFull),
}

/// A writer, with more than its name.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawWriterFull {
    /// The field manager's name; `*` stands for any text.
    pub manager: String,
    /// `Apply` or `Update`; left out: both.
    pub operation: Option<Operation>,
    /// `scale`, `status`…; left out: any.
    pub subresource: Option<String>,
}

/// What is taken over from Argo CD.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawArgoCd {
    /// Whether `ignoreDifferences` of the Applications and ApplicationSets that the targets declare work as ignore rules. Default true.
    pub ignore_differences: Option<bool>,
}
