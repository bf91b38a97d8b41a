//! Which keys of a shard expire next.
//!
//! A lazy heap of (when, hash): an entry that has since been deleted or given another time leaves its mark behind,
//! which is skipped when it comes up and swept out when marks outnumber volatile keys. So setting an
//! expiry costs O(log n), finding what is due O(1), and no key is visited before its time.
//!
//! Guarded by its own mutex, but changed only under the write lock of the shard it belongs to.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::base::clock::UnixMillis;

/// The expiry marks of one shard.
#[derive(Default)]
pub struct ExpiryIndex {
    marks: BinaryHeap<Reverse<(UnixMillis, u64)>>,
}

impl ExpiryIndex {
    /// Notes that a key with `hash` expires at `when`. `live` is how many keys of the shard have an expiry at most.
    pub fn note(&mut self, when: UnixMillis, hash: u64) {
        self.marks.push(Reverse((when, hash)));
    }

    /// When the earliest mark is due.
    pub fn next_due(&self) -> Option<UnixMillis> {
        self.marks.peek().map(|Reverse((when, _))| *when)
    }

    /// Takes the earliest mark if it is due.
    pub fn pop_due(&mut self, now: UnixMillis) -> Option<(UnixMillis, u64)> {
        let due = self.next_due()? <= now;
        due.then(|| self.marks.pop().map(|Reverse(mark)| mark)).flatten()
    }

    /// Marks held, stale ones included.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Mark number `index` modulo the count, in no particular order.
    pub fn pick(&self, index: usize) -> Option<(UnixMillis, u64)> {
        let marks = self.marks.as_slice();
        (!marks.is_empty()).then(|| marks[index % marks.len()].0)
    }

    /// Drops the marks that `is_live` denies and duplicates.
    pub fn sweep(&mut self, mut is_live: impl FnMut(UnixMillis, u64) -> bool) {
        let mut marks = std::mem::take(&mut self.marks).into_vec();
        marks.sort_unstable();
        marks.dedup();
        marks.retain(|Reverse((when, hash))| is_live(*when, *hash));
        self.marks = marks.into();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.marks = BinaryHeap::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_marks_come_in_order_and_sweeping_drops_the_rest() {
        let mut index = ExpiryIndex::default();
        for (when, hash) in [(30, 3), (10, 1), (20, 2), (10, 1)] {
            index.note(UnixMillis(when), hash);
        }
        index.sweep(|_, hash| hash != 2);
        assert_eq!(index.len(), 2);
        assert_eq!(index.pop_due(UnixMillis(9)), None);
        assert_eq!(index.pop_due(UnixMillis(10)), Some((UnixMillis(10), 1)));
        assert_eq!(index.next_due(), Some(UnixMillis(30)));
    }
}
