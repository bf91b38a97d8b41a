//! What clients may use.

use crate::config::kind::{Kind, LONG_MAX, UINT_MAX, int, memory};
use crate::config::parameter::{Effect, parameters};
use crate::config::values::{BufferLimits, ClientMemory};

parameters! {
    /// What clients may use.
    pub struct Limits, limits;

    /// Clients connected at once.
    "maxclients" => maxclients: u32 = "10000", int(1, UINT_MAX), [effect(Effect::MaxClients)];

    /// Memory of all clients together; the largest are closed above it.
    "maxmemory-clients" => maxmemory_clients: ClientMemory = "0", Kind::PercentOrMemory, [effect(Effect::ClientMemory)];

    /// Bytes of a request that is not complete.
    "client-query-buffer-limit" => client_query_buffer_limit: u64 = "1gb", memory(1024 * 1024, LONG_MAX);

    /// When a client is closed because it does not read its replies: class, hard limit, soft limit, seconds above the
    /// soft limit.
    "client-output-buffer-limit" => client_output_buffer_limit: BufferLimits =
        "normal 0 0 0 replica 256mb 64mb 60 pubsub 32mb 8mb 60", Kind::BufferLimits;

    /// Bytes of one argument, and of one string value.
    "proto-max-bulk-len" => proto_max_bulk_len: u64 = "512mb", memory(1024 * 1024, LONG_MAX);

    /// Keys remembered for clients that cache them.
    "tracking-table-max-keys" => tracking_table_max_keys: u64 = "1000000", int(0, LONG_MAX);
}
