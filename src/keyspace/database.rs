//! One logical database, and all of them.
//!
//! A database is a `DashMap` used through its raw shards: the engine locks shards, never the map. Databases are
//! built at first use, since most servers use one of sixteen. SWAPDB swaps two indices of `slots`, not the data.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

use ahash::RandomState;
use dashmap::{DashMap, RwLock};
use parking_lot::Mutex;

use super::entry::Entry;
use super::expiry::ExpiryIndex;
use super::field_marks::FieldMarks;
use super::hashed::HashedKey;
use super::snapshot::SnapshotSwitch;
use super::table::{self, Table};
use crate::base::clock::UnixMillis;

/// Shards of a database: enough that two cores rarely want the same one.
const SHARDS: usize = 1024;

/// The number of a logical database, as SELECT takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DbIndex(pub u32);

/// One logical database.
pub struct Database {
    map: DashMap<Entry, (), RandomState>,
    /// Expiry marks, one index per shard; changed only under the shard's write lock.
    expiry: Box<[Mutex<ExpiryIndex>]>,
    /// The earliest mark of each shard (`i64::MAX` without any), readable without a lock.
    due: Box<[AtomicI64]>,
    /// Hashes with expiring fields, once there has been one.
    field_marks: OnceLock<Box<FieldMarks>>,
    keys: AtomicU64,
    volatile: AtomicU64,
}

impl Database {
    fn new(hasher: RandomState) -> Self {
        Self {
            map: DashMap::with_capacity_and_hasher_and_shard_amount(0, hasher, SHARDS),
            expiry: (0..SHARDS).map(|_| Mutex::default()).collect(),
            due: (0..SHARDS).map(|_| AtomicI64::new(i64::MAX)).collect(),
            field_marks: OnceLock::new(),
            keys: AtomicU64::new(0),
            volatile: AtomicU64::new(0),
        }
    }

    /// How many shards there are.
    pub fn shard_count(&self) -> usize {
        SHARDS
    }

