//! The keys as one command sees them: locked, with expired ones out of sight.
//!
//! The engine makes a [`Keys`] from the keys that the command's row declares; it holds their shards' locks until it is dropped. Reading methods take
//! `&self`, so several values can be looked at together; writing ones take `&mut self`. Touching a key that was not declared, or
//! writing under a read lock, is a bug of the row and panics in debug builds and release builds alike.
//! Under the exclusive gate nothing is locked, and every key may be touched.
//!
//! This file holds the locks and is the only one that reaches into a shard by pointer; what is done with the keys stands beside it.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use dashmap::RawRwLock;
use lock_api::RawRwLock as _;
use smallvec::SmallVec;

use super::database::{Database, DbIndex, Keyspace};
use super::entry::Entry;
use super::freshness::Freshness;
use super::hashed::HashedKey;
use super::table::Table;
use crate::base::clock::UnixMillis;

mod effect;
mod expire;
mod read;
mod walk;
mod write;

pub use effect::Effect;
pub use expire::ExpiredFields;
pub use write::KeepExpiry;

/// How a key will be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Looked at.
    Read,
    /// Changed, created or removed.
    Write,
}

/// A key to lock.
#[derive(Clone, Copy, Debug)]
pub struct LockRequest {
    /// Its database.
    pub db: DbIndex,
    /// Its hash.
    pub hash: u64,
    /// What for.
    pub access: Access,
}

struct Held {
    slot: u32,
    shard: u32,
    access: Access,
}

/// A command's view of the keyspace.
pub struct Keys<'g> {
    keyspace: &'g Keyspace,
    /// Locked shards, ascending; `None`: everything, under the exclusive gate.
    held: Option<SmallVec<[Held; 2]>>,
    db: DbIndex,
    /// The instant the command runs at.
    pub now: UnixMillis,
    freshness: Freshness,
    /// Whether reads leave freshness alone (`CLIENT NO-TOUCH`).
    pub no_touch: bool,
    /// Whether what waiting clients may look for is reported (someone is blocked somewhere).
    report_created: bool,
    /// The hash of the one key that a command names.
    hashed: HashedKey,
    /// Whether creations are written down for keyspace notifications.
    report_new: bool,
    /// Whether lookups that find nothing are reported.
    report_missed: bool,
    /// Keys that came into being, while `report_new` is set.
    new: Vec<(DbIndex, Box<[u8]>)>,
    /// Whether keys past their expiry are still seen (loading, or a replica applying its primary's stream).
    pub see_expired: bool,
    effects: RefCell<Vec<Effect>>,
    hits: Cell<u32>,
    misses: Cell<u32>,
    /// Raw pointers to tables are only good on the thread that took the locks.
    not_send: PhantomData<*const ()>,
}

impl<'g> Keys<'g> {
    /// Locks what is asked for, in the lock order.
    pub fn lock(
        keyspace: &'g Keyspace,
        db: DbIndex,
        requests: &[LockRequest],
        now: UnixMillis,
        freshness: Freshness,
    ) -> Self {
        let mut held: SmallVec<[Held; 2]> = requests
            .iter()
            .map(|r| Held {
                slot: keyspace.slot(r.db),
                shard: keyspace.database(r.db).shard_of(r.hash) as u32,
                access: r.access,
            })
            .collect();
        if held.len() > 1 {
            held.sort_unstable_by_key(|h| (h.slot, h.shard, std::cmp::Reverse(h.access)));
            held.dedup_by_key(|h| (h.slot, h.shard));
        }
        for h in &held {
            let lock = raw_lock(keyspace, h);
            match h.access {
                Access::Read => lock.lock_shared(),
                Access::Write => lock.lock_exclusive(),
            }
        }
        Self::with(keyspace, db, Some(held), now, freshness)
    }

    /// One shard of a database, for writing: the expiry cycle.
    pub fn lock_shard(
        keyspace: &'g Keyspace,
        db: DbIndex,
        shard: usize,
        now: UnixMillis,
        freshness: Freshness,
    ) -> Self {
        let held = Held { slot: keyspace.slot(db), shard: shard as u32, access: Access::Write };
        raw_lock(keyspace, &held).lock_exclusive();
        Self::with(keyspace, db, Some(smallvec::smallvec![held]), now, freshness)
    }

    /// Everything, for a caller that holds the gate exclusively.
    pub fn exclusive(keyspace: &'g Keyspace, db: DbIndex, now: UnixMillis, freshness: Freshness) -> Self {
        Self::with(keyspace, db, None, now, freshness)
    }

