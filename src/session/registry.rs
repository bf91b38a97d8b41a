//! All connected clients, by number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use dashmap::DashMap;

use super::client::{Client, ClientId};

/// The registry of connected clients.
#[derive(Default)]
pub struct Clients {
    by_id: DashMap<ClientId, Arc<Client>>,
    next: AtomicU64,
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
    pub fn remove(&self, id: ClientId) {
        self.by_id.remove(&id);
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
