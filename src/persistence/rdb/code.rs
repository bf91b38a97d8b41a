//! The numbers of the format: versions, types of values, opcodes between keys, special encodings of strings.

/// A version that is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Read by Redis 7.0 and later.
    V10,
    /// Read by Redis 7.2 and later: has packed sets, and streams with the time a consumer was last active.
    #[default]
    V11,
}

impl Version {
    /// The newest version that is understood: that of Redis 7.4, for its hashes whose fields expire.
    pub const NEWEST: u16 = 12;

    /// The version of this number, if it is one that is written.
    pub fn of_number(number: u16) -> Option<Self> {
        match number {
            10 => Some(Self::V10),
            11 => Some(Self::V11),
            _ => None,
        }
    }

    /// Its number.
    pub fn number(self) -> u16 {
        match self {
            Self::V10 => 10,
            Self::V11 => 11,
        }
    }
}

/// Types of values.
pub mod kind {
    /// A string.
    pub const STRING: u8 = 0;
    /// A list, element by element.
    pub const LIST: u8 = 1;
    /// A set, member by member.
    pub const SET: u8 = 2;
    /// A sorted set with scores as text.
    pub const ZSET: u8 = 3;
    /// A hash, field by field.
    pub const HASH: u8 = 4;
    /// A sorted set with binary scores.
    pub const ZSET_2: u8 = 5;
    /// A value of a module, from before modules could be skipped.
    pub const MODULE_OLD: u8 = 6;
    /// A value of a module.
    pub const MODULE: u8 = 7;
    /// A hash in a zipmap.
    pub const HASH_ZIPMAP: u8 = 9;
    /// A list in a ziplist.
    pub const LIST_ZIPLIST: u8 = 10;
    /// A set in an intset.
    pub const SET_INTSET: u8 = 11;
    /// A sorted set in a ziplist.
    pub const ZSET_ZIPLIST: u8 = 12;
    /// A hash in a ziplist.
    pub const HASH_ZIPLIST: u8 = 13;
    /// A list of ziplists.
    pub const LIST_QUICKLIST: u8 = 14;
    /// A stream.
    pub const STREAM: u8 = 15;
    /// A hash in a listpack.
    pub const HASH_LISTPACK: u8 = 16;
    /// A sorted set in a listpack.
    pub const ZSET_LISTPACK: u8 = 17;
    /// A list of listpacks and plain elements.
    pub const LIST_QUICKLIST_2: u8 = 18;
    /// A stream with counters.
    pub const STREAM_2: u8 = 19;
    /// A set in a listpack.
    pub const SET_LISTPACK: u8 = 20;
    /// A stream with counters and the activity of consumers.
    pub const STREAM_3: u8 = 21;
    /// A hash whose fields expire, field by field.
    pub const HASH_EXPIRING: u8 = 24;
    /// A hash whose fields expire, in a listpack.
    pub const HASH_LISTPACK_EXPIRING: u8 = 25;
}

/// Whether a byte in front of a key is the type of a value.
pub fn is_kind(byte: u8) -> bool {
    matches!(byte, 0..=7 | 9..=kind::STREAM_3 | kind::HASH_EXPIRING | kind::HASH_LISTPACK_EXPIRING)
}

/// The type of a value as TYPE names it.
pub fn type_name(kind: u8) -> &'static str {
    match kind {
        kind::STRING => "string",
        kind::LIST | kind::LIST_ZIPLIST | kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2 => "list",
        kind::SET | kind::SET_INTSET | kind::SET_LISTPACK => "set",
        kind::ZSET | kind::ZSET_2 | kind::ZSET_ZIPLIST | kind::ZSET_LISTPACK => "zset",
        kind::HASH | kind::HASH_ZIPMAP | kind::HASH_ZIPLIST | kind::HASH_LISTPACK => "hash",
        kind::HASH_EXPIRING | kind::HASH_LISTPACK_EXPIRING => "hash",
        kind::STREAM | kind::STREAM_2 | kind::STREAM_3 => "stream",
        _ => "module",
    }
}

/// What a file holds besides keys.
pub mod opcode {
    /// A cluster's slot and how many keys it has.
    pub const SLOT_INFO: u8 = 244;
    /// The code of a library of functions.
    pub const FUNCTION_2: u8 = 245;
    /// A function as a preliminary release of Redis 7.0 wrote it.
    pub const FUNCTION_OLD: u8 = 246;
    /// Data of a module that belongs to no key.
    pub const MODULE_AUX: u8 = 247;
    /// Seconds since the last use of the key that follows.
    pub const IDLE: u8 = 248;
    /// The frequency counter of the key that follows.
    pub const FREQ: u8 = 249;
    /// A name and a value about the file.
    pub const AUX: u8 = 250;
    /// How many keys follow, and how many of them expire.
    pub const RESIZE_DB: u8 = 251;
    /// When the key that follows expires, in milliseconds.
    pub const EXPIRE_TIME_MS: u8 = 252;
    /// When the key that follows expires, in seconds.
    pub const EXPIRE_TIME: u8 = 253;
    /// The database of what follows.
    pub const SELECT_DB: u8 = 254;
    /// The end.
    pub const EOF: u8 = 255;
}

/// Encodings of a string that stand where its length would.
pub mod string {
    /// One byte, signed.
    pub const INT8: u8 = 0;
    /// Two bytes, signed.
    pub const INT16: u8 = 1;
    /// Four bytes, signed.
    pub const INT32: u8 = 2;
    /// Compressed.
    pub const LZF: u8 = 3;
}

/// Nodes of a list.
pub mod container {
    /// One element.
    pub const PLAIN: u64 = 1;
    /// A listpack.
    pub const PACKED: u64 = 2;
}

/// Parts of a module's value.
pub mod module {
    /// The end.
    pub const EOF: u64 = 0;
    /// A signed integer.
    pub const SINT: u64 = 1;
    /// An unsigned integer.
    pub const UINT: u64 = 2;
    /// A number of four bytes.
    pub const FLOAT: u64 = 3;
    /// A number of eight bytes.
    pub const DOUBLE: u64 = 4;
    /// A string.
    pub const STRING: u64 = 5;
}
