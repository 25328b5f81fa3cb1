//! Work that takes its time, in a task.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs work that takes its time while requests go on. A runtime of one thread cannot do both.
pub(super) fn beside_requests<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}
