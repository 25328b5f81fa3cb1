//! A Kubernetes API server, read through a client that cannot write.

mod allowed;
mod by_name;
mod classify;
mod connect;
mod contexts;
mod discovery;
mod failure;
mod fetch;
mod guard;
mod listing;
mod paths;
mod proxy;
mod schemas;
mod settings;
mod source;

#[cfg(test)]
mod failure_tests;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod on_cluster;

pub use contexts::{KubeContext, kube_context};
pub use settings::{Access, KubeSettings, Limits};
pub use source::KubeCluster;
