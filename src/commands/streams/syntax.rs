//! How IDs and intervals of IDs are written in arguments.

use crate::data::stream::{PartialId, StreamId, c_text};
use crate::resp::WireError;

/// An ID that is none.
pub(super) const INVALID_ID: WireError = WireError::fixed("ERR Invalid stream ID specified as stream command argument");

/// `ms-seq`, or `ms` with 0 for the sequence number.
pub(super) fn id(text: &[u8]) -> Result<StreamId, WireError> {
    StreamId::parse(text, 0).ok_or(INVALID_ID)
}

/// `ms-seq`, `ms`, or `ms-*`.
pub(super) fn partial_id(text: &[u8]) -> Result<PartialId, WireError> {
    PartialId::parse(text, 0).ok_or(INVALID_ID)
}

/// As [`id`], or `-` or `+` for the lowest and the highest.
pub(super) fn id_or_end(text: &[u8], missing: u64) -> Result<StreamId, WireError> {
    match c_text(text) {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        _ => StreamId::parse(text, missing).ok_or(INVALID_ID),
    }
}

/// The start of an interval, made inclusive; `(` in front excludes the ID itself.
pub(super) fn interval_start(text: &[u8]) -> Result<StreamId, WireError> {
    const NONE: WireError = WireError::fixed("ERR invalid start ID for the interval");
    match exclusive(text) {
        Some(text) => id(text)?.next().ok_or(NONE),
        None => id_or_end(text, 0),
    }
}

/// The end of an interval, made inclusive; `(` in front excludes the ID itself.
pub(super) fn interval_end(text: &[u8]) -> Result<StreamId, WireError> {
    const NONE: WireError = WireError::fixed("ERR invalid end ID for the interval");
    match exclusive(text) {
        Some(text) => StreamId::parse(text, u64::MAX).ok_or(INVALID_ID)?.previous().ok_or(NONE),
        None => id_or_end(text, u64::MAX),
    }
}

fn exclusive(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"(").filter(|rest| !rest.is_empty())
}
