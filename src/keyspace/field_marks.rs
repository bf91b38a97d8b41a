//! Which hashes of a database have a field that expires next.
//!
//! As the index of expiring keys, a lazy heap of (when, hash of the key) for every shard: each hash with expiring fields has one
//! mark that counts, at the earliest of them or before it, and remembers which ([`Hash::is_marked`]). Marks left behind
//! are skipped when they come up. Made when the first field of a database gets an expiry; changed only under the write
//! lock of the shard.
//!
//! [`Hash::is_marked`]: crate::data::hash::Hash::is_marked

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use parking_lot::Mutex;

use super::entry::Entry;
use super::expiry::ExpiryIndex;
use super::table::{self, Table};
use super::value::ValueRef;
use crate::base::clock::UnixMillis;

/// The marks of one database, by shard.
pub struct FieldMarks {
    indices: Box<[Mutex<ExpiryIndex>]>,
    /// The earliest mark of each shard (`i64::MAX` without any), readable without a lock.
    due: Box<[AtomicI64]>,
}

impl FieldMarks {
    /// No marks.
    pub fn new(shards: usize) -> Self {
        Self {
            indices: (0..shards).map(|_| Mutex::default()).collect(),
            due: (0..shards).map(|_| AtomicI64::new(i64::MAX)).collect(),
        }
    }

    /// Whether a shard may hold a hash with a field that is due.
    pub fn is_due(&self, shard: usize, now: UnixMillis) -> bool {
        self.due[shard].load(Relaxed) <= now.0
    }

    /// Marks a hash in a locked shard's table.
    pub fn note(&self, table: &Table, shard: usize, hash: u64, when: UnixMillis) {
        let mut index = self.indices[shard].lock();
        index.note(when, hash);
        if index.len() > 64 && index.len() > table.len() * 2 {
            index.sweep(|when, hash| table::with_hash(table, hash).any(|entry| is_marked(entry, when)));
        }
        self.publish(shard, &index);
    }

    /// The keys of a locked shard whose marks are due, at most `limit`; the marks are gone afterwards.
    pub fn take_due(
        &self,
        table: &Table,
        shard: usize,
        now: UnixMillis,
        limit: usize,
        hash_of: impl Fn(&[u8]) -> u64,
    ) -> Vec<Box<[u8]>> {
        let mut index = self.indices[shard].lock();
        let mut due = Vec::new();
        while due.len() < limit
            && let Some((when, hash)) = index.pop_due(now)
        {
            let keys = table::with_hash(table, hash).filter(|e| is_marked(e, when) && hash_of(e.key()) == hash);
            due.extend(keys.map(|entry| Box::from(entry.key())));
        }
        self.publish(shard, &index);
        due
    }

    /// Forgets all marks of a locked shard.
    pub fn clear(&self, shard: usize) {
        let mut index = self.indices[shard].lock();
        index.clear();
        self.publish(shard, &index);
    }

    /// Takes over another database's marks of a locked shard.
    pub fn take_in(&self, other: &Self, shard: usize) {
        let mut index = self.indices[shard].lock();
        *index = std::mem::take(&mut *other.indices[shard].lock());
        self.publish(shard, &index);
    }

    fn publish(&self, shard: usize, index: &ExpiryIndex) {
        self.due[shard].store(index.next_due().map_or(i64::MAX, |when| when.0), Relaxed);
    }
}

fn is_marked(entry: &Entry, when: UnixMillis) -> bool {
    matches!(entry.value(), ValueRef::Hash(hash) if hash.is_marked(when))
}
