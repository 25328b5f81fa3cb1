//! Renderers: from a commit's files to declared objects.

pub mod heads;
pub mod manifest;
pub mod plain;
