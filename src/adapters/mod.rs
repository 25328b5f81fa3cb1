//! What touches the world outside: repositories, clusters, renderers, the ledger, mail and chat.

pub mod cluster;
