//! Configuration: raw (as written) → valid (all problems of a file at once, each with its line).
//!
//! ```text
//! text ─► yaml nodes ─► check against the JSON schema of `raw` ─► raw ─► valid
//! ```
//!
//! The schema that editors get is the one that the text is checked against, so the two cannot differ.

pub mod actors;
pub mod audit;
pub mod audit_log;
pub mod change_policy;
pub mod charts;
mod check;
pub mod delivery;
pub mod globs;
pub mod ignore;
pub mod known;
mod problem;
pub mod raw;
mod read;
pub mod redaction;
pub mod render;
mod repository;
pub mod severity;
mod shipped;
pub mod trust;
mod valid;

pub use change_policy::ChangePolicy;
pub use charts::{ChartRepository, ChartSource};
pub use problem::{ConfigError, Problem};
pub use read::read;
pub use repository::scp_form;
pub use shipped::{EXAMPLE, json_schema, shipped};
pub use valid::{
    ClusterConfig, ClusterSource, Config, Convergence, Discovery, History, LedgerConfig, Limits, NamedBy, NamingObject,
    RepositoryConfig, RepositoryPlace, SecretSource, SshFiles, TargetConfig, Texts,
};
