//! What a command changes, collected while it runs, and the one funnel through which every change leaves.
//!
//! A handler says *how often* it changed something (`dirty`), and, where replaying the request as it came would not
//! give the same result, *how it must be replayed*. The engine passes that on under the locks the change was made with.

use crate::keyspace::DbIndex;
use crate::resp::OwnedArgs;
use crate::scripting::ReplicationTargets;

bitflags::bitflags! {
    /// Classes of keyspace notifications, with the values of Redis's `notify-keyspace-events`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct EventClass: u32 {
        /// `K`: published to `__keyspace@<db>__`.
        const KEYSPACE = 1 << 0;
        /// `E`: published to `__keyevent@<db>__`.
        const KEYEVENT = 1 << 1;
        /// `g`
        const GENERIC = 1 << 2;
        /// `$`
        const STRING = 1 << 3;
        /// `l`
        const LIST = 1 << 4;
        /// `s`
        const SET = 1 << 5;
        /// `h`
        const HASH = 1 << 6;
        /// `z`
        const ZSET = 1 << 7;
        /// `x`
        const EXPIRED = 1 << 8;
        /// `e`
        const EVICTED = 1 << 9;
        /// `t`
        const STREAM = 1 << 10;
        /// `m`
        const KEY_MISS = 1 << 11;
        /// `d`
        const MODULE = 1 << 13;
        /// `n`
        const NEW = 1 << 14;
    }
}

/// An event of a keyspace notification.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// Its class.
    pub class: EventClass,
    /// Its name.
    pub name: &'static str,
    /// Where the key is.
    pub db: DbIndex,
    /// The key.
    pub key: Box<[u8]>,
}

/// How a change must be replayed.
#[derive(Debug, Default)]
pub enum Replay {
    /// As the request came.
    #[default]
    AsIs,
    /// As these commands instead; none at all if empty.
    As(Vec<OwnedArgs>),
    /// As these commands instead, each in its own database; what they changed has been counted.
    Each(Vec<Replayed>),
}

/// A command as it must be replayed, in which database, and by whom.
pub type Replayed = (DbIndex, OwnedArgs, ReplicationTargets);

/// The change a command makes.
#[derive(Debug, Default)]
pub struct Change {
    /// How many things changed, as `rdb_changes_since_last_save` counts them.
    pub dirty: u64,
    /// How it must be replayed.
    pub replay: Replay,
    /// Whether it is replayed although nothing changed.
    pub always: bool,
    /// Whether only replicas replay it.
    pub replicas_only: bool,
    /// Events to publish, in order.
    pub events: Vec<Event>,
}

impl Change {
    /// `count` things changed.
    pub fn dirty(&mut self, count: usize) {
        self.dirty += count as u64;
    }

    /// The command must be replayed as this one instead; may be called several times.
    pub fn replay_as(&mut self, arguments: &[&[u8]]) {
        let command: OwnedArgs = arguments.iter().copied().collect();
        match &mut self.replay {
            Replay::As(commands) => commands.push(command),
            Replay::AsIs | Replay::Each(_) => self.replay = Replay::As(vec![command]),
        }
    }

    /// The command must be replayed although it changes nothing.
    pub fn replay_always(&mut self) {
        self.always = true;
    }

    /// Replicas must replay the command although it changes nothing (a message that is published).
    pub fn replay_on_replicas(&mut self) {
        (self.always, self.replicas_only) = (true, true);
    }

    /// The command must not be replayed at all.
    pub fn replay_nothing(&mut self) {
        self.replay = Replay::As(Vec::new());
    }

    pub(super) fn event(&mut self, class: EventClass, name: &'static str, db: DbIndex, key: &[u8]) {
        self.events.push(Event { class, name, db, key: key.into() });
    }
}
