//! What can only be tested from outside: the house's law, and the program as its users run it.

mod attribution_on_cluster;
mod audit_log;
mod audit_log_on_cluster;
mod bad_input;
mod beyond;
mod blame;
mod change_control;
mod chart_with_helm;
mod converge_on_cluster;
mod demo;
mod full_history;
mod ignore;
mod import_law;
mod mail_over_smtp;
mod mail_server;
mod on_cluster;
mod on_cluster_beyond;
mod operators;
mod operators_on_cluster;
mod program;
mod rbac_on_cluster;
mod slack;
mod slack_fake;
mod slack_threads;
mod snapshot;
mod tools;
