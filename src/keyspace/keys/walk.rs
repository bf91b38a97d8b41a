//! Walking a database without declaring its keys.

use super::{Effect, Keys};
use crate::keyspace::entry::Entry;
use crate::keyspace::table::{self, Table};

impl Keys<'_> {
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
    pub(in crate::keyspace) fn is_there(&self, entry: &Entry) -> bool {
        let expired = self.is_expired(entry);
        if expired {
            self.effects.borrow_mut().push(Effect::SeenExpired(self.db, entry.key().into()));
        }
        !expired
    }
}
