//! HyperLogLogs: strings that estimate how many distinct elements were seen.

pub mod count;
pub mod debug;

use crate::data::hyperloglog::is_valid;
use crate::engine::Context;
use crate::keyspace::StrRef;
use crate::resp::WireError;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[count::ROWS, debug::ROWS];

const NOT_ONE: WireError = WireError::fixed("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPT: WireError = WireError::fixed("INVALIDOBJ Corrupted HLL object detected");

/// Refuses strings that cannot be HyperLogLogs.
fn checked(string: Option<StrRef<'_>>) -> Result<Option<&[u8]>, WireError> {
    match string {
        None => Ok(None),
        Some(StrRef::Bytes(bytes)) if is_valid(bytes) => Ok(Some(bytes)),
        Some(_) => Err(NOT_ONE),
    }
}

/// The HyperLogLog at a key, to be changed.
fn changeable<'c>(ctx: &'c mut Context<'_>, key: &[u8]) -> Result<Option<&'c mut Vec<u8>>, WireError> {
    match checked(ctx.keys.string_for_write(key)?)? {
        None => Ok(None),
        Some(_) => ctx.keys.string_mut(key),
    }
}

/// Bytes beyond which a HyperLogLog is not sparse.
fn sparse_max(ctx: &Context<'_>) -> usize {
    usize::try_from(ctx.settings.encodings.hll_sparse_max_bytes).unwrap_or(usize::MAX)
}
