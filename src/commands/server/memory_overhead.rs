//! Where the memory goes: what MEMORY STATS, MEMORY DOCTOR and INFO say of it, gathered in one place.

use std::sync::atomic::Ordering::Relaxed;

use crate::base::memory::{MemoryFigures, memory_figures, used_memory};
use crate::engine::Engine;
use crate::keyspace::DbIndex;
use crate::session::ClientFlags;

/// Bytes of a table per key: a pointer and a control byte for each slot, and between one and two thirds of the slots free.
///
/// An estimate, since asking the tables would mean to lock all of them, which a transaction that holds some must not.
const TABLE_BYTES_PER_KEY: u64 = 14;
/// Bytes of an expiry mark.
const MARK_BYTES: u64 = 16;

/// The memory of the process, by what it is for. All in bytes.
pub(super) struct Overhead {
    /// In use now.
    pub used: u64,
    /// The most ever in use.
    pub peak: u64,
    /// In use right after the start.
    pub startup: u64,
    /// The ring of changes for replicas.
    pub backlog: u64,
    /// Buffers of replicas.
    pub clients_replicas: u64,
    /// Buffers of all other clients.
    pub clients_normal: u64,
    /// Each database that has keys.
    pub databases: Vec<DatabaseOverhead>,
    /// What the allocator and the kernel say.
    pub process: MemoryFigures,
    /// Keys in all databases.
    pub keys: u64,
}

/// The memory of one database, values apart.
pub(super) struct DatabaseOverhead {
    /// Its number.
    pub db: DbIndex,
    /// The tables of keys.
    pub main: u64,
    /// The expiry marks.
    pub expires: u64,
}

impl Overhead {
    /// Takes the figures; tens of microseconds.
    pub fn take(engine: &Engine) -> Self {
        let used = used_memory();
        let peak = engine.peak_memory.fetch_max(used, Relaxed).max(used);
        let databases: Vec<DatabaseOverhead> = engine
            .keyspace
            .indices()
            .filter(|db| engine.keyspace.is_built(*db) && !engine.keyspace.database(*db).is_empty())
            .map(|db| {
                let database = engine.keyspace.database(db);
                DatabaseOverhead {
                    db,
                    main: database.len() as u64 * TABLE_BYTES_PER_KEY,
                    expires: database.volatile_len() as u64 * MARK_BYTES,
                }
            })
            .collect();
        let (mut clients_normal, mut clients_replicas) = (0, 0);
        for client in engine.clients.all() {
            let bytes = client.memory_usage();
            match client.flags().contains(ClientFlags::REPLICA) {
                true => clients_replicas += bytes,
                false => clients_normal += bytes,
            }
        }
        Self {
            used,
            peak,
            startup: engine.startup_memory.load(Relaxed),
            backlog: engine.feed.backlog_bytes(),
            clients_replicas: clients_replicas + engine.feed.excess_bytes(),
            clients_normal,
            databases,
            process: memory_figures(),
            keys: engine.keyspace.total_keys() as u64,
        }
    }

    /// Everything that is not data.
    pub fn total(&self) -> u64 {
        let databases: u64 = self.databases.iter().map(|database| database.main + database.expires).sum();
        self.startup + self.backlog + self.clients_replicas + self.clients_normal + databases
    }

    /// Keys and values.
    pub fn dataset(&self) -> u64 {
        self.used.saturating_sub(self.total())
    }

    /// What has been taken since the start.
    pub fn since_start(&self) -> u64 {
        self.used.saturating_sub(self.startup)
    }

    /// The part of what has been taken since the start that is data, in percent.
    pub fn dataset_percent(&self) -> f64 {
        100.0 * ratio(self.dataset(), self.since_start())
    }

    /// What is in use now, in percent of the peak.
    pub fn peak_percent(&self) -> f64 {
        100.0 * ratio(self.used, self.peak)
    }

    /// Bytes taken since the start for each key.
    pub fn bytes_per_key(&self) -> u64 {
        self.since_start().checked_div(self.keys).unwrap_or(0)
    }

    /// Allocator: pages in use against bytes in use.
    pub fn fragmentation(&self) -> Gap {
        Gap::between(self.process.active, self.process.allocated)
    }

    /// Allocator: resident pages against pages in use.
    pub fn retained(&self) -> Gap {
        Gap::between(self.process.resident, self.process.active)
    }

    /// What is resident beyond what the allocator knows of.
    pub fn beyond_allocator(&self) -> Gap {
        Gap::between(self.process.rss, self.process.resident)
    }

    /// All of the above together.
    pub fn overall(&self) -> Gap {
        Gap::between(self.process.rss, self.used)
    }
}

/// Two figures compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gap {
    /// The first, as a multiple of the second.
    pub ratio: f64,
    /// The first minus the second.
    pub bytes: i64,
}

impl Gap {
    fn between(outer: u64, inner: u64) -> Self {
        Self { ratio: ratio(outer, inner), bytes: outer as i64 - inner as i64 }
    }
}

/// A quotient; 0 where there is nothing to divide by.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The name of the allocator, as INFO shows it.
pub(super) const ALLOCATOR: &str = "jemalloc-5.3.0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_divide_and_subtract() {
        assert_eq!(Gap::between(150, 100), Gap { ratio: 1.5, bytes: 50 });
        assert_eq!(Gap::between(50, 100), Gap { ratio: 0.5, bytes: -50 });
        assert_eq!(Gap::between(7, 0), Gap { ratio: 0.0, bytes: 7 });
    }
}
