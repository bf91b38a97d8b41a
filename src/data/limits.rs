//! Where small encodings end.

/// The encoding limits, named as the parameters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of a listpack in a list, or, negative, its size class in bytes (-1: 4 KiB … -5: 64 KiB).
    pub list_max_listpack_size: i32,
    /// Accepted for Redis's sake; nodes are not compressed in memory.
    pub list_compress_depth: u32,
    /// Entries of a packed hash.
    pub hash_max_listpack_entries: usize,
    /// Longest field or value of a packed hash in bytes.
    pub hash_max_listpack_value: usize,
    /// Entries of an intset.
    pub set_max_intset_entries: usize,
    /// Entries of a packed set.
    pub set_max_listpack_entries: usize,
    /// Longest member of a packed set in bytes.
    pub set_max_listpack_value: usize,
    /// Entries of a packed sorted set.
    pub zset_max_listpack_entries: usize,
    /// Longest member of a packed sorted set in bytes.
    pub zset_max_listpack_value: usize,
    /// Bytes of a stream's node, 0 for no limit.
    pub stream_node_max_bytes: usize,
    /// Entries of a stream's node, 0 for no limit.
    pub stream_node_max_entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            list_max_listpack_size: -2,
            list_compress_depth: 0,
            hash_max_listpack_entries: 128,
            hash_max_listpack_value: 64,
            set_max_intset_entries: 512,
            set_max_listpack_entries: 128,
            set_max_listpack_value: 64,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value: 64,
            stream_node_max_bytes: 4096,
            stream_node_max_entries: 100,
        }
    }
}
