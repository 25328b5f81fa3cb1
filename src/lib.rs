//! Driftledger: a read-only drift auditor for GitOps-run Kubernetes.
pub mod yaml;
pub mod model;
pub mod config;
pub mod stages;
pub mod views;
pub mod ports;
pub mod adapters;
pub mod app;
