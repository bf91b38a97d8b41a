//! `math.random` of scripts: the 48-bit linear congruential generator of POSIX `lrand48`, so that one seed gives the same
//! numbers on every machine.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mlua::{Lua, Result, Table};

use super::arguments::Arguments;
use super::error::text_error;

const MULTIPLIER: u64 = 0x5_deec_e66d;
const INCREMENT: u64 = 0xb;
const MASK: u64 = (1 << 48) - 1;
/// The low 16 bits of every seeded state.
const SEED_LOW: u64 = 0x330e;
const MAX: u32 = i32::MAX as u32;

/// Shared by all interpreters. Scripts run one at a time, so the order of numbers is that of the calls.
static STATE: AtomicU64 = AtomicU64::new(0x1234_abcd_330e);

fn next() -> u32 {
    let state = STATE.load(Relaxed).wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
    STATE.store(state, Relaxed);
    (state >> 17) as u32
}

fn seed(seed: i32) {
    STATE.store(u64::from(seed as u32) << 16 | SEED_LOW, Relaxed);
}

/// Puts `random` and `randomseed` into the table `math`.
pub(super) fn register(lua: &Lua, math: &Table) -> Result<()> {
    math.raw_set(
        "random",
        lua.create_function(|lua, values| {
            let args = Arguments::new(lua, values);
            let fraction = f64::from(next() % MAX) / f64::from(MAX);
            match args.len() {
                0 => Ok(fraction),
                1 => {
                    let upper = args.integer(1)? as i32;
                    args.check(1 <= upper, 1, "interval is empty")?;
                    Ok((fraction * f64::from(upper)).floor() + 1.0)
                }
                2 => {
                    let (lower, upper) = (args.integer(1)? as i32, args.integer(2)? as i32);
                    args.check(lower <= upper, 2, "interval is empty")?;
                    let width = upper.wrapping_sub(lower).wrapping_add(1);
                    Ok((fraction * f64::from(width)).floor() + f64::from(lower))
                }
                _ => Err(text_error(lua, "wrong number of arguments")),
            }
        })?,
    )?;
    math.raw_set(
        "randomseed",
        lua.create_function(|lua, values| {
            seed(Arguments::new(lua, values).integer(1)? as i32);
            Ok(())
        })?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_lrand48() {
        seed(10);
        let numbers: Vec<u32> = (0..3).map(|_| next()).collect();
        // srand48(10) and three calls of lrand48 of the C library.
        assert_eq!(numbers, [1_887_318_415, 1_708_981_709, 1_032_568_723]);
    }
}
