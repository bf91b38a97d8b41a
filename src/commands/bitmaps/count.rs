//! Counting and finding bits: BITCOUNT, BITPOS.

use super::arithmetic;
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::commands::range::clamp_both;
use crate::engine::{Command, CommandResult, Context};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "bitcount",
            arity: -2,
            flags: flags![READONLY],
            categories: Categories::BITMAP,
            keys: keys::FIRST_READ,
            group: Group::Bitmap,
            since: "2.6.0",
            summary: "Counts the bits that are 1, in all or part of a string.",
            complexity: "O(N)",
            history: &[("7.0.0", "Added the `BYTE|BIT` option.")],
            args: "key:key range?:(start:integer end:integer unit?:(byte=BYTE | bit=BIT)@7.0.0)",
            ..Spec::BASE
        },
        run: bitcount,
    },
    Command {
        spec: Spec {
            name: "bitpos",
            arity: -3,
            flags: flags![READONLY],
            categories: Categories::BITMAP,
            keys: keys::FIRST_READ,
            group: Group::Bitmap,
            since: "2.8.7",
            summary: "Finds where the first 0 or 1 bit is in a string.",
            complexity: "O(N)",
            history: &[("7.0.0", "Added the `BYTE|BIT` option.")],
            args: "key:key bit:integer \
                range?:(start:integer end-unit-block?:(end:integer unit?:(byte=BYTE | bit=BIT)@7.0.0))",
            ..Spec::BASE
        },
        run: bitpos,
    },
];

/// BYTE or BIT at an argument: whether it is BIT.
fn counts_bits(ctx: &Context<'_>, index: usize) -> Result<bool, WireError> {
    match ctx.args.get(index) {
        None => Ok(false),
        Some(_) if ctx.args.is(index, "BIT") => Ok(true),
        Some(_) if ctx.args.is(index, "BYTE") => Ok(false),
        Some(_) => Err(WireError::SYNTAX),
    }
}

/// The bits from `start` to `end`, in bytes or bits of a string of `len` bytes: the first and the last.
fn bits(start: i64, end: i64, in_bits: bool, len: usize) -> Option<(u64, u64)> {
    let range = clamp_both(start, end, if in_bits { len * 8 } else { len })?;
    let (first, last) = (range.start as u64, range.end as u64 - 1);
    Some(if in_bits { (first, last) } else { (first * 8, last * 8 + 7) })
}

pub(super) fn bitcount(ctx: &mut Context<'_>) -> CommandResult {
    let key = ctx.args.at(1);
    let mut digits = itoa::Buffer::new();
    let Some(string) = ctx.keys.string(key)? else { return ctx.done_int(0) };
    let bytes = string.bytes(&mut digits);
    let (start, end, in_bits) = match ctx.args.len() {
        2 => (0, -1, false),
        4 | 5 => {
            let (start, end) = (ctx.int(2)?, ctx.int(3)?);
            // Crossed from the end: empty whatever the unit, even one that does not exist.
            if start < 0 && end < 0 && start > end {
                return ctx.done_int(0);
            }
            (start, end, counts_bits(ctx, 4)?)
        }
        _ => return ctx.syntax(),
    };
    let count = bits(start, end, in_bits, bytes.len()).map_or(0, |(first, last)| arithmetic::count(bytes, first, last));
    ctx.done_int(count as i64)
}

pub(super) fn bitpos(ctx: &mut Context<'_>) -> CommandResult {
    const NO_BIT: WireError = WireError::fixed("ERR The bit argument must be 1 or 0.");
    let on = match ctx.int(2)? {
        0 => false,
        1 => true,
        _ => return Err(NO_BIT),
    };
    let mut digits = itoa::Buffer::new();
    let Some(string) = ctx.keys.string(ctx.args.at(1))? else { return ctx.done_int(if on { -1 } else { 0 }) };
    let bytes = string.bytes(&mut digits);
    let (start, end, in_bits) = match ctx.args.len() {
        3 => (0, -1, false),
        4 => (ctx.int(3)?, -1, false),
        5 | 6 => {
            let start = ctx.int(3)?;
            let in_bits = counts_bits(ctx, 5)?;
            (start, ctx.int(4)?, in_bits)
        }
        _ => return ctx.syntax(),
    };
    let Some((first, last)) = bits(start, end, in_bits, bytes.len()) else { return ctx.done_int(-1) };
    let found = arithmetic::position(bytes, on, first, last);
    // Without an end the string counts as followed by zeros.
    let beyond = if !on && ctx.args.len() < 5 { bytes.len() as i64 * 8 } else { -1 };
    ctx.done_int(found.map_or(beyond, |position| position as i64))
}
