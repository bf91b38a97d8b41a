//! Broadcasting: prefixes with the clients that watch them, and the keys that have changed under each since the last
//! broadcast.
//!
//! Every change looks at all prefixes, and they rarely come or go, hence a lock whose readers do not share a cache line.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};

use crossbeam_utils::sync::ShardedLock;
use indexmap::IndexMap;
use parking_lot::Mutex;

use crate::session::{Client, ClientFlags, ClientId};

/// Changed keys, each with the client that changed it last, if a client did.
type Changed = IndexMap<Box<[u8]>, Option<ClientId>, ahash::RandomState>;

#[derive(Default)]
struct Prefix {
    clients: IndexMap<ClientId, Arc<Client>, ahash::RandomState>,
    // Taken under the lock of the prefixes and locks of keys; nothing is taken under it.
    changed: Mutex<Changed>,
}

/// All prefixes.
#[derive(Default)]
pub(super) struct Prefixes {
    // Every change is complete before its guard is dropped, so poisoning is ignored.
    by_prefix: ShardedLock<IndexMap<Box<[u8]>, Prefix, ahash::RandomState>>,
    /// How many there are; lets changes skip the lock while there is none.
    count: AtomicUsize,
    /// Whether any prefix has changed keys.
    pending: AtomicBool,
}

impl Prefixes {
    /// `client` watches `prefix`.
    pub fn add(&self, prefix: &[u8], client: &Arc<Client>) {
        let mut by_prefix = self.by_prefix.write().unwrap_or_else(PoisonError::into_inner);
        by_prefix.entry(prefix.into()).or_default().clients.insert(client.id, Arc::clone(client));
        self.count.store(by_prefix.len(), Relaxed);
    }

    /// A client does not watch `prefix` any more.
    pub fn remove(&self, prefix: &[u8], id: ClientId) {
        let mut by_prefix = self.by_prefix.write().unwrap_or_else(PoisonError::into_inner);
        let Some(watched) = by_prefix.get_mut(prefix) else { return };
        watched.clients.swap_remove(&id);
        if watched.clients.is_empty() {
            by_prefix.swap_remove(prefix);
        }
        self.count.store(by_prefix.len(), Relaxed);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// A key has changed.
    pub fn remember(&self, key: &[u8], by: Option<ClientId>) {
        if self.len() == 0 {
            return;
        }
        let by_prefix = self.by_prefix.read().unwrap_or_else(PoisonError::into_inner);
        for (_, watched) in by_prefix.iter().filter(|(prefix, _)| key.starts_with(prefix)) {
            watched.changed.lock().insert(key.into(), by);
            self.pending.store(true, Relaxed);
        }
    }

    /// Hands each client the keys that have changed under its prefixes.
    pub fn flush(&self, mut send: impl FnMut(&Client, &[Box<[u8]>])) {
        // Whoever has changed keys flushes afterwards, so no change can be left behind by reading a stale flag.
        if !self.pending.load(Relaxed) || !self.pending.swap(false, Relaxed) {
            return;
        }
        let by_prefix = self.by_prefix.read().unwrap_or_else(PoisonError::into_inner);
        for watched in by_prefix.values() {
            let changed = std::mem::take(&mut *watched.changed.lock());
            if changed.is_empty() {
                continue;
            }
            let all: Vec<Box<[u8]>> = changed.keys().cloned().collect();
            for client in watched.clients.values() {
                if !client.flags().contains(ClientFlags::TRACKING_NOLOOP) {
                    send(client, &all);
                    continue;
                }
                let others = changed.iter().filter(|(_, by)| **by != Some(client.id));
                let others: Vec<Box<[u8]>> = others.map(|(key, _)| key.clone()).collect();
                if !others.is_empty() {
                    send(client, &others);
                }
            }
        }
    }
}
