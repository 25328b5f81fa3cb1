//! One command a file: its arguments and what it does with them.

pub mod blame;
pub mod compare;
pub mod compare_revisions;
pub mod completions;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod findings;
pub mod history;
pub mod init;
pub mod ledger;
pub mod man;
pub mod notify;
pub mod rbac;
pub mod report;
pub mod scan;
pub mod show;
pub mod snapshot;
pub mod targets;
pub mod verify;
pub mod watch;
