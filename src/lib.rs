//! Driftledger: a read-only drift auditor for GitOps-run Kubernetes.
//!
//! On a schedule it compares what every tracked Git revision declares with what the cluster runs, says which commit and which
//! writer is behind each difference, keeps it all in an append-only ledger, and tells people. It never writes to a cluster.
//!
//! # The flow
//!
//! ```text
//!  config, prior ledger state
//!         │
//!  gather ──► compare ──► gather evidence ──► assess ──► record ──► announce
//!  git,       pure, per   git history,        pure:      ledger,    views, then
//!  render,    page of     a second look at    cause,     one trans- files
//!  cluster    live        what differs        severity,  action,
//!  or file    objects                         lifecycle  one seal
//! ```
//!
//! One direction; [`app::pipeline`] is all of it on one screen.
//!
//! # The rooms, and the import law
//!
//! | room | holds | imports |
//! |---|---|---|
//! | [`yaml`] | YAML and JSON as `kubectl` reads them, with places | nothing of ours |
//! | [`model`] | values: ids, paths, findings, gaps, schemas, redaction | nothing of ours |
//! | [`config`] | the configuration, raw and valid; shipped tables | `model`, `yaml` |
//! | [`stages`] | the pure steps | `model`, `config` |
//! | [`views`] | model → bytes; Tera lives only here | `model`, `config` |
//! | [`ports`] | the few traits at real remote edges | `model` |
//! | [`processors`] | work on all processors at a time | nothing of ours |
//! | [`adapters`] | git (gix), cluster (kube), ledger (rusqlite), renderers, mail, Slack, webhooks | `model`, `config`, `ports`, `processors`, `yaml` |
//! | [`app`] | command line, pipeline, wiring | all |
//!
//! Adapters do not import one another. `tokio`, clocks and file systems appear only in `adapters` and `app`. A test reads the
//! sources and fails on a broken law.

pub mod adapters;
pub mod app;
pub mod config;
pub mod model;
pub mod ports;
pub mod processors;
pub mod stages;
pub mod views;
pub mod yaml;
