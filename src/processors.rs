//! Work that is done on all processors at a time.

/// How many there are.
pub fn count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does each share of some work on a thread of its own; what comes back is in the order of the shares. A panic in one of them goes on here.
pub fn on_each<S: Send, R: Send>(shares: impl IntoIterator<Item = S>, work: impl Fn(S) -> R + Sync) -> Vec<R> {
    let work = &work;
    std::thread::scope(|scope| {
        let running: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || work(share))).collect();
        let joined = running.into_iter().map(|worker| worker.join());
        joined.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_done_in_order_and_a_panic_is_not_lost() {
        assert_eq!(on_each([1, 2, 3], |share| share * 2), [2, 4, 6]);
        let panicked = std::panic::catch_unwind(|| on_each([1, 0], |share| 1 / share));
        assert!(panicked.is_err());
    }
}
