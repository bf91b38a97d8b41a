//! When values change their representation.

use crate::config::kind::{INT_MAX, INT_MIN, LONG_MAX, int, memory};
use crate::config::parameter::parameters;

parameters! {
    /// When values change their representation.
    pub struct Encodings, encodings;

    /// Fields up to which a hash is a listpack.
    "hash-max-listpack-entries" | "hash-max-ziplist-entries" => hash_max_listpack_entries: u64 = "512",
        int(0, LONG_MAX);

    /// Bytes of a field or value up to which a hash is a listpack.
    "hash-max-listpack-value" | "hash-max-ziplist-value" => hash_max_listpack_value: u64 = "64", memory(0, LONG_MAX);

    /// Size of a list's node: positive for elements, -1 to -5 for 4, 8, 16, 32 and 64 kilobytes.
    "list-max-listpack-size" | "list-max-ziplist-size" => list_max_listpack_size: i32 = "-2", int(INT_MIN, INT_MAX);

    /// Nodes at each end of a list that are never compressed; nodes in memory are not compressed here.
    "list-compress-depth" => list_compress_depth: u32 = "0", int(0, INT_MAX), [inert()];

    /// Members up to which a set of integers is an intset.
    "set-max-intset-entries" => set_max_intset_entries: u64 = "512", int(0, LONG_MAX);

    /// Members up to which a set is a listpack.
    "set-max-listpack-entries" => set_max_listpack_entries: u64 = "128", int(0, LONG_MAX);

    /// Bytes of a member up to which a set is a listpack.
    "set-max-listpack-value" => set_max_listpack_value: u64 = "64", int(0, LONG_MAX);

    /// Members up to which a sorted set is a listpack.
    "zset-max-listpack-entries" | "zset-max-ziplist-entries" => zset_max_listpack_entries: u64 = "128",
        int(0, LONG_MAX);

    /// Bytes of a member up to which a sorted set is a listpack.
    "zset-max-listpack-value" | "zset-max-ziplist-value" => zset_max_listpack_value: u64 = "64", memory(0, LONG_MAX);

    /// Bytes up to which a HyperLogLog is sparse.
    "hll-sparse-max-bytes" => hll_sparse_max_bytes: u64 = "3000", memory(0, LONG_MAX);

    /// Bytes of a stream's node, 0 for no limit.
    "stream-node-max-bytes" => stream_node_max_bytes: u64 = "4096", memory(0, LONG_MAX);

    /// Entries of a stream's node, 0 for no limit.
    "stream-node-max-entries" => stream_node_max_entries: u64 = "100", int(0, LONG_MAX);
}
