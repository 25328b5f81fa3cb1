//! Reads OpenAPI v3 documents as API servers serve them under `/openapi/v3`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::builtin::facts;
use super::derived::derived;
use super::shape::{Document, Field, ListKind, NodeId, Scalar, Schemas, Shape};
use crate::model::resource::{GroupVersion, Gvk};

/// A document that is not OpenAPI v3.
#[derive(Debug, thiserror::Error)]
#[error("the schema document is not OpenAPI v3 JSON")]
pub struct SchemaError(#[from] serde_json::Error);

impl Schemas {
    /// Reads one OpenAPI v3 document; its `x-kubernetes-group-version-kind` marks tell which kinds it has.
    ///
    /// # Errors
    /// If the bytes are no OpenAPI v3 JSON.
    pub fn from_openapi_v3(bytes: &[u8]) -> Result<Self, SchemaError> {
        let file: OpenApi = serde_json::from_slice(bytes)?;
        let mut schemas = Self::default();
        schemas.insert(read(&file.components.schemas));
        Ok(schemas)
    }

    /// The schemas of every version of a CustomResourceDefinition; versions without a structural schema are left out.
    pub fn of_definition(definition: &Value) -> Self {
        let mut schemas = Self::default();
        let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str);
        let (Some(group), Some(kind)) = (text("/spec/group"), text("/spec/names/kind")) else { return schemas };
        for version in definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten() {
            let name = version.get("name").and_then(Value::as_str);
            let (Some(name), Some(schema)) = (name, version.pointer("/schema/openAPIV3Schema")) else { continue };
            if let Ok(found) = Self::from_crd_schema(Gvk::new(&format!("{group}/{name}"), kind), schema) {
                schemas.extend(found);
            }
        }
        schemas
    }

    /// Reads the `openAPIV3Schema` of one version of a CustomResourceDefinition, as a dump holds it.
    ///
    /// # Errors
    /// If it is not a structural schema.
    pub fn from_crd_schema(gvk: Gvk, schema: &Value) -> Result<Self, SchemaError> {
        let mut raw = RawSchema::deserialize(schema)?;
        // A CRD leaves out what every object has; the server adds it to what it publishes.
        for name in ["apiVersion", "kind"] {
            raw.properties.entry(name.to_owned()).or_default().r#type = Some("string".to_owned());
        }
        raw.kinds = vec![RawGvk { group: gvk.gv.group, version: gvk.gv.version, kind: gvk.kind }];
        let mut schemas = Self::default();
        schemas.insert(read(&BTreeMap::from([(String::from("crd"), raw)])));
        Ok(schemas)
    }
}

#[derive(Deserialize)]
struct OpenApi {
    components: Components,
}

#[derive(Deserialize)]
struct Components {
    #[serde(default)]
    schemas: BTreeMap<String, RawSchema>,
}

/// The part of a schema object that the comparison looks at.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSchema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "allOf")]
    all_of: Vec<RawSchema>,
    r#type: Option<String>,
    format: Option<String>,
    pattern: Option<String>,
    pub(super) properties: BTreeMap<String, RawSchema>,
    #[serde(rename = "additionalProperties")]
    additional: Option<Additional>,
    items: Option<Box<RawSchema>>,
    required: Vec<String>,
    pub(super) default: Option<Value>,
    #[serde(rename = "x-kubernetes-list-type")]
    list_type: Option<String>,
    #[serde(rename = "x-kubernetes-list-map-keys")]
    list_keys: Vec<String>,
    #[serde(rename = "x-kubernetes-map-type")]
    map_type: Option<String>,
    #[serde(rename = "x-kubernetes-patch-merge-key")]
    merge_key: Option<String>,
    #[serde(rename = "x-kubernetes-preserve-unknown-fields")]
    preserve_unknown: bool,
    #[serde(rename = "x-kubernetes-embedded-resource")]
    embedded: bool,
    #[serde(rename = "x-kubernetes-int-or-string")]
    int_or_string: bool,
    #[serde(rename = "x-kubernetes-group-version-kind")]
    kinds: Vec<RawGvk>,
    /// Only in the embedded facts: `o` for omitempty, `p` for a pointer, `s` for a struct, `d` for a default that varies.
    #[serde(rename = "x-go")]
    pub(super) go: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Additional {
    Allowed(bool),
    Schema(Box<RawSchema>),
}