    /// The hash of a key: chooses shard, slot and tag.
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.map.hasher().hash_one(key)
    }

    /// The shard a hash belongs to.
    pub fn shard_of(&self, hash: u64) -> usize {
        self.map.determine_shard(hash as usize)
    }

    /// The lock around one shard's table.
    pub(super) fn shard(&self, index: usize) -> &RwLock<Table> {
        &self.map.shards()[index]
    }

    /// Number of keys, those that have expired but not been removed included.
    pub fn len(&self) -> usize {
        self.keys.load(Relaxed) as usize
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of keys with an expiry.
    pub fn volatile_len(&self) -> usize {
        self.volatile.load(Relaxed) as usize
    }

    /// The mean of the remaining times to live, estimated from a few marks, in milliseconds.
    pub fn average_ttl_ms(&self, now: UnixMillis) -> i64 {
        let (mut sum, mut count) = (0i64, 0i64);
        for (shard, due) in self.due.iter().enumerate() {
            if due.load(Relaxed) == i64::MAX {
                continue;
            }
            let index = self.expiry[shard].lock();
            for pick in 0..index.len().min(4) {
                if let Some((when, _)) = index.pick(pick) {
                    sum = sum.saturating_add((when.0 - now.0).max(0));
                    count += 1;
                }
            }
            if count >= 64 {
                break;
            }
        }
        sum.checked_div(count).unwrap_or(0)
    }

    /// Slots of all tables together.
    pub fn bucket_count(&self) -> usize {
        (0..SHARDS).map(|i| self.shard(i).read().buckets()).sum()
    }

    /// Whether shard `index` may hold a key that is due.
    pub fn is_due(&self, index: usize, now: UnixMillis) -> bool {
        self.due[index].load(Relaxed) <= now.0
    }

    /// Whether shard `index` may hold a hash with a field that is due.
    pub fn is_field_due(&self, index: usize, now: UnixMillis) -> bool {
        self.field_marks.get().is_some_and(|marks| marks.is_due(index, now))
    }

    /// Whether a field of any hash has ever had an expiry.
    pub fn has_field_expiries(&self) -> bool {
        self.field_marks.get().is_some()
    }

    /// Notes when to look at the fields of a hash in a locked shard's table.
    pub(super) fn note_fields(&self, table: &Table, shard: usize, hash: u64, when: UnixMillis) {
        self.field_marks.get_or_init(|| Box::new(FieldMarks::new(SHARDS))).note(table, shard, hash, when);
    }

    /// The keys of a locked shard that have fields to look at, at most `limit`; their marks are gone afterwards.
    pub(super) fn take_due_fields(&self, table: &Table, shard: usize, now: UnixMillis, limit: usize) -> Vec<Box<[u8]>> {
        let marks = self.field_marks.get();
        marks.map(|marks| marks.take_due(table, shard, now, limit, |key| self.hash(key))).unwrap_or_default()
    }

    fn reserve(&self, keys: usize) {
        for shard in 0..SHARDS {
            table::reserve(&mut self.shard(shard).write(), keys / SHARDS, |key| self.hash(key));
        }
    }

    /// Puts an entry into a locked shard's table.
    pub(super) fn put(&self, table: &mut Table, shard: usize, hash: u64, entry: Entry) -> Option<Entry> {
        if let Some(when) = entry.expiry() {
            self.volatile.fetch_add(1, Relaxed);
            self.note_expiry(table, shard, hash, when);
        }
        let old = table::insert(table, hash, entry, |key| self.hash(key));
        match &old {
            None => {
                self.keys.fetch_add(1, Relaxed);
            }
            Some(old) if old.expiry().is_some() => {
                self.volatile.fetch_sub(1, Relaxed);
            }
            Some(_) => {}
        }
        old
    }

    /// Takes a key out of a locked shard's table, which gives memory back if it may.
    pub(super) fn take(&self, table: &mut Table, hash: u64, key: &[u8], may_shrink: bool) -> Option<Entry> {
        let entry = table::remove(table, hash, key)?;
        self.keys.fetch_sub(1, Relaxed);
        if entry.expiry().is_some() {
            self.volatile.fetch_sub(1, Relaxed);
        }
        if may_shrink {
            table::shrink_if_sparse(table, |key| self.hash(key));
        }
        Some(entry)
    }

    /// Gives a key in a locked shard's table another expiry, or none; `false` when there is no such key.
    pub(super) fn set_expiry(
        &self,
        table: &mut Table,
        shard: usize,
        hash: u64,
        key: &[u8],
        when: Option<UnixMillis>,
    ) -> bool {
        let Some(entry) = table::find_mut(table, hash, key) else { return false };
        match (entry.expiry().is_some(), when) {
            (false, None) => return true,
            (true, Some(when)) => {
                entry.move_expiry(when);
            }
            (had, when) => {
                let Some(old) = table::remove(table, hash, key) else { return false };
                table::insert(table, hash, old.with_expiry(when), |key| self.hash(key));
                if had {
                    self.volatile.fetch_sub(1, Relaxed);
                } else {
                    self.volatile.fetch_add(1, Relaxed);
                }
            }
        }
        if let Some(when) = when {
            self.note_expiry(table, shard, hash, when);
        }
        true
    }

    fn note_expiry(&self, table: &Table, shard: usize, hash: u64, when: UnixMillis) {
        let mut index = self.expiry[shard].lock();
        index.note(when, hash);
        // Stale marks are swept when they are certain to outnumber what can be alive.
        if index.len() > 64 && index.len() > table.len() * 2 {
            index.sweep(|when, hash| table::with_hash(table, hash).any(|entry| entry.expiry() == Some(when)));
        }
        self.publish_due(shard, &index);
    }

    /// The keys of a locked shard that are due, at most `limit`; their marks are gone afterwards.
    pub(super) fn take_due(&self, table: &Table, shard: usize, now: UnixMillis, limit: usize) -> Vec<Box<[u8]>> {
        let mut index = self.expiry[shard].lock();
        let mut due = Vec::new();
        while due.len() < limit
            && let Some((when, hash)) = index.pop_due(now)
        {
            let keys = table::with_hash(table, hash).filter(|e| e.expiry() == Some(when) && self.hash(e.key()) == hash);
            due.extend(keys.map(|entry| Box::from(entry.key())));
        }
        self.publish_due(shard, &index);
        due
    }

    /// A volatile key of a shard, picked by `random`: its expiry mark.
    pub(super) fn pick_mark(&self, shard: usize, random: usize) -> Option<(UnixMillis, u64)> {
        if self.due[shard].load(Relaxed) == i64::MAX {
            return None;
        }
        self.expiry[shard].lock().pick(random)
    }

    fn publish_due(&self, shard: usize, index: &ExpiryIndex) {
        self.due[shard].store(index.next_due().map_or(i64::MAX, |when| when.0), Relaxed);
    }

    /// Empties the database; the caller holds the gate exclusively. What was in it comes back, to be dropped at leisure, as far as
    /// `pass` hands it on.
    pub(super) fn clear(&self, pass: impl Fn(usize, Table) -> Option<Table>) -> (usize, Vec<Table>) {
        let mut tables = Vec::new();
        for shard in 0..SHARDS {
            let mut table = self.shard(shard).write();
            if !table.is_empty() || table.buckets() > 1 {
                tables.extend(pass(shard, std::mem::take(&mut *table)));
            }
            let mut index = self.expiry[shard].lock();
            index.clear();
            self.publish_due(shard, &index);
            if let Some(marks) = self.field_marks.get() {
                marks.clear(shard);
            }
        }
        self.volatile.store(0, Relaxed);
        (self.keys.swap(0, Relaxed) as usize, tables)
    }

    /// Takes over everything that another database holds; this one must be empty and the caller hold the gate exclusively. The empty
    /// tables are handed on, as in [`Database::clear`].
    fn take_in(&self, other: &Self, pass: impl Fn(usize, Table) -> Option<Table>) {
        for shard in 0..SHARDS {
            let mut table = self.shard(shard).write();
            let theirs = std::mem::take(&mut *other.shard(shard).write());
            drop(pass(shard, std::mem::replace(&mut *table, theirs)));
            let mut index = self.expiry[shard].lock();
            *index = std::mem::take(&mut *other.expiry[shard].lock());
            self.publish_due(shard, &index);
            if let Some(theirs) = other.field_marks.get() {
                self.field_marks.get_or_init(|| Box::new(FieldMarks::new(SHARDS))).take_in(theirs, shard);
            }
        }
        self.keys.store(other.keys.swap(0, Relaxed), Relaxed);
        self.volatile.store(other.volatile.swap(0, Relaxed), Relaxed);
    }
}

