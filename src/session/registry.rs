//! All connected clients, by number, and the memory they take together while that is limited.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use dashmap::DashMap;

use super::client::{Client, ClientId};
use super::mailbox::CloseReason;

/// The registry of connected clients.
#[derive(Default)]
pub struct Clients {
    by_id: DashMap<ClientId, Arc<Client>>,
    next: AtomicU64,
    /// Whether memory is counted: `maxmemory-clients` is set.
    memory_limited: AtomicBool,
    /// The sum of what all clients have been counted with. Each client's part changes with the client, so that it is
    /// exact up to changes under way.
    memory: AtomicI64,
}

impl Clients {
    /// A number for the next client; the first is 1... and none is used twice.
    pub fn next_id(&self) -> ClientId {
        ClientId(self.next.fetch_add(1, Relaxed) + 1)
    }

    /// Enters a client.
    pub fn add(&self, client: Arc<Client>) {
        self.by_id.insert(client.id, client);
    }

    /// Strikes a client out.
    pub fn remove(&self, client: &Client) {
        self.by_id.remove(&client.id);
        self.memory.fetch_sub(client.counted_memory.swap(0, Relaxed) as i64, Relaxed);
    }

    /// Closes a client; it is struck out at once, whenever its connection gets to it.
    pub fn close(&self, client: &Client, reason: CloseReason) {
        client.close(reason);
        self.remove(client);
    }

    /// Whether the memory of clients is counted.
    pub fn is_memory_limited(&self) -> bool {
        self.memory_limited.load(Relaxed)
    }

    /// Starts or stops counting.
    pub fn limit_memory(&self, limited: bool) {
        self.memory_limited.store(limited, Relaxed);
    }

    /// Counts a client with what it takes now: what all take together. A client that has been struck out takes nothing.
    pub fn count_memory(&self, client: &Client) -> u64 {
        let now = if client.closing().is_some() { 0 } else { client.memory_usage() };
        let before = client.counted_memory.swap(now, Relaxed);
        let change = now as i64 - before as i64;
        (self.memory.fetch_add(change, Relaxed) + change).max(0) as u64
    }

    /// Sets the sum to what all clients have been found to take.
    pub fn correct_memory(&self, total: u64) {
        self.memory.store(total as i64, Relaxed);
    }

    /// The client with a number.
    pub fn get(&self, id: ClientId) -> Option<Arc<Client>> {
        self.by_id.get(&id).map(|entry| Arc::clone(&entry))
    }

    /// All clients, oldest first.
    pub fn all(&self) -> Vec<Arc<Client>> {
        let mut all: Vec<_> = self.by_id.iter().map(|entry| Arc::clone(&entry)).collect();
        all.sort_unstable_by_key(|client| client.id);
        all
    }

    /// How many are connected.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}
