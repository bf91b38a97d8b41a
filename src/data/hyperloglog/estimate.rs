//! From elements to registers, and from registers to an estimate.
//!
//! The hash is MurmurHash64A; the estimator is that of Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog
//! sketches" (arXiv:1702.01284), which needs neither bias tables nor thresholds.

use super::{Histogram, INDEX_BITS, PATTERN_BITS, REGISTERS};

const SEED: u64 = 0xadc8_3b19;
/// 1 / (2 ln 2)
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The register an element belongs to, and the value it wants there: 1 more than the zeros in front of the first one of its hash.
pub fn register_and_value(element: &[u8]) -> (usize, u8) {
    let hash = murmur64a(element, SEED);
    let register = hash as usize & (REGISTERS - 1);
    let pattern = hash >> INDEX_BITS | 1 << PATTERN_BITS;
    (register, pattern.trailing_zeros() as u8 + 1)
}

/// MurmurHash2 with 64 bits, as on a little-endian machine.
fn murmur64a(data: &[u8], seed: u64) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    const R: u32 = 47;
    let mut hash = seed ^ (data.len() as u64).wrapping_mul(M);
    let (words, rest) = data.as_chunks::<8>();
    for word in words {
        let mut k = u64::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> R;
        hash = (hash ^ k.wrapping_mul(M)).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        hash = (hash ^ last).wrapping_mul(M);
    }
    hash ^= hash >> R;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> R
}

/// The estimate that belongs to so many registers of each value.
pub fn cardinality(histogram: &Histogram) -> u64 {
    let m = REGISTERS as f64;
    let of = |value: u32| f64::from(histogram[value as usize]);
    let mut z = m * tau((m - of(PATTERN_BITS + 1)) / m);
    for value in (1..=PATTERN_BITS).rev() {
        z = (z + of(value)) * 0.5;
    }
    z += m * sigma(of(0) / m);
    (ALPHA * m * m / z).round() as u64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
