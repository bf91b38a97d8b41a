//! [`Spec`]: everything there is to say about a command, apart from the function that runs it.
//!
//! A spec is a constant. A row names what differs from [`Spec::BASE`]; whatever can be computed from another field
//! (implied categories, the legacy key range, `movablekeys`) is computed.

use super::channels::Channels;
use super::find::KeyFinder;
use super::flags::{Categories, Flags};
use super::keys::{BeginSearch, FindKeys, KeyFlags, KeySpec};
use super::secrets::Secrets;

/// What a command or subcommand is.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Lower case; a subcommand is `container|subcommand`.
    pub name: &'static str,
    /// The number of arguments, the name included (and the subcommand's); negative: at least that many.
    pub arity: i32,
    /// How it may be run.
    pub flags: Flags,
    /// ACL categories beside those that the flags imply.
    pub categories: Categories,
    /// Where its keys are.
    pub keys: &'static [KeySpec],
    /// How its keys are found.
    pub finder: KeyFinder,
    /// Which of its arguments are channels.
    pub channels: Channels,
    /// Which arguments nobody may see in a log.
    pub secrets: Secrets,
    /// Where the documentation puts it.
    pub group: Group,
    /// The version it came with.
    pub since: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Time complexity; empty where none is stated.
    pub complexity: &'static str,
    /// What changed, by version.
    pub history: &'static [(&'static str, &'static str)],
    /// Set where something else should be used instead.
    pub deprecated: Option<Deprecated>,
    /// Hints for clients and proxies.
    pub tips: &'static [&'static str],
    /// The arguments, in the language of [`super::parse_args`].
    pub args: &'static str,
}

/// Since when a command is deprecated, and what to use instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecated {
    /// The version.
    pub since: &'static str,
    /// The replacement, as documentation text.
    pub replaced_by: &'static str,
}

/// The part of the documentation a command belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Group {
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    PubSub,
    Transactions,
    Connection,
    Server,
    Scripting,
    HyperLogLog,
    Cluster,
    Geo,
    Stream,
    Bitmap,
}

impl Group {
    /// As COMMAND DOCS names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::Hash => "hash",
            Self::PubSub => "pubsub",
            Self::Transactions => "transactions",
            Self::Connection => "connection",
            Self::Server => "server",
            Self::Scripting => "scripting",
            Self::HyperLogLog => "hyperloglog",
            Self::Cluster => "cluster",
            Self::Geo => "geo",
            Self::Stream => "stream",
            Self::Bitmap => "bitmap",
        }
    }
}

/// The first key, last key and step of COMMAND INFO: the one plain range of key arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegacyRange {
    /// Position of the first key; 0 without keys.
    pub first: i32,
    /// Position of the last key; negative: counted from the end.
    pub last: i32,
    /// Distance of two keys.
    pub step: i32,
    /// Whether there are keys outside the range.
    pub movable: bool,
}

impl Spec {
    /// What a row starts from.
    pub const BASE: Self = Self {
        name: "",
        arity: 0,
        flags: Flags::NONE,
        categories: Categories::empty(),
        keys: &[],
        finder: KeyFinder::BySpecs,
        channels: Channels::None,
        secrets: Secrets::None,
        group: Group::Generic,
        since: "",
        summary: "",
        complexity: "",
        history: &[],
        deprecated: None,
        tips: &[],
        args: "",
    };

    /// Whether a request of `argc` arguments (name included) fits the arity.
    #[inline]
    pub fn accepts(&self, argc: usize) -> bool {
        let arity = self.arity.unsigned_abs() as usize;
        if self.arity >= 0 { argc == arity } else { argc >= arity }
    }

    /// Whether it has subcommands.
    #[inline]
    pub fn is_container(&self) -> bool {
        self.flags.contains(Flags::CONTAINER)
    }

