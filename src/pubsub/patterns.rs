//! Patterns: every message is matched against each of them.
//!
//! The list is read by every publisher and rarely written, hence a lock whose readers do not share a cache line.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crossbeam_utils::sync::ShardedLock;
use indexmap::IndexMap;

use super::{Listeners, message};
use crate::base::glob;
use crate::config::values::BufferLimits;
use crate::session::{Client, ClientId};

type ByPattern = IndexMap<Box<[u8]>, Listeners, ahash::RandomState>;

/// All patterns.
#[derive(Default)]
pub(super) struct Patterns {
    // Every change is complete before its guard is dropped, so poisoning is ignored.
    by_pattern: ShardedLock<ByPattern>,
    /// How many there are; lets publishers skip the lock while there is none.
    count: AtomicUsize,
}

impl Patterns {
    /// `client` listens to what fits `pattern`.
    pub fn add(&self, pattern: &[u8], client: Arc<Client>) {
        let mut by_pattern = self.by_pattern.write().unwrap_or_else(PoisonError::into_inner);
        by_pattern.entry(pattern.into()).or_default().insert(client.id, client);
        self.count.store(by_pattern.len(), Relaxed);
    }

    /// A client does not listen to `pattern` any more.
    pub fn remove(&self, pattern: &[u8], id: ClientId) {
        let mut by_pattern = self.by_pattern.write().unwrap_or_else(PoisonError::into_inner);
        let Some(listeners) = by_pattern.get_mut(pattern) else { return };
        listeners.swap_remove(&id);
        if listeners.is_empty() {
            by_pattern.swap_remove(pattern);
        }
        self.count.store(by_pattern.len(), Relaxed);
    }

    /// Posts a message to the listeners of every pattern that its channel fits: how many they are.
    pub fn publish(&self, channel: &[u8], text: &[u8], limits: &BufferLimits) -> usize {
        if self.is_empty() {
            return 0;
        }
        let by_pattern = self.by_pattern.read().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        for (pattern, listeners) in by_pattern.iter().filter(|(pattern, _)| glob::matches(pattern, channel)) {
            let bytes = message::encode(&[b"pmessage", pattern, channel, text]);
            for client in listeners.values() {
                client.push(&bytes, limits);
            }
            count += listeners.len();
        }
        count
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many listen to `pattern`.
    pub fn listeners(&self, pattern: &[u8]) -> usize {
        self.by_pattern.read().unwrap_or_else(PoisonError::into_inner).get(pattern).map_or(0, IndexMap::len)
    }

    /// The patterns whose listeners are wanted.
    pub fn names_where(&self, wanted: impl Fn(&Listeners) -> bool) -> Vec<Box<[u8]>> {
        let by_pattern = self.by_pattern.read().unwrap_or_else(PoisonError::into_inner);
        by_pattern.iter().filter(|(_, listeners)| wanted(listeners)).map(|(pattern, _)| pattern.clone()).collect()
    }
}
