//! Flags and ACL categories of commands, with the names under which COMMAND INFO and ACL show them.
//!
//! Flags are facts about a command; a category that follows from a flag is never written down, see
//! [`Categories::implied_by`].

use bitflags::bitflags;

use crate::base::release::{RELEASE, Release};

bitflags! {
    /// How a command may be run.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flags: u64 {
        /// May modify the keyspace.
        const WRITE = 1 << 0;
        /// Only reads keys.
        const READONLY = 1 << 1;
        /// Refused when memory is over the limit.
        const DENYOOM = 1 << 2;
        /// Comes from a module.
        const MODULE = 1 << 3;
        /// Administrative.
        const ADMIN = 1 << 4;
        /// Belongs to publish and subscribe.
        const PUBSUB = 1 << 5;
        /// Not callable from scripts.
        const NOSCRIPT = 1 << 6;
        /// May make the client wait.
        const BLOCKING = 1 << 7;
        /// Allowed while the dataset is being loaded.
        const LOADING = 1 << 8;
        /// Allowed on a replica whose data is stale.
        const STALE = 1 << 9;
        /// Not shown to MONITOR.
        const SKIP_MONITOR = 1 << 10;
        /// Not entered into the slow log.
        const SKIP_SLOWLOG = 1 << 11;
        /// Sets the ASKING state by itself in cluster mode.
        const ASKING = 1 << 12;
        /// Constant or logarithmic time.
        const FAST = 1 << 13;
        /// Allowed before authentication, and by every user.
        const NO_AUTH = 1 << 14;
        /// May replicate although it is no write.
        const MAY_REPLICATE = 1 << 15;
        /// Exists in sentinel mode too.
        const SENTINEL = 1 << 16;
        /// Has key arguments, but may be called without any.
        const NO_MANDATORY_KEYS = 1 << 17;
        /// Allowed only where an `enable-…-command` parameter says so.
        const PROTECTED = 1 << 18;
        /// Refused while loading in the background, even from a readable old dataset.
        const NO_ASYNC_LOADING = 1 << 19;
        /// Refused inside a transaction.
        const NO_MULTI = 1 << 20;
        /// Allowed while a script runs past its time.
        const ALLOW_BUSY = 1 << 21;
        /// May touch keys that are not among its arguments.
        const TOUCHES_ARBITRARY_KEYS = 1 << 22;

        /// Part of the server's own machinery; COMMAND DOCS says so.
        const SYSCMD = 1 << 32;
        /// Has subcommands, which are rows of their own.
        const CONTAINER = 1 << 33;
        /// Needs the whole keyspace to itself: enters the gate exclusively.
        const EXCLUSIVE = 1 << 34;
        /// Walks shards that its arguments do not name, locking them itself one at a time.
        const WALKS = 1 << 35;
        /// Touches the keys it names in a second database too.
        const OTHER_DB = 1 << 36;
        /// Runs at once between MULTI and EXEC instead of being queued.
        const NOT_QUEUED = 1 << 37;
        /// Runs the queue of a transaction.
        const RUNS_QUEUE = 1 << 38;
        /// Runs although clients are paused.
        const IGNORES_PAUSE = 1 << 39;
        /// Counts as an access of its keys even for clients that asked for none (CLIENT NO-TOUCH).
        const TOUCHES = 1 << 40;
        /// Shows whether the server is well: refused, as writes are, while snapshots cannot be saved.
        const SHOWS_HEALTH = 1 << 50;
        /// Allowed for a RESP2 client that is subscribed.
        const WHILE_SUBSCRIBED = 1 << 51;
        /// Its replies are out-of-band messages, which CLIENT REPLY does not silence.
        const PUSHES = 1 << 52;
        /// Runs the script whose text is its first argument.
        const RUNS_TEXT = 1 << 55;
        /// Runs the cached script whose digest is its first argument.
        const RUNS_DIGEST = 1 << 56;
        /// Runs the function whose name is its first argument.
        const RUNS_FUNCTION = 1 << 57;
        /// Runs what may take long, and what declares for itself how it may be run.
        const RUNS_SCRIPT = Self::RUNS_TEXT.bits() | Self::RUNS_DIGEST.bits() | Self::RUNS_FUNCTION.bits();
    }
}

bitflags! {
    /// The groups of commands that ACL rules name with `@`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Categories: u32 {
        /// `@keyspace`
        const KEYSPACE = 1 << 0;
        /// `@read`
        const READ = 1 << 1;
        /// `@write`
        const WRITE = 1 << 2;
        /// `@set`
        const SET = 1 << 3;
        /// `@sortedset`
        const SORTEDSET = 1 << 4;
        /// `@list`
        const LIST = 1 << 5;
        /// `@hash`
        const HASH = 1 << 6;
        /// `@string`
        const STRING = 1 << 7;
        /// `@bitmap`
        const BITMAP = 1 << 8;
        /// `@hyperloglog`
        const HYPERLOGLOG = 1 << 9;
        /// `@geo`
        const GEO = 1 << 10;
        /// `@stream`
        const STREAM = 1 << 11;
        /// `@pubsub`
        const PUBSUB = 1 << 12;
        /// `@admin`
        const ADMIN = 1 << 13;
        /// `@fast`
        const FAST = 1 << 14;
        /// `@slow`
        const SLOW = 1 << 15;
        /// `@blocking`
        const BLOCKING = 1 << 16;
        /// `@dangerous`
        const DANGEROUS = 1 << 17;
        /// `@connection`
        const CONNECTION = 1 << 18;
        /// `@transaction`
        const TRANSACTION = 1 << 19;
        /// `@scripting`
        const SCRIPTING = 1 << 20;
    }
}

