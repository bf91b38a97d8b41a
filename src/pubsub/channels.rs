//! Channels by name: a sharded map, so that publishers of different channels do not meet.
//!
//! A publisher holds its channel's shard for reading while it posts, so a listener that has been removed gets nothing more.

use std::sync::Arc;

use dashmap::DashMap;

use super::{Listeners, message};
use crate::config::values::BufferLimits;
use crate::session::{Client, ClientId};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The channels of one kind.
#[derive(Default)]
pub(super) struct Channels {
    by_name: DashMap<Box<[u8]>, Listeners, ahash::RandomState>,
    /// How many there are; lets publishers skip the map while it is empty.
    count: AtomicUsize,
}

impl Channels {
    /// `client` listens to `name`.
    pub fn add(&self, name: &[u8], client: Arc<Client>) {
        let mut listeners = self.by_name.entry(name.into()).or_insert_with(|| {
            self.count.fetch_add(1, Relaxed);
            Listeners::default()
        });
        listeners.insert(client.id, client);
    }

    /// A client does not listen to `name` any more.
    pub fn remove(&self, name: &[u8], id: ClientId) {
        let Some(mut listeners) = self.by_name.get_mut(name) else { return };
        listeners.swap_remove(&id);
        let empty = listeners.is_empty();
        drop(listeners);
        // Somebody else may have come in between.
        if empty && self.by_name.remove_if(name, |_, listeners| listeners.is_empty()).is_some() {
            self.count.fetch_sub(1, Relaxed);
        }
    }

    /// Posts a message to all listeners of `name`: how many they are.
    pub fn publish(&self, word: &[u8], name: &[u8], text: &[u8], limits: &BufferLimits) -> usize {
        if self.is_empty() {
            return 0;
        }
        let Some(listeners) = self.by_name.get(name) else { return 0 };
        let bytes = message::encode(&[word, name, text]);
        for client in listeners.values() {
            client.push(&bytes, limits);
        }
        listeners.len()
    }

    /// How many channels have listeners.
    pub fn len(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Whether no channel has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many listen to `name`.
    pub fn listeners(&self, name: &[u8]) -> usize {
        self.by_name.get(name).map_or(0, |listeners| listeners.len())
    }

    /// The names whose listeners are wanted.
    pub fn names_where(&self, wanted: impl Fn(&Listeners) -> bool) -> Vec<Box<[u8]>> {
        self.by_name.iter().filter(|entry| wanted(entry.value())).map(|entry| entry.key().clone()).collect()
    }
}
