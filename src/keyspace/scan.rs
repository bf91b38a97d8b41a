//! SCAN over a database: a cursor that needs no memory between calls.
//!
//! The cursor names a shard (low bits) and, inside it, a block of home slots in *reversed-bit order*, as in Redis's dictionary
//! scan: when a table doubles, a block splits into blocks that come at the same point of that order; when it shrinks, blocks merge
//! likewise. A key that is there from start to end is therefore returned at least once.
//!
//! A key's home slot is a function of its hash, but open addressing may have put it further along, so a block is not a range
//! of the table: it is read by probing for each of its home slots with each of the 128 tags, and keeping the keys that are at home there.
//! That costs a few microseconds a block, whatever the size of the table.

use super::database::Database;
use super::entry::Entry;
use super::table::{self, Table};

/// Home slots per step: small enough that COUNT 10 on a sparse table is not exceeded by much.
const BLOCK_BITS: u32 = 3;

impl Database {
    /// Visits keys from `cursor` on until about `count` were visited; the next cursor, 0 at the end.
    ///
    /// `lock` gives access to one shard at a time.
    pub fn scan(
        &self,
        cursor: u64,
        count: usize,
        mut visit: impl FnMut(&Entry),
        with_table: impl Fn(usize, &mut dyn FnMut(&Table)),
    ) -> u64 {
        let shards = self.shard_count() as u64;
        let mut shard = cursor % shards;
        let mut block = cursor / shards;
        let mut seen = 0usize;
        // A bound on empty blocks too, so that one call stays short whatever COUNT is.
        let mut steps = count.saturating_mul(10).max(shards as usize);
        while shard < shards {
            with_table(shard as usize, &mut |table| {
                loop {
                    seen += visit_block(table, block, |key| self.hash(key), &mut visit);
                    steps = steps.saturating_sub(1);
                    block = next_block(block, block_count(table));
                    if block == 0 || seen >= count || steps == 0 {
                        break;
                    }
                }
            });
            if block == 0 {
                shard += 1;
            }
            if seen >= count || steps == 0 {
                break;
            }
        }
        if shard >= shards { 0 } else { block * shards + shard }
    }
}

/// Blocks in a table: at least one.
fn block_count(table: &Table) -> u64 {
    (table.buckets() as u64 >> BLOCK_BITS).max(1)
}

/// The block behind `block` in reversed-bit order; 0 after the last.
fn next_block(block: u64, blocks: u64) -> u64 {
    let mask = blocks - 1;
    let next = ((block | !mask).reverse_bits()).wrapping_add(1).reverse_bits();
    next & mask
}

fn visit_block(table: &Table, block: u64, hash: impl Fn(&[u8]) -> u64, visit: &mut impl FnMut(&Entry)) -> usize {
    if table.is_empty() {
        return 0;
    }
    let (buckets, blocks) = (table.buckets(), block_count(table));
    let block = block & (blocks - 1);
    let mut seen = 0;
    if blocks == 1 {
        for entry in table::iter(table) {
            visit(entry);
            seen += 1;
        }
        return seen;
    }
    for tag in 0..128u64 {
        for offset in 0..1u64 << BLOCK_BITS {
            let home = (block << BLOCK_BITS) | offset;
            for entry in table::with_hash(table, (tag << 57) | home) {
                let actual = hash(entry.key());
                if actual >> 57 == tag && actual & (buckets as u64 - 1) == home {
                    visit(entry);
                    seen += 1;
                }
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_visited_once_each_in_an_order_that_survives_doubling() {
        let order = |blocks| {
            let mut order = vec![0];
            while let next @ 1.. = next_block(*order.last().unwrap(), blocks) {
                order.push(next);
            }
            order
        };
        assert_eq!(order(8), [0, 4, 2, 6, 1, 5, 3, 7]);
        let halved: Vec<u64> = order(16).into_iter().map(|b| b % 8).collect();
        let doubled: Vec<u64> = order(8).into_iter().flat_map(|b| [b, b]).collect();
        assert_eq!(halved, doubled);
    }
}
