//! The sparse encoding: run lengths.
//!
//! ```text
//! 00llllll            ZERO:  l+1 registers are zero (1 to 64)
//! 01llllll llllllll   XZERO: l+1 registers are zero (1 to 16384)
//! 1vvvvvll            VAL:   l+1 registers (1 to 4) have the value v+1 (1 to 32)
//! ```
//!
//! What [`raise`] writes is byte for byte what Redis would: the shortest split of the run it changes, then equal neighbours
//! are joined where they fit one run.

use super::{CORRUPT, Histogram, REGISTERS};
use crate::data::Malformed;

/// All registers zero.
pub const ALL_ZERO: [u8; 2] = xzero(REGISTERS);

const ZERO_MAX: usize = 64;
const VALUE_MAX: u8 = 32;
const VALUE_RUN_MAX: usize = 4;
/// Runs looked at for joining after a change, from the one in front of it on.
const JOIN_WINDOW: usize = 5;

/// One run of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The value of each.
    pub value: u8,
    /// How many.
    pub length: usize,
    /// Whether it is stored in two bytes.
    pub is_long: bool,
}

impl Run {
    /// The run at the beginning of `bytes`; a second byte that is cut off counts as 0, as the end of Redis's strings does.
    fn read(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let low = usize::from(first & 0x3f);
        Some(match first >> 6 {
            0 => Self { value: 0, length: low + 1, is_long: false },
            1 => {
                let second = usize::from(bytes.get(1).copied().unwrap_or(0));
                Self { value: 0, length: (low << 8 | second) + 1, is_long: true }
            }
            _ => Self { value: (first >> 2 & 0x1f) + 1, length: usize::from(first & 3) + 1, is_long: false },
        })
    }

    fn bytes(self) -> usize {
        1 + usize::from(self.is_long)
    }
}

/// The runs of a sparse encoding.
#[derive(Clone)]
pub struct Runs<'a>(&'a [u8]);

impl<'a> Runs<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl Iterator for Runs<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let run = Run::read(self.0)?;
        self.0 = self.0.get(run.bytes()..).unwrap_or_default();
        Some(run)
    }
}

/// How many registers have each value; an error unless the runs cover all registers.
pub fn histogram(bytes: &[u8]) -> Result<Histogram, Malformed> {
    let (mut histogram, mut covered) = ([0u32; 64], 0);
    for run in Runs::new(bytes) {
        covered += run.length;
        if covered > REGISTERS {
            return Err(CORRUPT);
        }
        histogram[usize::from(run.value)] += run.length as u32;
    }
    if covered == REGISTERS { Ok(histogram) } else { Err(CORRUPT) }
}

/// Raises `registers` to at least the values here; an error unless the runs cover all registers.
pub fn merge(bytes: &[u8], registers: &mut [u8]) -> Result<(), Malformed> {
    let mut covered = 0;
    for run in Runs::new(bytes) {
        let range = registers.get_mut(covered..covered + run.length).ok_or(CORRUPT)?;
        if run.value > 0 {
            range.iter_mut().for_each(|own| *own = run.value.max(*own));
        }
        covered += run.length;
    }
    if covered == REGISTERS { Ok(()) } else { Err(CORRUPT) }
}

/// What came of raising a register.
pub enum Raised {
    /// Whether it changed.
    Done(bool),
    /// The value, or the result, is too large for this encoding; nothing was changed.
    DoesNotFit,
}

/// Raises a register of the runs from `start` on in `bytes` to at least `value`, unless `bytes` would grow beyond `max`.
pub fn raise(bytes: &mut Vec<u8>, start: usize, register: usize, value: u8, max: usize) -> Result<Raised, Malformed> {
    if value > VALUE_MAX {
        return Ok(Raised::DoesNotFit);
    }
    let Found { run, at, first, previous } = find(bytes, start, register).ok_or(CORRUPT)?;
    if run.value >= value {
        return Ok(Raised::Done(false));
    }
    if !run.is_long && run.length == 1 {
        bytes[at] = value_run(value, 1);
    } else {
        let mut new = smallvec::SmallVec::<[u8; 5]>::new();
        push_run(&mut new, run.value, register - first);
        new.push(value_run(value, 1));
        push_run(&mut new, run.value, first + run.length - 1 - register);
        let grown = (bytes.len() + new.len()).saturating_sub(run.bytes());
        if new.len() > run.bytes() && grown > max {
            return Ok(Raised::DoesNotFit);
        }
        bytes.splice(at..at + run.bytes(), new);
    }
    join(bytes, previous.unwrap_or(start));
    Ok(Raised::Done(true))
}

/// The run that holds a register.
struct Found {
    run: Run,
    /// Where it is stored.
    at: usize,
    /// Its first register.
    first: usize,
    /// Where the run in front of it is stored.
    previous: Option<usize>,
}

fn find(bytes: &[u8], start: usize, register: usize) -> Option<Found> {
    let (mut at, mut first, mut previous) = (start, 0, None);
    loop {
        let run = Run::read(bytes.get(at..)?)?;
        if register < first + run.length {
            // A long run whose second byte is cut off cannot be replaced.
            return (at + run.bytes() <= bytes.len()).then_some(Found { run, at, first, previous });
        }
        previous = Some(at);
        at += run.bytes();
        first += run.length;
    }
}

/// Joins adjoining runs of the same value from `at` on.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_WINDOW {
        let Some(run) = bytes.get(at..).and_then(Run::read) else { return };
        if run.value > 0
            && let Some(next) = Run::read(&bytes[at + 1..])
            && next.value == run.value
            && run.length + next.length <= VALUE_RUN_MAX
        {
            bytes[at + 1] = value_run(run.value, run.length + next.length);
            bytes.remove(at);
        } else {
            at += run.bytes();
        }
    }
}

/// Appends `length` registers of a value; zeros in the shorter form that holds them.
fn push_run(out: &mut smallvec::SmallVec<[u8; 5]>, value: u8, length: usize) {
    match (value, length) {
        (_, 0) => {}
        (0, 1..=ZERO_MAX) => out.push((length - 1) as u8),
        (0, _) => out.extend_from_slice(&xzero(length)),
        _ => out.push(value_run(value, length)),
    }
}

const fn xzero(length: usize) -> [u8; 2] {
    let coded = length - 1;
    [0x40 | (coded >> 8) as u8, coded as u8]
}

const fn value_run(value: u8, length: usize) -> u8 {
    0x80 | (value - 1) << 2 | (length - 1) as u8
}
