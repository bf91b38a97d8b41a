//! Asking for the memory of a lookup before the lookup: see `engine::lookahead`.
//!
//! A shard that is locked for writing is left alone; whoever waits for a hint gains nothing.

use lock_api::RawRwLock as _;

use super::database::{DbIndex, Keyspace};
use super::table;

impl Keyspace {
    /// Asks for the table slot a hash leads to.
    pub fn prefetch_slot(&self, db: DbIndex, hash: u64) {
        self.hint(db, hash, table::prefetch_slot);
    }

    /// Asks for the entries that may have this hash.
    pub fn prefetch_entry(&self, db: DbIndex, hash: u64) {
        self.hint(db, hash, table::prefetch_entries);
    }

    #[inline]
    fn hint(&self, db: DbIndex, hash: u64, hint: impl Fn(&table::Table, u64)) {
        let database = self.database(db);
        let shard = database.shard(database.shard_of(hash));
        // SAFETY: the raw lock is released below, exactly once, and only if it was taken.
        let lock = unsafe { shard.raw() };
        if lock.try_lock_shared() {
            // SAFETY: the shard is locked for reading.
            hint(unsafe { &*shard.data_ptr() }, hash);
            // SAFETY: taken above.
            unsafe { lock.unlock_shared() };
        }
    }
}
