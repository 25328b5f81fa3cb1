//! YAML and JSON as `kubectl` reads them, each node with its place in the text.
//!
//! `kubectl` does not read YAML 1.2. It splits a file on lines that start with `---`, reads each
//! piece with a YAML 1.1 reader (`yes` is a boolean, `0644` is 420), turns the result into JSON and
//! reads that with whole numbers kept apart from floats. A file that starts with `{` is a stream of
//! JSON documents. What an auditor compares must be what `kubectl` would have sent, so this room
//! follows those steps and not the YAML specification.
//!
//! ```text
//! text -> documents (which reader, which pieces) -> compose (events -> nodes) -> scalar, number
//!                                                -> stream  (JSON text -> nodes)
//! ```
//!
//! Sources of the rules: `k8s.io/apimachinery/pkg/util/yaml` (splitting, JSON or YAML),
//! `sigs.k8s.io/yaml` (keys, values JSON cannot hold), `go.yaml.in/yaml/v2` (scalars, tags, merge
//! keys, aliases), `sigs.k8s.io/json` (numbers). The room imports nothing else of the crate.

mod aliases;
mod chunks;
mod compose;
mod documents;
mod error;
mod lexical;
mod mapping;
mod node;
mod number;
mod scalar;
mod stream;
mod suspects;
mod timestamp;

#[cfg(test)]
mod tests;

pub use documents::{Document, Limits, Note, NoteKind, read_documents};
pub use error::{ErrorKind, YamlError};
pub use node::{Entry, Node, Place, Value, to_json};
