//! The table: what a person reads on a terminal, and what still reads well in a pipe or a log.
//!
//! No lines are drawn, so that columns can be cut and searched. Nothing is said by colour alone. From 160 columns on each fact
//! has a column of its own; below, each finding is a small block.

mod blame;
mod doctor;
mod explain;
mod findings;
mod history;
mod lines;
mod outbox;
mod revisions;
mod scan;
mod show;
mod targets;

pub use blame::blame;
pub use doctor::doctor;
pub use explain::explain;
pub use findings::findings;
pub use history::history;
pub use lines::Style;
pub use outbox::{message, outbox};
pub use revisions::revisions;
pub use scan::scan;
pub use show::show;
pub use targets::targets;
