//! HyperLogLog: estimating how many distinct elements were seen, in a string of at most 12 KiB.
//!
//! The bytes are Redis's own, so that values move between servers:
//!
//! ```text
//! +------+----------+-----------+-----------------+-----------//
//! | HYLL | encoding | 0 0 0     | cached estimate | registers
//! +------+----------+-----------+-----------------+-----------//
//!   4 B    1 B        3 B         8 B, little endian
//! ```
//!
//! The top bit of the cached estimate says that it is out of date. There are 16384 registers of 6 bits, all of them in the
//! `dense` encoding, run lengths in the `sparse` one. Any client can write such a string with SET: whatever the bytes are,
//! the functions here answer or say [`Malformed`], and never panic. All but [`is_valid`] take strings that it has accepted.

mod dense;
mod estimate;
mod sparse;

#[cfg(test)]
mod tests;

use super::Malformed;
pub use sparse::{Run, Runs};

/// Bits of an element's hash that choose its register.
const INDEX_BITS: u32 = 14;
/// Number of registers.
pub const REGISTERS: usize = 1 << INDEX_BITS;
/// Bits of an element's hash in which the leading zeros are counted.
const PATTERN_BITS: u32 = 64 - INDEX_BITS;
/// Bytes in front of the registers.
const HEADER: usize = 16;
/// Length of a dense string.
const DENSE_LENGTH: usize = HEADER + REGISTERS * dense::BITS / 8;
const MAGIC: &[u8] = b"HYLL";
const CORRUPT: Malformed = Malformed("HyperLogLog");

/// How many registers have each value; values that no hash can give have their place too.
type Histogram = [u32; 64];

/// How the registers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// 6 bits each.
    Dense,
    /// Run lengths.
    Sparse,
}

/// An empty HyperLogLog.
pub fn empty() -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    bytes[..4].copy_from_slice(MAGIC);
    bytes[4] = 1;
    bytes.extend_from_slice(&sparse::ALL_ZERO);
    bytes
}

/// Whether a string can be a HyperLogLog, by its header and length.
pub fn is_valid(bytes: &[u8]) -> bool {
    let header = bytes.len() >= HEADER && bytes.starts_with(MAGIC) && bytes[4] <= 1;
    header && (bytes[4] == 1 || bytes.len() == DENSE_LENGTH)
}

/// How the registers are stored.
pub fn encoding(bytes: &[u8]) -> Encoding {
    if bytes[4] == 0 { Encoding::Dense } else { Encoding::Sparse }
}

/// Counts an element; whether that changed a register. A sparse string that would grow beyond `sparse_max` bytes becomes dense.
pub fn add(bytes: &mut Vec<u8>, element: &[u8], sparse_max: usize) -> Result<bool, Malformed> {
    let (register, value) = estimate::register_and_value(element);
    raise(bytes, register, value, sparse_max)
}

/// Raises a register to at least `value`; whether it changed.
pub fn raise(bytes: &mut Vec<u8>, register: usize, value: u8, sparse_max: usize) -> Result<bool, Malformed> {
    if encoding(bytes) == Encoding::Sparse {
        match sparse::raise(bytes, HEADER, register, value, sparse_max)? {
            sparse::Raised::Done(changed) => {
                if changed {
                    invalidate(bytes);
                }
                return Ok(changed);
            }
            sparse::Raised::DoesNotFit => {
                make_dense(bytes)?;
            }
        }
    }
    Ok(dense::raise(&mut bytes[HEADER..], register, value))
}

/// Stores the registers densely; whether they were not.
pub fn make_dense(bytes: &mut Vec<u8>) -> Result<bool, Malformed> {
    if encoding(bytes) == Encoding::Dense {
        return Ok(false);
    }
    let mut registers = Registers::default();
    registers.merge(bytes)?;
    let mut new = vec![0; DENSE_LENGTH];
    new[..HEADER].copy_from_slice(&bytes[..HEADER]);
    new[4] = 0;
    for (register, value) in registers.iter() {
        dense::set(&mut new[HEADER..], register, value);
    }
    *bytes = new;
    Ok(true)
}

/// The estimate in the header, unless it is out of date.
pub fn cached_estimate(bytes: &[u8]) -> Option<u64> {
    let cached = <[u8; 8]>::try_from(&bytes[8..HEADER]).map(u64::from_le_bytes).ok()?;
    (cached >> 63 == 0).then_some(cached)
}

/// Notes an estimate in the header.
pub fn cache_estimate(bytes: &mut [u8], estimate: u64) {
    bytes[8..HEADER].copy_from_slice(&estimate.to_le_bytes());
}

/// Says that the estimate in the header is out of date.
pub fn invalidate(bytes: &mut [u8]) {
    bytes[HEADER - 1] |= 0x80;
}

/// Estimates how many distinct elements were counted.
pub fn estimate(bytes: &[u8]) -> Result<u64, Malformed> {
    let registers = &bytes[HEADER..];
    let histogram = match encoding(bytes) {
        Encoding::Dense => dense::histogram(registers),
        Encoding::Sparse => sparse::histogram(registers)?,
    };
    Ok(estimate::cardinality(&histogram))
}

/// The runs of a sparse string, for a look at them.
pub fn runs(bytes: &[u8]) -> Runs<'_> {
    Runs::new(&bytes[HEADER..])
}

/// The registers of the union of several HyperLogLogs.
#[derive(Clone)]
pub struct Registers(Box<[u8]>);

impl Default for Registers {
    fn default() -> Self {
        Self(vec![0; REGISTERS].into_boxed_slice())
    }
}

impl Registers {
    /// Takes in another HyperLogLog.
    pub fn merge(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let registers = &bytes[HEADER..];
        match encoding(bytes) {
            Encoding::Dense => {
                for (index, own) in self.0.iter_mut().enumerate() {
                    *own = dense::get(registers, index).max(*own);
                }
                Ok(())
            }
            Encoding::Sparse => sparse::merge(registers, &mut self.0),
        }
    }

    /// Registers that are not zero, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (usize, u8)> {
        self.0.iter().copied().enumerate().filter(|(_, value)| *value > 0)
    }

    /// All values.
    pub fn values(&self) -> &[u8] {
        &self.0
    }

    /// Estimates how many distinct elements were counted.
    pub fn estimate(&self) -> u64 {
        let mut histogram = [0; 64];
        for value in &self.0 {
            histogram[usize::from(value & 63)] += 1;
        }
        estimate::cardinality(&histogram)
    }
}
