//! Bitmaps: strings seen as bits, the most significant bit of the first byte being bit 0.

pub mod arithmetic;
pub mod count;
pub mod field;
pub mod operation;
pub mod single;

use crate::base::number::parse_i64;
use crate::engine::Context;
use crate::keyspace::KeepExpiry;
use crate::resp::WireError;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[count::ROWS, field::ROWS, operation::ROWS, single::ROWS];

/// A bit offset in an argument; with `#` in front it counts fields of `width` bits, where that is allowed.
fn offset(ctx: &Context<'_>, index: usize, width: Option<u32>) -> Result<u64, WireError> {
    let argument = ctx.args.at(index);
    let (digits, factor) = match (argument, width) {
        ([b'#', rest @ ..], Some(width)) => (rest, i64::from(width)),
        _ => (argument, 1),
    };
    let offset = parse_i64(digits).and_then(|offset| offset.checked_mul(factor));
    offset
        .and_then(|offset| u64::try_from(offset).ok())
        .filter(|offset| offset >> 3 < ctx.settings.limits.proto_max_bulk_len)
        .ok_or(WireError::BIT_OFFSET)
}

/// The bytes of the string at a key, grown with zeros to hold `bits`; created where it is missing.
fn grown<'c>(ctx: &'c mut Context<'_>, key: &[u8], bits: u64) -> Result<&'c mut Vec<u8>, WireError> {
    if ctx.keys.string_for_write(key)?.is_none() {
        ctx.keys.set_string(key, b"", KeepExpiry::Set(None));
    }
    let bytes = ctx.keys.string_mut(key)?.ok_or(WireError::NO_SUCH_KEY)?;
    let needed = bits.div_ceil(8) as usize;
    if bytes.len() < needed {
        bytes.resize(needed, 0);
    }
    Ok(bytes)
}
