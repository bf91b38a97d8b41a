//! Removing keys, and fields of hashes, whose time has come.

use super::Keys;
use crate::base::clock::UnixMillis;
use crate::data::hash::Hash;
use crate::keyspace::entry::Entry;
use crate::keyspace::value::Object;

/// Fields removed from one hash at a time.
const FIELDS_PER_HASH: usize = 1024;

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

impl Keys<'_> {
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

    /// Notes when the first field of the hash at a key expires. To be called when a field has been given an expiry.
    pub fn note_fields(&mut self, key: &[u8]) {
        let when = self.entry_mut(key).and_then(|entry| hash_of(entry)?.mark());
        if let Some(when) = when {
            self.note_fields_at(key, when);
        }
    }

    pub(super) fn note_fields_at(&self, key: &[u8], when: UnixMillis) {
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
}

pub(super) fn hash_of(entry: &mut Entry) -> Option<&mut Hash> {
    match entry.object_mut()? {
        Object::Hash(hash) => Some(hash),
        _ => None,
    }
}
