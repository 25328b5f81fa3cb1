//! The ledger on a real disk: what it keeps, what it refuses, what it survives.

#![allow(clippy::unwrap_used)]

mod append_only;
mod backup;
mod concurrency;
mod fixtures;
mod in_sync;
mod kill;
mod lifecycle;
mod messages;
mod migration;
mod opening;
mod read_only_folder;
mod recent;
mod record;
mod speed;
mod tamper;
mod told;
mod unanswered;
