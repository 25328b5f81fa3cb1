//! What a scan would need, tried out: each side is read as a scan reads it, receivers are asked what they can be asked, and nothing is
//! recorded, sent or written to a cluster.

mod examine;
mod ledger;
mod receivers;
mod sides;

pub use examine::examine;
