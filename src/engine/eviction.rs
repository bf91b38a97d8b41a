//! maxmemory: frees memory by the configured policy before a command runs.
//!
//! Candidates are sampled, as in Redis: of each round's samples from every database the best one goes. The samples that did not
//! go are not kept: sampling costs O(1) here, so a few more samples do what Redis's candidate pool does.

use super::Engine;
use super::change::EventClass;
use super::execute::Run;
use crate::base::memory::used_memory;
use crate::config::values::EvictionPolicy;
use crate::keyspace::{Access, Candidate, DbIndex, Keys, LockRequest, lfu_decayed, lru_idle_ms};
use crate::metrics::Totals;

/// Keys freed before a command runs, at most; if that is not enough the next command goes on.
const MAX_EVICTIONS: usize = 512;

impl Engine {
    /// Memory that counts against maxmemory.
    pub fn counted_memory(&self) -> u64 {
        used_memory()
    }

    /// Frees memory until it is under the limit; `false` if it is still over.
    pub(super) fn free_memory(&'static self, run: &mut Run<'_>, worker: usize) -> bool {
        let limit = run.settings.memory.maxmemory;
        for _ in 0..MAX_EVICTIONS {
            if self.counted_memory() <= limit {
                return true;
            }
            let policy = run.settings.memory.maxmemory_policy;
            if policy == EvictionPolicy::NoEviction {
                return false;
            }
            let Some((db, candidate)) = self.best_candidate(run, policy) else { return false };
            self.evict(run, worker, db, &candidate.key);
        }
        // Progress was made; the command may run.
        true
    }

    fn best_candidate(&'static self, run: &Run<'_>, policy: EvictionPolicy) -> Option<(DbIndex, Candidate)> {
        let samples = if policy.is_random() { 1 } else { run.settings.memory.maxmemory_samples.max(1) * 2 };
        let mut best: Option<(u64, DbIndex, Candidate)> = None;
        for db in self.keyspace.indices().filter(|db| self.keyspace.is_built(*db)) {
            let database = self.keyspace.database(db);
            if database.is_empty() || (policy.is_volatile() && database.volatile_len() == 0) {
                continue;
            }
            let keys = Keys::lock(&self.keyspace, db, &[], run.now, Self::freshness(run.settings));
            for _ in 0..samples {
                let Some(candidate) = keys.eviction_candidate(policy.is_volatile()) else { break };
                let score = self.score(run, policy, &candidate);
                if best.as_ref().is_none_or(|(highest, ..)| score > *highest) {
                    best = Some((score, db, candidate));
                }
            }
        }
        best.map(|(_, db, candidate)| (db, candidate))
    }

    /// How gladly a key is given up: higher is better.
    fn score(&self, run: &Run<'_>, policy: EvictionPolicy, candidate: &Candidate) -> u64 {
        match policy {
            EvictionPolicy::AllkeysLfu | EvictionPolicy::VolatileLfu => match Self::freshness(run.settings) {
                crate::keyspace::Freshness::Lfu(tuning) => 255 - u64::from(lfu_decayed(candidate.lru, run.now, tuning)),
                crate::keyspace::Freshness::Lru => 0,
            },
            EvictionPolicy::VolatileTtl => u64::MAX - candidate.expiry.map_or(0, |when| when.0.max(0) as u64),
            EvictionPolicy::AllkeysRandom | EvictionPolicy::VolatileRandom => rand::random(),
            _ => lru_idle_ms(candidate.lru, run.now),
        }
    }

    fn evict(&'static self, run: &Run<'_>, worker: usize, db: DbIndex, key: &[u8]) {
        let freshness = Self::freshness(run.settings);
        let request = LockRequest { db, hash: self.keyspace.hash(key), access: Access::Write };
        let mut keys = if run.hold.is_exclusive() {
            Keys::exclusive(&self.keyspace, db, run.now, freshness)
        } else {
            Keys::lock(&self.keyspace, db, &[request], run.now, freshness)
        };
        if keys.remove(key).is_some() {
            Totals::bump(&self.workers[worker].totals.evicted, 1);
            self.record_removed(run, db, key, EventClass::EVICTED, "evicted");
        }
    }
}