/// All logical databases.
pub struct Keyspace {
    slots: Box<[AtomicU32]>,
    databases: Box<[OnceLock<Box<Database>>]>,
    hasher: RandomState,
    pub(super) snapshot: SnapshotSwitch,
    /// Off while a test wants expired keys to stay (`DEBUG SET-ACTIVE-EXPIRE`).
    pub active_expiry: AtomicBool,
}

impl Keyspace {
    /// `databases` empty databases.
    pub fn new(databases: u32) -> Self {
        Self {
            slots: (0..databases).map(AtomicU32::new).collect(),
            databases: (0..databases).map(|_| OnceLock::new()).collect(),
            hasher: RandomState::new(),
            snapshot: SnapshotSwitch::default(),
            active_expiry: AtomicBool::new(true),
        }
    }

    /// How many databases there are.
    pub fn count(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Every database number.
    pub fn indices(&self) -> impl Iterator<Item = DbIndex> + use<> {
        (0..self.count()).map(DbIndex)
    }

    /// The database with a number; panics past `count`, which SELECT excludes.
    pub fn database(&self, db: DbIndex) -> &Database {
        let slot = self.slots[db.0 as usize].load(Relaxed) as usize;
        self.databases[slot].get_or_init(|| Box::new(Database::new(self.hasher.clone())))
    }

    /// The hash of a key, the same in every database.
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    /// A key with its hash.
    pub fn hash_key(&self, key: &[u8]) -> HashedKey {
        HashedKey::new(key, self.hash(key))
    }

    pub(super) fn database_at(&self, slot: u32) -> &Database {
        self.databases[slot as usize].get_or_init(|| Box::new(Database::new(self.hasher.clone())))
    }

    /// The place of a database in the lock order.
    pub(super) fn slot(&self, db: DbIndex) -> u32 {
        self.slots[db.0 as usize].load(Relaxed)
    }

    /// As many empty databases, in which keys have the same hashes, to be filled beside these.
    pub fn beside(&self) -> Self {
        Self { hasher: self.hasher.clone(), ..Self::new(self.count()) }
    }

    /// Takes over everything that a keyspace made with [`Keyspace::beside`] holds. These databases must be empty and the caller hold the gate
    /// exclusively.
    pub fn take_in(&self, other: &Self) {
        for db in other.indices().filter(|db| other.is_built(*db)) {
            let slot = self.slot(db);
            let pass = |shard, table| self.snapshot.take_over(slot, shard, table);
            self.database(db).take_in(other.database(db), pass);
        }
    }

    /// Exchanges two databases; the caller holds the gate exclusively.
    pub fn swap(&self, a: DbIndex, b: DbIndex) {
        let (x, y) = (self.slot(a), self.slot(b));
        self.slots[a.0 as usize].store(y, Relaxed);
        self.slots[b.0 as usize].store(x, Relaxed);
    }

    /// Makes room for so many keys more in a database, evenly spread. The caller is inside the gate.
    pub fn reserve(&self, db: DbIndex, keys: usize) {
        // Entries do not move under a picture that is being taken.
        if !self.is_snapshotting() {
            self.database(db).reserve(keys);
        }
    }

    /// Keys in all databases.
    pub fn total_keys(&self) -> usize {
        self.indices().filter(|db| self.is_built(*db)).map(|db| self.database(db).len()).sum()
    }

    /// Whether a database has ever been used; the others need not be looked at.
    pub fn is_built(&self, db: DbIndex) -> bool {
        self.databases[self.slot(db) as usize].get().is_some()
    }
}
