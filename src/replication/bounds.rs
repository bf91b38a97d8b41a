//! What the stream of a primary may ask of whoever follows it.
//!
//! The primary has taken each command from a client of its own, within limits of its own, which need not be ours. Redis believes it
//! whatever it announces. Here too an argument may be longer than `proto-max-bulk-len`, but only as long as a value can be in earnest:
//! beyond that the stream is broken, or the primary is none. Memory is taken as bytes arrive, never as they are announced.

use crate::resp::Limits;

/// The longest argument, in bytes, unless `proto-max-bulk-len` is larger.
const MAX_BULK_BYTES: u64 = 4 << 30;
/// What a command may take beside its longest argument.
const MAX_REST_BYTES: u64 = 1 << 30;

/// The limits for arguments.
pub fn stream_limits(proto_max_bulk_len: u64) -> Limits {
    Limits { max_bulk_bytes: proto_max_bulk_len.max(MAX_BULK_BYTES), authenticated: true }
}

/// Whether so many bytes of one command have come in that it has no end.
pub fn is_endless(limits: Limits, bytes: usize) -> bool {
    bytes as u64 > limits.max_bulk_bytes.saturating_add(MAX_REST_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::{Parsed, Parser};

    #[test]
    fn what_no_value_can_be_is_refused_before_it_arrives() {
        let limits = stream_limits(512 << 20);
        for (length, taken) in
            [("536870913", true), ("4294967296", true), ("4294967297", false), ("999999999999999999", false)]
        {
            let announced = format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n${length}\r\n");
            let parsed = Parser::new().parse(announced.as_bytes(), limits);
            assert_eq!(parsed == Parsed::Incomplete, taken, "{length}: {parsed:?}");
        }
        assert!(!is_endless(limits, 5 << 30) && is_endless(limits, (5 << 30) + 1));
    }
}
