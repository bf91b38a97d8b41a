//! The names that OBJECT ENCODING answers where releases of Redis differ.
//!
//! Redis 7.2 packs small lists and small sets of strings into listpacks and says so; Redis 7.0 does neither. The types here pack as
//! 7.2 does, whatever they call it, and [`NAMES`] is the one place that chooses what they call it.

/// A release whose names are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Every list is a `quicklist`, every set that is no intset a `hashtable`.
    Redis70,
    /// A packed list or set is a `listpack`.
    Redis72,
}

/// The names in force: those of the release that the conformance suite belongs to.
pub const NAMES: Names = Names::Redis70;

impl Names {
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
