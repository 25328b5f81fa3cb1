//! Where the program meets the world: Git, clusters, the ledger, renderers, mail, Slack, webhooks.
//!
//! Adapters import `model`, `config`, `ports` and `yaml`, never `stages`, `views` or one another.

pub mod audit_log;
pub mod cluster;
pub mod git;
pub mod kept;
pub mod ledger;
pub mod mail;
pub mod render;
pub mod slack;
pub mod webhook;
