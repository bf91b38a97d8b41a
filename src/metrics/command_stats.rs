//! Per-command statistics of one worker: calls, time, failures, and the latency histogram.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::histogram::Histogram;

/// Figures of one command on one worker. One thread writes, others read.
#[derive(Default)]
pub struct CommandStats {
    calls: AtomicU64,
    nanos: AtomicU64,
    rejected: AtomicU64,
    failed: AtomicU64,
    histogram: OnceLock<Histogram>,
}

/// Figures of one command, added up over workers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandFigures {
    /// How often it ran.
    pub calls: u64,
    /// For how long altogether.
    pub nanos: u64,
    /// How often it was refused before it ran.
    pub rejected: u64,
    /// How often it ran and answered an error.
    pub failed: u64,
    /// Latency counts by bucket of [`Histogram`]; empty where latency is not tracked.
    pub latency: Vec<u64>,
}

fn bump(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Relaxed) + by, Relaxed);
}

impl CommandStats {
    /// It ran.
    pub fn ran(&self, nanos: u64, failed: bool, track_latency: bool) {
        bump(&self.calls, 1);
        bump(&self.nanos, nanos);
        if failed {
            bump(&self.failed, 1);
        }
        if track_latency {
            self.histogram.get_or_init(Histogram::default).record(nanos);
        }
    }

    /// It was refused.
    pub fn rejected(&self) {
        bump(&self.rejected, 1);
    }

    /// Adds these figures to `sum`.
    pub fn add_to(&self, sum: &mut CommandFigures) {
        sum.calls += self.calls.load(Relaxed);
        sum.nanos += self.nanos.load(Relaxed);
        sum.rejected += self.rejected.load(Relaxed);
        sum.failed += self.failed.load(Relaxed);
        if let Some(histogram) = self.histogram.get() {
            sum.latency.resize(Histogram::buckets(), 0);
            histogram.add_to(&mut sum.latency);
        }
    }

    /// Forgets counts and times.
    pub fn clear(&self) {
        for counter in [&self.calls, &self.nanos, &self.rejected, &self.failed] {
            counter.store(0, Relaxed);
        }
        self.clear_latency();
    }

    /// Forgets the latency histogram.
    pub fn clear_latency(&self) {
        if let Some(histogram) = self.histogram.get() {
            histogram.clear();
        }
    }
}
