//! A queue of bytes in blocks of one size.
//!
//! Appending never moves what is there already, however long the queue becomes, and what it takes follows what is in it: a buffer that
//! doubles would copy megabytes at some unlucky append, and take up to twice what it holds.

use std::collections::VecDeque;

/// Bytes of a block.
const BLOCK_BYTES: usize = 4 * 1024;

/// The queue.
#[derive(Default)]
pub struct ByteQueue {
    /// All are full, but for what has left the first and what is free in the last.
    blocks: VecDeque<Box<[u8]>>,
    /// Bytes that have left the first block.
    head: usize,
    len: usize,
    /// A block that was emptied, for the next that is needed.
    spare: Option<Box<[u8]>>,
}

impl ByteQueue {
    /// Bytes in it.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory it takes.
    pub fn allocated(&self) -> usize {
        let blocks = self.blocks.len() + usize::from(self.spare.is_some());
        blocks * BLOCK_BYTES + self.blocks.capacity() * size_of::<Box<[u8]>>()
    }

    /// Appends bytes at the end.
    pub fn append(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let end = self.head + self.len;
            if end == self.blocks.len() * BLOCK_BYTES {
                let block = self.spare.take().unwrap_or_else(|| vec![0; BLOCK_BYTES].into());
                self.blocks.push_back(block);
            }
            let Some(last) = self.blocks.back_mut() else { return };
            let free = &mut last[end % BLOCK_BYTES..];
            let taken = free.len().min(bytes.len());
            free[..taken].copy_from_slice(&bytes[..taken]);
            self.len += taken;
            bytes = &bytes[taken..];
        }
    }

    /// Drops bytes from the front; all there are if there are fewer.
    pub fn drop_front(&mut self, count: usize) {
        let count = count.min(self.len);
        self.len -= count;
        self.head += count;
        while self.head >= BLOCK_BYTES {
            self.spare = self.blocks.pop_front();
            self.head -= BLOCK_BYTES;
        }
        if self.blocks.capacity() > 4 * (self.blocks.len() + 1) {
            self.blocks.shrink_to(2 * self.blocks.len());
        }
    }

    /// Drops everything, and the memory with it.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Copies up to `limit` bytes to the end of `out`, after skipping `skip`: how many.
    pub fn copy(&self, skip: usize, limit: usize, out: &mut Vec<u8>) -> usize {
        let total = self.len.saturating_sub(skip).min(limit);
        out.reserve(total);
        let mut at = self.head + skip;
        let mut left = total;
        while left > 0 {
            let block = &self.blocks[at / BLOCK_BYTES][at % BLOCK_BYTES..];
            let taken = block.len().min(left);
            out.extend_from_slice(&block[..taken]);
            at += taken;
            left -= taken;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::SmallRng};

    use super::*;

    #[test]
    fn holds_what_a_plain_queue_holds() {
        let mut random = SmallRng::seed_from_u64(7);
        let (mut queue, mut model) = (ByteQueue::default(), VecDeque::new());
        for round in 0..3_000u32 {
            let bytes = vec![round as u8; random.random_range(0..3 * BLOCK_BYTES / 2)];
            queue.append(&bytes);
            model.extend(&bytes);
            let dropped = random.random_range(0..=2 * BLOCK_BYTES).min(model.len());
            queue.drop_front(dropped);
            model.drain(..dropped);
            assert_eq!(queue.len(), model.len());
            let (skip, limit) = (random.random_range(0..2 * BLOCK_BYTES), random.random_range(0..3 * BLOCK_BYTES));
            let mut out = b"before".to_vec();
            let copied = queue.copy(skip, limit, &mut out);
            assert_eq!(copied + 6, out.len());
            assert!(out[6..].iter().eq(model.iter().skip(skip).take(limit)));
        }
    }

    #[test]
    fn takes_what_it_holds_and_little_more() {
        let mut queue = ByteQueue::default();
        assert_eq!(queue.allocated(), 0);
        queue.append(&vec![1; 100 * BLOCK_BYTES + 1]);
        assert!((101 * BLOCK_BYTES..103 * BLOCK_BYTES).contains(&queue.allocated()));
        queue.drop_front(usize::MAX);
        assert!(queue.is_empty() && queue.allocated() < 3 * BLOCK_BYTES);
        queue.clear();
        assert_eq!(queue.allocated(), 0);
    }
}
