//! Changing, creating and removing keys.

use std::sync::atomic::Ordering::Relaxed;

use super::expire::hash_of;
use super::{Effect, Keys};
use crate::base::clock::UnixMillis;
use crate::data::hash::Hash;
use crate::keyspace::entry::{Entry, OwnedValue};
use crate::keyspace::freshness::Freshness;
use crate::keyspace::table;
use crate::keyspace::value::{Container, NewValue, Object, StrRef, ValueRef};
use crate::resp::WireError;

/// What an overwrite does to the expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepExpiry {
    /// The key keeps the expiry it has.
    Yes,
    /// The key gets this one, or none.
    Set(Option<UnixMillis>),
}

impl Keys<'_> {
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
            entry.lru().store(bits, Relaxed);
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
        database.set_expiry(self.table_mut(shard, hash, key), shard, hash, key, when)
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
        table::find_mut(self.table_mut(shard, hash, key), hash, key)
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

    pub(super) fn put(&mut self, key: &[u8], value: NewValue<'_>, expiry: Option<UnixMillis>) {
        let created = self.put_quietly(key, value, expiry);
        if created && self.report_created {
            self.effects.get_mut().push(Effect::Created(self.db, key.into()));
        }
        if created && self.report_new {
            self.new.push((self.db, key.into()));
        }
    }

    pub(super) fn put_quietly(&mut self, key: &[u8], value: NewValue<'_>, expiry: Option<UnixMillis>) -> bool {
        let database = self.database();
        let hash = self.hash(key);
        let shard = database.shard_of(hash);
        let mut entry = Entry::new(key, value, expiry, self.freshness.initial(self.now));
        let fields_expire = hash_of(&mut entry).and_then(Hash::mark_anew);
        let table = self.table_mut(shard, hash, key);
        let old = database.put(table, shard, hash, entry);
        // An LFU counter survives an overwrite.
        if let (Some(old), Freshness::Lfu(_)) = (&old, self.freshness)
            && let Some(entry) = table::find(self.table(shard), hash, key)
        {
            entry.lru().store(old.lru().load(Relaxed), Relaxed);
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

    pub(super) fn take(&mut self, key: &[u8]) -> Option<Entry> {
        let database = self.database();
        let hash = self.hash(key);
        // Entries do not move under a picture that is being taken.
        let may_shrink = !self.keyspace.is_snapshotting();
        let taken = database.take(self.table_mut(database.shard_of(hash), hash, key), hash, key, may_shrink);
        self.wake_if_lost(key, taken.as_ref().is_some_and(Entry::is_stream));
        taken
    }
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
