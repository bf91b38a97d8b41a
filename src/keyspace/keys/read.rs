//! Looking at keys.

use super::{Effect, Keys};
use crate::base::clock::UnixMillis;
use crate::keyspace::entry::Entry;
use crate::keyspace::table;
use crate::keyspace::value::{Container, StrRef, ValueRef};
use crate::resp::WireError;

impl Keys<'_> {
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

    pub(super) fn touch(&self, entry: &Entry) {
        if !self.no_touch {
            self.freshness.touch(entry, self.now);
        }
    }
}