#[derive(Deserialize)]
struct RawGvk {
    #[serde(default)]
    group: String,
    version: String,
    kind: String,
}

pub(super) fn read(definitions: &BTreeMap<String, RawSchema>) -> Document {
    let mut reader = Reader { definitions, document: Document::default() };
    for (name, raw) in definitions {
        if raw.kinds.is_empty() {
            continue;
        }
        let node = reader.named(name);
        // Shared kinds such as DeleteOptions carry a mark for every group; none of them is an object of a cluster.
        if let [kind] = raw.kinds.as_slice() {
            let gv = GroupVersion { group: kind.group.clone(), version: kind.version.clone() };
            reader.document.kinds.push((Gvk { gv, kind: kind.kind.clone() }, node));
        }
    }
    reader.document
}

struct Reader<'a> {
    definitions: &'a BTreeMap<String, RawSchema>,
    document: Document,
}

impl Reader<'_> {
    /// The node of a named definition; definitions may contain themselves.
    fn named(&mut self, name: &str) -> NodeId {
        if let Some(node) = self.document.names.get(name) {
            return *node;
        }
        let node = self.push(Shape::Any);
        self.document.names.insert(name.to_owned(), node);
        let shape = match (well_known(name), self.definitions.get(name)) {
            (Some(shape), _) => shape,
            (None, Some(raw)) => self.shape(raw, Some(name)),
            (None, None) => Shape::Any,
        };
        self.document.shapes[node.0 as usize] = shape;
        node
    }

    fn push(&mut self, shape: Shape) -> NodeId {
        let id = NodeId(u32::try_from(self.document.shapes.len()).unwrap_or(u32::MAX));
        self.document.shapes.push(shape);
        id
    }

    fn node(&mut self, raw: &RawSchema) -> NodeId {
        let reference = raw.reference.as_ref().or(match raw.all_of.as_slice() {
            [only] => only.reference.as_ref(),
            _ => None,
        });
        match reference {
            Some(reference) => self.named(reference.rsplit('/').next().unwrap_or(reference)),
            None => {
                let shape = self.shape(raw, None);
                self.push(shape)
            }
        }
    }

    fn shape(&mut self, raw: &RawSchema, definition: Option<&str>) -> Shape {
        if raw.int_or_string {
            let quantity = raw.pattern.as_deref() == Some(QUANTITY_PATTERN);
            return Shape::Scalar(if quantity { Scalar::Quantity } else { Scalar::IntOrString });
        }
        match raw.r#type.as_deref() {
            Some("array") => self.list(raw),
            Some("boolean") => Shape::Scalar(Scalar::Boolean),
            Some("integer") => Shape::Scalar(Scalar::Integer),
            Some("number") => Shape::Scalar(Scalar::Number),
            Some("string") => Shape::Scalar(match raw.format.as_deref() {
                Some("byte") => Scalar::Bytes,
                Some("date-time") => Scalar::Time,
                Some("int-or-string") => Scalar::IntOrString,
                _ => Scalar::String,
            }),
            Some("object") => self.object(raw, definition),
            _ if !raw.properties.is_empty() => self.object(raw, definition),
            _ => Shape::Any,
        }
    }

    fn list(&mut self, raw: &RawSchema) -> Shape {
        let item = match &raw.items {
            Some(items) => self.node(items),
            None => self.push(Shape::Any),
        };
        let kind = match (raw.list_type.as_deref(), raw.merge_key.as_ref()) {
            (Some("map"), _) if !raw.list_keys.is_empty() => ListKind::Map(raw.list_keys.clone()),
            (Some("set"), _) => ListKind::Set,
            // Where a built-in type has only the older strategic-merge mark, its merge key tells elements apart.
            (None, Some(key)) => ListKind::Map(vec![key.clone()]),
            _ => ListKind::Atomic,
        };
        Shape::List { item, kind }
    }

    fn object(&mut self, raw: &RawSchema, definition: Option<&str>) -> Shape {
        let mut fields = BTreeMap::new();
        let of_go_struct = definition.is_some_and(|name| name.starts_with("io.k8s."));
        for (name, field) in &raw.properties {
            let node = self.node(field);
            let fact = definition.filter(|_| of_go_struct).and_then(|d| facts().field(d, name));
            let default = field.default.clone().filter(|value| !(of_go_struct && is_zero(value)));
            fields.insert(
                name.clone(),
                Field {
                    node,
                    default: default.or_else(|| fact.and_then(|f| f.default.clone())),
                    required: raw.required.contains(name),
                    omit_empty: fact.map(|f| f.omit_empty),
                    pointer: fact.map(|f| f.pointer),
                    derived: definition.filter(|_| of_go_struct).and_then(|d| derived(d, name)),
                },
            );
        }
        if raw.embedded {
            for name in ["apiVersion", "kind", "metadata"] {
                let node = self.push(Shape::Any);
                let field =
                    Field { node, default: None, required: false, omit_empty: None, pointer: None, derived: None };
                fields.entry(name.to_owned()).or_insert(field);
            }
        }
        let additional = match &raw.additional {
            Some(Additional::Schema(schema)) => Some(self.node(schema)),
            Some(Additional::Allowed(true)) => Some(self.push(Shape::Any)),
            Some(Additional::Allowed(false)) | None => None,
        };
        if fields.is_empty() && additional.is_none() {
            return Shape::Any;
        }
        let atomic = raw.map_type.as_deref() == Some("atomic");
        Shape::Object { fields, additional, preserve_unknown: raw.preserve_unknown, atomic }
    }
}

