//! INFO's section on clients.

use std::sync::atomic::Ordering::Relaxed;

use super::text::Text;
use crate::engine::Context;
use crate::session::ClientFlags;

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    let clients = ctx.engine.clients.all();
    let replicas = clients.iter().filter(|client| client.flags().contains(ClientFlags::REPLICA)).count();
    let largest_input = clients.iter().map(|client| client.query_capacity.load(Relaxed)).max();
    let largest_output = clients.iter().map(|client| client.output_peak.load(Relaxed)).max();
    text.section("Clients");
    text.field("connected_clients", clients.len() - replicas);
    text.field("cluster_connections", 0);
    text.field("maxclients", ctx.settings.limits.maxclients);
    text.field("client_recent_max_input_buffer", largest_input.unwrap_or(0));
    text.field("client_recent_max_output_buffer", largest_output.unwrap_or(0));
    text.field("blocked_clients", blocked(ctx.engine));
    text.field("tracking_clients", ctx.engine.tracking.clients());
    // Deadlines are timers of the connections' own tasks.
    text.field("clients_in_timeout_table", 0);
    text.field("total_blocking_keys", ctx.engine.waiters.key_count());
    text.field("total_blocking_keys_on_nokey", ctx.engine.waiters.key_count_until_lost());
}

/// Clients that wait: in a blocking command, or held back by a pause.
fn blocked(engine: &crate::engine::Engine) -> usize {
    engine.clients.all().iter().filter(|client| client.flags().contains(crate::session::ClientFlags::BLOCKED)).count()
}