impl Flags {
    /// Nothing, for rows without flags.
    pub const NONE: Self = Self::empty();

    /// Not callable from scripts where Redis 7.0 is followed; 7.2 lets scripts call it, and it does not wait there.
    pub const NOSCRIPT_IN_70: Self = match RELEASE {
        Release::Redis70 => Self::NOSCRIPT,
        Release::Redis72 => Self::NONE,
    };

    /// The flags that COMMAND INFO shows, under the names and in the order it shows them. The others are hidden.
    const SHOWN: &[(Self, &str)] = &[
        (Self::WRITE, "write"),
        (Self::READONLY, "readonly"),
        (Self::DENYOOM, "denyoom"),
        (Self::MODULE, "module"),
        (Self::ADMIN, "admin"),
        (Self::PUBSUB, "pubsub"),
        (Self::NOSCRIPT, "noscript"),
        (Self::BLOCKING, "blocking"),
        (Self::LOADING, "loading"),
        (Self::STALE, "stale"),
        (Self::SKIP_MONITOR, "skip_monitor"),
        (Self::SKIP_SLOWLOG, "skip_slowlog"),
        (Self::ASKING, "asking"),
        (Self::FAST, "fast"),
        (Self::NO_AUTH, "no_auth"),
        (Self::NO_MANDATORY_KEYS, "no_mandatory_keys"),
        (Self::NO_ASYNC_LOADING, "no_async_loading"),
        (Self::NO_MULTI, "no_multi"),
        (Self::ALLOW_BUSY, "allow_busy"),
    ];

    /// The names that COMMAND INFO shows.
    pub fn shown_names(self) -> impl Iterator<Item = &'static str> {
        Self::SHOWN.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| *name)
    }
}

impl Categories {
    /// All categories with their names, in the order ACL CAT lists them.
    pub const NAMES: &[(Self, &str)] = &[
        (Self::KEYSPACE, "keyspace"),
        (Self::READ, "read"),
        (Self::WRITE, "write"),
        (Self::SET, "set"),
        (Self::SORTEDSET, "sortedset"),
        (Self::LIST, "list"),
        (Self::HASH, "hash"),
        (Self::STRING, "string"),
        (Self::BITMAP, "bitmap"),
        (Self::HYPERLOGLOG, "hyperloglog"),
        (Self::GEO, "geo"),
        (Self::STREAM, "stream"),
        (Self::PUBSUB, "pubsub"),
        (Self::ADMIN, "admin"),
        (Self::FAST, "fast"),
        (Self::SLOW, "slow"),
        (Self::BLOCKING, "blocking"),
        (Self::DANGEROUS, "dangerous"),
        (Self::CONNECTION, "connection"),
        (Self::TRANSACTION, "transaction"),
        (Self::SCRIPTING, "scripting"),
    ];

    /// The names of these categories, without the `@`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(category, _)| self.contains(*category)).map(|(_, name)| *name)
    }

    /// The category of a name (without the `@`), case ignored.
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::NAMES.iter().find(|(_, n)| n.as_bytes().eq_ignore_ascii_case(name)).map(|(category, _)| *category)
    }

    /// These categories and those that follow from a command's flags.
    pub fn implied_by(self, flags: Flags) -> Self {
        let mut all = self;
        let mut add = |flag, categories| {
            if flags.contains(flag) {
                all |= categories;
            }
        };
        add(Flags::WRITE, Self::WRITE);
        // A script's own commands decide whether it reads.
        if !self.contains(Self::SCRIPTING) {
            add(Flags::READONLY, Self::READ);
        }
        add(Flags::ADMIN, Self::ADMIN | Self::DANGEROUS);
        add(Flags::PUBSUB, Self::PUBSUB);
        add(Flags::FAST, Self::FAST);
        add(Flags::BLOCKING, Self::BLOCKING);
        // Whatever is not fast is slow.
        if all.contains(Self::FAST) { all } else { all | Self::SLOW }
    }
}

/// The union of flags, in a constant: `flags![WRITE, DENYOOM]`.
macro_rules! flags {
    ($($name:ident),*) => { $crate::catalog::Flags::NONE$(.union($crate::catalog::Flags::$name))* };
}

/// The union of categories, in a constant: `categories![KEYSPACE, DANGEROUS]`.
macro_rules! categories {
    ($($name:ident),*) => { $crate::catalog::Categories::empty()$(.union($crate::catalog::Categories::$name))* };
}

pub(crate) use {categories, flags};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_follow_from_flags() {
        let cases: &[(Categories, Flags, &[&str])] = &[
            (Categories::STRING, flags![READONLY, FAST], &["read", "string", "fast"]),
            (Categories::LIST, flags![WRITE, BLOCKING], &["write", "list", "slow", "blocking"]),
            (Categories::SCRIPTING, flags![READONLY], &["slow", "scripting"]),
            (Categories::empty(), flags![ADMIN, PUBSUB], &["pubsub", "admin", "slow", "dangerous"]),
        ];
        for (own, flags, names) in cases {
            assert_eq!(own.implied_by(*flags).names().collect::<Vec<_>>(), *names);
        }
    }

    #[test]
    fn categories_are_found_by_name_in_any_case() {
        assert_eq!(Categories::named(b"SortedSet"), Some(Categories::SORTEDSET));
        assert_eq!(Categories::named(b"sorted"), None);
        assert_eq!(Categories::NAMES.len(), Categories::all().iter().count());
    }

    #[test]
    fn hidden_flags_are_not_shown() {
        let flags = flags![WRITE, MAY_REPLICATE, PROTECTED, EXCLUSIVE, FAST];
        assert_eq!(flags.shown_names().collect::<Vec<_>>(), ["write", "fast"]);
    }
}
