//! Removing keys that have expired: one seen by a reader, and the background cycle.

use super::Engine;
use super::execute::Run;
use crate::keyspace::{Access, DbIndex, Effect, Keys, LockRequest};
use std::sync::atomic::Ordering::Relaxed;

/// Keys removed from one shard before its lock is given up.
const KEYS_PER_LOCK: usize = 64;

impl Engine {
    /// Removes a key if it (still) has expired; it comes back if clients may be waiting for that.
    pub(super) fn expire_key(
        &'static self,
        run: &Run<'_>,
        worker: usize,
        db: DbIndex,
        key: &[u8],
    ) -> Vec<(DbIndex, Box<[u8]>)> {
        let freshness = Self::freshness(run.settings);
        let mut keys = if run.hold.is_exclusive() {
            Keys::exclusive(&self.keyspace, db, run.now, freshness)
        } else {
            let request = LockRequest { db, hash: self.keyspace.hash(key), access: Access::Write };
            Keys::lock(&self.keyspace, db, &[request], run.now, freshness)
        };
        keys.select(db);
        keys.report_created(self.waiters.any());
        keys.expire_now(key);
        self.record_expiries(run, worker, &mut keys)
    }

    /// The background cycle: removes what is due in all databases until `budget` is used up; `true` when nothing due is left.
    pub fn expire_cycle(&'static self, budget: std::time::Duration) -> bool {
        if !self.keyspace.active_expiry.load(Relaxed)
            || self.pause.current(crate::base::clock::UnixMillis::now()).is_some()
        {
            return true;
        }
        let settings = self.config.settings();
        let started = std::time::Instant::now();
        for db in self.keyspace.indices().filter(|db| self.keyspace.is_built(*db)) {
            if self.keyspace.database(db).volatile_len() == 0 {
                continue;
            }
            let limits = super::encoding_limits(&settings);
            for shard in 0..self.keyspace.database(db).shard_count() {
                let mut run = Run::begin(self, &settings, &limits);
                if run.hold.is_nothing() {
                    return true;
                }
                while self.keyspace.database(db).is_due(shard, run.now) {
                    if self.expire_shard(&mut run, db, shard) == 0 {
                        break;
                    }
                }
                if started.elapsed() > budget {
                    self.broadcast_changes(&settings);
                    return false;
                }
            }
        }
        self.broadcast_changes(&settings);
        true
    }

    fn expire_shard(&'static self, run: &mut Run<'_>, db: DbIndex, shard: usize) -> usize {
        let mut keys = Keys::lock_shard(&self.keyspace, db, shard, run.now, Self::freshness(run.settings));
        keys.report_created(self.waiters.any());
        let removed = keys.expire_due(shard, KEYS_PER_LOCK);
        let woken = self.record_expiries(run, self.background_worker(), &mut keys);
        drop(keys);
        self.serve_waiters(run, self.background_worker(), woken);
        removed
    }

    /// Passes on what expired; what clients may be waiting for comes back.
    fn record_expiries(&self, run: &Run<'_>, worker: usize, keys: &mut Keys<'static>) -> Vec<(DbIndex, Box<[u8]>)> {
        let mut woken = Vec::new();
        for effect in keys.take_effects() {
            match effect {
                Effect::Expired(db, entry) => self.record_expired(run, db, entry, worker),
                Effect::Woken(db, key) => woken.push((db, key)),
                Effect::Created(..) | Effect::Missed(..) | Effect::SeenExpired(..) | Effect::Replaced(..) => {}
            }
        }
        woken
    }
}
