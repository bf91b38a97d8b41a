//! Eviction, expiry, freeing.

use crate::config::kind::{BOOL, INT_MAX, Kind, LONG_MAX, ULONG_MAX, int, memory, one_of};
use crate::config::parameter::{Effect, parameters};
use crate::config::values::EvictionPolicy;

/// Redis's own words where its allocator is missing, which clients and tools match.
const NO_DEFRAG: &str = "Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified \
                         Jemalloc like the one shipped by default with the Redis source distribution";

parameters! {
    /// Eviction, expiry, freeing.
    pub struct Memory, memory;

    /// Bytes of memory for data, 0 for no limit.
    "maxmemory" => maxmemory: u64 = "0", memory(0, ULONG_MAX), [effect(Effect::MaxMemory)];

    /// What happens when maxmemory is reached: which keys are evicted, or that writes fail.
    "maxmemory-policy" => maxmemory_policy: EvictionPolicy = "noeviction", one_of::<EvictionPolicy>();

    /// Keys looked at to find one to evict; more is more exact and slower.
    "maxmemory-samples" => maxmemory_samples: u32 = "5", int(1, INT_MAX);

    /// How long eviction may delay a command, from 0 for little to 100 for any time.
    "maxmemory-eviction-tenacity" => maxmemory_eviction_tenacity: u32 = "10", int(0, 100);

    /// A replica leaves eviction to its primary.
    "replica-ignore-maxmemory" | "slave-ignore-maxmemory" => replica_ignore_maxmemory: bool = "yes", BOOL;

    /// How hard expired keys are looked for in the background.
    "active-expire-effort" => active_expire_effort: u32 = "1", int(1, 10);

    /// How slowly LFU counters grow.
    "lfu-log-factor" => lfu_log_factor: u32 = "10", int(0, INT_MAX);

    /// Minutes after which an LFU counter is decremented, 0 for never.
    "lfu-decay-time" => lfu_decay_time: u32 = "1", int(0, INT_MAX);

    /// Free evicted values in the background.
    "lazyfree-lazy-eviction" => lazyfree_lazy_eviction: bool = "no", BOOL;

    /// Free expired values in the background.
    "lazyfree-lazy-expire" => lazyfree_lazy_expire: bool = "no", BOOL;

    /// Free values that a command replaces in the background.
    "lazyfree-lazy-server-del" => lazyfree_lazy_server_del: bool = "no", BOOL;

    /// Make DEL free in the background, as UNLINK does.
    "lazyfree-lazy-user-del" => lazyfree_lazy_user_del: bool = "no", BOOL;

    /// Make FLUSHDB and FLUSHALL free in the background unless they say SYNC.
    "lazyfree-lazy-user-flush" => lazyfree_lazy_user_flush: bool = "no", BOOL;

    /// Rehash tables in the background; tables here grow shard by shard.
    "activerehashing" => activerehashing: bool = "yes", BOOL, [inert()];

    /// Let the allocator purge in a thread of its own.
    "jemalloc-bg-thread" => jemalloc_bg_thread: bool = "yes", BOOL, [inert()];

    /// Defragment memory in the background; cannot be enabled here.
    "activedefrag" => activedefrag: bool = "no", Kind::AlwaysNo(NO_DEFRAG);

    /// Bytes of fragmentation below which active defragmentation rests.
    "active-defrag-ignore-bytes" => active_defrag_ignore_bytes: u64 = "100mb", memory(1, LONG_MAX), [inert()];

    /// Percentage of fragmentation at which active defragmentation starts.
    "active-defrag-threshold-lower" => active_defrag_threshold_lower: u32 = "10", int(0, 1000), [inert()];

    /// Percentage of fragmentation at which active defragmentation works hardest.
    "active-defrag-threshold-upper" => active_defrag_threshold_upper: u32 = "100", int(0, 1000), [inert()];

    /// Percentage of CPU for active defragmentation at the lower threshold.
    "active-defrag-cycle-min" => active_defrag_cycle_min: u32 = "1", int(1, 99), [inert()];

    /// Percentage of CPU for active defragmentation at the upper threshold.
    "active-defrag-cycle-max" => active_defrag_cycle_max: u32 = "25", int(1, 99), [inert()];

    /// Fields of a value that active defragmentation handles in one go.
    "active-defrag-max-scan-fields" => active_defrag_max_scan_fields: u64 = "1000", int(1, LONG_MAX), [inert()];
}
