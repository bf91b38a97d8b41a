//! What DUMP makes and RESTORE takes: one value with its type, a version and a checksum.

use super::code::{Version, is_kind};
use super::error::RdbError;
use super::read::Reader;
use super::write::Writer;
use super::{code, decode, encode};
use crate::base::crc64::crc64;
use crate::data::Mending;
use crate::data::limits::Limits;
use crate::keyspace::{OwnedValue, ValueRef};

const VERSION: usize = 2;
const CHECKSUM: usize = 8;

/// The payload of a value.
pub fn dump(value: ValueRef<'_>, version: Version, compression: bool) -> Vec<u8> {
    let mut writer = Writer::new(compression);
    let kind = encode::kind_of(value, version);
    writer.byte(kind);
    encode::value(&mut writer, value, version);
    let mut payload = writer.out;
    // So that an older Redis says what is wrong: the version.
    let number = if kind == code::kind::HASH_EXPIRING { Version::NEWEST } else { version.number() };
    payload.extend_from_slice(&number.to_le_bytes());
    let checksum = crc64(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// The part of a payload in front of version and checksum; `None` where these are wrong. The checksum can be left unchecked.
pub fn verified(payload: &[u8], check: bool) -> Option<&[u8]> {
    let (summed, checksum) = payload.split_last_chunk::<CHECKSUM>()?;
    let (value, version) = summed.split_last_chunk::<VERSION>()?;
    let readable = u16::from_le_bytes(*version) <= Version::NEWEST;
    let intact = !check || crc64(summed) == u64::from_le_bytes(*checksum);
    (readable && intact).then_some(value)
}

/// Whether the verified part of a payload has a hash whose fields expire.
pub fn has_expiring_fields(value: &[u8]) -> bool {
    matches!(value.first(), Some(&(code::kind::HASH_EXPIRING | code::kind::HASH_LISTPACK_EXPIRING)))
}

/// The value in the verified part of a payload. What stands behind it is ignored, as Redis ignores it.
pub fn restore(value: &[u8], limits: &Limits, mending: &mut Mending) -> Result<OwnedValue, RdbError> {
    let mut reader = Reader::with_buffer(value, false, value.len());
    reader.mending = *mending;
    let kind = reader.byte()?;
    if !is_kind(kind) {
        return Err(RdbError::Corrupt("unknown type of value"));
    }
    let value = decode::value(&mut reader, kind, limits);
    *mending = reader.mending;
    value
}

#[cfg(test)]
mod tests;
