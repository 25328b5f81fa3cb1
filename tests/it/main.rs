//! What can only be tested from outside: the house's law, and the program as its users run it.

mod bad_input;
mod beyond;
mod change_control;
mod converge_on_cluster;
mod demo;
mod ignore;
mod import_law;
mod on_cluster;
mod on_cluster_beyond;
mod program;
mod snapshot;
