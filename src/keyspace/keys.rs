//! The keys as one command sees them: locked, with expired ones out of sight.
//!
//! The engine makes a [`Keys`] from the keys that the command's row declares; it holds their shards' locks until it is dropped. Reading methods take
//! `&self`, so several values can be looked at together; writing ones take `&mut self`. Touching a key that was not declared, or
//! writing under a read lock, is a bug of the row and panics in debug builds and release builds alike.
//! Under the exclusive gate nothing is locked, and every key may be touched.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use dashmap::RawRwLock;
use lock_api::RawRwLock as _;
use smallvec::SmallVec;

use super::database::{Database, DbIndex, Keyspace};
use super::entry::{Entry, OwnedValue};
use super::freshness::Freshness;
use super::hashed::HashedKey;
use super::table::{self, Table};
use super::value::{Container, NewValue, Object, StrRef, ValueRef};
use crate::base::clock::UnixMillis;
use crate::data::hash::Hash;
use crate::resp::WireError;

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

/// What happened to keys besides what the command says itself.
pub enum Effect {
    /// This entry was found past its expiry and removed.
    Expired(DbIndex, Entry),
    /// This entry, large to free, was overwritten.
    Replaced(Entry),
    /// A key was found past its expiry under a read lock: to be removed by whoever can.
    SeenExpired(DbIndex, Box<[u8]>),
    /// A key came into being (clients may be waiting for it).
    Created(DbIndex, Box<[u8]>),
    /// A key has something new for clients that wait for it, or is not what they wait for any more.
    Woken(DbIndex, Box<[u8]>),
    /// A key was looked for and is not there (somebody may want to know).
    Missed(DbIndex, Box<[u8]>),
}

/// Fields that were removed from a hash because they had expired.
#[derive(Debug, PartialEq, Eq)]
pub struct ExpiredFields {
    /// The key of the hash.
    pub key: Box<[u8]>,
    /// The fields.
    pub fields: Vec<Box<[u8]>>,
    /// Whether none was left, so that the key is gone too.
    pub emptied: bool,
}

/// Fields removed from one hash at a time.
const FIELDS_PER_HASH: usize = 1024;

