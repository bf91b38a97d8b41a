//! Picking keys at random in O(1): RANDOMKEY, and candidates for eviction.

use rand::Rng;

use super::database::Database;
use super::entry::Entry;
use super::keys::Keys;
use super::table;
use crate::base::clock::UnixMillis;

/// Tries at random slots before the shards are walked: with many keys one of the first few hits.
const TRIES: usize = 128;

/// A key that could be evicted.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The key.
    pub key: Box<[u8]>,
    /// Its LRU or LFU bits.
    pub lru: u32,
    /// Its expiry.
    pub expiry: Option<UnixMillis>,
}

impl Candidate {
    fn of(entry: &Entry) -> Self {
        Self {
            key: entry.key().into(),
            lru: entry.lru().load(std::sync::atomic::Ordering::Relaxed),
            expiry: entry.expiry(),
        }
    }
}

impl Database {
    /// A random key that `accept` takes; `None` when the database holds none that it takes, or only a few.
    fn random(&self, keys: &Keys<'_>, accept: impl Fn(&Entry) -> bool) -> Option<Candidate> {
        let mut random = rand::rng();
        let mut found = None;
        let shards = self.shard_count();
        for _ in 0..TRIES {
            let slot = random.random::<u64>() as usize;
            keys.with_table(random.random_range(0..shards), &mut |table| {
                found = table::at(table, slot).filter(|entry| accept(entry)).map(Candidate::of);
            });
            if found.is_some() {
                return found;
            }
        }
        // Few keys: from a random shard on, the first that holds some.
        let start = random.random_range(0..shards);
        for shard in (start..shards).chain(0..start) {
            keys.with_table(shard, &mut |table| {
                let skip = random.random_range(0..table.len().max(1));
                let mut all = table::iter(table).filter(|entry| accept(entry));
                found = all.nth(skip).or_else(|| table::iter(table).find(|entry| accept(entry))).map(Candidate::of);
            });
            if found.is_some() {
                break;
            }
        }
        found
    }
}

impl Keys<'_> {
    /// A random key of the current database that has not expired; those that were met and have are reported.
    pub fn random_key(&self) -> Option<Box<[u8]>> {
        self.database().random(self, |entry| self.is_there(entry)).map(|candidate| candidate.key)
    }

    /// A random candidate for eviction; only among keys with an expiry where `volatile_only`.
    pub fn eviction_candidate(&self, volatile_only: bool) -> Option<Candidate> {
        let database = self.database();
        if !volatile_only {
            return database.random(self, |_| true);
        }
        let mut random = rand::rng();
        let shards = database.shard_count();
        let start = random.random_range(0..shards);
        for shard in (start..shards).chain(0..start) {
            let Some((when, hash)) = database.pick_mark(shard, random.random::<u64>() as usize) else { continue };
            let mut found = None;
            self.with_table(shard, &mut |table| {
                found = table::with_hash(table, hash).find(|entry| entry.expiry() == Some(when)).map(Candidate::of);
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }
}
