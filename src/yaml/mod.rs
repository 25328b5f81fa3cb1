//! YAML and JSON as `kubectl` reads them, each node with its place in the text.
