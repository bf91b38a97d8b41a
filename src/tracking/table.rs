//! The invalidation table: keys with the clients that may have them in a cache.
//!
//! Many small maps, each behind a lock of its own, so that readers of different keys rarely meet. The clients of a key are
//! kept in order: the same client again costs nothing, and they are told in this order.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use indexmap::IndexMap;
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::session::ClientId;

const SHARDS: usize = 64;

/// The clients of one key, ascending.
pub(super) type Readers = SmallVec<[ClientId; 2]>;

type Shard = IndexMap<Box<[u8]>, Readers, ahash::RandomState>;

/// The table.
pub(super) struct Table {
    // Taken under locks of keys; nothing is taken under them.
    shards: Box<[Mutex<Shard>]>,
    hasher: ahash::RandomState,
    keys: AtomicUsize,
    items: AtomicUsize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: ahash::RandomState::default(),
            keys: AtomicUsize::new(0),
            items: AtomicUsize::new(0),
        }
    }
}

impl Table {
    fn shard(&self, key: &[u8]) -> &Mutex<Shard> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    /// `client` may have `key`.
    pub fn add(&self, key: &[u8], client: ClientId) {
        let mut shard = self.shard(key).lock();
        let readers = match shard.get_mut(key) {
            Some(readers) => readers,
            None => {
                self.keys.fetch_add(1, Relaxed);
                shard.entry(key.into()).or_default()
            }
        };
        if let Err(place) = readers.binary_search(&client) {
            readers.insert(place, client);
            self.items.fetch_add(1, Relaxed);
        }
    }

    /// Takes a key out: the clients that may have it.
    pub fn take(&self, key: &[u8]) -> Readers {
        if self.keys() == 0 {
            return Readers::new();
        }
        let Some(readers) = self.shard(key).lock().swap_remove(key) else { return Readers::new() };
        self.keys.fetch_sub(1, Relaxed);
        self.items.fetch_sub(readers.len(), Relaxed);
        readers
    }

    /// A key picked at random.
    pub fn any_key(&self) -> Option<Box<[u8]>> {
        let first = rand::random_range(0..SHARDS);
        (0..SHARDS).find_map(|step| {
            let shard = self.shards[(first + step) % SHARDS].lock();
            let position = (!shard.is_empty()).then(|| rand::random_range(0..shard.len()))?;
            shard.get_index(position).map(|(key, _)| key.clone())
        })
    }

    /// Takes everything out.
    pub fn clear(&self) {
        for shard in &self.shards {
            let taken = std::mem::take(&mut *shard.lock());
            self.keys.fetch_sub(taken.len(), Relaxed);
            self.items.fetch_sub(taken.values().map(SmallVec::len).sum(), Relaxed);
        }
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.keys.load(Relaxed)
    }

    /// How many pairs of a key and a client there are.
    pub fn items(&self) -> usize {
        self.items.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_follow_the_content() {
        let table = Table::default();
        for (key, client) in [(b"a", 2), (b"a", 1), (b"a", 2), (b"b", 1)] {
            table.add(key, ClientId(client));
        }
        assert_eq!((table.keys(), table.items()), (2, 3));
        assert_eq!(table.take(b"a").as_slice(), [ClientId(1), ClientId(2)]);
        assert!(table.take(b"a").is_empty());
        assert_eq!((table.keys(), table.items()), (1, 1));
        assert_eq!(table.any_key().as_deref(), Some(&b"b"[..]));
        table.clear();
        assert_eq!((table.keys(), table.items(), table.any_key()), (0, 0, None));
    }
}
