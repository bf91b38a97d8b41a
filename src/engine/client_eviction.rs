//! `maxmemory-clients`: closes the largest clients while all clients together take more than allowed.
//!
//! Each connection counts its own memory as it changes, so the sum is known without a walk. Only when it passes the limit
//! all clients are looked at, and closed from the largest down. Replicas and primaries neither count nor go; a client
//! with `CLIENT NO-EVICT` counts but does not go.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::Engine;
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::metrics::Totals;
use crate::session::{Client, ClientFlags, CloseReason};

/// The least limit: below it no client could say anything.
const MIN_LIMIT: u64 = 128 * 1024;

/// The limit in force, if there is one.
fn limit(settings: &Settings) -> Option<u64> {
    let limit = settings.limits.maxmemory_clients.limit(settings.memory.maxmemory);
    limit.map(|bytes| bytes.max(MIN_LIMIT))
}

impl Engine {
    /// Counts a client's memory, and closes clients if that is too much.
    pub fn account_client(&self, client: &Client, worker: usize) {
        if client.flags().intersects(ClientFlags::REPLICA | ClientFlags::PRIMARY) {
            return;
        }
        let total = self.clients.count_memory(client);
        let settings = self.config.settings();
        if limit(&settings).is_some_and(|limit| total > limit) {
            self.evict_clients(&settings, worker);
        }
    }

    /// Takes a new limit into force, and corrects the sum. Also called from time to time: a client that is closed while it
    /// is being counted may leave a trace in the sum.
    pub fn recount_clients(&self, settings: &Settings, worker: usize) {
        self.clients.limit_memory(limit(settings).is_some());
        if self.clients.is_memory_limited() {
            self.evict_clients(settings, worker);
        }
    }

    fn evict_clients(&self, settings: &Settings, worker: usize) {
        let Some(limit) = limit(settings) else { return };
        // One at a time: two would both close clients for the same excess.
        let _alone = self.client_eviction.lock();
        let mut clients = self.clients.all();
        clients.retain(|client| !client.flags().intersects(ClientFlags::REPLICA | ClientFlags::PRIMARY));
        for client in &clients {
            self.clients.count_memory(client);
        }
        let size = |client: &Arc<Client>| client.counted_memory.load(Relaxed);
        let mut total: u64 = clients.iter().map(size).sum();
        self.clients.correct_memory(total);
        if total <= limit {
            return;
        }
        clients.retain(|client| !client.flags().contains(ClientFlags::NO_EVICT));
        clients.sort_by_key(size);
        while total > limit {
            let Some(client) = clients.pop() else {
                tracing::debug!("Over client maxmemory after evicting all evictable clients");
                return;
            };
            total -= size(&client).min(total);
            tracing::info!("Evicting client: {}", self.describe_client(&client, UnixMillis::now()));
            self.clients.close(&client, CloseReason::Evicted);
            Totals::bump(&self.workers[worker].totals.evicted_clients, 1);
        }
    }
}