/// What controller-gen writes into a definition for a `resource.Quantity`; in no other way can one be told there.
const QUANTITY_PATTERN: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// Types whose meaning is not in their schema.
fn well_known(definition: &str) -> Option<Shape> {
    let scalar = match definition.strip_prefix("io.k8s.apimachinery.pkg.")? {
        "api.resource.Quantity" => Scalar::Quantity,
        "util.intstr.IntOrString" => Scalar::IntOrString,
        "apis.meta.v1.Time" | "apis.meta.v1.MicroTime" => Scalar::Time,
        "apis.meta.v1.Duration" => Scalar::Duration,
        "runtime.RawExtension" | "apis.meta.v1.FieldsV1" => return Some(Shape::Any),
        _ => return None,
    };
    Some(Shape::Scalar(scalar))
}

/// The generator of Kubernetes' documents writes the zero value of every struct field as its default.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(s) => s.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_lists_maps_defaults_and_types_that_contain_themselves() {
        let document = json!({"components": {"schemas": {
            "com.example.v1.Widget": {
                "type": "object",
                "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Widget"}],
                "properties": {
                    "spec": {"allOf": [{"$ref": "#/components/schemas/com.example.v1.Spec"}], "default": {}},
                },
            },
            "com.example.v1.Spec": {"type": "object", "required": ["size"], "properties": {
                "size": {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity"},
                "mode": {"type": "string", "default": "fast"},
                "off": {"type": "boolean", "default": false},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"],
                    "items": {"type": "object", "properties": {"port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}}}},
                "parts": {"type": "array", "items": {"$ref": "#/components/schemas/com.example.v1.Spec"}},
            }},
        }}});
        let schemas = Schemas::from_openapi_v3(document.to_string().as_bytes()).unwrap();
        let widget = schemas.kind(&Gvk::new("example.com/v1", "Widget")).unwrap();
        let spec = widget.child("spec").unwrap();
        assert_eq!(spec.field("off").unwrap().default, Some(json!(false)), "a custom resource's default counts");
        assert_eq!(*spec.child("size").unwrap().shape(), Shape::Scalar(Scalar::Quantity));
        assert!(spec.field("size").unwrap().required);
        assert_eq!(spec.field("mode").unwrap().default, Some(json!("fast")));
        assert_eq!(*spec.child("labels").unwrap().child("x").unwrap().shape(), Shape::Scalar(Scalar::String));
        let Shape::List { kind, .. } = spec.child("ports").unwrap().shape() else { panic!("a list") };
        assert_eq!(*kind, ListKind::Map(vec!["port".into(), "protocol".into()]));
        let again = spec.child("parts").unwrap().item().unwrap();
        assert_eq!(again.field("mode").unwrap().default, Some(json!("fast")));
    }
}
