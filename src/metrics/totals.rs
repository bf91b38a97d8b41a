//! Totals of one worker, and error counts of the whole server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

/// More different error codes than this are counted together.
const MAX_ERROR_CODES: usize = 128;

macro_rules! totals {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of one worker. One thread writes, others read and add up.
        #[derive(Default)]
        pub struct Totals { $($(#[$doc])* pub $name: AtomicU64,)* }

        impl Totals {
            /// Adds another worker's counters to these.
            pub fn add(&self, other: &Self) {
                $(self.$name.fetch_add(other.$name.load(Relaxed), Relaxed);)*
            }

            /// Sets every counter to zero.
            pub fn clear(&self) {
                $(self.$name.store(0, Relaxed);)*
            }
        }
    };
}

totals! {
    /// Connections accepted.
    connections,
    /// Connections refused by maxclients.
    rejected_connections,
    /// Commands run.
    commands,
    /// Bytes read.
    input_bytes,
    /// Bytes sent, those to replicas apart.
    output_bytes,
    /// Bytes sent to replicas.
    replica_output_bytes,
    /// Lookups that found a key.
    hits,
    /// Lookups that did not.
    misses,
    /// Keys removed because they expired.
    expired,
    /// Keys removed to free memory.
    evicted,
    /// Clients closed to free memory.
    evicted_clients,
    /// Clients closed because of the query buffer limit.
    query_buffer_closed,
    /// Clients closed because of the output buffer limits.
    output_buffer_closed,
    /// Socket reads.
    reads,
    /// Socket writes.
    writes,
    /// Error replies.
    errors,
    /// Error replies to a primary, a replica or the append only file, which nobody expects.
    unexpected_errors,
    /// Rounds of the background cycle of expiry that ran out of time.
    expiry_rounds_cut,
    /// Time of the background cycle of expiry, in microseconds.
    expiry_us,
}

impl Totals {
    /// Adds to a counter of the calling worker's own totals.
    pub fn bump(counter: &AtomicU64, by: u64) {
        counter.store(counter.load(Relaxed) + by, Relaxed);
    }
}

/// How often each error code was answered.
#[derive(Default)]
pub struct ErrorCounts(Mutex<BTreeMap<Box<str>, u64>>);

impl ErrorCounts {
    /// Counts one.
    pub fn count(&self, code: &str) {
        let mut counts = self.0.lock();
        if let Some(count) = counts.get_mut(code) {
            *count += 1;
        } else if counts.len() < MAX_ERROR_CODES {
            counts.insert(code.into(), 1);
        }
    }

    /// All counts, by code.
    pub fn all(&self) -> Vec<(Box<str>, u64)> {
        self.0.lock().iter().map(|(code, count)| (code.clone(), *count)).collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.lock().clear();
    }
}
