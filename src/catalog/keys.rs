//! Where a command's keys are among its arguments, and what it does to them.
//!
//! Rows say it with key specs, as COMMAND INFO shows them; those that many rows share have a name here. Finding the
//! keys of a request is another matter, see [`super::for_each_key`].

use bitflags::bitflags;

bitflags! {
    /// What a command does to a key. Exactly one of RO, RW, OW and RM concerns the value with all that belongs to it;
    /// the others concern the user's data inside it.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct KeyFlags: u16 {
        /// Reads the value.
        const RO = 1 << 0;
        /// Modifies the value.
        const RW = 1 << 1;
        /// Overwrites the value.
        const OW = 1 << 2;
        /// Removes the key.
        const RM = 1 << 3;
        /// Returns, copies or uses the user's data.
        const ACCESS = 1 << 4;
        /// Changes data; what comes out may depend on what was there.
        const UPDATE = 1 << 5;
        /// Adds data, leaving what was there.
        const INSERT = 1 << 6;
        /// Deletes data.
        const DELETE = 1 << 7;
        /// Not a key, but routed like one in a cluster.
        const NOT_KEY = 1 << 8;
        /// There may be more keys than the spec finds.
        const INCOMPLETE = 1 << 9;
        /// Other arguments decide which of the flags hold.
        const VARIABLE_FLAGS = 1 << 10;
    }
}

impl KeyFlags {
    /// Reads the user's data.
    pub const READ: Self = Self::RO.union(Self::ACCESS);
    /// Overwrites a key with a result.
    pub const STORE: Self = Self::OW.union(Self::UPDATE);
    /// Changes data without showing it.
    pub const CHANGE: Self = Self::RW.union(Self::UPDATE);
    /// Changes data and shows some of it.
    pub const EXCHANGE: Self = Self::RW.union(Self::ACCESS).union(Self::UPDATE);
    /// Adds data.
    pub const ADD: Self = Self::RW.union(Self::INSERT);
    /// Deletes data.
    pub const REMOVE: Self = Self::RW.union(Self::DELETE);
    /// Deletes data and shows it.
    pub const TAKE: Self = Self::RW.union(Self::ACCESS).union(Self::DELETE);

    const NAMES: &[(Self, &str)] = &[
        (Self::RO, "RO"),
        (Self::RW, "RW"),
        (Self::OW, "OW"),
        (Self::RM, "RM"),
        (Self::ACCESS, "access"),
        (Self::UPDATE, "update"),
        (Self::INSERT, "insert"),
        (Self::DELETE, "delete"),
        (Self::NOT_KEY, "not_key"),
        (Self::INCOMPLETE, "incomplete"),
        (Self::VARIABLE_FLAGS, "variable_flags"),
    ];

    /// As COMMAND INFO and COMMAND GETKEYSANDFLAGS name them, in their order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| *name)
    }
}

/// One place where keys stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// Where to begin.
    pub begin: BeginSearch,
    /// Which arguments from there on are keys.
    pub find: FindKeys,
    /// What is done to them.
    pub flags: KeyFlags,
    /// An explanation for people; empty without one.
    pub notes: &'static str,
}

/// Where the search for keys begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginSearch {
    /// At a position.
    Index(i32),
    /// Behind a word.
    Keyword {
        /// The word, case ignored.
        word: &'static str,
        /// Where to look first; negative: counted from the end, and searched backwards.
        from: i32,
    },
    /// No rule says where.
    Unknown,
}

/// Which arguments are keys, from where the search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindKeys {
    /// A range.
    Range {
        /// The last key, counted from the first; negative: counted from the end of the request.
        last: i32,
        /// Distance of two keys.
        step: i32,
        /// With `last` -1 and above 1: only the first one in `limit` of the remaining arguments.
        limit: i32,
    },
    /// As many as an argument says.
    Keynum {
        /// Where the number stands.
        count: i32,
        /// Where the first key stands.
        first: i32,
        /// Distance of two keys.
        step: i32,
    },
    /// No rule says which.
    Unknown,
}

impl FindKeys {
    /// Just the argument where the search begins.
    pub const ONE: Self = Self::Range { last: 0, step: 1, limit: 0 };
}

impl KeySpec {
    /// One key at a position.
    pub const fn index(position: i32, flags: KeyFlags) -> Self {
        Self { begin: BeginSearch::Index(position), find: FindKeys::ONE, flags, notes: "" }
    }

    /// One key behind a word.
    pub const fn keyword(word: &'static str, from: i32, flags: KeyFlags) -> Self {
        Self { begin: BeginSearch::Keyword { word, from }, find: FindKeys::ONE, flags, notes: "" }
    }