    /// The container of a subcommand.
    pub fn container(&self) -> Option<&'static str> {
        self.name.split_once('|').map(|(container, _)| container)
    }

    /// The last part of the name: the subcommand's own name, or the command's.
    pub fn own_name(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, own)| own)
    }

    /// All its ACL categories.
    pub fn all_categories(&self) -> Categories {
        self.categories.implied_by(self.flags)
    }

    /// Whether any argument can be a key.
    pub fn has_keys(&self) -> bool {
        self.keys.iter().any(|spec| !spec.flags.contains(KeyFlags::NOT_KEY))
    }

    /// The flags that COMMAND INFO shows, `movablekeys` among them.
    pub fn shown_flags(&self) -> impl Iterator<Item = &'static str> {
        self.flags.shown_names().chain(self.legacy_range().movable.then_some("movablekeys"))
    }

    /// The flags that COMMAND DOCS shows.
    pub fn doc_flags(&self) -> impl Iterator<Item = &'static str> {
        let syscmd = self.flags.contains(Flags::SYSCMD).then_some("syscmd");
        self.deprecated.map(|_| "deprecated").into_iter().chain(syscmd)
    }

    /// The one plain range that clients from before key specs understand: the adjoining ranges of step 1 taken together.
    pub fn legacy_range(&self) -> LegacyRange {
        if self.keys.is_empty() {
            return LegacyRange::default();
        }
        if let [KeySpec { begin: BeginSearch::Index(first), find: FindKeys::Range { last, step, .. }, flags, .. }] =
            self.keys
        {
            let end = if *last < 0 { *last } else { first + last };
            return LegacyRange {
                first: *first,
                last: end,
                step: *step,
                movable: flags.contains(KeyFlags::INCOMPLETE),
            };
        }
        let mut range = LegacyRange::default();
        for spec in self.keys {
            let (BeginSearch::Index(first), FindKeys::Range { last, step: 1, .. }) = (spec.begin, spec.find) else {
                range.movable = true;
                continue;
            };
            if range.first != 0 && range.last != first - 1 {
                range.movable = true;
                continue;
            }
            range.movable |= spec.flags.contains(KeyFlags::INCOMPLETE);
            if range.first == 0 {
                range.first = first;
            }
            range.last = if last < 0 { last } else { first + last };
            range.step = 1;
        }
        range
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys;
    use super::*;

    #[test]
    fn arity_is_exact_or_a_minimum() {
        let exact = Spec { arity: 2, ..Spec::BASE };
        assert!(exact.accepts(2) && !exact.accepts(1) && !exact.accepts(3));
        let minimum = Spec { arity: -2, ..Spec::BASE };
        assert!(minimum.accepts(2) && !minimum.accepts(1) && minimum.accepts(30));
    }

    #[test]
    fn names_of_subcommands_have_two_parts() {
        let sub = Spec { name: "config|get", ..Spec::BASE };
        assert_eq!((sub.container(), sub.own_name()), (Some("config"), "get"));
        let plain = Spec { name: "get", ..Spec::BASE };
        assert_eq!((plain.container(), plain.own_name()), (None, "get"));
    }

    #[test]
    fn legacy_range_joins_adjoining_plain_ranges() {
        let range = |keys| Spec { keys, ..Spec::BASE }.legacy_range();
        let plain = |first, last, step, movable| LegacyRange { first, last, step, movable };
        assert_eq!(range(&[]), plain(0, 0, 0, false));
        assert_eq!(range(keys::FIRST_READ), plain(1, 1, 1, false));
        const RANGE_THEN_COUNT: &[KeySpec] =
            &[KeySpec::index(1, KeyFlags::OW), KeySpec::index(2, KeyFlags::RO).counted(0, 1, 1)];
        assert_eq!(range(RANGE_THEN_COUNT), plain(1, 1, 1, true));
        const TWO: &[KeySpec] = &[KeySpec::index(1, KeyFlags::RW), KeySpec::index(2, KeyFlags::RW).range(-1, 1, 0)];
        assert_eq!(range(TWO), plain(1, -1, 1, false));
        const PAIRS: &[KeySpec] = &[KeySpec::index(1, KeyFlags::OW).range(-1, 2, 0)];
        assert_eq!(range(PAIRS), plain(1, -1, 2, false));
        const COUNT: &[KeySpec] = &[KeySpec::index(1, KeyFlags::RO).counted(0, 1, 1)];
        assert_eq!(range(COUNT), plain(0, 0, 0, true));
    }
}
