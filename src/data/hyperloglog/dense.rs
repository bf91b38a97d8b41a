//! The dense encoding: 6 bits for every register, least significant bits first.
//!
//! ```text
//! |11000000|22221111|33333322|55444444| …
//! ```

use super::{Histogram, REGISTERS};

/// Bits of a register.
pub const BITS: usize = 6;
const MAX: u16 = (1 << BITS) - 1;

/// The value of a register.
pub fn get(registers: &[u8], index: usize) -> u8 {
    let (byte, shift) = place(index);
    // The last register ends with the last byte: there is nothing behind it to look at.
    let high = registers.get(byte + 1).copied().unwrap_or(0);
    (u16::from_le_bytes([registers[byte], high]) >> shift & MAX) as u8
}

/// Sets a register to a value below 64.
pub fn set(registers: &mut [u8], index: usize, value: u8) {
    let (byte, shift) = place(index);
    let (clear, set) = ((!(MAX << shift)).to_le_bytes(), (u16::from(value) << shift).to_le_bytes());
    registers[byte] = registers[byte] & clear[0] | set[0];
    if let Some(high) = registers.get_mut(byte + 1) {
        *high = *high & clear[1] | set[1];
    }
}

/// Raises a register to at least `value`; whether it changed.
pub fn raise(registers: &mut [u8], index: usize, value: u8) -> bool {
    let higher = value > get(registers, index);
    if higher {
        set(registers, index, value);
    }
    higher
}

/// How many registers have each value.
pub fn histogram(registers: &[u8]) -> Histogram {
    let mut histogram = [0; 64];
    for index in 0..REGISTERS {
        histogram[usize::from(get(registers, index))] += 1;
    }
    histogram
}

fn place(index: usize) -> (usize, usize) {
    (index * BITS / 8, index * BITS % 8)
}
