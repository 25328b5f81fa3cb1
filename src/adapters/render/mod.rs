//! Renderers: from a commit's files to declared objects. [`auto::choose`] gives a target's; each has a file of its own.

pub mod auto;
mod charts;
mod checkout;
mod clock;
mod command;
mod dependencies;
mod encrypted;
mod expression;
pub mod heads;
mod helm;
mod kustomization;
mod kustomize;
pub mod manifest;
mod output;
mod paths;
mod plain;
mod process;
mod renderer;
mod substitute;
mod toolbox;
mod unstable;
mod wildcard;

pub use charts::Charts;
pub use checkout::{Checkout, Inputs};
pub use plain::is_manifest_name;
pub use renderer::{Job, Rendered, Renderer};
pub use toolbox::Toolbox;
