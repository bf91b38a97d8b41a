//! Closing idle clients (`timeout`).

use std::sync::atomic::Ordering::Relaxed;

use crate::base::clock::UnixMillis;
use crate::engine::Engine;
use crate::session::{ClientFlags, CloseReason};

/// Closes clients that have been idle for too long; those that wait or listen are not idle.
pub fn close_idle(engine: &Engine, now: UnixMillis) {
    let timeout_ms = i64::from(engine.config.settings().network.timeout) * 1000;
    if timeout_ms == 0 {
        return;
    }
    let exempt = ClientFlags::BLOCKED | ClientFlags::PUBSUB | ClientFlags::REPLICA | ClientFlags::PRIMARY;
    for client in engine.clients.all() {
        if now.0 - client.last_seen.load(Relaxed) > timeout_ms && !client.flags().intersects(exempt) {
            tracing::debug!(client = client.id.0, "Closing idle client");
            client.close(CloseReason::Asked);
        }
    }
}
