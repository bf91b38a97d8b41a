//! maxmemory: frees memory by the configured policy before a command runs.
//!
//! Candidates are sampled, as in Redis: of each round's samples from every database the best one goes. The samples that did not
//! go are not kept: sampling costs O(1) here, so a few more samples do what Redis's candidate pool does.

use std::time::{Duration, Instant};

use super::Engine;
use super::change::EventClass;
use super::execute::Run;
use crate::base::clock::UnixMillis;
use crate::base::memory::{thread_balance, used_memory, uses_more_than};
use crate::config::Settings;
use crate::config::values::EvictionPolicy;
use crate::keyspace::{Access, Candidate, DbIndex, Keys, LockRequest, lfu_decayed, lru_idle_ms};
use crate::metrics::Totals;

/// Evictions between two looks at the clock.
const EVICTIONS_PER_LOOK: usize = 16;

/// What came of freeing memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Freed {
    /// It is below the limit.
    Enough,
    /// Progress was made in the time given; the command may run, and the next one goes on.
    Some,
    /// It is over the limit, and there is nothing to remove.
    TooLittle,
}

impl Engine {
    /// Memory that counts against maxmemory.
    pub fn counted_memory(&self) -> u64 {
        used_memory().saturating_sub(self.uncounted_memory())
    }

    /// Memory that grows because keys are removed, and must not cost more of them: what is on its way to replicas and to the append
    /// only file.
    fn uncounted_memory(&self) -> u64 {
        self.feed.excess_bytes() + self.aof_buffer_bytes() + self.replication.output_memory()
    }

    /// Bytes above the limit. Far below it this is one comparison.
    fn excess_over(&self, limit: u64) -> u64 {
        if uses_more_than(limit) { self.counted_memory().saturating_sub(limit) } else { 0 }
    }

    /// Frees memory until it is under the limit; `false` if it is still over.
    ///
    /// What the removed keys took is what counts: messages that tell of the removals take memory too, and leave it by themselves,
    /// so looking at what is used after each would remove keys for having removed keys.
    pub(super) fn free_memory(&'static self, run: &mut Run<'_>, worker: usize) -> bool {
        let wanted = self.excess_over(run.settings.memory.maxmemory);
        let freed = if wanted == 0 { Freed::Enough } else { self.evict_bytes(run, worker, wanted) };
        match freed {
            Freed::Enough => self.over_maxmemory.end(run.now),
            Freed::Some | Freed::TooLittle => self.over_maxmemory.begin(run.now),
        }
        freed != Freed::TooLittle
    }

    /// Removes keys until so many bytes are free, as long as that may take.
    fn evict_bytes(&'static self, run: &mut Run<'_>, worker: usize, mut wanted: u64) -> Freed {
        let limit = run.settings.memory.maxmemory;
        let policy = run.settings.memory.maxmemory_policy;
        if policy == EvictionPolicy::NoEviction {
            return Freed::TooLittle;
        }
        let patience = patience(run.settings.memory.maxmemory_eviction_tenacity);
        let started = Instant::now();
        for evicted in 1usize.. {
            let Some((db, candidate)) = self.best_candidate(run, policy) else {
                return if self.excess_over(limit) == 0 { Freed::Enough } else { Freed::TooLittle };
            };
            wanted = wanted.saturating_sub(self.evict(run, worker, db, &candidate.key));
            if wanted == 0 {
                return Freed::Enough;
            }
            if evicted % EVICTIONS_PER_LOOK == 0 {
                // Others free memory as well: the reclaimer what was too large for here.
                if self.excess_over(limit) == 0 {
                    return Freed::Enough;
                }
                if patience.is_some_and(|patience| started.elapsed() > patience) {
                    self.note_latency("eviction-cycle", started.elapsed());
                    break;
                }
            }
        }
        Freed::Some
    }

    /// Whether this server decides itself what it keeps: not while it loads, not as a replica, which takes what its primary has unless
    /// `replica-ignore-maxmemory` says otherwise, and not while writes are held back, since evicting is one.
    pub(super) fn may_evict(&self, settings: &Settings, now: UnixMillis) -> bool {
        let keeps_all = self.replication.is_replica() && settings.memory.replica_ignore_maxmemory;
        !(keeps_all || self.saving.loads.is_active() || self.pause.current(now).is_some())
    }

    /// Frees memory though no command asks for it: after the limit was lowered, or where a burst has gone past it.
    pub fn evict_in_background(&'static self) {
        let settings = self.config.settings();
        let now = UnixMillis::now();
        if settings.memory.maxmemory == 0 {
            self.over_maxmemory.end(now);
            return;
        }
        if !self.may_evict(&settings, now) {
            return;
        }
        let limits = super::encoding_limits(&settings);
        let mut run = Run::begin(self, &settings, &limits);
        self.free_memory(&mut run, self.background_worker());
        self.broadcast_changes(&settings);
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

    /// Removes a key: the bytes that are free now.
    fn evict(&'static self, run: &mut Run<'_>, worker: usize, db: DbIndex, key: &[u8]) -> u64 {
        let freshness = Self::freshness(run.settings);
        let request = LockRequest { db, hash: self.keyspace.hash(key), access: Access::Write };
        let mut keys = if run.hold.is_exclusive() {
            Keys::exclusive(&self.keyspace, db, run.now, freshness)
        } else {
            Keys::lock(&self.keyspace, db, &[request], run.now, freshness)
        };
        keys.report_created(self.waiters.any());
        let before = thread_balance();
        let removed = keys.remove(key).map(|entry| {
            if run.settings.memory.lazyfree_lazy_eviction {
                self.reclaimer.drop_entry(entry);
            }
        });
        let freed = before - thread_balance();
        if removed.is_some() {
            Totals::bump(&self.workers[worker].totals.evicted, 1);
            self.record_removed(run, db, key, EventClass::EVICTED, "evicted");
        }
        let woken = self.release(run, worker, keys);
        self.serve_waiters(run, worker, woken);
        freed.max(0) as u64
    }
}

/// How long eviction may delay a command, with Redis's meaning of the tenacity: in steps of 50 µs up to 10, growing by 15 %
/// a step above, without end at 100.
fn patience(tenacity: u32) -> Option<Duration> {
    match tenacity {
        0..=10 => Some(Duration::from_micros(50 * u64::from(tenacity))),
        11..=99 => Some(Duration::from_secs_f64(500e-6 * 1.15f64.powi(tenacity as i32 - 10))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenacity_grows_from_microseconds_to_for_ever() {
        assert_eq!(patience(0), Some(Duration::ZERO));
        assert_eq!(patience(10), Some(Duration::from_micros(500)));
        assert!(patience(99).unwrap() > Duration::from_secs(100));
        assert_eq!(patience(100), None);
    }
}
