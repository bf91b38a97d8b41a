//! Removing what has expired: a key seen by a reader, fields of hashes before anybody can see them, and the background cycle.

use super::Engine;
use super::execute::Run;
use crate::base::clock::UnixMillis;
use crate::keyspace::{Access, DbIndex, Effect, Keys, LockRequest};
use crate::metrics::Totals;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Keys removed from one shard before its lock is given up.
const KEYS_PER_LOCK: usize = 64;
/// Hashes whose fields are removed before a shard's lock is given up.
const HASHES_PER_LOCK: usize = 16;

impl Engine {
    /// Removes a key if it (still) has expired; it comes back if clients may be waiting for that.
    pub(super) fn expire_key(
        &'static self,
        run: &Run<'_>,
        worker: usize,
        db: DbIndex,
        key: &[u8],
    ) -> Vec<(DbIndex, Box<[u8]>)> {
        if self.pause.current(run.now).is_some() {
            // Nothing may change; the key is not seen all the same.
            return Vec::new();
        }
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
    pub fn expire_cycle(&'static self, budget: Duration) -> bool {
        // A replica's keys expire when its primary says so, apart from those that the primary does not know.
        if self.replication.is_replica() {
            self.expire_own_keys(budget);
            return true;
        }
        // What has not been replayed yet may count on what is due.
        if !self.keyspace.active_expiry.load(Relaxed)
            || self.saving.loads.is_active()
            || self.pause.current(UnixMillis::now()).is_some()
        {
            return true;
        }
        let started = Instant::now();
        let done = self.expire_until(started + budget);
        let elapsed = started.elapsed();
        self.note_latency("expire-cycle", elapsed);
        let totals = &self.workers[self.background_worker()].totals;
        Totals::bump(&totals.expiry_us, elapsed.as_micros() as u64);
        Totals::bump(&totals.expiry_rounds_cut, u64::from(!done));
        done
    }

    fn expire_until(&'static self, end: Instant) -> bool {
        let settings = self.config.settings();
        for db in self.keyspace.indices().filter(|db| self.keyspace.is_built(*db)) {
            let database = self.keyspace.database(db);
            if database.volatile_len() == 0 && !database.has_field_expiries() {
                continue;
            }
            let limits = super::encoding_limits(&settings);
            let now = UnixMillis::now();
            for shard in 0..database.shard_count() {
                if !database.is_due(shard, now) && !database.is_field_due(shard, now) {
                    continue;
                }
                let mut run = Run::begin(self, &settings, &limits);
                if run.hold.is_nothing() {
                    return true;
                }
                while self.keyspace.database(db).is_due(shard, run.now) {
                    if self.expire_shard(&mut run, db, shard) == 0 {
                        break;
                    }
                }
                self.expire_fields(&run, db, shard);
                if Instant::now() > end {
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

    /// Removes the fields that are due in the shards of keys that are about to be locked: no command ever sees them.
    pub(super) fn expire_fields_of(&'static self, run: &Run<'_>, requests: &[LockRequest]) {
        if self.replication.is_replica() {
            return;
        }
        for request in requests {
            let database = self.keyspace.database(request.db);
            if database.has_field_expiries() {
                self.expire_fields(run, request.db, database.shard_of(request.hash));
            }
        }
    }

    /// As [`Engine::expire_fields_of`], for all keys.
    pub(super) fn expire_all_fields(&'static self, run: &Run<'_>) {
        if self.replication.is_replica() {
            return;
        }
        for db in self.keyspace.indices().filter(|db| self.keyspace.is_built(*db)) {
            let database = self.keyspace.database(db);
            if database.has_field_expiries() {
                (0..database.shard_count()).for_each(|shard| self.expire_fields(run, db, shard));
            }
        }
    }

    fn expire_fields(&'static self, run: &Run<'_>, db: DbIndex, shard: usize) {
        let freshness = Self::freshness(run.settings);
        while self.keyspace.database(db).is_field_due(shard, run.now) {
            let mut keys = if run.hold.is_exclusive() {
                Keys::exclusive(&self.keyspace, db, run.now, freshness)
            } else {
                Keys::lock_shard(&self.keyspace, db, shard, run.now, freshness)
            };
            for expired in keys.expire_due_fields(shard, HASHES_PER_LOCK) {
                self.record_expired_fields(run, db, &expired);
            }
            // A hash is nothing that anybody waits for.
            let _ = self.record_expiries(run, self.background_worker(), &mut keys);
        }
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
