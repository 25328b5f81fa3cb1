//! The program: the command line, the flow, and what joins the rooms. Only this room imports all others.
//!
//! `pipeline` is the whole flow on one screen.

pub mod announce;

pub mod assemble;
pub mod audit;
pub mod audit_log;
pub mod blame;
pub mod capabilities;
pub mod change_control;
pub mod changes;
pub mod cli;
pub mod commands;
pub mod convergence;
pub mod declarations;
pub mod demo;
pub mod discovery;
pub mod doctor;
pub mod error;
pub mod evidence;
pub mod files;
pub mod followed;
pub mod foreign;
pub mod gather;
pub mod ignored;
pub mod init;
pub mod inquiry;
pub mod inside;
pub mod kind;
pub mod live;
pub mod merged;
pub mod merged_lines;
pub mod named_then;
pub mod object_story;
pub mod operator_rules;
pub mod operators;
pub mod outcome;
pub mod output;
pub mod past;
pub mod pipeline;
pub mod progress;
pub mod reach;
pub mod reading;
pub mod remembered;
pub mod rendered_former;
pub mod rendered_past;
pub mod rendering;
pub mod runs;
pub mod sightings;
pub mod snapshot;
#[cfg(test)]
mod snapshot_tests;
pub mod telemetry;
pub mod traced;
pub mod versions;
pub mod watch;
pub mod wiring;
