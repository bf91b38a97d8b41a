//! The encoding limits of the configuration in the form the value types take them.

use crate::config::Settings;
use crate::data::limits::Limits;

/// The limits.
pub fn encoding_limits(settings: &Settings) -> Limits {
    let encodings = &settings.encodings;
    let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Limits {
        list_max_listpack_size: encodings.list_max_listpack_size,
        list_compress_depth: encodings.list_compress_depth,
        hash_max_listpack_entries: size(encodings.hash_max_listpack_entries),
        hash_max_listpack_value: size(encodings.hash_max_listpack_value),
        set_max_intset_entries: size(encodings.set_max_intset_entries),
        set_max_listpack_entries: size(encodings.set_max_listpack_entries),
        set_max_listpack_value: size(encodings.set_max_listpack_value),
        zset_max_listpack_entries: size(encodings.zset_max_listpack_entries),
        zset_max_listpack_value: size(encodings.zset_max_listpack_value),
        stream_node_max_bytes: size(encodings.stream_node_max_bytes),
        stream_node_max_entries: size(encodings.stream_node_max_entries),
    }
}
