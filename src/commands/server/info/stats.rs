//! INFO's section of counters.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::text::Text;
use crate::acl::{Reason, Refused};
use crate::engine::Context;
use crate::metrics::Rate;
use crate::session::SubscriptionKind;

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    let totals = ctx.engine.totals();
    let rates = &ctx.engine.rates;
    let count = |text: &mut Text, name: &str, counter: &AtomicU64| text.field(name, counter.load(Relaxed));
    let kilobytes = |text: &mut Text, name: &str, rate: &Rate| text.decimal(name, rate.per_second() as f64 / 1024.0);
    text.section("Stats");
    count(text, "total_connections_received", &totals.connections);
    count(text, "total_commands_processed", &totals.commands);
    text.field("instantaneous_ops_per_sec", rates.commands.per_second());
    count(text, "total_net_input_bytes", &totals.input_bytes);
    count(text, "total_net_output_bytes", &totals.output_bytes);
    text.field("total_net_repl_input_bytes", ctx.engine.replication.link.report().input_bytes);
    count(text, "total_net_repl_output_bytes", &totals.replica_output_bytes);
    kilobytes(text, "instantaneous_input_kbps", &rates.input);
    kilobytes(text, "instantaneous_output_kbps", &rates.output);
    kilobytes(text, "instantaneous_input_repl_kbps", &rates.replica_input);
    kilobytes(text, "instantaneous_output_repl_kbps", &rates.replica_output);
    count(text, "rejected_connections", &totals.rejected_connections);
    let replication = &ctx.engine.replication;
    count(text, "sync_full", &replication.full_syncs);
    count(text, "sync_partial_ok", &replication.continuations);
    count(text, "sync_partial_err", &replication.refusals);
    count(text, "expired_keys", &totals.expired);
    // Keys that are due are known, not sampled: none is left behind.
    text.decimal("expired_stale_perc", 0.0);
    count(text, "expired_time_cap_reached_count", &totals.expiry_rounds_cut);
    text.field("expire_cycle_cpu_milliseconds", totals.expiry_us.load(Relaxed) / 1000);
    count(text, "evicted_keys", &totals.evicted);
    count(text, "evicted_clients", &totals.evicted_clients);
    let (current, total) = ctx.engine.over_maxmemory.read(ctx.now());
    text.field("total_eviction_exceeded_time", total);
    text.field("current_eviction_exceeded_time", current);
    count(text, "keyspace_hits", &totals.hits);
    count(text, "keyspace_misses", &totals.misses);
    text.field("pubsub_channels", ctx.engine.pubsub.len_of(SubscriptionKind::Channel));
    text.field("pubsub_patterns", ctx.engine.pubsub.len_of(SubscriptionKind::Pattern));
    text.field("pubsubshard_channels", ctx.engine.pubsub.len_of(SubscriptionKind::ShardChannel));
    text.all(&["latest_fork_usec", "total_forks"], 0);
    text.field("migrate_cached_sockets", ctx.engine.idle_peers.len());
    text.field("slave_expires_tracked_keys", replication.own_keys.len());
    text.all(
        &[
            "active_defrag_hits",
            "active_defrag_misses",
            "active_defrag_key_hits",
            "active_defrag_key_misses",
            "total_active_defrag_time",
            "current_active_defrag_time",
        ],
        0,
    );
    text.field("tracking_total_keys", ctx.engine.tracking.keys());
    text.field("tracking_total_items", ctx.engine.tracking.items());
    text.field("tracking_total_prefixes", ctx.engine.tracking.prefixes());
    count(text, "unexpected_error_replies", &totals.unexpected_errors);
    count(text, "total_error_replies", &totals.errors);
    text.field("dump_payload_sanitizations", 0);
    count(text, "total_reads_processed", &totals.reads);
    count(text, "total_writes_processed", &totals.writes);
    text.all(&["io_threaded_reads_processed", "io_threaded_writes_processed"], 0);
    count(text, "client_query_buffer_limit_disconnections", &totals.query_buffer_closed);
    count(text, "client_output_buffer_limit_disconnections", &totals.output_buffer_closed);
    text.all(&["reply_buffer_shrinks", "reply_buffer_expands"], 0);
    // There is no single event loop whose rounds could be counted.
    text.all(
        &[
            "eventloop_cycles",
            "eventloop_duration_sum",
            "eventloop_duration_cmd_sum",
            "instantaneous_eventloop_cycles_per_sec",
            "instantaneous_eventloop_duration_usec",
        ],
        0,
    );
    for (name, refused) in [
        ("acl_access_denied_auth", Refused::Authentication),
        ("acl_access_denied_cmd", Refused::Request(Reason::Command)),
        ("acl_access_denied_key", Refused::Request(Reason::Key)),
        ("acl_access_denied_channel", Refused::Request(Reason::Channel)),
    ] {
        text.field(name, ctx.engine.acl_log.count(refused));
    }
}
