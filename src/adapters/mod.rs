//! The edges: each adapter speaks to one kind of thing outside. They import the model, configuration, ports and YAML, never
//! stages, views or one another.

pub mod mail;
pub mod slack;
