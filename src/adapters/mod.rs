//! Where the program meets the world: Git, clusters, the ledger, renderers, mail, Slack.

pub mod render;
