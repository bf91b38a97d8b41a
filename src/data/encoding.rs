//! The names that OBJECT ENCODING answers where releases of Redis differ.
//!
//! Redis 7.2 packs small lists and small sets of strings into listpacks and says so; Redis 7.0 does neither: every list is a
//! `quicklist`, every set that is no intset a `hashtable`. The types here pack as 7.2 does, whatever they call it.

use crate::base::release::Release;

impl Release {
    /// A list in one listpack.
    pub(super) fn packed_list(self) -> &'static str {
        match self {
            Self::Redis70 => "quicklist",
            Self::Redis72 => "listpack",
        }
    }

    /// A set in one listpack.
    pub(super) fn packed_set(self) -> &'static str {
        match self {
            Self::Redis70 => "hashtable",
            Self::Redis72 => "listpack",
        }
    }
}
