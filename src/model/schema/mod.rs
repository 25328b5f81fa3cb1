//! Schemas of kinds: what the comparison needs of a cluster's OpenAPI v3 and of the facts about built-in kinds.

mod builtin;
mod derived;
mod openapi;
mod shape;

pub use builtin::{builtin_discovery, builtin_schemas, builtin_version, object_meta};
pub use derived::Derived;
pub use openapi::SchemaError;
pub use shape::{Field, ListKind, NodeId, Scalar, SchemaRef, Schemas, Shape};
