//! Characters that are harmless inside of scalars only.

use std::ops::Range;

/// Byte offsets in a text, in order, that must each lie in one of the ranges that follow.
#[derive(Debug)]
pub(super) struct Suspects {
    offsets: Vec<usize>,
    /// The first of them that no range has passed yet.
    next: usize,
    /// The first that lies in no range.
    found: Option<usize>,
}

impl Suspects {
    pub(super) fn new(offsets: Vec<usize>) -> Self {
        Self { offsets, next: 0, found: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Clears those in a range for which `harmless` holds. Ranges must come in order.
    pub(super) fn clear(&mut self, range: Range<usize>, harmless: impl Fn(usize) -> bool) {
        while let Some(at) = self.offsets.get(self.next).copied()
            && at < range.end
        {
            if at < range.start || !harmless(at) {
                self.found.get_or_insert(at);
            }
            self.next += 1;
        }
    }

    /// The first before `end` that was not cleared.
    pub(super) fn remaining(mut self, end: usize) -> Option<usize> {
        self.clear(end..end, |_| false);
        self.found
    }
}