    /// Keys that no rule finds.
    pub const fn unknown(flags: KeyFlags) -> Self {
        Self { begin: BeginSearch::Unknown, find: FindKeys::Unknown, flags, notes: "" }
    }

    /// A range instead of one key, see [`FindKeys::Range`].
    pub const fn range(self, last: i32, step: i32, limit: i32) -> Self {
        Self { find: FindKeys::Range { last, step, limit }, ..self }
    }

    /// Counted keys instead of one key, see [`FindKeys::Keynum`].
    pub const fn counted(self, count: i32, first: i32, step: i32) -> Self {
        Self { find: FindKeys::Keynum { count, first, step }, ..self }
    }

    /// With an explanation.
    pub const fn notes(self, notes: &'static str) -> Self {
        Self { notes, ..self }
    }
}

use KeyFlags as F;

/// The argument behind the name, read.
pub const FIRST_READ: &[KeySpec] = &[KeySpec::index(1, F::READ)];
/// The argument behind the name, looked at without showing its data.
pub const FIRST_RO: &[KeySpec] = &[KeySpec::index(1, F::RO)];
/// The argument behind the name, changed.
pub const FIRST_CHANGE: &[KeySpec] = &[KeySpec::index(1, F::CHANGE)];
/// The argument behind the name, changed and shown.
pub const FIRST_EXCHANGE: &[KeySpec] = &[KeySpec::index(1, F::EXCHANGE)];
/// The argument behind the name, added to.
pub const FIRST_ADD: &[KeySpec] = &[KeySpec::index(1, F::ADD)];
/// The argument behind the name, deleted from.
pub const FIRST_REMOVE: &[KeySpec] = &[KeySpec::index(1, F::REMOVE)];
/// The argument behind the name, deleted from and shown.
pub const FIRST_TAKE: &[KeySpec] = &[KeySpec::index(1, F::TAKE)];
/// The argument behind the name, overwritten.
pub const FIRST_STORE: &[KeySpec] = &[KeySpec::index(1, F::STORE)];

/// The argument behind a subcommand, read.
pub const SECOND_READ: &[KeySpec] = &[KeySpec::index(2, F::READ)];
/// The argument behind a subcommand, looked at without showing its data.
pub const SECOND_RO: &[KeySpec] = &[KeySpec::index(2, F::RO)];
/// The argument behind a subcommand, added to.
pub const SECOND_ADD: &[KeySpec] = &[KeySpec::index(2, F::ADD)];
/// The argument behind a subcommand, deleted from.
pub const SECOND_REMOVE: &[KeySpec] = &[KeySpec::index(2, F::REMOVE)];

/// All arguments, read.
pub const ALL_READ: &[KeySpec] = &[KeySpec::index(1, F::READ).range(-1, 1, 0)];
/// All arguments, looked at without showing their data.
pub const ALL_RO: &[KeySpec] = &[KeySpec::index(1, F::RO).range(-1, 1, 0)];
/// All arguments, removed.
pub const ALL_RM: &[KeySpec] = &[KeySpec::index(1, F::RM.union(F::DELETE)).range(-1, 1, 0)];
/// All arguments are channels.
pub const ALL_CHANNELS: &[KeySpec] = &[KeySpec::index(1, F::NOT_KEY).range(-1, 1, 0)];
/// All arguments but the last one, deleted from and shown.
pub const ALL_BUT_LAST_TAKE: &[KeySpec] = &[KeySpec::index(1, F::TAKE).range(-2, 1, 0)];

/// A number of keys and the keys, read.
pub const COUNTED_READ: &[KeySpec] = &[KeySpec::index(1, F::READ).counted(0, 1, 1)];
/// A number of keys and the keys, deleted from and shown.
pub const COUNTED_TAKE: &[KeySpec] = &[KeySpec::index(1, F::TAKE).counted(0, 1, 1)];
/// The same behind a timeout.
pub const SECOND_COUNTED_TAKE: &[KeySpec] = &[KeySpec::index(2, F::TAKE).counted(0, 1, 1)];

/// From the first argument to the second.
pub const TAKE_ADD: &[KeySpec] = &[KeySpec::index(1, F::TAKE), KeySpec::index(2, F::ADD)];
/// Into the first argument from the second.
pub const STORE_READ: &[KeySpec] = &[KeySpec::index(1, F::STORE), KeySpec::index(2, F::READ)];
/// Into the first argument from all others.
pub const STORE_ALL: &[KeySpec] = &[KeySpec::index(1, F::STORE), KeySpec::index(2, F::READ).range(-1, 1, 0)];
/// Into the first argument from counted others.
pub const STORE_COUNTED: &[KeySpec] = &[KeySpec::index(1, F::STORE), KeySpec::index(2, F::READ).counted(0, 1, 1)];