    fn with(
        keyspace: &'g Keyspace,
        db: DbIndex,
        held: Option<SmallVec<[Held; 2]>>,
        now: UnixMillis,
        freshness: Freshness,
    ) -> Self {
        Self {
            keyspace,
            held,
            db,
            now,
            freshness,
            no_touch: false,
            report_created: false,
            hashed: HashedKey::default(),
            report_new: false,
            report_missed: false,
            new: Vec::new(),
            see_expired: false,
            effects: RefCell::default(),
            hits: Cell::new(0),
            misses: Cell::new(0),
            not_send: PhantomData,
        }
    }

    /// Reports created and woken keys as effects from now on.
    pub fn report_created(&mut self, report: bool) {
        self.report_created = report;
    }

    /// Remembers the hash of a key whose bytes stay where they are as long as `self`.
    pub fn remember(&mut self, hashed: HashedKey) {
        self.hashed = hashed;
    }

    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        self.hashed.of(key).unwrap_or_else(|| self.keyspace.hash(key))
    }

    /// Writes down from now on what keyspace notifications tell: new keys, and lookups that find nothing.
    pub fn report_events(&mut self, new: bool, missed: bool) {
        self.report_new = new;
        self.report_missed = missed;
    }

    /// The keys that came into being since the last call.
    pub fn take_new(&mut self) -> Vec<(DbIndex, Box<[u8]>)> {
        std::mem::take(&mut self.new)
    }

    /// The keyspace, for what concerns no single key.
    pub fn keyspace(&self) -> &'g Keyspace {
        self.keyspace
    }

    /// The current database's number.
    pub fn db(&self) -> DbIndex {
        self.db
    }

    /// The current database.
    pub fn database(&self) -> &'g Database {
        self.keyspace.database(self.db)
    }

    /// Goes on in another database (COPY, MOVE; its keys must be locked too); the number before comes back.
    pub fn select(&mut self, db: DbIndex) -> DbIndex {
        std::mem::replace(&mut self.db, db)
    }

    /// Whether every key may be touched.
    pub fn is_exclusive(&self) -> bool {
        self.held.is_none()
    }

    /// What happened besides; empty afterwards.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(self.effects.get_mut())
    }

    /// Puts an effect back, for whoever comes next.
    pub fn put_back(&mut self, effect: Effect) {
        self.effects.get_mut().push(effect);
    }

    /// Whether anything happened besides.
    pub fn has_effects(&mut self) -> bool {
        !self.effects.get_mut().is_empty()
    }

    /// Lookups that found a key, and that did not, since the last call.
    pub fn take_lookups(&mut self) -> (u32, u32) {
        (self.hits.take(), self.misses.take())
    }

    fn is_expired(&self, entry: &Entry) -> bool {
        !self.see_expired && entry.expiry().is_some_and(|when| when <= self.now)
    }

    fn table(&self, shard: usize) -> &Table {
        self.check(shard, Access::Read);
        // SAFETY: the shard is locked by `self` (checked above) or the gate is exclusive; `&self` excludes `table_mut`.
        unsafe { &*self.database().shard(shard).data_ptr() }
    }

    /// The table of a shard, for changing one key in it and nothing else.
    fn table_mut(&mut self, shard: usize, hash: u64, key: &[u8]) -> &mut Table {
        self.check(shard, Access::Write);
        // SAFETY: the shard is write-locked by `self` (checked above) or the gate is exclusive; `&mut self` excludes other borrows.
        let table = unsafe { &mut *self.database().shard(shard).data_ptr() };
        self.keyspace.snapshot.before_change(self.keyspace.slot(self.db), shard, table, hash, key);
        table
    }

    fn check(&self, shard: usize, access: Access) {
        let Some(held) = &self.held else { return };
        let slot = self.keyspace.slot(self.db);
        let place = (slot, shard as u32);
        let found = if held.len() <= 8 {
            held.iter().find(|h| (h.slot, h.shard) == place)
        } else {
            held.binary_search_by_key(&place, |h| (h.slot, h.shard)).ok().map(|i| &held[i])
        };
        assert!(found.is_some_and(|h| h.access >= access), "a command touched a key that its row does not declare");
    }
}

impl Drop for Keys<'_> {
    fn drop(&mut self) {
        for h in self.held.iter().flatten().rev() {
            let lock = raw_lock(self.keyspace, h);
            // SAFETY: `lock` took exactly these locks, and nothing else releases them.
            unsafe {
                match h.access {
                    Access::Read => lock.unlock_shared(),
                    Access::Write => lock.unlock_exclusive(),
                }
            }
        }
    }
}

fn raw_lock<'k>(keyspace: &'k Keyspace, held: &Held) -> &'k RawRwLock {
    // SAFETY: the raw lock is only locked and unlocked, in pairs, by `Keys`.
    unsafe { keyspace.database_at(held.slot).shard(held.shard as usize).raw() }
}
