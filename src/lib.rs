//! Driftledger: a read-only drift auditor for GitOps-run Kubernetes.
pub mod adapters;
pub mod app;
pub mod config;
pub mod model;
pub mod ports;
pub mod stages;
pub mod views;
pub mod yaml;