/// What an overwrite does to the expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepExpiry {
    /// The key keeps the expiry it has.
    Yes,
    /// The key gets this one, or none.
    Set(Option<UnixMillis>),
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

    // ---- reading

    /// The entry of a key, freshness and counters left alone.
    pub fn peek(&self, key: &[u8]) -> Option<&Entry> {
        let database = self.database();
        let hash = self.hash(key);
        let entry = table::find(self.table(database.shard_of(hash)), hash, key)?;
        if self.is_expired(entry) {
            self.effects.borrow_mut().push(Effect::SeenExpired(self.db, key.into()));
            return None;
        }
        Some(entry)
    }

    /// The value of a key that a client reads: counts as use.
    pub fn get(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        let entry = self.look(key)?;
        self.touch(entry);
        Some(entry.value())
    }

    /// Whether a key is there but past its expiry.
    pub fn holds_expired(&self, key: &[u8]) -> bool {
        let database = self.database();
        let hash = self.hash(key);
        table::find(self.table(database.shard_of(hash)), hash, key).is_some_and(|entry| self.is_expired(entry))
    }

    /// Whether a client that asks finds the key: counts as a lookup, not as use.
    pub fn look(&self, key: &[u8]) -> Option<&Entry> {
        let entry = self.peek(key);
        let count = if entry.is_some() { &self.hits } else { &self.misses };
        count.set(count.get() + 1);
        if entry.is_none() && self.report_missed {
            self.effects.borrow_mut().push(Effect::Missed(self.db, key.into()));
        }
        entry
    }

    /// Whether a key exists.
    pub fn exists(&self, key: &[u8]) -> bool {
        self.peek(key).is_some()
    }

    /// The string at a key that a client reads.
    pub fn string(&self, key: &[u8]) -> Result<Option<StrRef<'_>>, WireError> {
        match self.get(key) {
            None => Ok(None),
            Some(ValueRef::Str(string)) => Ok(Some(string)),
            Some(_) => Err(WireError::WRONG_TYPE),
        }
    }

    /// The container at a key that a client reads.
    pub fn read<T: Container>(&self, key: &[u8]) -> Result<Option<&T>, WireError> {
        self.get(key).map(T::of).transpose()
    }

    /// When a key expires; `None` when there is no such key.
    pub fn expiry(&self, key: &[u8]) -> Option<Option<UnixMillis>> {
        self.peek(key).map(Entry::expiry)
    }

    // ---- writing

    /// Looks at a string before changing it: as [`Keys::string`], but does not count as a read.
    pub fn string_for_write(&mut self, key: &[u8]) -> Result<Option<StrRef<'_>>, WireError> {
        match self.entry_mut(key).map(|entry| &*entry) {
            None => Ok(None),
            Some(entry) => match entry.value() {
                ValueRef::Str(string) => Ok(Some(string)),
                _ => Err(WireError::WRONG_TYPE),
            },
        }
    }

    /// The container at a key, to be changed.
    pub fn write<T: Container>(&mut self, key: &[u8]) -> Result<Option<&mut T>, WireError> {
        match self.entry_mut(key) {
            None => Ok(None),
            Some(entry) => T::of_mut(entry.object_mut().ok_or(WireError::WRONG_TYPE)?).map(Some),
        }
    }

    /// The container at a key, created empty where it is missing.
    pub fn write_or_create<T: Container>(&mut self, key: &[u8]) -> Result<&mut T, WireError> {
        if self.entry_mut(key).is_none() {
            self.put(key, NewValue::Object(T::empty().into_object()), None);
        }
        self.write(key)?.ok_or(WireError::NO_SUCH_KEY)
    }

    /// The bytes of a string, in memory of its own, to be changed in place.
    pub fn string_mut(&mut self, key: &[u8]) -> Result<Option<&mut Vec<u8>>, WireError> {
        let Some(entry) = self.entry_mut(key) else { return Ok(None) };
        let expiry = entry.expiry();
        let is_raw = entry.object_mut().is_some();
        let copied = match entry.value() {
            ValueRef::Str(string) if !is_raw => Some(string.to_cow().into_owned()),
            ValueRef::Str(_) => None,
            _ => return Err(WireError::WRONG_TYPE),
        };
        if let Some(bytes) = copied {
            self.put_quietly(key, NewValue::Object(Object::Raw(bytes)), expiry);
        }
        match self.entry_mut(key).and_then(Entry::object_mut) {
            Some(Object::Raw(bytes)) => Ok(Some(bytes)),
            _ => Err(WireError::WRONG_TYPE),
        }
    }

    /// The integer at a key, where it is stored as one, to be changed in place.
    pub fn int_mut(&mut self, key: &[u8]) -> Option<&mut i64> {
        self.entry_mut(key)?.int_mut()
    }

    /// Sets a key to a string, in the best form for it; creates it where it is missing. The old value must not matter any more.
    pub fn set_string(&mut self, key: &[u8], value: &[u8], expiry: KeepExpiry) {
        if expiry == KeepExpiry::Set(None)
            && let Some(entry) = self.entry_mut(key)
            && entry.expiry().is_none()
            && overwrite_in_place(entry, value)
        {
            let (freshness, now) = (self.freshness, self.now);
            if let Some(entry) = self.entry_mut(key) {
                freshness.touch(entry, now);
            }
            return;
        }
        self.set(key, NewValue::string(value), expiry);
    }

    /// Sets a key to a value; creates it where it is missing.
    pub fn set(&mut self, key: &[u8], value: NewValue<'_>, expiry: KeepExpiry) {
        let expiry = match expiry {
            KeepExpiry::Yes => self.entry_mut(key).and_then(|entry| entry.expiry()),
            KeepExpiry::Set(expiry) => expiry,
        };
        self.put(key, value, expiry);
    }

    /// Puts a container (or another object) at a key; what was there, and its expiry, is gone.
    pub fn set_container<T: Container>(&mut self, key: &[u8], container: T) {
        self.put(key, NewValue::Object(container.into_object()), None);
    }

    /// Puts a value taken from elsewhere at a key.
    pub fn set_owned(&mut self, key: &[u8], value: OwnedValue, expiry: Option<UnixMillis>) {
        let mut room = Box::default();
        let value = value.as_new(&mut room);
        self.put(key, value, expiry);
    }

    /// Notes how long a key has been idle, or how often it was used, as the policy in force counts it.
    pub fn set_freshness(&mut self, key: &[u8], idle_s: Option<u64>, frequency: Option<u8>) {
        let bits = self.freshness.restored(idle_s, frequency, self.now);
        if let (Some(bits), Some(entry)) = (bits, self.entry_mut(key)) {
            entry.lru().store(bits, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// Removes a key; its entry comes back.
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        // An expired key is removed as such, not as if it had been there.
        self.entry_mut(key)?;
        self.take(key)
    }

    /// Removes a key whose container has become empty.
    pub fn remove_if_empty<T: Container>(&mut self, key: &[u8]) -> bool {
        let empty = matches!(self.write::<T>(key), Ok(Some(container)) if container.has_none());
        empty && self.take(key).is_some()
    }

    /// Gives a key another expiry, or none; `false` when there is no such key.
    pub fn set_expiry(&mut self, key: &[u8], when: Option<UnixMillis>) -> bool {
        if self.entry_mut(key).is_none() {
            return false;
        }
        let database = self.database();
        let hash = self.hash(key);
        let shard = database.shard_of(hash);
        database.set_expiry(self.table_mut(shard), shard, hash, key, when)
    }

    /// The entry of a key, to be changed; an expired one is removed first.
    pub fn entry_mut(&mut self, key: &[u8]) -> Option<&mut Entry> {
        let database = self.database();
        let hash = self.hash(key);
        let shard = database.shard_of(hash);
        let expired = self.is_expired(table::find(self.table(shard), hash, key)?);
        if expired {
            if let Some(entry) = self.take(key) {
                self.effects.get_mut().push(Effect::Expired(self.db, entry));
            }
            return None;
        }
        table::find_mut(self.table_mut(shard), hash, key)
    }

    /// Removes a key if it has expired (the write half of [`Effect::SeenExpired`]).
    pub fn expire_now(&mut self, key: &[u8]) {
        let _ = self.entry_mut(key);
    }

    /// Removes up to `limit` keys of `shard` (which must be locked) that are due.
    pub fn expire_due(&mut self, shard: usize, limit: usize) -> usize {
        let database = self.database();
        let due = database.take_due(self.table(shard), shard, self.now, limit);
        for key in &due {
            self.expire_now(key);
        }
        due.len()
    }

    /// Clients that wait for a key that was there already should look at it again.
    pub fn wake(&mut self, key: &[u8]) {
        if self.report_created {
            self.effects.get_mut().push(Effect::Woken(self.db, key.into()));
        }
    }

    /// A value is no longer at its key: members of a stream's groups wait for that, too.
    fn wake_if_lost(&mut self, key: &[u8], was_stream: bool) {
        if was_stream {
            self.wake(key);
        }
    }

    /// Notes when the first field of the hash at a key expires. To be called when a field has been given an expiry.
    pub fn note_fields(&mut self, key: &[u8]) {
        let when = self.entry_mut(key).and_then(|entry| hash_of(entry)?.mark());
        if let Some(when) = when {
            self.note_fields_at(key, when);
        }
    }

    fn note_fields_at(&self, key: &[u8], when: UnixMillis) {
        let database = self.database();
        let hash = database.hash(key);
        let shard = database.shard_of(hash);
        database.note_fields(self.table(shard), shard, hash, when);
    }

    /// Removes fields that are due from up to `limit` hashes of `shard` (which must be locked).
    pub fn expire_due_fields(&mut self, shard: usize, limit: usize) -> Vec<ExpiredFields> {
        let due = self.database().take_due_fields(self.table(shard), shard, self.now, limit);
        let mut expired = Vec::new();
        for key in due {
            let now = self.now;
            let Some(hash) = self.entry_mut(&key).and_then(hash_of) else { continue };
            let fields = hash.remove_due(now, FIELDS_PER_HASH);
            let emptied = hash.is_empty();
            if emptied {
                self.take(&key);
            } else {
                self.note_fields(&key);
            }
            if !fields.is_empty() {
                expired.push(ExpiredFields { key, fields, emptied });
            }
        }
        expired
    }

    fn put(&mut self, key: &[u8], value: NewValue<'_>, expiry: Option<UnixMillis>) {
        let created = self.put_quietly(key, value, expiry);
        if created && self.report_created {
            self.effects.get_mut().push(Effect::Created(self.db, key.into()));
        }
        if created && self.report_new {
            self.new.push((self.db, key.into()));
        }
    }

    fn put_quietly(&mut self, key: &[u8], value: NewValue<'_>, expiry: Option<UnixMillis>) -> bool {
        let database = self.database();
        let hash = self.hash(key);
        let shard = database.shard_of(hash);
        let mut entry = Entry::new(key, value, expiry, self.freshness.initial(self.now));
        let fields_expire = hash_of(&mut entry).and_then(Hash::mark_anew);
        let table = self.table_mut(shard);
        let old = database.put(table, shard, hash, entry);
        // An LFU counter survives an overwrite.
        if let (Some(old), Freshness::Lfu(_)) = (&old, self.freshness)
            && let Some(entry) = table::find(self.table(shard), hash, key)
        {
            entry
                .lru()
                .store(old.lru().load(std::sync::atomic::Ordering::Relaxed), std::sync::atomic::Ordering::Relaxed);
        }
        if let Some(when) = fields_expire {
            self.note_fields_at(key, when);
        }
        self.wake_if_lost(key, old.as_ref().is_some_and(Entry::is_stream));
        let created = old.is_none();
        if let Some(old) = old.filter(Entry::is_heavy) {
            self.effects.get_mut().push(Effect::Replaced(old));
        }
        created
    }

    fn take(&mut self, key: &[u8]) -> Option<Entry> {
        let database = self.database();
        let hash = self.hash(key);
        let taken = database.take(self.table_mut(database.shard_of(hash)), hash, key);
        self.wake_if_lost(key, taken.as_ref().is_some_and(Entry::is_stream));
        taken
    }

    fn touch(&self, entry: &Entry) {
        if !self.no_touch {
            self.freshness.touch(entry, self.now);
        }
    }

    fn is_expired(&self, entry: &Entry) -> bool {
        !self.see_expired && entry.expiry().is_some_and(|when| when <= self.now)
    }

    // ---- shards

    /// Empties the current database, under the exclusive gate: the number of keys, and what was in it.
    pub fn clear(&mut self) -> (usize, Vec<Table>) {
        assert!(self.is_exclusive(), "a database is emptied under the exclusive gate only");
        let slot = self.keyspace.slot(self.db);
        self.database().clear(|shard, table| self.keyspace.snapshot.take_over(slot, shard, table))
    }

    /// Visits one shard's table at a time, for commands that walk a database without declaring keys: each shard is locked only while it is visited.
    pub fn with_table(&self, shard: usize, visit: &mut dyn FnMut(&Table)) {
        match &self.held {
            None => visit(self.table(shard)),
            Some(held) => {
                assert!(held.is_empty(), "walking a database while keys are locked could deadlock");
                visit(&self.database().shard(shard).read());
            }
        }
    }

    /// Every entry of the current database that has not expired.
    pub fn for_each(&self, mut visit: impl FnMut(&Entry)) {
        for shard in 0..self.database().shard_count() {
            self.with_table(shard, &mut |table| {
                for entry in table::iter(table).filter(|entry| !self.is_expired(entry)) {
                    visit(entry);
                }
            });
        }
    }

    /// SCAN: see [`Database::scan`]. Expired keys are skipped, and go once the walk is over.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(&Entry)) -> u64 {
        let visit = |entry: &Entry| {
            if self.is_there(entry) {
                visit(entry);
            }
        };
        self.database().scan(cursor, count, visit, |shard, f| self.with_table(shard, f))
    }

    /// Whether an entry met on a walk is there; one that has expired is reported.
    pub(super) fn is_there(&self, entry: &Entry) -> bool {
        let expired = self.is_expired(entry);
        if expired {
            self.effects.borrow_mut().push(Effect::SeenExpired(self.db, entry.key().into()));
        }
        !expired
    }

    /// Whether an entry met on a walk has expired.
    pub fn has_expired(&self, entry: &Entry) -> bool {
        self.is_expired(entry)
    }

    fn table(&self, shard: usize) -> &Table {
        self.check(shard, Access::Read);
        // SAFETY: the shard is locked by `self` (checked above) or the gate is exclusive; `&self` excludes `table_mut`.
        unsafe { &*self.database().shard(shard).data_ptr() }
    }

    fn table_mut(&mut self, shard: usize) -> &mut Table {
        self.check(shard, Access::Write);
        // SAFETY: the shard is write-locked by `self` (checked above) or the gate is exclusive; `&mut self` excludes other borrows.
        let table = unsafe { &mut *self.database().shard(shard).data_ptr() };
        self.keyspace.snapshot.before_change(self.keyspace.slot(self.db), shard, table);
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

fn hash_of(entry: &mut Entry) -> Option<&mut Hash> {
    match entry.object_mut()? {
        Object::Hash(hash) => Some(hash),
        _ => None,
    }
}

fn raw_lock<'k>(keyspace: &'k Keyspace, held: &Held) -> &'k RawRwLock {
    // SAFETY: the raw lock is only locked and unlocked, in pairs, by `Keys`.
    unsafe { keyspace.database_at(held.slot).shard(held.shard as usize).raw() }
}

/// Copies a string into the memory of an entry that has room for exactly it; `false` when it does not fit the shape.
fn overwrite_in_place(entry: &mut Entry, value: &[u8]) -> bool {
    match NewValue::string(value) {
        NewValue::Int(new) => entry.int_mut().map(|old| *old = new).is_some(),
        NewValue::Inline(bytes) if entry.is_inline() => {
            let room = entry.inline_mut();
            let fits = room.len() == bytes.len();
            if fits {
                room.copy_from_slice(bytes);
            }
            fits
        }
        NewValue::Inline(_) => false,
        NewValue::Object(_) => match entry.object_mut() {
            Some(Object::Raw(room)) if room.capacity() >= value.len() && room.capacity() <= value.len() * 2 => {
                room.clear();
                room.extend_from_slice(value);
                true
            }
            _ => false,
        },
    }
}
