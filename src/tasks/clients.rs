//! What is done for all clients from time to time: idle ones are closed (`timeout`) or give back buffers, slow readers are
//! closed (`client-output-buffer-limit`), memory is recounted (`maxmemory-clients`).

use std::sync::atomic::Ordering::Relaxed;

use crate::base::clock::UnixMillis;
use crate::engine::Engine;
use crate::session::{ClientFlags, CloseReason, FIXED_OUTPUT_BYTES, Signal};

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
            engine.clients.close(&client, CloseReason::Asked);
        }
    }
}

/// Closes clients that have been above their soft output limit for too long, though nobody sends them anything more.
pub fn enforce_output_limits(engine: &Engine) {
    let settings = engine.config.settings();
    for client in engine.clients.all() {
        if client.queued_output() > FIXED_OUTPUT_BYTES {
            client.enforce_output_limit(&settings.limits.client_output_buffer_limit);
        }
    }
}

/// Lets idle clients give back buffers they do not need.
pub fn trim_idle(engine: &Engine, now: UnixMillis) {
    const IDLE_MS: i64 = 2_000;
    const SPARE_BYTES: u64 = 4 * 1024;
    for client in engine.clients.all() {
        let spare = client.query_capacity.load(Relaxed).saturating_sub(client.query_bytes.load(Relaxed));
        if now.0 - client.last_seen.load(Relaxed) > IDLE_MS && spare > SPARE_BYTES && !client.has_mail() {
            client.post(Signal::Trim);
        }
    }
}

/// Corrects the memory of all clients together.
pub fn recount_memory(engine: &Engine) {
    engine.recount_clients(&engine.config.settings(), engine.background_worker());
}

/// Keeps the table of tracked keys to its limit.
pub fn limit_tracked_keys(engine: &Engine) {
    engine.limit_tracked_keys(&engine.config.settings());
}
