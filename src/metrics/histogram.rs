//! A histogram of durations: logarithmic with 16 steps per octave, so a value is known to about 6 %.
//!
//! One writer, any number of readers: counts are stored, not added atomically.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const STEPS_BITS: u32 = 4;
const STEPS: usize = 1 << STEPS_BITS;
const OCTAVES: usize = 40;

/// Counts by duration in nanoseconds.
pub struct Histogram {
    counts: Box<[AtomicU64]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: (0..OCTAVES * STEPS).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&self, nanos: u64) {
        let count = &self.counts[bucket(nanos)];
        count.store(count.load(Relaxed) + 1, Relaxed);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        for count in &self.counts {
            count.store(0, Relaxed);
        }
    }

    /// Adds this histogram's counts to `sum`, which has [`Histogram::buckets`] places.
    pub fn add_to(&self, sum: &mut [u64]) {
        for (total, count) in sum.iter_mut().zip(&self.counts) {
            *total += count.load(Relaxed);
        }
    }

    /// Number of buckets.
    pub fn buckets() -> usize {
        OCTAVES * STEPS
    }

    /// The largest duration that counts in a bucket, in nanoseconds.
    pub fn upper_bound(bucket: usize) -> u64 {
        let (octave, step) = (bucket / STEPS, bucket % STEPS);
        if octave == 0 { step as u64 } else { ((STEPS + step + 1) as u64) << (octave - 1) }
    }

    /// The duration below which `percent` of the counted ones lie, in nanoseconds.
    pub fn percentile(counts: &[u64], percent: f64) -> u64 {
        let total: u64 = counts.iter().sum();
        let rank = ((percent / 100.0 * total as f64).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0;
        for (bucket, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Self::upper_bound(bucket);
            }
        }
        0
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < STEPS as u64 {
        return nanos as usize;
    }
    let octave = (63 - nanos.leading_zeros() - STEPS_BITS + 1) as usize;
    let step = (nanos >> (octave - 1)) as usize - STEPS;
    (octave * STEPS + step).min(OCTAVES * STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_sixteenth() {
        let histogram = Histogram::default();
        for nanos in 1..=10_000u64 {
            histogram.record(nanos);
        }
        let mut counts = vec![0; Histogram::buckets()];
        histogram.add_to(&mut counts);
        for (percent, exact) in [(50.0, 5_000.0), (99.0, 9_900.0), (100.0, 10_000.0)] {
            let found = Histogram::percentile(&counts, percent) as f64;
            assert!((found - exact).abs() / exact < 0.07, "{percent}: {found}");
        }
    }
}
